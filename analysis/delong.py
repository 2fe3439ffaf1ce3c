"""Areas under empirical ROC curves with DeLong's covariance, by midranks in O(n log n)."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, quantile, two_sided_p, wald
from analysis.ratings import Bools, Floats
from analysis.roc import check_two_classes

IntervalMethod = Literal["delong", "logit", "hanley-mcneil"]
METHODS = ("delong", "logit", "hanley-mcneil")
FLAT = "The variance is zero (perfect separation, or nothing but ties), so the interval has no width."


@dataclass(frozen=True)
class Auc:
    """Area under one empirical curve; p tests it against 1/2 and is None where the variance is zero."""

    estimate: float
    se: float
    p: float | None
    positives: int
    negatives: int
    method: IntervalMethod = "delong"
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Normal on the AUC scale clipped to [0, 1], or normal on the logit scale where the method is logit."""
        if self.method == "logit" and 0 < self.estimate < 1:
            centre = math.log(self.estimate / (1 - self.estimate))
            half = quantile(level) * self.se / (self.estimate * (1 - self.estimate))
            return Interval(expit(centre - half), expit(centre + half), level)
        return wald(self.estimate, self.se, level).clipped()


@dataclass(frozen=True)
class AucDifference:
    """Second minus first AUC; `df` is None for the paired test (normal), Welch's for the unpaired (t)."""

    estimate: float
    se: float
    statistic: float
    p: float
    df: float | None
    first: Auc
    second: Auc
    covariance: float
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, math.inf if self.df is None else self.df).clipped(-1.0, 1.0)


def expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def placements(truth: Bools, rating: Floats) -> Floats:
    """Which share of the other class does each case beat?

    truth: (n,) True where diseased; rating: (n,) without NaN. Answer (n,): for a diseased case the share of
    non-diseased cases rated lower, for a non-diseased case the share of diseased cases rated higher, ties one
    half. These are the structural components V10 and V01 of DeLong et al. (1988), eq. 3-4; the mean over either
    class is the AUC. Found from one sort by counting both classes up to each rating, as midranks: Sun & Xu (2014),
    IEEE Signal Process. Lett. 21:1389-1393. One class: refused.

    >>> placements(np.array([False, False, True, True]), np.array([1.0, 2.0, 2.0, 3.0])).tolist()
    [1.0, 0.75, 0.75, 1.0]
    """
    check_two_classes(truth)
    order = np.argsort(rating)
    ordered, diseased = rating[order], truth[order]
    negatives_through = np.cumsum(~diseased, dtype=np.int64)
    positions = np.arange(1, len(rating) + 1)
    positives_through = positions - negatives_through
    n0, n1 = int(negatives_through[-1]), int(positives_through[-1])
    fresh = ordered[1:] != ordered[:-1]
    if bool(fresh.all()):
        found = np.where(diseased, negatives_through / n0, 1 - positives_through / n1)
    else:
        ends = np.append(np.flatnonzero(fresh), len(rating) - 1)
        lengths = np.diff(ends, prepend=-1)
        below = mean_of_ends(negatives_through[ends]) / n0
        above = 1 - mean_of_ends(positives_through[ends]) / n1
        found = np.where(diseased, np.repeat(below, lengths), np.repeat(above, lengths))
    answer = np.empty(len(rating))
    answer[order] = found
    return answer


def mean_of_ends(counts: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Floats:
    """Mean of the count before and the count after each group of ties."""
    return np.asarray((counts + np.concatenate(([0], counts[:-1]))) / 2, dtype=float)


def delong_auc(truth: Bools, rating: Floats, method: IntervalMethod = "delong") -> Auc:
    """How well does one rating separate diseased from non-diseased cases?

    truth: (n,) True where diseased; rating: (n,) without NaN, higher = more suspicious.
    estimate = P(diseased rated higher) + P(tie)/2; se² = var(V10)/n1 + var(V01)/n0 with n - 1 in the variances.
    Source: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845; logit interval: Pepe (2003), p. 107;
    hanley-mcneil replaces the standard error by that of Hanley & McNeil (1982), Radiology 143:29-36.
    One class, or fewer than two cases of a class: refused. Perfect separation or all ties: se = 0 and a warning.

    >>> area = delong_auc(np.array([0, 0, 0, 1, 1, 1], dtype=bool), np.array([1.0, 2, 3, 2, 3, 4]))
    >>> round(area.estimate, 6), round(area.se, 6)
    (0.777778, 0.20787)
    """
    if method not in METHODS:
        raise CannotAnalyse(f"An AUC has a {', '.join(METHODS)} interval, not {method}.")
    check_two_of_each(truth)
    place = placements(truth, rating)
    positives = int(truth.sum())
    negatives = len(truth) - positives
    estimate = float(place[truth].mean())
    if method == "hanley-mcneil":
        se = hanley_mcneil_se(estimate, positives, negatives)
    else:
        se = math.sqrt(max(float(placement_covariance(place[None, :], truth)[0, 0]), 0.0))
    return auc_result(estimate, se, positives, negatives, method)


def auc_result(estimate: float, se: float, positives: int, negatives: int, method: IntervalMethod) -> Auc:
    if se > 0:
        return Auc(estimate, se, two_sided_p((estimate - 0.5) / se), positives, negatives, method)
    p = 1.0 if estimate == 0.5 else None
    return Auc(estimate, 0.0, p, positives, negatives, method, (FLAT,))


def hanley_mcneil_se(estimate: float, positives: int, negatives: int) -> float:
    """Standard error of an AUC from exponential ratings; Hanley & McNeil (1982), eq. 1.

    >>> round(hanley_mcneil_se(0.893, 51, 58), 6)
    0.032512
    """
    q1, q2 = estimate / (2 - estimate), 2 * estimate**2 / (1 + estimate)
    inner = estimate * (1 - estimate) + (positives - 1) * (q1 - estimate**2) + (negatives - 1) * (q2 - estimate**2)
    return math.sqrt(max(inner, 0.0) / (positives * negatives))


def check_two_of_each(truth: Bools) -> None:
    """Refuse fewer than two cases of a class: a variance over one case does not exist."""
    check_two_classes(truth)
    for count, word in ((int(truth.sum()), "diseased"), (int((~truth).sum()), "non-diseased")):
        if count < 2:
            raise CannotAnalyse(f"There is only one {word} case, and the variance of an AUC needs at least two.")


def placement_covariance(place: Floats, truth: Bools) -> Floats:
    """Covariance of AUCs from their placements: S10/n1 + S01/n0, DeLong et al. (1988), eq. 5-7.

    place: (test, case) without NaN. Answer: (test, test).
    """
    answer = np.zeros((len(place), len(place)))
    for chosen in (truth, ~truth):
        part = place[:, chosen]
        count = part.shape[1]
        part = part - part.mean(axis=1, keepdims=True)
        answer += part @ part.T / (count - 1) / count
    return answer


def delong_covariance(truth: Bools, ratings: Floats) -> tuple[Floats, Floats]:
    """Which AUCs do several ratings of the same cases have, and how do they vary together?

    truth: (n,); ratings: (test, n) without NaN. Answer: AUCs (test,), covariance (test, test).
    Source: DeLong et al. (1988), eq. 5-7. Refused as in `delong_auc`.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> areas, covariance = delong_covariance(truth, np.array([[1.0, 2, 3, 2, 3, 4], [1.0, 1, 1, 1, 1, 1]]))
    >>> areas.round(6).tolist(), covariance.round(6).tolist()
    ([0.777778, 0.5], [[0.04321, 0.0], [0.0, 0.0]])
    """
    check_two_of_each(truth)
    place = np.stack([placements(truth, rating) for rating in ratings])
    return place[:, truth].mean(axis=1), placement_covariance(place, truth)


def delong_test(truth: Bools, first: Floats, second: Floats) -> AucDifference:
    """Do two ratings of the same cases have different AUCs?

    truth: (n,); first, second: (n,) without NaN, same cases. estimate = second - first; z = estimate / se with
    se² = var1 + var2 - 2 cov. Source: DeLong et al. (1988). Equal ratings: estimate 0, p = 1 and a warning.
    A difference without any variance is refused, as are too few cases.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> test = delong_test(truth, np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4]))
    >>> round(test.estimate, 6), round(test.p, 6)
    (0.111111, 0.157299)
    """
    areas, covariance = delong_covariance(truth, np.stack([first, second]))
    positives = int(truth.sum())
    negatives = len(truth) - positives
    one, two = (
        auc_result(float(areas[i]), math.sqrt(max(float(covariance[i, i]), 0.0)), positives, negatives, "delong")
        for i in (0, 1)
    )
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return difference(one, two, variance, float(covariance[0, 1]), None)


def delong_test_unpaired(
    first_truth: Bools, first_rating: Floats, second_truth: Bools, second_rating: Floats
) -> AucDifference:
    """Do two ratings of different cases have different AUCs?

    All arrays (n1,) or (n2,) without NaN. estimate = second - first, se² = var1 + var2; t distribution with
    Welch-Satterthwaite degrees of freedom on the numbers of cases, as pROC's roc.test(paired = FALSE) does.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> test = delong_test_unpaired(truth, np.array([1.0, 2, 3, 2, 3, 4]), truth, np.array([1.0, 1, 3, 2, 4, 4]))
    >>> round(test.estimate, 6), round(test.df, 6)
    (0.111111, 9.307692)
    """
    one, two = delong_auc(first_truth, first_rating), delong_auc(second_truth, second_rating)
    v1, v2 = one.se**2, two.se**2
    if v1 + v2 == 0:
        return difference(one, two, 0.0, 0.0, None)
    df = (v1 + v2) ** 2 / (v1**2 / (len(first_truth) - 1) + v2**2 / (len(second_truth) - 1))
    return difference(one, two, v1 + v2, 0.0, df)


def difference(first: Auc, second: Auc, variance: float, covariance: float, df: float | None) -> AucDifference:
    """The test of second - first from its variance; degenerate cases as `delong_test` says."""
    estimate = second.estimate - first.estimate
    # Sums of placements carry rounding of about 1e-16 each; a variance below this is exactly zero in truth.
    if variance <= 1e-18:
        if abs(estimate) > 1e-9:
            raise CannotAnalyse(
                f"The AUCs {first.estimate:.4g} and {second.estimate:.4g} differ without any variance, "
                "so their difference cannot be tested."
            )
        warning = "The two ratings order the cases alike; the difference is 0 and nothing speaks against equality."
        return AucDifference(0.0, 0.0, 0.0, 1.0, df, first, second, covariance, (warning,))
    se = math.sqrt(variance)
    z = estimate / se
    p = two_sided_p(z, math.inf if df is None else df)
    return AucDifference(estimate, se, z, p, df, first, second, covariance)
