"""Variance and covariance of areas under binormal ROC curves, from their parameters alone: for planning."""

import math

from analysis.errors import CannotAnalyse

# (a, b): the curve is Phi(a + b z) over z, the normal quantile of 1 - specificity.
Curve = tuple[float, float]


def binormal_area_variance(curve: Curve, positives: int, negatives: int) -> float:
    """How much does the area under a binormal curve vary, given its parameters and the numbers of cases?

    curve = (a, b), a = (mean1 - mean0)/sd1, b = sd0/sd1. The covariance of the curve with itself at correlations of 1:
    with k = negatives/positives and f, g the derivatives of the area by a and b,
    (f² (1 + b²/k + a²/2) + g² b² (1 + k)/(2 k) + f g a b) / positives. The last term is the covariance of the
    estimates of a and b; without it, as in pROC, the variance is too large. No cases of a class: refused.

    >>> round(binormal_area_variance((1.5, 0.8), 100, 150), 8)
    0.00048219
    """
    return binormal_area_covariance(curve, curve, 1.0, 1.0, positives, negatives)


def binormal_area_covariance(
    first: Curve, second: Curve, diseased: float, healthy: float, positives: int, negatives: int
) -> float:
    """How do the areas under two binormal curves of the same cases vary together?

    first, second: (a, b) of either curve; diseased, healthy: correlation of the two ratings among the cases of that
    class, r1 and r0. With k, f, g as in `binormal_area_variance`:
    (f1 f2 (r1 + r0 b1 b2/k + r1² a1 a2/2) + g1 g2 b1 b2 (r0² + k r1²)/(2 k) + r1² (f1 g2 a1 b2 + f2 g1 a2 b1)/2)
    / positives. Source: Obuchowski & McClish (1997), Stat. Med. 16:1529-1542, eq. 5.

    >>> round(binormal_area_covariance((1.0, 1.0), (1.2, 0.9), 0.5, 0.5, 50, 50), 8)
    0.0008972
    """
    kappa = share(positives, negatives)
    (a1, b1), (a2, b2), (f1, g1), (f2, g2) = first, second, slopes(first), slopes(second)
    by_a = f1 * f2 * (diseased + healthy * b1 * b2 / kappa + diseased**2 * a1 * a2 / 2)
    by_b = g1 * g2 * b1 * b2 * (healthy**2 + kappa * diseased**2) / (2 * kappa)
    return (by_a + by_b + diseased**2 * (f1 * g2 * a1 * b2 + f2 * g1 * a2 * b1) / 2) / positives


def share(positives: int, negatives: int) -> float:
    """Non-diseased per diseased case."""
    if positives < 1 or negatives < 1:
        raise CannotAnalyse("The variance of an area needs diseased and non-diseased cases.")
    return negatives / positives


def slopes(curve: Curve) -> tuple[float, float]:
    """How the area Phi(a / sqrt(1 + b²)) changes with a and with b."""
    a, b = curve
    if b == 0 or not (math.isfinite(a) and math.isfinite(b)):
        raise CannotAnalyse("A binormal curve needs finite parameters and a slope that is not 0.")
    spread = 1 + b**2
    by_a = math.exp(-(a**2) / (2 * spread)) / math.sqrt(2 * math.pi * spread)
    return by_a, -by_a * a * b / spread
