"""Reports of a folder: numbers against scikit-learn, statsmodels and scipy, what is missing, the page."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from inference.reports import REPORTS, models, readers, reports_of, rounds, write_page
from inference.reports.contract import Report
from inference.reports.statistics import Endpoint, NoStatistics, Question, Statistics
from inference.reports.study import BadStudy, Study
from tests.inference.study_folder import card, cohort, folded, predictions, study, write

KEPT = ("control", "external")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models on two sets, four readers in two rounds."""
    place = study(tmp_path_factory.mktemp("study"), arms=("unaided", "aided"))
    for path in place.rglob("predictions.csv"):
        if "mnasnet" in str(path):
            path.unlink()
            continue
        frame = pd.read_csv(path)
        frame[frame["site"] != "C"].to_csv(path, index=False)
    return place


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Statistics:
    return Statistics(tmp_path_factory.mktemp("analysis"))


@pytest.fixture(scope="module")
def known(folder: Path) -> Study:
    return Study(folder, "s0")


@pytest.fixture(scope="module")
def measured(known: Study, statistics: Statistics) -> Report:
    return models.metrics(known, statistics)


def test_every_number_of_a_model_can_be_recomputed_from_the_stored_predictions(known: Study, measured: Report) -> None:
    assert known.predictions is not None
    for row in measured.table("models").to_dict("records"):
        part = known.predictions[
            (known.predictions["system"] == row["model"]) & (known.predictions["set"] == row["set"])
        ]
        assert row["AUC"] == pytest.approx(roc_auc_score(part["truth"], part["probability"]), abs=1e-12)
        positive = part[part["truth"] == 1]["positive"]
        assert row["sensitivity"] == pytest.approx(positive.mean(), abs=1e-12)
        low, high = proportion_confint(positive.sum(), len(positive), method="wilson")
        assert (row["sensitivity low"], row["sensitivity high"]) == pytest.approx((low, high), abs=1e-12)
    assert set(measured.table("models")["set"]) == set(KEPT)
    assert measured.footer is not None
    assert measured.footer.counts == {"cases": 90, "patients": 90, "positives": 45}
    assert all(re.fullmatch("[0-9a-f]{64}", source.sha256) for source in measured.footer.sources)


def test_curves_end_where_they_must_and_pairs_are_adjusted_within_a_set(known: Study, statistics: Statistics) -> None:
    found = models.curves(known, statistics)
    points = found.table("roc-0")
    for _, curve in points.groupby("curve"):
        assert curve.iloc[0][["1 − specificity", "sensitivity"]].tolist() == [0, 0]
        assert curve.iloc[-1][["1 − specificity", "sensitivity"]].tolist() == [1, 1]
        area = np.trapezoid(curve["sensitivity"], curve["1 − specificity"])
        assert str(round(float(area), 3)) in curve["curve"].iloc[0]
    pairs = found.table("delong-0")
    assert len(pairs) == 1
    assert pairs["p (Holm)"].tolist() == pairs["p"].tolist()
    assert pairs["difference"].iloc[0] == pytest.approx(pairs["second AUC"].iloc[0] - pairs["first AUC"].iloc[0])


def test_models_against_readers_are_exact_mcnemar_tests_of_each_class(known: Study, statistics: Statistics) -> None:
    found = readers.against(known, statistics)
    assert known.predictions is not None
    assert known.readings is not None
    read = known.readings[known.readings["arm"] == "unaided"]
    for measure, truth in (("sensitivity", 1), ("specificity", 0)):
        for row in found.table(measure).to_dict("records"):
            model = known.predictions[
                (known.predictions["system"] == row["model"]) & (known.predictions["truth"] == truth)
            ]
            pair = model.merge(read[read["reader"] == row["reader"]], on="case")
            right = [(pair["positive"] == truth).to_numpy(), (pair["decision"] == truth).to_numpy()]
            table = [[int((right[0] == a)[right[1] == b].sum()) for b in (True, False)] for a in (True, False)]
            assert row["p"] == pytest.approx(mcnemar(table, exact=True).pvalue, abs=1e-12)
            assert row["difference"] == pytest.approx(right[0].mean() - right[1].mean(), abs=1e-12)


def test_two_rounds(known: Study, statistics: Statistics) -> None:
    found = rounds.aided(known, statistics)
    assert known.readings is not None
    tests = found.table("mrmc")
    areas = known.readings.groupby(["arm", "reader"]).apply(lambda one: roc_auc_score(one["truth"], one["rating"]))
    gain = (areas["aided"] - areas["unaided"]).mean()
    whole = tests[(tests["readers"] == "all") & (tests["measure"] == "AUC")].iloc[0]
    assert whole["difference"] == pytest.approx(gain, abs=1e-12)
    assert whole["p (Holm)"] == whole["p"], "the primary claim stands alone"
    switches = found.table("switches")
    assert switches.drop(columns=["reader", "seniority"]).sum(axis=1).tolist() == [60] * 4
    against = rounds.against_alone(known, statistics)
    assert set(against.table("alone")["group"]) == {"all", "senior", "junior"}


def test_readers_beside_the_curves(known: Study, statistics: Statistics) -> None:
    found = readers.as_points(known, statistics)
    table = found.table("readers")
    assert set(table["arm"]) == {"unaided"}
    assert known.readings is not None
    alice = known.readings[(known.readings["reader"] == "Alice") & (known.readings["arm"] == "unaided")]
    sensitivity = alice[alice["truth"] == 1]["decision"].mean()
    assert table[table["reader"] == "Alice"]["sensitivity"].iloc[0] == pytest.approx(sensitivity, abs=1e-12)
    drawn = {trace.name for trace in found.figures[0].plot.data}
    assert {"senior readers", "mean of senior readers", "junior readers"} <= drawn


def test_features_are_chi_square_or_fisher_with_holm(known: Study, statistics: Statistics) -> None:
    found = REPORTS["R08"](known, statistics).table("features")
    assert known.features is not None
    truth = known.features["case"].str[1:].astype(int) % 2
    for row in found.to_dict("records"):
        table = pd.crosstab(known.features[row["feature"]], truth).to_numpy()
        expected = stats.contingency.expected_freq(table).min()
        right = (
            stats.fisher_exact(table).pvalue if expected < 5 else stats.chi2_contingency(table, correction=False).pvalue
        )
        assert row["p"] == pytest.approx(right, rel=1e-9)
        assert row["test"] == ("fisher" if expected < 5 else "chi-square")
    pedicle = found[found["feature"] == "pedicle"].iloc[0]
    a, b, c, d = 22.5, 8.5, 0.5, 30.5
    assert pedicle["odds ratio"] == pytest.approx(a * d / (b * c))
    assert pedicle["difference of shares"] == pytest.approx(22 / 30, abs=1e-12)
    assert found["difference of shares low"].notna().all() and found["difference of shares high"].notna().all()


def test_the_truth_is_no_feature(known: Study, tmp_path: Path, statistics: Statistics) -> None:
    assert known.features is not None
    truth = known.features["case"].str[1:].astype(int) % 2
    marks = known.features.drop(columns="folder").assign(malignant=truth)
    marks.to_csv(tmp_path / "features.csv", index=False)
    write(tmp_path / "manifest.csv", [{"case": case, "patient": case, "truth": value}
                                      for case, value in zip(marks["case"], truth, strict=True)])  # fmt: skip
    found = REPORTS["R08"](Study(tmp_path, "s1"), statistics)
    table = found.table("features").set_index("feature")
    assert "malignant" not in table.index and len(table) == 5
    assert "no feature: malignant." in " ".join(found.text)
    # Holm over the features that are left: the smallest p is multiplied by their number.
    assert table["p adjusted"].min() == pytest.approx(5 * table["p"].min(), rel=1e-9)
    shares = known.features.groupby(truth)["noise"].mean()
    assert table.loc["noise", "difference of shares"] == pytest.approx(shares[1] - shares[0], abs=1e-12)


def test_internal_and_external_flag_the_shift(known: Study, statistics: Statistics) -> None:
    found = models.moved(known, statistics)
    table = found.table("sets").set_index(["model", "set"])["specificity"].unstack()
    shifted = (table["external"] - table["control"]).abs() > 0.10
    assert sum(text.startswith("!") for text in found.text) == int(shifted.sum())
    points = found.table("fifths")
    assert points.groupby("label")["cases"].sum().tolist() == [60, 30, 60, 30]


def test_masks_stand_beside_an_empty_mask(folder: Path, statistics: Statistics) -> None:
    rows = [
        {"case": f"c{n}", "patient": f"p{n}", "role": "control", "site": "A", "model": "m", "version": "1",
         "truth": n % 2, "dice": 0.5 if n % 2 else "", "pixel_accuracy": 0.99, "background_accuracy": 0.991,
         "false_positive_area": "" if n % 2 else 0.002, "false_positive_pixels": 3}
        for n in range(12)
    ]  # fmt: skip
    write(folder / "few" / "segmentation.csv", rows)
    found = REPORTS["R14"](Study(folder / "few", "s3"), statistics)
    pixels = found.table("pixels").iloc[0]
    assert pixels["gain"] == pytest.approx(-0.001)
    assert any(text.startswith("! m, control") and "0.9910" in text for text in found.text)
    (folder / "few" / "segmentation.csv").unlink()


@pytest.mark.parametrize("id", REPORTS)
def test_a_study_without_a_part_says_so(id: str, tmp_path: Path, statistics: Statistics) -> None:
    found = REPORTS[id](Study(tmp_path, "s0"), statistics)
    assert found.missing.endswith(".")
    assert (found.tables, found.figures, found.panels) == ((), (), ())


def test_one_class_is_refused_with_the_statistics_own_sentence(statistics: Statistics) -> None:
    cases, ratings = ["1", "2", "3", "4"], [0.1, 0.2, 0.8, 0.9]
    frame = pd.DataFrame({"reader": "a", "arm": "x", "case": cases, "truth": 1, "rating": ratings})
    with pytest.raises(NoStatistics, match="diseased"):
        statistics.answer("one-class", "auc", frame, [])
    found = statistics.answer("auc", "auc", frame.assign(truth=[0, 0, 1, 1]), [])
    assert found["estimates"][0]["estimate"] == 1.0


def test_the_same_question_is_asked_once(statistics: Statistics, measured: Report) -> None:
    before = len(statistics.answers)
    question = Question("x", "models only", (Endpoint("pairs", "models compared", "auc", "primary"),))
    frame = pd.DataFrame(predictions(cohort(np.random.default_rng(1), 8), "m", 1.0, 1))
    table = frame.assign(score=frame["probability"], decision=frame["positive"], set="all")
    table = table[["model", "set", "patient", "case", "truth", "score", "decision"]]
    first = statistics.ask("twice", question, table)
    assert statistics.ask("twice", question, table) is first
    assert len(statistics.answers) == before + 1
    with pytest.raises(NoStatistics, match="only one model"):
        first.findings("pairs")


def test_logits_beside_a_card_are_answers_of_their_own_set(tmp_path: Path) -> None:
    """Out-of-fold rows, tuning rows, and tuning rows that were predicted too, which count once."""
    card(tmp_path / "m" / "1", "s0-mobilenet", {})
    logits = [
        {"case": f"t{n}", "patient": f"p{n}", "fold": 0, "truth": n % 2, "logit": (-1) ** n * 0.5} for n in range(4)
    ]
    write(tmp_path / "m" / "1" / "tune.csv", logits)
    folded = [row | {"case": f"f{n}", "fold": n % 2 + 1} for n, row in enumerate(logits)]
    write(tmp_path / "m" / "1" / "oof.csv", folded)
    said = [
        {"case": case, "patient": case, "role": role, "site": "", "model": "s0-mobilenet", "version": "1", "fold": "",
         "truth": 1, "logit": 0.5, "probability": 0.622459, "positive": 1}
        for case, role in (("t0", "develop"), ("taught", "develop"), ("c", "control"))
    ]  # fmt: skip
    write(tmp_path / "answers" / "predictions.csv", said)
    frame = Study(tmp_path, "s0").predictions
    assert frame is not None
    sets = frame.groupby("set")["case"].apply(sorted).to_dict()
    assert sets == {
        "control": ["c"], "cross-validation": ["f0", "f1", "f2", "f3"], "development (seen in training)": ["taught"],
        "validation (chosen on)": ["t0", "t1", "t2", "t3"],
    }  # fmt: skip
    # The card's calibration is the identity, its threshold one half.
    assert frame.set_index("case").loc["f0", "probability"] == pytest.approx(1 / (1 + np.exp(-0.5)), abs=1e-6)
    assert frame.set_index("case").loc["f1", "positive"] == 0


def test_wrong_folders_and_tables_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadStudy, match="is no folder"):
        Study(tmp_path / "nowhere", "s0")
    write(tmp_path / "a" / "predictions.csv", [{"case": "1", "patient": "1", "truth": 1, "probability": 0.5}])
    with pytest.raises(BadStudy, match=r"a/predictions\.csv has no column model"):
        _ = Study(tmp_path, "s0").predictions
    with pytest.raises(BadStudy, match="no study 's9'"):
        reports_of("s9")


def test_the_page_and_its_files_hold_the_same_numbers(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    made = write_page(folder, "s0", out, ["R01", "R02", "R19", "R20", "R22"])
    assert [one.missing for one in made] == [""] * 5
    page = out.read_text(encoding="utf-8")
    outside = re.findall(r'(?:src|href)="(?!data:|#|page_files/)([^"]{1,80})', page.split("</script>")[-1])
    assert outside == []
    beside = re.findall(r'href="(page_files/[^"]+)', page)
    assert any(link.endswith("results/report.html") for link in beside)
    assert [link for link in beside if not (tmp_path / link).is_file()] == []
    cells = [float(value) for value in re.findall(r'<data value="([^"]+)"', page)]
    summary = pd.read_csv(tmp_path / "page_files" / "R19-summary.csv")
    stored = json.loads((tmp_path / "page_files" / "R19.json").read_text())
    rows = next(one["rows"] for one in stored["tables"] if one["name"] == "summary")
    assert [row["last loss"] for row in rows] == summary["last loss"].tolist()
    assert set(summary["last loss"]) <= set(cells)
    assert "synthetic" in page
    assert page.count("<script>") >= 1
    assert "data:image/png;base64," in page


def test_folds_are_described_and_pooled_and_slices_stand_beside(tmp_path: Path, statistics: Statistics) -> None:
    rows = [row for row in cohort(np.random.default_rng(1), 40) if row["role"] == "control"]
    said = folded(rows, "s1-resnet50")
    write(tmp_path / "predictions.csv", said)
    slices = [row | {"probability": float(str(row["probability"])) * part} for row in said for part in (1.0, 0.5, 0.6)]
    write(tmp_path / "slice_predictions.csv", slices)
    found = REPORTS["R09"](Study(tmp_path, "s1"), statistics)
    frame = pd.DataFrame(said)
    by_fold = found.table("folds-0").set_index("fold")
    for fold, part in frame.groupby("fold"):
        area = roc_auc_score(part["truth"].astype(int), part["probability"].astype(float))
        assert by_fold.loc[fold, "AUC"] == pytest.approx(area, abs=1e-12)
    pooled = found.table("pooled").iloc[0]
    assert pooled["AUC"] == pytest.approx(roc_auc_score(frame["truth"].astype(int), frame["probability"]), abs=1e-12)
    assert found.table("slices").iloc[0]["cases"] == 3 * len(said)
    # Of slices at 1, .5 and .6 of a case's probability the first is the highest.
    by_highest = found.table("highest").iloc[0]
    assert by_highest["cases"] == len(said)
    assert by_highest["AUC"] == pytest.approx(pooled["AUC"], abs=1e-12)
    assert found.text[0] == "Each of 40 patients is in one test fold only."
    torn = [row | {"patient": "same"} for row in said]
    write(tmp_path / "predictions.csv", torn)
    leaking = REPORTS["R09"](Study(tmp_path, "s1"), statistics)
    assert leaking.text[0] == "! Patient same stands in 5 folds: the folds leak."
