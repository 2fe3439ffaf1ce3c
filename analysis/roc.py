"""The empirical ROC curve and what is read from it."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.proportions import ConfusionTable, confusion_table
from analysis.ratings import Bools, Floats

Axis = Literal["specificity", "sensitivity"]
BESIDE = 1e-12


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Operating points from (0, 0) to (1, 1); a case is called diseased where rating >= threshold.

    fpr, tpr, thresholds: (points,); the first threshold is infinite: nothing is called.
    """

    fpr: Floats
    tpr: Floats
    thresholds: Floats
    positives: int
    negatives: int

    @property
    def area(self) -> float:
        """Area by the trapezoidal rule, equal to the Mann-Whitney statistic."""
        return float(np.trapezoid(self.tpr, self.fpr))


@dataclass(frozen=True)
class OperatingPoint:
    """One threshold of the rating scale and the decisions it makes."""

    threshold: float
    sensitivity: float
    specificity: float
    table: ConfusionTable

    @property
    def youden(self) -> float:
        return self.sensitivity + self.specificity - 1


def check_two_classes(truth: Bools) -> None:
    """Refuse ratings of one class only."""
    if truth.size == 0:
        raise CannotAnalyse("There are no rated cases.")
    if not truth.any():
        raise CannotAnalyse("There is no diseased case among those rated, so the ROC curve does not exist.")
    if truth.all():
        raise CannotAnalyse("There is no non-diseased case among those rated, so the ROC curve does not exist.")


def roc_curve(truth: Bools, rating: Floats) -> RocCurve:
    """Which pairs of sensitivity and 1 - specificity do all thresholds of the rating give?

    truth: (n,) True where diseased; rating: (n,) finite, higher = more suspicious. One point per distinct rating,
    ties kept together, by `sklearn.metrics.roc_curve` without dropping collinear points. One class: refused.

    >>> curve = roc_curve(np.array([False, False, True, True]), np.array([1.0, 2.0, 2.0, 3.0]))
    >>> curve.tpr.tolist(), curve.fpr.tolist(), curve.area
    ([0.0, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 1.0], 0.875)
    """
    from sklearn.metrics import roc_curve as sklearn_roc_curve

    check_two_classes(truth)
    fpr, tpr, thresholds = sklearn_roc_curve(truth, rating, drop_intermediate=False)
    positives = int(truth.sum())
    return RocCurve(fpr, tpr, thresholds, positives, len(truth) - positives)


def operating_point(truth: Bools, rating: Floats, threshold: float) -> OperatingPoint:
    """What do the ratings decide when rating >= threshold is called diseased?

    >>> operating_point(np.array([False, True]), np.array([1.0, 2.0]), 2.0).table
    ConfusionTable(tp=1, fp=0, tn=1, fn=0)
    """
    check_two_classes(truth)
    table = confusion_table(truth, (rating >= threshold).astype(float))
    return OperatingPoint(threshold, table.tp / table.positives, table.tn / table.negatives, table)


def youden_point(truth: Bools, rating: Floats) -> OperatingPoint:
    """Which threshold gives the largest sensitivity + specificity - 1?

    Ties are broken in favour of the higher threshold (higher specificity). Source: Youden (1950), Cancer 3:32-35.
    Chosen on the same data it flatters the test; choose it on other data where that is possible.

    >>> youden_point(np.array([False, False, True, True]), np.array([1.0, 2.0, 2.0, 3.0])).threshold
    3.0
    """
    curve = roc_curve(truth, rating)
    best = int(np.argmax(np.round(curve.tpr - curve.fpr, 12)))
    return operating_point(truth, rating, float(curve.thresholds[best]))


def partial_area(curve: RocCurve, axis: Axis, low: float, high: float, corrected: bool = False) -> float:
    """How large is the area under the part of the curve with this much specificity (or sensitivity)?

    low < high in [0, 1]: the range of the axis. Over specificity the area lies under sensitivity, over sensitivity
    under specificity, between points on straight lines; its largest value is high - low. `corrected`: McClish's
    (1 + (area - chance) / (high - low - chance)) / 2, which is 1/2 for chance and 1 at best.
    Source: McClish (1989), Med. Decis. Making 9:190-195. A range outside [0, 1] or empty is refused.

    >>> curve = roc_curve(np.array([False, False, True, True]), np.array([1.0, 2.0, 2.0, 3.0]))
    >>> partial_area(curve, "specificity", 0.5, 1.0), partial_area(curve, "specificity", 0.5, 1.0, corrected=True)
    (0.375, 0.8333333333333333)
    """
    return float(partial_areas(curve.fpr, curve.tpr, axis, low, high, corrected))


def partial_areas(fpr: Floats, tpr: Floats, axis: Axis, low: float, high: float, corrected: bool = False) -> Floats:
    """The partial area of each of many curves; fpr, tpr: (..., points) as in `RocCurve`. See `partial_area`."""
    if axis not in get_args(Axis):
        raise CannotAnalyse(f"A partial area runs over specificity or sensitivity, not over {axis}.")
    if not 0 <= low < high <= 1:
        raise CannotAnalyse(f"A partial area needs 0 <= low < high <= 1, not {low:g} and {high:g}.")
    x, y = (fpr, tpr) if axis == "specificity" else (tpr, 1 - fpr)
    start, end = (1 - high, 1 - low) if axis == "specificity" else (low, high)
    area = clipped_area(x, y, start, end)
    if not corrected:
        return area
    chance = chance_area(low, high)
    return (1 + (area - chance) / (high - low - chance)) / 2


def chance_area(low: float, high: float) -> float:
    """Partial area of the diagonal, over either axis."""
    return ((1 - low) ** 2 - (1 - high) ** 2) / 2


def clipped_area(x: Floats, y: Floats, start: float, end: float) -> Floats:
    """Area under straight lines through the points of each row, x ascending, between start and end."""
    left, right = np.clip(x[..., :-1], start, end), np.clip(x[..., 1:], start, end)
    width = x[..., 1:] - x[..., :-1]
    slope = np.divide(y[..., 1:] - y[..., :-1], width, out=np.zeros_like(width), where=width > 0)
    middle = y[..., :-1] + slope * ((left + right) / 2 - x[..., :-1])
    return np.asarray(((right - left) * middle).sum(axis=-1))


def sensitivity_at(curve: RocCurve, specificity: float) -> float:
    """Which sensitivity does the curve reach at this specificity, on straight lines between its points?

    Where the curve rises vertically, the upper end. A specificity outside [0, 1] is refused. An interval:
    `operating.sensitivity_at_specificity`.

    >>> curve = roc_curve(np.array([False, False, True, True]), np.array([1.0, 2.0, 2.0, 3.0]))
    >>> sensitivity_at(curve, 0.75)
    0.75
    """
    return float(heights(curve.fpr, curve.tpr, "specificity", specificity))


def specificity_at(curve: RocCurve, sensitivity: float) -> float:
    """Which specificity does the curve keep at this sensitivity, on straight lines between its points?

    Where the curve runs level, the better end. A sensitivity outside [0, 1] is refused. An interval:
    `operating.specificity_at_sensitivity`.

    >>> curve = roc_curve(np.array([False, False, True, True]), np.array([1.0, 2.0, 2.0, 3.0]))
    >>> specificity_at(curve, 0.75)
    0.75
    """
    return float(heights(curve.fpr, curve.tpr, "sensitivity", sensitivity))


def heights(fpr: Floats, tpr: Floats, fixed: Axis, value: float) -> Floats:
    """The other axis of each of many curves where this one has the value; fpr, tpr: (..., points)."""
    if fixed == "specificity":
        return height_at(fpr, tpr, 1 - value)
    return height_at((1 - tpr)[..., ::-1], (1 - fpr)[..., ::-1], 1 - value)


def height_at(x: Floats, y: Floats, place: float) -> Floats:
    """Largest y at `place` on straight lines through the points of each row, which ascend in x and y."""
    if not 0 <= place <= 1:
        raise CannotAnalyse(f"A specificity or sensitivity lies between 0 and 1, not at {1 - place:g}.")
    # 1 - 0.9 is not 0.1 in binary, and a point just beside the place would miss a vertical step.
    before = (x <= place + BESIDE).sum(axis=-1, keepdims=True) - 1
    after = np.minimum(before + 1, x.shape[-1] - 1)
    x0, x1, y0, y1 = (np.take_along_axis(values, at, -1)[..., 0] for values in (x, y) for at in (before, after))
    width = x1 - x0
    share = np.divide(place - x0, width, out=np.zeros_like(width), where=(width > 0) & (np.abs(place - x0) > BESIDE))
    return np.asarray(y0 + share * (y1 - y0))
