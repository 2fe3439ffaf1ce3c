"""Two arms compared by their decisions, reader by reader."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from analysis.commands.words import add_format, add_table, check_by, listed, names_of, two_arms

if TYPE_CHECKING:
    from analysis.answer import Answer
    from analysis.paired import Test
    from analysis.ratings import Bools, Floats
    from analysis.rows import DifferenceRow
    from analysis.tables import Names


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--arms", type=listed, required=True)
    command.add_argument("--by", type=listed, default=("reader",))
    command.add_argument("--test", choices=("exact", "midp", "asymptotic", "corrected"), default="exact")
    command.add_argument("--metric", choices=("accuracy", "sensitivity", "specificity"), default="accuracy")
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    check_by(options.by, ("reader",))
    return mcnemar(options.table, names_of(options), two_arms(options.arms), options.test, options.metric)


def mcnemar(
    path: Path,
    names: "Names",
    arms: tuple[str, str],
    test: "Test" = "exact",
    metric: Literal["accuracy", "sensitivity", "specificity"] = "accuracy",
) -> "Answer":
    """McNemar's comparison of two arms, reader by reader, with Newcombe's interval of the difference."""
    import numpy as np

    from analysis.commands.rows import decision_column, differences
    from analysis.tables import rated, read_table

    frame = read_table(path, names)
    ratings = rated(frame, names, decision_column(list(frame.columns), names), arms)
    rows: list[DifferenceRow] = []
    warnings: list[str] = []
    for reader in ratings.readers:
        truth, first, second = ratings.pair(reader, *arms)
        kept = {"accuracy": np.ones_like(truth), "sensitivity": truth, "specificity": ~truth}[metric]
        if not kept.any():
            warnings.append(f"{reader} decided no case in both arms that {metric} rests on and is left out.")
            continue
        rows.append(compare_reader(truth[kept], first[kept], second[kept], reader, arms, test))
        warnings += [f"{reader}: {text}" for text in rows[-1].warnings]
    return differences(f"McNemar, {test}, {metric}", ratings, rows, warnings)


def compare_reader(
    truth: "Bools", first: "Floats", second: "Floats", reader: str, arms: tuple[str, str], test: "Test"
) -> "DifferenceRow":
    from analysis.commands.rows import LEVEL, named
    from analysis.paired import mcnemar as mcnemar_test
    from analysis.paired import paired_table
    from analysis.rows import mcnemar_row

    table = named(partial(paired_table, right(truth, first), right(truth, second)), reader)
    found = mcnemar_test(table, test)
    return mcnemar_row(found, *arms, reader, found.confidence_interval(LEVEL))


def right(truth: "Bools", decision: "Floats") -> "Floats":
    """1 where a decision agrees with the truth, 0 where not; anything but 0 and 1 is kept to be refused."""
    answer = decision.copy()
    answer[~truth] = 1 - decision[~truth]
    return answer
