"""Two arms compared by the areas under their curves, reader by reader."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from analysis.commands.words import add_format, add_table, check_by, listed, names_of, two_arms

if TYPE_CHECKING:
    from analysis.answer import Answer
    from analysis.resampling import Bootstrap
    from analysis.rows import DifferenceRow
    from analysis.tables import Names


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--arms", type=listed, required=True)
    command.add_argument("--by", type=listed, default=("reader",))
    command.add_argument("--method", choices=("delong", "bootstrap"), default="delong")
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    check_by(options.by, ("reader",))
    return compare(options.table, names_of(options), two_arms(options.arms), options.method)


def compare(
    path: Path, names: "Names", arms: tuple[str, str], method: Literal["delong", "bootstrap"] = "delong"
) -> "Answer":
    """Paired comparison of the AUCs of two arms, reader by reader."""
    from analysis.bootstrapped import bootstrap_test
    from analysis.commands.rows import LEVEL, differences, named
    from analysis.delong import delong_test
    from analysis.resampling import SEED
    from analysis.rows import auc_difference_row
    from analysis.tables import rated, read_table

    ratings = rated(read_table(path, names), names, names.rating, arms)
    rows: list[DifferenceRow] = []
    warnings: list[str] = []
    for reader in ratings.readers:
        truth, first, second = ratings.pair(reader, *arms)
        if len(truth) == 0:
            warnings.append(f"{reader} rated no case in both arms and is left out.")
            continue
        if method == "bootstrap":
            drawn = named(partial(bootstrap_test, truth, first, second), reader)
            rows.append(bootstrap_row(drawn, arms, reader, len(truth)))
        else:
            found = named(partial(delong_test, truth, first, second), reader)
            rows.append(auc_difference_row(found, *arms, reader, LEVEL))
        warnings += [f"{reader}: {text}" for text in rows[-1].warnings]
    name = "DeLong" if method == "delong" else "Stratified bootstrap"
    return differences(f"{name}, paired", ratings, rows, warnings, SEED if method == "bootstrap" else None)


def bootstrap_row(found: "Bootstrap", arms: tuple[str, str], reader: str, n: int) -> "DifferenceRow":
    from analysis.commands.rows import LEVEL
    from analysis.rows import DifferenceRow

    interval = found.confidence_interval(LEVEL)
    statistic = found.estimate / found.se if found.se else 0.0
    return DifferenceRow(
        *arms, reader, found.estimate, found.se, None, statistic, 1.0 if found.p is None else found.p, interval.low,
        interval.high, n=n, warnings=found.warnings,
    )  # fmt: skip
