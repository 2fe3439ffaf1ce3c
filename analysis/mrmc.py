"""Many readers, many cases: Obuchowski and Rockette's analysis with Hillis's degrees of freedom."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from analysis.covariance import Covariance, Figure, covariance, figures_of_merit
from analysis.designs import Design, study_design
from analysis.errors import CannotAnalyse
from analysis.interval import NOISE, Interval, two_sided_p, wald
from analysis.ratings import Floats, Ratings

Sampling = Literal["random", "fixed"]


@dataclass(frozen=True)
class Components:
    """Variance components of the Obuchowski-Rockette model; `reader` and `arm_reader` may come out negative."""

    reader: float | None
    arm_reader: float | None
    error: float
    cov1: float
    cov2: float
    cov3: float


@dataclass(frozen=True)
class ArmMean:
    """Mean figure of merit over readers in one arm; p tests it against 1/2 and is None without variance."""

    arm: str
    estimate: float
    se: float
    df: float
    p: float | None

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, self.df).clipped()


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

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, self.df).clipped(-1.0, 1.0)


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

    figure: Figure
    covariance_method: Covariance
    readers_are: Sampling
    cases_are: Sampling
    readers: tuple[str, ...]
    arms: tuple[ArmMean, ...]
    differences: tuple[ArmDifference, ...]
    reader_differences: tuple[ArmDifference, ...]
    overall: Overall | None
    components: Components | None
    figures: Floats
    covariance: Floats | None
    design: Design
    warnings: tuple[str, ...]

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


def obuchowski_rockette(
    ratings: Ratings,
    figure: Figure = "auc",
    covariance_method: Covariance = "delong",
    readers: Sampling = "random",
    cases: Sampling = "random",
) -> Mrmc:
    """Do the arms differ on average over readers and cases?

    ratings.values: (reader, arm, case), arms in the order of comparison, NaN = not read; decisions 0/1 for
    sensitivity and specificity. With r readers, t arms, theta (r, t), MS(T), MS(T:R) its mean squares:
    both random: F = MS(T) / (MS(T:R) + r max(cov2 - cov3, 0)), df2 = denominator² / (MS(T:R)²/((t-1)(r-1)));
    readers fixed: denominator error - cov1 + (r-1)(cov2 - cov3), chi-square; cases fixed: MS(T:R).
    Differences have se = sqrt(2 denominator / r). Arms: their own MS(R), cov2 and df after Hillis.
    Source: Obuchowski & Rockette (1995), Commun. Stat. B 24:285-308; Hillis (2007), Stat. Med. 26:596-619; Hillis
    (2014), Stat. Med. 33:330-360. With more than two arms the error term is that of all arms. Where no case is
    shared between readers cov2 = cov3 = 0, where none is shared between arms cov1 = cov3 = 0.
    One reader: only fixed. Readers nested in arms, a reader without the classes in an arm, readers and cases both
    fixed: refused. No difference and no variation: p = 1 with a warning; a difference without variation: refused.

    >>> values = np.array([[[1.0, 2, 2, 3], [1, 2, 3, 4]], [[2.0, 1, 1, 3], [1, 1, 2, 1]]])
    >>> truth = np.array([False, False, True, True])
    >>> result = obuchowski_rockette(Ratings(("R", "S"), ("A", "B"), ("1", "2", "3", "4"), truth, values))
    >>> round(result.estimate, 6), round(result.se, 6), round(result.p, 6)
    (0.125, 0.25, 0.617075)
    """
    design = study_design(ratings)
    check_request(ratings, design, readers, cases)
    figures = figures_of_merit(ratings, figure)
    theta = figures.values
    matrix = None if cases == "fixed" else covariance(figures, covariance_method, ratings)
    squares = MeanSquares.of(theta)
    parts = None if matrix is None else components(theta, matrix, design, squares)
    denominator, df = error_term(theta, squares, parts, readers, cases)
    warnings: list[str] = []
    overall, differences = compare_arms(ratings.arms, theta, squares, denominator, df, warnings)
    by_reader: tuple[ArmDifference, ...] = ()
    if readers == "fixed" and matrix is not None:
        by_reader = compare_within_readers(ratings, theta, matrix, design)
    means = tuple(
        arm_mean(arm, theta[:, i], None if matrix is None else arm_block(matrix, i, theta.shape), design, readers)
        for i, arm in enumerate(ratings.arms)
    )
    if any(mean.se == 0 for mean in means):
        warnings.append("An arm has no variation over readers and cases, so its interval has no width.")
    return Mrmc(
        figure, covariance_method, readers, cases, ratings.readers, means, differences, by_reader, overall, parts,
        theta, matrix, design, tuple(warnings),
    )  # fmt: skip


def check_request(ratings: Ratings, design: Design, readers: Sampling, cases: Sampling) -> None:
    """Refuse what Obuchowski and Rockette's model cannot answer for this design."""
    if readers not in ("random", "fixed") or cases not in ("random", "fixed"):
        raise CannotAnalyse("Readers and cases are random or fixed.")
    if readers == "fixed" and cases == "fixed":
        raise CannotAnalyse("With readers and cases both fixed nothing varies, so there is no test.")
    if design.readers == 1 and readers == "random":
        raise CannotAnalyse("There is only one reader, so readers cannot be random; analyse them as fixed.")
    if design.kind == "readers nested in arms":
        raise CannotAnalyse("Each reader read in one arm only, and this analysis needs every reader in every arm.")
    unread = np.isnan(ratings.values).all(axis=2)
    if unread.any():
        reader, arm = (int(place) for place in np.argwhere(unread)[0])
        more = f" (and {int(unread.sum()) - 1} more such gaps)" if unread.sum() > 1 else ""
        raise CannotAnalyse(
            f"Reader {ratings.readers[reader]} read nothing in arm {ratings.arms[arm]}{more}, "
            "and this analysis needs every reader in every arm."
        )


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares of the two-way table of figures of merit: arms, readers, their interaction."""

    arms: float
    readers: float
    interaction: float

    @staticmethod
    def of(theta: Floats) -> "MeanSquares":
        r, t = theta.shape
        grand, by_reader, by_arm = theta.mean(), theta.mean(axis=1), theta.mean(axis=0)
        left = theta - by_reader[:, None] - by_arm[None, :] + grand
        return MeanSquares(
            quiet(r * float(((by_arm - grand) ** 2).sum()) / max(t - 1, 1)),
            quiet(t * float(((by_reader - grand) ** 2).sum()) / max(r - 1, 1)),
            quiet(float((left**2).sum()) / max((t - 1) * (r - 1), 1)),
        )


def quiet(square: float) -> float:
    return square if square > NOISE else 0.0


def components(theta: Floats, matrix: Floats, design: Design, squares: MeanSquares) -> Components:
    """Mean covariances by what two figures share, and the two variance components that follow from them."""
    r, t = theta.shape
    cube = matrix.reshape(r, t, r, t)
    variance = float(np.einsum("rtrt->", cube)) / (r * t)
    same_reader = float(np.einsum("rtru->", cube)) - r * t * variance
    same_arm = float(np.einsum("rtst->", cube)) - r * t * variance
    rest = float(matrix.sum()) - r * t * variance - same_reader - same_arm
    cov1 = same_reader / (r * t * (t - 1)) if t > 1 and design.cases_nested != "in arms" else 0.0
    cov2 = same_arm / (r * t * (r - 1)) if r > 1 and design.cases_nested != "in readers" else 0.0
    cov3 = rest / (r * t * (r - 1) * (t - 1)) if r > 1 and t > 1 and design.cases_nested == "crossed" else 0.0
    if r == 1 or t == 1:
        return Components(None, None, variance, cov1, cov2, cov3)
    reader = (squares.readers - squares.interaction) / t - cov1 + cov3
    arm_reader = squares.interaction - variance + cov1 + cov2 - cov3
    return Components(reader, arm_reader, variance, cov1, cov2, cov3)


def error_term(
    theta: Floats, squares: MeanSquares, parts: Components | None, readers: Sampling, cases: Sampling
) -> tuple[float, float]:
    """Denominator of F and its degrees of freedom; see `obuchowski_rockette`."""
    r, t = theta.shape
    plain = float((t - 1) * (r - 1))
    if parts is None or cases == "fixed":
        return squares.interaction, plain
    if readers == "fixed":
        # Unbounded: this is r/2 times the plain variance of a difference of means, which cannot be negative.
        return quiet(parts.error - parts.cov1 + (r - 1) * (parts.cov2 - parts.cov3)), math.inf
    shared = max(parts.cov2 - parts.cov3, 0.0)
    denominator = squares.interaction + r * shared
    if squares.interaction == 0:
        return quiet(denominator), math.inf
    return denominator, denominator**2 / (squares.interaction**2 / plain)


def compare_arms(
    arms: tuple[str, ...], theta: Floats, squares: MeanSquares, denominator: float, df: float, warnings: list[str]
) -> tuple[Overall | None, tuple[ArmDifference, ...]]:
    """The overall test and all differences of a later minus an earlier arm."""
    r, t = theta.shape
    if t == 1:
        return None, ()
    means = theta.mean(axis=0)
    if denominator == 0 and squares.arms > 0:
        raise CannotAnalyse("The arms differ but nothing varies over readers or cases, so there is no test.")
    se = math.sqrt(2 * denominator / r)
    found = tuple(
        arm_difference(arms[i], arms[j], None, float(means[j] - means[i]), se, df)
        for i in range(t)
        for j in range(i + 1, t)
    )
    if denominator == 0:
        warnings.append("The arms do not differ and nothing varies; the difference is 0 and p is 1.")
        return Overall(0.0, t - 1, df, 1.0), found
    f = squares.arms / denominator
    p = stats.chi2.sf((t - 1) * f, t - 1) if math.isinf(df) else stats.f.sf(f, t - 1, df)
    return Overall(f, t - 1, df, float(p)), found


def arm_difference(first: str, second: str, reader: str | None, estimate: float, se: float, df: float) -> ArmDifference:
    if se == 0:
        return ArmDifference(first, second, reader, 0.0, 0.0, df, 0.0, 1.0)
    statistic = estimate / se
    return ArmDifference(first, second, reader, estimate, se, df, statistic, two_sided_p(statistic, df))


def compare_within_readers(
    ratings: Ratings, theta: Floats, matrix: Floats, design: Design
) -> tuple[ArmDifference, ...]:
    """Differences of arms of each reader, with the error term of all arms of that reader; normal."""
    r, t = theta.shape
    found = []
    for reader in range(r):
        block = matrix.reshape(r, t, r, t)[reader, :, reader, :]
        variance = float(np.trace(block)) / t
        shared = (float(block.sum()) - t * variance) / (t * (t - 1)) if t > 1 else 0.0
        spread = quiet(variance - (0.0 if design.cases_nested == "in arms" else shared))
        for i in range(t):
            for j in range(i + 1, t):
                estimate = float(theta[reader, j] - theta[reader, i])
                if spread == 0 and abs(estimate) > 1e-9:
                    continue
                found.append(
                    arm_difference(
                        ratings.arms[i],
                        ratings.arms[j],
                        ratings.readers[reader],
                        estimate,
                        math.sqrt(2 * spread),
                        math.inf,
                    )
                )
    return tuple(found)


def arm_block(matrix: Floats, arm: int, shape: tuple[int, ...]) -> Floats:
    r, t = shape
    return np.asarray(matrix.reshape(r, t, r, t)[:, arm, :, arm])


def arm_mean(arm: str, theta: Floats, block: Floats | None, design: Design, readers: Sampling) -> ArmMean:
    """Mean of one arm over readers from that arm's own variation; Hillis (2014), section 4."""
    r = len(theta)
    square = quiet(float(theta.var(ddof=1))) if r > 1 else 0.0
    variance = cov2 = 0.0
    if block is not None:
        variance = float(np.trace(block)) / r
        if r > 1 and design.cases_nested != "in readers":
            cov2 = max((float(block.sum()) - r * variance) / (r * (r - 1)), 0.0)
    if readers == "fixed":
        spread, df = (variance + (r - 1) * cov2) / r, math.inf
    else:
        spread = (square + r * cov2) / r
        df = (square + r * cov2) ** 2 / (square**2 / (r - 1)) if square else math.inf
    estimate, se = float(theta.mean()), math.sqrt(quiet(max(spread, 0.0)))
    if se == 0:
        return ArmMean(arm, estimate, 0.0, df, 1.0 if estimate == 0.5 else None)
    return ArmMean(arm, estimate, se, df, two_sided_p((estimate - 0.5) / se, df))
