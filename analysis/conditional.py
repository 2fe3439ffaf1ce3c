"""Moments of shares of right decisions from means within readers, for incomplete designs."""

import numpy as np

from analysis.ratings import Floats


def conditional_moments(right: Floats) -> tuple[Floats, Floats]:
    """Which moments follow from nested conditional means: over cases within readers, then over readers?

    right: (reader, arm, case), 1 right, 0 wrong, NaN not read. Answer: four moments and their coefficients, each
    (arm, arm, 4) in the order of `analysis.moments`. A reader weighs by his number of cases, two readers by the
    product of theirs; where two readers share no case they say nothing of the moment of a shared case, and their
    weight counts neither above nor below the line.
    Source: Gallas, Pennello & Myers (2007), JOSA A 24:B70-B80, section 3.

    >>> right = np.array([[[1.0, 0, 1, 1]], [[np.nan, 0, 1, 0]], [[1, 1, 1, 0]]])
    >>> conditional_moments(right)[0][0, 0].round(4).tolist()
    [0.6364, 0.3636, 0.4, 0.3625]
    """
    arms = right.shape[1]
    pairs = [[of_pair(right[:, one], right[:, two]) for two in range(arms)] for one in range(arms)]
    return (
        np.array([[found for found, _ in row] for row in pairs]),
        np.array([[coefficients for _, coefficients in row] for row in pairs]),
    )


def of_pair(one: Floats, two: Floats) -> tuple[Floats, Floats]:
    """Four moments and coefficients of two arms, each (reader, case)."""
    has_one, has_two = (~np.isnan(one)).astype(float), (~np.isnan(two)).astype(float)
    one, two = np.nan_to_num(one), np.nan_to_num(two)
    n_one, n_two = has_one.sum(axis=1), has_two.sum(axis=1)
    weight_one, weight_two = n_one / n_one.sum(), n_two / n_two.sum()
    shared, products = has_one @ has_two.T, one @ two.T
    # Mean over the other cases of the second arm, for every case of the first.
    others = quotient(two.sum(axis=1, keepdims=True) - two, n_two[:, None] - has_two)
    apart = quotient(one, n_one[:, None]) @ np.nan_to_num(others).T
    same = np.eye(len(one), dtype=bool)
    weights, single = np.outer(weight_one, weight_two), np.sqrt(weight_one * weight_two)
    averages = quotient(products, shared)
    share = np.nan_to_num(quotient(shared, np.outer(n_one, n_two)))
    possible = np.where(np.outer(n_one, n_two) > shared, apart, np.nan)
    found = [
        weighted(np.diagonal(averages), single),
        weighted(np.diagonal(possible), single),
        weighted(averages[~same], weights[~same]),
        weighted(possible[~same], weights[~same]),
    ]
    parts = [weights * share, weights * (1 - share)]
    coefficients = [float(part[chosen].sum()) for chosen in (same, ~same) for part in parts]
    coefficients[-1] -= 1
    return np.array(found), np.array(coefficients)


def quotient(numbers: Floats, by: Floats) -> Floats:
    """NaN where there is nothing to divide by."""
    return np.where(by > 0, numbers / np.where(by > 0, by, 1), np.nan)


def weighted(values: Floats, weights: Floats) -> float:
    """Weighted mean of what exists; 0 where nothing does, and its coefficient is 0 too."""
    known = ~np.isnan(values)
    total = float(weights[known].sum())
    return float((values[known] * weights[known]).sum()) / total if total else 0.0
