"""Published numbers are facts with a source; ours stand beside them, and what differs is derived."""

from pathlib import Path

import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from inference.reports import LEFT_OUT, REPORTS, reports_of
from inference.reports.contract import Report, Table
from inference.reports.heatmaps import pointing, randomised
from inference.reports.page import Page, export, rendered
from inference.reports.published import beside, own_value, prevalence_sentence, read, sizes_sentence
from inference.reports.statistics import Statistics
from inference.reports.study import BadStudy, Study
from tests.inference.study_folder import write

# The abstract's accuracies on the control set are whole numbers of its 155 cases.
CONTROL = {0.781: 121, 0.807: 125}


@pytest.mark.parametrize("study", LEFT_OUT)
def test_every_fact_has_a_source_and_says_where_it_was_read(study: str) -> None:
    paper, facts = read(study)
    assert paper.source.startswith(("doi:10.", "pii:"))
    assert facts
    for fact in facts:
        assert fact.where.startswith("abstract") == (fact.value is not None)
        assert fact.value is None or 0 <= fact.value <= 1
        assert fact.set or fact.reader or fact.group
    with pytest.raises(BadStudy, match="no study 's7'"):
        read("s7")


def test_facts_agree_with_the_arithmetic_of_the_abstracts() -> None:
    paper, facts = read("s0")
    known = [fact.value for fact in facts if fact.set == "control" and fact.value]
    # The abstract rounds 125 of 155, .8065, up.
    assert all(abs(CONTROL[value] / paper.sizes["control"] - value) < 0.0006 for value in known)
    paper, facts = read("s1")
    positives, cases = paper.positives["cross-validation"], paper.sizes["cross-validation"]
    by = {fact.measure: fact.value for fact in facts if fact.recipe and fact.value}
    right = round(by["sensitivity"] * positives) + round(by["specificity"] * (cases - positives))
    assert right / cases == pytest.approx(by["accuracy"], abs=0.005)


def test_ours_stand_beside_theirs_with_what_differs(tmp_path: Path) -> None:
    write(tmp_path / "manifest.csv", [{"case": "a", "patient": "p", "role": "control", "site": "A", "truth": 1,
                                       "synthetic": "yes"}])  # fmt: skip
    said = [
        {"case": f"c{n}", "patient": f"p{n}", "role": "control", "site": "A", "model": "s0-mnasnet",
         "truth": int(n % 4 == 0), "probability": 0.5}
        for n in range(8)
    ]  # fmt: skip
    write(tmp_path / "predictions.csv", said)
    ours = pd.DataFrame([{"model": "s0-mnasnet", "set": "control", "AUC": 0.9, "AUC low": 0.7, "AUC high": 1.0,
                          "accuracy": 0.75, "accuracy low": 0.5, "accuracy high": 0.9}])  # fmt: skip
    found = beside(Study(tmp_path, "s0"), [Report("R02", "x", tables=(Table("models", "x", ours),))])
    table = found.table("published").set_index(["of", "set", "measure"])
    assert table.loc[("MnasNet", "control", "accuracy"), ["published", "here", "here low"]].tolist() == [
        0.807,
        0.75,
        0.5,
    ]
    assert table.loc[("MnasNet", "control", "AUC"), "read in"] == "not in the abstract"
    assert pd.isna(table.loc[("MobileNet", "control", "accuracy"), "here"])
    text = " ".join(found.text)
    assert "ours are synthetic" in text
    assert "control: 155 there, 8 here" in text
    assert "control 25%" in text
    assert "Of 1 numbers that exist in both, 1 published ones lie within" in text


def test_readers_are_matched_by_their_seniority() -> None:
    of = {"S1": ("senior", 0.989), "I1": ("intermediate", 0.968), "J1": ("junior", 0.605)}
    ours = pd.DataFrame([{"reader": name, "seniority": group, "arm": "unaided", "accuracy": value, "accuracy low": 0.5,
                          "accuracy high": 1.0, "sensitivity": 0.86, "specificity": 0.51}
                         for name, (group, value) in of.items()])  # fmt: skip
    _, facts = read("s1")
    made = {"R07": Report("R07", "x", tables=(Table("readers", "x", ours),))}
    found = {fact.of: own_value(fact, made) for fact in facts if fact.reader and fact.measure == "accuracy"}
    assert found == {
        "senior radiologist": (0.989, 0.5, 1.0),
        "fourth-year resident": (0.968, 0.5, 1.0),
        "first-year resident": (0.605, 0.5, 1.0),
    }
    first = {fact.measure: fact.value for fact in facts if fact.reader == "junior"}
    assert first == {"accuracy": 0.66, "sensitivity": 0.78, "specificity": 0.61}
    # Of several juniors none stands for all; their mean is in the table beside.
    two = pd.concat([ours, ours[ours["reader"] == "J1"].assign(reader="J2")])
    means = pd.DataFrame([{"seniority": "junior", "arm": "unaided", "accuracy": 0.7}])
    made = {"R07": Report("R07", "x", tables=(Table("readers", "x", two), Table("seniority", "x", means)))}
    junior = next(fact for fact in facts if fact.of == "first-year resident" and fact.measure == "accuracy")
    assert own_value(junior, made) == (0.7, None, None)


def test_what_does_not_differ_is_not_said_to_differ(tmp_path: Path) -> None:
    said = [
        {"case": f"c{n}", "patient": f"p{n}", "role": "develop", "fold": n % 10, "site": "A", "model": "s1-resnet50",
         "truth": int(n < 50), "probability": 0.5}
        for n in range(190)
    ]  # fmt: skip
    write(tmp_path / "predictions.csv", said)
    paper, _ = read("s1")
    known = Study(tmp_path, "s1")
    assert sizes_sentence(known, paper) == "Cases are as many as in the paper (cross-validation: 190)."
    assert prevalence_sentence(known, paper) == "Prevalence is that of the paper (cross-validation 26%)."


def test_remarks_have_the_arithmetic_of_the_abstracts_right() -> None:
    assert "is .0078" in read("s1")[0].remark and mcnemar([[0, 0], [8, 0]], exact=True).pvalue == 0.0078125
    paper = read("s0")[0]
    assert "3,025 films" in paper.remark and sum(paper.sizes.values()) + (paper.taught or 0) == 3025
    external = {f.measure: f.value for f in read("s2")[1] if f.set == "external" and f.unit == "patient"}
    assert [round(value / 47, 3) for value in (46, 21)] == [external["sensitivity"], external["specificity"]]
    assert round((46 + 21) / 94, 3) == external["accuracy"] and "47 + 47" in read("s2")[0].remark
    assert ".991" in read("s3")[0].remark
    areas = {fact.of: fact.value for fact in read("s4")[1] if fact.measure == "AUC" and fact.value}
    assert areas["juniors, aided"] == 0.784 < areas["seniors, aided"] and "stay below" in read("s4")[0].remark


def test_nothing_beside_nothing(tmp_path: Path) -> None:
    found = beside(Study(tmp_path, "s3"), [Report("R02", "x", missing="There is none.")])
    assert found.missing.startswith("None of the published measures")


def test_which_reports_belong_to_which_study() -> None:
    assert set(REPORTS) == {f"R{n:02d}" for n in range(1, 23)}
    assert "R09" in reports_of("s1")
    assert "R17" in reports_of("s4")
    assert "R14" in reports_of("s3")
    assert "R11" in reports_of("s2")
    assert "R17" not in reports_of("s0")


def test_pointing_beside_chance_and_what_random_weights_leave(tmp_path: Path) -> None:
    frame = pd.DataFrame({"system": "m", "set": "control", "hit": [1] * 23 + [0] * 50, "chance": 0.043})
    (row,) = pointing(frame).to_dict("records")
    # Measured once with a prototype: .315 of 73 positives, chance .043.
    assert row["rate"] == pytest.approx(0.315, abs=5e-4)
    assert row["times chance"] == pytest.approx(7.33, abs=0.01)
    steps = [{"model": "m", "method": "grad-cam", "layer": "x", "down_to": d, "share": s, "hits": h, "cases": 73,
              "chance": 0.043, "correlation": c} for d, s, h, c in (("", 0, 23, 1), ("stem", 1, 9, 0.1))]  # fmt: skip
    write(tmp_path / "randomisation.csv", steps)
    write(
        tmp_path / "pointing.csv", [{"case": "1", "model": "m", "role": "control", "site": "", "hit": 1, "chance": 0.1}]
    )
    checked = randomised(Study(tmp_path, "s0"))
    assert checked is not None
    assert checked["rate"].tolist() == pytest.approx([23 / 73, 9 / 73])
    text = " ".join(REPORTS["R16"](Study(tmp_path, "s0"), Statistics(tmp_path)).text)
    assert "falls from 0.315 to 0.123" in text


def test_what_is_written_is_escaped_and_exported_with_all_digits(tmp_path: Path) -> None:
    value = 0.1234567890123456
    frame = pd.DataFrame({"model": ["<b>x</b>"], "AUC": [value], "AUC low": [0.1], "AUC high": [0.2], "p": [0.00004]})
    made = Report("R02", "A & B", ("! <warned>",), (Table("t", "T", frame),))
    page = rendered(Page("<title>", "k", "l", {"cases": "1"}), [made])
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert 'class="flag">&lt;warned&gt;' in page
    assert f'<data value="{value!r}">0.123</data>' in page
    assert "&lt; .001" in page
    assert "<script" not in page
    export([made], tmp_path)
    assert pd.read_csv(tmp_path / "R02-t.csv")["AUC"].tolist() == pytest.approx([value], rel=1e-15)
    assert repr(value) in (tmp_path / "R02.json").read_text()
