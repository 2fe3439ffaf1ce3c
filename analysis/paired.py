"""Two binary decisions on the same cases: McNemar's test, intervals of the difference, the odds ratio."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy import optimize, special, stats

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level, quantile, wald
from analysis.ratings import Floats

Test = Literal["exact", "midp", "asymptotic", "corrected"]
Alternative = Literal["two-sided", "greater", "less"]
Method = Literal["newcombe", "tango", "wald", "wald-corrected", "agresti-min", "bonett-price"]
TESTS = ("exact", "midp", "asymptotic", "corrected")
ALTERNATIVES = ("two-sided", "greater", "less")
METHODS = ("newcombe", "tango", "wald", "wald-corrected", "agresti-min", "bonett-price")


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

    @property
    def mirrored(self) -> "PairedTable":
        """The same cases with success and failure exchanged."""
        return PairedTable(self.neither, self.second_only, self.first_only, self.both)

    @property
    def difference(self) -> float:
        """Second minus first proportion; refused without cases."""
        if self.n == 0:
            raise CannotAnalyse("There are no cases decided in both arms, so the difference does not exist.")
        return (self.second_only - self.first_only) / self.n


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
    alternative: Alternative = "two-sided"

    @property
    def first(self) -> float:
        return (self.table.both + self.table.first_only) / self.table.n

    @property
    def second(self) -> float:
        return (self.table.both + self.table.second_only) / self.table.n

    def confidence_interval(self, level: float = 0.95, method: Method = "newcombe") -> Interval:
        """Interval of the difference; see `newcombe`, `tango`, `wald_interval`, `agresti_min`, `bonett_price`."""
        intervals: dict[Method, Callable[[PairedTable, float], Interval]] = {
            "newcombe": newcombe,
            "tango": tango,
            "wald": wald_interval,
            "wald-corrected": partial(wald_interval, corrected=True),
            "agresti-min": agresti_min,
            "bonett-price": bonett_price,
        }
        if method not in intervals:
            raise CannotAnalyse(f"The paired difference has a {', '.join(METHODS)} interval, not {method}.")
        return intervals[method](self.table, level)


@dataclass(frozen=True)
class OddsRatio:
    """Conditional odds ratio of success, second against first arm, from the discordant pairs alone."""

    estimate: float
    p: float
    table: PairedTable
    midp: bool
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Central exact (Clopper-Pearson) or mid-p interval of the share among discordant pairs, as odds."""
        low, high = share_limits(self.table.second_only, self.table.first_only, level, self.midp)
        return Interval(odds(low), odds(high), level)


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


def mcnemar(table: PairedTable, test: Test = "exact", alternative: Alternative = "two-sided") -> McNemar:
    """Do two paired proportions differ?

    table: counts b = first_only, c = second_only. estimate = (c - b) / n,
    se = sqrt(b + c - (b - c)²/n) / n. exact: two-sided binomial on b of b + c; midp: twice the
    smaller tail with half of the observed table's probability, so 1 where b = c (Lancaster 1961, JASA 56:223-234);
    asymptotic: (b - c)²/(b + c) on 1 df, corrected: (|b - c| - 1)²/(b + c); exact, asymptotic and corrected by
    `statsmodels.stats.contingency_tables.mcnemar`. `statistic` is that chi-square, min(b, c) for exact and midp.
    alternative: greater asks whether the second proportion is the larger one, less whether it is the smaller one;
    p is then the one tail (binomial, or normal with the signed root of the chi-square).
    Source: McNemar (1947), Psychometrika 12:153-157. Without discordant pairs: p = 1 and a warning, statistic
    None; no cases: refused.

    >>> round(mcnemar(PairedTable(319, 78, 22, 32), "asymptotic").statistic, 6)
    31.36
    >>> round(mcnemar(PairedTable(20, 2, 9, 10), "exact", "greater").p, 6)
    0.032715
    """
    if test not in TESTS:
        raise CannotAnalyse(f"McNemar's test is {', '.join(TESTS)}, not {test}.")
    if alternative not in ALTERNATIVES:
        raise CannotAnalyse(f"The alternative is {', '.join(ALTERNATIVES)}, not {alternative}.")
    if table.n == 0:
        raise CannotAnalyse("There are no cases decided in both arms, so no paired test exists.")
    b, c, n = table.first_only, table.second_only, table.n
    estimate, se = (c - b) / n, math.sqrt(max(b + c - (b - c) ** 2 / n, 0.0)) / n
    if b + c == 0:
        warning = "No case was decided differently; the difference is 0 and nothing speaks against equality."
        return McNemar(0.0, 0.0, None, 1.0, table, test, (warning,), alternative)
    statistic, p = two_sided_mcnemar(table, test)
    if alternative != "two-sided":
        larger, smaller = (c, b) if alternative == "greater" else (b, c)
        p = upper_tail(larger, smaller, test)
    return McNemar(estimate, se, statistic, p, table, test, (), alternative)


def two_sided_mcnemar(table: PairedTable, test: Test) -> tuple[float, float]:
    """Statistic and p value of a table with discordant pairs."""
    from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

    b, c = table.first_only, table.second_only
    if test == "midp":
        p = 2 * stats.binom.cdf(min(b, c), b + c, 0.5) - stats.binom.pmf(b, b + c, 0.5)
        return float(min(b, c)), min(float(p), 1.0)
    if test == "corrected" and b == c:
        # R keeps the corrected numerator at zero where b equals c; statsmodels lets it rise to (0 - 1)².
        return 0.0, 1.0
    found = statsmodels_mcnemar(
        [[table.both, b], [c, table.neither]], exact=test == "exact", correction=test == "corrected"
    )
    return float(found.statistic), float(found.pvalue)


def upper_tail(larger: int, smaller: int, test: Test) -> float:
    """One-sided p that `larger` of the discordant pairs lie on its side by chance."""
    total = larger + smaller
    if test in ("exact", "midp"):
        half = stats.binom.pmf(larger, total, 0.5) / 2 if test == "midp" else 0.0
        return float(stats.binom.sf(larger - 1, total, 0.5) - half)
    distance = float(larger - smaller)
    if test == "corrected":
        distance = math.copysign(max(abs(distance) - 1, 0.0), distance)
    return float(stats.norm.sf(distance / math.sqrt(total)))


def odds_ratio(table: PairedTable, *, midp: bool = False) -> OddsRatio:
    """By which factor do the odds of success differ between two arms on the same cases?

    estimate = c / b, second against first, the conditional maximum likelihood estimate from the discordant pairs;
    p: McNemar's exact (or mid-p) test of 1; interval: the limits of the share c / (b + c) as odds, exact by Clopper &
    Pearson (1934), or central mid-p. Source: Fay (2010), R Journal 2/1:53-58. b = 0: the estimate and the upper limit
    are infinite and a warning says so; without discordant pairs: refused.

    >>> found = odds_ratio(PairedTable(8, 14, 5, 42))
    >>> interval = found.confidence_interval()
    >>> round(found.estimate, 6), round(interval.low, 6), round(interval.high, 6)
    (0.357143, 0.100674, 1.049304)
    """
    b, c = table.first_only, table.second_only
    if b + c == 0:
        raise CannotAnalyse(
            "No case was decided differently, so the odds ratio of the discordant pairs does not exist."
        )
    p = mcnemar(table, "midp" if midp else "exact").p
    if b == 0:
        warning = "Every discordant case was a success of the second arm, so the odds ratio has no upper limit."
        return OddsRatio(math.inf, p, table, midp, (warning,))
    return OddsRatio(c / b, p, table, midp)


def odds(share: float) -> float:
    return math.inf if share == 1 else share / (1 - share)


def share_limits(successes: int, failures: int, level: float, midp: bool) -> tuple[float, float]:
    """Central limits of a binomial share, exact or mid-p."""
    from analysis.proportions import proportion

    n = successes + failures
    if not midp:
        interval = proportion(successes, n, "clopper-pearson").confidence_interval(level)
        return interval.low, interval.high
    check_level(level)
    tail = (1 - level) / 2

    def limit(count: int) -> float:
        """The share under which `count` or more, the count itself by half, has the probability of the tail."""
        if count == 0:
            return 0.0
        # At a share of one the half leaves a tail of one half only, and more cannot be reached.
        return float(
            optimize.brentq(
                lambda share: (special.bdtrc(count, n, share) + special.bdtrc(count - 1, n, share)) / 2 - tail,
                0.0,
                1.0,
                xtol=1e-16,
                rtol=1e-14,
            )
        )

    return limit(successes), 1 - limit(failures)


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
    two = proportion(table.both + table.second_only, n)
    limits_one, limits_two = one.confidence_interval(level), two.confidence_interval(level)
    phi = newcombe_correlation(table)
    difference = two.estimate - one.estimate
    below = hypotenuse(two.estimate - limits_two.low, limits_one.high - one.estimate, phi)
    above = hypotenuse(limits_two.high - two.estimate, one.estimate - limits_one.low, phi)
    return Interval(difference - below, difference + above, level).clipped(-1.0, 1.0)


def newcombe_correlation(table: PairedTable) -> float:
    """Correlation of the table with its numerator, where positive, lowered by n/2; 0 where a margin is empty."""
    n, one, two = table.n, table.both + table.first_only, table.both + table.second_only
    product = one * (n - one) * two * (n - two)
    cross: float = table.both * table.neither - table.first_only * table.second_only
    if cross > 0:
        cross = max(cross - n / 2, 0.0)
    return cross / math.sqrt(product) if product else 0.0


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
    estimate, z = table.difference, quantile(level)

    def limit(target: float, end: float) -> float:
        if estimate == end:
            return end
        # At the end itself the score may be infinite; just before it lies far beyond any target.
        inner = math.copysign(1 - 1e-12, end)
        return float(optimize.brentq(lambda d: tango_score(table, d) - target, estimate, inner, xtol=1e-15, rtol=1e-14))

    return Interval(limit(z, -1.0), limit(-z, 1.0), level)


def wald_interval(table: PairedTable, level: float = 0.95, *, corrected: bool = False) -> Interval:
    """Between which values does the difference lie, by the normal approximation?

    difference ± z sqrt(b + c - (b - c)²/n) / n, clipped to [-1, 1]; corrected: (|b - c| - 1)² in place of (b - c)²,
    Edwards (1948), Psychometrika 13:185-187. Source: Fagerland, Lydersen & Laake (2014), Stat. Med. 33:2850-2875,
    which advises against both where cases are few. Without discordant pairs the plain one has no width.

    >>> interval = wald_interval(PairedTable(319, 22, 78, 32), corrected=True)
    >>> round(interval.low, 6), round(interval.high, 6)
    (0.082193, 0.166144)
    """
    estimate, n = table.difference, table.n
    distance = abs(table.second_only - table.first_only) - int(corrected)
    variance = table.first_only + table.second_only - distance**2 / n
    return wald(estimate, math.sqrt(max(variance, 0.0)) / n, level).clipped(-1.0, 1.0)


def agresti_min(table: PairedTable, level: float = 0.95) -> Interval:
    """Between which values does the difference lie, by Wald's interval with one half added to every cell?

    Source: Agresti & Min (2005), Stat. Med. 24:729-740: b, c and n become b + 1/2, c + 1/2 and n + 2, in the centre
    too. Clipped to [-1, 1].

    >>> interval = agresti_min(PairedTable(319, 22, 78, 32))
    >>> round(interval.low, 6), round(interval.high, 6)
    (0.081655, 0.165586)
    """
    return padded(table, 0.5, level)


def bonett_price(table: PairedTable, level: float = 0.95) -> Interval:
    """Between which values does the difference lie, by Wald's interval with one added to both discordant counts?

    Source: Bonett & Price (2012), J. Educ. Behav. Stat. 37:479-488: b, c and n become b + 1, c + 1 and n + 2, in the
    centre too. Clipped to [-1, 1].

    >>> interval = bonett_price(PairedTable(319, 22, 78, 32))
    >>> round(interval.low, 6), round(interval.high, 6)
    (0.081432, 0.165808)
    """
    return padded(table, 1.0, level)


def padded(table: PairedTable, added: float, level: float) -> Interval:
    """Wald's interval after adding so much to both discordant counts and 2 to the cases."""
    if table.n == 0:
        raise CannotAnalyse("There are no cases decided in both arms, so the difference does not exist.")
    n = table.n + 2
    first, second = (table.first_only + added) / n, (table.second_only + added) / n
    se = math.sqrt((first + second - (second - first) ** 2) / n)
    return wald(second - first, se, level).clipped(-1.0, 1.0)
