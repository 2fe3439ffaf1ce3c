"""Intraclass correlations: which share of the variance of a rating is the variance between cases?"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.interval import NOISE, Interval, check_level
from analysis.judgements import complete_cases
from analysis.ratings import Floats

Model = Literal["one-way", "agreement", "consistency"]
Unit = Literal["single", "average"]
MODELS: tuple[Model, ...] = get_args(Model)
UNITS: tuple[Unit, ...] = get_args(Unit)
PERFECT = "Readers do not differ within any case, so the interval has no width and there is no test."


@dataclass(frozen=True)
class MeanSquares:
    """Analysis of variance of (reader, case) without gaps: between cases, between readers, error, within cases."""

    case: float
    reader: float
    error: float
    within: float
    cases: int
    readers: int

    @property
    def case_variance(self) -> float:
        """Variance component of cases; negative where readers differ more within cases than between them."""
        return (self.case - self.error) / self.readers

    @property
    def reader_variance(self) -> float:
        """Variance component of readers; negative where their levels differ less than by chance."""
        return (self.reader - self.error) / self.cases


@dataclass(frozen=True)
class IccTest:
    """One-sided F test that the correlation exceeds r0."""

    statistic: float
    df1: float
    df2: float
    p: float
    r0: float


@dataclass(frozen=True)
class Icc:
    """One intraclass correlation; p tests it against 0 (one-sided F), None where readers do not differ.

    It has no standard error that its interval could rest on: the interval comes from F distributions.
    """

    estimate: float
    p: float | None
    model: Model
    unit: Unit
    squares: MeanSquares
    warnings: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        return self.squares.cases

    @property
    def name(self) -> str:
        """As McGraw & Wong (1996) write it: ICC(1), ICC(A,1), ICC(C,k) ..."""
        size = "1" if self.unit == "single" else "k"
        return f"ICC({size})" if self.model == "one-way" else f"ICC({self.model[0].upper()},{size})"

    @property
    def noise(self) -> float:
        """Mean square that readers are held against."""
        return self.squares.within if self.model == "one-way" else self.squares.error

    @property
    def df2(self) -> int:
        n, k = self.squares.cases, self.squares.readers
        return n * (k - 1) if self.model == "one-way" else (n - 1) * (k - 1)

    def test(self, r0: float = 0.0) -> IccTest:
        """Is the correlation larger than r0?  F of McGraw & Wong (1996), table 8; r0 in [0, 1)."""
        if not 0 <= r0 < 1:
            raise CannotAnalyse(f"An intraclass correlation is tested against a value from 0 to below 1, not {r0:g}.")
        squares, n = self.squares, self.squares.cases
        odds = r0 / (1 - r0) * (squares.readers if self.unit == "single" else 1)
        if self.model == "agreement":
            of_reader, of_error = odds / n, 1 + odds * (n - 1) / n
            against, df2 = mixed(of_reader * squares.reader, of_error * squares.error, squares)
        else:
            against, df2 = (1 + odds) * self.noise, float(self.df2)
        if against <= 0:
            raise CannotAnalyse(PERFECT)
        statistic = squares.case / against
        return IccTest(statistic, n - 1, df2, float(stats.f.sf(statistic, n - 1, df2)), r0)

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """McGraw & Wong (1996), table 7: exact F interval, for agreement with Satterthwaite's degrees of freedom."""
        check_level(level)
        if self.noise == 0 and (self.model != "agreement" or self.squares.reader == 0):
            return Interval(self.estimate, self.estimate, level)
        if self.model == "agreement":
            low, high = self.agreement_limits((1 + level) / 2)
        else:
            low, high = self.exact_limits((1 + level) / 2)
        if self.unit == "average":
            if 1 + (self.squares.readers - 1) * low <= math.sqrt(NOISE):
                raise CannotAnalyse(f"{self.name} has no lower limit: there are too few cases for its interval.")
            low, high = stepped_up(low, self.squares.readers), stepped_up(high, self.squares.readers)
        return Interval(low, high, level)

    def exact_limits(self, tail: float) -> tuple[float, float]:
        """Limits of the single measure from one F ratio."""
        n, k = self.squares.cases, self.squares.readers
        ratio = self.squares.case / self.noise
        low = ratio / float(stats.f.ppf(tail, n - 1, self.df2))
        high = ratio * float(stats.f.ppf(tail, self.df2, n - 1))
        return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)

    def agreement_limits(self, tail: float) -> tuple[float, float]:
        """Limits of the single measure; the average has those of the single one stepped up (Shrout & Fleiss 1979)."""
        squares = self.squares
        n, k = squares.cases, squares.readers
        single = estimate_of(squares, "agreement", "single")
        odds = k * single / (1 - single)
        _, df2 = mixed(odds / n * squares.reader, (1 + odds * (n - 1) / n) * squares.error, squares)
        lower, upper = float(stats.f.ppf(tail, n - 1, df2)), float(stats.f.ppf(tail, df2, n - 1))
        other = k * squares.reader + (k * n - k - n) * squares.error
        low = n * (squares.case - lower * squares.error) / (lower * other + n * squares.case)
        high = n * (upper * squares.case - squares.error) / (other + n * upper * squares.case)
        return low, high


def mixed(of_reader: float, of_error: float, squares: MeanSquares) -> tuple[float, float]:
    """Sum of two mean squares and Satterthwaite's degrees of freedom of it."""
    n, k = squares.cases, squares.readers
    total = of_reader + of_error
    spread = of_reader**2 / (k - 1) + of_error**2 / ((n - 1) * (k - 1))
    return total, total**2 / spread if spread else float((n - 1) * (k - 1))


def stepped_up(single: float, readers: int) -> float:
    """Spearman and Brown: correlation of the mean of several readers."""
    return readers * single / (1 + (readers - 1) * single)


def icc(values: Floats, model: Model = "agreement", unit: Unit = "single") -> Icc:
    """How alike do readers rate the same case, against how much cases differ?

    values: (reader, case); cases with a gap are left out and counted in a warning. model: "one-way" other readers
    for every case, ICC(1); "agreement" the same readers and their level counts, ICC(A); "consistency" the same
    readers and their level does not count, ICC(C). unit: of one reader, or of the mean of all ("average", k). With the
    mean squares R of cases, C of readers, E of error, W within cases, n cases, k readers:
    ICC(1) = (R - W) / (R + (k - 1) W); ICC(C,1) = (R - E) / (R + (k - 1) E);
    ICC(A,1) = (R - E) / (R + (k - 1) E + k (C - E) / n); the averages are stepped up by Spearman and Brown.
    Negative values are kept: cases differ less than readers do. Source: Shrout & Fleiss (1979), Psychol. Bull.
    86:420-428; McGraw & Wong (1996), Psychol. Methods 1:30-46, with their 1996 correction (1:390). Refused: fewer than
    two readers or complete cases, ratings that are all the same, averages of cases that do not differ.

    >>> ratings = np.array([[9.0, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])
    >>> found = icc(ratings)
    >>> round(found.estimate, 6), round(found.confidence_interval().low, 6), round(found.test().statistic, 6)
    (0.289764, 0.018787, 11.027248)
    """
    if model not in MODELS or unit not in UNITS:
        raise CannotAnalyse(f"An intraclass correlation is {', '.join(MODELS)} and {' or '.join(UNITS)}.")
    squares, warnings = mean_squares(values)
    estimate = estimate_of(squares, model, unit)
    found = Icc(estimate, None, model, unit, squares, warnings)
    if found.noise == 0:
        return Icc(estimate, None, model, unit, squares, (*warnings, PERFECT))
    return Icc(estimate, found.test().p, model, unit, squares, warnings)


def icc_forms(values: Floats) -> tuple[Icc, ...]:
    """What are all six intraclass correlations?

    values: (reader, case). Answer in the order ICC(1), ICC(A,1), ICC(C,1), ICC(k), ICC(A,k), ICC(C,k); see `icc`.

    >>> ratings = np.array([[9.0, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])
    >>> [(form.name, round(form.estimate, 2)) for form in icc_forms(ratings)][:3]
    [('ICC(1)', 0.17), ('ICC(A,1)', 0.29), ('ICC(C,1)', 0.71)]
    """
    return tuple(icc(values, model, unit) for unit in UNITS for model in MODELS)


def mean_squares(values: Floats) -> tuple[MeanSquares, tuple[str, ...]]:
    """The analysis of variance of the complete cases and, in words, what is left out."""
    kept, warnings = complete_cases(values, 2)
    k, n = kept.shape
    # Around the overall mean, so that a large common level costs no digits.
    kept = kept - kept.mean()
    by_case, by_reader = kept.mean(axis=0), kept.mean(axis=1)
    scale = float(np.abs(kept).max())
    if scale == 0:
        raise CannotAnalyse("All ratings are the same, so the variance has no shares.")
    error = kept - by_case - by_reader[:, None]
    case = k * float((by_case**2).sum()) / (n - 1)
    reader = n * float((by_reader**2).sum()) / (k - 1)
    residual = float((error**2).sum()) / ((n - 1) * (k - 1))
    within = float(((kept - by_case) ** 2).sum()) / (n * (k - 1))
    noise = NOISE * scale**2
    case, reader, residual, within = (0.0 if part < noise else part for part in (case, reader, residual, within))
    return MeanSquares(case, reader, residual, within, cases=n, readers=k), warnings


def estimate_of(squares: MeanSquares, model: Model, unit: Unit) -> float:
    """The correlation; refused where the cases, or their means, have no variance to share."""
    k, n = squares.readers, squares.cases
    noise = squares.within if model == "one-way" else squares.error
    total = squares.case + (k - 1) * noise
    if model == "agreement":
        total += k * (squares.reader - squares.error) / n
    if total <= 0:
        raise CannotAnalyse("The cases do not differ, so this intraclass correlation does not exist.")
    single = (squares.case - noise) / total
    if unit == "single":
        return single
    if 1 + (k - 1) * single <= math.sqrt(NOISE):
        raise CannotAnalyse("The mean ratings of the cases do not differ, so their correlation does not exist.")
    return stepped_up(single, k)
