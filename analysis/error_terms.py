"""Mean squares, variance components and error terms of the Obuchowski-Rockette model.

Figures of merit stand in (reader, arm), NaN where a reader did not read in an arm; their covariance over cases in
(reader x arm, reader x arm), arms within readers. Readers are crossed with arms or nested in them.
"""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from analysis.designs import Nesting
from analysis.errors import CannotAnalyse
from analysis.interval import NOISE
from analysis.ratings import Bools, Floats

Sampling = Literal["random", "fixed"]
NEGATIVE = (
    "The estimated variance over cases is negative, as an unbiased estimate can be, so there is no test; "
    "use the jackknife covariance."
)


class Arranged(Protocol):
    """Anything that knows how the cases were shared out."""

    @property
    def cases_nested(self) -> Nesting: ...


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
class MeanSquares:
    """Mean squares of figures of merit: arms, readers, and readers x arms (readers within arms where nested)."""

    arms: float
    readers: float
    interaction: float

    @staticmethod
    def of(theta: Floats) -> "MeanSquares":
        """Of a table of figures of merit in which every reader read in every arm, or each in one only."""
        return nested_squares(theta) if np.isnan(theta).any() else crossed_squares(theta)


def crossed_squares(theta: Floats) -> MeanSquares:
    r, t = theta.shape
    grand, by_reader, by_arm = theta.mean(), theta.mean(axis=1), theta.mean(axis=0)
    left = theta - by_reader[:, None] - by_arm[None, :] + grand
    return MeanSquares(
        quiet(r * float(((by_arm - grand) ** 2).sum()) / max(t - 1, 1)),
        quiet(t * float(((by_reader - grand) ** 2).sum()) / max(r - 1, 1)),
        quiet(float((left**2).sum()) / max((t - 1) * (r - 1), 1)),
    )


def nested_squares(theta: Floats) -> MeanSquares:
    counts, means = readers_per_arm(theta), np.nanmean(theta, axis=0)
    grand = float(np.nanmean(theta))
    n, t = int(counts.sum()), theta.shape[1]
    within = quiet(float(np.nansum((theta - means) ** 2)) / max(n - t, 1))
    return MeanSquares(quiet(float((counts * (means - grand) ** 2).sum()) / max(t - 1, 1)), within, within)


def quiet(square: float) -> float:
    return square if square > NOISE else 0.0


def readers_per_arm(theta: Floats) -> Floats:
    return np.asarray((~np.isnan(theta)).sum(axis=0), dtype=float)


def is_nested(theta: Floats) -> bool:
    """Whether no reader read in more than one of several arms."""
    return theta.shape[1] > 1 and bool(((~np.isnan(theta)).sum(axis=1) <= 1).all())


@dataclass(frozen=True, eq=False)
class Shared:
    """Which of the cells with readings share reader, and which share arm, without a cell and itself."""

    matrix: Floats
    same_reader: Bools
    same_arm: Bools
    neither: Bools

    @staticmethod
    def of(theta: Floats, matrix: Floats) -> "Shared":
        cells = np.flatnonzero(~np.isnan(theta).ravel())
        reader, arm = np.divmod(cells, theta.shape[1])
        same_reader = reader[:, None] == reader[None, :]
        same_arm = arm[:, None] == arm[None, :]
        return Shared(
            matrix[np.ix_(cells, cells)], same_reader & ~same_arm, same_arm & ~same_reader, ~same_reader & ~same_arm
        )

    def mean(self, pairs: Bools) -> float:
        return float(self.matrix[pairs].mean()) if pairs.any() else 0.0


def components(theta: Floats, matrix: Floats, design: Arranged, squares: MeanSquares) -> Components:
    """Mean covariances by what two figures share, and the two variance components that follow from them."""
    r, t = theta.shape
    shared = Shared.of(theta, matrix)
    error = float(np.diagonal(shared.matrix).mean())
    cov1 = shared.mean(shared.same_reader) if design.cases_nested != "in arms" else 0.0
    cov2 = shared.mean(shared.same_arm) if design.cases_nested != "in readers" else 0.0
    cov3 = shared.mean(shared.neither) if design.cases_nested == "crossed" else 0.0
    if r == 1 or t == 1 or is_nested(theta):
        return Components(None, None, error, cov1, cov2, cov3)
    reader = (squares.readers - squares.interaction) / t - cov1 + cov3
    arm_reader = squares.interaction - error + cov1 + cov2 - cov3
    return Components(reader, arm_reader, error, cov1, cov2, cov3)


@dataclass(frozen=True, eq=False)
class ErrorTerm:
    """Denominator of F, its degrees of freedom, and the variance of any difference of two arms.

    within: variance of a reader's figure that readers do not share; shared: covariance between readers that remains
    in a difference; readers: readers per arm (t,).
    """

    within: float
    shared: float
    df: float
    readers: Floats

    @property
    def size(self) -> float:
        """Readers per arm, for unequal numbers (n² - sum of squares)/(n (t - 1)); Hillis (2014), section 5."""
        n, t = float(self.readers.sum()), len(self.readers)
        if t == 1 or bool((self.readers == self.readers[0]).all()):
            return float(self.readers[0])
        return (n**2 - float((self.readers**2).sum())) / (n * (t - 1))

    @property
    def denominator(self) -> float:
        return quiet(self.within + self.size * self.shared)

    def variance(self, first: int, second: int) -> float:
        """Of the difference of two arms."""
        return quiet(self.within * (1 / self.readers[first] + 1 / self.readers[second]) + 2 * self.shared)


def error_term(
    theta: Floats, squares: MeanSquares, parts: Components | None, readers: Sampling, cases: Sampling
) -> ErrorTerm:
    """What the differences between arms are held against; see `mrmc.obuchowski_rockette`."""
    r, t = theta.shape
    counts = readers_per_arm(theta)
    plain = float(counts.sum() - t) if is_nested(theta) else float((t - 1) * (r - 1))
    if parts is None or cases == "fixed":
        return ErrorTerm(squares.interaction, 0.0, plain, counts)
    if readers == "fixed":
        # Unbounded: with two arms this is the plain variance of the difference of means.
        # Nested readers have no figure in another arm; what their arms share is cov3, which then stands for cov1.
        across = parts.cov3 if is_nested(theta) else parts.cov1
        within = parts.error - across - parts.cov2 + parts.cov3
        found = ErrorTerm(within, parts.cov2 - parts.cov3, math.inf, counts)
        if found.within + found.size * found.shared < -NOISE:
            raise CannotAnalyse(NEGATIVE)
        return found
    shared = max(parts.cov2 - parts.cov3, 0.0)
    df = hillis_df(squares.interaction, ErrorTerm(squares.interaction, shared, plain, counts).denominator, plain)
    return ErrorTerm(squares.interaction, shared, df, counts)


def hillis_df(square: float, denominator: float, plain: float) -> float:
    """denominator² / (square² / plain); Hillis (2007), eq. 14. Infinite where the readers do not vary.

    >>> hillis_df(1.0, 2.0, 3.0)
    12.0
    """
    return math.inf if square == 0 else denominator**2 / (square**2 / plain)
