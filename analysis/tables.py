"""Reading the TABLE of the command line: CSV or Parquet, tidy, columns renamed on request."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.ratings import Columns, Ratings, check_columns, table_to_ratings
from analysis.table_files import read_file

if TYPE_CHECKING:
    import pandas as pd


LABELS = ("patient", "seniority", "lesion")


@dataclass(frozen=True)
class Names:
    """Columns of the table as the person calls them; those marked as chosen must exist."""

    reader: str = "reader"
    arm: str = "arm"
    case: str = "case"
    truth: str = "truth"
    rating: str = "rating"
    chosen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TableFacts:
    """Size of the table; positives and negatives are None where no truth is needed or known."""

    readers: int
    arms: tuple[str, ...]
    cases: int
    positives: int | None
    negatives: int | None
    missing: int


def read_table(path: Path, names: Names, labels: Sequence[str] = ()) -> "pd.DataFrame":
    """The table with its labels, and the further ones named, as text; every failure to read it is one sentence."""
    return with_defaults(read_file(path, (names.reader, names.arm, names.case, *LABELS, *labels)), names)


def with_defaults(frame: "pd.DataFrame", names: Names) -> "pd.DataFrame":
    """A table of one reader or one arm needs no such column; one named on the command line must exist.

    Reader for reader is no table of one reader: a column that differs in capitals only is refused.
    """
    check_columns(frame, sorted(names.chosen))
    for column, label in ((names.reader, "reader"), (names.arm, "arm")):
        if column in frame.columns:
            continue
        meant = [other for other in frame.columns if str(other).strip(" _").casefold() == column.casefold()]
        if meant:
            raise CannotAnalyse(f"The table has no column {column}; --{label} {meant[0]} names the one that it has.")
        frame = frame.assign(**{column: label})
    return frame


def rated(frame: "pd.DataFrame", names: Names, value: str, arms: tuple[str, ...] | None = None) -> Ratings:
    """The arrays of one value column."""
    columns = Columns(names.reader, names.arm, names.case, names.truth, value)
    return table_to_ratings(frame, columns, arms)


def judged(frame: "pd.DataFrame", names: Names, value: str) -> Ratings:
    """The arrays of a value that needs no truth, with categories numbered in ascending order."""
    import pandas as pd

    check_columns(frame, (names.case, value))
    column = frame[value]
    if not pd.api.types.is_numeric_dtype(column):
        places, _ = pd.factorize(column, sort=True)
        frame = frame.assign(**{value: np.where(places < 0, np.nan, places.astype(float))})
    return rated(frame.assign(**{names.truth: 0}), replace(names, chosen=frozenset()), value)


def as_numbers(frame: "pd.DataFrame", column: str) -> "pd.DataFrame":
    """Numbers that a file holds as text are numbers, where all of the column are."""
    import pandas as pd

    found = pd.to_numeric(frame[column], errors="coerce")
    whole = bool((found.notna() == frame[column].notna()).all())
    return frame.assign(**{column: found}) if whole else frame


def facts(ratings: Ratings, *, with_truth: bool = True) -> TableFacts:
    """Counts of the table as analysed."""
    return TableFacts(
        len(ratings.readers),
        ratings.arms,
        len(ratings.cases),
        ratings.positives if with_truth else None,
        ratings.negatives if with_truth else None,
        ratings.missing,
    )
