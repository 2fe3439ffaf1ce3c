"""Power of a study with other numbers of readers and cases, from the moments of a pilot (as iMRMC sizes a trial)."""

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import stats

from analysis.components import crossed, effect_coefficients, effects_of
from analysis.errors import CannotAnalyse
from analysis.moments import Moments
from analysis.ratings import Floats
from analysis.ustatistics import NOTHING, satterthwaite


@dataclass(frozen=True)
class StudySize:
    """A study to be planned. cases: (non-diseased, diseased) for the AUC, (cases,) for shares of right decisions.

    groups: blocks of a split-plot design, each with its own readers and cases; paired: whether both arms have the
    same readers, and the same cases of each kind.
    """

    readers: int
    cases: tuple[int, ...]
    groups: int = 1
    paired_readers: bool = True
    paired_cases: tuple[bool, ...] = (True, True)


@dataclass(frozen=True)
class SizedStudy:
    """Result of `power_from_moments`; the power of the t test, of the normal test, and after Hillis if crossed."""

    size: StudySize
    effect: float
    alpha: float
    se: float
    df: float
    noncentrality: float
    power: float
    power_normal: float
    hillis: "SizedHillis | None"
    warnings: tuple[str, ...] = ()

    @property
    def estimate(self) -> float:
        return self.power


@dataclass(frozen=True)
class SizedHillis:
    """Hillis's prediction from Obuchowski and Rockette's components of the pilot."""

    variance: float
    df: float
    noncentrality: float
    power: float


def power_from_moments(
    pilot: Moments, first: int, second: int, size: StudySize, effect: float, alpha: float = 0.05
) -> SizedStudy:
    """With which power does a study of this size find a difference of `effect` between two arms?

    pilot: from `moments`; first, second: places of its arms; size: see `StudySize`; effect: true difference.
    The unbiased moments of the pilot are multiplied by the coefficients of the new design; degrees of freedom as
    `satterthwaite`, with their fraction; power of the two-sided t test from the noncentral t distribution.
    Source: Gallas et al. (2009), Commun. Stat. A 38:2586-2603; Hillis, Obuchowski & Berbaum (2011), Acad. Radiol.
    18:129-142, eq. 10 (`hillis`, for crossed pilots and designs).
    Refused: numbers that do not divide into groups and arms, a predicted variance that is not positive.

    >>> from analysis.moments import moments
    >>> from analysis.ratings import Ratings
    >>> readers = [[1.0, 2, 2, 3], [1, 2, 3, 4]], [[2.0, 1, 1, 3], [1, 1, 3, 2]], [[1.0, 1, 2, 2], [2, 1, 3, 3]]
    >>> truth = np.array([False, False, True, True])
    >>> pilot = moments(Ratings(("R", "S", "T"), ("A", "B"), ("1", "2", "3", "4"), truth, np.array(readers)))
    >>> found = power_from_moments(pilot, 0, 1, StudySize(8, (60, 60)), 0.1)
    >>> round(found.se, 6), round(found.df, 4), round(found.power, 6)
    (0.027886, 7.0, 0.865795)
    """
    check_size(pilot, size, effect, alpha)
    coefficients = new_coefficients(pilot, size)
    spread = sum(
        times * float(coefficients[place] @ pilot.unbiased[one, two])
        for times, place, one, two in ((1, 0, first, first), (1, 0, second, second), (-2, 1, first, second))
    )
    if spread <= NOTHING:
        raise CannotAnalyse(
            f"The variance predicted from this pilot is not positive ({spread:.3g}), so no power can be computed."
        )
    both = np.array([[coefficients[0], coefficients[1]], [coefficients[1], coefficients[0]]])
    chosen = pilot.biased[np.ix_([first, second], [first, second])]
    df = satterthwaite(effects_of(chosen), effect_coefficients(both), spread, 0, 1)
    noncentrality = effect**2 / spread
    normal = float(stats.norm.sf(stats.norm.isf(alpha / 2) - math.sqrt(noncentrality)))
    hillis = None
    if pilot.crossed and size.groups == 1 and size.paired_readers and all(size.paired_cases):
        hillis = hillis_sizing(pilot, first, second, size, effect, alpha)
    power = power_of_t(noncentrality, df, alpha)
    return SizedStudy(size, effect, alpha, math.sqrt(spread), df, noncentrality, power, normal, hillis)


def check_size(pilot: Moments, size: StudySize, effect: float, alpha: float) -> None:
    if len(size.cases) != len(pilot.factors) - 1 or len(size.paired_cases) < len(size.cases):
        raise CannotAnalyse(f"The study needs numbers of {' and '.join(pilot.factors[:-1])} cases.")
    if not 0 < alpha < 1:
        raise CannotAnalyse(f"The level of a test lies between 0 and 1, not at {alpha:g}.")
    if effect == 0:
        raise CannotAnalyse("An effect of zero is found with the power of the test's level; name another.")
    kinds = zip(size.cases, size.paired_cases, (f"{name} cases" for name in pilot.factors), strict=False)
    for number, paired, what in ((size.readers, size.paired_readers, "readers"), *kinds):
        shares = size.groups * (1 if paired else 2)
        if size.groups < 1 or number < 2 * shares or number % shares:
            raise CannotAnalyse(f"{number} {what} cannot be shared out evenly, two or more each, over {shares} groups.")


def new_coefficients(pilot: Moments, size: StudySize) -> Floats:
    """Coefficients of the moments in the new design: within one arm, and between both (2, 2**factors)."""
    numbers = [*zip(size.cases, size.paired_cases, strict=False), (size.readers, size.paired_readers)]
    each = [number / size.groups / (1 if paired else 2) for number, paired in numbers]
    whole = math.prod(each) * size.groups
    same = [np.array([1.0, n - 1]) for n in each]
    between = [np.array([float(paired), n - paired]) for n, (_, paired) in zip(each, numbers, strict=True)]
    found = np.array([reduce(lambda low, high: np.kron(high, low), parts) for parts in (same, between)]) / whole
    # Scores of different groups share nothing.
    found[:, -1] += math.prod(each) * (size.groups - 1) / whole - 1
    return found


def hillis_sizing(
    pilot: Moments, first: int, second: int, size: StudySize, effect: float, alpha: float
) -> SizedHillis | None:
    """Variance components of the pilot, those of cases scaled by the numbers of cases; None without a variance."""
    parts = crossed(pilot, first, second)
    r, scale = size.readers, parts.cases / sum(size.cases)
    shared = max(parts.arm_case / parts.cases, 0.0)
    # Error - cov1 of Obuchowski and Rockette.
    own = (parts.arm_case + parts.arm_reader_case) / parts.cases
    table = pilot.figures[:, second] - pilot.figures[:, first]
    arm_reader = float(table.var(ddof=1)) / 2 - own + shared
    variance = 2 / r * (arm_reader + scale * (own + (r - 1) * shared))
    left = arm_reader + scale * (own - shared)
    if variance <= NOTHING or left == 0:
        return None
    df = (r - 1) * (r * variance / 2) ** 2 / left**2
    noncentrality = effect**2 / variance
    return SizedHillis(variance, df, noncentrality, power_of_t(noncentrality, df, alpha))


def power_of_t(noncentrality: float, df: float, alpha: float) -> float:
    """Power of the two-sided t test; noncentrality is the square of that of t."""
    if math.isinf(df):
        shift, limit = math.sqrt(noncentrality), stats.norm.isf(alpha / 2)
        return float(stats.norm.sf(limit - shift) + stats.norm.cdf(-limit - shift))
    return float(stats.ncf.sf(stats.f.isf(alpha, 1, df), 1, df, noncentrality))
