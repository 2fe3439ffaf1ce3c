"""The words that the commands of `python -m analysis` share; imports nothing heavy, so that help comes at once."""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    from analysis.bootstrapped import Part
    from analysis.tables import Names

COLUMNS = ("reader", "arm", "case", "truth", "rating")
FORMATS = ("text", "json", "csv")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as every other refusal of this program."""

    def error(self, message: str) -> NoReturn:
        raise CannotAnalyse(f"{message[:1].upper()}{message[1:].rstrip('.')}; see {self.prog} --help.")


def add_table(command: argparse.ArgumentParser, columns: Sequence[str] = COLUMNS) -> None:
    """TABLE, and other names for its columns."""
    command.add_argument("table", type=Path, metavar="TABLE", help="CSV or Parquet, one row per reading")
    add_columns(command, columns)


def add_columns(command: argparse.ArgumentParser, columns: Sequence[str] = COLUMNS) -> None:
    # --readers and --cases mean something else, so a column option is never abbreviated.
    command.allow_abbrev = False
    for column in columns:
        command.add_argument(f"--{column}", metavar="NAME", help=f"name of the column {column}")


def add_format(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=FORMATS, default="text")


def names_of(options: argparse.Namespace) -> "Names":
    """The columns as the person calls them."""
    from analysis.tables import Names

    given = {column: getattr(options, column) for column in COLUMNS if getattr(options, column) is not None}
    return Names(**given, chosen=frozenset(given.values()))


def listed(text: str) -> tuple[str, ...]:
    """The parts of A,B; one that holds a comma stands in quotation marks.

    >>> listed('"CT, late", MR')
    ('CT, late', 'MR')
    """
    parts = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(part.strip() for part in parts if part.strip())


def two_arms(arms: tuple[str, ...]) -> tuple[str, str]:
    if len(arms) != 2:
        raise CannotAnalyse(f"--arms names two arms as A,B, not {len(arms)}.")
    return arms[0], arms[1]


def part_of(text: str, corrected: bool = False, option: str = "--partial") -> "Part":
    """'specificity:0.8:1' as the part of the area that is meant."""
    from analysis.bootstrapped import Part

    pieces = text.split(":")
    wrong = CannotAnalyse(f"{option} is written as specificity:0.8:1, not as {text}.")
    if len(pieces) != 3 or pieces[0] not in ("specificity", "sensitivity"):
        raise wrong
    try:
        low, high = float(pieces[1]), float(pieces[2])
    except ValueError:
        raise wrong from None
    if not 0 <= low < high <= 1:
        raise CannotAnalyse(f"A partial area needs 0 <= low < high <= 1, not {low:g} and {high:g}.")
    return Part("specificity" if pieces[0] == "specificity" else "sensitivity", low, high, corrected)


def check_by(by: Sequence[str], allowed: Sequence[str]) -> None:
    """Refuse a grouping that would pool readers or that does not exist."""
    unknown = [name for name in by if name not in allowed]
    if unknown:
        raise CannotAnalyse(f"--by groups by {' and '.join(allowed)}, not by {', '.join(unknown)}.")
    if "reader" not in by:
        raise CannotAnalyse("Pooling readers is no valid analysis; group by reader, or use mrmc for all of them.")
