"""From parameters of Roe and Metz's simulation model to those of Obuchowski and Rockette's, and back.

Roe and Metz describe the ratings: normal, with variances of readers, cases and their interactions; Hillis let diseased
cases vary 1/b² as much. Obuchowski and Rockette describe the AUCs that such ratings give.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize, special, stats

from analysis.errors import CannotAnalyse
from analysis.ratings import Floats

UNSOLVED = "No Roe and Metz model has these parameters: the component {} cannot be reached."


@dataclass(frozen=True)
class RatingModel:
    """Parameters for non-diseased cases; those of diseased cases are 1/b² of them; case variances add up to 1.

    deltas: distance of the means of both classes in each of two arms; reader, arm_reader: variances between readers;
    case, arm_case, reader_case, error: variances between cases.
    """

    negatives: int
    positives: int
    deltas: tuple[float, float]
    reader: float
    arm_reader: float
    case: float
    arm_case: float
    reader_case: float
    error: float
    b: float = 1.0

    @property
    def mean_to_sigma(self) -> tuple[float, float]:
        """Distance of the means over the difference of both standard deviations; infinite for b = 1."""
        first, second = (math.copysign(math.inf, d) if self.b == 1 else d / (1 / self.b - 1) for d in self.deltas)
        return first, second

    @property
    def improper(self) -> tuple[float, float]:
        """Probability that the curve of a random reader has a visible hook: mean-to-sigma ratio in (-3, 2)."""
        if self.b == 1:
            return 0.0, 0.0
        spread = math.sqrt(2 * (self.reader + self.arm_reader)) / (1 / self.b - 1)
        low, high = (
            float(stats.norm.cdf((2 - ratio) / spread) - stats.norm.cdf((-3 - ratio) / spread))
            for ratio in self.mean_to_sigma
        )
        return low, high


@dataclass(frozen=True)
class AucModel:
    """Parameters of Obuchowski and Rockette's model of empirical AUCs in two arms."""

    negatives: int
    positives: int
    aucs: tuple[float, float]
    reader: float
    arm_reader: float
    error: float
    cov1: float
    cov2: float
    cov3: float


def bivariate_normal(h: "Floats | float", k: "Floats | float", rho: "Floats | float") -> Floats:
    """P(X <= h, Y <= k) of two standard normals with this correlation, by Owen's T.

    Source: Owen (1956), Ann. Math. Stat. 27:1075-1090, eq. 2.1.

    >>> round(float(bivariate_normal(0.0, 0.0, 0.5)), 12)
    0.333333333333
    """
    h, k, rho = np.broadcast_arrays(np.asarray(h, float), np.asarray(k, float), np.asarray(rho, float))
    flat = np.clip(rho, -1 + 1e-15, 1 - 1e-15)
    root = np.sqrt((1 - flat) * (1 + flat))
    # Owen's a = (k - rho h)/(h root) has a limit where h is 0; a number too small to matter stands in for it.
    first, second = np.where(h == 0, 1e-300, h), np.where(k == 0, 1e-300, k)
    with np.errstate(over="ignore"):
        t = special.owens_t(first, (second / first - flat) / root) + special.owens_t(
            second, (first / second - flat) / root
        )
    apart = np.where(first * second < 0, 0.5, 0.0)
    found = (special.ndtr(h) + special.ndtr(k)) / 2 - t - apart
    return np.asarray(np.where(rho >= 1, special.ndtr(np.minimum(h, k)), found), dtype=float)


def case_weights(negatives: int, positives: int) -> Floats:
    """Weights of same case pair, same diseased, same non-diseased case and nothing shared; Hillis (2018), eq. 10."""
    pairs = negatives * positives
    return np.array([1, positives - 1, negatives - 1, 1 - negatives - positives]) / pairs


def auc_covariance(
    weights: Floats, x: tuple[float, float], b: float, share: float, scale: float, common: float
) -> float:
    """Covariance over cases of two AUCs with normal quantiles x.

    share: part of the case variance that both have in common; scale: 1 - x4, the part of the rating's variance that is
    of cases; common: the part that is of readers in both.
    """
    parts = np.array([share, share / (1 + b**-2), share / (1 + b**2), 0.0])
    # A non-diseased case is shared where the diseased ones differ, and the other way round.
    return float(weights @ bivariate_normal(x[0], x[1], parts * scale + common))


def roe_metz_to_obuchowski_rockette(model: RatingModel) -> AucModel:
    """Which AUCs, variances and covariances do ratings from this model give?

    Exact for the empirical AUC. Source: Hillis (2018), Stat. Med. 37:2067-2093, table 1.

    >>> model = RatingModel(50, 50, (0.75, 0.75), 0.0055, 0.0055, 0.3, 0.3, 0.2, 0.2)
    >>> found = roe_metz_to_obuchowski_rockette(model)
    >>> round(found.aucs[0], 6), round(found.error, 8), round(found.cov3, 8)
    (0.701055, 0.00267502, 0.00073191)
    """
    if not (model.b > 0 and model.negatives > 0 and model.positives > 0):
        raise CannotAnalyse("A Roe and Metz model needs positive b and cases of both classes.")
    readers = 2 * (model.reader + model.arm_reader)
    total = 1 + model.b**-2 + readers
    first, second = (delta / math.sqrt(total) for delta in model.deltas)
    x3, x4 = 2 * model.reader / total, readers / total
    weights, scale, b = case_weights(model.negatives, model.positives), 1 - x4, model.b
    aucs = float(special.ndtr(first)), float(special.ndtr(second))
    reader = float(bivariate_normal(first, second, x3)) - aucs[0] * aucs[1]
    both = ((first, first), (second, second))
    squares = sum(float(bivariate_normal(*x, x4)) - auc**2 for x, auc in zip(both, aucs, strict=True)) / 2
    return AucModel(
        model.negatives,
        model.positives,
        aucs,
        reader,
        squares - reader,
        sum(auc_covariance(weights, x, b, 1.0, scale, x4) for x in both) / 2,
        auc_covariance(weights, (first, second), b, model.case + model.reader_case, scale, x3),
        sum(auc_covariance(weights, x, b, model.case + model.arm_case, scale, 0.0) for x in both) / 2,
        auc_covariance(weights, (first, second), b, model.case, scale, 0.0),
    )


def obuchowski_rockette_to_roe_metz(model: AucModel, b: float | Literal["from error"] = "from error") -> RatingModel:
    """Which Roe and Metz model gives these AUCs, variances and covariances?

    b: of the binormal curves, or "from error": the one below 1 (or else the one above) with which the error variance
    is met; a given b keeps the correlations and leaves the error variance. AUCs in [1/2, 1).
    Each parameter is the root of one monotone equation. Source: Hillis, Smith & Chen (2022), J. Med. Imaging 9:045501;
    Hillis (2020), Proc. SPIE 11316. Parameters that no model has: refused, naming which.

    >>> model = RatingModel(50, 50, (0.75, 1.0), 0.0055, 0.0055, 0.3, 0.3, 0.2, 0.2, 0.8)
    >>> found = obuchowski_rockette_to_roe_metz(roe_metz_to_obuchowski_rockette(model))
    >>> round(found.b, 6), round(found.case, 6), round(found.deltas[1], 6)
    (0.8, 0.3, 1.0)
    """
    if not all(0.5 <= auc < 1 for auc in model.aucs):
        raise CannotAnalyse("The AUCs of a Roe and Metz model lie between 1/2 and 1.")
    first, second = (float(special.ndtri(auc)) for auc in model.aucs)
    across, both = (first, second), ((first, first), (second, second))
    product = model.aucs[0] * model.aucs[1]
    x3 = root(lambda x: float(bivariate_normal(*across, x)) - product - model.reader, "reader")
    squares = (model.aucs[0] ** 2 + model.aucs[1] ** 2) / 2 + model.reader + model.arm_reader
    x4 = root(lambda x: sum(float(bivariate_normal(*pair, x)) for pair in both) / 2 - squares, "arm x reader")
    x4 = max(x4, x3)
    weights, scale = case_weights(model.negatives, model.positives), 1 - x4

    def error_with(b: float) -> float:
        return sum(auc_covariance(weights, x, b, 1.0, scale, x4) for x in both) / 2

    slope = slope_from(error_with, model.error) if b == "from error" else b
    # With a given b the correlations are kept, so the covariances follow the error variance that b gives.
    scaled = error_with(slope) / model.error

    def share(target: float, pairs: tuple[tuple[float, float], ...], common: float, what: str) -> float:
        def equation(x: float) -> float:
            return sum(auc_covariance(weights, pair, slope, x, scale, common) for pair in pairs) / len(pairs) - target

        return root(equation, what)

    x5 = share(model.cov3 * scaled, (across,), 0.0, "cov3")
    x6 = max(share(model.cov2 * scaled, both, 0.0, "cov2"), x5)
    x7 = min(max(share(model.cov1 * scaled, (across,), x3, "cov1"), x5), 1 - x6 + x5)
    total = (1 + slope**-2) / scale
    return RatingModel(
        model.negatives, model.positives, (first * math.sqrt(total), second * math.sqrt(total)), x3 * total / 2,
        (x4 - x3) * total / 2, x5, x6 - x5, x7 - x5, 1 - (x6 + x7 - x5), slope,
    )  # fmt: skip


def root(equation: Callable[[float], float], what: str) -> float:
    """Where a rising equation crosses zero in [0, 1); 0 where it starts above."""
    if equation(0.0) >= 0:
        return 0.0
    if equation(1.0) < 0:
        raise CannotAnalyse(UNSOLVED.format(what))
    return float(optimize.brentq(equation, 0.0, 1.0, xtol=1e-15, rtol=1e-14))


def slope_from(error_with: Callable[[float], float], error: float) -> float:
    """The b nearest below 1, or else nearest above, at which the error variance is met."""
    grids = np.geomspace(1.0, 0.01, 200), np.geomspace(1.0, 4.0, 80)
    for grid in grids:
        values = np.array([error_with(float(b)) - error for b in grid])
        crossings = np.flatnonzero(np.sign(values[1:]) != np.sign(values[:-1]))
        if len(crossings):
            start, end = float(grid[crossings[0]]), float(grid[crossings[0] + 1])
            return float(optimize.brentq(lambda b: error_with(b) - error, start, end, xtol=1e-15, rtol=1e-14))
    raise CannotAnalyse(UNSOLVED.format("error"))
