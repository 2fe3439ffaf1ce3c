"""Is the reader with the model better than the better of the two alone?"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level
from analysis.ratings import Bools, Floats
from analysis.resampling import REPLICATES, SEED

Metric = Literal["accuracy", "sensitivity", "specificity", "balanced accuracy"]
METRICS: tuple[Metric, ...] = get_args(Metric)
# Replicates drawn at once, so that 1e5 cases take little memory.
BATCH = 100


@dataclass(frozen=True)
class ReaderComplementarity:
    """One reader: performance unaided and aided, of the model on the same cases, and aided minus the better."""

    reader: str
    unaided: float
    aided: float
    model: float
    estimate: float
    n: int


@dataclass(frozen=True, eq=False)
class Complementarity:
    """Mean over readers of aided minus the better of unaided reader and model; bootstrap over cases.

    over_reader, over_model: mean aided minus unaided, and minus the model. p is twice the smaller share of replicates
    on either side of 0, at least 2 / (replicates + 1).
    """

    estimate: float
    se: float
    p: float
    over_reader: float
    over_model: float
    metric: Metric
    by_reader: tuple[ReaderComplementarity, ...]
    replicates: Floats
    seed: int
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Percentiles of the replicates."""
        check_level(level)
        low, high = np.quantile(self.replicates, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(low), float(high), level)


def complementarity(
    readers: tuple[str, ...],
    unaided: Floats,
    aided: Floats,
    model: Floats,
    truth: Bools,
    metric: Metric = "accuracy",
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Complementarity:
    """Is the team of reader and model better than the better of both alone?

    unaided, aided: (reader, case) decisions 0 or 1, NaN where there is none; model: (case,) decisions; truth: (case,)
    True where diseased. Per reader, on the cases decided in both arms and by the model: aided minus
    max(unaided, model). Diseased and non-diseased cases are drawn with replacement, the same for all readers, and the
    better of both is found anew in each draw; the readers are taken as they are. The better of two estimates lies above
    the better of two truths on average, so that the estimate leans towards no complementarity. Source: Bansal et al.
    (2021), Does the whole exceed its parts?, Proc. CHI, 81; bootstrap Efron & Tibshirani (1993), ch. 13. A reader
    without cases of both classes: left out with a warning; none left, or anything but 0 and 1: refused.

    >>> truth = np.array([True, True, True, True, False, False, False, False])
    >>> unaided, model = np.array([[1.0, 1, 0, 0, 0, 0, 1, 0]]), np.array([1.0, 0, 1, 1, 0, 1, 0, 0])
    >>> found = complementarity(("R",), unaided, truth[None, :].astype(float), model, truth, replicates=100)
    >>> found.estimate, found.over_reader, found.by_reader[0].model
    (0.25, 0.375, 0.75)
    """
    if metric not in METRICS:
        raise CannotAnalyse(f"Complementarity is of {', '.join(METRICS)}, not {metric}.")
    if replicates < 2:
        raise CannotAnalyse("A bootstrap needs at least two replicates.")
    right, kept, warnings = right_decisions(readers, unaided, aided, model, np.asarray(truth, dtype=bool))
    truth = np.asarray(truth, dtype=bool)
    whole = performance(right, np.ones((1, len(truth))), truth, metric)[0]
    rows = tuple(
        ReaderComplementarity(name, row[0], row[1], row[2], row[1] - max(row[0], row[2]), number)
        for name, row, number in zip(kept, whole.T.tolist(), (~np.isnan(right[0])).sum(axis=1).tolist(), strict=True)
    )
    drawn = replicated(right, truth, metric, replicates, seed)
    se = float(drawn.std(ddof=1))
    estimate = float(np.mean([row.estimate for row in rows]))
    if se == 0:
        warnings = (*warnings, "All bootstrap replicates are equal, so the interval has no width.")
    sides = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    over_reader, over_model = (float((whole[1] - whole[other]).mean()) for other in (0, 2))
    p = min(2 * (sides + 1) / (len(drawn) + 1), 1.0)
    return Complementarity(estimate, se, p, over_reader, over_model, metric, rows, drawn, seed, warnings)


def right_decisions(
    readers: tuple[str, ...], unaided: Floats, aided: Floats, model: Floats, truth: Bools
) -> tuple[Floats, tuple[str, ...], tuple[str, ...]]:
    """(unaided, aided, model) x reader x case: 1 right, 0 wrong, NaN unless all three decided; readers kept; words."""
    if unaided.shape != aided.shape or unaided.ndim != 2 or unaided.shape != (len(readers), len(truth)):
        raise CannotAnalyse("Unaided and aided decisions must be of the same readers and cases.")
    decided = np.stack([unaided, aided, np.broadcast_to(model, unaided.shape)]).astype(float)
    decided[:, np.isnan(decided).any(axis=0)] = np.nan
    if not bool(np.isin(decided[~np.isnan(decided)], (0.0, 1.0)).all()):
        raise CannotAnalyse("A decision must be 0 or 1; at least one is neither.")
    known = ~np.isnan(decided[0])
    complete = known[:, truth].any(axis=1) & known[:, ~truth].any(axis=1)
    if not complete.any():
        raise CannotAnalyse(
            "No reader decided diseased and non-diseased cases in both arms that the model decided too."
        )
    lost = [name for name, whole in zip(readers, complete, strict=True) if not whole]
    warnings = tuple(f"{name} has no cases of one class decided in both arms and is left out." for name in lost)
    kept = tuple(name for name in readers if name not in lost)
    right = np.where(known, decided == truth, np.nan)[:, complete]
    return right, kept, warnings


def performance(right: Floats, weights: Floats, truth: Bools, metric: Metric) -> Floats:
    """(draw, 3, reader) of the metric with cases weighted by (draw, case); NaN where no case of a class was drawn."""
    known = ~np.isnan(right[0])
    correct = np.nan_to_num(right)

    def over(cases: Bools) -> Floats:
        drawn = weights[:, cases]
        number = drawn @ known[:, cases].T
        with np.errstate(invalid="ignore"):
            hits = np.einsum("dc,arc->dar", drawn, correct[:, :, cases], optimize=True)
            return np.asarray(hits / number[:, None, :], dtype=float)

    if metric == "accuracy":
        return over(np.ones_like(truth))
    if metric == "sensitivity":
        return over(truth)
    if metric == "specificity":
        return over(~truth)
    return (over(truth) + over(~truth)) / 2


def replicated(right: Floats, truth: Bools, metric: Metric, replicates: int, seed: int) -> Floats:
    """(replicate,) mean gain over readers; a reader without a case in a draw is left out of that draw."""
    generator = np.random.default_rng(seed)
    found = []
    for start in range(0, replicates, BATCH):
        size = min(BATCH, replicates - start)
        weights = np.zeros((size, len(truth)))
        for part in (truth, ~truth):
            number = int(part.sum())
            weights[:, part] = generator.multinomial(number, np.full(number, 1 / number), size)
        drawn = performance(right, weights, truth, metric)
        gains = drawn[:, 1] - np.maximum(drawn[:, 0], drawn[:, 2])
        there = ~np.isnan(gains)
        found.append(np.nansum(gains, axis=1)[there.any(axis=1)] / there.sum(axis=1)[there.any(axis=1)])
    return np.concatenate(found)
