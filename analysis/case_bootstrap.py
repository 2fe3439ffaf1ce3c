"""Covariance of figures of merit by drawing cases anew, all readers and arms together."""

from dataclasses import dataclass

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.merits import Merit
from analysis.ratings import Floats, Ratings
from analysis.resampling import REPLICATES, SEED

# Weights of this many cases and replicates at a time: memory stays small, the draws depend on seed and data alone.
BLOCK = 1 << 21


@dataclass(frozen=True, eq=False)
class CaseBootstrap:
    """covariance: (reader x arm, reader x arm), over the replicates in which every figure existed."""

    covariance: Floats
    replicates: int
    dropped: int
    seed: int


def bootstrap_covariance(
    ratings: Ratings, merit: Merit, replicates: int = REPLICATES, seed: int = SEED
) -> CaseBootstrap:
    """How do the figures vary together when cases are drawn anew, diseased and non-diseased each with replacement?

    ratings.values: (reader, arm, case), NaN = not read. The same draw counts for all readers and arms; every case is
    weighted by how often it was drawn, so that nothing is sorted again. Sample covariance over replicates.
    A replicate in which some reader has no case of a class is dropped; more than half of them, or fewer than two
    left: refused. Source: Efron & Tibshirani (1993), ch. 6; Obuchowski & Rockette (1995), section 4.
    """
    if replicates < 2:
        raise CannotAnalyse("A bootstrap needs at least two replicates.")
    truth = ratings.truth
    if not truth.any() or truth.all():
        raise CannotAnalyse("A stratified bootstrap needs diseased and non-diseased cases.")
    cells = ratings.values.reshape(-1, len(truth))
    generator = np.random.default_rng(seed)
    found = np.full((len(cells), replicates), np.nan)
    step = max(1, BLOCK // len(truth))
    for start in range(0, replicates, step):
        weights = drawn(generator, ratings, min(step, replicates - start))
        for cell, values in enumerate(cells):
            read = ~np.isnan(values)
            if read.any():
                part = weights if read.all() else weights[read]
                with np.errstate(invalid="ignore", divide="ignore"):
                    found[cell, start : start + step] = merit.weighted(truth[read], values[read], part)
    empty = np.isnan(cells).all(axis=1)
    whole = np.isfinite(found[~empty]).all(axis=0)
    if whole.sum() < max(2, replicates / 2):
        raise CannotAnalyse("In most bootstrap draws some reader has no case of a class, so there is no covariance.")
    matrix = np.full((len(cells), len(cells)), np.nan)
    matrix[np.ix_(~empty, ~empty)] = np.cov(found[~empty][:, whole]).reshape(int((~empty).sum()), -1)
    return CaseBootstrap(matrix, replicates, int(replicates - whole.sum()), seed)


def drawn(generator: np.random.Generator, ratings: Ratings, replicates: int) -> Floats:
    """How often each case was drawn in each replicate: (case, replicates)."""
    weights = np.empty((len(ratings.truth), replicates))
    for kind in (True, False):
        places = np.flatnonzero(ratings.truth == kind)
        draws = generator.integers(0, len(places), size=(len(places), replicates)) * replicates
        draws += np.arange(replicates)
        counts = np.bincount(draws.ravel(), minlength=replicates * len(places))
        weights[places] = counts.reshape(len(places), replicates)
    return weights
