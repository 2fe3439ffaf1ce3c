"""Predictive values and likelihood ratios of two tests of the same cases."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, wald
from analysis.ratings import Floats
from analysis.relative import PairedCalls, Ratio, ratio_against_one, relative_false_positives, relative_sensitivity

Sign = Literal["positive", "negative"]
Method = Literal["leisenring", "kosinski"]
SIGNS = ("positive", "negative")
METHODS = ("leisenring", "kosinski")
# A variance of influences below this is rounding noise of one that is zero.
NOISE = 1e-28


@dataclass(frozen=True)
class PredictiveDifference:
    """Second minus first predictive value; the statistic is chi-square on 1 degree of freedom."""

    estimate: float
    se: float
    statistic: float
    p: float
    first: float
    second: float
    n: int
    sign: Sign
    method: Method
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Wald's interval from the influence of every case, clipped to [-1, 1]."""
        return wald(self.estimate, self.se, level).clipped(-1.0, 1.0)


@dataclass(frozen=True)
class RelativePredictive:
    """Relative positive and negative predictive value, second over first, and how their logarithms vary together."""

    positive: Ratio
    negative: Ratio
    covariance: float


@dataclass(frozen=True, eq=False)
class Cells:
    """The eight kinds of cases: truth x call of the first x call of the second test.

    right, first, second, count: (8,). right is 1 where the truth is what the sign predicts, first and second are 1
    where that test has this sign.
    """

    right: Floats
    first: Floats
    second: Floats
    count: Floats

    def value(self, called: Floats) -> float:
        return float((self.count * called * self.right).sum() / (self.count * called).sum())

    def influence(self, called: Floats) -> Floats:
        """What one case of each kind adds to the predictive value, times the number of cases."""
        n, value = self.count.sum(), self.value(called)
        return np.asarray(called * (self.right - value) / ((self.count * called).sum() / n))


def cells(calls: PairedCalls, sign: Sign) -> Cells:
    if sign not in SIGNS:
        raise CannotAnalyse(f"A predictive value is {' or '.join(SIGNS)}, not {sign}.")
    truth, first, second = np.array(np.meshgrid([1.0, 0.0], [1.0, 0.0], [1.0, 0.0], indexing="ij")).reshape(3, 8)
    counts = [
        count
        for table in (calls.diseased, calls.healthy)
        for count in (table.both, table.first_only, table.second_only, table.neither)
    ]
    if sign == "negative":
        truth, first, second = 1 - truth, 1 - first, 1 - second
    found = Cells(truth, first, second, np.array(counts, dtype=float))
    for called, name in ((first, "first"), (second, "second")):
        if not (found.count * called).any():
            raise CannotAnalyse(f"The {name} test has no {sign} call, so its {sign} predictive value does not exist.")
    return found


def predictive_test(calls: PairedCalls, sign: Sign = "positive", method: Method = "kosinski") -> PredictiveDifference:
    """Do two tests of the same cases have different predictive values?

    sign: positive or negative. leisenring: generalised score statistic of the marginal regression, with z the call of
    the second among all calls of that sign: (sum right s)² / sum (right - mean)² s², s = sum over the tests that call
    of (z - mean z); Leisenring, Alonzo & Pepe (2000), Biometrics 56:345-351. kosinski: difference² / ((v - 2 c)
    (1/m1 + 1/m2)) with v, c from the pooled value, m1, m2 the calls; Kosinski (2013), Stat. Med. 32:964-977, who shows
    that the first one tests another weighting unless both call equally often. se is that of the plain difference by
    the delta method. A test without such a call: refused; no difference of any call: 0, p = 1 and a warning.

    >>> from analysis.paired import PairedTable
    >>> calls = PairedCalls(PairedTable(319, 78, 22, 32), PairedTable(31, 53, 22, 155))
    >>> found = predictive_test(calls)
    >>> round(found.estimate, 6), round(found.statistic, 6), round(found.p, 6)
    (0.040118, 5.465887, 0.019391)
    """
    if method not in METHODS:
        raise CannotAnalyse(f"Predictive values are compared by {' or '.join(METHODS)}, not by {method}.")
    table = cells(calls, sign)
    first, second, n = table.value(table.first), table.value(table.second), int(table.count.sum())
    step = table.influence(table.second) - table.influence(table.first)
    se = math.sqrt(float((table.count * step**2).sum())) / n
    if not (table.count * (table.first != table.second)).any():
        warning = "No case was called differently; the difference is 0 and nothing speaks against equality."
        return PredictiveDifference(0.0, 0.0, 0.0, 1.0, first, second, n, sign, method, (warning,))
    statistic = leisenring(table) if method == "leisenring" else kosinski(table)
    return PredictiveDifference(
        second - first, se, statistic, float(stats.chi2.sf(statistic, 1)), first, second, n, sign, method
    )


def leisenring(table: Cells) -> float:
    calls = table.first + table.second
    total = (table.count * calls).sum()
    mean_z = (table.count * table.second).sum() / total
    mean_right = (table.count * calls * table.right).sum() / total
    score = table.second - mean_z * calls
    return over(
        float((table.count * table.right * score).sum() ** 2),
        float((table.count * (table.right - mean_right) ** 2 * score**2).sum()),
    )


def kosinski(table: Cells) -> float:
    calls = table.first + table.second
    called = [(table.count * one).sum() for one in (table.first, table.second)]
    pooled = (table.count * calls * table.right).sum() / sum(called)
    shared = (table.count * table.first * table.second * (table.right - pooled) ** 2).sum() / sum(called)
    difference = table.value(table.second) - table.value(table.first)
    variance = (pooled * (1 - pooled) - 2 * shared) * (1 / called[0] + 1 / called[1])
    return over(float(difference**2), float(variance))


def over(numerator: float, denominator: float) -> float:
    """The statistic; 0 where neither differs nor varies, refused where a difference does not vary."""
    if denominator > NOISE:
        return numerator / denominator
    if numerator <= NOISE:
        return 0.0
    raise CannotAnalyse("The predictive values differ without any variance, so their difference cannot be tested.")


def relative_predictive_values(calls: PairedCalls) -> RelativePredictive:
    """By which factor do the predictive values of the second test exceed those of the first?

    Ratios second over first; the logarithms vary by the delta method over the eight kinds of cases.
    Source: Moskowitz & Pepe (2006), Clin. Trials 3:272-279. A predictive value that is 0 or does not exist: refused.

    >>> from analysis.paired import PairedTable
    >>> calls = PairedCalls(PairedTable(319, 78, 22, 32), PairedTable(31, 53, 22, 155))
    >>> found = relative_predictive_values(calls)
    >>> round(found.positive.estimate, 6), round(found.negative.estimate, 6), round(found.covariance, 9)
    (1.048607, 0.85364, 0.000402458)
    """
    steps, found = [], []
    for sign in SIGNS:
        table = cells(calls, "positive" if sign == "positive" else "negative")
        first, second = table.value(table.first), table.value(table.second)
        for value, name in ((first, "first"), (second, "second")):
            if value == 0:
                raise CannotAnalyse(f"The {sign} predictive value of the {name} test is 0, so no ratio exists.")
        step = table.influence(table.second) / second - table.influence(table.first) / first
        steps.append(step)
        n = int(table.count.sum())
        variance = float((table.count * step**2).sum()) / n**2
        se_log = math.sqrt(variance) if variance > NOISE else 0.0
        found.append(ratio_against_one(second / first, se_log, first, second, n))
    covariance = float((table.count * steps[0] * steps[1]).sum()) / n**2
    return RelativePredictive(found[0], found[1], covariance)


def relative_likelihood_ratio(calls: PairedCalls, sign: Sign = "positive") -> Ratio:
    """By which factor does the diagnostic likelihood ratio of the second test exceed that of the first?

    The positive ratio is sensitivity / (1 - specificity), the negative one (1 - sensitivity) / specificity. Diseased
    and non-diseased cases are independent, so log ratios and variances of both add: the saturated regression of
    Leisenring & Pepe (1998), Biometrics 54:444-452; Gu & Pepe (2009), Stat. Med. 28:1236-1251. A ratio of zero or
    infinity: refused.

    >>> from analysis.paired import PairedTable
    >>> calls = PairedCalls(PairedTable(319, 78, 22, 32), PairedTable(31, 53, 22, 155))
    >>> round(1 / relative_likelihood_ratio(calls).estimate, 6)
    0.734569
    """
    if sign not in SIGNS:
        raise CannotAnalyse(f"A likelihood ratio is {' or '.join(SIGNS)}, not {sign}.")
    if sign == "negative":
        calls = PairedCalls(calls.diseased.mirrored, calls.healthy.mirrored)
    above, below = relative_sensitivity(calls), relative_false_positives(calls)
    return ratio_against_one(
        above.estimate / below.estimate,
        math.hypot(above.se_log, below.se_log),
        above.first / below.first,
        above.second / below.second,
        above.n + below.n,
    )
