"""Second-order moments of a reader study after Barrett, Clarkson, Kupinski and Gallas (BDG): M1 to M8."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from analysis.conditional import conditional_moments
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats, Ratings
from analysis.success import successes

Metric = Literal["auc", "sensitivity", "specificity", "accuracy"]
Weights = Literal["joint", "conditional"]
METRICS: tuple[Metric, ...] = get_args(Metric)
# Sums of 10^20 carry this much rounding; below it a count of quadruples is none at all.
NONE = 1e-14


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean products of scores of two arms, and what multiplies them in the variance of the means.

    factors: what is sampled, readers last: (non-diseased, diseased, reader) for the AUC, (case, reader) for shares of
    right decisions. The last axis of the arrays tells what differs between the two scores of a product, one bit per
    factor: 0 nothing, 1 the first factor, 2 the second, 3 both ... so M1 to M8 for the AUC.
    means: (arm,); figures and variances: (reader, arm), NaN where a reader has none; unbiased: products over what
    differs indeed; biased: products over what may differ (V-statistic); coefficients sum to 0. All three
    (arm, arm, 2**factors). sizes: how many of each factor; crossed: every reader read every case in every arm.
    """

    metric: str
    factors: tuple[str, ...]
    readers: tuple[str, ...]
    arms: tuple[str, ...]
    means: Floats
    figures: Floats
    variances: Floats
    unbiased: Floats
    biased: Floats
    coefficients: Floats
    sizes: tuple[int, ...]
    crossed: bool

    def covariance(self, first: int, second: int, biased: bool = False) -> float:
        """Of the means of two arms; the variance where both are one."""
        chosen = self.biased if biased else self.unbiased
        return float(self.coefficients[first, second] @ chosen[first, second])

    def variance_of_difference(self, first: int, second: int, biased: bool = False) -> float:
        own = self.covariance(first, first, biased) + self.covariance(second, second, biased)
        return own - 2 * self.covariance(first, second, biased)


def moments(ratings: Ratings, metric: Metric = "auc", weights: Weights = "joint") -> Moments:
    """How do two scores vary together that share a reader, a diseased case, a non-diseased case, or nothing?

    ratings.values: (reader, arm, case), NaN = not read, any design: split-plot, missing cells, readers nested in arms.
    auc: scores s(i,j) of pairs, ties one half. sensitivity, specificity, accuracy: decisions 0/1, right or not;
    accuracy takes all cases as one sample. joint: every score counts alike, so a reader counts by what he read.
    conditional (not for the AUC): means within readers, weighted by their numbers of cases; on fully crossed
    data both are one.
    Source: Gallas (2006), Acad. Radiol. 13:353-362; Gallas, Bandos, Samuelson & Wagner (2009), Commun. Stat. A
    38:2586-2603, eq. 8-12; Gallas & Brown (2008), Neural Networks 21:387-397 (joint); Gallas, Pennello & Myers (2007),
    JOSA A 24:B70-B80 (conditional).
    Refused: fewer than two readers or two cases of a class that is needed, an arm without a reading.

    >>> values = np.array([[[1.0, 2, 2, 3]], [[2.0, 1, 1, 3]]])
    >>> truth = np.array([False, False, True, True])
    >>> found = moments(Ratings(("R", "S"), ("A",), ("1", "2", "3", "4"), truth, values))
    >>> found.means.tolist(), found.unbiased[0, 0].round(4).tolist()
    ([0.75], [0.6875, 0.625, 0.5, 0.5, 0.5625, 0.625, 0.5, 0.5])
    """
    if metric not in METRICS:
        raise CannotAnalyse(f"The metric is {', '.join(METRICS)}, not {metric}.")
    ratings = of_who_read(ratings)
    if metric == "auc":
        if weights != "joint":
            raise CannotAnalyse("The moments of the AUC weight every score alike.")
        return moments_of_areas(ratings)
    right = right_decisions(ratings, metric)
    found = moments_of_scores(ratings, metric, right)
    if weights == "joint":
        return found
    unbiased, coefficients = conditional_moments(right)
    return replace(found, unbiased=unbiased, coefficients=coefficients)


def of_who_read(ratings: Ratings) -> Ratings:
    """Without readers and cases that hold no reading, so that they count nowhere."""
    some = ~np.isnan(ratings.values).all(axis=(1, 2))
    if not some.any():
        raise CannotAnalyse("There is no reading.")
    return ratings.restricted(readers=tuple(np.array(ratings.readers, dtype=object)[some]))


def moments_of_areas(ratings: Ratings) -> Moments:
    """Eight moments from the scores of all pairs of cases."""
    readers, _, cases = ratings.values.shape
    read = ~np.isnan(ratings.values)
    check_enough(ratings, read, (True, False))
    sums = successes(ratings.values.reshape(-1, cases), ratings.truth)
    n1, n0 = sums.read_positives.sum(axis=1), sums.read_negatives.sum(axis=1)
    total = sums.rows.sum(axis=1)
    both1, both0 = sums.read_positives @ sums.read_positives.T, sums.read_negatives @ sums.read_negatives.T
    numerators = [sums.together, sums.rows @ sums.rows.T, sums.columns @ sums.columns.T, np.outer(total, total)]
    counts = [both1 * both0, both1 * np.outer(n0, n0), both0 * np.outer(n1, n1), np.outer(n1 * n0, n1 * n0)]
    factors = ("non-diseased", "diseased", "reader")
    sizes = (ratings.negatives, ratings.positives, readers)
    return assembled(ratings, "auc", factors, sizes, numerators, counts, total, n1 * n0)


def moments_of_scores(ratings: Ratings, metric: str, scores: Floats) -> Moments:
    """Four moments from one score per reading, (reader, arm, case)."""
    readers, _, cases = scores.shape
    flat = scores.reshape(-1, cases)
    read = (~np.isnan(flat)).astype(float)
    flat = np.nan_to_num(flat)
    total, n = flat.sum(axis=1), read.sum(axis=1)
    numerators = [flat @ flat.T, np.outer(total, total)]
    counts = [read @ read.T, np.outer(n, n)]
    return assembled(ratings, metric, ("case", "reader"), (cases, readers), numerators, counts, total, n)


def right_decisions(ratings: Ratings, metric: Metric) -> Floats:
    """1 where the decision is right, over the cases that the metric rests on."""
    values = ratings.values
    if not bool((np.isnan(values) | np.isin(values, (0.0, 1.0))).all()):
        raise CannotAnalyse(f"The {metric} needs decisions of 0 or 1, and some values are neither.")
    right = np.where(ratings.truth, values, 1 - values)
    kept = {"sensitivity": ratings.truth, "specificity": ~ratings.truth}.get(metric)
    classes = {"sensitivity": (True,), "specificity": (False,)}.get(metric, ())
    check_enough(ratings, ~np.isnan(values), classes)
    return right if kept is None else right[:, :, kept]


def check_enough(ratings: Ratings, read: Bools, classes: tuple[bool, ...]) -> None:
    """Every arm needs two readers, and two cases of each class that the metric rests on."""
    for place, arm in enumerate(ratings.arms):
        for kind in classes:
            some = int(read[:, place][:, ratings.truth == kind].any(axis=0).sum())
            if some < 2:
                word = "diseased" if kind else "non-diseased"
                raise CannotAnalyse(f"The readers of arm {arm} read {some} {word} cases; at least two are needed.")
        some = int(read[:, place].any(axis=0).sum())
        if some < 2:
            raise CannotAnalyse(f"The readers of arm {arm} read {some} cases; at least two are needed.")
        who = int(read[:, place].any(axis=1).sum())
        if who < 2:
            raise CannotAnalyse(
                f"Arm {arm} has one reader, and a variance over readers needs two; "
                "a single reader is compared by DeLong's or McNemar's test."
            )


def assembled(
    ratings: Ratings,
    metric: str,
    factors: tuple[str, ...],
    sizes: tuple[int, ...],
    numerators: list[Floats],
    counts: list[Floats],
    total: Floats,
    number: Floats,
) -> Moments:
    """Moments from sums of products and their numbers for every two tests (reader x arm, reader x arm)."""
    shape = ratings.values.shape[:2]
    sums, pairs = over_readers(numerators, shape), over_readers(counts, shape)
    apart, quadruples = differing(sums), differing(pairs)
    quadruples = np.where(quadruples <= NONE * pairs, 0.0, quadruples)
    for place, arm in enumerate(ratings.arms):
        if quadruples[place, place, -1] == 0:
            raise CannotAnalyse(
                f"No two readers of arm {arm} read different cases of each class, so no variance exists."
            )
    coefficients = quadruples / pairs[..., -1:]
    coefficients[..., -1] -= 1
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = (total / number).reshape(shape)
        own = [np.diagonal(matrix) for matrix in numerators], [np.diagonal(matrix) for matrix in counts]
        within = differing(np.stack(own[0], axis=-1))[..., -1] / differing(np.stack(own[1], axis=-1))[..., -1]
    return Moments(
        metric,
        factors,
        ratings.readers,
        ratings.arms,
        total.reshape(shape).sum(axis=0) / number.reshape(shape).sum(axis=0),
        figures,
        figures**2 - within.reshape(shape),
        ratio(apart, quadruples),
        ratio(sums, pairs),
        coefficients,
        sizes,
        not np.isnan(ratings.values).any(),
    )


def over_readers(matrices: list[Floats], shape: tuple[int, int]) -> Floats:
    """(arm, arm, 2 x matrices): sums within readers, then over all pairs of readers."""
    cubes = [matrix.reshape(*shape, *shape) for matrix in matrices]
    within = [np.einsum("rarb->ab", cube) for cube in cubes]
    return np.stack([*within, *(cube.sum(axis=(0, 2)) for cube in cubes)], axis=-1)


def differing(sums: Floats) -> Floats:
    """Sums over what may differ turned into sums over what differs, factor by factor (last axis 2**factors)."""
    factors = sums.shape[-1].bit_length() - 1
    cube = sums.reshape(*sums.shape[:-1], *(2,) * factors).copy()
    for axis in range(1, factors + 1):
        part = np.moveaxis(cube, -axis, 0)
        part[1] -= part[0]
    return cube.reshape(sums.shape)


def ratio(sums: Floats, numbers: Floats) -> Floats:
    """0 where there is nothing to average; its coefficient is 0 too."""
    return np.where(numbers > 0, sums / np.where(numbers > 0, numbers, 1), 0.0)
