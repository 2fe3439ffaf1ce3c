"""Ratios of what two tests of the same cases reach: sensitivity, specificity, fractions of positive calls."""

import math
from dataclasses import dataclass

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, two_sided_p, wald
from analysis.paired import PairedTable, paired_table
from analysis.ratings import Bools, Floats

SAME = "No case was decided differently; the ratio is 1 and nothing speaks against equality."


@dataclass(frozen=True)
class PairedCalls:
    """How two tests call the same cases; both, first_only ... count positive calls."""

    diseased: PairedTable
    healthy: PairedTable


@dataclass(frozen=True)
class Ratio:
    """Second divided by first, with the standard error of its logarithm; p tests the ratio against 1."""

    estimate: float
    se_log: float
    statistic: float
    p: float
    first: float
    second: float
    n: int
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Normal on the scale of the logarithm."""
        interval = wald(math.log(self.estimate), self.se_log, level)
        return Interval(math.exp(interval.low), math.exp(interval.high), level)


def paired_calls(truth: Bools, first: Floats, second: Floats) -> PairedCalls:
    """How do the calls of two tests go together among diseased and among non-diseased cases?

    truth: (n,) True where diseased; first, second: (n,) 1 = called diseased, 0 = not; anything else is refused.

    >>> import numpy as np
    >>> paired_calls(np.array([True, True, False]), np.array([1.0, 1, 0]), np.array([1.0, 0, 1])).healthy
    PairedTable(both=0, first_only=0, second_only=1, neither=0)
    """
    return PairedCalls(paired_table(first[truth], second[truth]), paired_table(first[~truth], second[~truth]))


def relative_sensitivity(calls: PairedCalls) -> Ratio:
    """By which factor does the sensitivity of the second test exceed that of the first?

    With a, b, c the diseased cases called by both, by the first alone, by the second alone:
    estimate = (a + c) / (a + b), se_log = sqrt((b + c) / ((a + b)(a + c))), z = log(estimate) / se_log.
    Source: Cheng & Macaluso (1997), Epidemiology 8:104-106; Alonzo, Pepe & Moskowitz (2002), Stat. Med. 21:835-852.
    It equals the ratio of true-positive fractions, which also exists where only cases with a positive call were
    verified. A test without a true call: refused; no difference: 1, p = 1 and a warning.

    >>> calls = PairedCalls(PairedTable(319, 78, 22, 32), PairedTable(31, 53, 22, 155))
    >>> found = relative_sensitivity(calls)
    >>> round(found.estimate, 6), round(found.se_log, 6)
    (0.858942, 0.027179)
    """
    return ratio(calls.diseased, "calls a diseased case")


def relative_specificity(calls: PairedCalls) -> Ratio:
    """By which factor does the specificity of the second test exceed that of the first?

    As `relative_sensitivity`, on the non-diseased cases that are left alone.

    >>> calls = PairedCalls(PairedTable(319, 78, 22, 32), PairedTable(31, 53, 22, 155))
    >>> round(relative_specificity(calls).estimate, 6)
    1.175141
    """
    return ratio(calls.healthy.mirrored, "leaves a non-diseased case alone")


def relative_false_positives(calls: PairedCalls) -> Ratio:
    """By which factor does the false-positive fraction of the second test exceed that of the first?

    As `relative_sensitivity`, on the non-diseased cases that are called; smaller than 1 where the second is better.

    >>> calls = PairedCalls(PairedTable(319, 78, 22, 32), PairedTable(31, 53, 22, 155))
    >>> round(relative_false_positives(calls).estimate, 6)
    0.630952
    """
    return ratio(calls.healthy, "calls a non-diseased case")


def ratio(table: PairedTable, success: str) -> Ratio:
    """Second over first share of successes among the cases of the table."""
    first, second = table.both + table.first_only, table.both + table.second_only
    if first == 0 or second == 0:
        which = "first" if first == 0 else "second"
        raise CannotAnalyse(f"The {which} test never {success}, so the ratio does not exist.")
    shares = (first / table.n, second / table.n)
    discordant = table.first_only + table.second_only
    if discordant == 0:
        return Ratio(1.0, 0.0, 0.0, 1.0, *shares, table.n, (SAME,))
    return ratio_against_one(second / first, math.sqrt(discordant / (first * second)), *shares, table.n)


def ratio_against_one(estimate: float, se_log: float, first: float, second: float, n: int) -> Ratio:
    """A ratio with its test against 1; without variance 1, p = 1 and a warning, or refused."""
    if se_log == 0:
        if abs(math.log(estimate)) > 1e-12:
            raise CannotAnalyse("The ratio differs from 1 without any variance, so it cannot be tested.")
        return Ratio(1.0, 0.0, 0.0, 1.0, first, second, n, (SAME,))
    z = math.log(estimate) / se_log
    return Ratio(estimate, se_log, z, two_sided_p(z), first, second, n)
