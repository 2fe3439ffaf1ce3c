"""How much longer, or shorter, do readers take with the model?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.errors import CannotAnalyse
from analysis.interval import NOISE, Interval, two_sided_p, wald
from analysis.ratings import Floats

NO_RULE = "No rule for interruptions was fixed; every time counts as it was taken."
NO_SPREAD = "Readers do not differ in their ratio, so its interval has no width."


@dataclass(frozen=True)
class InterruptionRule:
    """Which readings count as interrupted; fixed before the times are looked at.

    longest: more seconds than this; factor: more than this multiple of the reader's own median over both arms.
    Where both are given, either excludes; where neither, nothing is excluded and the result says so.
    """

    longest: float | None = None
    factor: float | None = None

    def __post_init__(self) -> None:
        for limit in (self.longest, self.factor):
            if limit is not None and not 0 < limit < math.inf:
                raise CannotAnalyse("A rule for interruptions needs a positive limit.")

    @property
    def sentence(self) -> str:
        """The rule in words."""
        parts = []
        if self.longest is not None:
            parts.append(f"longer than {self.longest:g} s")
        if self.factor is not None:
            parts.append(f"longer than {self.factor:g} times the reader's median")
        return f"Readings {' or '.join(parts)} are excluded as interrupted." if parts else NO_RULE


@dataclass(frozen=True, eq=False)
class KeptTimes:
    """Times with NaN where a reading was excluded; excluded: (reader, arm) counts."""

    values: Floats
    excluded: npt.NDArray[np.int64]
    rule: InterruptionRule


@dataclass(frozen=True)
class ReaderTimeRatio:
    """One reader: geometric mean of second over first arm on the cases read in both; t over cases.

    se and log_mean are on the scale of the natural logarithm; se is None with a single case.
    """

    reader: str
    estimate: float
    log_mean: float
    se: float | None
    n: int

    def confidence_interval(self, level: float = 0.95) -> Interval:
        if self.se is None:
            raise CannotAnalyse(f"{self.reader} read one case only in both arms, so the ratio has no interval.")
        return exponential(wald(self.log_mean, self.se, level, self.n - 1))


@dataclass(frozen=True)
class TimeRatio:
    """Ratio of geometric mean reading times, second over first arm; se is that of its natural logarithm.

    df: Student's degrees of freedom; p tests a ratio of 1; n: readings used; excluded: as interrupted, per arm.
    With one reader (readers = 1) it speaks for the cases read only and says so.
    """

    estimate: float
    se: float
    df: int
    p: float | None
    n: int
    readers: int
    excluded: tuple[int, int]
    by_reader: tuple[ReaderTimeRatio, ...]
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return exponential(wald(math.log(self.estimate), self.se, level, self.df))


@dataclass(frozen=True)
class TimeSubgroups:
    """The ratio in each group of readers, and the second group's ratio over the first's where there are two.

    A group of one reader has an interval over cases, and no part in the comparison.
    """

    groups: tuple[tuple[str, TimeRatio], ...]
    ratio_of_ratios: float | None
    se: float | None
    df: float | None
    p: float | None
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Of the ratio of ratios, Welch's t."""
        if self.ratio_of_ratios is None or self.se is None or self.df is None:
            raise CannotAnalyse("Two groups of at least two readers each are needed to compare their ratios.")
        return exponential(wald(math.log(self.ratio_of_ratios), self.se, level, self.df))


def exponential(interval: Interval) -> Interval:
    return Interval(math.exp(interval.low), math.exp(interval.high), interval.level)


def without_interruptions(seconds: Floats, rule: InterruptionRule) -> KeptTimes:
    """Which reading times count?

    seconds: (reader, arm, case), NaN where there is none. The median of a reader is that of all times before any is
    excluded, so the order of the rules does not matter. A time of zero or less, or infinite: refused with its count.

    >>> kept = without_interruptions(np.array([[[10.0, 20, 900]], [[5.0, 5, 5]]]), InterruptionRule(factor=10))
    >>> kept.excluded.tolist(), kept.values[0, 0].tolist()
    ([[1], [0]], [10.0, 20.0, nan])
    """
    seconds = np.asarray(seconds, dtype=float)
    if seconds.ndim != 3:
        raise CannotAnalyse("Reading times are an array of readers, arms and cases.")
    known = ~np.isnan(seconds)
    bad = int((~(seconds[known] > 0) | np.isinf(seconds[known])).sum())
    if bad:
        raise CannotAnalyse(f"{bad} reading times are not positive seconds, so they have no logarithm.")
    interrupted = np.zeros(seconds.shape, dtype=bool)
    if rule.longest is not None:
        interrupted |= known & (seconds > rule.longest)
    if rule.factor is not None:
        for place, times in enumerate(seconds):
            if known[place].any():
                interrupted[place] |= known[place] & (times > rule.factor * float(np.median(times[known[place]])))
    return KeptTimes(np.where(interrupted, np.nan, seconds), interrupted.sum(axis=2), rule)


def time_ratio(readers: tuple[str, ...], seconds: Floats, rule: InterruptionRule) -> TimeRatio:
    """By which factor do reading times change from the first to the second arm?

    readers: their names; seconds: (reader, 2, case), arms in the order of the ratio, NaN where there is none; rule:
    which readings are excluded, reported by arm. Per reader the mean of log(second / first) over the cases read in
    both arms; the estimate is the exponential of the mean over readers, each counting alike, with t over readers: valid
    however times of a reader go together, and for readers like these. A reader without such a case: left out with a
    warning. One reader: t over the cases, with a warning. No reader, or one with one case: refused.
    Source: Bland & Altman (1996), BMJ 312:1153 (ratios of geometric means); Frison & Pocock (1992), Stat. Med.
    11:1685-1704 (summary measures).

    >>> seconds = np.array([[[20.0, 40], [10.0, 20]], [[30.0, 30], [30.0, 15]], [[10.0, 10], [5.0, 10]]])
    >>> found = time_ratio(("R", "S", "T"), seconds, InterruptionRule(longest=600))
    >>> round(found.estimate, 6), [round(row.estimate, 4) for row in found.by_reader]
    (0.629961, [0.5, 0.7071, 0.7071])
    """
    kept = checked(readers, seconds, rule)
    rows, warnings = [], said(kept)
    logs = np.log(kept.values)
    for name, row in zip(readers, logs[:, 1] - logs[:, 0], strict=True):
        change = row[~np.isnan(row)]
        if len(change) == 0:
            warnings.append(f"{name} has no case timed in both arms and is left out.")
            continue
        se = float(change.std(ddof=1)) / math.sqrt(len(change)) if len(change) > 1 else None
        mean = float(change.mean())
        rows.append(ReaderTimeRatio(name, math.exp(mean), mean, se, len(change)))
    if not rows:
        raise CannotAnalyse("No reader has a case timed in both arms.")
    n = 2 * sum(row.n for row in rows)
    values = np.array([row.log_mean for row in rows])
    if len(rows) > 1:
        mean, se, df = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(rows)), len(rows) - 1
    else:
        if rows[0].se is None:
            raise CannotAnalyse("One reader with one case timed in both arms gives no measure of error.")
        mean, se, df = rows[0].log_mean, rows[0].se, rows[0].n - 1
        warnings.append(
            f"There is one reader, {rows[0].reader}; the interval speaks for the cases read, not for readers."
        )
    return ratio_result(mean, se, df, n, kept, tuple(rows), warnings)


def checked(readers: tuple[str, ...], seconds: Floats, rule: InterruptionRule) -> KeptTimes:
    """The times kept of two arms."""
    kept = without_interruptions(seconds, rule)
    if kept.values.shape[:2] != (len(readers), 2):
        raise CannotAnalyse("Reading times are compared between two arms, with one row per reader.")
    return kept


def said(kept: KeptTimes) -> list[str]:
    """The rule and what it excluded, in words."""
    first, second = (int(count) for count in kept.excluded.sum(axis=0))
    if first + second == 0:
        return [] if kept.rule.sentence != NO_RULE else [NO_RULE]
    return [f"{kept.rule.sentence} There are {first} in the first and {second} in the second arm."]


def ratio_result(
    mean: float, se: float, df: int, n: int, kept: KeptTimes, rows: tuple[ReaderTimeRatio, ...], warnings: list[str]
) -> TimeRatio:
    """The ratio with its test; without spread a ratio of 1 has p = 1 and any other none."""
    if se < math.sqrt(NOISE):
        se, p = 0.0, 1.0 if abs(mean) < math.sqrt(NOISE) else None
        warnings.append(NO_SPREAD)
    else:
        p = two_sided_p(mean / se, df)
    excluded = kept.excluded.sum(axis=0)
    return TimeRatio(
        math.exp(mean), se, df, p, n, len(rows), (int(excluded[0]), int(excluded[1])), rows, tuple(warnings)
    )


def time_ratio_by_seniority(
    readers: tuple[str, ...], seniority: Sequence[str | None], seconds: Floats, rule: InterruptionRule
) -> TimeSubgroups:
    """Does the factor differ between junior and senior readers?

    readers, seconds, rule: as for `time_ratio`; seniority: one group per reader, None where unknown (left out with a
    warning). Each group has its ratio; two groups of two readers or more are compared by Welch's t of the readers' log
    ratios, groups in sorted order, second over first. An exploratory comparison: few readers tell little.
    A group without any usable reader, or no group at all: refused.

    >>> seconds = np.array([[[20.0], [10.0]], [[30.0], [20.0]], [[10.0], [10.0]], [[12.0], [10.0]]])
    >>> found = time_ratio_by_seniority(("A", "B", "C", "D"), ("junior", "junior", "senior", "senior"), seconds,
    ...                                 InterruptionRule(longest=600))
    >>> [(name, round(group.estimate, 4)) for name, group in found.groups], round(found.ratio_of_ratios, 4)
    ([('junior', 0.5774), ('senior', 0.9129)], 1.5811)
    """
    if len(seniority) != len(readers):
        raise CannotAnalyse("Every reader needs one seniority, or none.")
    checked(readers, seconds, rule)
    names = sorted({name for name in seniority if name is not None})
    if not names:
        raise CannotAnalyse("No reader has a seniority.")
    unknown = [reader for reader, name in zip(readers, seniority, strict=True) if name is None]
    warnings = [f"{reader} has no seniority and is left out." for reader in unknown]
    groups = []
    for name in names:
        chosen = [place for place, own in enumerate(seniority) if own == name]
        groups.append((name, time_ratio(tuple(readers[place] for place in chosen), seconds[chosen], rule)))
    if len(groups) != 2 or min(group.readers for _, group in groups) < 2:
        warnings.append("The groups are not compared: that takes two groups of at least two readers each.")
        return TimeSubgroups(tuple(groups), None, None, None, None, tuple(warnings))
    return compared(groups, warnings)


def compared(groups: list[tuple[str, TimeRatio]], warnings: list[str]) -> TimeSubgroups:
    """Welch's t of the readers' log ratios."""
    (_, first), (_, second) = groups
    change = math.log(second.estimate / first.estimate)
    shares = [group.se**2 for group in (first, second)]
    total = sum(shares)
    if total < NOISE:
        warnings.append(NO_SPREAD)
        df = float(first.readers + second.readers - 2)
        p = 1.0 if abs(change) < math.sqrt(NOISE) else None
        return TimeSubgroups(tuple(groups), math.exp(change), 0.0, df, p, tuple(warnings))
    df = total**2 / sum(part**2 / group.df for part, group in zip(shares, (first, second), strict=True))
    se = math.sqrt(total)
    return TimeSubgroups(tuple(groups), math.exp(change), se, df, two_sided_p(change / se, df), tuple(warnings))
