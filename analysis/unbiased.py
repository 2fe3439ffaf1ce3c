"""The unbiased covariance of AUCs and of shares of decisions, also where readings are missing.

Nearly all of its cost is one number for every two tests x and y: the sum of s_x(i,j) s_y(i,j) over diseased cases i and
non-diseased cases j, where s_x(i,j) is 1, 1/2 or 0 as i is rated above, equal to or below j in x. Few distinct ratings:
a table of ratings against ratings. Otherwise one bit for every pair of cases, so that 64 pairs are counted at once;
an O(n log n) count of dominances would need more steps than n²/64 up to some 10,000 cases.
"""

import numpy as np
import numpy.typing as npt

from analysis.ratings import Floats, Ratings

LEVELS = 12
PAIRS = 1 << 17


def unbiased_auc(ratings: Ratings) -> Floats:
    """Which covariance of AUCs is unbiased, also with missing cells?

    theta_x theta_y minus the mean of s_x(i,j) s_y(k,l) over all quadruples with i != k and j != l. Quadruples with
    i = k or j = l are counted out by inclusion and exclusion over the cases that both x and y read.
    Answer (reader x arm, reader x arm), NaN for a test without readings. Needs two cases of each class in every test.
    Source: Gallas (2006), Acad. Radiol. 13:353-362; Gallas, Pennello & Myers (2007), JOSA A 24:B70-B80.
    May be negative.
    """
    values = ratings.values.reshape(-1, ratings.values.shape[2])
    positives, negatives = values[:, ratings.truth], values[:, ~ratings.truth]
    has_p = (~np.isnan(positives)).astype(float)
    has_n = (~np.isnan(negatives)).astype(float)
    n1, n0 = has_p.sum(axis=1), has_n.sum(axis=1)
    rows, columns, same_pair = success_sums(positives, negatives)
    total = np.outer(rows.sum(axis=1), rows.sum(axis=1))
    pairs = np.outer(n1 * n0, n1 * n0)
    both_p, both_n = has_p @ has_p.T, has_n @ has_n.T
    overlapping = both_p * np.outer(n0, n0) + both_n * np.outer(n1, n1) - both_p * both_n
    apart = total - (rows @ rows.T + columns @ columns.T - same_pair)
    empty = pairs == 0
    answer = total / np.where(empty, 1, pairs) - apart / np.where(empty, 1, pairs - overlapping)
    return np.where(empty, np.nan, answer)


def unbiased_mean(part: Floats) -> Floats:
    """The same for means of right decisions, part (test, case), NaN = not read: pairs of different cases."""
    has = (~np.isnan(part)).astype(float)
    part = np.nan_to_num(part)
    total = np.outer(part.sum(axis=1), part.sum(axis=1))
    pairs = np.outer(has.sum(axis=1), has.sum(axis=1))
    empty = pairs == 0
    answer = total / np.where(empty, 1, pairs) - (total - part @ part.T) / np.where(empty, 1, pairs - has @ has.T)
    return np.where(empty, np.nan, answer)


def success_sums(positives: Floats, negatives: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums of s(i,j) over j (test, i), over i (test, j), and of products over both (test, test); NaN scores 0."""
    tests = len(positives)
    rows, columns = np.zeros(positives.shape), np.zeros(negatives.shape)
    below = np.zeros(positives.shape, dtype=np.int32)
    through = np.zeros(positives.shape, dtype=np.int32)
    rank = np.zeros(negatives.shape, dtype=np.int32)
    places = negatives.shape[1]
    for test in range(tests):
        # NaN sorts last, so a missing non-diseased case has a rank that nobody reaches.
        order = np.argsort(negatives[test], kind="stable")
        rank[test, order] = np.arange(places)
        known = negatives[test, order[: int((~np.isnan(negatives[test])).sum())]]
        has = ~np.isnan(positives[test])
        below[test] = np.where(has, np.searchsorted(known, positives[test], "left"), 0)
        through[test] = np.where(has, np.searchsorted(known, positives[test], "right"), 0)
        for limit in (below[test], through[test]):
            rows[test] += limit / 2
            beaten_by = len(limit) - np.cumsum(np.bincount(limit, minlength=places + 1))
            columns[test] += beaten_by[rank[test]] / 2
    return rows, columns, same_pairs(positives, below, through, rank)


def same_pairs(
    positives: Floats, below: npt.NDArray[np.int32], through: npt.NDArray[np.int32], rank: npt.NDArray[np.int32]
) -> Floats:
    """Sum of s_x(i,j) s_y(i,j) for every two tests.

    below, through (test, i): how many non-diseased cases the diseased case i beats, and beats or equals; rank
    (test, j): place of the non-diseased case j in ascending order, so that i beats j where rank < below.
    """
    levels = [np.unique(row[~np.isnan(row)]) for row in positives]
    if max(len(found) for found in levels) <= LEVELS:
        return by_levels(positives, levels, below, through, rank)
    if bool((below == through).all()):
        return by_bits(below, rank)
    tests = len(below)
    four = by_bits(np.concatenate([below, through]), np.concatenate([rank, rank]))
    # s is the mean of "above" and "above or equal", so a product of two is the mean of four products of bits.
    return np.asarray((four[:tests, :tests] + four[:tests, tests:] + four[tests:, :tests] + four[tests:, tests:]) / 4)


def by_levels(
    positives: Floats,
    levels: list[Floats],
    below: npt.NDArray[np.int32],
    through: npt.NDArray[np.int32],
    rank: npt.NDArray[np.int32],
) -> Floats:
    """Few distinct ratings: how many diseased cases have ratings a and b, times what a and b score together."""
    tests, size = len(positives), max(len(found) for found in levels)
    rated = np.zeros((tests, size, positives.shape[1]))
    scores = np.zeros((tests, size, rank.shape[1]))
    for test, found in enumerate(levels):
        for place, level in enumerate(found):
            rated[test, place] = positives[test] == level
            one = int(np.argmax(positives[test] == level))
            scores[test, place] = ((rank[test] < below[test, one]) * 0.5) + ((rank[test] < through[test, one]) * 0.5)
    counts, wins = rated.reshape(tests * size, -1), scores.reshape(tests * size, -1)
    together = (counts @ counts.T) * (wins @ wins.T)
    return np.asarray(together.reshape(tests, size, tests, size).sum(axis=(1, 3)))


def by_bits(limit: npt.NDArray[np.int32], rank: npt.NDArray[np.int32]) -> Floats:
    """How many pairs have rank < limit in both of every two tests, 64 pairs of cases at once."""
    tests, negatives = rank.shape
    small = np.int16 if negatives < np.iinfo(np.int16).max else np.int32
    limit, rank = limit.astype(small), rank.astype(small)
    answer = np.zeros((tests, tests), dtype=np.int64)
    rows = max(1, PAIRS // negatives)
    for start in range(0, limit.shape[1], rows):
        part = limit[:, start : start + rows]
        size = part.shape[1] * negatives
        bits = np.zeros((tests, -(-size // 64) * 8), dtype=np.uint8)
        for test in range(tests):
            bits[test, : -(-size // 8)] = np.packbits(rank[test][None, :] < part[test][:, None])
        words = bits.view(np.uint64)
        for test in range(tests):
            answer[test, test:] += np.bitwise_count(words[test] & words[test:]).sum(axis=1, dtype=np.int64)
    return np.asarray(np.triu(answer) + np.triu(answer, 1).T, dtype=float)
