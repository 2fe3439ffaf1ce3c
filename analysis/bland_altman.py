"""How far may two measurements of the same case lie apart?  Limits of agreement and repeatability."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level, quantile, two_sided_p, wald
from analysis.judgements import check_scale
from analysis.ratings import Floats

LimitMethod = Literal["exact", "1999", "1986"]
METHODS: tuple[LimitMethod, ...] = get_args(LimitMethod)
USUAL = 1.96


@dataclass(frozen=True)
class BlandAltman:
    """Mean difference, second minus first, with its limits of agreement; p tests it against 0 by paired t.

    spread: standard deviation of the differences; slope: of the differences on the means, slope_p its p value (None
    where the means do not vary): a slope says that the disagreement grows with the size of what is measured.
    """

    estimate: float
    se: float
    p: float | None
    n: int
    spread: float
    multiplier: float
    slope: float | None
    slope_p: float | None
    warnings: tuple[str, ...] = ()

    @property
    def df(self) -> int:
        return self.n - 1

    @property
    def low(self) -> float:
        return self.estimate - self.multiplier * self.spread

    @property
    def high(self) -> float:
        return self.estimate + self.multiplier * self.spread

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Of the mean difference, Student's t."""
        return wald(self.estimate, self.se, level, self.df)

    def limit_intervals(self, level: float = 0.95, method: LimitMethod = "exact") -> tuple[Interval, Interval]:
        """Of the lower and of the upper limit.

        exact: non-central t of a normal quantile, Carkeet (2015), Optom. Vis. Sci. 92:e71-e80; 1999: standard error
        s sqrt(1/n + multiplier² / (2 (n - 1))), Bland & Altman (1999); 1986: s sqrt(3/n), Bland & Altman (1986), both
        with Student's t.
        """
        check_level(level)
        if method not in METHODS:
            raise CannotAnalyse(f"Limits of agreement have {', '.join(METHODS)} intervals, not {method}.")
        if method == "exact":
            ends = stats.nct.ppf([(1 - level) / 2, (1 + level) / 2], self.df, self.multiplier * math.sqrt(self.n))
            near, far = (float(end) / math.sqrt(self.n) * self.spread for end in ends)
            return (
                Interval(self.estimate - far, self.estimate - near, level),
                Interval(self.estimate + near, self.estimate + far, level),
            )
        share = 3 / self.n if method == "1986" else 1 / self.n + self.multiplier**2 / (2 * self.df)
        half = quantile(level, self.df) * self.spread * math.sqrt(share)
        return Interval(self.low - half, self.low + half, level), Interval(self.high - half, self.high + half, level)


@dataclass(frozen=True)
class Repeatability:
    """Spread of repeated measurements of the same case: estimate is the within-case standard deviation.

    coefficient = multiplier sqrt(2) estimate: two readings differ by less in 95 of 100 cases (with 1.96).
    """

    estimate: float
    se: float
    n: int
    df: int
    multiplier: float
    warnings: tuple[str, ...] = ()

    @property
    def coefficient(self) -> float:
        return self.multiplier * math.sqrt(2) * self.estimate

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Chi-square interval of the within-case standard deviation."""
        check_level(level)
        low, high = stats.chi2.ppf([(1 + level) / 2, (1 - level) / 2], self.df)
        total = self.estimate * math.sqrt(self.df)
        return Interval(total / math.sqrt(low), total / math.sqrt(high), level)


def bland_altman(first: Floats, second: Floats, multiplier: float = USUAL) -> BlandAltman:
    """How far do two readers, or two methods, lie apart on the same cases?

    first, second: (n,) in one unit; cases with NaN in either are left out. Limits of agreement are the mean difference
    ± multiplier × standard deviation of the differences (n - 1); 1.96 holds 95 % of them where they are normal and
    their spread does not depend on the size. For one pair of readings per case; several readers: `limits`.
    Source: Bland & Altman (1986), Lancet 327:307-310; (1999), Stat. Methods Med. Res. 8:135-160. Fewer than two
    common cases: refused. No spread of the differences: limits without width, p None and a warning.

    >>> found = bland_altman(np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 3, 3, 5, 5]))
    >>> round(found.estimate, 6), round(found.low, 6), round(found.high, 6)
    (0.4, -0.673536, 1.473536)
    """
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != two.shape:
        raise CannotAnalyse(f"Paired measurements must be of the same cases, not {one.size} and {two.size}.")
    if not multiplier > 0:
        raise CannotAnalyse(f"Limits of agreement lie a positive multiple of the spread away, not {multiplier:g}.")
    both = ~(np.isnan(one) | np.isnan(two))
    n = int(both.sum())
    if n < 2:
        raise CannotAnalyse("Limits of agreement need at least two cases measured twice.")
    check_scale(np.stack([one[both], two[both]]))
    apart, middle = two[both] - one[both], (one[both] + two[both]) / 2
    mean, spread = float(apart.mean()), float(apart.std(ddof=1))
    if float(np.ptp(apart)) == 0:
        warning = "All differences are the same, so the limits of agreement have no width and there is no test."
        return BlandAltman(mean, 0.0, None, n, 0.0, multiplier, None, None, (warning,))
    se = spread / math.sqrt(n)
    slope = slope_p = None
    if n > 2 and float(np.ptp(middle)) > 0:
        line = stats.linregress(middle, apart)
        slope, slope_p = float(line.slope), float(line.pvalue)
    return BlandAltman(mean, se, two_sided_p(mean / se, n - 1), n, spread, multiplier, slope, slope_p)


def repeatability(readings: Floats, multiplier: float = USUAL) -> Repeatability:
    """How far do repeated readings of the same case by the same reader lie apart?

    readings: (repeat, case), NaN where there is none; cases with one reading only are left out. estimate = root of the
    mean within-case variance, each with its df; se = estimate / sqrt(2 df). Takes readings of a case as independent
    and their spread as the same for all cases. Source: Bland & Altman (1996), BMJ 312:1654. No case read twice:
    refused; all repeats equal: 0 with a warning.

    >>> found = repeatability(np.array([[4.0, 5.0, 6.0], [5.0, 5.0, 8.0]]))
    >>> round(found.estimate, 6), round(found.coefficient, 6), found.df
    (0.912871, 2.530349, 3)
    """
    values = np.asarray(readings, dtype=float)
    number = (~np.isnan(values)).sum(axis=0)
    kept, number = values[:, number >= 2], number[number >= 2]
    if kept.size == 0:
        raise CannotAnalyse("No case was read twice, so repeatability is unknown.")
    check_scale(np.nan_to_num(kept))
    away = kept - np.nansum(kept, axis=0) / number
    df = int((number - 1).sum())
    found = math.sqrt(float(np.nansum(away**2)) / df)
    warnings = () if found else ("All repeated readings are the same, so the interval has no width.",)
    return Repeatability(found, found / math.sqrt(2 * df), len(number), df, multiplier, warnings)
