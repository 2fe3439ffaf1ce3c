"""Dorfman, Berbaum and Metz's analysis of pseudovalues, in the form that Hillis gave it."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.covariance import figures_of_merit, moves
from analysis.error_terms import Components, Sampling, hillis_df, quiet
from analysis.errors import CannotAnalyse
from analysis.interval import two_sided_p
from analysis.merits import Merit
from analysis.mrmc import UNIT, ArmDifference, ArmMean, Overall, check_sampling
from analysis.ratings import Floats, Ratings, are_missing


@dataclass(frozen=True)
class PseudoSquares:
    """Mean squares of pseudovalues: arm, reader, case, their interactions; NaN-free, 0 where there is one arm only."""

    arm: float
    reader: float
    case: float
    arm_reader: float
    arm_case: float
    reader_case: float
    arm_reader_case: float


@dataclass(frozen=True)
class PseudoComponents:
    """Variance components of pseudovalues; any but `error` may come out negative."""

    reader: float
    case: float
    arm_reader: float
    arm_case: float
    reader_case: float
    error: float

    def obuchowski_rockette(self, cases: int) -> Components:
        """The same as components of the Obuchowski-Rockette model; Hillis et al. (2005), table 2.

        >>> parts = PseudoComponents(0.1, 1.0, 0.02, 2.0, 3.0, 4.0).obuchowski_rockette(10)
        >>> parts.error, parts.cov1, parts.cov2, parts.cov3
        (1.0, 0.4, 0.3, 0.1)
        """
        return Components(
            self.reader,
            self.arm_reader,
            (self.case + self.arm_case + self.reader_case + self.error) / cases,
            (self.case + self.reader_case) / cases,
            (self.case + self.arm_case) / cases,
            self.case / cases,
        )


@dataclass(frozen=True, eq=False)
class Dbm:
    """Result of `dbm`; `pseudovalues` is (reader, arm, case), `figures` (reader, arm)."""

    figure: str
    readers_are: Sampling
    cases_are: Sampling
    readers: tuple[str, ...]
    arms: tuple[ArmMean, ...]
    differences: tuple[ArmDifference, ...]
    reader_differences: tuple[ArmDifference, ...]
    overall: Overall
    squares: PseudoSquares
    arm_squares: tuple[PseudoSquares, ...]
    reader_squares: tuple[PseudoSquares, ...]
    components: PseudoComponents
    denominator: float
    figures: Floats
    pseudovalues: Floats
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


@dataclass(frozen=True, eq=False)
class Pseudovalues:
    """Pseudovalues of a figure of any kind, (reader, arm, case), their means over cases the figures (reader, arm)."""

    figure: str
    readers: tuple[str, ...]
    arms: tuple[str, ...]
    figures: Floats
    values: Floats
    limits: tuple[float, float] = UNIT
    chance: float | None = None

    @property
    def span(self) -> tuple[float, float]:
        """Limits of a difference."""
        width = self.limits[1] - self.limits[0]
        return -width, width


def pseudovalues(ratings: Ratings, figure: str | Merit = "auc") -> Floats:
    """What does each case contribute to each figure of merit?

    Answer (reader, arm, case): N theta - (N - 1) theta without the case, N the number of cases. Their mean over
    cases is theta itself for the AUC. Source: Dorfman, Berbaum & Metz (1992), Invest. Radiol. 27:723-731, eq. 1.
    A missing reading is refused: its pseudovalue does not exist.

    >>> truth = np.array([False, False, True, True])
    >>> one = Ratings(("R",), ("A",), ("1", "2", "3", "4"), truth, np.array([[[1.0, 2, 2, 3]]]))
    >>> pseudovalues(one).tolist()
    [[[1.25, 0.5, 0.5, 1.25]]]
    """
    if ratings.missing:
        raise CannotAnalyse(
            f"{are_missing(ratings.missing)}, and pseudovalues need every reader to have read every case in "
            "every arm; use Obuchowski-Rockette with the jackknife covariance."
        )
    found = figures_of_merit(ratings, figure)
    cases = len(ratings.truth)
    values = found.values.reshape(-1, 1) + (cases - 1) * moves(found)
    return np.asarray(values.reshape(ratings.values.shape))


def dbm(ratings: Ratings, figure: str | Merit = "auc", readers: Sampling = "random", cases: Sampling = "random") -> Dbm:
    """Do the arms differ on average, by an analysis of variance of pseudovalues?

    ratings as in `mrmc.obuchowski_rockette`, without missing readings; two arms and two readers at least. Y is
    (reader, arm, case), r x t x c, T, R, C its factors:
    both random: F = MS(T) / (MS(TR) + max(MS(TC) - MS(TRC), 0)), df2 = denominator² / (MS(TR)²/((t-1)(r-1)));
    readers fixed: MS(TC), df2 = (t-1)(c-1); cases fixed: MS(TR), df2 = (t-1)(r-1).
    Differences have se = sqrt(2 denominator/(r c)); arms their own MS(R) + max(MS(C) - MS(RC), 0), MS(C) or MS(R).
    Equals Obuchowski-Rockette with the jackknife covariance for the AUC, but for readers fixed, where that is a
    chi-square test. Source: Dorfman, Berbaum & Metz (1992); Hillis, Obuchowski, Schartz & Berbaum (2005), Stat. Med.
    24:1579-1607; Hillis (2007), Stat. Med. 26:596-619. No variation: as in `mrmc.obuchowski_rockette`.

    >>> values = np.array([[[1.0, 2, 2, 3], [1, 2, 3, 4]], [[2.0, 1, 1, 3], [1, 1, 2, 1]]])
    >>> truth = np.array([False, False, True, True])
    >>> result = dbm(Ratings(("R", "S"), ("A", "B"), ("1", "2", "3", "4"), truth, values))
    >>> round(result.estimate, 6), round(result.se, 6), round(result.p, 6)
    (0.125, 0.306186, 0.683091)
    """
    merit = figures_of_merit(ratings, figure)
    given = Pseudovalues(
        merit.merit.name, ratings.readers, ratings.arms, merit.values, pseudovalues(ratings, merit.merit),
        merit.merit.limits, merit.merit.chance,
    )  # fmt: skip
    return analyse_pseudovalues(given, readers, cases)


def analyse_pseudovalues(given: Pseudovalues, readers: Sampling = "random", cases: Sampling = "random") -> Dbm:
    """Do the arms differ, given pseudovalues of a figure of any kind?

    The model of `dbm`, which see, for figures that are computed elsewhere (localisation).

    >>> y = np.array([[[1.0, 0, 1, 1], [1, 1, 1, 1]], [[0.0, 0, 1, 0], [1, 1, 1, 1]]])
    >>> given = Pseudovalues("found", ("R", "S"), ("A", "B"), y.mean(axis=2), y)
    >>> result = analyse_pseudovalues(given)
    >>> round(result.estimate, 6), round(result.se, 6), round(result.p, 6)
    (0.5, 0.288675, 0.240735)
    """
    check_sampling(readers, cases)
    y = given.values
    if min(y.shape[:2]) < 2:
        raise CannotAnalyse("Pseudovalues are compared over two arms and two readers at least.")
    squares = pseudo_squares(y)
    denominator, df = error_of(squares, y.shape, readers, cases)
    warnings: list[str] = []
    if denominator == 0:
        if squares.arm > 0:
            raise CannotAnalyse("The arms differ but nothing varies over readers or cases, so there is no test.")
        warnings.append("The arms do not differ and nothing varies; the difference is 0 and p is 1.")
    r, t, c = y.shape
    f = squares.arm / denominator if denominator else 0.0
    p = float(stats.f.sf(f, t - 1, df)) if math.isfinite(df) else float(stats.chi2.sf((t - 1) * f, t - 1))
    by_reader = tuple(pseudo_squares(y[[reader]]) for reader in range(r))
    within: tuple[ArmDifference, ...] = ()
    if readers == "fixed":
        spreads = [(given.readers[i], y[i], square.arm_case / c) for i, square in enumerate(by_reader)]
        warnings += [
            f"The arms of reader {name} differ without variation over cases, so there is no test."
            for name, own, spread in spreads
            if spread == 0 and np.ptp(own.mean(axis=1)) > 1e-9
        ]
        within = tuple(
            row
            for name, own, spread in spreads
            for row in differences(given, own.mean(axis=1), spread, (t - 1) * (c - 1), name)
        )
    by_arm = tuple(pseudo_squares(y[:, [arm]]) for arm in range(t))
    means = tuple(pseudo_mean(given, i, by_arm[i], readers, cases) for i in range(t))
    return Dbm(
        given.figure, readers, cases, given.readers, means,
        differences(given, y.mean(axis=(0, 2)), denominator / (r * c), df, None), within,
        Overall(f, t - 1, df, p), squares, by_arm, by_reader, pseudo_components(squares, y.shape), denominator,
        given.figures, y, tuple(warnings),
    )  # fmt: skip


def pseudo_squares(y: Floats) -> PseudoSquares:
    """Mean squares of a (reader, arm, case) table; those of a factor with one level are 0."""
    mean = y.mean()
    effects: dict[tuple[int, ...], Floats] = {}
    for kept in ((0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)):
        others = tuple(axis for axis in range(3) if axis not in kept)
        left = y.mean(axis=others, keepdims=True) - mean if others else y - mean
        for smaller, effect in effects.items():
            if set(smaller) < set(kept):
                left = left - effect
        effects[kept] = left

    def square(*kept: int) -> float:
        size = math.prod(y.shape[axis] for axis in range(3) if axis not in kept)
        df = math.prod(y.shape[axis] - 1 for axis in kept)
        return quiet(size * float((effects[kept] ** 2).sum()) / df) if df else 0.0

    return PseudoSquares(square(1), square(0), square(2), square(0, 1), square(1, 2), square(0, 2), square(0, 1, 2))


def pseudo_components(squares: PseudoSquares, shape: tuple[int, ...]) -> PseudoComponents:
    """Variance components from their expected mean squares; Hillis et al. (2005), table 1."""
    r, t, c = shape
    error = squares.arm_reader_case
    return PseudoComponents(
        (squares.reader - squares.arm_reader - squares.reader_case + error) / (t * c),
        (squares.case - squares.arm_case - squares.reader_case + error) / (r * t),
        (squares.arm_reader - error) / c,
        (squares.arm_case - error) / r,
        (squares.reader_case - error) / t,
        error,
    )


def error_of(squares: PseudoSquares, shape: tuple[int, ...], readers: Sampling, cases: Sampling) -> tuple[float, float]:
    """Denominator of F and its degrees of freedom."""
    r, t, c = shape
    if readers == "fixed":
        return squares.arm_case, float((t - 1) * (c - 1))
    plain = float((t - 1) * (r - 1))
    if cases == "fixed":
        return squares.arm_reader, plain
    denominator = squares.arm_reader + max(squares.arm_case - squares.arm_reader_case, 0.0)
    return denominator, hillis_df(squares.arm_reader, denominator, plain)


def differences(
    given: Pseudovalues, means: Floats, spread: float, df: float, reader: str | None
) -> tuple[ArmDifference, ...]:
    """All differences of a later minus an earlier arm with variance 2 spread."""
    se = math.sqrt(2 * spread)
    found = []
    for i, first in enumerate(given.arms):
        for j in range(i + 1, len(given.arms)):
            second, estimate = given.arms[j], float(means[j] - means[i])
            if se == 0:
                # A reader without any variation has no test; the difference of all was judged before.
                if abs(estimate) > 1e-9:
                    continue
                found.append(ArmDifference(first, second, reader, 0.0, 0.0, df, 0.0, 1.0, given.span))
                continue
            p = two_sided_p(estimate / se, df)
            found.append(ArmDifference(first, second, reader, estimate, se, df, estimate / se, p, given.span))
    return tuple(found)


def pseudo_mean(given: Pseudovalues, arm: int, squares: PseudoSquares, readers: Sampling, cases: Sampling) -> ArmMean:
    """Mean of one arm from that arm's own mean squares."""
    y = given.values[:, arm]
    r, c = y.shape
    shared = max(squares.case - squares.reader_case, 0.0)
    if readers == "fixed":
        spread, df = squares.case, float(c - 1)
    elif cases == "fixed":
        spread, df = squares.reader, float(r - 1)
    else:
        spread = squares.reader + shared
        df = hillis_df(squares.reader, spread, r - 1)
    estimate, se = float(y.mean()), math.sqrt(spread / (r * c))
    p = None if se == 0 or given.chance is None else two_sided_p((estimate - given.chance) / se, df)
    return ArmMean(
        given.arms[arm], estimate, se, df, p, squares.reader / c,
        (squares.case + (r - 1) * squares.reader_case) / (r * c), (squares.case - squares.reader_case) / (r * c),
        given.limits,
    )  # fmt: skip
