"""Five radiologists beside models on chest films, each against a truth that is made without this one.

The published truth is the majority of three of them. For one of these three, the first of the two others steps in; so
every reader, and every model that is compared with this reader, is judged by three other people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from inference.reports import figures
from inference.reports.statistics import Statistics
from tests.journeys import films

TRUTHERS = ("4343882785", "4343883593", "4343883996")
OUTSIDE = "radiologists without a part in the published truth"
INSIDE = "radiologists of the published truth, each against two of them and another"
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Decisions = Mapping[tuple[str, str], Bools]
Metric = Literal["sensitivity", "specificity"]


@dataclass(frozen=True, eq=False)
class Judged:
    """One radiologist on the films of the study.

    Attributes
    ----------
    name : str
    outside : bool
        Whether the published truth is made without this one.
    truth, said : ndarray of bool, shape (films,)
        The majority of three others, and what this one said.
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
        group = OUTSIDE if self.outside else INSIDE
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
        Judged(f"reader\u00a0{name[-4:]}", name not in TRUTHERS, truth_without(said, name), said[name].to_numpy())
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


def at_specificities(readers: Sequence[Judged], scores: Mapping[str, Floats]) -> Decisions:
    """What each model would say at each reader's specificity, against the truth without this reader."""
    return {
        (model, reader.name): score >= threshold_at(score, reader.truth, reader.specificity)
        for model, score in scores.items()
        for reader in readers
    }


def paired(readers: Sequence[Judged], decisions: Decisions, cases: pd.DataFrame) -> pd.DataFrame:
    """Decisions of readers and models as the statistics read pairs.

    A film has another truth for another reader, so its name holds the reader's.

    Parameters
    ----------
    decisions : mapping of (model, reader) to ndarray of bool
    cases : DataFrame
        ``case`` and ``patient`` in the order of all arrays.
    """
    known = {reader.name: reader for reader in readers}
    parts = []
    for (model, name), positive in decisions.items():
        reader = known[name]
        for arm, said in (("reader", reader.said), ("model", positive)):
            parts.append(
                pd.DataFrame(
                    {"reader": f"{model}|{name}", "arm": arm, "case": f"{name}|" + cases["case"],
                     "patient": cases["patient"], "truth": reader.truth.astype(int), "decision": said.astype(int)}
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def compared(table: pd.DataFrame, metric: Metric, name: str, statistics: Statistics) -> pd.DataFrame:
    """Each model minus each reader by one metric; films of a patient are drawn together, Holm over all rows.

    Parameters
    ----------
    table : DataFrame
        As `paired` has it.
    name : str
        Of the folder in which question and answer are kept.
    """
    words = ["--arms", "reader,model", "--by", "reader", "--metric", metric, "--cluster", "patient"]
    found = statistics.differences(name, "mcnemar", table, words).set_index("reader")
    rows = []
    for pair, part in table.groupby("reader", sort=False):
        model, _, reader = str(pair).partition("|")
        row = found.loc[pair]
        rows.append(
            {"model": model, "reader": reader, f"reader's {metric}": rate(part[part["arm"] == "reader"], metric),
             f"model's {metric}": rate(part[part["arm"] == "model"], metric), "difference": row["estimate"],
             "difference low": row["low"], "difference high": row["high"], "p": row["p"]}
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame.assign(**{"p (Holm)": multipletests(frame["p"].astype(float), method="holm")[1]})


def rate(part: pd.DataFrame, metric: Metric) -> float:
    """Share of right decisions in the films of one class."""
    wanted = 1 if metric == "sensitivity" else 0
    return float((part.loc[part["truth"] == wanted, "decision"] == wanted).mean())
