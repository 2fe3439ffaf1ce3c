"""Many readers, many cases: Obuchowski and Rockette's analysis."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.commands.words import add_format, add_table, listed, names_of

if TYPE_CHECKING:
    from analysis.answer import Answer
    from analysis.covariance import Covariance, Figure
    from analysis.mrmc import Sampling
    from analysis.tables import Names


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--arms", type=listed)
    command.add_argument("--metric", choices=("auc", "sensitivity", "specificity"), default="auc")
    command.add_argument("--covariance", choices=("delong", "jackknife", "unbiased"), default="delong")
    command.add_argument("--readers", choices=("random", "fixed"), default="random")
    command.add_argument("--cases", choices=("random", "fixed"), default="random")
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    return mrmc(
        options.table, names_of(options), options.arms, options.metric, options.covariance, options.readers,
        options.cases,
    )  # fmt: skip


def mrmc(
    path: Path,
    names: "Names",
    arms: tuple[str, ...] | None,
    metric: "Figure" = "auc",
    covariance: "Covariance" = "delong",
    readers: "Sampling" = "random",
    cases: "Sampling" = "random",
) -> "Answer":
    """Obuchowski-Rockette over readers and cases."""
    from analysis.answer import Answer
    from analysis.commands.rows import LEVEL, decision_column
    from analysis.mrmc import obuchowski_rockette
    from analysis.rows import arm_difference_row, arm_row
    from analysis.tables import facts, rated, read_table

    frame = read_table(path, names)
    value = names.rating if metric == "auc" else decision_column(list(frame.columns), names)
    ratings = rated(frame, names, value, arms)
    found = obuchowski_rockette(ratings, metric, covariance, readers, cases)
    rows = [arm_difference_row(row, LEVEL) for row in (*found.differences, *found.reader_differences)]
    how = "no covariance over cases" if cases == "fixed" else f"{covariance} covariance"
    return Answer(
        f"Obuchowski-Rockette, {metric}, {how}, {readers} readers, {cases} cases",
        facts(ratings),
        arms=tuple(arm_row(mean, LEVEL) for mean in found.arms),
        differences=tuple(rows),
        overall=found.overall,
        components=found.components,
        warnings=found.warnings,
    )
