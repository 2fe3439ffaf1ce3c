"""Limits of agreement of many readers on many cases: within readers, between readers, between arms."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, wald
from analysis.moments import Moments, moments_of_scores
from analysis.ratings import Floats, Ratings

Kind = Literal["within readers, between arms", "between readers, between arms", "between readers, within one arm"]


@dataclass(frozen=True)
class Effect:
    """A line of the analysis of variance; `variance` is None for arms, which are fixed."""

    source: str
    df: int
    sum_of_squares: float
    variance: float | None


@dataclass(frozen=True)
class MultiReaderLimits:
    """Where differences of single readings lie; `effects` is empty where readings are missing.

    estimate: mean of second minus first; se: of that mean over readers and cases, None where its estimated variance
    is negative; spread: standard deviation of one difference.
    """

    kind: Kind
    estimate: float
    se: float | None
    spread: float
    readers: int
    cases: int
    effects: tuple[Effect, ...]
    warnings: tuple[str, ...] = ()

    def limits(self, level: float = 0.95) -> Interval:
        """Within which a difference of two single readings falls with this probability, were it normal."""
        return wald(self.estimate, self.spread, level)

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Of the mean difference, normal."""
        if self.se is None:
            raise CannotAnalyse("The estimated variance of the mean difference is negative, so it has no interval.")
        return wald(self.estimate, self.se, level)


def within_readers(ratings: Ratings, first: str, second: str) -> MultiReaderLimits:
    """How far apart are two readings of one case by one reader in two arms?

    ratings.values: (reader, arm, case), any scale, NaN = not read; truth is not used. Differences second - first of
    readings that exist in both arms; reader and case are random: spread² = variance of one difference, se² =
    reader/R + case/C + error/(R C). Missing readings: the same by U-statistics, without the table of effects.
    Refused: fewer than two readers or two cases read in both arms.
    Source: Wen & Gallas (2022), Stat. Biopharm. Res. 14:532-541 (iMRMC's laWRBM).

    >>> values = np.array([[[1.0, 2, 3], [2, 4, 3]], [[2.0, 2, 5], [2, 5, 6]]])
    >>> study = Ratings(("R", "S"), ("A", "B"), ("1", "2", "3"), np.zeros(3, dtype=bool), values)
    >>> found = within_readers(study, "A", "B")
    >>> round(found.estimate, 6), round(found.spread, 6), round(found.limits().low, 6)
    (1.166667, 1.224745, -1.233789)
    """
    one, two = chosen(ratings, first, second)
    paired = two - one
    found = four_moments(ratings, paired[:, None])
    shared = found.unbiased[0, 0]
    effects = () if np.isnan(paired).any() else two_way(paired)
    return result(
        "within readers, between arms",
        float(found.means[0]),
        found.covariance(0, 0),
        float(shared[0] - shared[3]),
        paired[:, None],
        effects,
    )


def between_readers(ratings: Ratings, first: str, second: str) -> MultiReaderLimits:
    """How far apart are two readings of one case by two readers, one in each arm?

    As `within_readers`, with spread² = variance of one reading in each arm less twice the covariance of two readers'
    readings of one case in the two arms. Source: Wen & Gallas (2022) (iMRMC's laBRBM).

    >>> values = np.array([[[1.0, 2, 3], [2, 4, 3]], [[2.0, 2, 5], [2, 5, 6]]])
    >>> study = Ratings(("R", "S"), ("A", "B"), ("1", "2", "3"), np.zeros(3, dtype=bool), values)
    >>> round(between_readers(study, "A", "B").spread, 6)
    1.870829
    """
    pair = np.stack(chosen(ratings, first, second), axis=1)
    found = four_moments(ratings, pair)
    own = [float(found.unbiased[arm, arm, 0] - found.unbiased[arm, arm, 3]) for arm in (0, 1)]
    shared = float(found.unbiased[0, 1, 2] - found.unbiased[0, 1, 3])
    return result(
        "between readers, between arms",
        float(found.means[1] - found.means[0]),
        found.variance_of_difference(0, 1),
        own[0] + own[1] - 2 * shared,
        pair,
        () if np.isnan(pair).any() else three_way(pair),
    )


def between_readers_within_arm(ratings: Ratings, arm: str) -> MultiReaderLimits:
    """How far apart are two readings of one case by two readers in the same arm?

    The mean difference is 0 without error, since neither reader comes first; spread² = 2 (reader + error).
    Source: Wen & Gallas (2022) (iMRMC's laBRWM).

    >>> values = np.array([[[1.0, 2, 3]], [[2.0, 2, 5]]])
    >>> study = Ratings(("R", "S"), ("A",), ("1", "2", "3"), np.zeros(3, dtype=bool), values)
    >>> round(between_readers_within_arm(study, "A").spread, 6)
    1.290994
    """
    table = ratings.restricted(arms=(arm,)).values
    found = four_moments(ratings, table).unbiased[0, 0]
    effects = () if np.isnan(table).any() else two_way(table[:, 0])
    return result("between readers, within one arm", 0.0, 0.0, 2 * float(found[0] - found[2]), table, effects)


def chosen(ratings: Ratings, first: str, second: str) -> tuple[Floats, Floats]:
    values = ratings.restricted(arms=(first, second)).values
    return values[:, 0], values[:, 1]


def four_moments(ratings: Ratings, scores: Floats) -> Moments:
    """Moments of scores (reader, arm, case) whatever they are; needs two readers and two cases."""
    read = ~np.isnan(scores)
    who, what = int(read.any(axis=(1, 2)).sum()), int(read.any(axis=(0, 1)).sum())
    if who < 2 or what < 2:
        raise CannotAnalyse(
            "Limits of agreement of many readers need two readers and two cases that were read so, "
            f"not {who} and {what}."
        )
    names = tuple(str(arm) for arm in range(scores.shape[1]))
    return moments_of_scores(replace(ratings, arms=names, values=scores), "score", scores)


def result(
    kind: Kind, estimate: float, variance: float, spread: float, scores: Floats, effects: tuple[Effect, ...]
) -> MultiReaderLimits:
    """Square roots of the two variances, with a word where one of them has none."""
    if spread < 0:
        raise CannotAnalyse(
            f"The estimated variance of a difference {kind} is negative ({spread:.3g}): no limits exist."
        )
    warnings = (
        [] if variance >= 0 else ["The estimated variance of the mean difference is negative: it has no interval."]
    )
    if spread == 0:
        warnings.append("All differences are equal, so the limits have no width.")
    read = ~np.isnan(scores)
    return MultiReaderLimits(
        kind,
        estimate,
        math.sqrt(variance) if variance >= 0 else None,
        math.sqrt(spread),
        int(read.any(axis=(1, 2)).sum()),
        int(read.any(axis=(0, 1)).sum()),
        effects,
        tuple(warnings),
    )


def two_way(table: Floats) -> tuple[Effect, ...]:
    """Readers and cases without replication, table (reader, case): unbiased variance components."""
    readers, cases = table.shape
    free = readers - 1, cases - 1, (readers - 1) * (cases - 1)
    mean = table.mean()
    by_reader, by_case = table.mean(axis=1) - mean, table.mean(axis=0) - mean
    left = table - mean - by_reader[:, None] - by_case[None, :]
    sums = cases * float((by_reader**2).sum()), readers * float((by_case**2).sum()), float((left**2).sum())
    error = sums[2] / free[2]
    parts = (sums[0] / free[0] - error) / cases, (sums[1] / free[1] - error) / readers, error
    return tuple(Effect(*row) for row in zip(("reader", "case", "error"), free, sums, parts, strict=True))


def three_way(table: Floats) -> tuple[Effect, ...]:
    """Readers, arms and cases, table (reader, arm, case): arms fixed, readers and cases random."""
    sources = {
        "reader": (0,),
        "case": (2,),
        "arm": (1,),
        "reader x case": (0, 2),
        "reader x arm": (0, 1),
        "case x arm": (2, 1),
        "error": (0, 1, 2),
    }
    squares = {name: interaction(table, axes) for name, axes in sources.items()}
    free = {name: math.prod(table.shape[axis] - 1 for axis in axes) for name, axes in sources.items()}
    mean = {name: squares[name] / free[name] for name in sources}
    r, arms, c = table.shape
    error = mean["error"]
    variances = {
        "reader": (mean["reader"] + error - mean["reader x case"] - mean["reader x arm"]) / c / arms,
        "case": (mean["case"] + error - mean["reader x case"] - mean["case x arm"]) / r / arms,
        "arm": None,
        "reader x case": (mean["reader x case"] - error) / arms,
        "reader x arm": (mean["reader x arm"] - error) / c,
        "case x arm": (mean["case x arm"] - error) / r,
        "error": error,
    }
    return tuple(Effect(name, free[name], squares[name], variances[name]) for name in sources)


def interaction(table: Floats, axes: tuple[int, ...]) -> float:
    """Sum of squares that belongs to these axes together and to no fewer of them."""
    others = tuple(axis for axis in range(table.ndim) if axis not in axes)
    part: Floats = table.mean(axis=others, keepdims=True) if others else table
    for axis in axes:
        part = part - part.mean(axis=axis, keepdims=True)
    return float((part**2).sum()) * float(math.prod(table.shape[axis] for axis in others))
