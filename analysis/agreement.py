"""Do readers agree with each other, beyond chance?  Cohen's kappa for pairs, Light's and Fleiss' for all."""

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from analysis.chance_corrected import weighted_fleiss
from analysis.errors import CannotAnalyse
from analysis.interval import NOISE, Interval, two_sided_p, wald
from analysis.judgements import CONSTANT, MOST_CATEGORIES, complete_cases
from analysis.ratings import Floats, are_missing

Weights = Literal["none", "linear", "quadratic"]
STATSMODELS_NAMES: dict[Weights, str | None] = {"none": None, "linear": "linear", "quadratic": "quadratic"}
ONE_SIDED = "A reader chose the same category in all cases, so agreement is by chance alone and there is no test."
ALL_AGREE = "Both readers agree in every case, so the standard error is zero and the interval has no width."


@dataclass(frozen=True, eq=False)
class CohenKappa:
    """Agreement of two readers; statistic and p test kappa = 0 with the standard error under that hypothesis."""

    estimate: float
    se: float
    statistic: float | None
    p: float | None
    n: int
    weights: Weights
    categories: tuple[float, ...]
    table: npt.NDArray[np.int64]
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level).clipped(-1.0, 1.0)


@dataclass(frozen=True)
class LightKappa:
    """Mean of Cohen's kappa over pairs of readers; p tests it against 0 by Student's t over cases."""

    estimate: float
    se: float
    p: float | None
    n: int
    readers: int
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, self.n - 1).clipped(-1.0, 1.0)


@dataclass(frozen=True)
class CategoryKappa:
    """Agreement on one category against all others; statistic and p as in `FleissKappa`."""

    category: float
    estimate: float
    se: float
    statistic: float
    p: float

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level).clipped(-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class FleissKappa:
    """Agreement of several readers; se over cases; statistic and p from the standard error under kappa = 0."""

    estimate: float
    se: float
    statistic: float
    p: float
    n: int
    readers: int
    by_category: tuple[CategoryKappa, ...]
    warnings: tuple[str, ...] = ()

    @property
    def categories(self) -> tuple[float, ...]:
        return tuple(row.category for row in self.by_category)

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level).clipped(-1.0, 1.0)


def cohen_kappa(first: Floats, second: Floats, weights: Weights = "none") -> CohenKappa:
    """How far do two readers agree beyond chance?

    first, second: (n,) category numbers of the same cases; cases with NaN in either are left out. Weighted kappa
    takes the categories in ascending order as equally spaced. Estimate, its large-sample standard error and the
    test by `statsmodels.stats.inter_rater.cohens_kappa`. Source: Cohen (1960), Educ. Psychol. Meas. 20:37-46;
    Fleiss, Cohen & Everitt (1969), Psychol. Bull. 72:323-327. No common case, or one category only: refused.
    A reader who chose one category only: kappa is 0, p None and a warning. Perfect agreement: se 0 and a warning.

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
    if len(categories) > MOST_CATEGORIES:
        raise CannotAnalyse(
            f"There are {len(categories)} different values, and kappa takes at most {MOST_CATEGORIES} categories."
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        found = cohens_kappa(table, wt=STATSMODELS_NAMES[weights])
    se = float(found.std_kappa) if math.isfinite(found.std_kappa) else 0.0
    null = float(found.std_kappa0)
    estimate = float(found.kappa)
    statistic = estimate / null if math.isfinite(null) and null > 0 else None
    warnings = () if statistic is not None else (ONE_SIDED,)
    if estimate == 1:
        warnings = (ALL_AGREE,)
    p = None if statistic is None else two_sided_p(statistic)
    return CohenKappa(estimate, se, statistic, p, int(both.sum()), weights, categories, table, warnings)


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


def light_kappa(values: Floats) -> LightKappa:
    """How far do two readers agree beyond chance, on average over pairs of readers?

    values: (reader, case) category numbers; cases with a gap are left out and counted in a warning. estimate = mean of
    Cohen's kappas of all pairs; se by linearisation over cases as for `conger_kappa` of each pair. Source: Light
    (1971), Psychol. Bull. 76:365-377. A pair of readers without a kappa: refused.

    >>> kappa = light_kappa(np.array([[1.0, 1, 0, 0, 1], [1.0, 0, 0, 0, 1], [1.0, 1, 0, 0, 0]]))
    >>> round(kappa.estimate, 6), round(kappa.se, 6)
    (0.465812, 0.308502)
    """
    kept, warnings = complete_cases(values, 2)
    pairs = [pair_influence(one, two) for one, two in combinations(kept, 2)]
    n, readers = kept.shape[1], len(kept)
    estimate = float(np.mean([kappa for kappa, _ in pairs]))
    variance = float((np.mean([residual for _, residual in pairs], axis=0) ** 2).sum()) / (n * (n - 1))
    if variance < NOISE:
        return LightKappa(estimate, 0.0, None, n, readers, (*warnings, ALL_AGREE if estimate == 1 else ONE_SIDED))
    se = math.sqrt(variance)
    return LightKappa(estimate, se, two_sided_p(estimate / se, n - 1), n, readers, warnings)


def pair_influence(first: Floats, second: Floats) -> tuple[float, Floats]:
    """Cohen's kappa of two readers and what each case adds to it."""
    found = cohen_kappa(first, second)
    places = np.searchsorted(found.categories, np.stack([first, second]))
    shares = np.stack([np.bincount(row, minlength=len(found.categories)) for row in places]) / found.n
    chance = float(shares[0] @ shares[1])
    seen = (shares[1][places[0]] + shares[0][places[1]]) / 2
    own = (first == second) - chance - 2 * (1 - found.estimate) * (seen - chance)
    return found.estimate, own / (1 - chance) - found.estimate


def fleiss_kappa(values: Floats) -> FleissKappa:
    """How far do all readers agree beyond chance, and on which categories?

    values: (reader, case) category numbers, every case judged by every reader (a gap is refused with its count; see
    `weighted_fleiss`). Estimate by `statsmodels.stats.inter_rater.fleiss_kappa`; se by linearisation over cases, Gwet
    (2008), Br. J. Math. Stat. Psychol. 61:29-48; statistic from the standard error under kappa = 0, Fleiss, Nee &
    Landis (1979), Psychol. Bull. 86:974-977. `by_category`: the same of each category against all others, with
    standard error sqrt(2 / (n m (m - 1))) under kappa = 0 for n cases and m readers. One reader, one case or one
    category: refused.

    >>> kappa = fleiss_kappa(np.array([[1.0, 1, 0, 0, 1], [1.0, 0, 0, 0, 1], [1.0, 1, 0, 0, 0]]))
    >>> round(kappa.estimate, 6), round(kappa.se, 6), round(kappa.p, 6)
    (0.464286, 0.317423, 0.07215)
    """
    from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

    if np.isnan(values).any():
        raise CannotAnalyse(
            f"{are_missing(int(np.isnan(values).sum()), 'judgement')}, and Fleiss' kappa needs all of them."
        )
    readers, cases = values.shape
    if readers < 2 or cases < 2:
        raise CannotAnalyse("Fleiss' kappa needs at least two readers and two cases.")
    found = weighted_fleiss(values)
    counts = np.stack([(values == category).sum(axis=0) for category in found.categories], axis=1)
    estimate = float(statsmodels_fleiss(counts))
    statistic = estimate / null_se(counts.mean(axis=0) / readers, readers, cases)
    by_category = tuple(category_kappa(values, category) for category in found.categories)
    return FleissKappa(
        estimate, found.se, statistic, two_sided_p(statistic), cases, readers, by_category, found.warnings
    )


def category_kappa(values: Floats, category: float) -> CategoryKappa:
    """Fleiss' kappa of one category against all others; Fleiss (1971), eq. 14-20."""
    readers, cases = values.shape
    found = weighted_fleiss((values == category).astype(float))
    statistic = found.estimate * math.sqrt(cases * readers * (readers - 1) / 2)
    return CategoryKappa(category, found.estimate, found.se, statistic, two_sided_p(statistic))


def null_se(shares: Floats, readers: int, cases: int) -> float:
    """Standard error of Fleiss' kappa under kappa = 0; Fleiss, Nee & Landis (1979), eq. 7."""
    spread = shares * (1 - shares)
    total = float(spread.sum())
    inner = total**2 - float((spread * (1 - 2 * shares)).sum())
    return math.sqrt(2 * inner) / (total * math.sqrt(cases * readers * (readers - 1)))
