"""Variance of means over readers and cases by U-statistics, for any design, with degrees of freedom and tests."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.components import crossed, effect_coefficients, effects
from analysis.errors import CannotAnalyse
from analysis.interval import Interval, two_sided_p, wald
from analysis.moments import Metric, Moments, Weights, moments
from analysis.ratings import Floats, Ratings

Variance = Literal["unbiased", "mle"]
VARIANCES: tuple[Variance, ...] = get_args(Variance)
# A variance is a difference of products of order 1; less than this is rounding.
NOTHING = 1e-14
# Coefficients are shares of counts; less than this is rounding of a sum that is zero.
NOT_SHARED = 1e-14


@dataclass(frozen=True)
class ArmMean:
    """Mean of one arm over readers and cases, every score counting alike; p tests it against 1/2."""

    arm: str
    estimate: float
    se: float
    df: float
    df_hillis: float | None
    statistic: float | None
    p: float | None
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, self.df).clipped()


@dataclass(frozen=True)
class ArmDifference:
    """Second minus first arm; `df` after Gallas, `df_hillis` after Hillis where every reader read every case."""

    first: str
    second: str
    estimate: float
    se: float
    df: float
    df_hillis: float | None
    statistic: float
    p: float
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, self.df).clipped(-1.0, 1.0)

    def p_hillis(self) -> float | None:
        """p on Hillis's degrees of freedom."""
        return None if self.df_hillis is None else two_sided_p(self.statistic, self.df_hillis)


@dataclass(frozen=True, eq=False)
class UStatistics:
    """Result of `u_statistics`: means of the arms, the differences between them, and the moments beneath."""

    metric: Metric
    variance: Variance
    arms: tuple[ArmMean, ...]
    differences: tuple[ArmDifference, ...]
    moments: Moments
    warnings: tuple[str, ...]

    @property
    def estimate(self) -> float:
        """Second minus first arm where there are two, else the mean of the one arm."""
        return self.leading.estimate

    @property
    def se(self) -> float:
        return self.leading.se

    @property
    def p(self) -> float | None:
        return self.leading.p

    @property
    def leading(self) -> ArmDifference | ArmMean:
        return self.differences[0] if self.differences else self.arms[0]

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return self.leading.confidence_interval(level)


def u_statistics(
    ratings: Ratings, metric: Metric = "auc", variance: Variance = "unbiased", weights: Weights = "joint"
) -> UStatistics:
    """Do the arms differ on average over readers and cases, whatever the design?

    ratings.values: (reader, arm, case), arms in the order of comparison, NaN = not read, any design: fully crossed,
    split-plot, missing cells, readers or cases nested in arms, a single arm; decisions 0/1 for sensitivity,
    specificity, accuracy. Every score counts alike (a reader counts by what he read), ties one half. unbiased: the
    U-statistic, which may come out negative; mle: the V-statistic, larger. t tests on the degrees of freedom of
    `degrees_of_freedom`, not rounded. Source: Gallas (2006), Acad. Radiol. 13:353-362; Gallas, Bandos, Samuelson &
    Wagner (2009), Commun. Stat. A 38:2586-2603; df: Obuchowski, Gallas & Hillis (2012), Acad. Radiol. 19:1508-1517.
    Each difference has the error of its own two arms. Refused: what `moments` refuses, and a difference with a
    negative variance, or with none although the arms differ; with more than two arms these become warnings.

    >>> values = np.array([[[1.0, 2, 2, 3], [1, 2, 3, 4]], [[2.0, 1, 1, 3], [1, 1, 2, 1]]])
    >>> truth = np.array([False, False, True, True])
    >>> study = Ratings(("R", "S"), ("A", "B"), ("1", "2", "3", "4"), truth, values)
    >>> found = u_statistics(study, variance="mle")
    >>> found.estimate, round(found.se, 6), found.differences[0].df, round(found.p, 6)
    (0.125, 0.30298, 1.0, 0.750894)
    """
    if variance not in VARIANCES:
        raise CannotAnalyse(f"The variance is {' or '.join(VARIANCES)}, not {variance}.")
    found = moments(ratings, metric, weights)
    warnings: list[str] = []
    count = len(ratings.arms)
    means = [kept for place in range(count) if (kept := mean_or_warning(found, place, variance, warnings))]
    if count == 1 and not means:
        raise CannotAnalyse(warnings[0])
    differences = []
    for one in range(count):
        for two in range(one + 1, count):
            try:
                differences.append(difference_of_arms(found, one, two, variance))
            except CannotAnalyse as refusal:
                if count == 2:
                    raise
                warnings.append(str(refusal))
    if count > 1 and not differences:
        raise CannotAnalyse(warnings[-1])
    told = [warning for mean in means for warning in mean.warnings]
    told += [warning for row in differences for warning in row.warnings]
    return UStatistics(metric, variance, tuple(means), tuple(differences), found, (*warnings, *told))


def mean_or_warning(found: Moments, place: int, variance: Variance, warnings: list[str]) -> ArmMean | None:
    try:
        return mean_of_arm(found, place, variance)
    except CannotAnalyse as refusal:
        warnings.append(str(refusal))
        return None


def mean_of_arm(found: Moments, arm: int, variance: Variance = "unbiased") -> ArmMean:
    """What is the mean of one arm over readers and cases? Negative variance: refused; none: p is None."""
    name, estimate = found.arms[arm], float(found.means[arm])
    spread = usable(found.covariance(arm, arm, variance == "mle"), f"the mean of arm {name}", variance)
    if spread == 0:
        warning = f"Arm {name} has no variation over readers and cases, so its interval has no width."
        return ArmMean(name, estimate, 0.0, math.inf, None, None, 1.0 if estimate == 0.5 else None, (warning,))
    df, se = degrees_of_freedom(found, spread, arm), math.sqrt(spread)
    statistic = (estimate - 0.5) / se
    return ArmMean(name, estimate, se, df, df_hillis(found, arm), statistic, two_sided_p(statistic, df))


def difference_of_arms(found: Moments, first: int, second: int, variance: Variance = "unbiased") -> ArmDifference:
    """Do two arms differ on average? The test of second minus first from moments; see `u_statistics`."""
    names = found.arms[first], found.arms[second]
    estimate = float(found.means[second] - found.means[first])
    between = f"the difference {names[1]} - {names[0]}"
    spread = usable(found.variance_of_difference(first, second, variance == "mle"), between, variance)
    if spread == 0:
        if abs(estimate) > 1e-9:
            raise CannotAnalyse(f"Nothing varies in {between} of {estimate:.4g}, so there is no test.")
        warning = (
            f"The arms {names[0]} and {names[1]} do not differ and nothing varies; the difference is 0 and p is 1."
        )
        return ArmDifference(*names, 0.0, 0.0, math.inf, None, 0.0, 1.0, (warning,))
    df, se = degrees_of_freedom(found, spread, first, second), math.sqrt(spread)
    statistic = estimate / se
    hillis = df_hillis(found, first, second)
    return ArmDifference(*names, estimate, se, df, hillis, statistic, two_sided_p(statistic, df))


def usable(variance: float, what: str, kind: Variance) -> float:
    """0 where it is rounding noise; refused where it is negative."""
    if abs(variance) <= NOTHING:
        return 0.0
    if variance > 0:
        return variance
    if kind == "unbiased":
        raise CannotAnalyse(
            f"The unbiased variance of {what} is negative ({variance:.3g}), so there is no test; "
            "the V-statistic (mle), which is larger, may give one."
        )
    raise CannotAnalyse(
        f"The V-statistic variance of {what} is negative ({variance:.3g}), which happens where the arms were read "
        "by different readers or on different cases, so there is no test."
    )


def degrees_of_freedom(found: Moments, variance: float, first: int, second: int | None = None) -> float:
    """On how many degrees of freedom does a variance of U-statistics stand?

    found: moments; variance: of the mean of arm `first`, or of the difference of two arms (places). See
    `satterthwaite`. Infinite where no effect of cases or readers shows.
    """
    return satterthwaite(effects(found, biased=True), effect_coefficients(found.coefficients), variance, first, second)


def satterthwaite(
    biased: Floats, coefficients: Floats, variance: float, first: int, second: int | None = None
) -> float:
    """Degrees of freedom after Satterthwaite from the effects of cases and readers alone.

    biased: effects of the V-statistic (arm, arm, effect); coefficients: of the effects. With n the effective number
    of each factor, df = variance² / sum of effect² / (n - 1)³, effect that of one arm, or of the difference; what the
    arms do not share (other readers, other cases) enters once per arm. Not less than the least n - 1.
    Source: Obuchowski, Gallas & Hillis (2012), Acad. Radiol. 19:1508-1517; Gaylor & Hopper (1969), Technometrics
    11:691-706 (the least).
    """
    mains = [2**factor - 1 for factor in range((coefficients.shape[-1] + 1).bit_length() - 1)]
    terms: list[tuple[float, float]] = []
    for main in mains:
        effect, free = biased[..., main], np.round(1 / np.diagonal(coefficients[..., main]) - 1)
        if second is None:
            terms.append((effect[first, first], free[first]))
        elif coefficients[first, second, main] > NOT_SHARED:
            joint = effect[first, first] + effect[second, second] - 2 * effect[first, second]
            terms.append((joint, min(free[first], free[second])))
        else:
            terms += [(effect[first, first], free[first]), (effect[second, second], free[second])]
    total = sum(float(effect) ** 2 / float(df) ** 3 for effect, df in terms if df > 0)
    least = float(min(df for _, df in terms))
    return math.inf if total == 0 else max(variance**2 / total, least)


def df_hillis(found: Moments, first: int, second: int | None = None) -> float | None:
    """Hillis's degrees of freedom where every reader read every case, else None; Hillis (2014), p. 332-333."""
    if not found.crossed:
        return None
    readers = len(found.readers)
    table = found.figures[:, first] if second is None else found.figures[:, second] - found.figures[:, first]
    square = float(table.var(ddof=1)) / (1 if second is None else 2)
    parts = crossed(found, first, second)
    shared = (parts.case if second is None else parts.arm_case) / parts.cases
    if square <= NOTHING:
        return math.inf
    return (readers - 1) * (square + readers * max(shared, 0.0)) ** 2 / square**2
