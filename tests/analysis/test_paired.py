"""McNemar, intervals of the paired difference and the odds ratio: edges and identities.

The comparison with R stands in oracles/test_paired_binary.py.
"""

import math
from typing import get_args

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.errors import CannotAnalyse
from analysis.paired import (
    METHODS,
    TESTS,
    Alternative,
    McNemar,
    Method,
    OddsRatio,
    PairedTable,
    Test,
    agresti_min,
    bonett_price,
    mcnemar,
    newcombe,
    newcombe_correlation,
    odds_ratio,
    paired_table,
    share_limits,
    tango,
    tango_score,
    wald_interval,
)
from tests.analysis.oracle_entries import agree, agree_all, entry


@pytest.mark.parametrize("counts", ["5_0_0_5", "0_5_0_5", "10_0_0_0", "3_1_1_3"])
def test_edges_of_r(counts: str) -> None:
    expected = entry("edge_cases", f"mcnemar/{counts}/edge_two_cases").values
    n11, n10, n01, n00 = (int(count) for count in counts.split("_"))
    table = PairedTable(n11, n01, n10, n00)
    names: tuple[tuple[Test, str], ...] = (
        ("exact", "exact"),
        ("midp", "midp"),
        ("asymptotic", "asym"),
        ("corrected", "cc"),
    )
    for test, name in names:
        # R answers NaN without discordant pairs; we say that nothing speaks against equality.
        agree(mcnemar(table, test).p, 1.0 if expected[name] == "NaN" else expected[name], f"{counts} {test}")


def test_without_discordant_pairs_there_is_a_warning_and_width() -> None:
    table = PairedTable(6, 0, 0, 4)
    found = mcnemar(table)
    sentence = "No case was decided differently; the difference is 0 and nothing speaks against equality."
    assert found == McNemar(0.0, 0.0, None, 1.0, table, "exact", (sentence,), "two-sided")
    assert mcnemar(table, "midp", "less") == McNemar(0.0, 0.0, None, 1.0, table, "midp", (sentence,), "less")
    assert (wald_interval(table).low, wald_interval(table, corrected=True).high) == (0.0, 0.0)
    for interval in (newcombe(table), tango(table)):
        assert interval.low == pytest.approx(-interval.high)
        assert interval.high > 0
    # Score of 0 discordant among n: z² / (n + z²).
    assert tango(table).high == pytest.approx(1.959963984540054**2 / (10 + 1.959963984540054**2), rel=1e-10)


def test_everything_discordant_one_way_ends_at_one() -> None:
    table = PairedTable(0, 0, 7, 0)
    assert (newcombe(table).high, tango(table).high) == (1.0, 1.0)
    assert 0 < tango(table).low < 1


def test_swapping_the_arms_mirrors_the_interval() -> None:
    one, two = PairedTable(20, 7, 3, 10), PairedTable(20, 3, 7, 10)
    for interval in (newcombe, tango):
        agree_all([interval(one).low, interval(one).high], [-interval(two).high, -interval(two).low], interval.__name__)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [([1.0], [1.0, 0.0], "not 1 and 2"), ([2.0], [1.0], "0 or 1"), ([float("nan")], [1.0], "0 or 1")],
)
def test_outcomes_that_are_not_pairs_of_decisions(first: list[float], second: list[float], sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        paired_table(np.array(first), np.array(second))


def test_no_cases_and_unknown_words_are_refused() -> None:
    empty = PairedTable(0, 0, 0, 0)
    for compute in (mcnemar, newcombe, tango):
        with pytest.raises(CannotAnalyse, match="There are no"):
            compute(empty)
    with pytest.raises(CannotAnalyse, match="not yates"):
        mcnemar(PairedTable(1, 1, 1, 1), "yates")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="not exact"):
        mcnemar(PairedTable(1, 1, 1, 1)).confidence_interval(method="exact")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="between 0 and 1"):
        newcombe(PairedTable(1, 1, 1, 1), 95)


TABLE = PairedTable(20, 7, 3, 10)


@pytest.mark.parametrize("test", TESTS)
def test_one_sided_tests_are_the_two_tails(test: Test) -> None:
    greater, less = mcnemar(TABLE, test, "greater").p, mcnemar(TABLE, test, "less").p
    # The observed table belongs to both exact tails, by half to both mid-p tails, to neither normal one.
    shared = {"exact": float(stats.binom.pmf(3, 10, 0.5))}.get(test, 0.0)
    assert greater + less == pytest.approx(1 + shared, rel=1e-12)
    assert greater > 0.5 > less
    if test in ("asymptotic", "corrected"):
        assert 2 * less == pytest.approx(mcnemar(TABLE, test).p, rel=1e-12)


def test_swapping_the_arms_swaps_the_alternatives() -> None:
    swapped = PairedTable(20, 3, 7, 10)
    for test in get_args(Test):
        assert mcnemar(TABLE, test, "greater").p == pytest.approx(mcnemar(swapped, test, "less").p, rel=1e-12)


def test_a_corrected_difference_of_one_pair_has_no_direction() -> None:
    assert mcnemar(PairedTable(3, 2, 3, 1), "corrected", "greater").p == pytest.approx(0.5)


def test_every_interval_mirrors_and_lies_within_one() -> None:
    for method in get_args(Method):
        for table in (TABLE, PairedTable(0, 0, 3, 0), PairedTable(1, 0, 0, 0), PairedTable(0, 1, 1, 0)):
            mirrored = PairedTable(table.both, table.second_only, table.first_only, table.neither)
            one = mcnemar(table).confidence_interval(method=method)
            two = mcnemar(mirrored).confidence_interval(method=method)
            assert [one.low, one.high] == pytest.approx([-two.high, -two.low], rel=1e-9, abs=1e-12)
            assert -1 <= one.low <= one.high <= 1
            assert one.low <= table.difference <= one.high or method in ("agresti-min", "bonett-price")


def test_success_and_failure_exchanged_turn_the_difference_over() -> None:
    assert TABLE.mirrored.difference == -TABLE.difference
    assert TABLE.mirrored.mirrored == TABLE


def test_padded_intervals_by_hand() -> None:
    # b = 7, c = 3, n = 40: centre -4/42, variances (11 - 16/42)/42² and (12/42 - (4/42)²)/42, z = 1.959964.
    z = 1.959963984540054
    agree_all(
        [agresti_min(TABLE).low, agresti_min(TABLE).high],
        [-4 / 42 + sign * z * math.sqrt(11 - 16 / 42) / 42 for sign in (-1, 1)],
        "Agresti and Min",
    )
    agree_all(
        [bonett_price(TABLE).low, bonett_price(TABLE).high],
        [-4 / 42 + sign * z * math.sqrt((12 / 42 - (4 / 42) ** 2) / 42) for sign in (-1, 1)],
        "Bonett and Price",
    )


def test_the_corrected_interval_is_wider() -> None:
    plain, corrected = wald_interval(TABLE), wald_interval(TABLE, corrected=True)
    assert corrected.low < plain.low < plain.high < corrected.high


def test_tango_limits_solve_the_score() -> None:
    z = 1.959963984540054
    interval = tango(TABLE)
    assert tango_score(TABLE, interval.low) == pytest.approx(z, rel=1e-9)
    assert tango_score(TABLE, interval.high) == pytest.approx(-z, rel=1e-9)


@pytest.mark.parametrize(("successes", "failures"), [(5, 14), (1, 9), (3, 3), (40, 1)])
def test_midp_limits_leave_the_tail_they_promise(successes: int, failures: int) -> None:
    n = successes + failures
    low, high = share_limits(successes, failures, 0.9, midp=True)
    above = stats.binom.sf(successes, n, low) + stats.binom.pmf(successes, n, low) / 2
    below = stats.binom.cdf(successes - 1, n, high) + stats.binom.pmf(successes, n, high) / 2
    assert (above, below) == (pytest.approx(0.05, rel=1e-9), pytest.approx(0.05, rel=1e-9))
    exact = share_limits(successes, failures, 0.9, midp=False)
    assert exact[0] < low < high < exact[1]


def test_odds_ratio_at_its_edges() -> None:
    none = odds_ratio(PairedTable(5, 4, 0, 5))
    assert (none.estimate, none.confidence_interval().low, none.warnings) == (0.0, 0.0, ())
    endless = odds_ratio(PairedTable(5, 0, 4, 5))
    sentence = "Every discordant case was a success of the second arm, so the odds ratio has no upper limit."
    # Four of four on one side: 2/16.
    assert endless.p == pytest.approx(1 / 8)
    assert endless == OddsRatio(math.inf, endless.p, PairedTable(5, 0, 4, 5), False, (sentence,))
    assert odds_ratio(PairedTable(5, 0, 4, 5), midp=True).midp
    assert endless.confidence_interval().high == math.inf
    assert odds_ratio(PairedTable(5, 0, 4, 5), midp=True).confidence_interval().high == math.inf
    with pytest.raises(CannotAnalyse, match="decided differently"):
        odds_ratio(PairedTable(5, 0, 0, 5))


def test_words_of_the_literals_are_those_refused_against() -> None:
    assert get_args(Method) == METHODS
    assert get_args(Test) == TESTS
    assert get_args(Alternative) == ("two-sided", "greater", "less")
    with pytest.raises(CannotAnalyse, match="not larger"):
        mcnemar(TABLE, "exact", "larger")  # type: ignore[arg-type]
    for compute in (wald_interval, agresti_min, bonett_price):
        with pytest.raises(CannotAnalyse, match="no cases"):
            compute(PairedTable(0, 0, 0, 0))


def test_one_sided_midp_by_hand() -> None:
    # Seven of ten pairs on one side: 176/1024 at least so many, 120/1024 exactly so many.
    assert mcnemar(TABLE, "midp", "less").p == pytest.approx((176 - 60) / 1024, rel=1e-12)
    assert mcnemar(TABLE, "midp", "greater").p == pytest.approx(1 - (176 - 60) / 1024, rel=1e-12)


def test_everything_discordant_one_way_has_no_variance_of_its_own() -> None:
    found = mcnemar(PairedTable(0, 0, 7, 0))
    assert (found.estimate, found.se, found.first, found.second) == (1.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("test", get_args(Test))
def test_no_p_is_above_one(test: Test) -> None:
    for b in range(1, 120):
        assert mcnemar(PairedTable(3, b, b, 3), test).p == pytest.approx(1.0)
        assert mcnemar(PairedTable(3, b, b, 3), test).p <= 1
        assert mcnemar(PairedTable(3, b, b + 1, 3), test).p <= 1


def test_the_correlation_of_newcombe_by_hand() -> None:
    # 20 * 10 - 7 * 3 = 179, less half of the 40 cases; margins 27, 13 and 23, 17.
    assert newcombe_correlation(TABLE) == pytest.approx(159 / math.sqrt(27 * 13 * 23 * 17), rel=1e-14)
    # A negative numerator stays, a small one ends at zero, an empty margin has none.
    assert newcombe_correlation(PairedTable(3, 7, 20, 10)) == pytest.approx(-110 / math.sqrt(10 * 30 * 23 * 17))
    assert newcombe_correlation(PairedTable(1, 0, 1, 1)) == 0
    assert newcombe_correlation(PairedTable(0, 0, 3, 2)) == 0


def test_the_score_of_tango_by_hand() -> None:
    # Without discordant pairs nothing is left to estimate: -n d / sqrt(n d (1 - d)).
    assert tango_score(PairedTable(1, 0, 0, 1), 0.1) == pytest.approx(-math.sqrt(2 * 0.1 / 0.9), rel=1e-12)
    assert tango_score(PairedTable(3, 0, 0, 2), 0.0) == 0
    # At no difference it is McNemar's.
    assert tango_score(TABLE, 0.0) == pytest.approx(-4 / math.sqrt(10), rel=1e-12)
    assert (tango_score(TABLE, 1.0), tango_score(TABLE, -1.0)) == (-math.inf, math.inf)


def test_the_nuisance_of_tango_is_the_most_likely_one() -> None:
    for n, b, c, difference in ((40, 7, 3, 0.2), (6, 1, 1, 0.05), (10, 0, 2, -0.3)):

        def against(share: float, n: int = n, b: int = b, c: int = c, difference: float = difference) -> float:
            """Minus the likelihood where `share` of the pairs favour the first arm."""
            rest = 1 - 2 * share - difference
            return -(b * math.log(share) + c * math.log(share + difference) + (n - b - c) * math.log(rest))

        low, high = max(0.0, -difference), (1 - difference) / 2
        found = optimize.minimize_scalar(
            against, bounds=(low + 1e-12, high - 1e-12), method="bounded", options={"xatol": 1e-12}
        )
        variance = n * (2 * found.x + difference * (1 - difference))
        expected = (c - b - n * difference) / math.sqrt(variance)
        assert tango_score(PairedTable(n - b - c, b, c, 0), difference) == pytest.approx(expected, rel=1e-5)


def test_the_limits_of_a_rare_share_are_found_to_all_digits() -> None:
    low, high = share_limits(1, 999_999, 0.95, midp=True)
    # P(more than one) + P(one) / 2 for a Poisson count, which the binomial is here to six digits.
    assert 1 - math.exp(-1e6 * low) * (1 + 1e6 * low / 2) == pytest.approx(0.025, rel=1e-5)
    assert math.exp(-1e6 * high) * (1 + 1e6 * high / 2) == pytest.approx(0.025, rel=1e-5)


def test_a_test_says_what_it_was_asked() -> None:
    # Seven of ten pairs on one side: 176/1024 at least so many.
    found = mcnemar(TABLE, "exact", "less")
    assert found == McNemar(-0.1, found.se, 3.0, found.p, TABLE, "exact", (), "less")
    assert found.se == pytest.approx(math.sqrt(10 - 16 / 40) / 40)
    assert found.p == pytest.approx(176 / 1024)
    assert (mcnemar(TABLE, "midp").test, mcnemar(TABLE, "midp").alternative) == ("midp", "two-sided")
