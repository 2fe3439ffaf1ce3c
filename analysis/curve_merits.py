"""Figures of merit read from the ROC curve: partial area, operating points, expected utility.

Leaving a case out moves the curve in closed form, so that the jackknife of n cases costs one sort: without a diseased
case the heights change linearly, without a non-diseased case the part of the curve beyond it moves one step left.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.errors import CannotAnalyse
from analysis.merits import BOTH, weighted_steps
from analysis.ratings import Bools, Floats
from analysis.roc import Axis, check_two_classes

# Counts such as 0.1 * 50 come out beside the whole number they are; a step of the curve must not be missed by that.
DIGITS = 9


@dataclass(frozen=True, eq=False)
class Counts:
    """Curve in counts, from (0, 0): tp, fp (K + 1,) after each distinct rating; level of each case (n,) from 1."""

    tp: Floats
    fp: Floats
    level: npt.NDArray[np.int64]

    @staticmethod
    def of(truth: Bools, values: Floats) -> "Counts":
        check_two_classes(truth)
        _, place = np.unique(-values, return_inverse=True)
        size = int(place.max()) + 1
        diseased = np.bincount(place, weights=truth, minlength=size)
        both = np.bincount(place, minlength=size)
        tp, fp = np.cumsum(diseased), np.cumsum(both - diseased)
        return Counts(np.concatenate(([0.0], tp)), np.concatenate(([0.0], fp)), place + 1)

    @property
    def positives(self) -> float:
        return float(self.tp[-1])

    @property
    def negatives(self) -> float:
        return float(self.fp[-1])

    def before(self) -> tuple[Floats, Floats, Floats, Floats]:
        """tp and fp before and after the level of each case."""
        return self.tp[self.level - 1], self.fp[self.level - 1], self.tp[self.level], self.fp[self.level]


def check_two(counts: Counts) -> None:
    if counts.positives < 2 or counts.negatives < 2:
        raise CannotAnalyse("The jackknife needs at least two cases of each class that the figure rests on.")


def height(tp: Floats, fp: Floats, u: "Floats | float") -> Floats:
    """Height of one curve in counts at u non-diseased cases, on straight lines, upper end of vertical steps."""
    u = np.round(np.asarray(u, dtype=float), DIGITS)
    after = np.clip(np.searchsorted(fp, u, side="right"), 1, len(fp) - 1)
    width = fp[after] - fp[after - 1]
    share = np.divide(u - fp[after - 1], width, out=np.ones_like(u), where=width > 0)
    # At the right end `after` is the last point itself; the upper end is reached whatever its width.
    share = np.where(u >= fp[-1], 1.0, share)
    return np.asarray(tp[after - 1] + share * (tp[after] - tp[after - 1]))


def area_up_to(tp: Floats, fp: Floats, u: "Floats | float") -> Floats:
    """Area under one curve in counts from 0 to u."""
    u = np.clip(np.asarray(u, dtype=float), 0.0, fp[-1])
    width = np.diff(fp)
    steps = np.concatenate(([0.0], np.cumsum(width * (tp[1:] + tp[:-1]) / 2)))
    after = np.clip(np.searchsorted(fp, u, side="right"), 1, len(fp) - 1)
    start = after - 1
    part = u - fp[start]
    slope = np.divide(tp[after] - tp[start], width[start], out=np.zeros_like(u), where=width[start] > 0)
    return np.asarray(steps[start] + part * tp[start] + slope * part**2 / 2)


def height_without_negative(counts: Counts, u: float) -> Floats:
    """`height` without one non-diseased case of the level of each case."""
    low_tp, low_fp, high_tp, high_fp = counts.before()
    width = high_fp - low_fp - 1
    inside = low_tp + np.divide((u - low_fp) * (high_tp - low_tp), width, out=np.zeros_like(low_tp), where=width > 0)
    moved = height(counts.tp, counts.fp, u + 1)
    stays = height(counts.tp, counts.fp, u)
    at = round(u, DIGITS)
    return np.where(at >= high_fp - 1, moved, np.where(at <= low_fp, stays, inside))


def area_without_negative(counts: Counts, u: float) -> Floats:
    """`area_up_to` without one non-diseased case of the level of each case."""
    low_tp, low_fp, high_tp, high_fp = counts.before()
    width = high_fp - low_fp - 1
    part = np.clip(u - low_fp, 0.0, np.maximum(width, 0.0))
    slope = np.divide(high_tp - low_tp, width, out=np.zeros_like(low_tp), where=width > 0)
    start, end = (area_up_to(counts.tp, counts.fp, edge) for edge in (np.minimum(u, low_fp), high_fp))
    beyond = np.maximum(area_up_to(counts.tp, counts.fp, u + 1) - end, 0.0)
    return np.asarray(start + part * low_tp + slope * part**2 / 2 + beyond)


@dataclass(frozen=True)
class PartialAuc:
    """Area under the part of the curve with this much specificity or sensitivity; see `roc.partial_area`."""

    axis: Axis
    low: float
    high: float
    corrected: bool = False
    classes: tuple[bool, ...] = BOTH

    def __post_init__(self) -> None:
        if self.axis not in ("specificity", "sensitivity"):
            raise CannotAnalyse(f"A partial area runs over specificity or sensitivity, not over {self.axis}.")
        if not 0 <= self.low < self.high <= 1:
            raise CannotAnalyse(f"A partial area needs 0 <= low < high <= 1, not {self.low:g} and {self.high:g}.")

    @property
    def name(self) -> str:
        return f"pauc:{self.axis}:{self.low:g}:{self.high:g}" + (":mcclish" if self.corrected else "")

    @property
    def limits(self) -> tuple[float, float]:
        if not self.corrected:
            return 0.0, self.high - self.low
        return float(self.scaled(0.0)), 1.0

    @property
    def chance(self) -> float | None:
        return 0.5 if self.corrected else self.area_of_chance

    @property
    def area_of_chance(self) -> float:
        return ((1 - self.low) ** 2 - (1 - self.high) ** 2) / 2

    def scaled(self, area: "Floats | float") -> Floats:
        """McClish's correction where it was asked for."""
        if not self.corrected:
            return np.asarray(area)
        chance = self.area_of_chance
        return np.asarray((1 + (area - chance) / (self.high - self.low - chance)) / 2)

    def facing(self, truth: Bools, values: Floats) -> tuple[Bools, Floats]:
        """The data turned so that the axis is specificity: sensitivity is the specificity of the reverse question."""
        return (truth, values) if self.axis == "specificity" else (~truth, -values)

    def value(self, truth: Bools, values: Floats) -> float:
        counts = Counts.of(*self.facing(truth, values))
        start, end = (counts.negatives * (1 - edge) for edge in (self.high, self.low))
        area = area_up_to(counts.tp, counts.fp, end) - area_up_to(counts.tp, counts.fp, start)
        return float(self.scaled(area / (counts.positives * counts.negatives)))

    def without_each(self, truth: Bools, values: Floats) -> Floats:
        truth, values = self.facing(truth, values)
        counts = Counts.of(truth, values)
        check_two(counts)
        n1, n0 = counts.positives, counts.negatives
        edges = (1 - self.high, 1 - self.low)
        whole = [float(area_up_to(counts.tp, counts.fp, n0 * edge)) for edge in edges]
        _, low_fp, _, high_fp = counts.before()
        own = [ramp_area(low_fp, high_fp, n0 * edge) for edge in edges]
        without_positive = (whole[1] - whole[0] - (own[1] - own[0])) / ((n1 - 1) * n0)
        moved = [area_without_negative(counts, (n0 - 1) * edge) for edge in edges]
        without_negative = (moved[1] - moved[0]) / (n1 * (n0 - 1))
        return self.scaled(np.where(truth, without_positive, without_negative))

    def weighted(self, truth: Bools, values: Floats, weights: Floats) -> Floats:
        tp, fp = shares(*weighted_steps(*self.facing(truth, values), weights))
        start, end = 1 - self.high, 1 - self.low
        left, right = np.clip(fp[:, :-1], start, end), np.clip(fp[:, 1:], start, end)
        middle = tp[:, :-1] + slopes(tp, fp) * ((left + right) / 2 - fp[:, :-1])
        return self.scaled(((right - left) * middle).sum(axis=1))


def ramp_area(low: Floats, high: Floats, u: float) -> Floats:
    """Area from 0 to u under a step that rises in a straight line from 0 at `low` to 1 at `high`."""
    inside = np.clip(u - low, 0.0, high - low)
    rise = np.divide(inside**2, 2 * (high - low), out=np.zeros_like(low), where=high > low)
    return np.asarray(rise + np.maximum(u - high, 0.0))


def shares(tp: Floats, fp: Floats) -> tuple[Floats, Floats]:
    """Steps of many curves (replicates, K) as their points (replicates, K + 1), from (0, 0) to (1, 1)."""
    return starting_at_zero(tp), starting_at_zero(fp)


def starting_at_zero(steps: Floats) -> Floats:
    found = np.cumsum(steps, axis=1)
    return np.concatenate([np.zeros((len(steps), 1)), found / found[:, -1:]], axis=1)


def slopes(tp: Floats, fp: Floats) -> Floats:
    width = np.diff(fp, axis=1)
    return np.divide(np.diff(tp, axis=1), width, out=np.zeros_like(width), where=width > 0)


@dataclass(frozen=True)
class RateAt:
    """Sensitivity at a specificity, or specificity at a sensitivity, on straight lines, at steps the better end."""

    given: Axis
    at: float
    classes: tuple[bool, ...] = BOTH
    limits: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if not 0 <= self.at <= 1:
            raise CannotAnalyse(f"A specificity or sensitivity lies between 0 and 1, not at {self.at:g}.")

    @property
    def name(self) -> str:
        return f"{'sensitivity' if self.given == 'specificity' else 'specificity'}-at:{self.at:g}"

    @property
    def chance(self) -> float | None:
        return 1 - self.at

    def facing(self, truth: Bools, values: Floats) -> tuple[Bools, Floats]:
        return (truth, values) if self.given == "specificity" else (~truth, -values)

    def value(self, truth: Bools, values: Floats) -> float:
        counts = Counts.of(*self.facing(truth, values))
        return float(height(counts.tp, counts.fp, counts.negatives * (1 - self.at)) / counts.positives)

    def without_each(self, truth: Bools, values: Floats) -> Floats:
        truth, values = self.facing(truth, values)
        counts = Counts.of(truth, values)
        check_two(counts)
        n1, n0, share = counts.positives, counts.negatives, 1 - self.at
        u = round(n0 * share, DIGITS)
        _, low_fp, _, high_fp = counts.before()
        width = high_fp - low_fp
        own = np.divide(u - low_fp, width, out=np.where(u >= high_fp, 1.0, 0.0), where=width > 0)
        whole = float(height(counts.tp, counts.fp, u))
        without_positive = (whole - np.clip(own, 0.0, 1.0)) / (n1 - 1)
        without_negative = height_without_negative(counts, (n0 - 1) * share) / n1
        return np.where(truth, without_positive, without_negative)

    def weighted(self, truth: Bools, values: Floats, weights: Floats) -> Floats:
        tp, fp = shares(*weighted_steps(*self.facing(truth, values), weights))
        share = 1 - self.at
        last = (fp <= share + 10.0**-DIGITS).sum(axis=1, keepdims=True) - 1
        start = np.minimum(last, fp.shape[1] - 2)
        rise = np.take_along_axis(slopes(tp, fp), start, axis=1) * (share - np.take_along_axis(fp, last, axis=1))
        rise = np.where(last > start, 0.0, np.maximum(rise, 0.0))
        return np.asarray((np.take_along_axis(tp, last, axis=1) + rise)[:, 0])


@dataclass(frozen=True)
class Utility:
    """Largest sensitivity - slope (1 - specificity) on the curve.

    Source: Abbey, Samuelson & Gallas (2013), Acad. Radiol. 20:798-806.
    """

    slope: float = 1.0
    classes: tuple[bool, ...] = BOTH
    chance: float | None = None

    def __post_init__(self) -> None:
        if not self.slope > 0:
            raise CannotAnalyse(f"The slope of an expected utility is positive, not {self.slope:g}.")

    @property
    def name(self) -> str:
        return f"eu:{self.slope:g}"

    @property
    def limits(self) -> tuple[float, float]:
        return 0.0, 1.0

    def value(self, truth: Bools, values: Floats) -> float:
        counts = Counts.of(truth, values)
        return float((counts.tp / counts.positives - self.slope * counts.fp / counts.negatives).max())

    def without_each(self, truth: Bools, values: Floats) -> Floats:
        counts = Counts.of(truth, values)
        check_two(counts)
        n1, n0, slope = counts.positives, counts.negatives, self.slope
        fewer = counts.tp / (n1 - 1) - slope * counts.fp / n0
        without_positive = split_maximum(fewer, counts.level, -1 / (n1 - 1))
        fewer = counts.tp / n1 - slope * counts.fp / (n0 - 1)
        without_negative = split_maximum(fewer, counts.level, slope / (n0 - 1))
        return np.where(truth, without_positive, without_negative)

    def weighted(self, truth: Bools, values: Floats, weights: Floats) -> Floats:
        tp, fp = shares(*weighted_steps(truth, values, weights))
        return np.asarray((tp - self.slope * fp).max(axis=1))


def split_maximum(line: Floats, level: npt.NDArray[np.int64], shift: float) -> Floats:
    """Largest of the points before each level as they are and of the others moved by `shift`."""
    before = np.maximum.accumulate(line)
    after = np.maximum.accumulate(line[::-1])[::-1]
    return np.maximum(before[level - 1], after[level] + shift)
