"""What do readers do with the model's advice: follow it when it is right, refuse it when it is wrong?"""

import math
from dataclasses import dataclass, fields

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, Refusal, two_sided_p, wald
from analysis.paired import PairedTable
from analysis.proportions import Proportion, proportion
from analysis.ratings import Bools, Floats

Rate = Proportion | Refusal


@dataclass(frozen=True)
class SwitchTable:
    """Cases of one reader by whether the model, the unaided and the aided decision were right.

    In each part `both` was right before and after, `first_only` right before and wrong after (harm), `second_only`
    wrong before and right after (benefit), `neither` wrong before and after.
    """

    model_right: PairedTable
    model_wrong: PairedTable

    @property
    def n(self) -> int:
        return self.model_right.n + self.model_wrong.n

    @property
    def harmful(self) -> int:
        """Right unaided, wrong aided, whatever the model said."""
        return self.model_right.first_only + self.model_wrong.first_only

    @property
    def beneficial(self) -> int:
        """Wrong unaided, right aided, whatever the model said."""
        return self.model_right.second_only + self.model_wrong.second_only


@dataclass(frozen=True)
class Rates:
    """Shares of one reader's cases with their Wilson intervals; a share of no cases is a refusal.

    over_reliance: right unaided and model wrong, and then wrong; under_reliance: wrong unaided and model right, and
    still wrong; relative_ai_reliance and relative_self_reliance: one minus these two, the other way round;
    follows_wrong: aided as the model, of all cases in which it is wrong; refuses_right: aided against the model, of
    all cases in which it is right; beneficial, harmful: switches of all cases.
    """

    over_reliance: Rate
    under_reliance: Rate
    relative_ai_reliance: Rate
    relative_self_reliance: Rate
    follows_wrong: Rate
    refuses_right: Rate
    beneficial: Rate
    harmful: Rate


RATES = tuple(field.name for field in fields(Rates))


@dataclass(frozen=True)
class ReaderReliance:
    """One reader's table and shares."""

    reader: str
    table: SwitchTable
    rates: Rates


@dataclass(frozen=True)
class MeanRate:
    """Mean of a share over the readers who have it; t over readers, for readers like these on these cases."""

    rate: str
    estimate: float
    se: float | None
    df: int
    readers: int

    @property
    def p(self) -> float | None:
        """Of a share of 0; None with one reader or where all have the same share."""
        return two_sided_p(self.estimate / self.se, self.df) if self.se else None

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Student's t over readers, clipped to [0, 1]."""
        if self.se is None:
            raise CannotAnalyse("The mean over one reader has no interval; the reader's own share has one.")
        return wald(self.estimate, self.se, level, self.df).clipped()


@dataclass(frozen=True)
class Reliance:
    """All readers, and the means over them in the order of `RATES`; a share that no reader has is a refusal."""

    by_reader: tuple[ReaderReliance, ...]
    means: tuple[MeanRate | Refusal, ...]
    n: int
    warnings: tuple[str, ...] = ()

    def mean(self, rate: str) -> MeanRate | Refusal:
        if rate not in RATES:
            raise CannotAnalyse(f"Reliance has the shares {', '.join(RATES)}, not {rate}.")
        return self.means[RATES.index(rate)]


def switch_table(unaided: Floats, aided: Floats, model: Floats, truth: Bools) -> SwitchTable:
    """How did one reader's decisions change, where the model was right and where it was wrong?

    unaided, aided, model: (n,) decisions 0 or 1, NaN where there is none; truth: (n,) True where diseased. Cases
    without all three decisions are left out. Anything but 0 and 1, or no common case: refused.

    >>> table = switch_table(np.array([0.0, 1, 1, 0]), np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 0, 0]),
    ...                      np.array([True, True, True, False]))
    >>> table.model_right.second_only, table.model_wrong.first_only
    (1, 1)
    """
    columns = [np.asarray(column, dtype=float) for column in (unaided, aided, model)]
    if any(column.shape != np.shape(truth) for column in columns):
        raise CannotAnalyse("Unaided, aided and model decisions and the truth must be of the same cases.")
    known = ~np.isnan(columns).any(axis=0)
    if not known.any():
        raise CannotAnalyse("No case was decided unaided, aided and by the model.")
    kept = np.stack(columns)[:, known]
    if not bool(np.isin(kept, (0.0, 1.0)).all()):
        raise CannotAnalyse("A decision must be 0 or 1; at least one is neither.")
    before, after, advice = kept == np.asarray(truth, dtype=bool)[known]
    return SwitchTable(*(counted(before[part], after[part]) for part in (advice, ~advice)))


def counted(before: Bools, after: Bools) -> PairedTable:
    return PairedTable(
        int((before & after).sum()),
        int((before & ~after).sum()),
        int((~before & after).sum()),
        int((~before & ~after).sum()),
    )


def rates_of(table: SwitchTable) -> Rates:
    """Which shares of wrong advice are taken, and of right advice refused?

    Two decisions are possible, so a reader who was right disagreed with a model that was wrong. Relative reliance is
    that of Schemmer et al. (2023), Appropriate reliance on AI advice, Proc. IUI, 410-422: over- and under-reliance
    are what it lacks to 1. Shares as `proportion`, with Wilson's interval.

    >>> rates = rates_of(SwitchTable(PairedTable(50, 2, 12, 6), PairedTable(9, 6, 1, 4)))
    >>> round(rates.over_reliance.estimate, 4), round(rates.under_reliance.estimate, 4)
    (0.4, 0.3333)
    """
    right, wrong = table.model_right, table.model_wrong
    was_right, was_wrong = wrong.both + wrong.first_only, right.second_only + right.neither
    return Rates(
        over_reliance=share(wrong.first_only, was_right, "the reader was right and the model wrong"),
        under_reliance=share(right.neither, was_wrong, "the reader was wrong and the model right"),
        relative_ai_reliance=share(right.second_only, was_wrong, "the reader was wrong and the model right"),
        relative_self_reliance=share(wrong.both, was_right, "the reader was right and the model wrong"),
        follows_wrong=share(wrong.first_only + wrong.neither, wrong.n, "the model was wrong"),
        refuses_right=share(right.first_only + right.neither, right.n, "the model was right"),
        beneficial=share(table.beneficial, table.n, "all decided"),
        harmful=share(table.harmful, table.n, "all decided"),
    )


def share(count: int, of: int, where: str) -> Rate:
    if of == 0:
        return Refusal(f"There is no case in which {where}.")
    return proportion(count, of)


def reliance(readers: tuple[str, ...], unaided: Floats, aided: Floats, model: Floats, truth: Bools) -> Reliance:
    """How do readers rely on the model, each and on average?

    unaided, aided: (reader, case) decisions 0 or 1, NaN where there is none; model: (case,) the advice, or (reader,
    case) where readers saw different advice; truth: (case,) True where diseased. A mean gives the readers who have the
    share equal weight; its standard error is the spread of readers over the root of their number. Sources as in
    `rates_of`. A reader without a case: left out with a warning; none left: refused.

    >>> decisions = np.array([[0.0, 1, 1, 0], [1.0, 0, 1, 0]])
    >>> advice, truth = np.array([1.0, 1, 0, 1]), np.array([True, True, True, False])
    >>> found = reliance(("R", "S"), decisions, np.array([[1.0, 1, 0, 0], [1.0, 0, 1, 1]]), advice, truth)
    >>> found.mean("over_reliance").estimate, [row.table.harmful for row in found.by_reader]
    (0.5, [1, 1])
    """
    if unaided.shape != aided.shape or unaided.ndim != 2 or len(unaided) != len(readers):
        raise CannotAnalyse("Unaided and aided decisions must be of the same readers and cases.")
    advice = np.broadcast_to(model, unaided.shape)
    rows, warnings = [], []
    for place, reader in enumerate(readers):
        try:
            table = switch_table(unaided[place], aided[place], advice[place], truth)
        except CannotAnalyse as refusal:
            warnings.append(f"{reader} is left out. {refusal}")
            continue
        rows.append(ReaderReliance(reader, table, rates_of(table)))
    if not rows:
        raise CannotAnalyse("No reader decided a case both unaided and aided that the model decided too.")
    means = tuple(mean_rate(rate, rows) for rate in RATES)
    return Reliance(tuple(rows), means, sum(row.table.n for row in rows), tuple(warnings))


def mean_rate(rate: str, rows: list[ReaderReliance]) -> MeanRate | Refusal:
    """Mean over the readers who have the share."""
    found: list[Rate] = [getattr(row.rates, rate) for row in rows]
    values = np.array([item.estimate for item in found if isinstance(item, Proportion)])
    if len(values) == 0:
        return next(item for item in found if isinstance(item, Refusal))
    se = float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else None
    return MeanRate(rate, float(values.mean()), se, len(values) - 1, len(values))
