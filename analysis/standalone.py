"""A stand-alone model, or a panel's one reading, against readers who read the same cases."""

import math
from dataclasses import dataclass

import numpy as np

from analysis.covariance import Covariance, covariance, figures_of_merit
from analysis.error_terms import Sampling, hillis_df, quiet
from analysis.errors import CannotAnalyse
from analysis.interval import NOISE, Interval, two_sided_p, wald
from analysis.merits import Merit
from analysis.ratings import Floats, Ratings


@dataclass(frozen=True)
class Standalone:
    """Model minus mean of the readers; mean_square: variance of the readers' differences, cov2: their covariance."""

    figure: str
    estimate: float
    se: float
    df: float
    statistic: float
    p: float
    model: float
    readers: tuple[tuple[str, float], ...]
    mean_square: float
    error: float | None
    cov2: float | None
    cases: int
    limits: tuple[float, float]
    warnings: tuple[str, ...] = ()

    @property
    def readers_mean(self) -> float:
        return math.fsum(value for _, value in self.readers) / len(self.readers)

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Of model minus readers."""
        return wald(self.estimate, self.se, level, self.df).clipped(*self.limits)


def model_against_readers(
    ratings: Ratings,
    score: Floats,
    figure: str | Merit = "auc",
    covariance_method: Covariance = "jackknife",
    cases: Sampling = "random",
) -> Standalone:
    """Is the model as good as the average reader?

    ratings: (reader, 1, case), one arm, at least two readers; score: (case,) of the model on the same cases, decisions
    0/1 where the figure needs them. psi_j = figure of the model - figure of reader j, over r readers, S² their
    variance, cov2 the mean covariance of two psi over cases, which holds the model's own variation:
    se² = S²/r + max(cov2, 0), df = (S² + r max(cov2, 0))² / (S⁴/(r - 1)) (1T-RRRC); cases fixed: S²/r on r - 1
    (1T-RRFC). Source: Hillis (2007), Stat. Med. 26:596-619, section 5.3; Hupse et al. (2013), Eur. Radiol. 23:93-100;
    Chakraborty (2017), Observer Performance Methods, ch. 22. Missing readings: not with the DeLong covariance.
    Fewer than two readers, several arms, a case without a score: refused. A model that equals every reader: 0, p = 1
    and a warning. Hold it against a margin with `margins.margin_test(estimate, se, margin, df)`.

    >>> truth = np.array([False, False, True, True])
    >>> values = np.array([[[1.0, 2, 2, 3]], [[2, 1, 1, 3]]])
    >>> readers = Ratings(("R", "S"), ("alone",), ("1", "2", "3", "4"), truth, values)
    >>> found = model_against_readers(readers, np.array([0.1, 0.2, 0.3, 0.4]))
    >>> round(found.estimate, 6), round(found.se, 6), round(found.p, 6)
    (0.25, 0.25, 0.332195)
    """
    check_model(ratings, score, cases)
    rows = np.concatenate([score[None, None, :], ratings.values])
    together = Ratings(("the model", *ratings.readers), ratings.arms, ratings.cases, ratings.truth, rows)
    figures = figures_of_merit(together, figure)
    theta = figures.values[:, 0]
    psi = theta[0] - theta[1:]
    r = len(psi)
    square = quiet(float(psi.var(ddof=1)))
    error = cov2 = None
    if cases == "random":
        contrast = np.concatenate([np.ones((r, 1)), -np.eye(r)], axis=1)
        matrix = contrast @ covariance(figures, covariance_method) @ contrast.T
        error = float(np.trace(matrix)) / r
        cov2 = (float(matrix.sum()) - r * error) / (r * (r - 1))
    shared = max(cov2 or 0.0, 0.0)
    variance, df = square / r + shared, hillis_df(square, square + r * shared, r - 1)
    span = figures.merit.limits[1] - figures.merit.limits[0]
    pairs = tuple(zip(ratings.readers, theta[1:].tolist(), strict=True))
    rest = (float(theta[0]), pairs, square, error, cov2, len(ratings.truth), (-span, span))
    estimate, name = float(psi.mean()), figures.merit.name
    if variance < NOISE:
        if abs(estimate) > 1e-9:
            raise CannotAnalyse("The model and the readers differ but nothing varies, so there is no test.")
        warning = "The model equals every reader and nothing varies; the difference is 0 and p is 1."
        return Standalone(name, 0.0, 0.0, df, 0.0, 1.0, *rest, (warning,))
    se = math.sqrt(variance)
    return Standalone(name, estimate, se, df, estimate / se, two_sided_p(estimate / se, df), *rest)


def check_model(ratings: Ratings, score: Floats, cases: Sampling) -> None:
    if len(ratings.arms) != 1:
        raise CannotAnalyse(f"A model is held against readers of one arm, not of {len(ratings.arms)}.")
    if len(ratings.readers) < 2:
        raise CannotAnalyse("There is only one reader; compare the model with that reader by a paired test.")
    unread = np.flatnonzero(np.isnan(ratings.values[:, 0]).all(axis=1))
    if unread.size:
        names = ", ".join(ratings.readers[place] for place in unread)
        raise CannotAnalyse(f"{names} read nothing in arm {ratings.arms[0]}; leave such readers out.")
    if score.shape != ratings.truth.shape or bool(np.isnan(score).any()):
        raise CannotAnalyse("The model needs a score for every case that the readers read.")
    if cases not in ("random", "fixed"):
        raise CannotAnalyse("Readers and cases are random or fixed.")
