"""Sums over pairs of a diseased and a non-diseased case, of one test and of two tests together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.ratings import Bools, Floats
from analysis.unbiased import LEVELS, success_sums

Integers = npt.NDArray[np.int64]
# Above this many pairs counting by ranks beats comparing every pair (two cores, ten tests).
COMPARED = 400_000_000


@dataclass(frozen=True, eq=False)
class Successes:
    """What the scores s(i, j) of all tests add up to; s is 1, 1/2 or 0 as diseased i lies above, at or below j.

    rows: (test, diseased), sums over the non-diseased; columns: (test, non-diseased), sums over the diseased;
    together: (test, test), sums of the products of two tests over all pairs; read_positives and read_negatives:
    (test, case), 1 where read. What was not read adds nothing.
    """

    rows: Floats
    columns: Floats
    together: Floats
    read_positives: Floats
    read_negatives: Floats


def successes(values: Floats, truth: Bools) -> Successes:
    """Which sums do the areas under the curves and their moments rest on?

    values: (test, case), NaN = not read; truth: (case,). Up to 4e8 pairs, or few distinct ratings, go through
    `unbiased.success_sums`; more are counted by ranks in O(n log n) for each two tests, so that 10^5 cases take
    seconds and memory stays linear.

    >>> found = successes(np.array([[1.0, 2, 2, 3]]), np.array([False, False, True, True]))
    >>> found.rows.tolist(), found.columns.tolist(), found.together.tolist()
    ([[1.5, 2.0]], [[2.0, 1.5]], [[3.25]])
    """
    positives, negatives = values[:, truth], values[:, ~truth]
    read_p, read_n = (~np.isnan(positives)).astype(float), (~np.isnan(negatives)).astype(float)
    if positives.shape[1] * negatives.shape[1] <= COMPARED or few_levels(values):
        rows, columns, together = success_sums(positives, negatives)
        return Successes(rows, columns, together, read_p, read_n)
    rows = np.stack([below(n, p) for n, p in zip(negatives, positives, strict=True)])
    columns = np.stack([below(-p, -n) for n, p in zip(negatives, positives, strict=True)])
    tests = len(values)
    together = np.empty((tests, tests))
    for one in range(tests):
        for two in range(one, tests):
            together[one, two] = together[two, one] = both(values[one], values[two], truth)
    return Successes(rows, columns, together, read_p, read_n)


def few_levels(values: Floats) -> bool:
    return all(len(np.unique(row[~np.isnan(row)])) <= LEVELS for row in values)


def below(others: Floats, values: Floats) -> Floats:
    """How many of `others` lie below each value, ties one half; 0 for a value that was not read."""
    order = np.sort(others[~np.isnan(others)])
    found = (np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right")) / 2
    return np.where(np.isnan(values), 0.0, found)


def both(one: Floats, two: Floats, truth: Bools) -> float:
    """Sum of the products of the scores of two tests over the pairs that both read."""
    read = ~(np.isnan(one) | np.isnan(two))
    positive, negative = read & truth, read & ~truth
    _, ranks = np.unique(two[read], return_inverse=True)
    rank = np.zeros(len(truth), dtype=np.int64)
    rank[read] = ranks
    order = np.flatnonzero(negative)[np.argsort(one[negative], kind="stable")]
    sorted_one, ordered = one[order], rank[order]
    # A tie counts one half in each test: the mean of what lies strictly below and of what lies not above.
    prefixes = [np.searchsorted(sorted_one, one[positive], side) for side in ("left", "right")]
    limits = [rank[positive], rank[positive] + 1]
    prefix = np.concatenate([p for p in prefixes for _ in limits]).astype(np.int64)
    limit = np.concatenate([q for _ in prefixes for q in limits])
    return float(count_below(ordered, prefix, limit).sum()) / 4


def count_below(values: Integers, prefix: Integers, limit: Integers) -> Integers:
    """How many of values[:prefix] are less than limit, for every (prefix, limit): a wavelet matrix, bit by bit.

    >>> count_below(np.array([3, 0, 2, 1]), np.array([4, 2, 3]), np.array([2, 3, 9])).tolist()
    [2, 1, 3]
    """
    count = np.zeros_like(prefix)
    start, stop = np.zeros_like(prefix), prefix
    for bit in reversed(range(int(max(values.max(initial=0), limit.max(initial=0))).bit_length())):
        high = (values >> bit) & 1
        zeros = np.concatenate([[0], np.cumsum(1 - high)])
        before, until = zeros[start], zeros[stop]
        up = ((limit >> bit) & 1) == 1
        count += np.where(up, until - before, 0)
        start = np.where(up, zeros[-1] + start - before, before)
        stop = np.where(up, zeros[-1] + stop - until, until)
        values = np.concatenate([values[high == 0], values[high == 1]])
    return count
