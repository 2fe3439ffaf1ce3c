"""Results as flat rows: the same keys on the command line, in results.json and in tables."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from analysis.delong import AucDifference
from analysis.interval import Interval, Refusal
from analysis.mrmc import ArmDifference, ArmMean
from analysis.paired import McNemar


class Estimated(Protocol):
    """Any result of this package that carries one number and its interval."""

    @property
    def estimate(self) -> float: ...

    @property
    def se(self) -> float: ...

    def confidence_interval(self, level: float = 0.95) -> Interval: ...


@dataclass(frozen=True)
class EstimateRow:
    """One number with its interval; n is the number of cases it rests on."""

    estimate: float
    se: float
    low: float
    high: float
    n: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArmRow:
    """Mean over readers of one arm; df None means normal."""

    arm: str
    estimate: float
    se: float
    df: float | None
    low: float
    high: float


@dataclass(frozen=True)
class DifferenceRow:
    """Second minus first; `reader` None means the mean over readers; df None means normal or exact."""

    first: str
    second: str
    reader: str | None
    estimate: float
    se: float
    df: float | None
    statistic: float | None
    p: float
    low: float
    high: float
    p_adjusted: float | None = None
    n: int | None = None
    first_value: float | None = None
    second_value: float | None = None
    warnings: tuple[str, ...] = ()


def estimate_row(result: Estimated, n: int, level: float, warnings: tuple[str, ...] = ()) -> EstimateRow:
    """One result and its interval at `level`."""
    interval = result.confidence_interval(level)
    return EstimateRow(result.estimate, result.se, interval.low, interval.high, n, warnings)


def arm_row(mean: ArmMean, level: float) -> ArmRow:
    """Mean of one arm and its interval at `level`."""
    interval = mean.confidence_interval(level)
    return ArmRow(mean.arm, mean.estimate, mean.se, finite(mean.df), interval.low, interval.high)


def arm_difference_row(found: ArmDifference, level: float) -> DifferenceRow:
    """Difference of two arms from the many-reader analysis."""
    interval = found.confidence_interval(level)
    return DifferenceRow(
        found.first, found.second, found.reader, found.estimate, found.se, finite(found.df),
        found.statistic, found.p, interval.low, interval.high,
    )  # fmt: skip


def auc_difference_row(
    found: AucDifference, first: str, second: str, reader: str | None, level: float
) -> DifferenceRow:
    """DeLong's comparison of one reader."""
    interval = found.confidence_interval(level)
    return DifferenceRow(
        first, second, reader, found.estimate, found.se, found.df, found.statistic, found.p, interval.low,
        interval.high, n=found.first.positives + found.first.negatives, first_value=found.first.estimate,
        second_value=found.second.estimate, warnings=found.warnings,
    )  # fmt: skip


def mcnemar_row(found: McNemar, first: str, second: str, reader: str | None, interval: Interval) -> DifferenceRow:
    """McNemar's comparison of one reader, with the interval asked for."""
    return DifferenceRow(
        first, second, reader, found.estimate, found.se, None, found.statistic, found.p, interval.low,
        interval.high, n=found.table.n, first_value=found.first, second_value=found.second, warnings=found.warnings,
    )  # fmt: skip


def finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def plain(value: object) -> Any:
    """Dataclasses, tuples and arrays as dicts, lists and numbers ready for JSON, in full precision.

    A refusal becomes {"refused": sentence}; a number that is not finite becomes None.

    >>> plain((Refusal("No cases."), float("inf"), np.array([1.0, 2.0])))
    [{'refused': 'No cases.'}, None, [1.0, 2.0]]
    """
    if isinstance(value, Refusal):
        return {"refused": value.sentence}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return finite(value) if isinstance(value, float) else value
