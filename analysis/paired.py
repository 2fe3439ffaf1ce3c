"""Two binary decisions on the same cases: McNemar's test and intervals of the difference."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize, stats

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, quantile, wald
from analysis.ratings import Floats

Test = Literal["exact", "midp", "asymptotic", "corrected"]
Method = Literal["newcombe", "tango", "wald"]
TESTS = ("exact", "midp", "asymptotic", "corrected")
METHODS = ("newcombe", "tango", "wald")


@dataclass(frozen=True)
class PairedTable:
    """Counts of cases by the outcome under the first and the second arm."""

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def n(self) -> int:
        return self.both + self.first_only + self.second_only + self.neither


@dataclass(frozen=True)
class McNemar:
    """Difference of two paired proportions, second minus first, with McNemar's test of no difference."""

    estimate: float
    se: float
    statistic: float | None
    p: float
    table: PairedTable
    test: Test
    warnings: tuple[str, ...] = ()

    @property
    def first(self) -> float:
        return (self.table.both + self.table.first_only) / self.table.n

    @property
    def second(self) -> float:
        return (self.table.both + self.table.second_only) / self.table.n

    def confidence_interval(self, level: float = 0.95, method: Method = "newcombe") -> Interval:
        """Interval of the difference; see `newcombe`, `tango`."""
        if method == "newcombe":
            return newcombe(self.table, level)
        if method == "tango":
            return tango(self.table, level)
        if method == "wald":
            return wald(self.estimate, self.se, level).clipped(-1.0, 1.0)
        raise CannotAnalyse(f"The paired difference has a {', '.join(METHODS)} interval, not {method}.")


def paired_table(first: Floats, second: Floats) -> PairedTable:
    """How do two binary outcomes of the same cases go together?

    first, second: (n,) 0 or 1 in the same order of cases; anything else is refused.

    >>> paired_table(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]))
    PairedTable(both=1, first_only=1, second_only=1, neither=1)
    """
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != two.shape:
        raise CannotAnalyse(f"Paired outcomes must be of the same cases, not {one.size} and {two.size}.")
    if not bool(np.isin(one, (0.0, 1.0)).all() and np.isin(two, (0.0, 1.0)).all()):
        raise CannotAnalyse("A paired outcome must be 0 or 1; at least one is neither.")
    a, b = one == 1, two == 1
    return PairedTable(int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum()))


def mcnemar(table: PairedTable, test: Test = "exact") -> McNemar:
    """Do two paired proportions differ?

    table: counts b = first_only, c = second_only. estimate = (c - b) / n,
    se = sqrt(b + c - (b - c)²/n) / n. exact: two-sided binomial on b of b + c; midp: twice the
    smaller tail with half of the observed table's probability, so 1 where b = c (Lancaster 1961, JASA 56:223-234);
    asymptotic: (b - c)²/(b + c) on 1 df, corrected: (|b - c| - 1)²/(b + c); exact, asymptotic and corrected by
    `statsmodels.stats.contingency_tables.mcnemar`. `statistic` is that chi-square, min(b, c) for exact and midp.
    Source: McNemar (1947), Psychometrika 12:153-157. Without discordant pairs: p = 1 and a warning, statistic
    None; no cases: refused.

    >>> round(mcnemar(PairedTable(319, 78, 22, 32), "asymptotic").statistic, 6)
    31.36
    """
    from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

    if test not in TESTS:
        raise CannotAnalyse(f"McNemar's test is {', '.join(TESTS)}, not {test}.")
    if table.n == 0:
        raise CannotAnalyse("There are no cases decided in both arms, so no paired test exists.")
    b, c, n = table.first_only, table.second_only, table.n
    estimate, se = (c - b) / n, math.sqrt(max(b + c - (b - c) ** 2 / n, 0.0)) / n
    if b + c == 0:
        warning = "No case was decided differently; the difference is 0 and nothing speaks against equality."
        return McNemar(0.0, 0.0, None, 1.0, table, test, (warning,))
    if test == "midp":
        p = 2 * stats.binom.cdf(min(b, c), b + c, 0.5) - stats.binom.pmf(b, b + c, 0.5)
        return McNemar(estimate, se, float(min(b, c)), min(float(p), 1.0), table, test)
    if test == "corrected" and b == c:
        # R keeps the corrected numerator at zero where b equals c; statsmodels lets it rise to (0 - 1)².
        return McNemar(estimate, se, 0.0, 1.0, table, test)
    counts = [[table.both, b], [c, table.neither]]
    found = statsmodels_mcnemar(counts, exact=test == "exact", correction=test == "corrected")
    return McNemar(estimate, se, float(found.statistic), min(float(found.pvalue), 1.0), table, test)


def newcombe(table: PairedTable, level: float = 0.95) -> Interval:
    """Between which values does the difference of two paired proportions lie, by square-and-add of Wilson's limits?

    Source: Newcombe (1998), Stat. Med. 17:2635-2650, method 10: with p1, p2 the margins, their Wilson
    limits, and phi the correlation of the table (its numerator, where positive, lowered by n/2 but not below 0;
    0 where a margin is empty), the distance
    below is sqrt(d2l² - 2 phi d2l d1u + d1u²), the distance above sqrt(d2u² - 2 phi d2u d1l + d1l²).
    Second minus first. Never outside [-1, 1]; no cases: refused.

    >>> interval = newcombe(PairedTable(319, 22, 78, 32))
    >>> round(interval.low, 6), round(interval.high, 6)
    (0.082028, 0.166649)
    """
    from analysis.proportions import proportion

    n = table.n
    one = proportion(table.both + table.first_only, n, of="pairs")
    two = proportion(table.both + table.second_only, n, of="pairs")
    limits_one, limits_two = one.confidence_interval(level), two.confidence_interval(level)
    product = one.successes * (n - one.successes) * two.successes * (n - two.successes)
    cross: float = table.both * table.neither - table.first_only * table.second_only
    if cross > 0:
        cross = max(cross - n / 2, 0.0)
    phi = cross / math.sqrt(product) if product else 0.0
    difference = two.estimate - one.estimate
    below = hypotenuse(two.estimate - limits_two.low, limits_one.high - one.estimate, phi)
    above = hypotenuse(limits_two.high - two.estimate, one.estimate - limits_one.low, phi)
    return Interval(difference - below, difference + above, level).clipped(-1.0, 1.0)


def hypotenuse(one: float, two: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2 * phi * one * two + two * two, 0.0))


def tango_score(table: PairedTable, difference: float) -> float:
    """Tango's score statistic of H0: second - first = difference; Tango (1998), Stat. Med. 17:891-908, eq. 9-11."""
    n, b, c = table.n, table.second_only, table.first_only
    linear = -b - c + (2 * n - b + c) * difference
    constant = -c * difference * (1 - difference)
    nuisance = (math.sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * nuisance + difference * (1 - difference))
    distance = b - c - n * difference
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def tango(table: PairedTable, level: float = 0.95) -> Interval:
    """Which differences of two paired proportions does the score test not reject?

    Second minus first; the limits solve score(difference) = ± z, found by Brent's method to 1e-14 in [-1, 1].
    Source: Tango (1998), Stat. Med. 17:891-908. No cases: refused. Without discordant pairs the limits are
    ± z²/(n + z²).

    >>> interval = tango(PairedTable(319, 22, 78, 32))
    >>> round(interval.low, 6), round(interval.high, 6)
    (0.08275, 0.16732)
    """
    if table.n == 0:
        raise CannotAnalyse("There are no cases decided in both arms, so the difference does not exist.")
    z = quantile(level)
    estimate = (table.second_only - table.first_only) / table.n

    def limit(target: float, end: float) -> float:
        if estimate == end:
            return end
        inner = math.copysign(1 - 1e-12, end)
        if (tango_score(table, inner) - target) * (tango_score(table, estimate) - target) > 0:
            return end
        return float(optimize.brentq(lambda d: tango_score(table, d) - target, estimate, inner, xtol=1e-15, rtol=1e-14))

    return Interval(limit(z, -1.0), limit(-z, 1.0), level)
