"""Five radiologists' real answers on 810 chest films: no ratings, one arm, truth by majority of three others."""

import itertools
import json

import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from analysis.agreement import pairwise_kappa
from analysis.plan import Plan
from analysis.ratings import Columns, table_to_ratings
from analysis.study import analyse_study
from tests.shared_data import shared

FOLDER = "data/nih_cxr_810_five_readers"


@pytest.fixture(scope="module")
def readings() -> pd.DataFrame:
    answers = pd.read_csv(shared(f"{FOLDER}/all_findings_expert_labels_test_individual_readers.csv"))
    labels = pd.read_csv(shared(f"{FOLDER}/all_findings_expert_labels_test_labels.csv"))
    truth = (labels.set_index("Image ID")["Abnormal"] == "YES").astype(int)
    return pd.DataFrame(
        {
            "reader": answers["Reader ID"],
            "arm": "unaided",
            "case": answers["Image ID"],
            "truth": answers["Image ID"].map(truth),
            "decision": answers["Abnormal"].replace({"YES": 1, "NO": 0}).astype(int),
        }
    )


def test_sensitivity_and_specificity_are_those_of_the_file(readings: pd.DataFrame) -> None:
    results = json.loads(json.dumps(analyse_study(readings, None, Plan()).to_dict(), allow_nan=False))
    assert results["design"]["cases"] == 810
    assert len(results["readers"]) == 5
    for reader in results["readers"]:
        rows = readings[readings["reader"].astype(str) == reader["reader"]]
        tn, fp, fn, tp = confusion_matrix(rows["truth"], rows["decision"]).ravel()
        found = reader["arms"][0]["decisions"]
        assert found["confusion"] == {"tp": tp, "fp": fp, "tn": tn, "fn": fn}
        assert found["sensitivity"]["estimate"] == pytest.approx(tp / (tp + fn), rel=1e-14)
        assert found["specificity"]["estimate"] == pytest.approx(tn / (tn + fp), rel=1e-14)
        assert "refused" in reader["arms"][0]["discrimination"]["auc"]


def test_kappa_between_radiologists_lies_where_the_source_says(readings: pd.DataFrame) -> None:
    ratings = table_to_ratings(readings, Columns(value="decision"))
    pairs = {(one, two): kappa for one, two, kappa in pairwise_kappa(ratings.readers, ratings.values[:, 0])}
    wide = readings.pivot_table(index="case", columns=readings["reader"].astype(str), values="decision")
    for one, two in itertools.combinations(ratings.readers, 2):
        assert pairs[one, two].estimate == pytest.approx(cohen_kappa_score(wide[one], wide[two]), rel=1e-12)
    # SOURCE.md: pairwise kappa of "abnormal" .41 to .71.
    values = sorted(kappa.estimate for kappa in pairs.values())
    assert (round(values[0], 2), round(values[-1], 2)) == (0.41, 0.71)
