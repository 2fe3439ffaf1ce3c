"""Kappa against statsmodels, scikit-learn, irr and irrCAC."""

import numpy as np
import pandas as pd
import pytest

from analysis.agreement import cohen_kappa, fleiss_kappa, pairwise_kappa
from analysis.errors import CannotAnalyse
from analysis.interval import two_sided_p
from analysis.ratings import Floats
from tests.analysis.oracle_entries import agree, agree_all, entry, oracle_data

IRR_NAMES = {"none": "unweighted", "linear": "equal", "quadratic": "squared"}
DATASETS = ("irr_diagnoses", "irr_anxiety")


def subjects(name: str) -> Floats:
    """(rater, subject) with categories numbered in their sorted order."""
    frame = oracle_data(name).drop(columns="subject")
    places, _ = pd.factorize(frame.to_numpy().T.ravel(), sort=True)
    return places.reshape(frame.shape[1], -1).astype(float)


def test_fleiss_kappa_and_its_error() -> None:
    for name in DATASETS:
        found = fleiss_kappa(subjects(name))
        agree(found.estimate, entry("python_agreement", f"statsmodels_fleiss/{name}").values["fleiss"], name)
        expected = entry("python_agreement", f"irrCAC_py/fleiss/identity/{name}").values
        agree(found.se, expected["se"], name, rel=1e-8, absolute=1e-12)


def test_fleiss_test_of_irr() -> None:
    # irr's kappam.fleiss prints z under kappa = 0, Fleiss, Nee & Landis (1979).
    for name in DATASETS:
        values = entry("agreement", f"fleiss_kappa/{name}").values
        found = fleiss_kappa(subjects(name))
        agree(found.estimate, values["value"], name)
        agree(found.p, two_sided_p(values["statistic"]), name)


@pytest.mark.parametrize(("weights", "key"), [("none", "none"), ("linear", "linear"), ("quadratic", "quadratic")])
def test_cohen_kappa_of_two_raters(weights: str, key: str) -> None:
    for name in DATASETS:
        values = subjects(name)
        expected = entry("python_agreement", f"statsmodels_kappa/{name}").values[key]
        found = cohen_kappa(values[0], values[1], weights)
        agree_all([found.estimate, found.se], [expected["kappa"], expected["se"]], name)
        interval = found.confidence_interval()
        agree_all([interval.low, interval.high], expected["ci"], name)
        irr = entry("agreement", f"cohen_kappa/{IRR_NAMES[weights]}/{name}").values
        agree(found.p, two_sided_p(irr["statistic"]), name)


def test_perfect_agreement_has_the_p_of_irr() -> None:
    expected = entry("edge_cases", "kappa/perfect/edge_two_cases").values
    found = cohen_kappa(np.array([1.0, 2, 1, 2]), np.array([1.0, 2, 1, 2]))
    assert (found.estimate, found.se) == (1.0, 0.0)
    agree(found.p, expected["p.value"], "p")


def test_agreement_that_does_not_exist_is_refused() -> None:
    same = np.ones(5)
    for compute in (lambda: cohen_kappa(same, same), lambda: fleiss_kappa(np.ones((3, 5)))):
        with pytest.raises(CannotAnalyse, match="does not exist"):
            compute()
    with pytest.raises(CannotAnalyse, match="no judged case in common"):
        cohen_kappa(np.array([1.0, np.nan]), np.array([np.nan, 1.0]))
    with pytest.raises(CannotAnalyse, match="1 judgements are missing"):
        fleiss_kappa(np.array([[1.0, np.nan], [0.0, 1.0]]))
    with pytest.raises(CannotAnalyse, match="at least two readers"):
        pairwise_kappa(("R",), np.ones((1, 4)))
    with pytest.raises(CannotAnalyse, match=r"R and S: All judgements"):
        pairwise_kappa(("R", "S"), np.ones((2, 4)))


def test_a_constant_rater_agrees_by_chance_alone() -> None:
    found = cohen_kappa(np.array([1.0, 1, 1, 1]), np.array([1.0, 2, 1, 2]))
    assert found.estimate == 0.0
    assert found.p is None


def test_a_missing_judgement_drops_the_case_of_that_pair_only() -> None:
    values = np.array([[1.0, 0, 1, 0, np.nan], [1.0, 0, 0, 0, 1], [1.0, 1, 1, 0, 1]])
    counts = {(one, two): kappa.n for one, two, kappa in pairwise_kappa(("A", "B", "C"), values)}
    assert counts == {("A", "B"): 4, ("A", "C"): 4, ("B", "C"): 5}
