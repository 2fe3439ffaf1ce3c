"""Likelihood of ordinal ratings under two normal distributions and the way to its maximum, in O(categories)."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded
from scipy.special import ndtr, ndtri

from analysis.ratings import Floats

STEPS = 500
TOLERANCE = 1e-10
# A gain this small is doubtful by rounding; one more full step squares the error that is left.
LAST_GAIN = 1e-15
ROOT_2PI = math.sqrt(2 * math.pi)


@dataclass(frozen=True, eq=False)
class Point:
    """Parameters: intercept a, slope b and the cutoffs, which ascend, between the categories."""

    a: float
    b: float
    cutoffs: Floats

    @property
    def possible(self) -> bool:
        return self.b > 0 and bool((np.diff(self.cutoffs) > 0).all())

    def moved(self, step: tuple[float, float, Floats], share: float) -> "Point":
        return Point(self.a + share * step[0], self.b + share * step[1], self.cutoffs + share * step[2])


@dataclass(frozen=True, eq=False)
class Class:
    """One class's part of the log-likelihood and its derivatives by the bounds of the categories, which lie at u."""

    value: float
    gradient: Floats
    diagonal: Floats
    beside: Floats


@dataclass(frozen=True, eq=False)
class Curvature:
    """Minus the second derivatives: two rows for a and b, tridiagonal for the cutoffs."""

    corner: Floats
    rows: Floats
    diagonal: Floats
    beside: Floats

    def solved(self, gradient_ab: Floats, gradient_cutoffs: Floats) -> tuple[Floats, Floats]:
        """Inverse times a vector, by elimination of the cutoffs; fails where the matrix is not positive definite."""
        banded = np.zeros((2, len(self.diagonal)))
        banded[0, 1:], banded[1] = self.beside, self.diagonal
        inner = solveh_banded(banded, np.column_stack([self.rows.T, gradient_cutoffs]))
        reduced = self.corner - self.rows @ inner[:, :2]
        np.linalg.cholesky(reduced)
        ab = np.linalg.solve(reduced, gradient_ab - self.rows @ inner[:, 2])
        return ab, inner[:, 2] - inner[:, :2] @ ab

    def covariance_ab(self) -> Floats:
        """Covariance of the estimates of a and b."""
        banded = np.zeros((2, len(self.diagonal)))
        banded[0, 1:], banded[1] = self.beside, self.diagonal
        return np.asarray(np.linalg.inv(self.corner - self.rows @ solveh_banded(banded, self.rows.T)))


def class_part(counts: Floats, u: Floats, expected: bool) -> Class:
    """sum counts log(Phi(u_k) - Phi(u_k-1)); `expected`: second derivatives with expected for observed counts."""
    lower, upper = np.concatenate(([-np.inf], u)), np.concatenate((u, [np.inf]))
    # Differences of the smaller tails keep their digits.
    right = lower > 0
    share = np.where(right, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower))
    share = np.maximum(share, 1e-300)
    height = np.exp(-u * u / 2) / ROOT_2PI
    weight = counts / share
    slope = weight[:-1] - weight[1:]
    bend = (counts.sum() if expected else weight) / share
    diagonal = height**2 * (bend[:-1] + bend[1:])
    if not expected:
        diagonal = diagonal + u * height * slope
    value = float(counts[counts > 0] @ np.log(share[counts > 0]))
    return Class(value, height * slope, diagonal, -height[:-1] * height[1:] * bend[1:-1])


def log_likelihood(negative: Floats, positive: Floats, at: Point) -> float:
    return class_part(negative, at.cutoffs, True).value + class_part(positive, at.b * at.cutoffs - at.a, True).value


def derivatives(
    negative: Floats, positive: Floats, at: Point, expected: bool
) -> tuple[float, Floats, Floats, Curvature]:
    """Log-likelihood, its gradient by (a, b) and by the cutoffs, and its curvature."""
    c = at.cutoffs
    healthy, diseased = class_part(negative, c, expected), class_part(positive, at.b * c - at.a, expected)
    g = diseased.gradient
    by_cutoff = healthy.gradient + at.b * g
    # H w for the tridiagonal matrix of the diseased class, w = 1 and w = c.
    ones, along = tridiagonal_times(diseased, np.ones_like(c)), tridiagonal_times(diseased, c)
    corner = np.array([[ones.sum(), -along.sum()], [-along.sum(), c @ along]])
    rows = np.stack([-at.b * ones, at.b * along - (0.0 if expected else g)])
    curvature = Curvature(
        corner, rows, healthy.diagonal + at.b**2 * diseased.diagonal, healthy.beside + at.b**2 * diseased.beside
    )
    return healthy.value + diseased.value, np.array([-g.sum(), g @ c]), by_cutoff, curvature


def tridiagonal_times(part: Class, vector: Floats) -> Floats:
    answer = part.diagonal * vector
    answer[:-1] += part.beside * vector[1:]
    answer[1:] += part.beside * vector[:-1]
    return answer


def start(negative: Floats, positive: Floats) -> Point:
    """Normal quantiles of the shares below each bound, counts raised by one half; a and b from their line."""
    x, y = (ndtri(np.cumsum(raised)[:-1] / raised.sum()) for raised in (negative + 0.5, positive + 0.5))
    # y = b x - a; a slope from few points may be anything.
    b = float(np.clip(np.polyfit(x, y, 1)[0], 0.2, 5.0))
    a = float((b * x - y).mean())
    return Point(a, b, (x + (y + a) / b) / 2)


def maximise(negative: Floats, positive: Floats) -> Point | None:
    """The parameters of largest likelihood; None where it rises without end or too slowly.

    negative, positive: cases of each class in each category, ascending. Newton's method, with Fisher's information
    where the observed one is not positive definite, and with shorter steps where a step does not rise.
    """
    at = start(negative, positive)
    for _ in range(STEPS):
        try:
            value, by_ab, by_cutoffs, curvature = derivatives(negative, positive, at, expected=False)
            ab, cutoffs = curvature.solved(by_ab, by_cutoffs)
        except np.linalg.LinAlgError:
            try:
                value, by_ab, by_cutoffs, curvature = derivatives(negative, positive, at, expected=True)
                ab, cutoffs = curvature.solved(by_ab, by_cutoffs)
            except np.linalg.LinAlgError:
                return None
        step = (float(ab[0]), float(ab[1]), cutoffs)
        gain = float(by_ab @ ab + by_cutoffs @ cutoffs)
        if gain < LAST_GAIN * max(1.0, abs(value)):
            return at.moved(step, 1.0)
        further = risen(negative, positive, at, step, value, gain)
        if further is None:
            return at if gain < TOLERANCE * max(1.0, abs(value)) else None
        at = further
    return None


def risen(
    negative: Floats, positive: Floats, at: Point, step: tuple[float, float, Floats], value: float, gain: float
) -> Point | None:
    """The point at the longest of the halved steps that rises."""
    share = 1.0
    for _ in range(60):
        further = at.moved(step, share)
        if further.possible and log_likelihood(negative, positive, further) >= value + 1e-4 * share * gain:
            return further
        share /= 2
    return None
