"""Reading times: closed forms, statsmodels' own model, rules for interruptions, what has no answer."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.ratings import Floats
from analysis.timing import (
    NO_RULE,
    InterruptionRule,
    time_ratio,
    time_ratio_by_seniority,
    without_interruptions,
)
from analysis.timing_mixed import mixed_time_ratio

RULE = InterruptionRule(longest=100_000.0)
NAMES = tuple("ABCDEF")


def times(seed: int, readers: int = 6, cases: int = 30, change: float = -0.2) -> Floats:
    generator = np.random.default_rng(seed)
    logs = generator.normal(3, 0.3, (readers, 1, 1)) + generator.normal(0, 0.3, (1, 1, cases))
    logs = logs + np.array([0, change])[None, :, None] + generator.normal(0, 0.15, (readers, 2, 1))
    return np.exp(logs + generator.normal(0, 0.4, (readers, 2, cases)))


def test_ratio_is_a_t_test_of_the_readers_mean_logs() -> None:
    seconds = times(1)
    found = time_ratio(NAMES, seconds, RULE)
    logs = np.log(seconds[:, 1] / seconds[:, 0]).mean(axis=1)
    expected = stats.ttest_1samp(logs, 0)
    limits = expected.confidence_interval()
    assert found.estimate == pytest.approx(np.exp(logs.mean()))
    assert (found.p, found.df, found.n) == (pytest.approx(expected.pvalue), 5, 360)
    interval = found.confidence_interval()
    assert (interval.low, interval.high) == pytest.approx((np.exp(limits.low), np.exp(limits.high)))
    geometric = stats.gmean(seconds[0, 1]) / stats.gmean(seconds[0, 0])
    assert found.by_reader[0].estimate == pytest.approx(geometric)
    own = stats.ttest_1samp(np.log(seconds[0, 1] / seconds[0, 0]), 0).confidence_interval()
    assert found.by_reader[0].confidence_interval().low == pytest.approx(np.exp(own.low))
    assert found.warnings == ()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), unit=st.sampled_from([1 / 60, 1000.0]))
def test_the_unit_of_time_and_the_order_are_immaterial_and_arms_swap(seed: int, unit: float) -> None:
    seconds = times(seed)
    found = time_ratio(NAMES, seconds, InterruptionRule(factor=3))
    order = np.random.default_rng(seed).permutation(6)
    other = time_ratio(tuple(NAMES[place] for place in order), seconds[order] * unit, InterruptionRule(factor=3))
    assert (other.estimate, other.p, other.excluded) == (
        pytest.approx(found.estimate), pytest.approx(found.p), found.excluded,
    )  # fmt: skip
    swapped = time_ratio(NAMES, seconds[:, ::-1], InterruptionRule(factor=3))
    assert swapped.estimate == pytest.approx(1 / found.estimate)
    assert swapped.p == pytest.approx(found.p)
    assert swapped.excluded == found.excluded[::-1]


def test_interruptions_are_counted_and_never_silent() -> None:
    seconds = times(2)
    seconds[0, 0, 0], seconds[0, 1, 1], seconds[3, 1, 2] = 5000, 4000, 3000
    clean = np.where(seconds > 2000, np.nan, seconds)
    found = time_ratio(NAMES, seconds, InterruptionRule(longest=2000))
    assert found.excluded == (1, 2)
    assert found.estimate == time_ratio(NAMES, clean, RULE).estimate
    assert found.warnings == (
        "Readings longer than 2000 s are excluded as interrupted. There are 1 in the first and 2 in the second arm.",
    )
    both = InterruptionRule(longest=4500, factor=20)
    median = np.nanmedian(seconds[0])
    kept = without_interruptions(seconds, both)
    assert (
        kept.excluded
        == ((seconds > 4500) | (seconds > 20 * np.median(seconds, axis=(1, 2), keepdims=True))).sum(axis=2)
    ).all()
    assert median * 20 < 4000 and "or longer than 20 times the reader's median" in both.sentence
    assert time_ratio(NAMES, times(2), InterruptionRule()).warnings == (NO_RULE,)
    for rule in ({"longest": 0.0}, {"factor": -1.0}, {"factor": float("inf")}):
        with pytest.raises(CannotAnalyse, match="positive limit"):
            InterruptionRule(**rule)


def test_missing_times_and_one_reader() -> None:
    seconds = times(3)
    seconds[1, 0] = np.nan
    seconds[2, 1, :10] = np.nan
    found = time_ratio(NAMES, seconds, RULE)
    assert [row.n for row in found.by_reader] == [30, 20, 30, 30, 30]
    assert found.warnings == ("B has no case timed in both arms and is left out.",)
    alone = time_ratio(("A",), times(3)[:1], RULE)
    assert alone.df == 29 and "speaks for the cases read" in alone.warnings[0]
    one = times(3)[:2, :, :1]
    single = time_ratio(("A", "B"), one, RULE)
    with pytest.raises(CannotAnalyse, match="A read one case only"):
        single.by_reader[0].confidence_interval()
    with pytest.raises(CannotAnalyse, match="no measure of error"):
        time_ratio(("A",), one[:1], RULE)


def test_equal_times_and_equal_ratios() -> None:
    same = np.repeat(times(4)[:, :1], 2, axis=1)
    found = time_ratio(NAMES, same, RULE)
    assert (found.estimate, found.se, found.p) == (1, 0, 1)
    half = time_ratio(NAMES, same * np.array([1.0, 0.5])[None, :, None], RULE)
    assert (half.estimate, half.p) == (pytest.approx(0.5), None)
    assert "no width" in half.warnings[0] and half.confidence_interval().low == pytest.approx(0.5)


def test_times_that_cannot_be_compared() -> None:
    seconds = times(5)
    for change, sentence in (
        (np.where(seconds > 30, 0.0, seconds), "are not positive seconds"),
        (-seconds, "360 reading times are not positive"),
        (np.where(seconds > 30, np.inf, seconds), "not positive seconds"),
        (np.full_like(seconds, np.nan), "No reader has a case"),
        (seconds[:, :1], "two arms"),
        (seconds[0], "readers, arms and cases"),
    ):
        with pytest.raises(CannotAnalyse, match=sentence):
            time_ratio(NAMES, change, RULE)


def test_seniority_is_welchs_t_of_log_ratios() -> None:
    seconds = times(6)
    groups = ("junior", "junior", "junior", "junior", "senior", "senior")
    found = time_ratio_by_seniority(NAMES, groups, seconds, RULE)
    logs = np.log(seconds[:, 1] / seconds[:, 0]).mean(axis=1)
    expected = stats.ttest_ind(logs[4:], logs[:4], equal_var=False)
    assert (found.p, found.df) == (pytest.approx(expected.pvalue), pytest.approx(expected.df))
    assert found.ratio_of_ratios == pytest.approx(np.exp(logs[4:].mean() - logs[:4].mean()))
    assert found.confidence_interval().low == pytest.approx(np.exp(expected.confidence_interval().low))
    assert found.groups[0][1].estimate == time_ratio(NAMES[:4], seconds[:4], RULE).estimate
    three = time_ratio_by_seniority(NAMES, ("a", "a", "b", "b", "c", None), seconds, RULE)
    assert three.p is None and [name for name, _ in three.groups] == ["a", "b", "c"]
    assert "F has no seniority" in three.warnings[0] and "not compared" in three.warnings[1]
    with pytest.raises(CannotAnalyse, match="Two groups"):
        three.confidence_interval()
    with pytest.raises(CannotAnalyse, match="No reader has a seniority"):
        time_ratio_by_seniority(NAMES, (None,) * 6, seconds, RULE)
    with pytest.raises(CannotAnalyse, match="one seniority"):
        time_ratio_by_seniority(NAMES, ("a",), seconds, RULE)


# The mixed model ----------------------------------------------------------------------------------------------------


def test_mixed_model_of_complete_times_is_the_paired_ratio() -> None:
    seconds = times(7)
    paired, mixed = time_ratio(NAMES, seconds, RULE), mixed_time_ratio(NAMES, seconds, RULE)
    assert mixed.estimate == pytest.approx(paired.estimate, rel=1e-8)
    # REML is found by an optimiser; in balanced data it is the analysis of variance.
    assert mixed.se == pytest.approx(paired.se, rel=1e-6)
    assert mixed.p == pytest.approx(paired.p, rel=1e-6)
    assert mixed.confidence_interval().high == pytest.approx(paired.confidence_interval().high, rel=1e-6)
    assert (mixed.n, mixed.readers, mixed.cases, mixed.df) == (360, 6, 30, 5)


def test_components_are_those_of_the_analysis_of_variance() -> None:
    seconds = times(8)
    logs = np.log(seconds)
    found = mixed_time_ratio(NAMES, seconds, RULE).components
    case, cell = logs.mean(axis=(0, 1)), logs.mean(axis=2)
    error = logs - cell[:, :, None] - case + logs.mean()
    error_square = (error**2).sum() / (11 * 29)
    case_square = 12 * case.var(ddof=1)
    response = cell - cell.mean(axis=1, keepdims=True) - cell.mean(axis=0) + cell.mean()
    response_square = 30 * (response**2).sum() / 5
    reader_square = 60 * cell.mean(axis=1).var(ddof=1)
    assert found.error == pytest.approx(error_square, rel=1e-6)
    assert found.case == pytest.approx((case_square - error_square) / 12, rel=1e-5)
    assert found.reader_arm == pytest.approx((response_square - error_square) / 30, rel=1e-5)
    assert found.reader == pytest.approx((reader_square - response_square) / 60, rel=1e-5)


def test_mixed_model_with_gaps_is_statsmodels_own() -> None:
    seconds = times(9, readers=4, cases=15)
    seconds[np.random.default_rng(9).random(seconds.shape) < 0.2] = np.nan
    order = np.random.default_rng(10).permuted(np.tile(np.arange(1.0, 16), (4, 2, 1)), axis=2)
    found = mixed_time_ratio(NAMES[:4], seconds, RULE, position=order)
    reader, arm, case = np.nonzero(~np.isnan(seconds))
    known = ~np.isnan(seconds)
    frame = pd.DataFrame(
        {"y": np.log(seconds[known]), "r": reader, "a": arm, "c": case, "ra": 2 * reader + arm, "o": order[known] - 1}
    )
    parts = {"r": "0 + C(r)", "c": "0 + C(c)", "ra": "0 + C(ra)"}
    model = smf.mixedlm("y ~ a + o", frame, groups=np.ones(len(frame)), re_formula="0", vc_formula=parts).fit()
    assert np.log(found.estimate) == pytest.approx(model.fe_params["a"], rel=1e-6)
    assert found.se == pytest.approx(model.bse_fe["a"], rel=1e-4)
    assert found.position == pytest.approx(np.exp(model.fe_params["o"]), rel=1e-6)
    assert found.period is None


def test_mixed_model_that_cannot_be_fitted() -> None:
    seconds = times(10, readers=3, cases=6)
    names = NAMES[:3]
    gap = seconds.copy()
    gap[1, 0] = np.nan
    exact = np.exp(np.arange(3.0)[:, None, None] + np.arange(6.0)[None, None, :] + np.array([0, 1.0])[None, :, None])
    for values, sentence in (
        (gap, "B has no time in one of the arms"),
        (exact, "nothing of the times unexplained"),
        (seconds[:, :, :1], "two readers and two cases"),
    ):
        with pytest.raises(CannotAnalyse, match=sentence):
            mixed_time_ratio(names, values, RULE)
    with pytest.raises(CannotAnalyse, match="same period"):
        mixed_time_ratio(names, seconds, RULE, period=np.ones(seconds.shape))
    with pytest.raises(CannotAnalyse, match="needs its position"):
        mixed_time_ratio(names, seconds, RULE, position=np.full(seconds.shape, np.nan))


def test_a_component_at_zero_is_said_and_left_out_of_the_model() -> None:
    # No variation of cases or responses was put in; statsmodels does not converge on these times.
    generator = np.random.default_rng(13)
    seconds = np.exp(generator.normal(3, 0.5, (5, 1, 1)) + generator.normal(0, 0.4, (5, 2, 12)))
    found = mixed_time_ratio(NAMES[:5], seconds, RULE)
    zero = [name for name in ("reader", "case", "reader_arm") if getattr(found.components, name) == 0]
    assert zero and len(found.warnings) == len(zero)
    assert all("is estimated as zero" in warning for warning in found.warnings)
    assert found.components.reader > 0


def test_many_cases_are_no_burden() -> None:
    seconds = times(14, readers=4, cases=20_000)
    seconds[0, 0, 0] = np.nan
    assert mixed_time_ratio(NAMES[:4], seconds, RULE).cases == 20_000


def test_a_period_effect_is_taken_out() -> None:
    # Half of the cases are read with the model first; the second period is faster by a tenth.
    seconds = times(15, readers=5, cases=40)
    first = np.tile(np.arange(40) % 2, (5, 1))
    period = np.stack([1 + first, 2 - first], axis=1).astype(float)
    found = mixed_time_ratio(NAMES[:5], seconds, RULE, period=period)
    later = mixed_time_ratio(NAMES[:5], seconds * 0.9 ** (period - 1), RULE, period=period)
    assert later.estimate == pytest.approx(found.estimate, rel=1e-6)
    assert later.period == pytest.approx(0.9 * found.period, rel=1e-6)
    with pytest.raises(CannotAnalyse, match="cannot be told apart"):
        mixed_time_ratio(NAMES[:5], seconds, RULE, period=np.array([1.0, 2.0])[None, :, None] + np.zeros(seconds.shape))
