"""Means over readers and cases with the variance of U-statistics, for any design."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.commands.words import add_format, add_table, listed, names_of

if TYPE_CHECKING:
    from analysis.answer import Answer, CellRow
    from analysis.moments import Metric, Moments
    from analysis.mrmc import Components
    from analysis.tables import Names
    from analysis.ustatistics import Variance


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--arms", type=listed, metavar="A,B", help="one arm, or two and more: later minus earlier")
    command.add_argument("--metric", choices=("auc", "sensitivity", "specificity", "accuracy"), default="auc")
    command.add_argument(
        "--variance", choices=("unbiased", "mle"), default="unbiased", help="U-statistic, or the larger V-statistic"
    )
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    return ustat(options.table, names_of(options), options.arms, options.metric, options.variance)


def ustat(
    path: Path,
    names: "Names",
    arms: tuple[str, ...] | None = None,
    metric: "Metric" = "auc",
    variance: "Variance" = "unbiased",
) -> "Answer":
    """Arms, their differences, and every reader, each with the variance over what is random."""
    from analysis.answer import Answer
    from analysis.commands.rows import LEVEL, decision_column
    from analysis.interval import Interval
    from analysis.rows import ArmRow, DifferenceRow, finite
    from analysis.tables import facts, rated, read_table
    from analysis.ustatistics import u_statistics

    frame = read_table(path, names)
    value = names.rating if metric == "auc" else decision_column(list(frame.columns), names)
    ratings = rated(frame, names, value, arms)
    found = u_statistics(ratings, metric, variance)
    warnings = list(found.warnings)

    def ends(interval: Interval) -> tuple[float, float]:
        return interval.low, interval.high

    means = tuple(
        ArmRow(row.arm, row.estimate, row.se, finite(row.df), *ends(row.confidence_interval(LEVEL)))
        for row in found.arms
    )
    differences = tuple(
        DifferenceRow(
            row.first, row.second, None, row.estimate, row.se, finite(row.df), row.statistic, row.p,
            *ends(row.confidence_interval(LEVEL)),
        )
        for row in found.differences
    )  # fmt: skip
    return Answer(
        f"{'U' if variance == 'unbiased' else 'V'}-statistics, {metric}, random readers and cases",
        facts(ratings),
        estimates=readers(found.moments, warnings),
        arms=means,
        differences=differences,
        components=components_of(found.moments, variance),
        warnings=tuple(warnings),
    )


def readers(found: "Moments", warnings: list[str]) -> tuple["CellRow", ...]:
    """Every reader in every arm, over cases only; normal."""
    import math

    from analysis.answer import CellRow
    from analysis.commands.rows import LEVEL
    from analysis.interval import wald

    rows = []
    for place, reader in enumerate(found.readers):
        for arm, name in enumerate(found.arms):
            estimate, variance = float(found.figures[place, arm]), float(found.variances[place, arm])
            if math.isnan(estimate):
                continue
            if not variance >= -1e-14:
                why = "negative" if variance < 0 else "unknown with a single case of a class"
                warnings.append(f"The variance of reader {reader} in arm {name} is {why}, so the reader has no row.")
                continue
            se = math.sqrt(max(variance, 0.0))
            interval = wald(estimate, se, LEVEL).clipped()
            rows.append(CellRow(reader, name, estimate, se, interval.low, interval.high))
    return tuple(rows)


def components_of(found: "Moments", variance: "Variance") -> "Components | None":
    """Obuchowski and Rockette's components where every reader read every case in one or two arms."""
    from analysis.components import crossed, obuchowski
    from analysis.mrmc import Components

    if not found.crossed or len(found.arms) > 2:
        return None
    pair = len(found.arms) == 2
    parts = obuchowski(crossed(found, 0, 1 if pair else None, variance == "mle")).first
    named = {part.name: part.component for part in parts}
    return Components(
        named["R"] if pair else None,
        named["TR"] if pair else None,
        named["ERROR"],
        named.get("COV1", 0.0),
        named["COV2"],
        named.get("COV3", 0.0),
    )
