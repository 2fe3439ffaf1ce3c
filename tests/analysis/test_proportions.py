"""Proportions of the confusion table, their intervals and refusals; operating points; adjusted p values."""

import math
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, f1_score
from statsmodels.stats.multitest import multipletests

from analysis.errors import CannotAnalyse
from analysis.interval import wald
from analysis.multiplicity import adjusted
from analysis.proportions import (
    ConfusionTable,
    Method,
    Proportion,
    accuracy,
    apparent_prevalence,
    balanced_accuracy,
    confusion_table,
    f1,
    false_negative_fraction,
    false_positive_fraction,
    negative_predictive_value,
    positive_predictive_value,
    prevalence,
    proportion,
    sensitivity,
    specificity,
    youden,
)
from tests.analysis.oracle_entries import agree, entries

TABLE = ConfusionTable(tp=41, fp=22, tn=47, fn=4)


def test_edges_of_the_interval() -> None:
    for item in entries("edge_cases", "binom_ci/"):
        values = item.values
        methods: dict[Method, str] = {"wilson": "wilson", "clopper-pearson": "exact"}
        for method, key in methods.items():
            place = values["method"].index(key)
            found = proportion(values["x"][place], values["n"][place], method)
            interval = found.confidence_interval()
            agree(interval.low, values["lower"][place], item.id, absolute=1e-15)
            agree(interval.high, values["upper"][place], item.id)


def test_f1_is_the_harmonic_mean_and_youden_covers_itself() -> None:
    table = ConfusionTable(tp=41, fp=22, tn=47, fn=4)
    precision, recall = positive_predictive_value(table).estimate, sensitivity(table).estimate
    assert f1(table).estimate == pytest.approx(2 * precision * recall / (precision + recall), rel=1e-14)
    found = youden(table)
    interval = found.confidence_interval()
    assert interval.low < found.estimate < interval.high
    assert found.p is not None
    assert found.p < 0.001


def test_shares_that_do_not_exist_name_what_is_missing() -> None:
    healthy = ConfusionTable(tp=0, fp=0, tn=5, fn=0)
    for function, missing in (
        (sensitivity, "diseased cases"),
        (positive_predictive_value, "positive calls"),
        (f1, "neither a diseased case nor a positive call"),
        (youden, "diseased cases"),
    ):
        with pytest.raises(CannotAnalyse, match=missing):
            function(healthy)
    with pytest.raises(CannotAnalyse, match="neither"):
        confusion_table(np.array([True]), np.array([np.nan]))
    with pytest.raises(CannotAnalyse, match="not possible"):
        proportion(3, 2)


def test_a_flawless_table_has_a_youden_without_p() -> None:
    found = youden(ConfusionTable(tp=3, fp=0, tn=3, fn=0))
    assert (found.estimate, found.se, found.p) == (1.0, 0.0, None)
    assert found.confidence_interval().low < 1


@pytest.mark.parametrize("method", get_args(Method))
def test_every_interval_holds_the_share_and_stays_in_bounds(method: Method) -> None:
    for n in (1, 2, 7, 40):
        for successes in range(n + 1):
            found = proportion(successes, n, method)
            narrow, wide = found.confidence_interval(0.8), found.confidence_interval(0.99)
            assert 0 <= narrow.low <= narrow.high <= 1
            assert 0 <= wide.low <= narrow.low + 1e-12
            assert narrow.high - 1e-12 <= wide.high <= 1
            # Agresti and Coull's centre lies nearer to one half, so a share at the edge may fall out by rounding.
            assert wide.low - 1e-12 <= found.estimate <= wide.high + 1e-12
            mirrored = proportion(n - successes, n, method).confidence_interval(0.8)
            if method != "cloglog":
                assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((narrow.low, narrow.high), abs=1e-9)


@pytest.mark.parametrize("method", ["logit", "cloglog"])
def test_transformed_intervals_at_the_edge_are_one_sided_exact(method: Method) -> None:
    # The chance of n failures in n is half of what is left of the level at the upper limit.
    assert proportion(0, 12, method).confidence_interval().high == pytest.approx(1 - 0.025 ** (1 / 12))
    assert proportion(12, 12, method).confidence_interval(0.9).low == pytest.approx(0.05 ** (1 / 12))
    assert proportion(0, 12, method).confidence_interval().low == 0
    assert proportion(12, 12, method).confidence_interval().high == 1


@pytest.mark.parametrize(
    ("successes", "n", "limits"), [(81, 263, (0.2535, 0.3682)), (15, 148, (0.0598, 0.1644)), (0, 20, (0, 0.2005))]
)
def test_newcombes_examples_of_the_corrected_interval(successes: int, n: int, limits: tuple[float, float]) -> None:
    # Newcombe (1998), Stat. Med. 17:857-872, table I, method 4.
    interval = proportion(successes, n, "wilson-corrected").confidence_interval()
    assert (round(interval.low, 4), round(interval.high, 4)) == limits


def test_an_unknown_interval_of_a_share_is_named() -> None:
    with pytest.raises(CannotAnalyse, match="not jeffreys"):
        proportion(1, 2, "jeffreys")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="not wald"):
        youden(TABLE, "wald")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="not at 95"):
        youden(TABLE).confidence_interval(95)
    with pytest.raises(CannotAnalyse, match="not at 95"):
        sensitivity(TABLE).confidence_interval(95)


def test_f1_is_that_of_scikit_learn_and_its_limits_those_of_its_share() -> None:
    truth = np.repeat([1, 0, 0, 1], [41, 22, 47, 4])
    calls = np.repeat([1, 1, 0, 0], [41, 22, 47, 4])
    found = f1(TABLE, "clopper-pearson")
    assert found.estimate == pytest.approx(f1_score(truth, calls))
    inner, outer = proportion(41, 67, "clopper-pearson").confidence_interval(), found.confidence_interval()
    assert outer.low == pytest.approx(2 * inner.low / (1 + inner.low))
    assert outer.high == pytest.approx(2 * inner.high / (1 + inner.high))
    assert found.p is None
    # The delta method against a numerical derivative of 2 s / (1 + s).
    share = 41 / 67
    slope = (2 * (share + 1e-6) / (1 + share + 1e-6) - 2 * (share - 1e-6) / (1 + share - 1e-6)) / 2e-6
    assert found.se == pytest.approx(slope * found.share.se, rel=1e-6)


def test_balanced_accuracy_is_that_of_scikit_learn_and_half_of_youden() -> None:
    truth = np.repeat([1, 0, 0, 1], [41, 22, 47, 4])
    calls = np.repeat([1, 1, 0, 0], [41, 22, 47, 4])
    found, index = balanced_accuracy(TABLE), youden(TABLE)
    assert found.estimate == pytest.approx(balanced_accuracy_score(truth, calls))
    assert (found.se, found.p) == (index.se / 2, index.p)
    one, two = found.confidence_interval(0.9), index.confidence_interval(0.9)
    assert (2 * one.low - 1, 2 * one.high - 1, one.level) == pytest.approx((two.low, two.high, 0.9))
    with pytest.raises(CannotAnalyse, match="non-diseased cases"):
        balanced_accuracy(ConfusionTable(tp=1, fp=0, tn=0, fn=1))


def test_newcombes_example_of_youdens_interval() -> None:
    # Newcombe (1998), Stat. Med. 17:873-890, table II, method 10: 56/70 - 48/80 has 0.0524 to 0.3339.
    interval = youden(ConfusionTable(tp=56, fn=14, fp=48, tn=32)).confidence_interval()
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.0524, 0.3339)


def test_standard_errors_and_p_of_youden_by_hand() -> None:
    found = youden(TABLE)
    variance = 41 * 4 / 45**3 + 47 * 22 / 69**3
    assert found.se == pytest.approx(math.sqrt(variance))
    assert found.p == pytest.approx(2 * stats.norm.sf(found.estimate / math.sqrt(variance)))
    assert sensitivity(TABLE).se == pytest.approx(math.sqrt(41 * 4 / 45**3))
    assert sensitivity(TABLE).p == pytest.approx(stats.binomtest(41, 45).pvalue)


@pytest.mark.parametrize(
    ("of", "successes", "n", "missing", "empty"),
    [
        (sensitivity, 41, 45, "diseased cases", ConfusionTable(tp=0, fp=1, tn=1, fn=0)),
        (specificity, 47, 69, "non-diseased cases", ConfusionTable(tp=1, fp=0, tn=0, fn=1)),
        (positive_predictive_value, 41, 63, "positive calls", ConfusionTable(tp=0, fp=0, tn=1, fn=1)),
        (negative_predictive_value, 47, 51, "negative calls", ConfusionTable(tp=1, fp=1, tn=0, fn=0)),
        (accuracy, 88, 114, "cases", ConfusionTable(tp=0, fp=0, tn=0, fn=0)),
        (prevalence, 45, 114, "cases", ConfusionTable(tp=0, fp=0, tn=0, fn=0)),
        (apparent_prevalence, 63, 114, "cases", ConfusionTable(tp=0, fp=0, tn=0, fn=0)),
        (false_positive_fraction, 22, 69, "non-diseased cases", ConfusionTable(tp=1, fp=0, tn=0, fn=1)),
        (false_negative_fraction, 4, 45, "diseased cases", ConfusionTable(tp=0, fp=1, tn=1, fn=0)),
    ],
)
def test_shares_of_a_table_and_what_they_miss(
    of: Callable[..., Proportion], successes: int, n: int, missing: str, empty: ConfusionTable
) -> None:
    found = of(TABLE)
    assert (found.successes, found.n, found.method) == (successes, n, "wilson")
    assert of(TABLE, "clopper-pearson").method == "clopper-pearson"
    with pytest.raises(CannotAnalyse) as refusal:
        of(empty)
    assert str(refusal.value) == f"There are no {missing}, so the proportion does not exist."


def test_transformed_intervals_by_the_delta_method() -> None:
    found, z = proportion(7, 12, "logit"), 1.959963984540054
    share, se = 7 / 12, math.sqrt(7 / 12 * 5 / 12 / 12)
    interval = found.confidence_interval()
    ends = [math.log(end / (1 - end)) for end in (interval.low, interval.high)]
    centre, slope = math.log(7 / 5), 1 / (share * (1 - share))
    assert ends == pytest.approx([centre - z * se * slope, centre + z * se * slope], rel=1e-12)
    interval = proportion(7, 12, "cloglog").confidence_interval()
    ends = [math.log(-math.log(end)) for end in (interval.high, interval.low)]
    centre, slope = math.log(math.log(12 / 7)), 1 / (share * math.log(12 / 7))
    assert ends == pytest.approx([centre - z * se * slope, centre + z * se * slope], rel=1e-12)


def test_the_limits_interval_adds_the_exact_limits_of_both_parts() -> None:
    found = youden(TABLE, "limits")
    assert (found.method, youden(TABLE).method) == ("limits", "newcombe")
    interval = found.confidence_interval(0.9)
    low = stats.beta.ppf(0.05, 41, 5) + stats.beta.ppf(0.05, 47, 23)
    high = stats.beta.ppf(0.95, 42, 4) + stats.beta.ppf(0.95, 48, 22)
    assert (interval.low, interval.high) == pytest.approx((low - 1, high - 1), rel=1e-10)


def test_holm_by_hand() -> None:
    # Holm (1979): sorted p times 3, 2, 1, made monotone and capped at 1.
    assert adjusted([0.02, 0.01, 0.6]) == pytest.approx((0.04, 0.03, 0.6))
    assert adjusted([0.02, 0.01, 0.6], "none") == (0.02, 0.01, 0.6)
    assert adjusted([0.04, 0.03], "hochberg") == pytest.approx((0.04, 0.04))
    assert adjusted([]) == ()
    with pytest.raises(CannotAnalyse, match="between 0 and 1"):
        adjusted([float("nan")])


@pytest.mark.parametrize(("method", "name"), [("holm", "holm"), ("hochberg", "simes-hochberg")])
def test_adjustment_is_that_of_statsmodels(method: Literal["holm", "hochberg"], name: str) -> None:
    generator = np.random.default_rng(11)
    for size in (1, 2, 7, 40):
        values = generator.random(size) ** 3
        values[size // 2] = values[0]
        expected = multipletests(values, method=name)[1]
        assert adjusted(values.tolist(), method) == pytest.approx(tuple(expected), rel=1e-12)


def test_a_level_of_95_is_meant_as_0_95() -> None:
    with pytest.raises(CannotAnalyse, match="not at 95"):
        wald(0.5, 0.1, 95)


def test_the_exact_test_of_one_half_is_scipys() -> None:
    for n in (1, 2, 7, 40, 113):
        for successes in range(n + 1):
            expected = stats.binomtest(successes, n).pvalue
            assert proportion(successes, n).p == pytest.approx(expected, rel=1e-12)
