"""A whole study: the crossed fixture, real prostate readings, real chest readings, and every kind of gap."""

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from analysis.delong import delong_auc
from analysis.errors import CannotAnalyse
from analysis.paired import PairedTable, tango
from analysis.plan import Endpoint, Plan
from analysis.proportions import proportion
from analysis.study import StudyResults, analyse_study
from tests.analysis.oracle_entries import agree, crossed, golden
from tests.shared_data import shared

Json = dict[str, Any]


def as_json(results: StudyResults) -> Json:
    """Through JSON and back, which refuses NaN."""
    content: Json = json.loads(json.dumps(results.to_dict(), allow_nan=False))
    return content


def model_frame(seed: int = 5) -> pd.DataFrame:
    cases = crossed().drop_duplicates("case")[["case", "truth"]]
    score = np.random.default_rng(seed).normal(size=len(cases)) + 1.5 * cases["truth"]
    return pd.DataFrame({"case": cases["case"], "score": score, "decision": (score > 0.7).astype(int)})


def test_the_crossed_study_to_eight_digits() -> None:
    results = as_json(analyse_study(crossed(), None, Plan()))
    row = results["study"]["auc"]["differences"][0]
    agree(row["estimate"], 0.07175, "difference")
    for key, name in (("se", "StdErr"), ("df", "df"), ("p", "p-value")):
        agree(row[key], golden()["ORH_auc_RRRC_DeLong"]["test_diffs"][0][name], key)
    for line, reader in zip(golden()["per_reader"], results["readers"], strict=True):
        pair = reader["comparisons"][0]
        assert reader["reader"] == line["reader"]
        agree(pair["delong"]["p"], line["p"], line["reader"])
        agree(pair["mcnemar"]["accuracy"]["test"]["p"], line["mcnemar_exact_p"], line["reader"])
        assert pair["mcnemar"]["accuracy"]["table"]["first_only"] == line["mcnemar_b"]
        agree(reader["arms"][0]["discrimination"]["auc"]["low"], line["ci_unaided"][0], line["reader"])
    assert results["planned"][0]["valid"]
    assert results["warnings"] == []


def test_holm_over_readers_is_one_family_per_test() -> None:
    results = as_json(analyse_study(crossed(), None, Plan()))
    plain = [reader["comparisons"][0]["delong"]["p"] for reader in results["readers"]]
    holm = [reader["comparisons"][0]["delong"]["p_adjusted"] for reader in results["readers"]]
    assert min(holm) == pytest.approx(5 * min(plain))
    assert all(adjusted >= p for adjusted, p in zip(holm, plain, strict=True))


def test_sensitivity_and_confusion_are_those_of_the_rows() -> None:
    frame = crossed()
    for reader in as_json(analyse_study(frame, None, Plan()))["readers"]:
        for arm in reader["arms"]:
            rows = frame[(frame["reader"] == reader["reader"]) & (frame["arm"] == arm["arm"])]
            diseased = rows[rows["truth"] == 1]
            assert arm["decisions"]["sensitivity"]["estimate"] == diseased["decision"].mean()
            assert arm["decisions"]["confusion"]["fp"] == int(rows.loc[rows["truth"] == 0, "decision"].sum())
            assert arm["cases"] == 80


def test_groups_of_seniority_are_studies_of_their_own() -> None:
    results = as_json(analyse_study(crossed(), None, Plan()))
    groups = {group["name"]: group for group in results["seniority"]}
    assert groups["senior"]["readers"] == ["R1", "R2"]
    only = crossed()[lambda frame: frame["seniority"] == "junior"]
    alone = as_json(analyse_study(only, None, Plan()))
    assert groups["junior"]["auc"] == alone["study"]["auc"]


def test_the_model_alone_and_against_each_reader() -> None:
    model = model_frame()
    results = as_json(analyse_study(crossed(), model, Plan()))["model"]
    truth = crossed().drop_duplicates("case")["truth"]
    assert results["discrimination"]["auc"]["estimate"] == pytest.approx(roc_auc_score(truth, model["score"]))
    assert len(results["points"]) == len(results["against_readers"]) == 10
    rows = crossed().query("reader == 'R3' and arm == 'aided'").merge(model, on="case", suffixes=("", "_model"))
    right, model_right = rows["decision"] == rows["truth"], rows["decision_model"] == rows["truth"]
    table = pd.crosstab(right, model_right).to_numpy()
    found = next(row for row in results["against_readers"] if (row["reader"], row["arm"]) == ("R3", "aided"))
    test = found["mcnemar"]["accuracy"]["test"]
    assert test["p"] == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
    assert test["estimate"] == pytest.approx(model_right.mean() - right.mean())
    assert found["delong"]["second"] == "model"


def test_a_plan_holds_the_model_against_each_reader_of_one_arm() -> None:
    plan = Plan(arms=("unaided",), primary=Endpoint("model against each reader", "sensitivity"))
    results = as_json(analyse_study(crossed(), model_frame(), plan))
    assert results["planned"][0]["valid"]
    assert "each reader, unaided, on the same cases" in results["planned"][0]["sentence"]
    for name in ("sensitivity", "specificity", "accuracy"):
        tests = [row["mcnemar"][name]["test"] for row in results["model"]["against_readers"]]
        expected = multipletests([test["p"] for test in tests], method="holm")[1]
        assert [test["p_adjusted"] for test in tests] == pytest.approx(expected.tolist())
    delong = [row["delong"] for row in results["model"]["against_readers"]]
    assert [row["p_adjusted"] for row in delong] == pytest.approx(
        multipletests([row["p"] for row in delong], method="holm")[1].tolist()
    )
    alone = as_json(analyse_study(crossed(), None, plan))["planned"][0]
    assert (alone["valid"], alone["sentence"]) == (False, "The study has no model predictions.")


def test_model_cases_that_are_missing_or_foreign_are_left_out_and_said() -> None:
    model = pd.concat([model_frame().iloc[:70], pd.DataFrame({"case": ["X"], "score": [1.0], "decision": [1]})])
    results = as_json(analyse_study(crossed(), model, Plan()))["model"]
    assert results["cases"] == 70
    assert "10 cases of the study have no model prediction" in results["warnings"][0]


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (pd.DataFrame({"score": [1.0]}), "no column case"),
        (pd.DataFrame({"case": ["C001", "C001"], "score": [1.0, 2.0]}), "more than one prediction for case C001"),
        (pd.DataFrame({"case": ["C001"], "decision": [2]}), "must be 0 or 1"),
    ],
)
def test_a_faulty_model_table_is_refused(model: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        analyse_study(crossed(), model, Plan())


def test_a_model_without_scores_has_decisions_only() -> None:
    results = as_json(analyse_study(crossed(), model_frame().drop(columns="score"), Plan()))["model"]
    assert "refused" in results["discrimination"]["auc"]
    assert results["decisions"]["confusion"]["tp"] > 0
    empty = as_json(analyse_study(crossed(), model_frame().iloc[:0], Plan()))["model"]
    assert empty == {"refused": "No case of the study has a model prediction."}


def test_without_ratings_or_decisions_the_other_half_stands() -> None:
    decisions = as_json(analyse_study(crossed().drop(columns="rating"), None, Plan()))
    assert decisions["study"]["auc"] == {"refused": "There are no ratings, so there is no AUC."}
    assert decisions["study"]["sensitivity"]["differences"][0]["p"] > 0
    assert "refused" in decisions["readers"][0]["comparisons"][0]["delong"]
    ratings = as_json(analyse_study(crossed().assign(decision=np.nan), None, Plan()))
    assert "refused" in ratings["study"]["sensitivity"]
    assert "refused" in ratings["readers"][0]["arms"][0]["decisions"]["confusion"]
    assert ratings["study"]["auc"]["differences"][0]["p"] == pytest.approx(0.1199290, abs=5e-8)


def test_reading_times_are_described() -> None:
    seconds = np.tile([1.0, 100.0], 400)
    arm = as_json(analyse_study(crossed().assign(seconds=seconds), None, Plan()))["readers"][0]["arms"][0]
    assert arm["seconds"] == {"n": 80, "mean": 50.5, "median": 50.5, "geometric_mean": pytest.approx(10.0)}
    silent = as_json(analyse_study(crossed().assign(seconds=0.0), None, Plan()))["readers"][0]["arms"][0]
    assert silent["seconds"]["geometric_mean"] is None


def test_missing_cells_refuse_delong_over_readers_and_name_what_remains() -> None:
    frame = crossed().drop(index=[3, 500])
    results = as_json(analyse_study(frame, None, Plan()))
    assert "2 readings are missing" in results["study"]["auc"]["refused"]
    assert "the jackknife and the unbiased covariance do not" in results["planned"][0]["sentence"]
    assert not results["planned"][0]["valid"]
    assert results["readers"][0]["comparisons"][0]["delong"]["n"] == 79
    remaining = as_json(analyse_study(frame, None, Plan(covariance="unbiased")))
    assert 0 < remaining["study"]["auc"]["differences"][0]["p"] < 1
    assert remaining["planned"][0]["valid"]


def test_prostate_readings_of_nine_readers() -> None:
    frame = pd.read_csv(shared("data/prostate_mri_seniority/prostate_mri_long.csv"))
    frame = frame.rename(columns={"modality": "arm", "score": "rating", "experience": "seniority"})
    arms = tuple(sorted(frame["arm"].unique()))
    results = as_json(analyse_study(frame, None, Plan(arms=arms)))
    assert results["design"]["kind"] == "missing cells"
    assert "High3 read nothing in arm HotGSDF" in results["study"]["auc"]["refused"]
    assert len(results["readers"]) == 9
    read = 0
    for reader, place in itertools.product(results["readers"], range(len(arms))):
        rows = frame[(frame["reader"] == reader["reader"]) & (frame["arm"] == arms[place])].dropna(subset=["rating"])
        area = reader["arms"][place]["discrimination"]["auc"]
        if rows.empty:
            assert "refused" in area
            continue
        read += 1
        assert area["estimate"] == pytest.approx(roc_auc_score(rows["truth"], rows["rating"]), abs=1e-12)
    assert read == frame.groupby(["reader", "arm"]).ngroups
    assert {item["analysis"] for item in results["design"]["permissions"] if item["permitted"]} >= {
        "DeLong test between arms per reader"
    }


def test_a_single_arm_has_no_comparison_but_everything_else() -> None:
    frame = crossed().query("arm == 'unaided'")
    results = as_json(analyse_study(frame, model_frame(), Plan()))
    assert results["arms"] == ["unaided"]
    assert "Nobody read in arm aided." in results["warnings"]
    assert results["readers"][0]["comparisons"] == []
    assert results["study"]["auc"]["differences"] == []
    assert len(results["study"]["auc"]["arms"]) == 1
    assert results["planned"][0]["valid"] is False
    assert "only one arm" in results["planned"][0]["sentence"]


def test_some_readers_read_one_arm_only() -> None:
    frame = crossed()[lambda rows: (rows["arm"] == "unaided") | (rows["reader"] != "R4")]
    results = as_json(analyse_study(frame, None, Plan()))
    assert "Reader R4 read nothing in arm aided" in results["study"]["auc"]["refused"]
    alone = results["readers"][3]
    assert "refused" in alone["comparisons"][0]["delong"]
    assert "refused" in alone["comparisons"][0]["mcnemar"]["accuracy"]
    assert results["readers"][0]["comparisons"][0]["delong"]["p_adjusted"] is not None


def test_one_reader_is_no_study_of_readers() -> None:
    results = as_json(analyse_study(crossed().query("reader == 'R1'"), None, Plan()))
    assert results["design"]["kind"] == "single reader"
    assert "only one reader (R1)" in results["study"]["auc"]["refused"]


def test_one_class_leaves_what_it_can() -> None:
    results = as_json(analyse_study(crossed().query("truth == 1"), None, Plan()))
    arm = results["readers"][0]["arms"][0]
    assert arm["decisions"]["specificity"] == {
        "refused": "There are no non-diseased cases, so the proportion does not exist."
    }
    assert arm["decisions"]["sensitivity"]["n"] == 40
    assert "no non-diseased case" in arm["discrimination"]["auc"]["refused"]
    assert "refused" in results["study"]["auc"]
    assert results["study"]["sensitivity"]["differences"][0]["p"] > 0


def test_readers_who_always_say_the_same() -> None:
    results = as_json(analyse_study(crossed().assign(rating=50, decision=1), None, Plan()))
    assert results["study"]["auc"]["differences"][0]["p"] == 1.0
    assert results["study"]["auc"]["warnings"]
    pair = results["readers"][0]["comparisons"][0]
    assert pair["delong"]["warnings"]
    assert pair["mcnemar"]["accuracy"]["test"]["warnings"]
    assert "refused" in results["readers"][0]["arms"][0]["decisions"]["negative_predictive_value"]


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (crossed().drop(columns="truth"), "no column truth"),
        (crossed().drop(columns=["rating", "decision"]), "neither ratings nor decisions"),
        (crossed().assign(arm="other"), r"No row of the table is of an arm of the plan \(unaided, aided\)"),
        (pd.concat([crossed(), crossed().iloc[[0]]]), "more than one reading"),
        (crossed().assign(decision=lambda frame: frame["decision"] + 1), "decision must be 0 or 1"),
        (crossed().assign(seniority=["senior", "junior"] * 400), "two seniorities"),
    ],
)
def test_a_faulty_table_is_refused_as_a_whole(frame: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        analyse_study(frame, None, Plan())


def test_other_arms_are_left_out_and_said() -> None:
    frame = pd.concat([crossed(), crossed().query("arm == 'aided'").assign(arm="pilot")])
    results = as_json(analyse_study(frame, None, Plan()))
    assert results["warnings"] == ["400 rows of arms that the plan does not name were left out: pilot."]
    assert results["study"]["auc"]["differences"][0]["p"] == pytest.approx(0.1199290, abs=5e-8)


def test_the_plan_decides_the_methods() -> None:
    plan = Plan(
        primary=Endpoint(figure="sensitivity"),
        covariance="jackknife",
        mcnemar="midp",
        difference_interval="tango",
        proportion_interval="clopper-pearson",
        auc_interval="logit",
        level=0.9,
    )
    results = as_json(analyse_study(crossed(), None, plan))
    arm = results["readers"][0]["arms"][0]
    rows = crossed().query("reader == 'R1' and arm == 'unaided'")
    area = delong_auc(rows["truth"].to_numpy() == 1, rows["rating"].to_numpy(float), "logit").confidence_interval(0.9)
    assert (arm["discrimination"]["auc"]["low"], arm["discrimination"]["auc"]["high"]) == (area.low, area.high)
    share = proportion(36, 40, "clopper-pearson").confidence_interval(0.9)
    assert arm["decisions"]["sensitivity"]["low"] == share.low
    test = results["readers"][0]["comparisons"][0]["mcnemar"]["accuracy"]
    interval = tango(PairedTable(**test["table"]), 0.9)
    assert (test["test"]["low"], test["test"]["high"]) == (interval.low, interval.high)
    assert results["study"]["auc"]["differences"][0]["p"] == pytest.approx(
        golden()["ORH_auc_RRRC_jackknife"]["test_diffs"][0]["p-value"]
    )
    assert results["plan"]["mcnemar"] == "midp"
    assert results["level"] == 0.9
