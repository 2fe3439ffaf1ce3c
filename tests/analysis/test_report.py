"""The folder of a run: every example from plan to report, its numbers, its figures, and nothing from outside."""

import csv
import json
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from analysis.__main__ import main
from analysis.plans.drawings import Axis, digits_for, dumbbell_drawing
from analysis.plans.outcomes import Table
from analysis.plans.outputs import as_csv
from analysis.plans.sentences import number, p_value
from analysis.plans.svg import svg, ticks
from tests.analysis.oracle_entries import crossed
from tests.analysis.plan_texts import PLANS, endpoint, plan_text

NAMES = ["S0", "S1", "S2", "S3", "S4"]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every example carried out once, through the command line."""
    found = {}
    for name in NAMES:
        folder = tmp_path_factory.mktemp(name) / "results of a study"
        assert main(["run", str(PLANS / f"{name}.toml"), str(PLANS / f"{name}.csv"), "--out", str(folder)]) == 0
        found[name] = folder
    return found


@cache
def content(path: Path) -> Json:
    found: Json = json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{path} holds {word}"))
    return found


def results(folders: dict[str, Path], name: str) -> Json:
    return content(folders[name] / "results.json")


def endpoint_of(results: Json, name: str) -> Json:
    return next(item for item in results["endpoints"] if item["name"] == name)


class Page(HTMLParser):
    """Numbers of a report with their texts, all addresses, and tags that are left open."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[tuple[float, str]] = []
        self.addresses: list[str] = []
        self.headings: list[str] = []
        self.open: list[str] = []
        self.value: float | None = None
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.addresses += [str(values[key]) for key in ("href", "src", "srcset", "data") if key in values]
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)
        if tag == "data":
            self.value = float(str(values["value"]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [str(value) for key, value in attrs if key in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.value = None if tag == "data" else self.value

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.value is not None:
            self.numbers.append((self.value, data))
        if self.open and self.open[-1] in ("h2", "h3"):
            self.headings.append(data)


@cache
def page(path: Path) -> Page:
    found = Page()
    found.feed(path.read_text())
    found.close()
    return found


def report(folders: dict[str, Path], name: str) -> Page:
    return page(folders[name] / "report.html")


def values(part: object) -> Iterator[float]:
    """Every number of a JSON document."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from values(item)
    elif isinstance(part, int | float) and not isinstance(part, bool):
        yield float(part)


@pytest.mark.parametrize("name", NAMES)
def test_every_endpoint_of_the_examples_is_computed(folders: dict[str, Path], name: str) -> None:
    found = results(folders, name)
    assert [item["sentence"] for item in found["endpoints"] if not item["valid"]] == []
    assert all(claim["verdict"] != "described" for item in found["endpoints"] if item["role"] == "primary"
               for claim in item["findings"]["claims"])  # fmt: skip
    assert found["versions"]["numpy"]
    assert found["seed"] == found["plan"]["seed"]


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_the_report_are_those_of_the_results(folders: dict[str, Path], name: str) -> None:
    known = set(values(results(folders, name)))
    numbers = report(folders, name).numbers
    assert len(numbers) > 40
    assert [pair for pair in numbers if pair[0] not in known] == []
    for value, text in numbers:
        digits = len(text.split(".")[1]) if "." in text else 0
        spoken = {p_value(value).removeprefix("= "), p_value(value), number(value, digits)}
        assert text.strip() in spoken | {f"{value:.1f}"}


@pytest.mark.parametrize("name", NAMES)
def test_the_report_loads_nothing_from_outside(folders: dict[str, Path], name: str) -> None:
    text = (folders[name] / "report.html").read_text()
    found = report(folders, name)
    assert found.open == []
    assert [address for address in found.addresses if not address.startswith("#")] == []
    assert re.findall(r"@import|url\(|<script|<link|<img|<iframe", text) == []
    # The only address is the name of SVG itself, which nothing loads.
    assert set(re.findall(r"https?://[^\"' <]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "$" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.S)


@pytest.mark.parametrize("name", NAMES)
def test_digests_and_seed_stand_in_the_report(folders: dict[str, Path], name: str) -> None:
    text = (folders[name] / "report.html").read_text()
    plan = sha256((PLANS / f"{name}.toml").read_bytes()).hexdigest()
    table = sha256((PLANS / f"{name}.csv").read_bytes()).hexdigest()
    assert plan in text
    assert table in text
    assert results(folders, name)["plan_sha256"] == plan
    assert {item["sha256"] for item in results(folders, name)["sources"]} >= {table}
    assert f"Seed of every random draw: {results(folders, name)['seed']}" in text


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_drawn_three_times_alike(folders: dict[str, Path], name: str) -> None:
    figures = folders[name] / "figures"
    drawn = sorted(path.stem for path in figures.glob("*.svg"))
    assert len(drawn) >= 2
    assert (
        drawn == sorted(path.stem for path in figures.glob("*.json")) == sorted(p.stem for p in figures.glob("*.html"))
    )
    for stem in drawn:
        root = ElementTree.parse(figures / f"{stem}.svg").getroot()  # noqa: S314
        words = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith(("text", "title"))]
        plotly = json.loads((figures / f"{stem}.json").read_text())
        assert plotly["layout"]["title"]["text"] == words[0]
        assert plotly["layout"]["xaxis"]["title"]["text"] in words
        assert not re.search(r"[=\s\",]-?(nan|inf)\b", (figures / f"{stem}.svg").read_text())
        assert "cdn" not in (figures / f"{stem}.html").read_text()[:3000].lower()


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_files_in_full_precision(folders: dict[str, Path], name: str) -> None:
    found = results(folders, name)
    tables = [table for item in found["endpoints"] if item["findings"] for table in item["findings"]["tables"]]
    known = set(values(tables))
    for path in (folders[name] / "tables").glob("*-pairs.csv"):
        rows = list(csv.DictReader(path.open()))
        assert rows
        if not re.match(r"(09|1\d)-", path.name):
            assert {float(row["difference"]) for row in rows} <= known
    assert len(list((folders[name] / "tables").glob("*.csv"))) >= len(tables)


def test_the_same_run_gives_the_same_bytes(folders: dict[str, Path], tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert main(["run", str(PLANS / "S1.toml"), str(PLANS / "S1.csv"), "--out", str(again)]) == 0
    for name in ("results.json", "report.html"):
        assert (again / name).read_bytes() == (folders["S1"] / name).read_bytes()


def test_headings_of_the_report(folders: dict[str, Path]) -> None:
    headings = report(folders, "S4").headings
    order = ["Readers and cases", "Design", "Primary endpoints", "Secondary endpoints", "Readers and arms"]
    order += ["Exploratory results", "Deviations and warnings", "Statistical methods", "Provenance"]
    assert [heading for heading in headings if heading in order] == order
    words = " ".join(report(folders, "S4").words)
    assert "Left out were 24 readings, 2 cases (image of poor quality)" in words
    assert "Hillis SL." in words
    assert "36 % in simulation" in words


def test_two_rounds_by_seniority(folders: dict[str, Path]) -> None:
    found = results(folders, "S4")
    assert [item["verdict"] for item in endpoint_of(found, "AUC, aided against unaided")["findings"]["claims"]] == [
        "met"
    ]
    claims = endpoint_of(found, "Specificity not inferior")["findings"]["claims"]
    assert [claim["hypothesis"] for claim in claims] == ["non-inferiority", "superiority"]
    alone = endpoint_of(found, "Aided juniors against the model alone")["findings"]["claims"][0]["row"]
    readings, scores = pd.read_csv(PLANS / "S4.csv"), pd.read_csv(PLANS / "S4_scores.csv")
    good = readings[readings["quality"] == "good"]
    model = scores.query("model == '2.5D' and set == 'external'")
    model = model[model["case"].isin(good["case"])]
    assert alone["second_value"] == pytest.approx(roc_auc_score(model["truth"], model["score"]), abs=1e-12)
    juniors = good.query("seniority == 'junior' and arm == 'aided'").groupby("reader")
    mean = pd.Series([roc_auc_score(rows["truth"], rows["rating"]) for _, rows in juniors]).mean()
    assert alone["first_value"] == pytest.approx(mean, abs=1e-12)
    assert any("2 of 984 readings" in text for text in found["deviations"])
    names = {path.stem for path in (folders["S4"] / "figures").glob("*.svg")}
    for wanted in (
        "roc-unaided",
        "roc-aided",
        "roc-mean",
        "forest",
        "calibration",
        "reliance",
        "time",
        "decision-curve",
    ):
        assert any(name.endswith(wanted) for name in names), wanted


def test_the_model_against_two_surgeons(folders: dict[str, Path]) -> None:
    found = results(folders, "S0")
    rows = endpoint_of(found, "Accuracy of MnasNet against each surgeon")["findings"]["claims"]
    readings, scores = pd.read_csv(PLANS / "S0.csv"), pd.read_csv(PLANS / "S0_scores.csv")
    model = scores.query("model == 'MnasNet' and set == 'control'").set_index("case")
    for claim in rows:
        own = readings[readings["reader"] == claim["row"]["first"]].set_index("case")
        right, theirs = own["decision"] == own["truth"], model["decision"] == model["truth"]
        pair = pd.DataFrame({"reader": right, "model": theirs})
        b, c = int((pair["reader"] & ~pair["model"]).sum()), int((~pair["reader"] & pair["model"]).sum())
        assert claim["p"] == pytest.approx(stats.binomtest(b, b + c).pvalue, rel=1e-10)
    sets = {table["name"] for table in endpoint_of(found, "Control and validation set")["findings"]["tables"]}
    assert sets == {"set control", "set validation"}


def test_ten_folds_and_their_features(folders: dict[str, Path]) -> None:
    found = results(folders, "S1")
    tables = {table["name"]: table for table in endpoint_of(found, "Tenfold cross-validation")["findings"]["tables"]}
    folds = tables["folds ResNet50"]["rows"]
    assert len(folds) == 11
    assert folds[-1][3] == pytest.approx(sum(row[3] for row in folds[:10]) / 10)
    assert endpoint_of(found, "Tenfold cross-validation")["findings"]["claims"] == []
    truth = pd.read_csv(PLANS / "S1.csv").drop_duplicates("case").set_index("case")["truth"]
    scores = pd.read_csv(PLANS / "S1_scores.csv")
    pooled = roc_auc_score(truth.loc[scores["case"]], scores["score"])
    assert tables["pooled"]["rows"][0][4] == pytest.approx(pooled, abs=1e-12)
    features = endpoint_of(found, "Imaging features")["findings"]["tables"][0]
    assert len(features["rows"]) == 16
    frame = pd.read_csv(PLANS / "S1_features.csv").set_index("case")
    expected = stats.chi2_contingency(pd.crosstab(frame["epidural mass"], truth.loc[frame.index]), correction=False)
    row = next(row for row in features["rows"] if row[0] == "epidural mass")
    assert row[7] == pytest.approx(expected.pvalue, rel=1e-10)


def test_vertebrae_and_patients(folders: dict[str, Path]) -> None:
    found = results(folders, "S2")
    assert "clustered" in endpoint_of(found, "AUC per vertebra, internal")["sentence"]
    assert "DeLong" in endpoint_of(found, "AUC per patient, internal")["sentence"]
    frame = pd.read_csv(PLANS / "S2.csv").query("model == 'multi-task' and set == 'internal'")
    whole = frame.groupby("patient")[["truth", "score"]].max()
    row = endpoint_of(found, "AUC per patient, internal")["findings"]["claims"][0]["row"]
    assert row["second_value"] == pytest.approx(roc_auc_score(whole["truth"], whole["score"]), abs=1e-12)
    assert any("operating point of multi-task shifted" in text for text in found["warnings"])
    assert len(found["subgroups"]) == 5


def test_every_hospital_has_its_own_table(folders: dict[str, Path]) -> None:
    tables = endpoint_of(results(folders, "S3"), "Validation set and three hospitals")["findings"]["tables"]
    assert [table["name"] for table in tables] == [
        "set validation", "set hospital A", "set hospital B", "set hospital C",
    ]  # fmt: skip
    means = endpoint_of(results(folders, "S3"), "Dice on positives")["findings"]["estimates"]
    frame = pd.read_csv(PLANS / "S3.csv").query("model == 'PFNet' and set == 'hospital A' and truth == 1")
    own = next(item for item in means if (item["label"], item["group"]) == ("PFNet", "hospital A"))
    assert own["estimate"] == pytest.approx(frame["dice"].mean(), abs=1e-12)
    assert own["low"] < own["estimate"] < own["high"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["PLAN", "nowhere.csv"], "There is no file"),
        (["nowhere.toml", "TABLE"], "There is no file nowhere.toml"),
        (["TABLE", "TABLE"], "is no TOML file"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.toml").write_text(plan_text())
    crossed().to_csv(tmp_path / "table.csv", index=False)
    paths = {"PLAN": str(tmp_path / "plan.toml"), "TABLE": str(tmp_path / "table.csv")}
    assert main(["run", *(paths.get(word, word) for word in words), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda frame: frame.drop(columns="truth"), "no column truth"),
        (lambda frame: frame.assign(truth=3), "must be 0 or 1"),
        (lambda frame: pd.concat([frame, frame.iloc[[0]]]), "more than one reading"),
        (lambda frame: frame.query("arm == 'unaided'"), "has no arm 'aided'"),
        (lambda frame: frame.iloc[:0], "has no rows"),
        (lambda frame: frame.assign(rating="high"), "is not a number"),
        (lambda frame: frame.drop(columns=["rating", "decision"]), "neither ratings nor decisions"),
        (lambda frame: frame.rename(columns={"reader": "rater"}), "no column reader"),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(
    change: Any, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.toml").write_text(plan_text())
    change(crossed()).to_csv(tmp_path / "table.csv", index=False)
    assert main(["run", str(tmp_path / "plan.toml"), str(tmp_path / "table.csv"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    frame = crossed().assign(reader=lambda rows: rows["reader"].replace("R1", "<script>alert(1)</script>"))
    frame["reader"] = frame["reader"].replace("R2", "=1+1").replace("R3", "$title & co")
    (tmp_path / "plan.toml").write_text(
        plan_text(endpoint(), endpoint("mcnemar per reader", "accuracy", "exploratory"))
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert main(["run", str(tmp_path / "plan.toml"), str(tmp_path / "table.csv"), "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "report.html").read_text()
    assert "<script" not in text
    assert "$title &amp; co" in text
    table = (tmp_path / "out" / "tables" / "01-obuchowski-rockette-auc-primary-readers.csv").read_text()
    assert "'=1+1" in table


def test_other_names_of_columns(tmp_path: Path) -> None:
    names = {"reader": "rater", "arm": "modality", "case": "film id", "rating": "score of reader", "truth": "disease"}
    crossed().rename(columns=names).to_csv(tmp_path / "table.csv", index=False)
    columns = "[columns]\n" + "".join(f'{ours} = "{theirs}"\n' for ours, theirs in names.items())
    (tmp_path / "plan.toml").write_text(plan_text(more=columns))
    assert main(["run", str(tmp_path / "plan.toml"), str(tmp_path / "table.csv"), "--out", str(tmp_path / "out")]) == 0
    found = content(tmp_path / "out" / "results.json")
    assert found["endpoints"][0]["findings"]["claims"][0]["row"]["estimate"] == pytest.approx(0.07175, abs=1e-10)


def test_parquet_tables(tmp_path: Path) -> None:
    crossed().to_parquet(tmp_path / "table.parquet")
    (tmp_path / "plan.toml").write_text(plan_text())
    words = ["run", str(tmp_path / "plan.toml"), str(tmp_path / "table.parquet"), "--out", str(tmp_path / "out")]
    assert main(words) == 0


def test_ticks_are_round_and_within_the_axis() -> None:
    assert [label for _, label in ticks(Axis("", 0, 1))] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    for low, high in ((-0.13, 0.07), (0.0, 1e-4), (3.0, 900.0), (0.94, 0.99)):
        found = ticks(Axis("", low, high))
        assert 3 <= len(found) <= 9
        assert all(low <= value <= high for value, _ in found)
        assert len({label for _, label in found}) == len(found)
    assert len(ticks(Axis("", 33.0, 58.0, log=True))) >= 4


def test_numbers_are_written_alike_everywhere() -> None:
    assert digits_for([]) == 3
    assert number(0.00012, digits_for([0.00012])) == "0.000120"
    assert p_value(0.9999) == "= 1.00"
    assert as_csv(Table("t", "t", ("a", "b"), (("=1", None), ("x", 1 / 3)))) == f"a,b\n'=1,\nx,{1 / 3!r}\n"


def test_a_reader_without_times_has_no_point() -> None:
    drawing = dumbbell_drawing("time", "Times", "s", ("a", "b"), [("R", [10.0, 20.0]), ("S", [None, 30.0])])
    text = svg(drawing)
    assert text.count("<circle") == 1 + 1  # one point of the first arm, one key of the legend
    ElementTree.fromstring(text)  # noqa: S314
