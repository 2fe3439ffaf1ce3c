"""The bootstrap of cases: the same cases for all ratings, seeded, the seed kept in the result."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level, two_sided_p
from analysis.ratings import Bools, Floats

SEED = 20260101
REPLICATES = 2000
# Draws held in memory at a time.
BLOCK = 2**20
# A multinomial draw costs about as much per distinct case as this many draws of single cases.
COST = 16
NO_WIDTH = "All bootstrap replicates are equal, so the interval has no width."

Ints = npt.NDArray[np.int64]
# A number computed from truth (case,) and ratings (rating, case).
Statistic = Callable[[Bools, Floats], float]


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """A statistic with its bootstrap distribution; p tests it against `null` by the normal statistic.

    p is None where nothing varies and where there is no `null` to test against.
    """

    estimate: float
    se: float
    p: float | None
    null: float | None
    seed: int
    replicates: Floats
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Percentile interval."""
        check_level(level)
        low, high = np.quantile(self.replicates, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(low), float(high), level)


def bootstrap(
    truth: Bools,
    ratings: Floats,
    statistic: Statistic,
    null: float | None = 0.0,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Bootstrap:
    """How does a statistic vary when diseased and non-diseased cases are drawn anew, each with replacement?

    truth: (case,); ratings: (rating, case) without NaN; the statistic sees the drawn cases of all ratings together.
    se is the standard deviation of the replicates, p compares (estimate - null) / se with the normal; it is None
    where nothing varies. Source: Efron & Tibshirani (1993), ch. 13 (percentile); Carpenter & Bithell (2000), Stat.
    Med. 19:1141-1164. Fewer than 2 replicates or one class: refused. Curves have a way that is far faster,
    `bootstrapped.curve_replicates`.

    >>> truth = np.array([False, False, False, True, True, True])
    >>> found = bootstrap(truth, np.array([[1.0, 2, 3, 2, 3, 4]]), lambda t, r: float(r[0][t].mean()), replicates=50)
    >>> found.estimate, found.seed, len(found.replicates)
    (3.0, 20260101, 50)
    """
    check_replicates(replicates)
    if not truth.any() or truth.all():
        raise CannotAnalyse("A stratified bootstrap needs diseased and non-diseased cases.")
    generator = np.random.default_rng(seed)
    positives, negatives = np.flatnonzero(truth), np.flatnonzero(~truth)
    drawn_truth = np.concatenate([np.ones(len(positives), dtype=bool), np.zeros(len(negatives), dtype=bool)])
    found = np.empty(replicates)
    for place in range(replicates):
        cases = np.concatenate(
            [generator.choice(positives, len(positives)), generator.choice(negatives, len(negatives))]
        )
        found[place] = statistic(drawn_truth, ratings[:, cases])
    return summary(statistic(truth, ratings), found, null, seed)


def summary(
    estimate: float, replicates: Floats, null: float | None, seed: int, warnings: tuple[str, ...] = ()
) -> Bootstrap:
    """Standard deviation of the replicates and the test against `null`."""
    se = float(replicates.std(ddof=1))
    # Sums of the same cells in another order differ in the last digits.
    if se <= 1e-14:
        p = 1.0 if null is not None and estimate == null else None
        return Bootstrap(estimate, 0.0, p, null, seed, replicates, (*warnings, NO_WIDTH))
    p = None if null is None else two_sided_p((estimate - null) / se)
    return Bootstrap(estimate, se, p, null, seed, replicates, warnings)


def check_replicates(replicates: int) -> None:
    """Refuse a bootstrap without a spread."""
    if replicates < 2:
        raise CannotAnalyse("A bootstrap needs at least two replicates.")


def blocks(replicates: int, sizes: Ints) -> list[int]:
    """Replicates cut into runs that fit into memory."""
    rows = max(1, BLOCK // (len(sizes) if repeated(sizes) else int(sizes.sum())))
    return [min(rows, replicates - start) for start in range(0, replicates, rows)]


def repeated(sizes: Ints) -> bool:
    """Whether the cases are of so few kinds that drawing their counts is the faster way."""
    return len(sizes) * COST < int(sizes.sum())


def drawn_counts(sizes: Ints, rows: int, generator: np.random.Generator) -> Ints:
    """How often each kind of case is drawn when all cases are drawn anew, with replacement: (rows, kind).

    sizes: (kind,) how many cases of each kind there are.
    """
    n, kinds = int(sizes.sum()), len(sizes)
    if repeated(sizes):
        return generator.multinomial(n, sizes / n, size=rows)
    drawn = generator.integers(0, n, size=(rows, n), dtype=np.int32)
    if kinds < n:
        drawn = np.repeat(np.arange(kinds, dtype=np.int32), sizes)[drawn]
    flat = drawn + kinds * np.arange(rows, dtype=np.int64)[:, None]
    return np.bincount(flat.ravel(), minlength=rows * kinds).reshape(rows, kinds)
