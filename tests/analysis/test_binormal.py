"""The binormal curve: its likelihood's maximum, its identities, and data that determine no curve."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from analysis.binormal import Binormal, BinormalCurve, binormal_auc, binormal_line, categories
from analysis.binormal_likelihood import Point, derivatives, log_likelihood, maximise
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats
from analysis.roc import partial_area, roc_curve
from tests.analysis.oracle_entries import oracle_data


def rated(n: int, seed: int = 1, a: float = 1.2, b: float = 0.7) -> tuple[Bools, Floats]:
    """Half of n cases diseased; the latent ratings are those of the curve with this a and b."""
    generator = np.random.default_rng(seed)
    truth = np.arange(n) % 2 == 1
    return truth, np.where(truth, a + generator.normal(size=n), b * generator.normal(size=n)) / b


def five_categories() -> tuple[Floats, Floats]:
    return np.array([20.0, 9, 6, 3, 2]), np.array([4.0, 5, 8, 10, 13])


def test_the_gradient_is_that_of_the_likelihood_and_zero_at_the_maximum() -> None:
    negative, positive = five_categories()
    at = Point(1.0, 0.8, np.array([-0.2, 0.4, 1.0, 1.5]))
    _, by_ab, by_cutoffs, _ = derivatives(negative, positive, at, expected=False)
    numeric = [
        (
            log_likelihood(negative, positive, at.moved(step, 1e-6))
            - log_likelihood(negative, positive, at.moved(step, -1e-6))
        )
        / 2e-6
        for step in ((1.0, 0.0, np.zeros(4)), (0.0, 1.0, np.zeros(4)), *((0.0, 0.0, row) for row in np.eye(4)))
    ]
    assert np.concatenate([by_ab, by_cutoffs]) == pytest.approx(numeric, rel=1e-6)
    best = maximise(negative, positive)
    assert best is not None
    _, by_ab, by_cutoffs, _ = derivatives(negative, positive, best, expected=False)
    assert np.abs(np.concatenate([by_ab, by_cutoffs])).max() < 1e-11


@pytest.mark.parametrize("expected", [False, True])
def test_the_information_is_minus_the_change_of_the_gradient(expected: bool) -> None:
    negative, positive = five_categories()
    at = Point(1.0, 0.8, np.array([-0.2, 0.4, 1.0, 1.5]))
    if expected:
        # Counts that are as expected have an observed information equal to the expected one.
        bounds = np.array([-np.inf, *at.cutoffs, np.inf])
        negative = 40 * np.diff(ndtr(bounds))
        positive = 40 * np.diff(ndtr(at.b * bounds - at.a))
    curvature = derivatives(negative, positive, at, expected)[3]
    full = np.zeros((6, 6))
    full[:2, :2], full[:2, 2:], full[2:, :2] = curvature.corner, curvature.rows, curvature.rows.T
    full[2:, 2:] = np.diag(curvature.diagonal) + np.diag(curvature.beside, 1) + np.diag(curvature.beside, -1)
    steps = [(1.0, 0.0, np.zeros(4)), (0.0, 1.0, np.zeros(4)), *((0.0, 0.0, row) for row in np.eye(4))]
    for place, step in enumerate(steps):
        ends = [derivatives(negative, positive, at.moved(step, share), False) for share in (1e-6, -1e-6)]
        change = [np.concatenate([end[1], end[2]]) for end in ends]
        assert full[place] == pytest.approx((change[1] - change[0]) / 2e-6, rel=1e-5, abs=1e-5)
    assert curvature.covariance_ab() == pytest.approx(np.linalg.inv(full)[:2, :2], rel=1e-10)


def test_no_step_away_from_the_fit_is_likelier() -> None:
    negative, positive = five_categories()
    best = maximise(negative, positive)
    assert best is not None
    top = log_likelihood(negative, positive, best)
    generator = np.random.default_rng(2)
    for _ in range(200):
        step = (float(generator.normal()), float(generator.normal()), generator.normal(size=4))
        moved = best.moved(step, 0.01)
        assert not moved.possible or log_likelihood(negative, positive, moved) < top


def test_known_curves_are_found_again() -> None:
    truth, rating = rated(40_000)
    found = binormal_auc(truth, rating)
    assert abs(found.curve.a - 1.2) < 4 * found.a_se
    assert abs(found.curve.b - 0.7) < 4 * found.b_se
    assert abs(found.estimate - float(ndtr(1.2 / math.hypot(1, 0.7)))) < 4 * found.se
    assert found.a_se < 0.03
    assert (found.positives, found.negatives) == (20_000, 20_000)


def test_the_standard_error_is_the_spread_over_studies() -> None:
    cutoffs = [-0.5, 0.3, 0.9, 1.6]
    studies = [rated(120, seed) for seed in range(150)]
    fits = [binormal_auc(truth, np.digitize(rating, cutoffs).astype(float)) for truth, rating in studies]
    areas = np.array([fit.estimate for fit in fits])
    middle = float(np.mean([fit.se for fit in fits]))
    assert areas.std(ddof=1) == pytest.approx(middle, rel=4 / math.sqrt(2 * 150))
    truth_area = float(ndtr(1.2 / math.hypot(1, 0.7)))
    held = sum(fit.confidence_interval().low <= truth_area <= fit.confidence_interval().high for fit in fits)
    assert held >= 135


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_maps_flips_and_order_of_rows_change_nothing(seed: int) -> None:
    truth, latent = rated(80, seed)
    rating = np.digitize(latent, [-0.5, 0.3, 0.9, 1.6]).astype(float)
    try:
        found = binormal_auc(truth, rating)
    except CannotAnalyse:
        return
    order = np.random.default_rng(seed).permutation(80)
    for other in (binormal_auc(truth, np.exp(rating)), binormal_auc(truth[order], rating[order])):
        assert other.estimate == pytest.approx(found.estimate, abs=1e-9)
        assert other.se == pytest.approx(found.se, abs=1e-9)
    # The other class as the diseased one, the scale turned over: a/b and 1/b.
    turned = binormal_auc(~truth, -rating)
    assert turned.estimate == pytest.approx(found.estimate, abs=1e-8)
    if not found.warnings:
        assert turned.curve.b == pytest.approx(1 / found.curve.b, rel=1e-6)
        assert turned.log_likelihood == pytest.approx(found.log_likelihood, rel=1e-10)


def test_neighbours_of_one_class_are_one_category_and_lose_no_likelihood() -> None:
    truth = np.array([0, 0, 0, 1, 0, 1, 1, 0, 1, 1], dtype=bool)
    rating = np.array([1.0, 2, 3, 3, 4, 5, 6, 7, 8, 9])
    negative, positive, constant = categories(truth, rating)
    assert (negative.tolist(), positive.tolist()) == ([2, 1, 1, 0, 1, 0], [0, 1, 0, 2, 0, 2])
    assert constant == pytest.approx(-6 * math.log(2))


def test_readings_of_the_curve_agree_with_one_another() -> None:
    curve = BinormalCurve(1.3, 0.6)
    assert curve.specificity_at(curve.sensitivity_at(0.8)) == pytest.approx(0.8, rel=1e-12)
    assert curve.partial_area("specificity", 0.0, 1.0) == pytest.approx(curve.area, rel=1e-12)
    assert curve.partial_area("sensitivity", 0.0, 1.0) == pytest.approx(curve.area, rel=1e-12)
    halves = curve.partial_area("sensitivity", 0.0, 0.4) + curve.partial_area("sensitivity", 0.4, 1.0)
    assert halves == pytest.approx(curve.area, rel=1e-12)
    with pytest.raises(CannotAnalyse, match="0 <= low < high <= 1"):
        curve.partial_area("specificity", 0.9, 0.8)


def test_the_partial_area_is_that_of_a_fine_empirical_curve() -> None:
    truth, rating = rated(200_000, 5)
    curve, exact = roc_curve(truth, rating), BinormalCurve(1.2, 0.7)
    for axis in ("specificity", "sensitivity"):
        assert partial_area(curve, axis, 0.7, 0.9) == pytest.approx(exact.partial_area(axis, 0.7, 0.9), abs=2e-3)


def check_edge(found: Binormal, area: float, word: str) -> None:
    assert (found.estimate, found.se) == (area, 0.0)
    assert word in found.warnings[0]
    interval = found.confidence_interval()
    assert (interval.low, interval.high) == (area, area)


def test_points_on_the_edges_give_the_edge_with_a_warning() -> None:
    truth = np.array([False, False, True, True])
    perfect = binormal_auc(truth, np.array([1.0, 2, 3, 4]))
    check_edge(perfect, 1.0, "edges of the ROC square")
    assert perfect.p is None
    assert perfect.curve.sensitivity_at(0.9) == perfect.curve.specificity_at(0.9) == 1.0
    assert perfect.curve.partial_area("specificity", 0.8, 1.0) == pytest.approx(0.2)
    reversed_scale = binormal_auc(truth, np.array([4.0, 3, 2, 1]))
    check_edge(reversed_scale, 0.0, "edges of the ROC square")
    assert reversed_scale.curve.sensitivity_at(0.9) == 0.0
    ties = binormal_auc(truth, np.ones(4))
    check_edge(ties, 0.5, "diagonal")
    assert ties.p == 1.0


def test_degenerate_data_of_vandyke() -> None:
    frame = oracle_data("vandyke")
    part = frame[(frame["reader"] == 4) & (frame["treatment"] == 2)]
    found = binormal_auc(part["truth"].to_numpy() == 1, part["rating"].to_numpy(float))
    check_edge(found, 1.0, "edges of the ROC square")


def test_what_determines_no_curve_is_refused() -> None:
    truth = np.arange(20) % 2 == 1
    with pytest.raises(CannotAnalyse, match="three rating categories"):
        binormal_auc(truth, (np.arange(20) % 3 == 0).astype(float))
    with pytest.raises(CannotAnalyse, match="no diseased case"):
        binormal_auc(np.zeros(3, dtype=bool), np.arange(3.0))
    # One point inside and one on the edge: the slope falls to 0 without end.
    rating = np.array([1.0] * 6 + [2] * 4 + [1] * 2 + [2] * 3 + [3] * 5)
    with pytest.raises(CannotAnalyse, match="rises without end"):
        binormal_auc(np.repeat([False, True], 10), rating)


def test_the_line_passes_through_two_points() -> None:
    truth = np.repeat([False, True], [10, 10])
    rating = np.array([1.0] * 5 + [2] * 3 + [3] * 2 + [1] * 2 + [2] * 3 + [3] * 5)
    curve = binormal_line(truth, rating).curve
    assert curve.sensitivity_at(0.5) == pytest.approx(0.8)
    assert curve.sensitivity_at(0.8) == pytest.approx(0.5)
    for few in (np.ones(20), (np.arange(20) % 3 == 0).astype(float)):
        with pytest.raises(CannotAnalyse, match="two operating points"):
            binormal_line(truth, few)


def test_a_hundred_thousand_continuous_ratings_take_a_moment() -> None:
    truth, rating = rated(100_000, 3)
    found = binormal_auc(truth, rating)
    assert len(found.cutoffs) > 10_000
    assert found.estimate == pytest.approx(roc_curve(truth, rating).area, abs=0.002)
