"""The binormal ROC curve: by maximum likelihood, and as a line on normal quantiles."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from analysis.binormal_likelihood import ROOT_2PI, derivatives, maximise
from analysis.errors import CannotAnalyse
from analysis.interval import Interval, quantile, two_sided_p
from analysis.ratings import Bools, Floats
from analysis.roc import Axis, check_two_classes, roc_curve

EDGES = (
    "All operating points lie on the edges of the ROC square, so the binormal curve is the edge itself; "
    "the empirical area is the honest one."
)
TIES = "All ratings are equal, so the curve is the diagonal."
ENDLESS = (
    "The likelihood of a binormal curve rises without end on these ratings, because too few operating points lie "
    "inside the ROC square; use the empirical area."
)
STEEPEST = 1e3


@dataclass(frozen=True)
class BinormalCurve:
    """Sensitivity = Phi(a + b Phi^-1(1 - specificity)); a infinite: the edge of the square."""

    a: float
    b: float

    @property
    def area(self) -> float:
        """Phi(a / sqrt(1 + b²))."""
        return float(ndtr(self.a / math.hypot(1, self.b)))

    def sensitivity_at(self, specificity: float) -> float:
        """Height of the curve at this specificity."""
        return float(ndtr(self.a + self.b * ndtri(1 - specificity))) if self.bends else float(self.a > 0)

    def specificity_at(self, sensitivity: float) -> float:
        """Specificity where the curve has this sensitivity."""
        return float(ndtr((self.a - ndtri(sensitivity)) / self.b)) if self.bends else float(self.a > 0)

    def partial_area(self, axis: Axis, low: float, high: float) -> float:
        """Area under sensitivity over a range of specificity, or the other way round, as `roc.partial_area`."""
        from scipy.integrate import quad

        if not 0 <= low < high <= 1:
            raise CannotAnalyse(f"A partial area needs 0 <= low < high <= 1, not {low:g} and {high:g}.")
        if not self.bends:
            return (high - low) * float(self.a > 0)
        over_specificity = axis == "specificity"
        a, b = (self.a, self.b) if over_specificity else (self.a / self.b, 1 / self.b)
        start, end = float(ndtri(1 - high)), float(ndtri(1 - low))
        area, _ = quad(lambda z: math.exp(-z * z / 2) / ROOT_2PI * ndtr(a + b * z), start, end, epsabs=1e-13)
        return float(area)

    @property
    def bends(self) -> bool:
        return math.isfinite(self.a)


@dataclass(frozen=True, eq=False)
class Binormal:
    """Area under the fitted curve; p tests it against 1/2 and is None where there is no standard error.

    a_se, b_se, ab_covariance: of the intercept and the slope; cutoffs: between the categories, in standard deviations
    of the non-diseased; log_likelihood: of the categories as they were rated, multinomial coefficients left out.
    """

    estimate: float
    se: float
    p: float | None
    curve: BinormalCurve
    a_se: float
    b_se: float
    ab_covariance: float
    cutoffs: Floats
    log_likelihood: float
    positives: int
    negatives: int
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Normal for a / sqrt(1 + b²), carried to the area."""
        if self.se == 0:
            return Interval(self.estimate, self.estimate, level)
        centre = float(ndtri(self.estimate))
        half = quantile(level) * self.se / density(centre)
        return Interval(float(ndtr(centre - half)), float(ndtr(centre + half)), level)


@dataclass(frozen=True)
class BinormalLine:
    """Area under the curve that is a least-squares line on normal quantiles; it has no standard error of its own."""

    estimate: float
    curve: BinormalCurve
    points: int


def binormal_auc(truth: Bools, rating: Floats) -> Binormal:
    """How large is the area under the smooth ROC curve of two normal distributions behind the ratings?

    truth: (n,) True where diseased; rating: (n,) without NaN, ordinal or continuous. Some rising map makes the
    non-diseased ratings N(0, 1) and the diseased ones N(a/b, 1/b²); a, b and the cutoffs between the categories are
    those of largest likelihood. Neighbouring ratings of one class only are one category, which changes no estimate,
    so that continuous ratings are those of LABROC. Area Phi(a / sqrt(1 + b²)), its standard error by the delta
    method from the observed information, its interval on the normal scale. Sources: Dorfman & Alf (1969), J. Math.
    Psychol. 6:487-496; Metz, Herman & Shen (1998), Stat. Med. 17:1033-1053.
    All ties, or points on the edges of the ROC square only (as in perfect separation): the diagonal or the edge with a
    warning and without standard error. One operating point inside, or a likelihood that rises without end: refused.

    >>> truth = np.repeat([False, True], [10, 10])
    >>> found = binormal_auc(truth, np.array([1.0] * 5 + [2] * 3 + [3] * 2 + [1] * 2 + [2] * 3 + [3] * 5))
    >>> round(found.estimate, 6), round(found.curve.a, 6), round(found.curve.b, 6)
    (0.724117, 0.841621, 1.0)
    """
    check_two_classes(truth)
    negative, positive, constant = categories(truth, rating)
    edge = edge_of(negative, positive)
    if edge is not None:
        return at_edge(truth, edge)
    if len(negative) == 2:
        raise CannotAnalyse(
            "One operating point does not determine a binormal curve; it needs three rating categories."
        )
    at = maximise(negative, positive)
    if at is None or not 1 / STEEPEST < at.b < STEEPEST:
        raise CannotAnalyse(ENDLESS)
    value, _, _, curvature = derivatives(negative, positive, at, expected=False)
    covariance = curvature.covariance_ab()
    curve = BinormalCurve(at.a, at.b)
    z, scale = at.a / math.hypot(1, at.b), 1 + at.b**2
    slope = np.array([1 / math.sqrt(scale), -at.a * at.b / scale**1.5])
    variance = float(slope @ covariance @ slope)
    # A ridge without end passes for a maximum where it is flat: there is hardly any information.
    if not (
        np.isfinite(covariance).all() and 0 < variance * density(z) ** 2 < 1 / 4 and covariance.diagonal().min() > 0
    ):
        raise CannotAnalyse(ENDLESS)
    z_se = math.sqrt(variance)
    a_se, b_se = np.sqrt(np.diag(covariance)).tolist()
    n1 = int(truth.sum())
    return Binormal(
        curve.area, density(z) * z_se, two_sided_p(z / z_se), curve, a_se, b_se, float(covariance[0, 1]), at.cutoffs,
        value + constant, n1, len(truth) - n1,
    )  # fmt: skip


def density(z: float) -> float:
    return math.exp(-z * z / 2) / ROOT_2PI


def categories(truth: Bools, rating: Floats) -> tuple[Floats, Floats, float]:
    """Non-diseased and diseased cases per category, and what merging the categories took from the log-likelihood.

    Neighbouring ratings of one class only are merged: their cutoffs divide the category's probability as the counts.
    """
    levels, place = np.unique(rating, return_inverse=True)
    counts = np.stack([np.bincount(place[chosen], minlength=len(levels)) for chosen in (~truth, truth)]).astype(float)
    only = np.where(counts[1] == 0, 0, np.where(counts[0] == 0, 1, 2))
    starts = np.flatnonzero(np.concatenate(([True], (only[1:] != only[:-1]) | (only[1:] == 2))))
    merged = np.add.reduceat(counts, starts, axis=1)
    return merged[0], merged[1], entropy(counts) - entropy(merged)


def entropy(counts: Floats) -> float:
    """sum counts log counts."""
    return float((counts[counts > 0] * np.log(counts[counts > 0])).sum())


def edge_of(negative: Floats, positive: Floats) -> float | None:
    """Intercept of a curve that no likelihood determines: 0 the diagonal, infinite an edge; else None."""
    if len(negative) == 1:
        return 0.0
    fpr, tpr = 1 - np.cumsum(negative)[:-1] / negative.sum(), 1 - np.cumsum(positive)[:-1] / positive.sum()
    if bool(((fpr == 0) | (tpr == 1)).all()):
        return math.inf
    if bool(((fpr == 1) | (tpr == 0)).all()):
        return -math.inf
    return None


def at_edge(truth: Bools, a: float) -> Binormal:
    curve, n1 = BinormalCurve(a, 1.0), int(truth.sum())
    p, warning = (1.0, TIES) if a == 0 else (None, EDGES)
    cutoffs = np.empty(0)
    return Binormal(curve.area, 0.0, p, curve, 0.0, 0.0, 0.0, cutoffs, 0.0, n1, len(truth) - n1, (warning,))


def binormal_line(truth: Bools, rating: Floats) -> BinormalLine:
    """Which binormal curve is the straight line through the operating points on normal quantiles?

    truth: (n,); rating: (n,) without NaN. Least squares of Phi^-1(specificity) on Phi^-1(sensitivity) over the
    operating points inside the ROC square, as pROC's smooth(method = "binormal") and so not symmetric in its axes.
    It is a picture, not an estimate with known error; `binormal_auc` is the estimate. Source: Hanley (1988), Med.
    Decis. Making 8:197-203. Fewer than two different points inside: refused.

    >>> truth = np.repeat([False, True], [10, 10])
    >>> found = binormal_line(truth, np.array([1.0] * 5 + [2] * 3 + [3] * 2 + [1] * 2 + [2] * 3 + [3] * 5))
    >>> round(found.estimate, 6), found.points
    (0.724117, 2)
    """
    curve = roc_curve(truth, rating)
    inside = (curve.fpr > 0) & (curve.fpr < 1) & (curve.tpr > 0) & (curve.tpr < 1)
    x, y = ndtri(curve.tpr[inside]), ndtri(1 - curve.fpr[inside])
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise CannotAnalyse("A line on normal quantiles needs two operating points that differ in both rates.")
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    found = BinormalCurve(-float(y.mean() - slope * x.mean()) / slope, -1 / slope)
    return BinormalLine(found.area, found, len(x))
