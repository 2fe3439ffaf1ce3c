"""Does a reader say the same when the same cases come again?"""

import math
from dataclasses import dataclass

import numpy as np

from analysis.agreement import CohenKappa, Weights, cohen_kappa
from analysis.errors import CannotAnalyse
from analysis.interval import Interval, Refusal, two_sided_p, wald
from analysis.ratings import Floats


@dataclass(frozen=True, eq=False)
class ReaderReread:
    """One reader's two rounds: how many cases came twice, how many judgements changed, and the agreement."""

    reader: str
    n: int
    changed: int
    kappa: CohenKappa | Refusal


@dataclass(frozen=True, eq=False)
class Rereads:
    """Mean over readers of the agreement with themselves; p tests it against 0 by t over readers.

    With one reader se is that of the one kappa over cases and df None, for normal.
    """

    estimate: float
    se: float
    p: float | None
    df: int | None
    weights: Weights
    by_reader: tuple[ReaderReread, ...]
    warnings: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        return sum(row.n for row in self.by_reader)

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return wald(self.estimate, self.se, level, math.inf if self.df is None else self.df).clipped(-1.0, 1.0)


def rereads(readers: tuple[str, ...], first: Floats, second: Floats, weights: Weights = "none") -> Rereads:
    """How far does each reader agree with the own first reading beyond chance, and readers on average?

    first, second: (reader, case) category numbers of the two rounds, NaN where the case was not read; a case counts
    for the readers who judged it in both. Cohen's kappa per reader; the mean gives readers equal weight and its error
    comes from their spread, so it speaks for readers like these. A reader without a kappa stays in `by_reader` with
    the reason and out of the mean; no reader with one: refused. Measurements: see `repeatability` and `icc`.
    Source: Cohen (1960), Educ. Psychol. Meas. 20:37-46.

    >>> found = rereads(("R", "S"), np.array([[1.0, 0, 1, 0], [1, 1, 0, 0]]), np.array([[1.0, 0, 1, 1], [1, 1, 0, 0]]))
    >>> found.estimate, [row.changed for row in found.by_reader]
    (0.75, [1, 0])
    """
    if first.shape != second.shape or len(first) != len(readers):
        raise CannotAnalyse("Two rounds need the same readers and the same cases.")
    rows = tuple(reread(*each, weights) for each in zip(readers, first, second, strict=True))
    kappas = [row.kappa for row in rows if isinstance(row.kappa, CohenKappa)]
    warnings = tuple(f"{row.reader}: {row.kappa.sentence}" for row in rows if isinstance(row.kappa, Refusal))
    if not kappas:
        raise CannotAnalyse(f"No reader has an agreement of both rounds; {warnings[0]}")
    if len(kappas) == 1:
        only = kappas[0]
        warning = "The interval of one reader speaks for the cases read, not for readers."
        return Rereads(only.estimate, only.se, only.p, None, weights, rows, (*warnings, *only.warnings, warning))
    values = np.array([kappa.estimate for kappa in kappas])
    estimate, df = float(values.mean()), len(values) - 1
    se = float(values.std(ddof=1)) / math.sqrt(len(values))
    if se == 0:
        warnings = (*warnings, "All readers agree with themselves equally, so the interval has no width.")
    p = two_sided_p(estimate / se, df) if se else None
    return Rereads(estimate, se, p, df, weights, rows, warnings)


def reread(reader: str, first: Floats, second: Floats, weights: Weights) -> ReaderReread:
    both = ~(np.isnan(first) | np.isnan(second))
    changed = int((first[both] != second[both]).sum())
    try:
        kappa: CohenKappa | Refusal = cohen_kappa(first, second, weights)
    except CannotAnalyse as refusal:
        kappa = Refusal(str(refusal))
    return ReaderReread(reader, int(both.sum()), changed, kappa)
