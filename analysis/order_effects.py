"""Does it matter in which period, and at which place of a session, a case was read?"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.interval import NOISE, Interval, two_sided_p, wald
from analysis.ratings import Bools, Floats

Sequences = Literal["between readers", "within readers"]
NO_SPREAD = "Readers do not differ in this effect, so its interval has no width."


@dataclass(frozen=True)
class OrderEffect:
    """One effect with Student's t over readers; p is 1 for an effect of exactly 0 without spread, else None."""

    estimate: float
    se: float
    df: int
    p: float | None
    readers: int
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, self.df)


@dataclass(frozen=True)
class Crossover:
    """A two-period crossover, from one mean per reader, sequence and period.

    arm: second minus first arm, free of a period effect; period: second minus first period; carry_over: sum of both
    periods, readings that began with the first arm minus those that began with the second.
    """

    arm: OrderEffect
    period: OrderEffect
    carry_over: OrderEffect
    sequences: Sequences
    n: int
    warnings: tuple[str, ...] = ()


def crossover(values: Floats, period: Floats) -> Crossover:
    """Do two periods of a crossover differ, and does the first arm linger into the second?

    values: (reader, 2, case) of any measure (1 for a right decision, a rating, log seconds), arms in the order of the
    difference, NaN where not read; period: the same shape, 1 or 2. Cases read in both arms in different periods
    count; each reader's cases are averaged by sequence and period. Where every reader has one sequence, effects are
    compared between the two groups of readers by Student's t with pooled variance; where readers have both sequences
    (for different cases), by a t test over readers of differences within them. Carry-over cannot be told from a
    difference of the groups (of readers, or of the cases), has little power between few readers, and is no gate for the
    other tests. Assumes readers independent and, between readers, of equal spread. Source: Hills & Armitage (1979), Br.
    J. Clin. Pharmacol. 8:7-20; Senn (2002), Cross-over Trials in Clinical Research, ch. 3. One sequence only, fewer
    than two readers of each sequence (two in all within readers): refused.

    >>> values = np.array([[[5.0], [7.0]], [[4.0], [7.0]], [[6.0], [6.0]], [[5.0], [6.0]]])
    >>> period = np.array([[[1], [2]], [[1], [2]], [[2], [1]], [[2], [1]]])
    >>> found = crossover(values, period)
    >>> found.arm.estimate, found.period.estimate, found.carry_over.estimate, found.sequences
    (1.5, 1.0, 0.0, 'between readers')
    """
    values, period = np.asarray(values, dtype=float), np.asarray(period, dtype=float)
    if values.ndim != 3 or values.shape[1] != 2 or values.shape != period.shape:
        raise CannotAnalyse("A crossover needs values and periods of every reader in two arms on the same cases.")
    read = ~np.isnan(values)
    if not bool(np.isin(period[read], (1.0, 2.0)).all()):
        raise CannotAnalyse("The period must be 1 or 2 for every reading.")
    paired = read.all(axis=1) & (period[:, 0] != period[:, 1])
    means = sequence_means(values, period[:, 0], paired)
    there = ~np.isnan(means[:, :, 0])
    warnings: tuple[str, ...] = ()
    skipped = int((read.all(axis=1) & ~paired).sum())
    if skipped:
        warnings = (f"{skipped} readings of both arms in the same period are left out.",)
    if there.all(axis=1).sum() >= 2:
        return within(means[there.all(axis=1)], int(paired.sum()), warnings)
    if there.all(axis=1).any() or min(there.sum(axis=0)) < 2:
        raise CannotAnalyse("A crossover needs two readers with both sequences, or two readers of each sequence.")
    return between(means, there, int(paired.sum()), warnings)


def sequence_means(values: Floats, first_period: Floats, paired: Bools) -> Floats:
    """(reader, sequence, arm) means; sequence 0 begins with the first arm; NaN where a reader lacks the sequence."""
    found = np.full((len(values), 2, 2), np.nan)
    for sequence in (0, 1):
        cases = paired & (first_period == sequence + 1)
        number = cases.sum(axis=1)
        for arm in (0, 1):
            total = np.where(cases, values[:, arm], 0.0).sum(axis=1)
            found[:, sequence, arm] = np.divide(total, number, out=np.full(len(values), np.nan), where=number > 0)
    return found


def within(means: Floats, n: int, warnings: tuple[str, ...]) -> Crossover:
    """Every reader has both sequences: one number per reader and effect."""
    gain = means[:, :, 1] - means[:, :, 0]
    total = means.sum(axis=2)
    return Crossover(
        over_readers(gain.mean(axis=1)),
        over_readers((gain[:, 0] - gain[:, 1]) / 2),
        over_readers(total[:, 0] - total[:, 1]),
        "within readers",
        n,
        warnings,
    )


def between(means: Floats, there: Bools, n: int, warnings: tuple[str, ...]) -> Crossover:
    """Every reader has one sequence: groups of readers are compared."""
    groups = [means[there[:, sequence], sequence] for sequence in (0, 1)]
    gain = [group[:, 1] - group[:, 0] for group in groups]
    total = [group.sum(axis=1) for group in groups]
    return Crossover(
        two_groups(gain[0] / 2, -gain[1] / 2),
        two_groups(gain[0] / 2, gain[1] / 2),
        two_groups(total[0], total[1]),
        "between readers",
        n,
        warnings,
    )


def two_groups(one: Floats, two: Floats) -> OrderEffect:
    """Mean of one minus mean of two with pooled variance."""
    df = len(one) + len(two) - 2
    squares = float(((one - one.mean()) ** 2).sum() + ((two - two.mean()) ** 2).sum())
    se = math.sqrt(squares / df * (1 / len(one) + 1 / len(two)))
    return effect(float(one.mean() - two.mean()), se, df, len(one) + len(two))


def over_readers(values: Floats) -> OrderEffect:
    """Mean over readers and its t."""
    return effect(
        float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)), len(values) - 1, len(values)
    )


def effect(estimate: float, se: float, df: int, readers: int) -> OrderEffect:
    if se < math.sqrt(NOISE):
        return OrderEffect(estimate, 0.0, df, 1.0 if abs(estimate) < math.sqrt(NOISE) else None, readers, (NO_SPREAD,))
    return OrderEffect(estimate, se, df, two_sided_p(estimate / se, df), readers)


def position_effect(values: Floats, position: Floats) -> OrderEffect:
    """Do readings change from the beginning to the end of a session (learning, fatigue)?

    values: (reader, reading) of any measure, NaN where there is none; position: the same shape, the place of the
    reading in its session, 1 first. estimate = mean over readers of the least-squares slope of value on position,
    change per reading; t over readers, so that readings of a reader need not be independent. Confounded with the cases
    where all readers read in one order; the order should have been drawn. Source: Frison & Pocock (1992), Stat. Med.
    11:1685-1704 (summary measures). Fewer than two readers with two positions: refused.

    >>> found = position_effect(np.array([[1.0, 2, 3], [2.0, 2, 5]]), np.array([[1.0, 2, 3], [1.0, 2, 3]]))
    >>> found.estimate, found.df
    (1.25, 1)
    """
    values, position = np.asarray(values, dtype=float), np.asarray(position, dtype=float)
    if values.shape != position.shape or values.ndim != 2:
        raise CannotAnalyse("Every reading needs its position in the session.")
    slopes = [slope for row, place in zip(values, position, strict=True) if (slope := slope_of(row, place)) is not None]
    if len(slopes) < 2:
        raise CannotAnalyse("A position effect needs two readers who read at two positions or more.")
    found = over_readers(np.array(slopes))
    lost = len(values) - len(slopes)
    warnings = (*found.warnings, f"{lost} readers without two positions are left out.") if lost else found.warnings
    return OrderEffect(found.estimate, found.se, found.df, found.p, found.readers, warnings)


def slope_of(values: Floats, position: Floats) -> float | None:
    known = ~(np.isnan(values) | np.isnan(position))
    if known.sum() < 2 or float(np.ptp(position[known])) == 0:
        return None
    return float(stats.linregress(position[known], values[known]).slope)


def position_difference(values: Floats, position: Floats) -> OrderEffect:
    """Do readings change along a session in one arm more than in the other (learning to work with the model)?

    values, position: (reader, 2, reading) as for `position_effect`, arms in the order of the difference. estimate =
    mean over readers of slope in the second minus slope in the first arm. Fewer than two readers with both: refused.

    >>> values = np.array([[[1.0, 1, 1], [1.0, 2, 3]], [[2.0, 2, 2], [1.0, 1, 3]]])
    >>> found = position_difference(values, np.broadcast_to(np.array([1.0, 2, 3]), values.shape))
    >>> found.estimate, found.readers
    (1.0, 2)
    """
    values, position = np.asarray(values, dtype=float), np.asarray(position, dtype=float)
    if values.shape != position.shape or values.ndim != 3 or values.shape[1] != 2:
        raise CannotAnalyse("Every reading of both arms needs its position in the session.")
    gains = []
    for row, place in zip(values, position, strict=True):
        first, second = (slope_of(row[arm], place[arm]) for arm in (0, 1))
        if first is not None and second is not None:
            gains.append(second - first)
    if len(gains) < 2:
        raise CannotAnalyse("A position effect needs two readers who read at two positions or more in both arms.")
    return over_readers(np.array(gains))
