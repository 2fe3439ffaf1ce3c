"""How the figures of merit of all readers and arms vary together over cases: DeLong, jackknife, unbiased, bootstrap.

A figure of merit that is a mean is described by its placements (reader x arm, case): their mean over each class it
rests on is the figure itself. For the AUC they are the structural components; for sensitivity the decisions of the
diseased cases, and a constant elsewhere. Figures without placements have their values without each case instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.case_bootstrap import bootstrap_covariance
from analysis.errors import CannotAnalyse
from analysis.merit_names import merit_named
from analysis.merits import Auc, Merit, Rate
from analysis.ratings import Bools, Floats, Ratings, are_missing
from analysis.resampling import REPLICATES, SEED
from analysis.unbiased import unbiased_auc, unbiased_mean

Figure = Literal["auc", "sensitivity", "specificity"]
Covariance = Literal["delong", "jackknife", "unbiased", "bootstrap"]
FIGURES = ("auc", "sensitivity", "specificity")
COVARIANCES = ("delong", "jackknife", "unbiased", "bootstrap")


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of merit of all readers and arms.

    values: (reader, arm), NaN where the reader read nothing in the arm; place: (reader x arm, case), NaN where not
    read, None for a figure without placements.
    """

    merit: Merit
    values: Floats
    place: Floats | None
    ratings: Ratings

    @property
    def truth(self) -> Bools:
        return self.ratings.truth

    @property
    def read(self) -> Bools:
        """(reader x arm, case): whether there is a reading."""
        return ~np.isnan(self.ratings.values.reshape(-1, len(self.truth)))

    @property
    def pools(self) -> tuple[Bools, ...]:
        """The sets of cases over each of which the placements have the figure as their mean."""
        if isinstance(self.merit, Rate):
            return (np.isin(self.truth, self.merit.classes),)
        return tuple(self.truth == kind for kind in self.merit.classes)


def figures_of_merit(ratings: Ratings, figure: str | Merit = "auc") -> Figures:
    """What is the figure of merit of every reader in every arm?

    ratings.values: (reader, arm, case), NaN = not read; for sensitivity, specificity and accuracy decisions 0/1.
    figure: a name of `merit_names.FORMS` or a figure of merit of your own (`merits.Custom`). A reader who read nothing
    in an arm has NaN there. Refused: an unknown figure, decisions that are not 0/1, a reader without the classes
    the figure needs.

    >>> truth = np.array([False, False, True, True])
    >>> values = np.array([[[1.0, 2, 2, 3]]])
    >>> figures_of_merit(Ratings(("R",), ("A",), ("1", "2", "3", "4"), truth, values)).values.tolist()
    [[0.875]]
    """
    merit = merit_named(figure)
    readers, arms, cases = ratings.values.shape
    place = np.full((readers * arms, cases), np.nan) if isinstance(merit, Auc | Rate) else None
    values = np.full(readers * arms, np.nan)

    def compute(cell: int, truth: Bools, row: Floats, read: Bools) -> None:
        if place is None or not isinstance(merit, Auc | Rate):
            values[cell] = merit.value(truth, row)
            return
        found = merit.placed(truth, row)
        place[cell, read] = found
        # The mean over either class is the AUC; over the diseased it carries the least rounding.
        pool = truth if isinstance(merit, Auc) else np.isin(truth, merit.classes)
        values[cell] = found[pool].mean()

    in_each_cell(ratings, compute)
    return Figures(merit, values.reshape(readers, arms), place, ratings)


def in_each_cell(ratings: Ratings, compute: Callable[[int, Bools, Floats, Bools], None]) -> None:
    """Call with (cell, truth, values, read) of every reader and arm with readings; a refusal names whom it concerns."""
    arms = len(ratings.arms)
    for reader, name in enumerate(ratings.readers):
        for arm, arm_name in enumerate(ratings.arms):
            row = ratings.values[reader, arm]
            read = ~np.isnan(row)
            if not read.any():
                continue
            try:
                compute(reader * arms + arm, ratings.truth[read], row[read], read)
            except CannotAnalyse as refusal:
                raise CannotAnalyse(f"Reader {name} in arm {arm_name}: {refusal}") from refusal


def covariance(
    figures: Figures, method: Covariance = "delong", replicates: int = REPLICATES, seed: int = SEED
) -> Floats:
    """How do the figures of merit vary together over cases?

    figures: from `figures_of_merit`. Answer: (reader x arm, reader x arm), arms within readers; NaN in rows of a
    reader who read nothing in an arm.
    delong: DeLong et al. (1988), eq. 5-7; every reading must be there and the figure be a mean. jackknife: (N - 1)/N
    times the sum of squares of the figures without each case about their mean, N the cases of the classes that the
    figure rests on; a figure keeps its value without a case that its reader did not read. unbiased: see
    `unbiased.unbiased_auc`. bootstrap: see `case_bootstrap.bootstrap_covariance`; replicates and seed are its own.
    """
    if method == "delong":
        return delong(figures)
    if method == "jackknife":
        return jackknife(figures)
    if method == "bootstrap":
        return bootstrap_covariance(figures.ratings, figures.merit, replicates, seed).covariance
    if method != "unbiased":
        raise CannotAnalyse(f"The covariance is {', '.join(COVARIANCES)}, not {method}.")
    if figures.place is None:
        raise CannotAnalyse(
            f"The unbiased covariance exists for the AUC and for shares of decisions, not for {figures.merit.name}; "
            "use the jackknife or the bootstrap."
        )
    check_two(figures)
    if isinstance(figures.merit, Auc):
        return unbiased_auc(figures.ratings)
    return unbiased_mean(figures.place[:, figures.pools[0]])


def delong(figures: Figures) -> Floats:
    """Covariance from placements; refused where readings are missing or a class has fewer than two cases."""
    if figures.place is None:
        raise CannotAnalyse(
            f"The DeLong covariance exists for the AUC and for shares of decisions, not for {figures.merit.name}; "
            "use the jackknife or the bootstrap."
        )
    rows = np.flatnonzero(figures.read.any(axis=1))
    place = figures.place[rows]
    missing = int(np.isnan(place).sum())
    if missing:
        raise CannotAnalyse(
            f"{are_missing(missing)}, and the DeLong covariance needs every reader to have read every "
            "case in every arm; use the jackknife or the unbiased covariance."
        )
    check_two(figures)
    found = np.zeros((len(rows), len(rows)))
    for pool in figures.pools:
        part = place[:, pool]
        count = part.shape[1]
        part -= part.mean(axis=1, keepdims=True)
        found += part @ part.T / ((count - 1) * count)
    if len(rows) == figures.values.size:
        return found
    answer = np.full((figures.values.size, figures.values.size), np.nan)
    answer[np.ix_(rows, rows)] = found
    return answer


def jackknife(figures: Figures) -> Floats:
    """Jackknife of every figure of merit; a closed form wherever there is one."""
    steps = moves(figures)[:, np.isin(figures.truth, figures.merit.classes)]
    steps -= steps.mean(axis=1, keepdims=True)
    cases = steps.shape[1]
    steps[~figures.read.any(axis=1)] = np.nan
    return np.asarray((cases - 1) / cases * (steps @ steps.T))


def moves(figures: Figures) -> Floats:
    """By how much the figure falls when each case is left out: (reader x arm, case), 0 where not read."""
    check_two(figures)
    answer = np.zeros((figures.values.size, len(figures.truth)))
    flat = figures.values.ravel()
    if figures.place is not None:
        # Leaving a case out moves the mean placement of its class.
        for pool in figures.pools:
            read = figures.read[:, pool]
            part = np.where(read, figures.place[:, pool] - flat[:, None], 0.0)
            answer[:, pool] = part / np.maximum(read.sum(axis=1, keepdims=True) - 1, 1)
        return answer

    def compute(cell: int, truth: Bools, row: Floats, read: Bools) -> None:
        answer[cell, read] = flat[cell] - figures.merit.without_each(truth, row)

    in_each_cell(figures.ratings, compute)
    return answer


def check_two(figures: Figures) -> None:
    """Refuse a reader with fewer than two cases of a class that the figure rests on."""
    read = figures.read
    read = read[read.any(axis=1)]
    for kind in figures.merit.classes:
        if bool((read[:, figures.truth == kind].sum(axis=1) < 2).any()):
            word = "diseased" if kind else "non-diseased"
            raise CannotAnalyse(f"The covariance needs at least two {word} cases from every reader in every arm.")
