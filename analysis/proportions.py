"""Binary decisions of one reader or model: confusion table, its proportions and their intervals."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import special

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level, quantile, two_sided_p
from analysis.ratings import Bools, Floats

Method = Literal["wilson", "clopper-pearson", "wilson-corrected", "agresti-coull", "logit", "cloglog", "wald"]
STATSMODELS_NAMES = {"wilson": "wilson", "clopper-pearson": "beta", "agresti-coull": "agresti_coull", "wald": "normal"}
# Newcombe's, or the sum of the limits of Clopper and Pearson's intervals of both parts.
SumMethod = Literal["newcombe", "limits"]


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
        check_level(level)
        if self.method in STATSMODELS_NAMES:
            return by_statsmodels(self.successes, self.n, STATSMODELS_NAMES[self.method], level)
        if self.method == "wilson-corrected":
            return wilson_corrected(self.successes, self.n, level)
        if 0 < self.successes < self.n:
            return transformed(self.estimate, self.n, self.method, level)
        # The transformed share is infinite: the exact one-sided limit at half of what is left of the level.
        limit = ((1 - level) / 2) ** (1 / self.n)
        return Interval(limit, 1.0, level) if self.successes else Interval(0.0, 1 - limit, level)


def by_statsmodels(successes: int, n: int, method: str, level: float) -> Interval:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - level, method=method)
    return Interval(float(low), float(high), level).clipped()


def wilson_corrected(successes: int, n: int, level: float) -> Interval:
    """Wilson's interval with continuity correction; Newcombe (1998), Stat. Med. 17:857-872, method 4."""
    z = quantile(level)
    shift = z**2 / (2 * n)

    def limit(share: float, side: int) -> float:
        return (share + shift + side * z * math.sqrt(share * (1 - share) / n + shift / (2 * n))) / (1 + 2 * shift)

    low = limit((successes - 0.5) / n, -1) if successes else 0.0
    high = limit((successes + 0.5) / n, 1) if successes < n else 1.0
    return Interval(low, high, level)


def transformed(estimate: float, n: int, method: str, level: float) -> Interval:
    """Normal interval of the logit, or of log(-log(share)), brought back."""
    z = quantile(level)
    if method == "logit":
        centre, half = math.log(estimate / (1 - estimate)), z / math.sqrt(n * estimate * (1 - estimate))
        return Interval(1 / (1 + math.exp(half - centre)), 1 / (1 + math.exp(-half - centre)), level)
    centre = math.log(-math.log(estimate))
    half = z * math.sqrt((1 - estimate) / (n * estimate)) / -math.log(estimate)
    return Interval(math.exp(-math.exp(centre + half)), math.exp(-math.exp(centre - half)), level)


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
    method: SumMethod = "newcombe"

    def confidence_interval(self, level: float = 0.95) -> Interval:
        check_level(level)
        if self.method == "limits":
            parts = [share(self.table, "clopper-pearson").confidence_interval(level) for share in BOTH]
            return Interval(sum(part.low for part in parts) - 1, sum(part.high for part in parts) - 1, level)
        return newcombe_sum(self.table, level)


@dataclass(frozen=True)
class BalancedAccuracy:
    """Mean of sensitivity and specificity; p tests it against one half, as Youden's index against 0."""

    estimate: float
    se: float
    p: float | None
    table: ConfusionTable

    def confidence_interval(self, level: float = 0.95) -> Interval:
        found = youden(self.table).confidence_interval(level)
        return Interval((found.low + 1) / 2, (found.high + 1) / 2, level)


@dataclass(frozen=True)
class F1:
    """Harmonic mean of sensitivity and positive predictive value, with its share tp / (tp + fp + fn)."""

    estimate: float
    se: float
    p: None
    share: Proportion

    def confidence_interval(self, level: float = 0.95) -> Interval:
        found = self.share.confidence_interval(level)
        return Interval(2 * found.low / (1 + found.low), 2 * found.high / (1 + found.high), level)


def newcombe_sum(table: ConfusionTable, level: float) -> Interval:
    """Newcombe's interval of sensitivity - (1 - specificity)."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    counts = (table.tp, table.positives, table.fp, table.negatives)
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=1 - level)
    return Interval(float(low), float(high), level).clipped(-1.0, 1.0)


def proportion(successes: int, n: int, method: Method = "wilson", of: str = "cases") -> Proportion:
    """What share of n is a success?

    successes, n: counts, 0 <= successes <= n. estimate = successes / n; se = sqrt(estimate (1 - estimate) / n).
    Interval: Wilson (1927), JASA 22:209-212; Clopper & Pearson (1934), Biometrika 26:404-413; Wilson's with
    continuity correction (`wilson_corrected`); Agresti & Coull (1998), Am. Stat. 52:119-126; normal on the logit or
    on the log(-log) scale; normal (wald), which covers too seldom near 0 and 1. All stay within [0, 1], and all but
    wald have width at 0 and n. n = 0 is refused with the name `of` what is missing.

    >>> interval = proportion(41, 45).confidence_interval()
    >>> round(interval.low, 6), round(interval.high, 6)
    (0.792664, 0.964889)
    """
    if method not in get_args(Method):
        raise CannotAnalyse(f"A proportion has a {', '.join(get_args(Method))} interval, not {method}.")
    if n == 0:
        raise CannotAnalyse(f"There are no {of}, so the proportion does not exist.")
    if not 0 <= successes <= n:
        raise CannotAnalyse(f"{successes} successes among {n} {of} are not possible.")
    estimate = successes / n
    se = math.sqrt(estimate * (1 - estimate) / n)
    return Proportion(successes, n, estimate, se, against_half(successes, n), method)


def against_half(successes: int, n: int) -> float:
    """Two-sided exact binomial p of a share of one half, where both tails are alike."""
    # Not scipy's binomtest: it searches for the other tail, which takes a hundred times as long.
    rarer = min(successes, n - successes)
    return min(2 * float(special.betainc(n - rarer, rarer + 1, 0.5)), 1.0)


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
    return proportion(table.tp + table.tn, table.n, method)


def prevalence(table: ConfusionTable, method: Method = "wilson") -> Proportion:
    """What share of the cases is diseased?  (tp + fn) / n; refused without cases.

    >>> round(prevalence(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.394737
    """
    return proportion(table.positives, table.n, method)


def apparent_prevalence(table: ConfusionTable, method: Method = "wilson") -> Proportion:
    """What share of the cases was called diseased?  (tp + fp) / n; refused without cases.

    >>> round(apparent_prevalence(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.552632
    """
    return proportion(table.tp + table.fp, table.n, method)


def false_positive_fraction(table: ConfusionTable, method: Method = "wilson") -> Proportion:
    """What share of the non-diseased cases was called diseased?  fp / (tn + fp) = 1 - specificity.

    >>> round(false_positive_fraction(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.318841
    """
    return proportion(table.fp, table.negatives, method, of="non-diseased cases")


def false_negative_fraction(table: ConfusionTable, method: Method = "wilson") -> Proportion:
    """What share of the diseased cases was missed?  fn / (tp + fn) = 1 - sensitivity.

    >>> round(false_negative_fraction(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.088889
    """
    return proportion(table.fn, table.positives, method, of="diseased cases")


def f1(table: ConfusionTable, method: Method = "wilson") -> F1:
    """How well do the calls and the diseased cases coincide?  2 tp / (2 tp + fp + fn).

    The harmonic mean of sensitivity and positive predictive value; it depends on prevalence and knows nothing of true
    negatives. It rises with the share s = tp / (tp + fp + fn) as 2 s / (1 + s), so that the limits of the binomial
    share are carried over: Lam, Gopal & Qian (2023), arXiv:2309.14621, the indirect interval. se by the delta
    method; there is no p, as no value stands for chance. Refused where neither a diseased case nor a call exists.

    >>> found = f1(ConfusionTable(tp=41, fp=22, tn=47, fn=4))
    >>> round(found.estimate, 6), round(found.confidence_interval().low, 6)
    (0.759259, 0.659725)
    """
    either = table.tp + table.fp + table.fn
    if either == 0:
        raise CannotAnalyse("There is neither a diseased case nor a positive call, so F1 does not exist.")
    share = proportion(table.tp, either, method)
    return F1(2 * share.estimate / (1 + share.estimate), 2 * share.se / (1 + share.estimate) ** 2, None, share)


def youden(table: ConfusionTable, method: SumMethod = "newcombe") -> Youden:
    """How far above chance do the decisions lie?  sensitivity + specificity - 1.

    se² = se(sensitivity)² + se(specificity)²; interval: Newcombe's hybrid score for the difference of
    sensitivity and 1 - specificity, Newcombe (1998), Stat. Med. 17:873-890, method 10; `limits` adds the lower and
    the upper Clopper-Pearson limits, as epiR does after Bangdiwala, Haedo, Natal & Villaveces (2008), J. Clin.
    Epidemiol. 61:866-874, and is wider than its level says. p is None where the variance is zero. One class alone is
    refused.

    >>> round(youden(ConfusionTable(tp=41, fp=22, tn=47, fn=4)).estimate, 6)
    0.592271
    """
    if method not in get_args(SumMethod):
        raise CannotAnalyse(f"Youden's index has a newcombe or a limits interval, not {method}.")
    first, second = sensitivity(table), specificity(table)
    estimate = first.estimate + second.estimate - 1
    se = math.hypot(first.se, second.se)
    p = two_sided_p(estimate / se) if se else None
    return Youden(estimate, se, p, table, method)


def balanced_accuracy(table: ConfusionTable) -> BalancedAccuracy:
    """How often would the decisions be right if half of the cases were diseased?  (sensitivity + specificity) / 2.

    Half of Youden's index plus one half, and so are its standard error and Newcombe's interval. One class alone is
    refused.

    >>> found = balanced_accuracy(ConfusionTable(tp=41, fp=22, tn=47, fn=4))
    >>> round(found.estimate, 6), round(found.confidence_interval().low, 6)
    (0.796135, 0.71289)
    """
    found = youden(table)
    return BalancedAccuracy((found.estimate + 1) / 2, found.se / 2, found.p, table)


BOTH = (sensitivity, specificity)
