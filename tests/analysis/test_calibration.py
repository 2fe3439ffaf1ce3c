"""Calibration: identities, edges, and the curves."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from analysis.calibration import (
    brier,
    calibration_error,
    calibration_in_the_large,
    expected_observed,
    hosmer_lemeshow,
    log_loss,
    quantile_groups,
    recalibration,
)
from analysis.calibration_curve import calibration_curve, likelihood_indices, smooth_errors
from analysis.errors import CannotAnalyse
from analysis.proportions import proportion
from analysis.ratings import Bools, Floats


def drawn(n: int = 400, slope: float = 1.0, shift: float = 0.0, seed: int = 3) -> tuple[Bools, Floats]:
    """Truth whose logit is shift + slope x the logit of the probability."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(-0.5, 1.5, n)
    truth = generator.random(n) < 1 / (1 + np.exp(-(shift + slope * logit)))
    return truth, 1 / (1 + np.exp(-logit))


def test_scores_are_those_of_scikit_learn() -> None:
    truth, p = drawn()
    assert brier(truth, p).estimate == pytest.approx(brier_score_loss(truth, p), rel=1e-12)
    assert log_loss(truth, p) == pytest.approx(sklearn_log_loss(truth, p), rel=1e-12)


@pytest.mark.parametrize("groups", [2, 5, 10, 37])
def test_the_decomposition_adds_up(groups: int) -> None:
    found = brier(*drawn(), groups)
    parts = found.reliability - found.resolution + found.uncertainty + found.within
    assert parts == pytest.approx(found.estimate, rel=1e-12)


def test_flipping_truth_and_probability_together_changes_no_score() -> None:
    truth, p = drawn()
    one, two = brier(truth, p), brier(~truth, 1 - p)
    assert two.estimate == pytest.approx(one.estimate) and two.statistic == pytest.approx(one.statistic)
    assert hosmer_lemeshow(~truth, 1 - p).estimate == pytest.approx(hosmer_lemeshow(truth, p).estimate)
    assert recalibration(~truth, 1 - p).estimate == pytest.approx(recalibration(truth, p).estimate)
    assert recalibration(~truth, 1 - p).intercept.estimate == pytest.approx(-recalibration(truth, p).intercept.estimate)


def test_recalibrated_probabilities_need_no_recalibration() -> None:
    truth, p = drawn(2000, slope=0.6, shift=0.4)
    fit = recalibration(truth, p)
    assert fit.estimate < 1 and fit.p < 1e-6
    again = 1 / (1 + np.exp(-(fit.intercept.estimate + fit.estimate * np.log(p / (1 - p)))))
    second = recalibration(truth, again)
    assert second.estimate == pytest.approx(1, abs=1e-6) and second.intercept.estimate == pytest.approx(0, abs=1e-6)
    assert second.p == pytest.approx(1) and second.slope.p == pytest.approx(1, abs=1e-5)
    assert calibration_in_the_large(truth, again).estimate == pytest.approx(0, abs=1e-6)
    assert expected_observed(truth, again).estimate == pytest.approx(1, abs=1e-6)


def test_the_large_of_equal_probabilities_is_a_difference_of_logits() -> None:
    truth = np.array([True] * 3 + [False] * 7)
    found = calibration_in_the_large(truth, np.full(10, 0.2))
    assert found.estimate == pytest.approx(math.log(3 / 7) - math.log(0.2 / 0.8))
    assert found.se == pytest.approx(1 / math.sqrt(10 * 0.3 * 0.7), rel=1e-4)


def test_expected_and_observed() -> None:
    truth, p = drawn()
    found = expected_observed(truth, p)
    interval = found.confidence_interval()
    assert found.estimate == pytest.approx(p.sum() / truth.sum())
    assert math.sqrt(interval.low * interval.high) == pytest.approx(found.estimate)


def test_intervals_of_slope_and_level_cover() -> None:
    covered = np.zeros(3)
    for seed in range(200):
        truth, p = drawn(300, 0.8, 0.3, seed)
        fit = recalibration(truth, p)
        for place, (term, value) in enumerate(((fit.slope, 0.8), (fit.intercept, 0.3))):
            interval = term.confidence_interval()
            covered[place] += interval.low <= value <= interval.high
        covered[2] += fit.p < 0.05
    # Four Monte-Carlo errors of 200 studies around 95 %.
    assert (covered[:2] / 200 > 0.95 - 0.062).all() and covered[2] > 0


def test_calibrated_probabilities_are_rejected_as_often_as_promised() -> None:
    found = np.array([[brier(*drawn(seed=s)).p, hosmer_lemeshow(*drawn(seed=s), fitted=False).p] for s in range(500)])
    share = (found.astype(float) < 0.05).mean(axis=0)
    # Four Monte-Carlo errors of 500 studies are 3.9 %.
    assert (np.abs(share - 0.05) < 0.039).all()


def test_groups_of_hosmer_and_lemeshow() -> None:
    truth, p = drawn()
    found = hosmer_lemeshow(truth, p)
    assert sum(found.cases) == len(p) and sum(found.observed) == truth.sum()
    assert sum(found.expected) == pytest.approx(p.sum())
    assert hosmer_lemeshow(truth, p, fitted=False).df == 10 == found.df + 2
    assert found.p == pytest.approx(stats.chi2.sf(found.estimate, 8))
    # As in R's cut the lowest bound belongs to the first group, so the two lowest values share one.
    few = hosmer_lemeshow(np.tile([True, False], 20), np.repeat([0.2, 0.3, 0.5, 0.7], 10), 10)
    assert len(few.cases) == 3 and few.df == 1 and "3 groups" in few.warnings[0]


def test_no_group_is_empty_and_bounds_fit() -> None:
    group, bounds = quantile_groups(np.array([0.0] * 50 + [1.0] * 50), 4)
    assert np.bincount(group).tolist() == [50, 50] and len(bounds) == 3


def test_order_of_cases_is_immaterial() -> None:
    truth, p = drawn()
    order = np.random.default_rng(1).permutation(len(p))
    assert smooth_errors(truth[order], p[order]).estimate == pytest.approx(smooth_errors(truth, p).estimate, rel=1e-9)
    assert smooth_errors(truth[order], p[order]).curve == pytest.approx(smooth_errors(truth, p).curve[order], rel=1e-9)
    assert likelihood_indices(truth[order], p[order]).r2 == pytest.approx(likelihood_indices(truth, p).r2)


def test_points_of_the_curve_have_the_interval_of_wilson() -> None:
    truth, p = drawn()
    curve = calibration_curve(truth, p, 5)
    point = curve.points[2]
    inside = (p > curve.bounds[2]) & (p <= curve.bounds[3])
    assert point.n == inside.sum() and point.probability == pytest.approx(p[inside].mean())
    assert point.confidence_interval() == proportion(int(truth[inside].sum()), point.n).confidence_interval()


def test_error_in_bins() -> None:
    # Two bins, one case each, 0.2 and 0.1 off; 1 belongs to the last bin.
    found = calibration_error(np.array([False, True]), np.array([0.2, 0.9]))
    assert found.estimate == pytest.approx(0.15) and found.largest == pytest.approx(0.2)
    assert calibration_error(np.array([False, True]), np.array([0.0, 1.0])).estimate == 0


def test_certain_probabilities_are_left_out_with_a_warning() -> None:
    truth, p = drawn()
    fit = recalibration(np.append(truth, [True, False]), np.append(p, [1.0, 0.0]))
    assert "2 cases" in fit.warnings[0] and fit.estimate == recalibration(truth, p).estimate
    certain = brier(np.array([True, False, True]), np.array([1.0, 0.0, 0.5]))
    assert certain.p is None and certain.warnings


@pytest.mark.parametrize(
    ("truth", "p", "sentence"),
    [
        ([True, True], [0.2, 0.3], "only one class"),
        ([True, False], [0.2, 1.3], "between 0 and 1"),
        ([True, False], [0.2, math.nan], "between 0 and 1"),
        ([True, False, True], [0.2, 0.3], "2 probabilities for 3 cases"),
        ([], [], "no cases"),
        ([True, False], [1.0, 0.0], "strictly between"),
        ([True, False, True], [0.5, 0.5, 0.5], "all equal"),
        ([False, False, True, True], [0.1, 0.2, 0.3, 0.4], "separate the classes"),
        ([True, True, False, False], [0.1, 0.2, 0.2, 0.4], "separate the classes"),
    ],
)
def test_what_cannot_be_recalibrated(truth: list[bool], p: list[float], sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        recalibration(np.array(truth, dtype=bool), np.array(p))


def test_what_has_no_curve_and_no_loss() -> None:
    truth = np.array([True, False, True])
    with pytest.raises(CannotAnalyse, match="infinite"):
        log_loss(truth, np.array([0.0, 0.5, 0.5]))
    with pytest.raises(CannotAnalyse, match="all equal"):
        smooth_errors(truth, np.full(3, 0.5))
    with pytest.raises(CannotAnalyse, match="at least two"):
        calibration_curve(truth, np.array([0.1, 0.2, 0.3]), 1)
    with pytest.raises(CannotAnalyse, match="three groups"):
        hosmer_lemeshow(truth, np.array([0.1, 0.2, 0.2]), 10)
    with pytest.raises(CannotAnalyse, match="exactly 0 or 1"):
        hosmer_lemeshow(np.tile(truth, 4), np.repeat([0.0, 0.3, 0.5], 4), 10)
    with pytest.raises(CannotAnalyse, match="nothing was expected"):
        expected_observed(truth, np.zeros(3))
    with pytest.raises(CannotAnalyse, match="at least one"):
        calibration_error(truth, np.zeros(3), 0)


def test_equal_probabilities_have_one_point_and_a_score() -> None:
    truth = np.array([True, False, True, False])
    curve = calibration_curve(truth, np.full(4, 0.4))
    assert len(curve.points) == 1 and curve.points[0].estimate == 0.5 and curve.warnings
    assert brier(truth, np.full(4, 0.4)).resolution == 0 == brier(truth, np.full(4, 0.4)).within
