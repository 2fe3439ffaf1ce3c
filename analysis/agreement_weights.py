"""How much a disagreement between two categories counts: the weights of agreement coefficients."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.ratings import Floats

WeightName = Literal["identity", "linear", "quadratic", "ordinal", "radical", "ratio", "circular", "bipolar"]
WEIGHT_NAMES: tuple[WeightName, ...] = get_args(WeightName)


def weight_matrix(name: WeightName, categories: Floats) -> Floats:
    """How much of a full agreement is it when one reader says one category and the other another?

    categories: (q,) distinct values in ascending order. Answer (q, q): 1 on the diagonal, 0 for the pair that is
    farthest apart. With a, b two categories, L and H the lowest and the highest:
    identity 1[a = b]; linear 1 - |a - b| / (H - L); quadratic its square; radical its root;
    ordinal 1 - M(a, b) / M(L, H) with M = c (c - 1) / 2 for the c categories from a to b;
    ratio 1 - ((a - b) / (a + b))² / ((H - L) / (H + L))²; circular 1 - sin²(pi (a - b) / (H - L + 1)) over its
    largest value; bipolar 1 - (a - b)² / ((a + b - 2L) (2H - a - b)) over its largest value.
    Source: Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed., ch. 3. An unknown name, categories that
    repeat or descend, and ratio weights of categories that are not all of one sign: refused.

    >>> weight_matrix("linear", np.array([1.0, 2.0, 4.0])).round(4).tolist()
    [[1.0, 0.6667, 0.0], [0.6667, 1.0, 0.3333], [0.0, 0.3333, 1.0]]
    """
    if name not in DISTANCES:
        raise CannotAnalyse(f"Agreement is weighted by {', '.join(DISTANCES)}, not by {name}.")
    values = np.asarray(categories, dtype=float)
    if not bool((np.diff(values) > 0).all()):
        raise CannotAnalyse("Categories to be weighted must be distinct and in ascending order.")
    if len(values) < 2:
        return np.ones((len(values), len(values)))
    with np.errstate(over="ignore"):
        return from_distances(DISTANCES[name](values[:, None], values[None, :], values))


def from_distances(distance: Floats) -> Floats:
    """1 minus the distance of two categories over the largest."""
    largest = float(distance.max())
    if not 0 < largest < np.inf:
        raise CannotAnalyse("The categories are too large or too small to be squared; give them another unit.")
    return np.asarray(1 - distance / largest, dtype=float)


def identity(a: Floats, b: Floats, values: Floats) -> Floats:
    return np.asarray(a != b, dtype=float)


def linear(a: Floats, b: Floats, values: Floats) -> Floats:
    return np.abs(a - b)


def quadratic(a: Floats, b: Floats, values: Floats) -> Floats:
    return (a - b) ** 2


def radical(a: Floats, b: Floats, values: Floats) -> Floats:
    return np.sqrt(np.abs(a - b))


def ordinal(a: Floats, b: Floats, values: Floats) -> Floats:
    """Pairs among the categories from one to the other; only their order counts."""
    place = np.arange(len(values), dtype=float)
    apart = np.abs(place[:, None] - place[None, :])
    return (apart + 1) * apart / 2


def ratio(a: Floats, b: Floats, values: Floats) -> Floats:
    """Zero is at distance 0 from itself and 1 from all else."""
    if values[0] < 0 < values[-1]:
        raise CannotAnalyse("Ratio weights need categories of one sign.")
    total = np.where(a + b == 0, 1.0, a + b)
    return np.asarray(((a - b) / total) ** 2, dtype=float)


def circular(a: Floats, b: Floats, values: Floats) -> Floats:
    return np.asarray(np.sin(np.pi * (a - b) / (values[-1] - values[0] + 1)) ** 2, dtype=float)


def bipolar(a: Floats, b: Floats, values: Floats) -> Floats:
    ends = (a + b - 2 * values[0]) * (2 * values[-1] - a - b)
    return np.where(a == b, 0.0, (a - b) ** 2 / np.where(ends == 0, 1.0, ends))


DISTANCES: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "identity": identity,
    "linear": linear,
    "quadratic": quadratic,
    "ordinal": ordinal,
    "radical": radical,
    "ratio": ratio,
    "circular": circular,
    "bipolar": bipolar,
}
