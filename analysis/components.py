"""The variance of a mean over readers and cases in the five representations that iMRMC prints."""

from dataclasses import dataclass

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.moments import Moments, differing
from analysis.ratings import Floats

AREA_MOMENTS = tuple(f"M{k}" for k in range(1, 9))
SHARE_MOMENTS = (
    "same case, same reader",
    "other case, same reader",
    "same case, other reader",
    "other case, other reader",
)
AREA_EFFECTS = ("N", "D", "ND", "R", "NR", "DR", "RND")
SHARE_EFFECTS = ("C", "R", "RC")


@dataclass(frozen=True)
class Part:
    """One component and what multiplies it in the variance."""

    name: str
    component: float
    coefficient: float

    @property
    def total(self) -> float:
        return self.component * self.coefficient


Parts = tuple[Part, ...]


@dataclass(frozen=True)
class Representation:
    """Parts whose totals sum to `variance`; of a difference BDG and BCK hold both arms and their product apart."""

    name: str
    first: Parts
    second: Parts = ()
    product: Parts = ()

    @property
    def variance(self) -> float:
        """First plus second minus product, whose coefficients are doubled."""
        own = sum(part.total for part in (*self.first, *self.second))
        return float(own - sum(part.total for part in self.product))


def effects(moments: Moments, biased: bool = False) -> Floats:
    """What do non-diseased cases, diseased cases, readers and what they do together each add to the variance?

    Answer (arm, arm, 2**factors - 1) in the order N, D, ND, R, NR, DR, NDR for the AUC; case, reader, both for shares
    of decisions. Components may come out negative; biased: those of the V-statistic.
    Source: Gallas et al. (2009), eq. 19; Barrett, Clarkson & Kupinski's representation (BCK).

    >>> from analysis.moments import moments
    >>> from analysis.ratings import Ratings
    >>> values = np.array([[[1.0, 2, 2, 3]], [[2.0, 1, 1, 3]]])
    >>> study = Ratings(("R", "S"), ("A",), ("1", "2", "3", "4"), np.array([False, False, True, True]), values)
    >>> effects(moments(study))[0, 0].round(4).tolist()
    [0.0, 0.125, -0.0625, 0.0, 0.0, 0.0, 0.125]
    """
    return effects_of(moments.biased if biased else moments.unbiased)


def effects_of(moments: Floats) -> Floats:
    """The same from bare moments, last axis 2**factors."""
    return differing(moments[..., ::-1])[..., 1:]


def effect_coefficients(coefficients: Floats) -> Floats:
    """What multiplies `effects`: the sum over all moments that share at least these factors."""
    factors = coefficients.shape[-1].bit_length() - 1
    cube = coefficients[..., ::-1].reshape(*coefficients.shape[:-1], *(2,) * factors).copy()
    for axis in range(1, factors + 1):
        part = np.moveaxis(cube, -axis, 0)
        part[0] += part[1]
    return np.asarray(cube.reshape(coefficients.shape)[..., 1:])


def bdg(moments: Moments, first: int, second: int | None = None, biased: bool = False) -> Representation:
    """Which moments make the variance of one arm, or of a difference, and how much does each count?

    first, second: places of the arms; coefficients of the product are doubled, as the difference takes them.
    """
    chosen = moments.biased if biased else moments.unbiased
    names = AREA_MOMENTS if moments.metric == "auc" else SHARE_MOMENTS
    return blocks("BDG", names, chosen, moments.coefficients, first, second)


def bck(moments: Moments, first: int, second: int | None = None, biased: bool = False) -> Representation:
    """The same variance by `effects`; 0 where the arms share no such factor."""
    names = AREA_EFFECTS if moments.metric == "auc" else SHARE_EFFECTS
    coefficients = effect_coefficients(moments.coefficients)
    found = np.where(coefficients == 0, 0.0, effects(moments, biased))
    return blocks("BCK", names, found, coefficients, first, second)


def blocks(
    name: str, names: tuple[str, ...], values: Floats, coefficients: Floats, first: int, second: int | None
) -> Representation:
    def parts(one: int, two: int, times: float = 1.0) -> Parts:
        pairs = zip(names, values[one, two].tolist(), coefficients[one, two].tolist(), strict=True)
        return tuple(Part(label, value, times * factor) for label, value, factor in pairs)

    if second is None:
        return Representation(name, parts(first, first))
    return Representation(name, parts(first, first), parts(second, second), parts(first, second, 2.0))


@dataclass(frozen=True)
class Crossed:
    """Components of one arm or of two, where every reader read every case: R, C, RC and, of arms T, TR, TC, TRC."""

    readers: int
    cases: int
    arms: int
    reader: float
    case: float
    reader_case: float
    arm_reader: float
    arm_case: float
    arm_reader_case: float


def crossed(moments: Moments, first: int, second: int | None = None, biased: bool = False) -> Crossed:
    """Which components of readers, cases and arms would an analysis of variance find?

    Those of Roe and Metz, from the effects of sampling; first, second: places of the arms. Cases of both classes
    together make C, what readers do with them RC; of two arms what their product holds is common, half of what the arms
    hold beyond it belongs to the arms. Refused where a reader left out a case. Source: Gallas et al. (2009), section 4.
    """
    if not moments.crossed:
        raise CannotAnalyse("These components need every reader to have read every case in every arm.")
    readers = moments.sizes[-1]
    cases = moments.sizes[0] if moments.metric != "auc" else moments.sizes[0] + moments.sizes[1]
    found = effects(moments, biased)
    coefficients = effect_coefficients(moments.coefficients)
    of_reader = 2 ** (len(moments.factors) - 1) - 1

    def split(one: int, two: int) -> tuple[float, float, float]:
        scaled = found[one, two] * coefficients[one, two]
        return (
            float(found[one, two, of_reader]),
            float(scaled[:of_reader].sum()) * cases,
            float(scaled[of_reader + 1 :].sum()) * cases * readers,
        )

    own = split(first, first)
    if second is None:
        return Crossed(readers, cases, 1, *own, 0.0, 0.0, 0.0)
    other, shared = split(second, second), split(first, second)
    beyond = [(one + two) / 2 - both for one, two, both in zip(own, other, shared, strict=True)]
    return Crossed(readers, cases, 2, *shared, beyond[0], beyond[1], beyond[2])


def dbm(parts: Crossed) -> Representation:
    """Dorfman, Berbaum and Metz's components; in a difference only those of the arms count, twice."""
    values = (parts.reader, parts.case, parts.reader_case, parts.arm_reader, parts.arm_case, parts.arm_reader_case)
    factors = (1 / parts.readers, 1 / parts.cases, 1 / parts.readers / parts.cases)
    counted = (*factors, 0.0, 0.0, 0.0) if parts.arms == 1 else (0.0, 0.0, 0.0, *(2 * factor for factor in factors))
    names = ("R", "C", "RC", "TR", "TC", "TRC")
    return Representation("DBM", tuple(Part(*row) for row in zip(names, values, counted, strict=True)))


def obuchowski(parts: Crossed) -> Representation:
    """Obuchowski and Rockette's components; Hillis (2014), Stat. Med. 33:330-360, eq. 11-14."""
    n, r = parts.cases, parts.readers
    error = (parts.case + parts.reader_case + parts.arm_case + parts.arm_reader_case) / n
    cov2 = (parts.case + parts.arm_case) / n
    if parts.arms == 1:
        rows = (("R", parts.reader, 1 / r), ("COV2", cov2, (r - 1) / r), ("ERROR", error, 1 / r))
        return Representation("OR", tuple(Part(*row) for row in rows))
    cov1, cov3 = (parts.case + parts.reader_case) / n, parts.case / n
    pair = (
        ("R", parts.reader, 0.0),
        ("TR", parts.arm_reader, 2 / r),
        ("COV1", cov1, -2 / r),
        ("COV2", cov2, 2 * (r - 1) / r),
        ("COV3", cov3, -2 * (r - 1) / r),
        ("ERROR", error, 2 / r),
    )
    return Representation("OR", tuple(Part(*row) for row in pair))


def mean_squares(parts: Crossed) -> Representation:
    """Mean squares of the analysis of variance of arms x readers x cases; Gallas et al. (2009)."""
    n, r = parts.cases, parts.readers
    one = 1 / (n * r)
    if parts.arms == 1:
        rc = parts.reader_case
        rows = (("R", n * parts.reader + rc, one), ("C", r * parts.case + rc, one), ("RC", rc, -one))
        return Representation("MS", tuple(Part(*row) for row in rows))
    mrc = parts.arm_reader_case
    mr, mc = n * parts.arm_reader + mrc, r * parts.arm_case + mrc
    rc = 2 * parts.reader_case + mrc
    pair = (
        ("R", 2 * n * parts.reader + rc - mrc + mr, 0.0),
        ("C", 2 * r * parts.case + rc - mrc + mc, 0.0),
        ("RC", rc, 0.0),
        ("MR", mr, 2 * one),
        ("MC", mc, 2 * one),
        ("MRC", mrc, -2 * one),
    )
    return Representation("MS", tuple(Part(*row) for row in pair))
