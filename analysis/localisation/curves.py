"""The curves of localisation studies: FROC, AFROC, wAFROC, ROC, LROC."""

from dataclasses import dataclass

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.localisation.lroc import lroc_points
from analysis.localisation.marked_cells import Cell, cell_of, highest
from analysis.localisation.marks import Marks
from analysis.ratings import Floats, check_names

KINDS = ("froc", "afroc", "wafroc", "afroc1", "wafroc1", "roc", "lroc")


@dataclass(frozen=True, eq=False)
class LocalisedCurve:
    """Points of a curve from the strictest threshold on.

    threshold: (point,) marks rated so high or higher count, infinite at (0, 0), -inf where also what bears no mark
    counts; x, y: (point,) fractions; for the froc x is marks on no lesion per case.
    """

    kind: str
    reader: str
    arm: str
    threshold: Floats
    x: Floats
    y: Floats

    @property
    def area(self) -> float:
        """Area under the points joined by straight lines; of the froc only as far as its last point."""
        return float(np.trapezoid(self.y, self.x))


def localised_curve(marks: Marks, reader: str, arm: str, kind: str = "wafroc") -> LocalisedCurve:
    """What does a reader find, at which cost, as marks count from a lower and lower rating on?

    kind: x against y with froc: marks on no lesion per case, lesions found; afroc: cases without disease with a mark,
    lesions found; wafroc: the same, weights of lesions found per diseased case; afroc1, wafroc1: x over all cases,
    by marks on no lesion; roc: highest mark of a case; lroc: diseased cases whose highest mark lies on a lesion.
    All but froc and lroc end at (1, 1), lroc at (1, share found). The areas are the figures of merit of that name; of
    roc hrauc, of lroc alroc.
    Refused: an unknown kind, a reader who read nothing, no diseased cases or none without disease where needed.
    Source: Chakraborty (2017), Observer Performance Methods for Diagnostic Imaging, chapter 13.

    >>> import pandas as pd
    >>> from analysis.localisation.marks import read_marks
    >>> cases = pd.DataFrame({"case": [1, 2, 3, 4], "truth": [0, 0, 1, 1], "lesion": [0, 0, 1, 1]})
    >>> table = pd.DataFrame({"reader": "R", "arm": "A", "case": [1, 3], "lesion": [0, 1], "rating": [2, 5]})
    >>> curve = localised_curve(read_marks(table, cases), "R", "A")
    >>> curve.x.tolist(), curve.y.tolist(), curve.area
    ([0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0], 0.625)
    """
    kind = kind.strip().lower()
    if kind not in KINDS:
        raise CannotAnalyse(f"The curve is {', '.join(KINDS)}, not {kind}.")
    check_names("reader", (reader,), marks.readers)
    check_names("arm", (arm,), marks.arms)
    cell = cell_of(marks, marks.readers.index(reader), marks.arms.index(arm))
    if not cell.diseased.any():
        raise CannotAnalyse(f"Reader {reader} read no diseased case in arm {arm}.")
    if kind in ("afroc", "wafroc", "roc", "lroc") and not cell.healthy.any():
        raise CannotAnalyse(f"Reader {reader} read no case without disease in arm {arm}.")
    threshold, x, y = lroc(cell) if kind == "lroc" else points(cell, kind)
    if len(x) > 1 and x[-1] == x[-2] and y[-1] == y[-2]:
        threshold, x, y = threshold[:-1], x[:-1], y[:-1]
    return LocalisedCurve(kind, reader, arm, threshold, x, y)


def lroc(cell: Cell) -> tuple[Floats, Floats, Floats]:
    found = lroc_points(cell)
    return found.threshold, found.false / cell.healthy.sum(), found.found / cell.diseased.sum()


def points(cell: Cell, kind: str) -> tuple[Floats, Floats, Floats]:
    """Thresholds and both fractions; a mark counts from its own rating on."""
    marked = np.concatenate((cell.false_rating, cell.hits[np.isfinite(cell.hits)]))
    last = [] if kind == "froc" else [-np.inf]
    threshold = np.concatenate(([np.inf], np.unique(marked)[::-1], last))
    x_ones = np.ones(len(cell.read))
    if kind == "froc":
        x = reached(cell.false_rating, np.ones(len(cell.false_rating)), threshold) / cell.read.sum()
    else:
        chosen = cell.read if kind.endswith("1") else cell.healthy
        x = reached(cell.highest_false[chosen], x_ones[chosen], threshold) / chosen.sum()
    if kind == "roc":
        y = reached(highest(cell)[cell.diseased], x_ones[cell.diseased], threshold) / cell.diseased.sum()
    elif kind.startswith("w"):
        y = reached(cell.hits, cell.weight, threshold) / cell.diseased.sum()
    else:
        y = reached(cell.hits, np.ones(len(cell.hits)), threshold) / len(cell.hits)
    return threshold, x, y


def reached(rating: Floats, weight: Floats, threshold: Floats) -> Floats:
    """Sum of the weights of what is rated so high or higher, for each threshold."""
    order = np.argsort(rating, kind="stable")
    sums = np.concatenate(([0.0], np.cumsum(weight[order][::-1])))
    return np.asarray(sums[len(rating) - np.searchsorted(rating[order], threshold, "left")])
