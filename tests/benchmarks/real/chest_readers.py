"""Five radiologists beside models on chest films, each against a truth that he has no part in.

The published truth is the majority of three of them. For one of these three, the first of the two others takes his
place; so every reader, and every model beside him, is judged by three other people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from inference.reports import figures
from inference.reports.statistics import Statistics
from tests.journeys import films

TRUTHERS = ("4343882785", "4343883593", "4343883996")
OUTSIDE, INSIDE = "not of the truth", "of the truth, each with another in his place"
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Judged:
    """One radiologist on the films of the study.

    Attributes
    ----------
    name : str
    outside : bool
        Whether he has no part in the published truth.
    truth, said : ndarray of bool, shape (films,)
        The majority of three others, and what he said.
    """

    name: str
    outside: bool
    truth: Bools
    said: Bools

    @property
    def sensitivity(self) -> float:
        return float(self.said[self.truth].mean())

    @property
    def specificity(self) -> float:
        return float(1 - self.said[~self.truth].mean())

    @property
    def point(self) -> figures.Point:
        """On the ROC plane, with Wilson's limits."""
        ones, zeros = self.truth.sum(), (~self.truth).sum()
        found, left = (self.said & self.truth).sum(), (~self.said & ~self.truth).sum()
        above, beside = (
            proportion_confint(int(count), int(of), method="wilson") for count, of in ((found, ones), (left, zeros))
        )
        group = f"radiologists {OUTSIDE if self.outside else INSIDE}"
        return figures.Point(self.name, group, self.sensitivity, self.specificity, above, beside)


def votes(cases: Iterable[object]) -> pd.DataFrame:
    """Who called which film abnormal: a row a film, a column a radiologist."""
    said = films.readings(films.STUDY).astype({"Reader ID": str})
    return said.pivot(index="Image ID", columns="Reader ID", values="Abnormal").loc[list(cases)].astype(bool)


def truth_without(said: pd.DataFrame, reader: str) -> Bools:
    """The majority of three others: the published three, or two of these and the first of the two others."""
    others = [name for name in said.columns if name not in TRUTHERS]
    panel = [name for name in TRUTHERS if name != reader]
    panel += others[: 3 - len(panel)]
    return np.asarray(said[panel].sum(axis=1) >= 2)


def judged(said: pd.DataFrame) -> tuple[Judged, ...]:
    """All radiologists, those outside of the published truth first."""
    order = sorted(said.columns, key=lambda name: (name in TRUTHERS, name))
    return tuple(
        Judged(f"reader {name[-4:]}", name not in TRUTHERS, truth_without(said, name), said[name].to_numpy())
        for name in order
    )


def threshold_at(score: Floats, truth: Bools, specificity: float) -> float:
    """The lowest threshold (positive from it on) with at least that specificity.

    >>> threshold_at(np.array([0.1, 0.2, 0.3, 0.9]), np.array([False, False, False, True]), 2 / 3)
    0.20000000000000004
    """
    negatives = np.sort(score[~truth])
    below = int(np.ceil(specificity * len(negatives) - 1e-9))
    return float(np.nextafter(negatives[below - 1], np.inf)) if below else float("-inf")


def paired(readers: Sequence[Judged], scores: Mapping[str, Floats], cases: pd.DataFrame) -> pd.DataFrame:
    """Decisions of every reader and, at his specificity, of every model, as the statistics read pairs.

    A film has another truth for another reader, so its name holds the reader's.

    Parameters
    ----------
    cases : DataFrame
        ``case`` and ``patient`` in the order of all arrays.
    """
    parts = []
    for model, score in scores.items():
        for reader in readers:
            positive = score >= threshold_at(score, reader.truth, reader.specificity)
            for arm, said in (("reader", reader.said), ("model", positive)):
                parts.append(
                    pd.DataFrame(
                        {"reader": f"{model}|{reader.name}", "arm": arm, "case": f"{reader.name}|" + cases["case"],
                         "patient": cases["patient"], "truth": reader.truth.astype(int), "decision": said.astype(int)}
                    )
                )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def beside_readers(
    readers: Sequence[Judged], scores: Mapping[str, Floats], cases: pd.DataFrame, statistics: Statistics
) -> pd.DataFrame:
    """Sensitivity of each model at the specificity of each reader, minus his; patients' films are drawn together."""
    table = paired(readers, scores, cases)
    words = ["--arms", "reader,model", "--by", "reader", "--metric", "sensitivity", "--cluster", "patient"]
    found = statistics.differences("at-readers", "mcnemar", table, words).set_index("reader")
    reached = reached_at(readers, scores)
    rows = []
    for (model, reader), (specificity, sensitivity) in reached.items():
        row = found.loc[f"{model}|{reader.name}"]
        rows.append(
            {"model": model, "reader": reader.name, "his specificity": reader.specificity,
             "the model's there": specificity, "his sensitivity": reader.sensitivity,
             "the model's": sensitivity, "difference": row["estimate"], "difference low": row["low"],
             "difference high": row["high"], "p": row["p"]}
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame.assign(**{"p (Holm)": multipletests(frame["p"].astype(float), method="holm")[1]})


def reached_at(
    readers: Sequence[Judged], scores: Mapping[str, Floats]
) -> dict[tuple[str, Judged], tuple[float, float]]:
    """Specificity and sensitivity of a model at the threshold that a reader's specificity asks for."""
    found = {}
    for model, score in scores.items():
        for reader in readers:
            positive = score >= threshold_at(score, reader.truth, reader.specificity)
            specificity = float(1 - positive[~reader.truth].mean())
            found[model, reader] = (specificity, float(positive[reader.truth].mean()))
    return found
