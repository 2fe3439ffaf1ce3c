"""Relative accuracy, predictive values and likelihood ratios of two tests: identities and edges."""

import math

import numpy as np
import pytest

from analysis.errors import CannotAnalyse
from analysis.paired import PairedTable
from analysis.predictive import predictive_test, relative_likelihood_ratio, relative_predictive_values
from analysis.relative import (
    PairedCalls,
    paired_calls,
    relative_false_positives,
    relative_sensitivity,
    relative_specificity,
)

# Cheng & Macaluso (1997), Epidemiology 8:104-106, table 2: mammography and physical examination; cases without a
# positive call were not verified.
SCREENED = PairedCalls(PairedTable(10, 21, 24, 0), PairedTable(13, 95, 144, 0))
CALLS = PairedCalls(PairedTable(30, 8, 5, 7), PairedTable(6, 4, 11, 60))


def swapped(calls: PairedCalls) -> PairedCalls:
    return PairedCalls(
        *(PairedTable(t.both, t.second_only, t.first_only, t.neither) for t in (calls.diseased, calls.healthy))
    )


def test_ratios_by_hand_on_the_screening_study() -> None:
    found = relative_sensitivity(SCREENED)
    assert found.estimate == pytest.approx(34 / 31)
    assert found.se_log == pytest.approx(math.sqrt(45 / (31 * 34)))
    false = relative_false_positives(SCREENED)
    assert false.estimate == pytest.approx(157 / 108)
    assert false.se_log == pytest.approx(math.sqrt(239 / (108 * 157)))


def test_swapping_the_tests_inverts_every_ratio_and_negates_every_difference() -> None:
    for compute in (relative_sensitivity, relative_specificity, relative_false_positives, relative_likelihood_ratio):
        one, two = compute(CALLS), compute(swapped(CALLS))
        assert one.estimate * two.estimate == pytest.approx(1)
        assert (one.statistic, one.p) == (pytest.approx(-two.statistic), pytest.approx(two.p))
    for sign in ("positive", "negative"):
        for method in ("leisenring", "kosinski"):
            one, two = predictive_test(CALLS, sign, method), predictive_test(swapped(CALLS), sign, method)
            assert one.estimate == pytest.approx(-two.estimate)
            assert (one.statistic, one.se) == (pytest.approx(two.statistic), pytest.approx(two.se))


def test_likelihood_ratios_are_ratios_of_shares() -> None:
    # Second: sensitivity 35/50, specificity 64/81; first: 38/50 and 71/81.
    assert relative_likelihood_ratio(CALLS).estimate == pytest.approx((35 / 17) / (38 / 10))
    assert relative_likelihood_ratio(CALLS, "negative").estimate == pytest.approx((15 / 64) / (12 / 71))


def test_the_standard_error_of_the_difference_is_that_of_a_jackknife() -> None:
    # The delta method and the jackknife agree to first order; 1,310 cases leave a difference below one per cent.
    large = PairedCalls(
        *(
            PairedTable(*(10 * c for c in (t.both, t.first_only, t.second_only, t.neither)))
            for t in (CALLS.diseased, CALLS.healthy)
        )
    )
    found = predictive_test(large)
    base = np.array([300, 80, 50, 70, 60, 40, 110, 600], dtype=float)

    def difference(counts: np.ndarray) -> float:
        d, h = counts[:4], counts[4:]
        first, second = d[0] + d[1], d[0] + d[2]
        return float(second / (second + h[0] + h[2]) - first / (first + h[0] + h[1]))

    without = np.array([difference(base - unit) for unit in np.eye(8)])
    n = base.sum()
    spread = (base * (without - (base * without).sum() / n) ** 2).sum()
    assert found.estimate == pytest.approx(difference(base))
    assert found.se == pytest.approx(math.sqrt((n - 1) / n * spread), rel=0.01)


def test_equal_calls_do_not_differ() -> None:
    same = PairedCalls(PairedTable(5, 0, 0, 3), PairedTable(2, 0, 0, 9))
    for found in (relative_sensitivity(same), relative_specificity(same), relative_likelihood_ratio(same)):
        assert (found.estimate, found.p) == (1.0, 1.0)
        assert found.warnings
    difference = predictive_test(same)
    assert (difference.estimate, difference.se, difference.p) == (0.0, 0.0, 1.0)
    assert difference.warnings
    assert relative_predictive_values(same).positive.p == 1.0


def test_what_does_not_exist_is_refused() -> None:
    never = PairedCalls(PairedTable(0, 0, 3, 3), PairedTable(0, 0, 2, 8))
    with pytest.raises(CannotAnalyse, match="first test never calls a diseased case"):
        relative_sensitivity(never)
    with pytest.raises(CannotAnalyse, match="no positive call"):
        predictive_test(never)
    with pytest.raises(CannotAnalyse, match="no positive call"):
        relative_predictive_values(never)
    wrong = PairedCalls(PairedTable(0, 0, 3, 3), PairedTable(0, 2, 2, 8))
    with pytest.raises(CannotAnalyse, match="predictive value of the first test is 0"):
        relative_predictive_values(wrong)
    with pytest.raises(CannotAnalyse, match="not both"):
        predictive_test(CALLS, "both")
    with pytest.raises(CannotAnalyse, match="not by wald"):
        predictive_test(CALLS, "positive", "wald")
    with pytest.raises(CannotAnalyse, match="not both"):
        relative_likelihood_ratio(CALLS, "both")
    with pytest.raises(CannotAnalyse, match="0 or 1"):
        paired_calls(np.array([True]), np.array([2.0]), np.array([1.0]))


def test_the_interval_has_the_ratio_in_its_middle_on_the_log_scale() -> None:
    found = relative_sensitivity(CALLS)
    interval = found.confidence_interval(0.9)
    assert interval.low * interval.high == pytest.approx(found.estimate**2)
    limits = predictive_test(CALLS).confidence_interval()
    assert limits.low < predictive_test(CALLS).estimate < limits.high
