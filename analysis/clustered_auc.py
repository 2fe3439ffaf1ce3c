"""AUCs of units that nest in clusters (vertebrae in patients), where a cluster may hold both classes."""

import math
from dataclasses import dataclass

import numpy as np

from analysis.clustered import Labels
from analysis.delong import Auc, AucDifference, auc_result, difference, placements
from analysis.errors import CannotAnalyse
from analysis.interval import Interval, wald
from analysis.ratings import Bools, Floats


@dataclass(frozen=True)
class ClusteredAuc(Auc):
    """Area under one curve with a standard error between clusters; positives and negatives count units."""

    clusters: int = 0

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Student's t with clusters - 1 degrees of freedom, as that many spreads stand behind se; clipped to [0, 1]."""
        return wald(self.estimate, self.se, level, self.clusters - 1).clipped()


@dataclass(frozen=True)
class ClusteredAucDifference(AucDifference):
    """Second minus first AUC with a standard error between clusters."""

    clusters: int = 0


def clustered_covariance(truth: Bools, ratings: Floats, clusters: Labels) -> tuple[Floats, Floats]:
    """Which AUCs do several ratings of clustered units have, and how do they vary together?

    truth: (unit,); ratings: (test, unit) without NaN; clusters: (unit,) labels. Answer: AUCs (test,), covariance
    (test, test). With S1 and S0 the sums of placements less the AUC over the diseased and the non-diseased units of a
    cluster, m and n all units of either class, I1 and I0 the clusters that hold one, I all clusters:
    I1/((I1 - 1) m²) sum S1 S1' + I0/((I0 - 1) n²) sum S0 S0' + I/((I - 1) m n) sum (S1 S0' + S0 S1').
    Source: Obuchowski (1997), Biometrics 53:567-578. Where every unit is a cluster it is DeLong's covariance.
    One class, or a class in fewer than two clusters: refused.

    >>> truth = np.array([0, 1, 0, 1, 0, 1], dtype=bool)
    >>> ratings, patients = np.array([[1.0, 2, 2, 3, 3, 4]]), ["a", "a", "b", "b", "c", "c"]
    >>> areas, covariance = clustered_covariance(truth, ratings, patients)
    >>> areas.round(6).tolist(), covariance.round(6).tolist()
    ([0.777778], [[0.003086]])
    """
    labels = np.asarray(clusters)
    if labels.shape != truth.shape:
        raise CannotAnalyse(f"Every unit needs its cluster: {truth.size} units, {labels.size} clusters named.")
    place = np.stack([placements(truth, rating) for rating in ratings])
    areas = place[:, truth].mean(axis=1)
    names, codes = np.unique(labels, return_inverse=True)
    every = len(names)
    sums, held = [], []
    for chosen, word in ((truth, "diseased"), (~truth, "non-diseased")):
        about = np.where(chosen, place - areas[:, None], 0.0)
        sums.append(np.stack([np.bincount(codes, weights=row, minlength=every) for row in about]) / chosen.sum())
        held.append(len(np.unique(codes[chosen])))
        if held[-1] < 2:
            raise CannotAnalyse(f"There is only one cluster with {word} units, and the variance needs at least two.")
    one, zero = sums
    cross = one @ zero.T
    covariance = held[0] / (held[0] - 1) * (one @ one.T) + held[1] / (held[1] - 1) * (zero @ zero.T)
    return areas, np.asarray(covariance + every / (every - 1) * (cross + cross.T))


def clustered_auc(truth: Bools, rating: Floats, clusters: Labels) -> ClusteredAuc:
    """How well does a rating separate diseased from non-diseased units where units nest in clusters?

    truth: (unit,); rating: (unit,) without NaN; clusters: (unit,) labels. See `clustered_covariance`.

    >>> truth = np.array([0, 1, 0, 1, 0, 1], dtype=bool)
    >>> found = clustered_auc(truth, np.array([1.0, 2, 2, 3, 3, 4]), ["a", "a", "b", "b", "c", "c"])
    >>> round(found.estimate, 6), round(found.se, 6), found.clusters
    (0.777778, 0.055556, 3)
    """
    areas, covariance = clustered_covariance(truth, rating[None, :], clusters)
    plain = one_area(truth, areas[0], covariance[0, 0])
    count = len(np.unique(np.asarray(clusters)))
    return ClusteredAuc(
        plain.estimate, plain.se, plain.p, plain.positives, plain.negatives, "delong", plain.warnings, count
    )


def one_area(truth: Bools, area: float, variance: float) -> Auc:
    positives = int(truth.sum())
    # The cross term may leave a variance a little below zero where clusters balance within themselves.
    return auc_result(float(area), math.sqrt(max(float(variance), 0.0)), positives, truth.size - positives, "delong")


def clustered_auc_test(truth: Bools, first: Floats, second: Floats, clusters: Labels) -> ClusteredAucDifference:
    """Do two ratings of the same clustered units have different AUCs?

    truth, first, second, clusters: (unit,); second minus first; z = estimate / se. See `clustered_covariance`.
    Equal ratings: estimate 0, p = 1 and a warning; a difference without variance: refused.

    >>> truth = np.array([0, 1, 0, 1, 0, 1], dtype=bool)
    >>> one, two = np.array([1.0, 2, 2, 3, 3, 4]), np.array([3.0, 1, 2, 3, 1, 4])
    >>> found = clustered_auc_test(truth, one, two, ["a", "a", "b", "b", "c", "c"])
    >>> round(found.estimate, 6), round(found.se, 6)
    (-0.111111, 0.337931)
    """
    areas, covariance = clustered_covariance(truth, np.stack([first, second]), clusters)
    one, two = (one_area(truth, areas[place], covariance[place, place]) for place in (0, 1))
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    plain = difference(one, two, variance, float(covariance[0, 1]), None)
    return ClusteredAucDifference(
        plain.estimate, plain.se, plain.statistic, plain.p, None, one, two, plain.covariance, plain.warnings,
        len(np.unique(np.asarray(clusters))),
    )  # fmt: skip
