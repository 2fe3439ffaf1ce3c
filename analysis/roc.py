"""The empirical ROC curve and what is read from it."""

from dataclasses import dataclass

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.proportions import ConfusionTable, confusion_table
from analysis.ratings import Bools, Floats


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
