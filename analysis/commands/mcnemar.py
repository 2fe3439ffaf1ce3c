"""Two arms compared by their decisions, reader by reader."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from analysis.commands.words import add_format, add_table, check_by, listed, names_of, two_arms
from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    from analysis.answer import Answer
    from analysis.clustered import ClusteredTest
    from analysis.commands.paired_units import Units
    from analysis.paired import Test
    from analysis.ratings import Bools, Floats
    from analysis.rows import DifferenceRow
    from analysis.tables import Names

Metric = Literal["accuracy", "sensitivity", "specificity"]
PLAIN = ("exact", "midp", "asymptotic", "corrected")
CLUSTERED = ("obuchowski", "durkalski", "eliasziw", "yang")


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--arms", type=listed, required=True)
    command.add_argument("--by", type=listed, default=("reader",))
    command.add_argument("--test", choices=(*PLAIN, *CLUSTERED), help="exact, or obuchowski with --cluster")
    command.add_argument("--metric", choices=("accuracy", "sensitivity", "specificity"), default="accuracy")
    command.add_argument("--cluster", metavar="COLUMN", help="column whose values units nest in, such as patient")
    command.add_argument("--margin", type=float, help="non-inferiority of the second arm within this much")
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    check_by(options.by, ("reader",))
    arms = two_arms(options.arms)
    test = test_of(options.test, options.cluster, options.margin)
    return mcnemar(options.table, names_of(options), arms, test, options.metric, options.cluster, options.margin)


def test_of(test: str | None, cluster: str | None, margin: float | None) -> str:
    """The test asked for, or the one that goes with the other words; asymptotic with clusters is Obuchowski's."""
    if cluster is None:
        if test in CLUSTERED:
            raise CannotAnalyse(f"--test {test} is for clustered units; name their column with --cluster.")
        if margin is not None and test is not None:
            raise CannotAnalyse("--margin has the score test of its own; leave --test out.")
        return test or "exact"
    if test in (None, "asymptotic"):
        return "obuchowski"
    if test in PLAIN:
        raise CannotAnalyse(f"With --cluster the test is {', '.join(CLUSTERED)} or asymptotic, not {test}.")
    return str(test)


def mcnemar(
    path: Path,
    names: "Names",
    arms: tuple[str, str],
    test: str = "exact",
    metric: Metric = "accuracy",
    cluster: str | None = None,
    margin: float | None = None,
) -> "Answer":
    """McNemar's comparison of two arms, reader by reader, with Newcombe's interval of the difference."""
    import numpy as np

    from analysis.commands.paired_units import paired_units, with_margin
    from analysis.commands.rows import decision_column, differences, of_readers
    from analysis.margins import check_margin
    from analysis.tables import read_table

    if margin is not None:
        check_margin(margin)
    frame = read_table(path, names, () if cluster is None else (cluster,))
    value = decision_column(list(frame.columns), names)
    table = paired_units(frame, names, value, arms, cluster)
    values = table.ratings.values
    if not bool(np.isin(values[~np.isnan(values)], (0, 1)).all()):
        raise CannotAnalyse(f"The column {value} must be 0 or 1 to be a decision; --rating NAME names another column.")

    def of_reader(reader: str) -> "DifferenceRow":
        units = table.units(reader, arms)
        kept = {"accuracy": np.ones_like(units.truth), "sensitivity": units.truth, "specificity": ~units.truth}[metric]
        if not kept.any():
            word = {"accuracy": "", "sensitivity": "diseased ", "specificity": "non-diseased "}[metric]
            raise CannotAnalyse(f"No {word}case was decided in both arms.")
        return compare_reader(units.kept(kept), reader, arms, test, margin)

    warnings = list(table.warnings)
    rows = of_readers(table.ratings.readers, of_reader, warnings)
    said = with_margin(f"{name_of(test, cluster, margin)}, {metric}", arms, margin)
    return differences(said, table.ratings, rows, warnings)


def name_of(test: str, cluster: str | None, margin: float | None) -> str:
    if cluster is not None:
        return f"McNemar for clusters by {cluster}, {test}"
    return f"McNemar, {test}" if margin is None else "Score test and interval of Tango"


def compare_reader(
    units: "Units", reader: str, arms: tuple[str, str], test: str, margin: float | None
) -> "DifferenceRow":
    from analysis.clustered import cluster_counts, clustered_mcnemar
    from analysis.commands.paired_units import against_margin
    from analysis.commands.rows import LEVEL
    from analysis.margins import margin_test, paired_margin_test
    from analysis.paired import mcnemar as mcnemar_test
    from analysis.paired import paired_table
    from analysis.rows import DifferenceRow, mcnemar_row

    one, two = right(units.truth, units.first), right(units.truth, units.second)
    if units.clusters is None:
        plain = mcnemar_test(paired_table(one, two), cast("Test", test))
        row = mcnemar_row(plain, *arms, reader, plain.confidence_interval(LEVEL))
        return row if margin is None else against_margin(row, partial(paired_margin_test, plain.table, margin))
    found = clustered_mcnemar(cluster_counts(one, two, units.clusters), cast("ClusteredTest", test))
    limits = found.confidence_interval(LEVEL)
    row = DifferenceRow(
        *arms, reader, found.estimate, found.se, None, found.statistic, found.p, limits.low, limits.high,
        n=found.table.n, warnings=found.warnings,
    )  # fmt: skip
    return row if margin is None else against_margin(row, partial(margin_test, found.estimate, found.se, margin))


def right(truth: "Bools", decision: "Floats") -> "Floats":
    """1 where a decision agrees with the truth, 0 where not; anything but 0 and 1 is kept to be refused."""
    answer = decision.copy()
    answer[~truth] = 1 - decision[~truth]
    return answer
