"""Confidence intervals and the small frozen pieces that every result shares."""

import math
from dataclasses import dataclass

from scipy import special

from analysis.errors import CannotAnalyse

# Mean squares of values in [0, 1] below this are rounding noise of a quantity that is exactly zero.
NOISE = 1e-24


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval; `low <= high`, both in the units of the estimate."""

    low: float
    high: float
    level: float = 0.95

    def clipped(self, low: float = 0.0, high: float = 1.0) -> "Interval":
        """The same interval within the range that the quantity can take."""
        return Interval(min(max(self.low, low), high), min(max(self.high, low), high), self.level)


@dataclass(frozen=True)
class Refusal:
    """Stands where a result would stand and says in one sentence why there is none."""

    sentence: str


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < level < 1:
        raise CannotAnalyse(f"A confidence level lies between 0 and 1, not at {level:g}.")


def quantile(level: float, df: float = math.inf) -> float:
    """Two-sided quantile of Student's t with `df` degrees of freedom, of the normal where `df` is infinite.

    >>> round(quantile(0.95), 6), round(quantile(0.95, 4), 6)
    (1.959964, 2.776445)
    """
    check_level(level)
    if math.isinf(df):
        return float(special.ndtri((1 + level) / 2))
    return float(special.stdtrit(df, (1 + level) / 2))


def wald(estimate: float, se: float, level: float = 0.95, df: float = math.inf) -> Interval:
    """estimate ± quantile × se.

    >>> interval = wald(0.5, 0.1)
    >>> round(interval.low, 6), round(interval.high, 6)
    (0.304004, 0.695996)
    """
    half = quantile(level, df) * se
    return Interval(estimate - half, estimate + half, level)


def two_sided_p(statistic: float, df: float = math.inf) -> float:
    """Two-sided p value of a z (infinite `df`) or t statistic.

    >>> round(two_sided_p(1.959963984540054), 12)
    0.05
    """
    if math.isinf(df):
        return float(2 * special.ndtr(-abs(statistic)))
    return float(2 * special.stdtr(df, -abs(statistic)))
