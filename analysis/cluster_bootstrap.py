"""The bootstrap of whole clusters: patients are drawn, with all their units."""

import numpy as np

from analysis.clustered import Labels
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats
from analysis.resampling import (
    REPLICATES,
    SEED,
    Bootstrap,
    Ints,
    Statistic,
    blocks,
    check_replicates,
    drawn_counts,
    summary,
)
from analysis.roc import check_two_classes

# Draws of one replicate before the clusters are given up as too few to hold both classes.
ATTEMPTS = 100


def cluster_bootstrap(
    truth: Bools,
    ratings: Floats,
    clusters: Labels,
    statistic: Statistic,
    null: float = 0.0,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Bootstrap:
    """How does a statistic vary when whole clusters are drawn anew, with replacement?

    truth: (unit,); ratings: (rating, unit) without NaN; clusters: (unit,) labels. The statistic sees truth and ratings
    of all units of the clusters drawn, a cluster drawn twice counting twice. Drawn without regard to the class, as a
    cluster may hold both; a replicate without both classes is drawn again, which a warning tells. se, p and interval as
    in `resampling.bootstrap`. Source: Davison & Hinkley (1997), section 3.8; Rutter (2000), Acad. Radiol. 7:413-419.
    Fewer than 2 clusters or replicates, or one class: refused.

    >>> truth = np.array([False, True, False, True, True])
    >>> found = cluster_bootstrap(truth, np.ones((1, 5)), [1, 1, 2, 2, 3], lambda t, r: float(t.mean()), replicates=50)
    >>> found.estimate, found.seed, len(found.replicates)
    (0.6, 20260101, 50)
    """
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    if codes.shape != truth.shape:
        raise CannotAnalyse(f"Every unit needs its cluster: {truth.size} units, {codes.size} clusters named.")
    check_replicates(replicates)
    if not truth.any() or truth.all():
        raise CannotAnalyse("A bootstrap of clusters needs diseased and non-diseased units.")
    sizes = np.bincount(codes)
    if len(sizes) < 2:
        raise CannotAnalyse("A bootstrap of clusters needs at least two clusters.")
    order, starts = np.argsort(codes, kind="stable"), np.concatenate(([0], np.cumsum(sizes)[:-1]))
    generator = np.random.default_rng(seed)
    found, again = np.empty(replicates), 0
    for place in range(replicates):
        for _ in range(ATTEMPTS):
            units = order[units_of(generator.integers(0, len(sizes), len(sizes)), starts, sizes)]
            drawn = truth[units]
            if drawn.any() and not drawn.all():
                break
            again += 1
        else:
            raise CannotAnalyse("The clusters drawn hardly ever hold both classes; there are too few of them.")
        found[place] = statistic(drawn, ratings[:, units])
    warnings = (f"{again} draws of clusters held one class only and were drawn again.",) if again else ()
    return summary(statistic(truth, ratings), found, null, seed, warnings)


def units_of(drawn: Ints, starts: Ints, sizes: Ints) -> Ints:
    """Positions of the units of the clusters drawn, cluster by cluster."""
    lengths = sizes[drawn]
    ends = np.cumsum(lengths)
    return np.repeat(starts[drawn] - (ends - lengths), lengths) + np.arange(ends[-1])


def cluster_bootstrap_test(
    truth: Bools, first: Floats, second: Floats, clusters: Labels, replicates: int = REPLICATES, seed: int = SEED
) -> Bootstrap:
    """Do two ratings of the same clustered units have different AUCs, by drawing whole clusters?

    truth, first, second, clusters: (unit,), ratings without NaN; second minus first. As `cluster_bootstrap`, but far
    faster: a replicate weighs units by how often their cluster was drawn. Replicates that hold one class only are left
    out with a warning. Fewer than 2 clusters, one class, or a difference without variation: refused.

    >>> truth = np.array([0, 1, 0, 1, 0, 1], dtype=bool)
    >>> one, two = np.array([1.0, 2, 2, 3, 3, 4]), np.array([3.0, 1, 2, 3, 1, 4])
    >>> found = cluster_bootstrap_test(truth, one, two, ["a", "a", "b", "b", "c", "c"], replicates=99)
    >>> round(found.estimate, 6), len(found.replicates)
    (-0.111111, 99)
    """
    check_two_classes(truth)
    check_replicates(replicates)
    names, codes = np.unique(np.asarray(clusters), return_inverse=True)
    if codes.shape != truth.shape:
        raise CannotAnalyse(f"Every unit needs its cluster: {truth.size} units, {codes.size} clusters named.")
    if len(names) < 2:
        raise CannotAnalyse("A bootstrap of clusters needs at least two clusters.")
    once, generator = np.ones(len(names), dtype=np.int64), np.random.default_rng(seed)
    steps = []
    for rows in blocks(replicates, np.ones(len(truth), dtype=np.int64)):
        counts = drawn_counts(once, rows, generator)
        held = (counts @ np.bincount(codes, truth) > 0) & (counts @ np.bincount(codes, ~truth) > 0)
        one, two = (weighted_areas(truth, rating, codes, counts[held]) for rating in (first, second))
        steps.append(two - one)
    drawn = np.concatenate(steps)
    if len(drawn) < 2:
        raise CannotAnalyse("The clusters drawn hardly ever hold both classes; there are too few of them.")
    lost = replicates - len(drawn)
    warnings = (f"{lost} of {replicates} draws of clusters held one class only and are left out.",) if lost else ()
    before, after = (float(weighted_areas(truth, rating, codes, once[None, :])[0]) for rating in (first, second))
    found = summary(after - before, drawn, 0.0, seed, warnings)
    if found.p is None:
        raise CannotAnalyse("The two areas differ without any variation, so their difference cannot be tested.")
    return found


def weighted_areas(truth: Bools, rating: Floats, codes: Ints, counts: Ints) -> Floats:
    """AUC of every row of counts (row, cluster): how often each cluster is there."""
    order = np.argsort(rating, kind="stable")
    ordered, diseased = rating[order], truth[order]
    starts = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
    weights = counts[:, codes[order]]
    above = np.add.reduceat(weights * diseased, starts, axis=1).astype(float)
    below = np.add.reduceat(weights * ~diseased, starts, axis=1).astype(float)
    won = (above * (np.cumsum(below, axis=1) - below / 2)).sum(axis=1)
    return np.asarray(won / (above.sum(axis=1) * below.sum(axis=1)))
