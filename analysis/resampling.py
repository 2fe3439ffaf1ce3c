"""The stratified bootstrap of cases: same cases for all ratings, seeded, the seed kept in the result."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level, two_sided_p
from analysis.ratings import Bools, Floats

SEED = 20260101
REPLICATES = 2000


# A number computed from truth (case,) and ratings (rating, case).
Statistic = Callable[[Bools, Floats], float]


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """A statistic with its bootstrap distribution; p tests it against `null` by the normal statistic."""

    estimate: float
    se: float
    p: float | None
    null: float
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
    null: float = 0.0,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Bootstrap:
    """How does a statistic vary when diseased and non-diseased cases are drawn anew, each with replacement?

    truth: (case,); ratings: (rating, case) without NaN; the statistic sees the drawn cases of all ratings together.
    se is the standard deviation of the replicates, p compares (estimate - null) / se with the normal; it is None
    where nothing varies. Source: Efron & Tibshirani (1993), ch. 13 (percentile); Carpenter & Bithell (2000), Stat.
    Med. 19:1141-1164. Fewer than 2 replicates or one class: refused.

    >>> truth = np.array([False, False, False, True, True, True])
    >>> found = bootstrap(truth, np.array([[1.0, 2, 3, 2, 3, 4]]), lambda t, r: float(r[0][t].mean()), replicates=50)
    >>> found.estimate, found.seed, len(found.replicates)
    (3.0, 20260101, 50)
    """
    if replicates < 2:
        raise CannotAnalyse("A bootstrap needs at least two replicates.")
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
    estimate, se = statistic(truth, ratings), float(found.std(ddof=1))
    if se == 0:
        warning = "All bootstrap replicates are equal, so the interval has no width."
        return Bootstrap(estimate, 0.0, 1.0 if estimate == null else None, null, seed, found, (warning,))
    return Bootstrap(estimate, se, two_sided_p((estimate - null) / se), null, seed, found)
