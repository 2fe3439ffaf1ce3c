"""Do readers agree with each other, beyond chance?  Cohen's kappa for pairs, Fleiss' kappa for all."""

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, two_sided_p, wald
from analysis.ratings import Floats

Weights = Literal["none", "linear", "quadratic"]
STATSMODELS_NAMES = {"none": None, "linear": "linear", "quadratic": "quadratic"}
CONSTANT = "All judgements are the same, so agreement beyond chance does not exist."


@dataclass(frozen=True, eq=False)
class CohenKappa:
    """Agreement of two readers; p tests kappa = 0 with the standard error under that hypothesis."""

    estimate: float
    se: float
    p: float | None
    n: int
    weights: Weights
    categories: tuple[float, ...]
    table: npt.NDArray[np.int64]

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level).clipped(-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class FleissKappa:
    """Agreement of several readers; se over cases, p from the standard error under kappa = 0."""

    estimate: float
    se: float
    p: float | None
    n: int
    readers: int
    categories: tuple[float, ...]

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level).clipped(-1.0, 1.0)


def cohen_kappa(first: Floats, second: Floats, weights: Weights = "none") -> CohenKappa:
    """How far do two readers agree beyond chance?

    first, second: (n,) category numbers of the same cases; cases with NaN in either are left out. Weighted kappa
    takes the categories in ascending order as equally spaced. Estimate, its large-sample standard error and the
    test by `statsmodels.stats.inter_rater.cohens_kappa`. Source: Cohen (1960), Educ. Psychol. Meas. 20:37-46;
    Fleiss, Cohen & Everitt (1969), Psychol. Bull. 72:323-327. No common case, or one category only: refused.
    p is None where the standard error under kappa = 0 is zero.

    >>> kappa = cohen_kappa(np.array([1.0, 1, 0, 0, 1]), np.array([1.0, 0, 0, 0, 1]))
    >>> round(kappa.estimate, 6)
    0.615385
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    if weights not in STATSMODELS_NAMES:
        raise CannotAnalyse(f"Kappa is weighted by {', '.join(STATSMODELS_NAMES)}, not by {weights}.")
    both = ~(np.isnan(first) | np.isnan(second))
    if not both.any():
        raise CannotAnalyse("The two readers have no judged case in common.")
    categories, table = contingency(first[both], second[both])
    if len(categories) < 2:
        raise CannotAnalyse(CONSTANT)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = cohens_kappa(table, wt=STATSMODELS_NAMES[weights])
    se = float(found.std_kappa) if math.isfinite(found.std_kappa) else 0.0
    null = float(found.std_kappa0)
    estimate = float(found.kappa)
    p = two_sided_p(estimate / null) if math.isfinite(null) and null > 0 else None
    return CohenKappa(estimate, se, p, int(both.sum()), weights, categories, table)


def contingency(first: Floats, second: Floats) -> tuple[tuple[float, ...], npt.NDArray[np.int64]]:
    """Categories in ascending order and the square table of both readers."""
    categories, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    size = len(categories)
    flat = places[: len(first)] * size + places[len(first) :]
    return tuple(categories.tolist()), np.bincount(flat, minlength=size * size).reshape(size, size)


def pairwise_kappa(
    readers: tuple[str, ...], values: Floats, weights: Weights = "none"
) -> tuple[tuple[str, str, CohenKappa], ...]:
    """How far does each pair of readers agree beyond chance?

    values: (reader, case) with NaN where a reader did not judge. Answer in the order of the readers; fewer than
    two readers, or a pair without a kappa: refused with the names of the pair.

    >>> found = pairwise_kappa(("R", "S"), np.array([[1.0, 1, 0, 0, 1], [1.0, 0, 0, 0, 1]]))
    >>> found[0][:2], round(found[0][2].estimate, 6)
    (('R', 'S'), 0.615385)
    """
    if len(readers) < 2:
        raise CannotAnalyse("Agreement needs at least two readers.")
    found = []
    for one, two in combinations(range(len(readers)), 2):
        try:
            kappa = cohen_kappa(values[one], values[two], weights)
        except CannotAnalyse as refusal:
            raise CannotAnalyse(f"{readers[one]} and {readers[two]}: {refusal}") from refusal
        found.append((readers[one], readers[two], kappa))
    return tuple(found)


def fleiss_kappa(values: Floats) -> FleissKappa:
    """How far do all readers agree beyond chance?

    values: (reader, case) category numbers, every case judged by every reader (a gap is refused with its count).
    Estimate by `statsmodels.stats.inter_rater.fleiss_kappa`; se by linearisation over cases, Gwet (2008), Br. J.
    Math. Stat. Psychol. 61:29-48; p from the standard error under kappa = 0, Fleiss, Nee & Landis (1979), Psychol.
    Bull. 86:974-977. One reader, one case or one category: refused.

    >>> kappa = fleiss_kappa(np.array([[1.0, 1, 0, 0, 1], [1.0, 0, 0, 0, 1], [1.0, 1, 0, 0, 0]]))
    >>> round(kappa.estimate, 6), round(kappa.se, 6), round(kappa.p, 6)
    (0.464286, 0.317423, 0.07215)
    """
    from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

    if np.isnan(values).any():
        raise CannotAnalyse(
            f"{int(np.isnan(values).sum())} judgements are missing, and Fleiss' kappa needs all of them."
        )
    readers, cases = values.shape
    if readers < 2 or cases < 2:
        raise CannotAnalyse("Fleiss' kappa needs at least two readers and two cases.")
    categories = np.unique(values)
    if len(categories) < 2:
        raise CannotAnalyse(CONSTANT)
    counts = (values.T[:, :, None] == categories).sum(axis=1)
    estimate = float(statsmodels_fleiss(counts))
    shares = counts.mean(axis=0) / readers
    chance = float((shares**2).sum())
    per_case = ((counts * (counts - 1)).sum(axis=1) / (readers * (readers - 1)) - chance) / (1 - chance)
    leaning = counts @ shares / readers
    influence = per_case - 2 * (1 - estimate) * (leaning - chance) / (1 - chance)
    se = math.sqrt(float(((influence - estimate) ** 2).sum()) / (cases * (cases - 1)))
    p = two_sided_p(estimate / null_se(shares, readers, cases))
    return FleissKappa(estimate, se, p, cases, readers, tuple(categories.tolist()))


def null_se(shares: Floats, readers: int, cases: int) -> float:
    """Standard error of Fleiss' kappa under kappa = 0; Fleiss, Nee & Landis (1979), eq. 7."""
    spread = shares * (1 - shares)
    total = float(spread.sum())
    inner = total**2 - float((spread * (1 - 2 * shares)).sum())
    return math.sqrt(2 * inner) / (total * math.sqrt(cases * readers * (readers - 1)))
