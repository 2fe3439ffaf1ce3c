"""Power and number of cases of a study of many readers and many cases, after Hillis, Obuchowski and Berbaum."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.covariance import Covariance
from analysis.delong import placements
from analysis.designs import study_design
from analysis.error_terms import Components, MeanSquares, components
from analysis.errors import CannotAnalyse
from analysis.mrmc import obuchowski_rockette
from analysis.power_auc import check_alpha, check_power, check_ratio
from analysis.ratings import Floats, Ratings

Generalised = Literal["readers and cases", "cases", "readers"]
GENERALISED = ("readers and cases", "cases", "readers")
MOST_CASES = 2000
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Variation:
    """What varies in a comparison of two arms: the components of Dorfman, Berbaum and Metz.

    arm_reader does not shrink with more cases; arm_case and error are for one case and are divided by their number.
    difference: second minus first arm in the pilot, None where the components come from elsewhere; components: those of
    Obuchowski and Rockette behind it.
    """

    arm_reader: float
    arm_case: float
    error: float
    difference: float | None = None
    components: Components | None = None


@dataclass(frozen=True)
class MrmcPower:
    """Power of one design; `df` is infinite where the test is a chi-square, `critical` the value F must exceed."""

    estimate: float
    readers: int
    cases: int
    effect: float
    noncentrality: float
    df: float
    critical: float
    alpha: float
    generalised: Generalised
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PowerGrid:
    """Powers of all combinations, readers outermost, and for each number of readers the fewest cases that suffice."""

    plans: tuple[MrmcPower, ...]
    sufficient: tuple[MrmcPower, ...]
    target: float
    warnings: tuple[str, ...] = ()


def variation(parts: Components, cases: int) -> Variation:
    """What do published components of Obuchowski and Rockette say about one case?

    parts: from a study with `cases` cases; arm_reader, error, cov1, cov2, cov3 on the scale of the figure squared.
    With shared = max(cov2 - cov3, 0): arm_case = cases x shared, error = cases x (error - cov1 - shared).
    Source: Hillis, Obuchowski, Schartz & Berbaum (2005), Stat. Med. 24:1579-1607, table III; Hillis, Obuchowski &
    Berbaum (2011), Acad. Radiol. 18:129-142. Without arm_reader, without cases, or where cov1 + shared exceeds the
    error: refused.

    >>> found = variation(Components(None, 0.0002, 0.0008, 0.00035, 0.00034, 0.00024), 114)
    >>> round(found.arm_case, 6), round(found.error, 6)
    (0.0114, 0.0399)
    """
    if parts.arm_reader is None:
        raise CannotAnalyse("The component of arms by readers (arm_reader) is missing; it needs two readers and arms.")
    if cases < 1:
        raise CannotAnalyse("Components of Obuchowski and Rockette belong to a number of cases; name it.")
    values = (parts.arm_reader, parts.error, parts.cov1, parts.cov2, parts.cov3)
    if not all(math.isfinite(value) for value in values):
        raise CannotAnalyse("A variance component is not a finite number.")
    shared = max(parts.cov2 - parts.cov3, 0.0)
    error = parts.error - parts.cov1 - shared
    if error < 0:
        raise CannotAnalyse("cov1 and cov2 - cov3 together exceed the error, so nothing can be planned from these.")
    return Variation(parts.arm_reader, cases * shared, cases * error, None, parts)


def pilot_variation(
    ratings: Ratings, figure: str = "auc", covariance_method: Covariance = "jackknife", ratio: float | None = None
) -> Variation:
    """What does a pilot study say about one case of a larger one?

    ratings: as for `mrmc.obuchowski_rockette`, at least two readers and two arms; ratio: non-diseased per diseased
    case of the planned study, by default that of the pilot. arm_reader = MS(arms x readers) - error + cov1 +
    max(cov2 - cov3, 0), which may be negative. With a ratio the covariance is DeLong's, whose parts from diseased and
    from non-diseased cases shrink with their own numbers; other covariances, or a figure of one class, are
    refused there. Source: as `variation`.

    >>> values = np.array([[[1.0, 2, 2, 3], [1, 2, 3, 4]], [[2.0, 1, 1, 3], [1, 1, 2, 1]]])
    >>> pilot = Ratings(("R", "S"), ("A", "B"), ("1", "2", "3", "4"), np.array([False, False, True, True]), values)
    >>> round(pilot_variation(pilot).error, 6)
    0.46875
    """
    if len(ratings.readers) < 2 or len(ratings.arms) < 2:
        raise CannotAnalyse("A pilot needs at least two readers and two arms.")
    found = obuchowski_rockette(ratings, figure, covariance_method)
    parts = found.components
    if parts is None or parts.arm_reader is None or not found.differences:
        raise CannotAnalyse("A pilot needs every reader in both arms.")
    shared = parts.cov2 - parts.cov3
    arm_reader = parts.arm_reader - min(shared, 0.0)
    whole = Components(parts.reader, arm_reader, parts.error, parts.cov1, parts.cov2, parts.cov3)
    cases = len(ratings.cases)
    if ratio is not None:
        if covariance_method != "delong" or figure != "auc":
            raise CannotAnalyse("Another ratio of non-diseased to diseased cases needs the DeLong covariance of AUCs.")
        whole, cases = at_ratio(ratings, whole, ratio), 1
    one = variation(whole, cases)
    return Variation(one.arm_reader, one.arm_case, one.error, found.differences[0].estimate, parts)


def at_ratio(ratings: Ratings, parts: Components, ratio: float) -> Components:
    """Components for one case of a study with this ratio; arm_reader stays, it does not rest on cases."""
    check_ratio(ratio)
    if ratings.missing:
        raise CannotAnalyse("Another ratio of non-diseased to diseased cases needs a pilot without missing readings.")
    readers, arms, cases = ratings.values.shape
    place = np.stack([placements(ratings.truth, row) for row in ratings.values.reshape(-1, cases)])
    positives, negatives = place[:, ratings.truth], place[:, ~ratings.truth]
    theta = positives.mean(axis=1).reshape(readers, arms)
    matrix = np.cov(positives) * (1 + ratio) + np.cov(negatives) * (1 + ratio) / ratio
    new = components(theta, matrix, study_design(ratings), MeanSquares.of(theta))
    return Components(parts.reader, parts.arm_reader, new.error, new.cov1, new.cov2, new.cov3)


def mrmc_power(
    spread: Variation,
    readers: int,
    cases: int,
    effect: float,
    alpha: float = 0.05,
    generalised: Generalised = "readers and cases",
) -> MrmcPower:
    """With which probability does a study of so many readers and cases find this difference of two arms?

    effect: true difference of the figure of merit; alpha: level of the two-sided test. With J readers, K cases:
    denominator = arm_reader⁺ + (error + J arm_case) / K, noncentrality = J effect² / (2 denominator),
    df = (J - 1) denominator² / (arm_reader⁺ + error / K)², power = P(F(1, df, noncentrality) > F quantile).
    Readers fixed ("cases"): without arm_reader, chi-square; cases fixed ("readers"): without arm_case, J - 1 df.
    Source: Hillis, Obuchowski & Berbaum (2011), Acad. Radiol. 18:129-142, as RJafroc's SsPowerGivenJK; negative
    arm_reader and arm_case count as 0. One reader with random readers, fewer than two cases, no variation: refused.
    An effect of 0 has the power alpha and a warning.

    >>> found = mrmc_power(Variation(0.0002, 0.0114, 0.0399), readers=10, cases=120, effect=0.05)
    >>> round(found.estimate, 6), round(found.df, 4)
    (0.816892, 69.7578)
    """
    check_design(spread, readers, cases, effect, alpha, generalised)
    power, noncentrality, df, critical = powers(spread, readers, np.array([cases]), effect, alpha, generalised)
    warnings = ("The effect is 0, so the power is the rate of false alarms.",) if effect == 0 else ()
    found = (float(power[0]), readers, cases, effect, float(noncentrality[0]), float(df[0]), float(critical[0]))
    return MrmcPower(*found, alpha, generalised, warnings)


def powers(
    spread: Variation, readers: int, cases: Ints, effect: float, alpha: float, generalised: Generalised
) -> tuple[Floats, Floats, Floats, Floats]:
    """Power, noncentrality, degrees of freedom and critical F of several numbers of cases."""
    by_reader = 0.0 if generalised == "cases" else max(spread.arm_reader, 0.0)
    by_case = 0.0 if generalised == "readers" else max(spread.arm_case, 0.0)
    own = by_reader + spread.error / cases
    denominator = own + readers * by_case / cases
    if not bool((denominator > 0).all()):
        raise CannotAnalyse("Nothing varies in these components, so there is no power to compute.")
    noncentrality = readers * effect**2 / 2 / denominator
    if generalised == "cases" or not bool((own > 0).all()):
        df = np.full(len(denominator), math.inf)
        critical = np.full(len(denominator), stats.chi2.isf(alpha, 1))
        return tails(critical, noncentrality, df), noncentrality, df, critical
    df = (readers - 1) * (denominator / own) ** 2
    critical = np.asarray(stats.f.isf(alpha, 1, df))
    return tails(critical, noncentrality, df), noncentrality, df, critical


def tails(critical: Floats, noncentrality: Floats, df: Floats) -> Floats:
    """P(F > critical) of the noncentral F on 1 and df degrees of freedom; infinite df: of the noncentral chi-square."""
    # scipy 1.17 answers 1 - alpha below zero for a noncentrality of 0, so the central distribution stands in there.
    if np.isinf(df).all():
        found = stats.ncx2.sf(critical, 1, noncentrality) if noncentrality.all() else stats.chi2.sf(critical, 1)
    else:
        found = stats.ncf.sf(critical, 1, df, noncentrality) if noncentrality.all() else stats.f.sf(critical, 1, df)
    return np.asarray(found, dtype=float)


def mrmc_sample_size(
    spread: Variation,
    readers: int,
    effect: float,
    power: float = 0.8,
    alpha: float = 0.05,
    generalised: Generalised = "readers and cases",
    most: int = MOST_CASES,
) -> MrmcPower:
    """How many cases do so many readers need for this power?

    The smallest number from 2 to `most` whose power is not below the one aimed at; see `mrmc_power`, whose result is
    the answer. Where even endless cases do not suffice, or more than `most` are needed: refused with what is reached.

    >>> found = mrmc_sample_size(Variation(0.0002, 0.0114, 0.0399), readers=10, effect=0.05)
    >>> found.cases, round(found.estimate, 6)
    (115, 0.802896)
    """
    check_power(power, alpha)
    check_design(spread, readers, 2, effect, alpha, generalised)
    if effect == 0:
        raise CannotAnalyse("No number of cases finds an effect of 0; name the effect that is to be found.")
    numbers = np.arange(2, most + 1)
    reached = powers(spread, readers, numbers, effect, alpha, generalised)[0] >= power
    if not reached.any():
        best = mrmc_power(spread, readers, most, effect, alpha, generalised).estimate
        raise CannotAnalyse(f"{readers} readers do not reach a power of {power:g} with {most} cases; it is {best:.3f}.")
    return mrmc_power(spread, readers, int(numbers[np.argmax(reached)]), effect, alpha, generalised)


def power_grid(
    spread: Variation,
    readers: Sequence[int],
    cases: Sequence[int],
    effect: float,
    power: float = 0.8,
    alpha: float = 0.05,
    generalised: Generalised = "readers and cases",
) -> PowerGrid:
    """Which combinations of readers and cases reach a power?

    readers, cases: the numbers to be combined. `sufficient` has for each number of readers the fewest cases up to the
    largest of `cases`, where they suffice, also between the numbers given. Otherwise as `mrmc_power`.

    >>> grid = power_grid(Variation(0.0002, 0.0114, 0.0399), (5, 10), (100, 200), 0.05)
    >>> [round(plan.estimate, 3) for plan in grid.plans], [(plan.readers, plan.cases) for plan in grid.sufficient]
    ([0.581, 0.79, 0.754, 0.941], [(10, 115)])
    """
    if not readers or not cases:
        raise CannotAnalyse("A grid needs at least one number of readers and one of cases.")
    check_power(power, alpha)
    plans = tuple(mrmc_power(spread, j, k, effect, alpha, generalised) for j in readers for k in cases)
    enough = []
    for number in readers if effect else ():
        try:
            enough.append(mrmc_sample_size(spread, number, effect, power, alpha, generalised, max(cases)))
        except CannotAnalyse:
            continue
    if enough:
        return PowerGrid(plans, tuple(enough), power, plans[0].warnings)
    best = max(plans, key=lambda plan: plan.estimate)
    told = (
        f"No design reaches a power of {power:g}; the highest is {best.estimate:.3f} with {best.readers} readers and "
    )
    return PowerGrid(plans, (), power, (*plans[0].warnings, f"{told}{best.cases} cases."))


def check_design(
    spread: Variation, readers: int, cases: int, effect: float, alpha: float, generalised: Generalised
) -> None:
    """Refuse a design that has no power."""
    if generalised not in GENERALISED:
        raise CannotAnalyse(f"A study generalises to {', '.join(GENERALISED)}, not to {generalised}.")
    check_alpha(alpha)
    if readers < (1 if generalised == "cases" else 2):
        raise CannotAnalyse("Random readers need at least two readers, fixed ones at least one.")
    if cases < 2:
        raise CannotAnalyse("A study needs at least two cases.")
    if not all(math.isfinite(value) for value in (effect, spread.arm_reader, spread.arm_case, spread.error)):
        raise CannotAnalyse("The effect and the variance components must be finite numbers.")
    if spread.error < 0:
        raise CannotAnalyse("The error component is negative, so nothing can be planned from these components.")
