"""Binary decisions of one reader or model: confusion table, its proportions and their intervals."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level
from analysis.ratings import Bools, Floats

Method = Literal["wilson", "clopper-pearson"]
STATSMODELS_NAMES = {"wilson": "wilson", "clopper-pearson": "beta"}


@dataclass(frozen=True)
class Proportion:
    """A share of successes; p tests it against one half (exact binomial)."""

    successes: int
    n: int
    estimate: float
    se: float
    p: float
    method: Method

    def confidence_interval(self, level: float = 0.95) -> Interval:
        from statsmodels.stats.proportion import proportion_confint

        check_level(level)
        low, high = proportion_confint(self.successes, self.n, alpha=1 - level, method=STATSMODELS_NAMES[self.method])
        return Interval(float(low), float(high), level).clipped()


@dataclass(frozen=True)
class ConfusionTable:
    """Counts of decisions against the truth."""

    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def positives(self) -> int:
        return self.tp + self.fn

    @property
    def negatives(self) -> int:
        return self.tn + self.fp

    @property
    def n(self) -> int:
        return self.positives + self.negatives


@dataclass(frozen=True)
class Youden:
    """sensitivity + specificity - 1; p tests it against 0 with the unpooled normal statistic."""

    estimate: float
    se: float
    p: float | None
    table: ConfusionTable

    def confidence_interval(self, level: float = 0.95) -> Interval:
        from statsmodels.stats.proportion import confint_proportions_2indep

        check_level(level)
        low, high = confint_proportions_2indep(
            self.table.tp,
            self.table.positives,
            self.table.fp,
            self.table.negatives,
            method="newcomb",
            compare="diff",
            alpha=1 - level,
        )
        return Interval(float(low), float(high), level).clipped(-1.0, 1.0)


def proportion(successes: int, n: int, method: Method = "wilson", of: str = "cases") -> Proportion:
    """What share of n is a success?

    successes, n: counts, 0 <= successes <= n. estimate = successes / n; se = sqrt(estimate (1 - estimate) / n).
    Interval: Wilson (1927), JASA 22:209-212, or Clopper & Pearson (1934), Biometrika 26:404-413, both by
    `statsmodels.stats.proportion.proportion_confint`; both stay within [0, 1] and have width at 0 and n.
    n = 0 is refused with the name `of` what is missing.

    >>> interval = proportion(41, 45).confidence_interval()
    >>> round(interval.low, 6), round(interval.high, 6)
    (0.792664, 0.964889)
    """
    from scipy import stats

    if method not in STATSMODELS_NAMES:
        raise CannotAnalyse(f"A proportion has a wilson or a clopper-pearson interval, not {method}.")
    if n == 0:
        raise CannotAnalyse(f"There are no {of}, so the proportion does not exist.")
    if not 0 <= successes <= n:
        raise CannotAnalyse(f"{successes} successes among {n} {of} are not possible.")
    estimate = successes / n
    se = math.sqrt(estimate * (1 - estimate) / n)
    return Proportion(successes, n, estimate, se, float(stats.binomtest(successes, n).pvalue), method)


def confusion_table(truth: Bools, decision: Floats) -> ConfusionTable:
    """How do the decisions agree with the truth?

    truth: (n,) True where diseased; decision: (n,) 1 = called diseased, 0 = not. A decision that is neither
    (NaN too) is refused: missing readings are left out before, on purpose and by the caller.

    >>> confusion_table(np.array([True, True, False]), np.array([1.0, 0.0, 0.0]))
    ConfusionTable(tp=1, fp=0, tn=1, fn=1)
    """
    decision = np.asarray(decision, dtype=float)
    if not bool(np.isin(decision, (0.0, 1.0)).all()):
        raise CannotAnalyse("A decision must be 0 or 1; at least one is neither.")
    called = decision == 1
    return ConfusionTable(
        tp=int((called & truth).sum()),
        fp=int((called & ~truth).sum()),
        tn=int((~called & ~truth).sum()),
        fn=int((~called & truth).sum()),
    )


def sensitivity(table: ConfusionTable, method: Method = "wilson") -> Proportion:
    """What share of the diseased cases was called diseased?  tp / (tp + fn); refused without diseased cases.

    >>> round(sensitivity(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.911111
    """
    return proportion(table.tp, table.positives, method, of="diseased cases")


def specificity(table: ConfusionTable, method: Method = "wilson") -> Proportion:
    """What share of the non-diseased cases was left alone?  tn / (tn + fp); refused without non-diseased cases.

    >>> round(specificity(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.681159
    """
    return proportion(table.tn, table.negatives, method, of="non-diseased cases")


def positive_predictive_value(table: ConfusionTable, method: Method = "wilson") -> Proportion:
    """What share of the calls was right?  tp / (tp + fp), at the prevalence of the table; refused without calls.

    >>> round(positive_predictive_value(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.650794
    """
    return proportion(table.tp, table.tp + table.fp, method, of="positive calls")


def negative_predictive_value(table: ConfusionTable, method: Method = "wilson") -> Proportion:
    """What share of the cases left alone was healthy?  tn / (tn + fn), at the prevalence of the table.

    >>> round(negative_predictive_value(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.921569
    """
    return proportion(table.tn, table.tn + table.fn, method, of="negative calls")


def accuracy(table: ConfusionTable, method: Method = "wilson") -> Proportion:
    """What share of all cases was decided rightly?  (tp + tn) / n; refused without cases.

    >>> round(accuracy(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.77193
    """
    return proportion(table.tp + table.tn, table.n, method, of="cases")


def f1(table: ConfusionTable) -> float:
    """Harmonic mean of sensitivity and positive predictive value: 2 tp / (2 tp + fp + fn).

    It has no closed interval and depends on prevalence; refused where neither a diseased case nor a call exists.

    >>> round(f1(ConfusionTable(tp=41, fp=22, tn=47, fn=4)), 6)
    0.759259
    """
    if table.tp + table.fp + table.fn == 0:
        raise CannotAnalyse("There is neither a diseased case nor a positive call, so F1 does not exist.")
    return 2 * table.tp / (2 * table.tp + table.fp + table.fn)


def youden(table: ConfusionTable) -> Youden:
    """How far above chance do the decisions lie?  sensitivity + specificity - 1.

    se² = se(sensitivity)² + se(specificity)²; interval: Newcombe's hybrid score for the difference of
    sensitivity and 1 - specificity, Newcombe (1998), Stat. Med. 17:873-890, method 10. p is None where the
    variance is zero. One class alone is refused.

    >>> round(youden(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.592271
    """
    first, second = sensitivity(table), specificity(table)
    estimate = first.estimate + second.estimate - 1
    se = math.hypot(first.se, second.se)
    if se == 0:
        return Youden(estimate, 0.0, None, table)
    return Youden(estimate, se, math.erfc(abs(estimate) / se / math.sqrt(2)), table)
