"""Agreement of measurements: intraclass correlation, concordance, limits, the same reader again."""

import numpy as np
import pytest
from scipy import stats

from analysis.agreement import cohen_kappa
from analysis.bland_altman import bland_altman, repeatability
from analysis.concordance import concordance, kendall_w, mean_correlation
from analysis.errors import CannotAnalyse
from analysis.icc import MODELS, UNITS, icc, icc_forms
from analysis.interval import Refusal
from analysis.ratings import Floats
from analysis.rereads import rereads


def drawn(seed: int, readers: int = 4, cases: int = 40, categories: int = 4, gaps: float = 0.0) -> Floats:
    generator = np.random.default_rng(seed)
    base = generator.integers(1, categories + 1, cases)
    other = generator.integers(1, categories + 1, (readers, cases))
    values = np.where(generator.random((readers, cases)) < 0.6, base, other).astype(float)
    values[generator.random(values.shape) < gaps] = np.nan
    return values


def test_the_six_forms_of_shrout_and_fleiss() -> None:
    # Shrout & Fleiss (1979), table 4: .17, .29, .71 and averages .44, .62, .91.
    values = np.array([[9.0, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])
    assert [round(form.estimate, 2) for form in icc_forms(values)] == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    assert [form.name for form in icc_forms(values)] == [
        "ICC(1)",
        "ICC(A,1)",
        "ICC(C,1)",
        "ICC(k)",
        "ICC(A,k)",
        "ICC(C,k)",
    ]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("unit", UNITS)
def test_interval_of_an_icc_holds_what_its_test_does_not_reject(model: str, unit: str) -> None:
    values = drawn(8, categories=6)
    found = icc(values, model, unit)
    interval = found.confidence_interval(0.9)
    assert interval.low < found.estimate < interval.high
    # Exact where one F carries both; the degrees of freedom of agreement differ between test and interval.
    assert found.test(interval.low).p == pytest.approx(0.05, abs=1e-9 if model != "agreement" else 0.002)
    assert found.test(interval.high).p == pytest.approx(0.95, abs=1e-9 if model != "agreement" else 0.002)


def test_icc_is_moved_by_no_unit_and_consistency_by_no_level() -> None:
    values = drawn(9, categories=6)
    for form, other in zip(icc_forms(values), icc_forms(1e6 + values * 12), strict=True):
        assert other.estimate == pytest.approx(form.estimate, rel=1e-8)
    shifted = values + np.arange(4)[:, None]
    assert icc(shifted, "consistency").estimate == pytest.approx(icc(values, "consistency").estimate, rel=1e-12)
    assert icc(shifted).estimate < icc(values).estimate


def test_quadratic_kappa_is_nearly_the_icc_of_agreement() -> None:
    # Fleiss & Cohen (1973): equal up to terms of 1/n.
    values = drawn(10, readers=2, cases=5000, categories=5)
    kappa = cohen_kappa(values[0], values[1], "quadratic").estimate
    assert icc(values).estimate == pytest.approx(kappa, abs=1e-3)


def test_icc_where_nothing_varies() -> None:
    perfect = np.tile([1.0, 2, 3], (2, 1))
    for form in icc_forms(perfect):
        assert (form.estimate, form.p) == (1.0, None)
        assert (form.confidence_interval().low, form.warnings != ()) == (1.0, True)
        with pytest.raises(CannotAnalyse, match="do not differ within any case"):
            form.test(0.5 if form.model != "agreement" else 0.0)
    level = icc(perfect + np.array([[0.0], [1.0]]))
    assert 0 < level.confidence_interval().low < level.estimate < level.confidence_interval().high <= 1
    with pytest.raises(CannotAnalyse, match="All ratings are the same"):
        icc(np.full((3, 4), 3.0))
    with pytest.raises(CannotAnalyse, match="has no lower limit"):
        icc(np.array([[5.0, 4, 5], [3, 4, 5], [4, 4, 3]]), "agreement", "average").confidence_interval()
    with pytest.raises(CannotAnalyse, match="mean ratings of the cases do not differ"):
        icc(np.array([[1.0, 2.0], [2.0, 1.0]]), "consistency", "average")
    with pytest.raises(CannotAnalyse, match="at least 2 cases"):
        icc(np.array([[1.0, np.nan], [np.nan, 2.0]]))
    with pytest.raises(CannotAnalyse, match="from 0 to below 1"):
        icc(drawn(1)).test(1.0)
    with pytest.raises(CannotAnalyse, match="one-way"):
        icc(drawn(1), "two-way")
    with pytest.raises(CannotAnalyse, match="another unit"):
        icc(drawn(1) * 1e300)


def test_kendall_is_friedman() -> None:
    values = drawn(11, categories=6)
    found = kendall_w(values)
    friedman = stats.friedmanchisquare(*values.T)
    assert (found.statistic, found.p) == pytest.approx((friedman.statistic, friedman.pvalue), rel=1e-10)
    assert kendall_w(np.tile(np.arange(5.0), (3, 1))).estimate == pytest.approx(1)
    with pytest.raises(CannotAnalyse, match="no order"):
        kendall_w(np.ones((2, 4)))


def test_mean_correlation_of_two_readers_is_fishers_test() -> None:
    values = drawn(12, readers=2, categories=6)
    found = mean_correlation(values)
    r = float(np.corrcoef(values)[0, 1])
    assert found.estimate == pytest.approx(r, rel=1e-12)
    assert found.statistic == pytest.approx(np.arctanh(r) * np.sqrt(37), rel=1e-12)
    twins = mean_correlation(np.vstack([values, 2 * values[:1]]))
    assert twins.pairs == 2 and "1 pairs" in twins.warnings[0]
    with pytest.raises(CannotAnalyse, match="correlates with nothing"):
        mean_correlation(np.vstack([values, np.ones((1, 40))]))
    with pytest.raises(CannotAnalyse, match="correlate perfectly"):
        mean_correlation(np.vstack([values[:1], values[:1]]))


def test_concordance_is_symmetric_and_refuses() -> None:
    one, two = drawn(13, readers=2, categories=6)
    there, back = concordance(one, two), concordance(two, one)
    assert (there.estimate, there.se) == pytest.approx((back.estimate, back.se), rel=1e-12)
    assert there.location_shift == pytest.approx(-back.location_shift)
    assert there.estimate == pytest.approx(there.correlation * there.accuracy)
    same = concordance(one, one)
    assert same.estimate == pytest.approx(1) and same.p is None and same.warnings
    assert same.confidence_interval().high == pytest.approx(1)
    with pytest.raises(CannotAnalyse, match="same in all cases"):
        concordance(one, np.ones(40))
    with pytest.raises(CannotAnalyse, match="do not correlate"):
        concordance(np.array([1.0, -1, 1, -1]), np.array([1.0, 1, -1, -1]))


# Limits -------------------------------------------------------------------------------------------------------------


def test_swapping_two_readers_turns_the_limits_round() -> None:
    one, two = drawn(14, readers=2, categories=9)
    there, back = bland_altman(one, two), bland_altman(two, one)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.p == pytest.approx(stats.ttest_rel(two, one).pvalue)
    for method in ("exact", "1999", "1986"):
        lower, upper = there.limit_intervals(0.95, method)
        other_upper = back.limit_intervals(0.95, method)[1]
        assert (lower.low, lower.high) == pytest.approx((-other_upper.high, -other_upper.low))
        assert lower.low < there.low < lower.high < upper.low < there.high < upper.high
    assert there.limit_intervals()[0] != there.limit_intervals(method="1999")[0]
    with pytest.raises(CannotAnalyse, match="not 2010"):
        there.limit_intervals(method="2010")


def test_exact_interval_of_a_limit_covers_what_it_says() -> None:
    generator = np.random.default_rng(20260101)
    inside = 0
    for _ in range(2000):
        found = bland_altman(np.zeros(12), generator.normal(0.3, 2.0, 12))
        inside += found.limit_intervals()[1].low <= 0.3 + 1.96 * 2.0 <= found.limit_intervals()[1].high
    # 4 standard errors of a share of 0.95 in 2000.
    assert inside / 2000 == pytest.approx(0.95, abs=0.0195)


def test_limits_without_spread_and_without_cases() -> None:
    found = bland_altman(np.arange(4.0), np.arange(4.0) + 2)
    assert (found.estimate, found.low, found.high, found.p) == (2, 2, 2, None)
    assert found.warnings and found.confidence_interval().low == 2
    assert found.limit_intervals()[0].low == 2
    with pytest.raises(CannotAnalyse, match="at least two cases"):
        bland_altman(np.array([1.0, np.nan]), np.array([1.0, 2.0]))
    with pytest.raises(CannotAnalyse, match="same cases"):
        bland_altman(np.ones(2), np.ones(3))
    with pytest.raises(CannotAnalyse, match="positive multiple"):
        bland_altman(np.ones(2), np.ones(2), 0.0)


def test_repeatability_of_two_readings_is_the_spread_of_their_differences() -> None:
    one, two = drawn(15, readers=2, categories=9)
    found = repeatability(np.stack([one, two]))
    assert found.estimate == pytest.approx(np.sqrt(((one - two) ** 2).mean() / 2))
    assert found.coefficient == pytest.approx(1.96 * np.sqrt(((one - two) ** 2).mean()))
    interval = found.confidence_interval()
    assert interval.low < found.estimate < interval.high
    three = repeatability(np.array([[1.0, 4], [2.0, np.nan], [3.0, np.nan]]))
    assert (three.n, three.df, three.estimate) == (1, 2, pytest.approx(1))
    assert repeatability(np.ones((2, 3))).warnings
    with pytest.raises(CannotAnalyse, match="No case was read twice"):
        repeatability(np.array([[1.0, np.nan], [np.nan, 1.0]]))


def test_readers_read_again() -> None:
    first, second = drawn(16, readers=3), drawn(16, readers=3)
    second[0, :10] = 5 - second[0, :10]
    second[1, :4] = np.nan
    found = rereads(("A", "B", "C"), first, second)
    assert found.by_reader[0].changed > 0 and found.by_reader[1].n == 36
    kappas = [row.kappa.estimate for row in found.by_reader if not isinstance(row.kappa, Refusal)]
    assert found.estimate == pytest.approx(np.mean(kappas))
    assert found.p == pytest.approx(stats.ttest_1samp(kappas, 0).pvalue)
    alone = rereads(("A", "B"), np.vstack([first[0], np.ones(40)]), np.vstack([second[0], np.ones(40)]))
    assert alone.df is None and "B: All judgements" in alone.warnings[0]
    assert alone.confidence_interval().low < alone.estimate
    equal = rereads(("A", "B"), first[:2], first[:2])
    assert (equal.estimate, equal.se, equal.p) == (1, 0, None)
    with pytest.raises(CannotAnalyse, match="No reader has"):
        rereads(("A",), np.ones((1, 3)), np.ones((1, 3)))
    with pytest.raises(CannotAnalyse, match="same readers"):
        rereads(("A",), np.ones((2, 3)), np.ones((2, 3)))


# The command --------------------------------------------------------------------------------------------------------
