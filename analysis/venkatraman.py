"""Permutation tests of whole ROC curves: they see a difference also where the areas are equal."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats
from analysis.resampling import REPLICATES, SEED, Ints
from analysis.roc import check_two_classes

# Cells of one block of permutations, so that memory stays small.
BLOCK = 2_000_000
# Sums of shares carry rounding; a statistic that falls short by less than this share is equal.
EQUAL = 1 - 1e-10


@dataclass(frozen=True)
class Venkatraman:
    """Distance of two ROC curves and its permutation p value."""

    statistic: float
    p: float
    n: int
    replicates: int
    seed: int
    warnings: tuple[str, ...] = ()


def venkatraman_test(
    truth: Bools, first: Floats, second: Floats, replicates: int = REPLICATES, seed: int = SEED
) -> Venkatraman:
    """Do two ratings of the same cases have the same ROC curve?

    truth: (n,); first, second: (n,) without NaN. statistic = sum over k = 1 ... n of the distance between the numbers
    of errors (diseased at or below rank k, non-diseased above it) that both ratings make; the ranks of a case under
    both are exchanged at random, half of the cases on average, and ranked anew. p = (1 + permutations with at least
    this statistic)/(1 + permutations). Source: Venkatraman & Begg (1996), Biometrika 83:835-848.
    Ties: within a tie the errors run on a straight line, which is their mean over all orders of the tied cases, so the
    order of cases is immaterial and nothing is drawn for it. Equal curves: 0, p = 1 and a warning. One class: refused.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> found = venkatraman_test(truth, np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4]), 99)
    >>> found.statistic, found.p
    (2.0, 0.21)
    """
    check_two_classes(truth)
    check_replicates(replicates)
    levels, places = np.unique(np.stack([stats.rankdata(first), stats.rankdata(second)]), return_inverse=True)
    ranks = places.reshape(2, -1)
    observed = float(paired_distance(truth, ranks[:1], ranks[1:], len(levels))[0])
    if observed == 0:
        return Venkatraman(0.0, 1.0, len(truth), replicates, seed, (SAME,))
    generator = np.random.default_rng(seed)
    count, left = 0, replicates
    while left:
        rows = min(left, max(1, BLOCK // len(truth)))
        keep = generator.random((rows, len(truth))) < 0.5
        one, two = np.where(keep, ranks[0], ranks[1]), np.where(keep, ranks[1], ranks[0])
        count += int((paired_distance(truth, one, two, len(levels)) >= observed * EQUAL).sum())
        left -= rows
    return Venkatraman(observed, (1 + count) / (1 + replicates), len(truth), replicates, seed)


SAME = "The two ROC curves are the same; nothing speaks against equality."


def check_replicates(replicates: int) -> None:
    if replicates < 1:
        raise CannotAnalyse("A permutation test needs at least one permutation.")


def paired_distance(truth: Bools, first: Ints, second: Ints, levels: int) -> Floats:
    """The statistic of every row; first, second: (row, case) place among the `levels` ascending ranks."""
    return np.asarray(np.abs(errors(truth, second, levels) - errors(truth, first, levels)).sum(axis=1))


def errors(truth: Bools, places: Ints, levels: int) -> Floats:
    """Errors of calling all but the k lowest cases, for k = 1 ... n, less those of calling all; (row, k)."""
    rows = len(places)
    flat = (places + levels * np.arange(rows)[:, None]).ravel()
    counts = np.bincount(flat, minlength=rows * levels)
    sums = np.bincount(flat, weights=np.tile(np.where(truth, 1.0, -1.0), rows), minlength=rows * levels)
    steps = np.repeat(sums / np.maximum(counts, 1), counts)
    return np.asarray(np.cumsum(steps.reshape(places.shape), axis=1))


def venkatraman_test_unpaired(
    first_truth: Bools,
    first_rating: Floats,
    second_truth: Bools,
    second_rating: Floats,
    replicates: int = REPLICATES,
    seed: int = SEED,
    share: float | None = None,
) -> Venkatraman:
    """Do two ratings of different cases have the same ROC curve?

    All arrays (n1,) or (n2,) without NaN. With F and G the distributions of the ratings of diseased and non-diseased
    cases and k the share of diseased ones (by default that of both groups together), a rating stands at
    p = k F + (1 - k) G; statistic = the integral over p of the distance of the errors k F + (1 - k)(1 - G) of both
    groups, on straight lines between the points of the curves. The places p are exchanged between the groups among
    diseased and among non-diseased cases, and placed anew. p value as in `venkatraman_test`.
    Source: Venkatraman (2000), Biometrics 56:1134-1138. One class in a group: refused.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> one, two = np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4])
    >>> found = venkatraman_test_unpaired(truth, one, truth, two, 99)
    >>> round(found.statistic, 6), found.p
    (0.041667, 0.62)
    """
    check_two_classes(first_truth)
    check_two_classes(second_truth)
    check_replicates(replicates)
    truths = (first_truth, second_truth)
    n = len(first_truth) + len(second_truth)
    mix = (int(first_truth.sum()) + int(second_truth.sum())) / n if share is None else share
    if not 0 < mix < 1:
        raise CannotAnalyse(f"The share of diseased cases lies between 0 and 1, not at {mix:g}.")
    places = [
        place_in_mixture(truth, rating, mix)
        for truth, rating in zip(truths, (first_rating, second_rating), strict=True)
    ]
    observed = unpaired_distance(truths, (first_rating, second_rating), mix)
    if observed == 0:
        return Venkatraman(0.0, 1.0, n, replicates, seed, (SAME,))
    generator, count = np.random.default_rng(seed), 0
    for _ in range(replicates):
        drawn = [place.copy() for place in places]
        for kind in (True, False):
            chosen = [truth == kind for truth in truths]
            pool = generator.permutation(
                np.concatenate([place[held] for place, held in zip(places, chosen, strict=True)])
            )
            drawn[0][chosen[0]], drawn[1][chosen[1]] = np.split(pool, [int(chosen[0].sum())])
        count += unpaired_distance(truths, (drawn[0], drawn[1]), mix) >= observed * EQUAL
    return Venkatraman(observed, (1 + count) / (1 + replicates), n, replicates, seed)


def curve_of_errors(truth: Bools, rating: Floats, mix: float) -> tuple[Floats, Floats]:
    """Places p and errors at the end of every tie."""
    order = np.argsort(rating, kind="stable")
    ordered, diseased = rating[order], truth[order]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(rating) - 1)
    below = np.cumsum(diseased)[ends] / diseased.sum()
    spared = np.cumsum(~diseased)[ends] / (~diseased).sum()
    return mix * below + (1 - mix) * spared, mix * below + (1 - mix) * (1 - spared)


def place_in_mixture(truth: Bools, rating: Floats, mix: float) -> Floats:
    """p of every case, the middle of its tie."""
    groups = np.unique(rating, return_inverse=True)[1]
    ends, _ = curve_of_errors(truth, rating, mix)
    return np.asarray((ends + np.concatenate(([0.0], ends[:-1])))[groups] / 2)


def unpaired_distance(truths: tuple[Bools, Bools], ratings: tuple[Floats, Floats], mix: float) -> float:
    """Area between two curves of errors, from the larger of both first places on."""
    one, two = (curve_of_errors(truth, rating, mix) for truth, rating in zip(truths, ratings, strict=True))
    start = max(one[0][0], two[0][0])
    places = np.unique(np.concatenate([one[0], two[0]]))
    places = places[places >= start]
    return float(np.trapezoid(np.abs(np.interp(places, *one) - np.interp(places, *two)), places))
