"""Many readers, many cases: Obuchowski and Rockette's analysis with Hillis's degrees of freedom."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.covariance import Covariance, covariance, figures_of_merit
from analysis.curve_merits import RateAt
from analysis.designs import Design, Nesting, study_design
from analysis.error_terms import (
    NEGATIVE,
    Components,
    ErrorTerm,
    MeanSquares,
    Sampling,
    Shared,
    components,
    error_term,
    hillis_df,
    is_nested,
    quiet,
)
from analysis.errors import CannotAnalyse
from analysis.interval import NOISE, Interval, two_sided_p, wald
from analysis.merit_names import merit_named
from analysis.merits import Merit
from analysis.ratings import Floats, Ratings
from analysis.resampling import REPLICATES, SEED

UNIT = (0.0, 1.0)
# Efron & Tibshirani (1993), section 10.6: the jackknife fails for what is not smooth, such as quantiles.
ONE_POINT = "The jackknife is not consistent for one point of the curve; the bootstrap covariance is."


@dataclass(frozen=True)
class ArmMean:
    """Mean figure of merit over readers in one arm; p tests it against chance and is None without one or variance.

    mean_square: variance of the readers' figures; error, cov2: their variance and covariance over cases.
    """

    arm: str
    estimate: float
    se: float
    df: float
    p: float | None
    mean_square: float = 0.0
    error: float | None = None
    cov2: float | None = None
    limits: tuple[float, float] = UNIT

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, self.df).clipped(*self.limits)


@dataclass(frozen=True)
class CellMean:
    """Figure of merit of one reader in one arm, with its standard error over cases; normal."""

    reader: str
    arm: str
    estimate: float
    se: float
    limits: tuple[float, float] = UNIT

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level).clipped(*self.limits)


@dataclass(frozen=True)
class ArmDifference:
    """Second minus first arm; `reader` is None for the mean over readers; `df` infinite means normal."""

    first: str
    second: str
    reader: str | None
    estimate: float
    se: float
    df: float
    statistic: float
    p: float
    limits: tuple[float, float] = (-1.0, 1.0)

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, self.df).clipped(*self.limits)


@dataclass(frozen=True)
class Overall:
    """Test that all arms are equal: F on df1 and df2 degrees of freedom, chi-square/df1 where df2 is infinite."""

    f: float
    df1: float
    df2: float
    p: float


@dataclass(frozen=True, eq=False)
class Mrmc:
    """Result of `obuchowski_rockette`; `figures` is (reader, arm), `covariance` (reader x arm, reader x arm)."""

    figure: str
    covariance_method: Covariance | None
    readers_are: Sampling
    cases_are: Sampling
    readers: tuple[str, ...]
    arms: tuple[ArmMean, ...]
    differences: tuple[ArmDifference, ...]
    reader_differences: tuple[ArmDifference, ...]
    cells: tuple[CellMean, ...]
    overall: Overall | None
    components: Components | None
    mean_squares: MeanSquares
    error_term: ErrorTerm
    figures: Floats
    covariance: Floats | None
    design: Design | None
    warnings: tuple[str, ...]
    seed: int | None = None

    @property
    def estimate(self) -> float:
        """Second minus first arm where there are two; see `differences`."""
        return self.differences[0].estimate

    @property
    def se(self) -> float:
        return self.differences[0].se

    @property
    def p(self) -> float:
        return self.differences[0].p

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return self.differences[0].confidence_interval(level)


@dataclass(frozen=True, eq=False)
class Estimates:
    """Figures of merit of any kind, (reader, arm), NaN where not read, and their covariance over cases or None."""

    figure: str
    readers: tuple[str, ...]
    arms: tuple[str, ...]
    values: Floats
    covariance: Floats | None
    cases_nested: Nesting = "crossed"
    limits: tuple[float, float] = UNIT
    chance: float | None = None
    covariance_method: Covariance | None = None
    design: Design | None = None
    seed: int | None = None

    @property
    def span(self) -> tuple[float, float]:
        """Limits of a difference."""
        width = self.limits[1] - self.limits[0]
        return -width, width


def obuchowski_rockette(
    ratings: Ratings,
    figure: str | Merit = "auc",
    covariance_method: Covariance = "delong",
    readers: Sampling = "random",
    cases: Sampling = "random",
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Mrmc:
    """Do the arms differ on average over readers and cases?

    ratings.values: (reader, arm, case), arms in the order of comparison, NaN = not read; decisions 0/1 for
    sensitivity, specificity and accuracy; figure: a name of `merit_names.FORMS` or a figure of your own. With r
    readers, t arms, theta (r, t), MS(T), MS(T:R) its mean squares:
    both random: F = MS(T) / (MS(T:R) + r max(cov2 - cov3, 0)), df2 = denominator² / (MS(T:R)²/((t-1)(r-1)));
    readers fixed: denominator error - cov1 + (r-1)(cov2 - cov3), chi-square; cases fixed: MS(T:R).
    Readers nested in arms: MS(R(T)) in place of MS(T:R), on n - t degrees of freedom, and (n² - sum of squares of the
    readers per arm)/(n (t-1)) in place of r. Differences have se = sqrt(2 denominator / r). Arms: their own
    MS(R), cov2 and df after Hillis. replicates, seed: of the bootstrap covariance.
    Source: Obuchowski & Rockette (1995), Commun. Stat. B 24:285-308; Hillis (2007), Stat. Med. 26:596-619; Hillis
    (2014), Stat. Med. 33:330-360. With more than two arms the error term is that of all arms. Where no case is
    shared between readers cov2 = cov3 = 0, where none is shared between arms cov1 = cov3 = 0.
    One reader: only fixed. A reader without the classes in an arm, or with some arms only; readers and cases both
    fixed: refused. No difference and no variation: p = 1 with a warning; a difference without variation: refused.

    >>> values = np.array([[[1.0, 2, 2, 3], [1, 2, 3, 4]], [[2.0, 1, 1, 3], [1, 1, 2, 1]]])
    >>> truth = np.array([False, False, True, True])
    >>> result = obuchowski_rockette(Ratings(("R", "S"), ("A", "B"), ("1", "2", "3", "4"), truth, values))
    >>> round(result.estimate, 6), round(result.se, 6), round(result.p, 6)
    (0.125, 0.25, 0.617075)
    """
    design = study_design(ratings)
    merit = merit_named(figure)
    check_request(ratings, design, readers)
    figures = figures_of_merit(ratings, merit)
    matrix = None if cases == "fixed" else covariance(figures, covariance_method, replicates, seed)
    drawn = seed if covariance_method == "bootstrap" and cases != "fixed" else None
    found = analyse(
        Estimates(
            merit.name, ratings.readers, ratings.arms, figures.values, matrix, design.cases_nested, merit.limits,
            merit.chance, covariance_method, design, drawn,
        ),
        readers, cases,
    )  # fmt: skip
    if isinstance(merit, RateAt) and matrix is not None and covariance_method == "jackknife":
        return replace(found, warnings=(*found.warnings, ONE_POINT))
    return found


def check_request(ratings: Ratings, design: Design, readers: Sampling) -> None:
    """Refuse what Obuchowski and Rockette's model cannot answer for this design."""
    if design.readers == 1 and readers == "random":
        raise CannotAnalyse("There is only one reader, so readers cannot be random; analyse them as fixed.")
    unread = np.isnan(ratings.values).all(axis=2)
    if unread.all(axis=0).any():
        raise CannotAnalyse(f"Nobody read in arm {ratings.arms[int(np.argmax(unread.all(axis=0)))]}.")
    if unread.any() and design.kind != "readers nested in arms":
        reader, arm = (int(place) for place in np.argwhere(unread)[0])
        more = f" (and {int(unread.sum()) - 1} more such gaps)" if unread.sum() > 1 else ""
        raise CannotAnalyse(
            f"Reader {ratings.readers[reader]} read nothing in arm {ratings.arms[arm]}{more}, "
            "and this analysis needs every reader in every arm."
        )


def analyse(estimates: Estimates, readers: Sampling = "random", cases: Sampling = "random") -> Mrmc:
    """Do the arms differ, given figures of merit of any kind and their covariance over cases?

    The model of `obuchowski_rockette`, which see, for figures that are computed elsewhere (localisation, volumes).

    >>> given = Estimates("dice", ("R", "S"), ("A", "B"), np.array([[0.8, 0.9], [0.7, 0.9]]), np.eye(4) * 0.01)
    >>> round(analyse(given).estimate, 6), round(analyse(given).p, 6)
    (0.15, 0.204833)
    """
    check_sampling(readers, cases)
    theta, matrix = estimates.values, estimates.covariance
    if readers == "random" and is_nested(theta) and bool((~np.isnan(theta)).sum() <= theta.shape[1]):
        raise CannotAnalyse("Every arm has one reader of its own, so readers cannot be told from arms.")
    squares = MeanSquares.of(theta)
    parts = None if matrix is None else components(theta, matrix, estimates, squares)
    error = error_term(theta, squares, parts, readers, cases)
    warnings: list[str] = []
    overall, differences = compare_arms(estimates, squares, error, warnings)
    by_reader: tuple[ArmDifference, ...] = ()
    if readers == "fixed" and matrix is not None and not is_nested(theta):
        by_reader = compare_within_readers(estimates, matrix, warnings)
    means = tuple(arm_mean(estimates, place, readers) for place in range(len(estimates.arms)))
    if any(mean.se == 0 for mean in means):
        warnings.append("An arm has no variation over readers and cases, so its interval has no width.")
    return Mrmc(
        estimates.figure, estimates.covariance_method, readers, cases, estimates.readers, means, differences, by_reader,
        cell_means(estimates, warnings), overall, parts, squares, error, theta, matrix, estimates.design,
        tuple(warnings), estimates.seed,
    )  # fmt: skip


def check_sampling(readers: Sampling, cases: Sampling) -> None:
    if readers not in ("random", "fixed") or cases not in ("random", "fixed"):
        raise CannotAnalyse("Readers and cases are random or fixed.")
    if readers == "fixed" and cases == "fixed":
        raise CannotAnalyse("With readers and cases both fixed nothing varies, so there is no test.")


def compare_arms(
    estimates: Estimates, squares: MeanSquares, error: ErrorTerm, warnings: list[str]
) -> tuple[Overall | None, tuple[ArmDifference, ...]]:
    """The overall test and all differences of a later minus an earlier arm."""
    t = len(estimates.arms)
    if t == 1:
        return None, ()
    means = np.nanmean(estimates.values, axis=0)
    denominator, df = error.denominator, error.df
    if denominator == 0 and squares.arms > 0:
        raise CannotAnalyse(
            "The arms differ, but the error term of their difference is estimated as 0, so there is no test."
        )
    found = tuple(
        arm_difference(estimates, (i, j), None, float(means[j] - means[i]), math.sqrt(error.variance(i, j)), df)
        for i in range(t)
        for j in range(i + 1, t)
    )
    if denominator == 0:
        warnings.append("The arms do not differ and nothing varies; the difference is 0 and p is 1.")
        return Overall(0.0, t - 1, df, 1.0), found
    f = squares.arms / denominator
    p = stats.chi2.sf((t - 1) * f, t - 1) if math.isinf(df) else stats.f.sf(f, t - 1, df)
    return Overall(f, t - 1, df, float(p)), found


def arm_difference(
    estimates: Estimates, arms: tuple[int, int], reader: str | None, estimate: float, se: float, df: float
) -> ArmDifference:
    first, second = (estimates.arms[place] for place in arms)
    if se == 0:
        return ArmDifference(first, second, reader, 0.0, 0.0, df, 0.0, 1.0, estimates.span)
    statistic = estimate / se
    p = two_sided_p(statistic, df)
    return ArmDifference(first, second, reader, estimate, se, df, statistic, p, estimates.span)


def compare_within_readers(estimates: Estimates, matrix: Floats, warnings: list[str]) -> tuple[ArmDifference, ...]:
    """Differences of arms of each reader, with the error term of all arms of that reader; normal."""
    theta = estimates.values
    r, t = theta.shape
    found = []
    for reader in range(r):
        block = matrix.reshape(r, t, r, t)[reader, :, reader, :]
        variance = float(np.trace(block)) / t
        shared = (float(block.sum()) - t * variance) / (t * (t - 1)) if t > 1 else 0.0
        spread = quiet(variance - (0.0 if estimates.cases_nested == "in arms" else shared))
        for i in range(t):
            for j in range(i + 1, t):
                estimate = float(theta[reader, j] - theta[reader, i])
                if spread == 0 and abs(estimate) > 1e-9:
                    warnings.append(
                        f"The arms {estimates.arms[i]} and {estimates.arms[j]} of reader {estimates.readers[reader]} "
                        "differ without variation over cases, so there is no test."
                    )
                    continue
                name, se = estimates.readers[reader], math.sqrt(2 * spread)
                found.append(arm_difference(estimates, (i, j), name, estimate, se, math.inf))
    return tuple(found)


def cell_means(estimates: Estimates, warnings: list[str]) -> tuple[CellMean, ...]:
    """Every reader in every arm; left out without a covariance over cases, or where a variance came out negative."""
    if estimates.covariance is None:
        return ()
    variances = np.diagonal(estimates.covariance).reshape(estimates.values.shape)
    found = []
    for reader, arm in np.argwhere(~np.isnan(estimates.values)):
        names = estimates.readers[reader], estimates.arms[arm]
        if variances[reader, arm] < -NOISE:
            warnings.append(f"The estimated variance of reader {names[0]} in arm {names[1]} is negative.")
            continue
        se = math.sqrt(quiet(float(variances[reader, arm])))
        found.append(CellMean(*names, float(estimates.values[reader, arm]), se, estimates.limits))
    return tuple(found)


def arm_mean(estimates: Estimates, place: int, readers: Sampling) -> ArmMean:
    """Mean of one arm over readers from that arm's own variation; Hillis (2014), section 4."""
    r, t = estimates.values.shape
    theta = estimates.values[:, place]
    arm, theta = estimates.arms[place], theta[~np.isnan(theta)]
    count = len(theta)
    square = quiet(float(theta.var(ddof=1))) if count > 1 else 0.0
    variance = cov2 = None
    between = 0.0
    if estimates.covariance is not None:
        block = estimates.covariance.reshape(r, t, r, t)[:, place, :, place]
        shared = Shared.of(estimates.values[:, [place]], block)
        variance = float(np.diagonal(shared.matrix).mean())
        cov2 = shared.mean(shared.same_arm) if estimates.cases_nested != "in readers" else 0.0
        between = max(cov2, 0.0)
    if readers == "fixed" or (count == 1 and variance is not None):
        # One reader has no variance between readers; what is left is the variance over cases.
        spread, df = ((variance or 0.0) + (count - 1) * between) / count, math.inf
    else:
        spread = (square + count * between) / count
        df = hillis_df(square, square + count * between, count - 1)
    if spread < -NOISE:
        raise CannotAnalyse(NEGATIVE)
    estimate, se = float(theta.mean()), math.sqrt(quiet(spread))
    chance = estimates.chance
    if se == 0 or chance is None:
        p = 1.0 if se == 0 and estimate == chance else None
    else:
        p = two_sided_p((estimate - chance) / se, df)
    return ArmMean(arm, estimate, se, df, p, square, variance, cov2, estimates.limits)
