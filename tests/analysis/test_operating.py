"""Operating points: fixed axes, chosen thresholds, the table of thresholds."""

import math
from itertools import product

import numpy as np
import pytest

from analysis.errors import CannotAnalyse
from analysis.operating import (
    choose_point,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
    threshold_table,
    utility_slope,
)
from analysis.proportions import negative_predictive_value, positive_predictive_value, sensitivity, specificity
from analysis.ratings import Bools, Floats
from analysis.roc import operating_point, roc_curve, sensitivity_at, specificity_at, youden_point


def rated(n: int = 120, seed: int = 1, ties: bool = True) -> tuple[Bools, Floats]:
    generator = np.random.default_rng(seed)
    truth = np.arange(n) % 3 == 0
    rating = generator.normal(size=n) + 1.2 * truth
    return truth, np.round(rating) if ties else rating


@pytest.mark.parametrize("ties", [True, False])
def test_fixed_axes_read_the_curve_and_vary_with_the_threshold(ties: bool) -> None:
    truth, rating = rated(ties=ties)
    curve = roc_curve(truth, rating)
    one, two = sensitivity_at_specificity(truth, rating, 0.8), specificity_at_sensitivity(truth, rating, 0.8)
    assert one.estimate == sensitivity_at(curve, 0.8)
    assert two.estimate == specificity_at(curve, 0.8)
    for found in (one, two):
        interval = found.confidence_interval()
        assert interval.low < found.estimate < interval.high
        assert found.p is None
        assert found.se > 0


def test_replicates_are_what_the_drawn_cases_give() -> None:
    # All draws of two diseased and two non-diseased cases, and how often each sensitivity at 0.5 comes of them.
    truth, rating = np.array([0, 0, 1, 1], dtype=bool), np.array([1.0, 3, 2, 4])
    draws = [np.array([*low, *high]) for low in product([1.0, 3.0], repeat=2) for high in product([2.0, 4.0], repeat=2)]
    every = [sensitivity_at(roc_curve(truth, drawn), 0.5) for drawn in draws]
    found = sensitivity_at_specificity(truth, rating, 0.5, replicates=20_000).replicates
    for value in set(every):
        share = every.count(value) / 16
        assert np.isclose(found, value).mean() == pytest.approx(share, abs=4 * math.sqrt(share / 20_000))


def test_specificity_at_a_sensitivity_is_the_turned_question() -> None:
    truth, rating = rated()
    one = sensitivity_at_specificity(~truth, -rating, 0.7, replicates=2).estimate
    assert one == pytest.approx(specificity_at_sensitivity(truth, rating, 0.7, replicates=2).estimate, rel=1e-12)


def test_a_place_outside_the_axis_is_refused() -> None:
    truth, rating = rated()
    for place in (-0.1, 1.1):
        with pytest.raises(CannotAnalyse, match="lies between 0 and 1"):
            sensitivity_at_specificity(truth, rating, place)
        with pytest.raises(CannotAnalyse, match="lies between 0 and 1"):
            specificity_at_sensitivity(truth, rating, place)


def test_youden_and_utility_of_slope_one_choose_alike() -> None:
    truth, rating = rated()
    one, two = (choose_point(truth, rating, by, replicates=50) for by in ("youden", "utility"))
    assert one.estimate == two.estimate == pytest.approx(one.point.youden)
    assert one.point == two.point == youden_point(truth, rating)
    assert one.ties[0] == one.point.threshold
    assert one.se == two.se > 0
    assert "flatters" in one.warnings[0]
    interval = one.confidence_interval()
    assert interval.low < interval.high


def test_no_threshold_is_better_than_the_chosen_one() -> None:
    truth, rating = rated(ties=False)
    points = [operating_point(truth, rating, threshold) for threshold in [math.inf, *np.unique(rating)]]
    closest = choose_point(truth, rating, "closest", replicates=20)
    assert closest.estimate == min(math.hypot(1 - p.sensitivity, 1 - p.specificity) for p in points)
    assert closest.estimate == math.hypot(1 - closest.point.sensitivity, 1 - closest.point.specificity)
    for slope in (0.2, 3.0):
        utility = choose_point(truth, rating, "utility", slope, replicates=20)
        assert utility.estimate == pytest.approx(max(p.sensitivity - slope * (1 - p.specificity) for p in points))
    # A false call that costs much raises the threshold.
    low, high = (choose_point(truth, rating, "utility", slope, replicates=2).point.threshold for slope in (0.2, 3.0))
    assert low < high


def test_equal_thresholds_are_listed_and_the_highest_stands() -> None:
    found = choose_point(np.array([False, True, False, True]), np.array([1.0, 2, 3, 4]), replicates=2)
    assert found.ties == (4.0, 2.0)
    assert found.point.threshold == 4


def test_calling_nothing_may_be_best() -> None:
    found = choose_point(np.array([False, True]), np.array([2.0, 1.0]), "utility", 5.0, replicates=2)
    assert math.isinf(found.point.threshold)
    assert (found.estimate, found.point.table.tp, found.point.table.fp) == (0.0, 0, 0)


def test_slopes() -> None:
    assert utility_slope(0.5) == 1.0
    assert utility_slope(0.25, 0.5) == pytest.approx(1.5)
    for prevalence in (0.0, 1.0):
        with pytest.raises(CannotAnalyse, match="prevalence"):
            utility_slope(prevalence)
    for cost in (0.0, -1.0, math.inf):
        with pytest.raises(CannotAnalyse, match="costs"):
            utility_slope(0.5, cost)


def test_choices_that_are_none_are_refused() -> None:
    truth, rating = rated()
    with pytest.raises(CannotAnalyse, match="not by luck"):
        choose_point(truth, rating, "luck")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="Only the criterion utility"):
        choose_point(truth, rating, "youden", 2.0)
    for slope in (0.0, -1.0, math.inf):
        with pytest.raises(CannotAnalyse, match="slope of equal utility"):
            choose_point(truth, rating, "utility", slope)
    with pytest.raises(CannotAnalyse, match="no diseased case"):
        choose_point(np.zeros(3, dtype=bool), np.arange(3.0))


@pytest.mark.parametrize("method", ["wilson", "clopper-pearson", "agresti-coull", "wald"])
def test_the_table_of_thresholds_is_that_of_each_threshold(method: str) -> None:
    truth, rating = rated()
    rows = threshold_table(truth, rating, method, 0.9)  # type: ignore[arg-type]
    assert [row.threshold for row in rows] == np.unique(rating)[::-1].tolist()
    for row in rows:
        table = operating_point(truth, rating, row.threshold).table
        assert row.table == table
        for share, of in (
            (row.sensitivity, sensitivity),
            (row.specificity, specificity),
            (row.positive_predictive_value, positive_predictive_value),
            (row.negative_predictive_value, negative_predictive_value),
        ):
            if share is None:
                assert of is negative_predictive_value
                assert row.threshold == rating.min()
                continue
            one = of(table, method)  # type: ignore[arg-type]
            assert share.estimate == one.estimate
            interval = one.confidence_interval(0.9)
            assert (share.interval.low, share.interval.high) == pytest.approx((interval.low, interval.high), abs=1e-15)
            assert share.interval.level == 0.9


def test_a_table_of_thresholds_names_its_methods() -> None:
    truth, rating = rated()
    with pytest.raises(CannotAnalyse, match="not logit"):
        threshold_table(truth, rating, "logit")
    with pytest.raises(CannotAnalyse, match="not at 95"):
        threshold_table(truth, rating, level=95)
