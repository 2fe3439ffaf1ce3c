"""Figures of merit of one reader in one arm, each with its values without every single case.

A figure knows the truth of the cases it rests on, its limits, its value, its value without each case (for the
jackknife) and its values under many weightings of the cases (for the bootstrap).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analysis.delong import placements
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats
from analysis.roc import check_two_classes

BOTH = (True, False)
FEW = 32


class Merit(Protocol):
    """What every figure of merit can do; truth (n,), values (n,) without NaN, weights (n, replicates)."""

    @property
    def name(self) -> str: ...

    @property
    def classes(self) -> tuple[bool, ...]:
        """Truth of the cases on which the figure rests."""

    @property
    def limits(self) -> tuple[float, float]:
        """Least and largest value that it can take."""

    @property
    def chance(self) -> float | None:
        """Value of a guess, None where there is no such value."""

    def value(self, truth: Bools, values: Floats) -> float: ...

    def without_each(self, truth: Bools, values: Floats) -> Floats:
        """(n,): the figure without each case in turn; its full value where it does not rest on the case."""

    def weighted(self, truth: Bools, values: Floats, weights: Floats) -> Floats:
        """(replicates,): the figure with every case counted as often as its weight says."""


@dataclass(frozen=True)
class Auc:
    """Area under the empirical curve; Bamber (1975), J. Math. Psychol. 12:387-415."""

    name: str = "auc"
    classes: tuple[bool, ...] = BOTH
    limits: tuple[float, float] = (0.0, 1.0)
    chance: float | None = 0.5

    def value(self, truth: Bools, values: Floats) -> float:
        return float(placements(truth, values)[truth].mean())

    def placed(self, truth: Bools, values: Floats) -> Floats:
        return placements(truth, values)

    def without_each(self, truth: Bools, values: Floats) -> Floats:
        place = placements(truth, values)
        return without_one(place, truth, float(place[truth].mean()))

    def weighted(self, truth: Bools, values: Floats, weights: Floats) -> Floats:
        negatives = values[~truth]
        order = np.argsort(negatives, kind="stable")
        left, right = (np.searchsorted(negatives[order], values[truth], side) for side in ("left", "right"))
        below = np.zeros((len(negatives) + 1, weights.shape[1]))
        np.cumsum(weights[np.flatnonzero(~truth)[order]], axis=0, out=below[1:])
        beaten = below[left] if bool((left == right).all()) else (below[left] + below[right]) / 2
        positives = weights[truth]
        won = np.einsum("ij,ij->j", positives, beaten)
        return np.asarray(won / (positives.sum(axis=0) * below[-1]))


def without_one(place: Floats, truth: Bools, value: float) -> Floats:
    """The mean of placements over a class without each of its cases."""
    counts = np.where(truth, truth.sum(), (~truth).sum())
    if bool((counts < 2).any()):
        raise CannotAnalyse("The jackknife needs at least two cases of each class that the figure rests on.")
    return np.asarray(value - (place - value) / (counts - 1))


@dataclass(frozen=True)
class Rate:
    """Share of right decisions (0/1) among diseased cases, non-diseased cases, or all."""

    name: str
    classes: tuple[bool, ...]
    limits: tuple[float, float] = (0.0, 1.0)
    chance: float | None = None

    def chosen(self, truth: Bools) -> Bools:
        kept = np.isin(truth, self.classes)
        if not kept.any():
            raise CannotAnalyse(f"There are no {'diseased' if self.classes[0] else 'non-diseased'} cases.")
        return kept

    def right(self, truth: Bools, values: Floats) -> Floats:
        if not bool(np.isin(values, (0.0, 1.0)).all()):
            raise CannotAnalyse(f"The {self.name} needs decisions of 0 or 1, and some values are neither.")
        return np.where(truth, values, 1 - values)

    def value(self, truth: Bools, values: Floats) -> float:
        right = self.right(truth, values)
        return float(right[self.chosen(truth)].mean())

    def placed(self, truth: Bools, values: Floats) -> Floats:
        right, kept = self.right(truth, values), self.chosen(truth)
        return np.where(kept, right, right[kept].mean())

    def without_each(self, truth: Bools, values: Floats) -> Floats:
        place, kept = self.placed(truth, values), self.chosen(truth)
        if kept.sum() < 2:
            raise CannotAnalyse("The jackknife needs at least two cases of each class that the figure rests on.")
        value = float(place[kept].mean())
        return np.asarray(value - (place - value) / (kept.sum() - 1))

    def weighted(self, truth: Bools, values: Floats, weights: Floats) -> Floats:
        kept = self.chosen(truth)
        counted = weights[kept]
        return np.asarray(self.right(truth, values)[kept] @ counted / counted.sum(axis=0))


@dataclass(frozen=True)
class Custom:
    """Any function of (truth, values); its values without each case are computed once per distinct case."""

    name: str
    function: Callable[[Bools, Floats], float]
    classes: tuple[bool, ...] = BOTH
    limits: tuple[float, float] = (-np.inf, np.inf)
    chance: float | None = None

    def value(self, truth: Bools, values: Floats) -> float:
        return float(self.function(truth, values))

    def without_each(self, truth: Bools, values: Floats) -> Floats:
        check_two_classes(truth)
        pairs = np.stack([truth.astype(float), values], axis=1)
        _, firsts, inverse = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        found = [self.value(np.delete(truth, place), np.delete(values, place)) for place in firsts]
        return np.asarray(found)[inverse.ravel()]

    def weighted(self, truth: Bools, values: Floats, weights: Floats) -> Floats:
        drawn = (np.repeat(np.arange(len(truth)), row.astype(np.int64)) for row in weights.T)
        return np.array([self.value(truth[cases], values[cases]) for cases in drawn])


def weighted_steps(truth: Bools, values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weights of diseased and of non-diseased cases at each distinct rating from the highest down: (replicates, K)."""
    levels, place = np.unique(-values, return_inverse=True)
    if len(levels) > FEW:
        # Many ratings: sorting the cases is cheaper than a product with their indicator, and smaller.
        order = np.argsort(place, kind="stable")
        starts = np.searchsorted(place[order], np.arange(len(levels)))
        both = weights[order]
        diseased = np.add.reduceat(both * truth[order, None], starts, axis=0)
        return diseased.T, (np.add.reduceat(both, starts, axis=0) - diseased).T
    indicator = np.zeros((2 * len(levels), len(values)))
    indicator[place + np.where(truth, 0, len(levels)), np.arange(len(values))] = 1.0
    counted = indicator @ weights
    return counted[: len(levels)].T, counted[len(levels) :].T
