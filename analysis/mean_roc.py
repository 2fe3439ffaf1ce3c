"""The mean of several readers' empirical ROC curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.ratings import Floats
from analysis.roc import RocCurve

Direction = Literal["vertical", "horizontal", "diagonal"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


@dataclass(frozen=True, eq=False)
class MeanCurve:
    """Points from (0, 0) to (1, 1) where any of the curves bends; steps have a point at both ends."""

    direction: Direction
    fpr: Floats
    tpr: Floats
    curves: int

    @property
    def area(self) -> float:
        """The mean of the areas under the curves."""
        return float(np.trapezoid(self.tpr, self.fpr))


def mean_curve(curves: Sequence[RocCurve], direction: Direction = "diagonal") -> MeanCurve:
    """Which curve stands for all readers?

    vertical: mean sensitivity at every specificity; horizontal: mean specificity at every sensitivity; diagonal: mean
    of sensitivity + specificity where their difference is the same, which treats both alike. Between its points each
    curve is straight. All three have the mean of the areas; pooling readers' ratings has not.
    Source: Chen & Samuelson (2014), Br. J. Radiol. 87:20140016. No curve: refused.

    >>> from analysis.roc import roc_curve
    >>> truth = np.array([False, False, True, True])
    >>> pair = [roc_curve(truth, np.array(rating)) for rating in ([1.0, 2, 2, 3], [1.0, 3, 2, 3])]
    >>> found = mean_curve(pair, "vertical")
    >>> found.fpr.tolist(), found.tpr.tolist(), found.area
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.25, 0.75, 1.0, 1.0], 0.75)
    """
    if direction not in DIRECTIONS:
        raise CannotAnalyse(f"Curves are averaged {', '.join(DIRECTIONS)}, not {direction}.")
    if not curves:
        raise CannotAnalyse("There is no ROC curve to average.")
    if direction == "vertical":
        fpr, tpr = averaged([(curve.fpr, curve.tpr) for curve in curves])
    elif direction == "horizontal":
        tpr, fpr = averaged([(curve.tpr, curve.fpr) for curve in curves])
    else:
        along, across = averaged([(curve.tpr + curve.fpr, curve.tpr - curve.fpr) for curve in curves])
        fpr, tpr = (along - across) / 2, (along + across) / 2
    return MeanCurve(direction, fpr, tpr, len(curves))


def averaged(curves: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """Mean height of rising curves wherever one of them has a point; two points where one of them steps up."""
    places = np.unique(np.concatenate([along for along, _ in curves]))
    ends = [heights(along, height, places) for along, height in curves]
    low, high = (np.mean([end[side] for end in ends], axis=0) for side in (0, 1))
    steps = high > low
    return np.repeat(places, 1 + steps), np.insert(high, np.flatnonzero(steps), low[steps])


def heights(along: Floats, height: Floats, places: Floats) -> tuple[Floats, Floats]:
    """Lower and upper end of the curve above every place."""
    left, right = np.searchsorted(along, places, "left"), np.searchsorted(along, places, "right")
    between = np.interp(places, along, height)
    met = right > left
    last = len(along) - 1
    return np.where(met, height[np.minimum(left, last)], between), np.where(met, height[right - 1], between)
