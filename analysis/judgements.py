"""Categories given by several readers to the same cases, in the form that coefficients of agreement need."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from analysis.agreement_weights import WeightName, weight_matrix
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats

MOST_CATEGORIES = 1000
# Outside of these a square overflows, or is lost as zero.
SMALLEST, LARGEST = 1e-140, 1e140
CONSTANT = "All judgements are the same, so agreement beyond chance does not exist."


@dataclass(frozen=True, eq=False)
class Judgements:
    """What every reader chose in the cases that somebody judged.

    places: (reader, case) position of the chosen category, -1 where there is none; categories: (category,) in
    ascending order; weights: (category, category) symmetric, 1 on the diagonal; readers: (case,) how many judged it.
    """

    places: npt.NDArray[np.int64]
    categories: Floats
    weights: Floats
    readers: Floats

    @property
    def n(self) -> int:
        return len(self.readers)

    @property
    def pairs(self) -> Bools:
        """(case,) True where two readers or more judged."""
        return self.readers >= 2

    @property
    def per_case(self) -> Floats:
        """(case,) mean weight over the pairs of readers of a case; 0 where there is no pair."""
        total = np.zeros(self.n)
        for one, two in combinations(self.places, 2):
            total += np.where((one >= 0) & (two >= 0), self.weights[one, two], 0.0)
        return np.asarray(2 * total / np.where(self.pairs, self.readers * (self.readers - 1), 1.0), dtype=float)

    @property
    def shares(self) -> Floats:
        """(category,) mean over cases of the share of their readers that chose it."""
        return self.chosen(1 / self.readers) / self.n

    def chosen(self, per_case: Floats) -> Floats:
        """(category,) how often each was chosen, a choice in a case counting `per_case` (case,)."""
        read = self.places >= 0
        each = np.broadcast_to(per_case, self.places.shape)[read]
        return np.bincount(self.places[read], weights=each, minlength=len(self.categories)).astype(float)

    def summed(self, per_category: Floats) -> Floats:
        """(case,) sum over the readers of a case of the value (category,) of what they chose."""
        return np.asarray(np.where(self.places >= 0, per_category[self.places], 0.0).sum(axis=0), dtype=float)

    @property
    def unanimous(self) -> float | None:
        """Share of the cases that all readers judged on which all agree; None where there is no such case."""
        whole = self.readers == len(self.places)
        if not whole.any():
            return None
        return float((self.places[:, whole] == self.places[0, whole]).all(axis=0).mean())

    def of_pairs(self) -> "Judgements":
        """The cases alone that two readers or more judged."""
        kept = self.pairs
        return Judgements(self.places[:, kept], self.categories, self.weights, self.readers[kept])


def judgements(values: Floats, weights: WeightName | Floats = "identity") -> Judgements:
    """Which category did each reader choose?

    values: (reader, case) category numbers, NaN where a reader did not judge; weights: a name, or (category,
    category) for the categories that occur, in ascending order. A case that nobody judged is left out. Refused:
    fewer than two readers, fewer than two cases judged by two readers, one category only, more than 1000.

    >>> judgements(np.array([[1.0, 2.0, np.nan], [1.0, 3.0, 3.0]])).places.tolist()
    [[0, 1, -1], [0, 2, 2]]
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or len(values) < 2:
        raise CannotAnalyse("Agreement needs at least two readers.")
    values = values[:, ~np.isnan(values).all(axis=0)]
    read = ~np.isnan(values)
    readers = read.sum(axis=0).astype(float)
    if int((readers >= 2).sum()) < 2:
        raise CannotAnalyse("Agreement needs at least two cases that two readers judged.")
    categories, inverse = np.unique(values[read], return_inverse=True)
    if len(categories) < 2:
        raise CannotAnalyse(CONSTANT)
    if len(categories) > MOST_CATEGORIES:
        raise CannotAnalyse(
            f"There are {len(categories)} different values, and agreement on categories takes at most "
            f"{MOST_CATEGORIES}; use an intraclass correlation."
        )
    matrix = matrix_of(weights, categories)
    places = np.full(values.shape, -1, dtype=np.int64)
    places[read] = inverse
    return Judgements(places, categories, matrix, readers)


def matrix_of(weights: WeightName | Floats, categories: Floats) -> Floats:
    """The weights of a name for these categories, or own weights: symmetric, with 1 on the diagonal."""
    if isinstance(weights, str):
        return weight_matrix(weights, categories)
    matrix, size = np.asarray(weights, dtype=float), len(categories)
    if matrix.shape != (size, size) or not np.allclose(matrix, matrix.T) or not np.allclose(np.diag(matrix), 1.0):
        raise CannotAnalyse(f"Weights are a symmetric matrix of the {size} categories with 1 on its diagonal.")
    return matrix


def complete_cases(values: Floats, least: int) -> tuple[Floats, tuple[str, ...]]:
    """(reader, case) of ratings without gaps and, in words, what is left out; refused below `least` cases."""
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or len(values) < 2:
        raise CannotAnalyse("Agreement needs at least two readers.")
    complete = ~np.isnan(values).any(axis=0)
    dropped = int((~np.isnan(values).all(axis=0) & ~complete).sum())
    if complete.sum() < least:
        raise CannotAnalyse(f"Agreement on a scale needs at least {least} cases that all readers rated.")
    check_scale(values[:, complete])
    return values[:, complete], (f"{dropped} cases that not every reader rated are left out.",) if dropped else ()


def check_scale(values: Floats) -> None:
    """Refuse ratings whose squares are no longer numbers."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest and not SMALLEST < largest < LARGEST:
        raise CannotAnalyse("The ratings are too large or too small to be squared; give them another unit.")
