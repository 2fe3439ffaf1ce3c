"""The readings of a table as the file of another program."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.commands.words import add_table, listed, names_of

if TYPE_CHECKING:
    import pandas as pd

    from analysis.tables import Names

PROGRAMS = ("imrmc", "rjafroc", "mrmcaov", "obuchowski", "sas", "stata", "spss")
BESIDE = ("decision", "patient", "seniority", "seconds")


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--arms", type=listed, metavar="A,B", help="only these arms, in this order")
    command.add_argument("--to", choices=PROGRAMS, required=True)
    command.add_argument("--out", type=Path, required=True, metavar="FILE")


def answer(options: argparse.Namespace) -> str:
    return export(options.table, names_of(options), options.to, options.out, options.arms)


def export(path: Path, names: "Names", program: str, out: Path, arms: tuple[str, ...] | None = None) -> str:
    """Write the files; the answer names them."""
    from analysis.commands.rows import decision_column
    from analysis.formats.exports import write
    from analysis.tables import rated, read_table

    frame = read_table(path, names)
    value = names.rating if names.rating in frame.columns else decision_column(list(frame.columns), names)
    ratings = rated(frame, names, value, arms)
    written = write(out, ratings, program, further(frame, names, value))
    files = ", ".join(str(file) for file in written.files)
    return "\n".join([f"{written.readings} readings written: {files}.", *written.warnings])


def further(frame: "pd.DataFrame", names: "Names", value: str) -> "pd.DataFrame | None":
    """Columns of the table that are no part of the ratings, by reader, arm and case."""
    kept = [name for name in BESIDE if name in frame.columns and name != value]
    if not kept:
        return None
    keys = {names.reader: "reader", names.arm: "arm", names.case: "case"}
    found = frame[[*keys, *kept]].rename(columns=keys)
    for name in kept:
        if found[name].dtype == object or str(found[name].dtype).startswith("str"):
            found[name] = found[name].fillna("").astype(str)
    return found.assign(**{name: found[name].astype(str) for name in keys.values()})
