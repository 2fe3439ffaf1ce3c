"""The LROC curve: one location per case, and what is found at a false-positive fraction."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.localisation.lesions import Ints
from analysis.localisation.marked_cells import Cell, Without
from analysis.ratings import Bools, Floats


@dataclass(frozen=True, eq=False)
class LrocPoints:
    """Points of the curve as counts, from (0, 0) on.

    threshold: (point,) infinite first, -inf last; false: (point,) cases without disease rated so high; found: (point,)
    diseased cases correctly localised with a mark so high; level: (case,) the point at which a case begins to count,
    0 where it never does.
    """

    threshold: Floats
    false: Floats
    found: Floats
    level: Ints


def lroc_points(cell: Cell) -> LrocPoints:
    """The LROC of one reader: the highest mark of a case is its location and its rating.

    A diseased case is correctly localised where its highest mark lies on a lesion and above every mark on none.
    """
    correct = cell.diseased & (cell.highest_hit > cell.highest_false)
    rating = np.where(cell.truth, cell.highest_hit, cell.highest_false)
    counted = correct | cell.healthy
    levels = np.unique(rating[counted & np.isfinite(rating)])[::-1]
    threshold = np.concatenate(([np.inf], levels, [-np.inf]))
    level = np.where(counted, 1 + np.searchsorted(-levels, -rating, "left"), 0)
    found, false = (
        np.cumsum(np.bincount(level[chosen], minlength=len(threshold))).astype(float)
        for chosen in (correct, cell.healthy)
    )
    return LrocPoints(threshold, false, found, level)


def lroc_figure(limit: float, area: bool) -> Callable[[Cell], Without]:
    """Area up to a false-positive fraction, or the height there; linear between points, the lower end of a step."""

    def compute(cell: Cell) -> Without:
        points = lroc_points(cell)
        zero = np.zeros(1, dtype=np.int64)
        whole = reading(points, limit, zero, zero, area)
        x_left, y_left = cell.healthy.sum() - cell.healthy, cell.diseased.sum() - cell.diseased
        lost = reading(
            points, limit, np.where(cell.healthy, points.level, 0), np.where(cell.truth, points.level, 0), area
        )
        scale = np.where(area, x_left, 1) * y_left
        fit = (x_left > 0) & (y_left > 0)
        value = float(whole[0]) / (float(cell.healthy.sum()) if area else 1.0) / float(cell.diseased.sum())
        return Without(value, np.divide(lost, scale, out=np.full(len(lost), np.nan), where=fit))

    return compute


def reading(points: LrocPoints, limit: float, lost_false: Ints, lost_found: Ints, area: bool) -> Floats:
    """Area or height, in counts, without a case that begins to count at these points (0: nothing is lost).

    Leaving a case out lowers all counts from its point on by one, so that no curve is drawn anew.
    """
    false, found = points.false, points.found
    steps = np.diff(false)
    areas = np.concatenate(([0.0], np.cumsum(steps * (found[1:] + found[:-1]) / 2)))
    gone = lost_false > 0
    target = limit * (false[-1] - gone)
    target = np.where(np.abs(target - np.round(target)) < 1e-9, np.round(target), target)
    at = np.searchsorted(false, target, "left")
    at = np.where(gone & (at >= lost_false), np.searchsorted(false, target + 1, "left"), at)
    at = np.clip(at, 1, len(false) - 1)
    before = at - 1

    def counts(place: Ints) -> tuple[Floats, Floats]:
        return false[place] - reached(place, lost_false), found[place] - reached(place, lost_found)

    false_before, found_before = counts(before)
    false_at, found_at = counts(at)
    step = false_at - false_before
    share = np.divide(target - false_before, step, out=np.zeros(len(at)), where=step > 0)
    height = found_before + share * (found_at - found_before)
    if not area:
        return np.asarray(height)
    less = np.where(
        reached(before, lost_false), (found[lost_false] + found[np.maximum(lost_false - 1, 0)]) / 2, 0.0
    ) + np.where(
        reached(before, lost_found),
        false[before] - false[lost_found] + (false[lost_found] - false[np.maximum(lost_found - 1, 0)]) / 2,
        0.0,
    )
    return np.asarray(areas[before] - less + (target - false_before) * (found_before + height) / 2)


def reached(place: Ints, lost: Ints) -> Bools:
    """Whether the point counts a case that is left out."""
    return (lost > 0) & (place >= lost)
