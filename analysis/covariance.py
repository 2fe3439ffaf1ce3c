"""How the figures of merit of all readers and arms vary together over cases: DeLong, jackknife, unbiased.

A figure of merit is described by its placements (reader x arm, case): their mean over the diseased and over the
non-diseased cases read is the figure itself. For the AUC they are the structural components; for sensitivity the
decisions of the diseased cases, and a constant elsewhere; for specificity the other way round.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.delong import placement_covariance, placements
from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats, Ratings

Figure = Literal["auc", "sensitivity", "specificity"]
Covariance = Literal["delong", "jackknife", "unbiased"]
FIGURES = ("auc", "sensitivity", "specificity")
COVARIANCES = ("delong", "jackknife", "unbiased")
# The truth of the cases that a figure rests on.
CLASSES = {"auc": (True, False), "sensitivity": (True,), "specificity": (False,)}
BLOCK = 64


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of merit of all readers and arms.

    values: (reader, arm); place: (reader x arm, case), NaN where not read; truth: (case,).
    """

    figure: Figure
    values: Floats
    place: Floats
    truth: Bools


def figures_of_merit(ratings: Ratings, figure: Figure = "auc") -> Figures:
    """What is the figure of merit of every reader in every arm?

    ratings.values: (reader, arm, case), NaN = not read; for sensitivity and specificity decisions 0/1.
    Refused: an unknown figure, decisions that are not 0/1, a reader without the classes the figure needs.

    >>> truth = np.array([False, False, True, True])
    >>> values = np.array([[[1.0, 2, 2, 3]]])
    >>> figures_of_merit(Ratings(("R",), ("A",), ("1", "2", "3", "4"), truth, values)).values.tolist()
    [[0.875]]
    """
    if figure not in FIGURES:
        raise CannotAnalyse(f"The figure of merit is {', '.join(FIGURES)}, not {figure}.")
    readers, arms, cases = ratings.values.shape
    place = np.full((readers * arms, cases), np.nan)
    values = np.empty((readers, arms))
    for reader, name in enumerate(ratings.readers):
        for arm, arm_name in enumerate(ratings.arms):
            row = ratings.values[reader, arm]
            read = ~np.isnan(row)
            try:
                found = cell_placements(ratings.truth[read], row[read], figure)
            except CannotAnalyse as refusal:
                raise CannotAnalyse(f"Reader {name} in arm {arm_name}: {refusal}") from refusal
            place[reader * arms + arm, read] = found
            values[reader, arm] = found[ratings.truth[read] == (figure != "specificity")].mean()
    return Figures(figure, values, place, ratings.truth)


def cell_placements(truth: Bools, values: Floats, figure: Figure) -> Floats:
    if figure == "auc":
        return placements(truth, values)
    if not bool(np.isin(values, (0.0, 1.0)).all()):
        raise CannotAnalyse(f"The {figure} needs decisions of 0 or 1, and some values are neither.")
    wanted = truth if figure == "sensitivity" else ~truth
    if not wanted.any():
        raise CannotAnalyse(f"There are no {'diseased' if figure == 'sensitivity' else 'non-diseased'} cases.")
    right = values if figure == "sensitivity" else 1 - values
    return np.where(wanted, right, right[wanted].mean())


def covariance(figures: Figures, method: Covariance = "delong", ratings: Ratings | None = None) -> Floats:
    """How do the figures of merit vary together over cases?

    figures: from `figures_of_merit`; ratings: the same readings, needed by the unbiased covariance of the AUC.
    Answer: (reader x arm, reader x arm), arms within readers.
    delong: DeLong et al. (1988), eq. 5-7; every reading must be there. jackknife: (N - 1)/N times the sum of
    squares of the figures without each case about their mean, N the cases of the classes that the figure rests on;
    a figure keeps its value without a case that its reader did not read. unbiased: see `unbiased_covariance`.
    """
    if method == "delong":
        return delong(figures)
    if method == "jackknife":
        return jackknife(figures)
    if method == "unbiased":
        return unbiased_mean(figures) if figures.figure != "auc" or ratings is None else unbiased_auc(ratings)
    raise CannotAnalyse(f"The covariance is {', '.join(COVARIANCES)}, not {method}.")


def delong(figures: Figures) -> Floats:
    """Covariance from placements; refused where readings are missing or a class has fewer than two cases."""
    missing = int(np.isnan(figures.place).sum())
    if missing:
        raise CannotAnalyse(
            f"{missing} readings are missing, and the DeLong covariance needs every reader to have read every "
            "case in every arm; use the jackknife or the unbiased covariance."
        )
    check_two(figures, ~np.isnan(figures.place))
    if figures.figure == "auc":
        return placement_covariance(figures.place, figures.truth)
    part = figures.place[:, figures.truth == (figures.figure == "sensitivity")]
    part = part - part.mean(axis=1, keepdims=True)
    count = part.shape[1]
    return np.asarray(part @ part.T / (count - 1) / count)


def jackknife(figures: Figures) -> Floats:
    """Jackknife in closed form: leaving a case out moves the mean placement of its class."""
    read = ~np.isnan(figures.place)
    check_two(figures, read)
    flat = figures.values.reshape(-1, 1)
    moved = []
    for kind in CLASSES[figures.figure]:
        chosen = figures.truth == kind
        counts = read[:, chosen].sum(axis=1, keepdims=True)
        step = np.where(read[:, chosen], figures.place[:, chosen] - flat, 0.0)
        moved.append(step / (counts - 1))
    steps = np.concatenate(moved, axis=1)
    steps -= steps.mean(axis=1, keepdims=True)
    cases = steps.shape[1]
    return np.asarray((cases - 1) / cases * (steps @ steps.T))


def check_two(figures: Figures, read: Bools) -> None:
    """Refuse a reader with fewer than two cases of a class that the figure rests on."""
    for kind in CLASSES[figures.figure]:
        if bool((read[:, figures.truth == kind].sum(axis=1) < 2).any()):
            word = "diseased" if kind else "non-diseased"
            raise CannotAnalyse(f"The covariance needs at least two {word} cases from every reader in every arm.")


def unbiased_auc(ratings: Ratings) -> Floats:
    """Which covariance of AUCs is unbiased, also with missing cells?

    theta_x theta_y minus the mean of s_x(i,j) s_y(k,l) over all quadruples with i != k and j != l, where s_x(i,j)
    is 1, 1/2 or 0 as diseased case i is rated above, equal to or below non-diseased case j in x. Quadruples with
    i = k or j = l are counted out by inclusion and exclusion over the cases that both x and y read.
    Source: Gallas (2006), Acad. Radiol. 13:353-362; Gallas, Pennello & Myers (2007), JOSA A 24:B70-B80.
    May be negative. Fewer than two diseased or non-diseased cases: refused.
    """
    values = ratings.values.reshape(-1, ratings.values.shape[2])
    positives, negatives = values[:, ratings.truth], values[:, ~ratings.truth]
    has_p = (~np.isnan(positives)).astype(float)
    has_n = (~np.isnan(negatives)).astype(float)
    n1, n0 = has_p.sum(axis=1), has_n.sum(axis=1)
    if bool((n1 < 2).any() or (n0 < 2).any()):
        raise CannotAnalyse("The unbiased covariance needs two diseased and two non-diseased cases in every cell.")
    rows, columns, same_pair = success_sums(positives, negatives)
    total = np.outer(rows.sum(axis=1), rows.sum(axis=1))
    pairs = np.outer(n1 * n0, n1 * n0)
    both_p, both_n = has_p @ has_p.T, has_n @ has_n.T
    overlapping = both_p * np.outer(n0, n0) + both_n * np.outer(n1, n1) - both_p * both_n
    apart = total - (rows @ rows.T + columns @ columns.T - same_pair)
    return np.asarray(total / pairs - apart / (pairs - overlapping))


def success_sums(positives: Floats, negatives: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums of s(i,j) over j (test, i), over i (test, j), and of products over both (test, test); NaN scores 0."""
    tests = len(positives)
    rows, columns = np.zeros(positives.shape), np.zeros(negatives.shape)
    same_pair = np.zeros((tests, tests))
    for start in range(0, positives.shape[1], BLOCK):
        block = positives[:, start : start + BLOCK, None]
        # Comparisons with NaN are False, so a missing reading adds nothing; halves are exact in single precision.
        score = np.greater(block, negatives[:, None, :]).astype(np.float32)
        score += np.equal(block, negatives[:, None, :]) * np.float32(0.5)
        rows[:, start : start + BLOCK] = score.sum(axis=2, dtype=float)
        columns += score.sum(axis=1, dtype=float)
        flat = score.reshape(tests, -1)
        same_pair += flat @ flat.T
    return rows, columns, same_pair


def unbiased_mean(figures: Figures) -> Floats:
    """The same for a mean of decisions: the product of means minus the mean over pairs of different cases."""
    if figures.figure == "auc":
        raise CannotAnalyse("The unbiased covariance of the AUC needs the ratings themselves.")
    part = figures.place[:, figures.truth == (figures.figure == "sensitivity")]
    has = (~np.isnan(part)).astype(float)
    check_two(figures, ~np.isnan(figures.place))
    part = np.nan_to_num(part)
    total = np.outer(part.sum(axis=1), part.sum(axis=1))
    pairs = np.outer(has.sum(axis=1), has.sum(axis=1))
    return np.asarray(total / pairs - (total - part @ part.T) / (pairs - has @ has.T))
