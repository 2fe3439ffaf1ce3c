"""Bootstrap intervals and tests of areas and partial areas under the ROC curve."""

from dataclasses import dataclass

import numpy as np

from analysis.delong import placements
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats
from analysis.resampling import REPLICATES, SEED, Bootstrap, bootstrap
from analysis.roc import Axis, RocCurve, check_two_classes, partial_area


@dataclass(frozen=True)
class Part:
    """Which part of the area is meant; None in its place means the whole."""

    axis: Axis
    low: float
    high: float
    corrected: bool = False


def area(truth: Bools, rating: Floats, part: Part | None) -> float:
    """AUC or partial area of one rating."""
    if part is None:
        return float(placements(truth, rating)[truth].mean())
    return partial_area(light_curve(truth, rating), part.axis, part.low, part.high, part.corrected)


def light_curve(truth: Bools, rating: Floats) -> RocCurve:
    """The curve of `roc.roc_curve` without the checks that cost more than the counting, for thousands of replicates."""
    order = np.argsort(-rating, kind="stable")
    ordered, hits = rating[order], np.cumsum(truth[order])
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(rating) - 1)
    tp = np.concatenate(([0], hits[ends]))
    fp = np.concatenate(([0], ends + 1 - hits[ends]))
    thresholds = np.concatenate(([np.inf], ordered[ends]))
    return RocCurve(fp / fp[-1], tp / tp[-1], thresholds, int(tp[-1]), int(fp[-1]))


def bootstrap_area(
    truth: Bools, rating: Floats, part: Part | None = None, replicates: int = REPLICATES, seed: int = SEED
) -> Bootstrap:
    """How large is the area (or a part of it), with a bootstrap interval?

    truth: (n,); rating: (n,) without NaN. See `resampling.bootstrap`, `roc.partial_area`. p tests the whole AUC
    against 1/2; for a part it is against 0 and says nothing. One class: refused.

    >>> found = bootstrap_area(np.array([0, 0, 0, 1, 1, 1], dtype=bool), np.array([1.0, 2, 3, 2, 3, 4]), replicates=99)
    >>> round(found.estimate, 6)
    0.777778
    """
    check_two_classes(truth)
    null = 0.5 if part is None else 0.0
    return bootstrap(truth, rating[None, :], lambda t, r: area(t, r[0], part), null, replicates, seed)


def bootstrap_test(
    truth: Bools,
    first: Floats,
    second: Floats,
    part: Part | None = None,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Bootstrap:
    """Do two ratings of the same cases have different areas (or parts of them)?

    truth: (n,); first, second: (n,) without NaN, same cases; second minus first. The cases are drawn for both
    ratings together. Source: Hanley & McNeil (1983) as in pROC's roc.test(method = "bootstrap"). One class, or a
    difference without variation: refused.

    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> found = bootstrap_test(truth, np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4]), replicates=99)
    >>> round(found.estimate, 6)
    0.111111
    """
    check_two_classes(truth)

    def statistic(drawn: Bools, ratings: Floats) -> float:
        return area(drawn, ratings[1], part) - area(drawn, ratings[0], part)

    found = bootstrap(truth, np.stack([first, second]), statistic, 0.0, replicates, seed)
    if found.p is None:
        raise CannotAnalyse("The two areas differ without any variation, so their difference cannot be tested.")
    return found
