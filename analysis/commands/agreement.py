"""Agreement of readers beyond chance, arm by arm."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from analysis.commands.words import add_format, add_table, names_of

if TYPE_CHECKING:
    from analysis.agreement import Weights
    from analysis.answer import Answer
    from analysis.tables import Names


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--kind", choices=("kappa", "fleiss"), default="kappa")
    command.add_argument("--weights", choices=("linear", "quadratic"))
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    return agreement(options.table, names_of(options), options.kind, options.weights or "none")


def agreement(path: Path, names: "Names", kind: Literal["kappa", "fleiss"], weights: "Weights" = "none") -> "Answer":
    """Agreement of readers in each arm, on decisions where there are any, else on ratings."""
    import numpy as np

    from analysis.agreement import fleiss_kappa, pairwise_kappa
    from analysis.answer import Answer, CellRow
    from analysis.commands.rows import LEVEL, decision_column, named
    from analysis.tables import facts, judged, read_table

    frame = read_table(path, names)
    value = decision_column(list(frame.columns), names)
    ratings = judged(frame, names, value)
    rows = []
    for place, arm in enumerate(ratings.arms):
        values = ratings.values[:, place]
        values = values[:, ~np.isnan(values).all(axis=0)]
        if kind == "fleiss":
            fleiss = named(partial(fleiss_kappa, values), arm)
            limits = fleiss.confidence_interval(LEVEL)
            rows.append(CellRow("all", arm, fleiss.estimate, fleiss.se, limits.low, limits.high))
            continue
        for one, two, kappa in named(partial(pairwise_kappa, ratings.readers, values, weights), arm):
            limits = kappa.confidence_interval(LEVEL)
            rows.append(CellRow(f"{one}, {two}", arm, kappa.estimate, kappa.se, limits.low, limits.high))
    method = "Fleiss' kappa" if kind == "fleiss" else f"Cohen's kappa, {weights} weights"
    return Answer(f"{method}, {value}", facts(ratings, with_truth=False), tuple(rows))
