"""Ratios of a confusion table: likelihood ratios, diagnostic odds ratio, number needed to diagnose."""

import math
from dataclasses import dataclass
from typing import Literal

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, quantile, two_sided_p
from analysis.proportions import ConfusionTable, SumMethod, Youden, sensitivity, specificity, youden

NO_LOGARITHM = "A cell of the table is empty, so the interval is that of the table with one half added to each cell."


@dataclass(frozen=True)
class Ratio:
    """A ratio with a normal interval of its logarithm; p tests it against 1.

    centre, se: logarithm that the interval stands around, and its standard error; they are those of the table with
    one half added to each cell where a warning says so.
    """

    estimate: float
    se: float
    p: float
    centre: float
    table: ConfusionTable
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        half = quantile(level) * self.se
        low, high = math.exp(self.centre - half), math.exp(self.centre + half)
        return Interval(min(low, self.estimate), max(high, self.estimate), level)


@dataclass(frozen=True)
class NumberNeeded:
    """The inverse of Youden's index; p tests that index against 0."""

    estimate: float
    se: float
    p: float | None
    youden: Youden
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        found = self.youden.confidence_interval(level)
        if found.low <= 0 <= found.high:
            raise CannotAnalyse(
                "The interval of Youden's index holds 0, where the number needed to diagnose is infinite, "
                "so that number has no interval."
            )
        return Interval(1 / found.high, 1 / found.low, level)


def positive_likelihood_ratio(table: ConfusionTable) -> Ratio:
    """How much more often is a diseased case called diseased than a non-diseased one?  sensitivity / (1 - specificity).

    Interval: exp(log ratio ± z se), se² = 1/tp - 1/(tp + fn) + 1/fp - 1/(fp + tn). Source: Simel, Samsa & Matchar
    (1991), J. Clin. Epidemiol. 44:763-770. Without true positives the ratio is 0, and the interval is that of the
    table with one half added to each cell, with a warning. Without false positives it is infinite and refused.

    >>> ratio = positive_likelihood_ratio(ConfusionTable(tp=28, fp=1, tn=68, fn=17))
    >>> round(ratio.estimate, 6), round(ratio.confidence_interval().low, 6)
    (42.933333, 6.053675)
    """
    check_both(table)
    if table.fp == 0:
        raise CannotAnalyse("No non-diseased case was called diseased, so the positive likelihood ratio is infinite.")
    return ratio_of_shares(table, table.tp, table.fp)


def negative_likelihood_ratio(table: ConfusionTable) -> Ratio:
    """How much more often is a diseased case left alone than a non-diseased one?  (1 - sensitivity) / specificity.

    Interval: exp(log ratio ± z se), se² = 1/fn - 1/(tp + fn) + 1/tn - 1/(fp + tn). Source: Simel, Samsa & Matchar
    (1991). Without false negatives the ratio is 0, and the interval is that of the table with one half added to
    each cell, with a warning. Without true negatives it is infinite and refused.

    >>> ratio = negative_likelihood_ratio(ConfusionTable(tp=28, fp=1, tn=68, fn=17))
    >>> round(ratio.estimate, 6), round(ratio.confidence_interval().high, 6)
    (0.383333, 0.558338)
    """
    check_both(table)
    if table.tn == 0:
        raise CannotAnalyse("No non-diseased case was left alone, so the negative likelihood ratio is infinite.")
    return ratio_of_shares(table, table.fn, table.tn)


def ratio_of_shares(table: ConfusionTable, first: int, second: int) -> Ratio:
    """first among the diseased over second among the non-diseased."""
    n1, n0 = table.positives, table.negatives
    estimate = (first / n1) / (second / n0)
    if first:
        return ratio(estimate, math.log(estimate), 1 / first - 1 / n1 + 1 / second - 1 / n0, table)
    x1, x0, m1, m0 = 0.5, second + 0.5, n1 + 1, n0 + 1
    variance = 1 / x1 - 1 / m1 + 1 / x0 - 1 / m0
    return ratio(estimate, math.log(x1 / m1 / (x0 / m0)), variance, table, NO_LOGARITHM)


def ratio(estimate: float, centre: float, variance: float, table: ConfusionTable, *warnings: str) -> Ratio:
    se = math.sqrt(max(variance, 0.0))
    if se == 0:
        return Ratio(estimate, 0.0, 1.0, centre, table, ("The ratio does not vary, so the interval has no width.",))
    return Ratio(estimate, se, two_sided_p(centre / se), centre, table, warnings)


def diagnostic_odds_ratio(table: ConfusionTable, zero_cells: Literal["refuse", "add half"] = "refuse") -> Ratio:
    """How many times larger are the odds of being called diseased for a diseased case?  tp tn / (fp fn).

    Interval: exp(log ratio ± z se), se² = 1/tp + 1/fp + 1/tn + 1/fn. Source: Glas, Lijmer, Prins, Bonsel & Bossuyt
    (2003), J. Clin. Epidemiol. 56:1129-1135. An empty cell makes it 0 or infinite: refused, or, where asked for, one
    half is added to every cell of such a table (Haldane 1956), with a warning.

    >>> ratio = diagnostic_odds_ratio(ConfusionTable(tp=28, fp=1, tn=68, fn=17))
    >>> round(ratio.estimate, 6), round(ratio.confidence_interval().low, 6)
    (112.0, 14.214354)
    """
    check_both(table)
    cells = [float(count) for count in (table.tp, table.tn, table.fp, table.fn)]
    warnings: tuple[str, ...] = ()
    if min(cells) == 0:
        if zero_cells == "refuse":
            raise CannotAnalyse("A cell of the confusion table is empty, so the diagnostic odds ratio does not exist.")
        cells = [count + 0.5 for count in cells]
        warnings = ("A cell of the table is empty; one half was added to each cell.",)
    estimate = cells[0] * cells[1] / (cells[2] * cells[3])
    return ratio(estimate, math.log(estimate), sum(1 / count for count in cells), table, *warnings)


def number_needed_to_diagnose(table: ConfusionTable, method: SumMethod = "newcombe") -> NumberNeeded:
    """How many cases, half of them diseased, bring one more found than falsely called?  1 / Youden's index.

    The interval is that of Youden's index turned over (`proportions.youden`, where `method` is explained) and does
    not exist where that holds 0. se = se(index) / index². Source: Bandolier 27 (1996); Linn & Grunau (2006), Epidemiol.
    Perspect. Innov. 3:11. An index of 0 is refused; a negative one is returned with a warning.

    >>> found = number_needed_to_diagnose(ConfusionTable(tp=28, fp=1, tn=68, fn=17), "limits")
    >>> round(found.estimate, 6), round(found.confidence_interval().high, 6)
    (1.645469, 2.582067)
    """
    index = youden(table, method)
    # sensitivity + specificity - 1 of a useless table may miss 0 by rounding.
    if abs(index.estimate) < 1e-12:
        raise CannotAnalyse("Youden's index is 0, so no number of cases is enough to diagnose.")
    warnings = ("The decisions are worse than chance, so the number is negative.",) if index.estimate < 0 else ()
    return NumberNeeded(1 / index.estimate, index.se / index.estimate**2, index.p, index, warnings)


def check_both(table: ConfusionTable) -> None:
    """Refuse a table of one class with the name of what is missing."""
    sensitivity(table), specificity(table)
