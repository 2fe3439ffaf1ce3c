"""Bootstrap comparisons of two ROC curves at one point, and of the curves of different cases."""

import numpy as np

from analysis.bootstrapped import Measure, Part, area_measure, curve_replicates, estimates
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats
from analysis.resampling import REPLICATES, SEED, Bootstrap, summary
from analysis.roc import heights


def sensitivity_test(
    truth: Bools, first: Floats, second: Floats, specificity: float, replicates: int = REPLICATES, seed: int = SEED
) -> Bootstrap:
    """Do two ratings of the same cases have different sensitivities at one specificity?

    truth: (n,); first, second: (n,) without NaN; second minus first, each read from its curve by `roc.sensitivity_at`.
    The cases are drawn for both together, stratified, and the point is found anew on every drawn curve, as in pROC's
    roc.test(method = "specificity"). See `resampling.Bootstrap`. One class, or a difference without variation: refused.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> found = sensitivity_test(truth, np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4]), 0.5, 99)
    >>> round(found.estimate, 6)
    0.166667
    """
    return point_test(
        truth, first, second, lambda fpr, tpr: heights(fpr, tpr, "specificity", specificity), replicates, seed
    )


def specificity_test(
    truth: Bools, first: Floats, second: Floats, sensitivity: float, replicates: int = REPLICATES, seed: int = SEED
) -> Bootstrap:
    """Do two ratings of the same cases have different specificities at one sensitivity?

    As `sensitivity_test`, read by `roc.specificity_at`; pROC's roc.test(method = "sensitivity").

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> found = specificity_test(truth, np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4]), 0.5, 99)
    >>> round(found.estimate, 6)
    0.166667
    """
    return point_test(
        truth, first, second, lambda fpr, tpr: heights(fpr, tpr, "sensitivity", sensitivity), replicates, seed
    )


def point_test(truth: Bools, first: Floats, second: Floats, measure: Measure, replicates: int, seed: int) -> Bootstrap:
    ratings = np.stack([first, second])
    drawn, warnings = curve_replicates(truth, ratings, measure, replicates, seed)
    one, two = estimates(truth, ratings, measure)
    return varying(summary(float(two - one), drawn[:, 1] - drawn[:, 0], 0.0, seed, warnings))


def varying(found: Bootstrap) -> Bootstrap:
    if found.p is None:
        raise CannotAnalyse("The two curves differ without any variation, so their difference cannot be tested.")
    return found


def bootstrap_test_unpaired(
    first_truth: Bools,
    first_rating: Floats,
    second_truth: Bools,
    second_rating: Floats,
    part: Part | None = None,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Bootstrap:
    """Do two ratings of different cases have different areas (or parts of them)?

    All arrays (n1,) or (n2,) without NaN; second minus first. Both groups are drawn apart, stratified by class. See
    `resampling.Bootstrap`. One class in a group, or a difference without variation: refused.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> one, two = np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4])
    >>> round(bootstrap_test_unpaired(truth, one, truth, two, replicates=99).estimate, 6)
    0.111111
    """
    measure, seeds = area_measure(part), np.random.SeedSequence(seed).generate_state(2)
    groups = ((first_truth, first_rating[None, :]), (second_truth, second_rating[None, :]))
    one, two = (float(estimates(truth, rating, measure)[0]) for truth, rating in groups)
    drawn = [
        curve_replicates(truth, rating, measure, replicates, int(own))[0][:, 0]
        for (truth, rating), own in zip(groups, seeds, strict=True)
    ]
    return varying(summary(two - one, drawn[1] - drawn[0], 0.0, seed))
