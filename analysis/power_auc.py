"""Power and number of cases for one area under the ROC curve, and for two areas of the same cases."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.delong import delong_covariance
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats

# Variance of an AUC of one half, one diseased case, endless others: Obuchowski, Lieber & Wians (2004), p. 1123.
AT_CHANCE = 0.0792


@dataclass(frozen=True)
class AucPlan:
    """A planned test of one AUC against 1/2 or of two AUCs; `estimate` is its power.

    positives, negatives: diseased and non-diseased cases, not rounded; `effect` is the distance to be found.
    """

    estimate: float
    effect: float
    positives: float
    negatives: float
    alpha: float
    sides: int
    warnings: tuple[str, ...] = ()

    @property
    def cases(self) -> tuple[int, int]:
        """Whole diseased and non-diseased cases that reach at least this power."""
        return math.ceil(self.positives - 1e-9), math.ceil(self.negatives - 1e-9)


@dataclass(frozen=True)
class Spread:
    """Variances and covariance of two AUCs of the same cases, each multiplied by the number of diseased cases.

    difference: second minus first AUC; ratio: non-diseased per diseased case, for which the variances hold.
    """

    difference: float
    first: float
    second: float
    covariance: float
    ratio: float

    @property
    def under_equality(self) -> float:
        """Variance of the difference where both tests are as the first."""
        return 2 * self.first - 2 * self.covariance

    @property
    def under_difference(self) -> float:
        return self.first + self.second - 2 * self.covariance


def auc_variance(auc: float, ratio: float = 1.0) -> float:
    """How much does an AUC vary, times the number of diseased cases?

    auc: in (0, 1); ratio: non-diseased per diseased case. With A = 1.414 times the normal quantile of the AUC,
    0.0099 exp(-A²/2) ((5A² + 8) + (A² + 8)/ratio). Source: Obuchowski (1994), Invest. Radiol. 29:238-243;
    Obuchowski, Lieber & Wians (2004), Clin. Chem. 50:1118-1125, p. 1123, formula 3. It leaves out the covariance of
    intercept and slope of the binormal curve, which is negative, and so is larger than the variance of an empirical
    area: a plan made with it errs to the safe side.
    An AUC of 0 or 1 or a ratio that is not positive: refused.

    >>> round(auc_variance(0.8, 1.7), 6)
    0.100553
    """
    check_auc(auc)
    check_ratio(ratio)
    squared = (1.414 * float(stats.norm.ppf(auc))) ** 2
    return 0.0099 * math.exp(-squared / 2) * (5 * squared + 8 + (squared + 8) / ratio)


def auc_power(auc: float, positives: float, negatives: float, alpha: float = 0.05, sides: int = 2) -> AucPlan:
    """With which probability is an AUC found to differ from one half?

    auc: the true area, in (0, 1); positives, negatives: cases of each class; alpha: level of a test with one or two
    sides. With theta the AUC, n the diseased cases, r = negatives / n, V of `auc_variance`:
    power = Phi((sqrt(n) |theta - 1/2| - z sqrt(0.0792 (1 + 1/r))) / sqrt(V)), z the quantile of 1 - alpha/sides.
    Source: Obuchowski, Lieber & Wians (2004), Clin. Chem. 50:1118-1125, p. 1123, solved for the power, as
    pROC's power.roc.test does. An AUC of one half has a power of alpha/sides and a warning; 0 and 1 are refused.

    >>> round(auc_power(0.7, 41, 72).estimate, 6)
    0.957323
    """
    check_counts(positives, negatives)
    ratio = negatives / positives
    power = reached(positives, abs(auc - 0.5), at_chance(ratio), auc_variance(auc, ratio), alpha, sides)
    return AucPlan(power, auc - 0.5, positives, negatives, alpha, sides, warned(auc - 0.5))


def auc_sample_size(auc: float, power: float = 0.8, ratio: float = 1.0, alpha: float = 0.05, sides: int = 2) -> AucPlan:
    """How many cases show with this power that an AUC differs from one half?

    auc: the true area; ratio: non-diseased per diseased case. Diseased cases
    n = (z sqrt(0.0792 (1 + 1/r)) + zb sqrt(V))² / (theta - 1/2)², zb the quantile of the power, the rest as in
    `auc_power`. Source: Obuchowski, Lieber & Wians (2004), p. 1123. An AUC of 0, 1/2 or 1: refused.

    >>> plan = auc_sample_size(0.8, 0.95, ratio=1.7)
    >>> round(plan.positives, 6), round(plan.negatives, 6), plan.cases
    (16.448936, 27.963192, (17, 28))
    """
    needed = required(abs(auc - 0.5), at_chance(ratio), auc_variance(auc, ratio), power, alpha, sides)
    return AucPlan(power, auc - 0.5, needed, ratio * needed, alpha, sides)


def paired_auc_power(
    spread: Spread, positives: float, difference: float | None = None, alpha: float = 0.05, sides: int = 2
) -> AucPlan:
    """With which probability is a difference of two AUCs of the same cases found?

    spread: from a pilot (`delong_spread`) or from a model (`binormal_spread`); positives: diseased cases, with
    spread.ratio times as many others; difference: second minus first AUC, by default that of the spread. With V0 the
    variance of a difference where both are as the first test, VA where they differ:
    power = Phi((sqrt(n) |difference| - z sqrt(V0)) / sqrt(VA)). Source: Obuchowski & McClish (1997), Stat. Med.
    16:1529-1542, p. 1530, solved for the power, as pROC's power.roc.test does: the first test is the reference, so
    swapping the tests changes V0. A difference of 0 has a power near alpha/sides and a warning; V0 or VA of 0 or
    less (the ratings order the cases alike): refused.

    >>> spread = binormal_spread((1.2, 1.0), (1.6, 1.0), 0.5, 0.5)
    >>> round(spread.difference, 6), round(paired_auc_power(spread, 100).estimate, 6)
    (0.069122, 0.370317)
    """
    check_counts(positives, spread.ratio * positives)
    check_spread(spread)
    effect = spread.difference if difference is None else difference
    power = reached(positives, abs(effect), spread.under_equality, spread.under_difference, alpha, sides)
    return AucPlan(power, effect, positives, spread.ratio * positives, alpha, sides, warned(effect))


def paired_auc_sample_size(
    spread: Spread, power: float = 0.8, difference: float | None = None, alpha: float = 0.05, sides: int = 2
) -> AucPlan:
    """How many cases show with this power that two AUCs of the same cases differ?

    As `paired_auc_power`, solved for the diseased cases: n = (z sqrt(V0) + zb sqrt(VA))² / difference².
    Source: Obuchowski & McClish (1997), p. 1530. A difference of 0: refused.

    >>> plan = paired_auc_sample_size(binormal_spread((1.2, 1.0), (1.6, 1.0), 0.5, 0.5), 0.8)
    >>> round(plan.positives, 4), plan.cases
    (267.5828, (268, 268))
    """
    check_spread(spread)
    effect = spread.difference if difference is None else difference
    needed = required(abs(effect), spread.under_equality, spread.under_difference, power, alpha, sides)
    return AucPlan(power, effect, needed, spread.ratio * needed, alpha, sides)


def delong_spread(truth: Bools, first: Floats, second: Floats) -> Spread:
    """How much do two AUCs of a pilot vary, and how much together?

    truth: (n,) True where diseased; first, second: (n,) without NaN. DeLong's variances and covariance times the
    number of diseased cases: DeLong et al. (1988). One class or a single case of one: refused.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> spread = delong_spread(truth, np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4]))
    >>> round(spread.difference, 6), round(spread.covariance, 6), spread.ratio
    (0.111111, 0.092593, 1.0)
    """
    areas, covariance = delong_covariance(truth, np.stack([first, second]))
    n = int(truth.sum())
    one, two, shared = float(covariance[0, 0]), float(covariance[1, 1]), float(covariance[0, 1])
    return Spread(float(areas[1] - areas[0]), n * one, n * two, n * shared, (len(truth) - n) / n)


def binormal_spread(
    first: tuple[float, float],
    second: tuple[float, float],
    diseased_correlation: float,
    healthy_correlation: float,
    ratio: float = 1.0,
) -> Spread:
    """How much do two AUCs vary when the ratings of both tests are normal and correlated?

    first, second: intercept and slope of each binormal curve, a = (mean of diseased - mean of others) / sd of
    diseased, b = sd of others / sd of diseased; the AUC is Phi(a / sqrt(1 + b²)). Correlations of both
    tests' ratings in the diseased and in the other cases, in [-1, 1]; ratio: non-diseased per diseased case.
    Variances: `binormal_variance`; covariance: `binormal_covariance`. A slope of 0 or less: refused.

    >>> spread = binormal_spread((1.2, 1.0), (1.6, 1.0), 0.5, 0.5, 2.0)
    >>> round(spread.first, 6), round(spread.second, 6), round(spread.covariance, 6)
    (0.096449, 0.072129, 0.024591)
    """
    for correlation in (diseased_correlation, healthy_correlation):
        if not -1 <= correlation <= 1:
            raise CannotAnalyse(f"A correlation lies between -1 and 1, not at {correlation:g}.")
    one, two = (float(stats.norm.cdf(a / math.hypot(1, b))) for a, b in (first, second))
    shared = binormal_covariance(first, second, diseased_correlation, healthy_correlation, ratio)
    return Spread(two - one, binormal_variance(*first, ratio), binormal_variance(*second, ratio), shared, ratio)


def binormal_variance(a: float, b: float, ratio: float = 1.0) -> float:
    """How much does the area under a binormal curve vary, times the number of diseased cases?

    a, b: intercept and slope; ratio: non-diseased per diseased case; f and g the derivatives of the area by a and b:
    f² (1 + b²/ratio + a²/2) + g² b² (1 + ratio) / (2 ratio). Source: Obuchowski & McClish (1997), eq. 4 and table I;
    as published it has no term for the covariance of a and b, see `auc_variance`.

    >>> round(binormal_variance(1.19, 1.0, 1.7), 6)
    0.101035
    """
    check_ratio(ratio)
    f, g = derivatives(a, b)
    return f * f * (1 + b * b / ratio + a * a / 2) + g * g * b * b * (1 + ratio) / (2 * ratio)


def binormal_covariance(
    first: tuple[float, float],
    second: tuple[float, float],
    diseased_correlation: float,
    healthy_correlation: float,
    ratio: float = 1.0,
) -> float:
    """How much do the areas under two binormal curves vary together, times the number of diseased cases?

    As `binormal_spread`. Source: Obuchowski & McClish (1997), eq. 5.

    >>> round(binormal_covariance((1.2, 1.0), (1.6, 1.0), 0.5, 0.5, 2.0), 6)
    0.024591
    """
    check_ratio(ratio)
    (a1, b1), (a2, b2), ra, rn = first, second, diseased_correlation, healthy_correlation
    f1, g1 = derivatives(a1, b1)
    f2, g2 = derivatives(a2, b2)
    both = f1 * f2 * (ra + rn * b1 * b2 / ratio + ra**2 * a1 * a2 / 2)
    slopes = g1 * g2 * b1 * b2 * (rn**2 + ratio * ra**2) / (2 * ratio)
    return both + slopes + (f1 * g2 * a1 * b2 + f2 * g1 * a2 * b1) * ra**2 / 2


def derivatives(a: float, b: float) -> tuple[float, float]:
    """Of Phi(a / sqrt(1 + b²)) by a and by b; Obuchowski & McClish (1997), table I."""
    if not b > 0:
        raise CannotAnalyse(f"The slope of a binormal curve is positive, not {b:g}.")
    height = math.exp(-a * a / (2 * (1 + b * b))) / math.sqrt(2 * math.pi)
    return height / math.sqrt(1 + b * b), -height * a * b / (1 + b * b) ** 1.5


def at_chance(ratio: float) -> float:
    check_ratio(ratio)
    return AT_CHANCE * (1 + 1 / ratio)


def reached(n: float, effect: float, under_equality: float, under_difference: float, alpha: float, sides: int) -> float:
    distance = math.sqrt(n) * effect - quantile_of(alpha, sides) * math.sqrt(under_equality)
    return float(stats.norm.cdf(distance / math.sqrt(under_difference)))


def required(
    effect: float, under_equality: float, under_difference: float, power: float, alpha: float, sides: int
) -> float:
    check_power(power, alpha)
    if effect == 0:
        raise CannotAnalyse("No number of cases finds an effect of 0; name the effect that is to be found.")
    z = quantile_of(alpha, sides) * math.sqrt(under_equality) + float(stats.norm.ppf(power)) * math.sqrt(
        under_difference
    )
    return max(z, 0.0) ** 2 / effect**2


def quantile_of(alpha: float, sides: int) -> float:
    if sides not in (1, 2):
        raise CannotAnalyse(f"A test has one or two sides, not {sides}.")
    check_alpha(alpha)
    return float(stats.norm.isf(alpha / sides))


def warned(effect: float) -> tuple[str, ...]:
    return ("The effect is 0, so the power is the rate of false alarms.",) if effect == 0 else ()


def check_alpha(alpha: float) -> None:
    """Refuse a level outside (0, 1)."""
    if not 0 < alpha < 1:
        raise CannotAnalyse(f"The level of a test lies between 0 and 1, not at {alpha:g}.")


def check_power(power: float, alpha: float) -> None:
    """Refuse a power outside (alpha, 1)."""
    check_alpha(alpha)
    if not alpha < power < 1:
        raise CannotAnalyse(f"The power aimed at lies between alpha ({alpha:g}) and 1, not at {power:g}.")


def check_auc(auc: float) -> None:
    if not 0 < auc < 1:
        raise CannotAnalyse(f"A plan needs an AUC between 0 and 1, not {auc:g}.")


def check_ratio(ratio: float) -> None:
    if not (ratio > 0 and math.isfinite(ratio)):
        raise CannotAnalyse(f"The ratio of non-diseased to diseased cases is positive, not {ratio:g}.")


def check_counts(positives: float, negatives: float) -> None:
    if not (positives > 0 and negatives > 0):
        raise CannotAnalyse("A plan needs diseased and non-diseased cases.")


def check_spread(spread: Spread) -> None:
    if not (spread.under_equality > 0 and spread.under_difference > 0):
        raise CannotAnalyse("The two areas vary exactly together, so their difference cannot be planned from this.")
