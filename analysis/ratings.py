"""From a tidy table to arrays in the order reader x arm x case, with NaN where a reading is missing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
ROWS_NAMED = 5
# Cells of reader x arm x case; 4 GB as numbers.
LARGEST = 500_000_000


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a tidy table, one row per reading."""

    reader: str = "reader"
    arm: str = "arm"
    case: str = "case"
    truth: str = "truth"
    value: str = "rating"


@dataclass(frozen=True, eq=False)
class Ratings:
    """Values of all readers in all arms on all cases.

    readers, arms, cases: labels as text; truth: (case,) True where diseased;
    values: (reader, arm, case), higher = more suspicious, NaN where there is no reading.
    """

    readers: tuple[str, ...]
    arms: tuple[str, ...]
    cases: tuple[str, ...]
    truth: Bools
    values: Floats

    @property
    def positives(self) -> int:
        return int(self.truth.sum())

    @property
    def negatives(self) -> int:
        return int((~self.truth).sum())

    @property
    def missing(self) -> int:
        return int(np.isnan(self.values).sum())

    def cell(self, reader: str, arm: str) -> tuple[Bools, Floats]:
        """Truth and values of the cases that this reader read in this arm."""
        values = self.values[self.readers.index(reader), self.arms.index(arm)]
        read = ~np.isnan(values)
        return self.truth[read], values[read]

    def pair(self, reader: str, first: str, second: str) -> tuple[Bools, Floats, Floats]:
        """Truth and both values of the cases that this reader read in both arms."""
        row = self.values[self.readers.index(reader)]
        one, two = row[self.arms.index(first)], row[self.arms.index(second)]
        read = ~(np.isnan(one) | np.isnan(two))
        return self.truth[read], one[read], two[read]

    def restricted(self, readers: Sequence[str] | None = None, arms: Sequence[str] | None = None) -> "Ratings":
        """The same ratings of some readers and arms, in the order named; cases nobody of them read are left out."""
        keep_readers = tuple(self.readers if readers is None else readers)
        keep_arms = tuple(self.arms if arms is None else arms)
        check_names("reader", keep_readers, self.readers)
        check_names("arm", keep_arms, self.arms)
        rows = [self.readers.index(name) for name in keep_readers]
        columns = [self.arms.index(name) for name in keep_arms]
        values = self.values[np.ix_(rows, columns)]
        read = ~np.isnan(values).all(axis=(0, 1))
        cases = tuple(self.cases[place] for place in np.flatnonzero(read))
        return Ratings(keep_readers, keep_arms, cases, self.truth[read], values[:, :, read])


def are_missing(count: int, what: str = "reading") -> str:
    """The beginning of a sentence: 1 reading is missing, 2 readings are missing."""
    return f"{count} {what} is missing" if count == 1 else f"{count} {what}s are missing"


def check_names(kind: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a name that the table does not hold, or one named twice."""
    for name in wanted:
        if name not in known:
            raise CannotAnalyse(f"The table has no {kind} {name!r}; it has {', '.join(known)}.")
    if len(set(wanted)) != len(wanted):
        raise CannotAnalyse(f"The same {kind} is named twice: {', '.join(wanted)}.")


def table_to_ratings(
    frame: "pd.DataFrame", columns: Columns | None = None, arms: Sequence[str] | None = None
) -> Ratings:
    """What did every reader give every case in every arm?

    frame: one row per reading with the columns named in `columns`; the value may be missing (NaN), the other
    columns may not. truth is 0/1 or False/True and the same in all rows of a case.
    arms: order of the arms and a choice among them; by default all, sorted. Readers and cases are sorted,
    so that the order of rows never matters. A case without any value keeps its place in the array.
    Refused: an unknown column, an empty table, a blank label, a value that is not a finite number, truth that
    is not 0/1 or differs within a case, two rows for one reading (the sentence names the rows, counted from 1), and
    more than LARGEST cells.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"reader": "R", "arm": "A", "case": [1, 2], "truth": [0, 1], "rating": [3, 9]})
    >>> table_to_ratings(table).values.tolist()
    [[[3.0, 9.0]]]
    """
    names = columns or Columns()
    check_columns(frame, (names.reader, names.arm, names.case, names.truth, names.value))
    if len(frame) == 0:
        raise CannotAnalyse("The table has no rows.")
    reader_codes, readers = codes(frame, names.reader)
    arm_codes, all_arms = codes(frame, names.arm)
    case_codes, cases = codes(frame, names.case)
    truth = case_truth(frame, names, case_codes, cases)
    values = numbers(frame, names.value)
    flat = (reader_codes * len(all_arms) + arm_codes) * len(cases) + case_codes
    refuse_duplicates(frame, names, flat)
    size = len(readers) * len(all_arms) * len(cases)
    if size > LARGEST:
        raise CannotAnalyse(
            f"{len(readers)} readers, {len(all_arms)} arms and {len(cases)} cases make {size:.2g} cells, too many for "
            f"memory, and the table fills {len(frame)} of them; is {names.reader} the column of readers?"
        )
    cube = np.full(size, np.nan)
    cube[flat] = values
    ratings = Ratings(readers, all_arms, cases, truth, cube.reshape(len(readers), len(all_arms), len(cases)))
    return ratings if arms is None else ratings.restricted(arms=[str(arm) for arm in arms])


def check_columns(frame: "pd.DataFrame", needed: Sequence[str]) -> None:
    """Refuse a table that lacks a column, naming what it has."""
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        has = ", ".join(str(name) for name in frame.columns) or "none"
        word = "column" if len(absent) == 1 else "columns"
        raise CannotAnalyse(f"The table has no {word} {', '.join(absent)}; its columns are {has}.")


def rows_of(bad: Bools) -> str:
    """'row 3' or 'rows 3, 5 and 12 more', counted from 1 below the header."""
    rows = np.flatnonzero(bad) + 1
    named = ", ".join(str(row) for row in rows[:ROWS_NAMED])
    more = f" and {len(rows) - ROWS_NAMED} more" if len(rows) > ROWS_NAMED else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {named}{more}"


def codes(frame: "pd.DataFrame", column: str) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Position of each row's label among the sorted labels (R2 before R10), and those labels as text."""
    import pandas as pd

    series = frame[column]
    blank = series.isna().to_numpy() | (series.astype(str).str.strip() == "").to_numpy()
    if blank.any():
        raise CannotAnalyse(f"The column {column} is blank or NA in {rows_of(blank)}.")
    if pd.api.types.is_float_dtype(series) and bool((series == series.round()).all()):
        series = series.astype("int64")
    places, labels = pd.factorize(series.astype(str))
    texts = [str(label) for label in labels]
    order = sorted(range(len(texts)), key=lambda place: natural(texts[place]))
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(len(texts))
    return rank[places], tuple(texts[place] for place in order)


def natural(label: str) -> tuple[list[str | int], str]:
    """Sort key in which numbers inside a label count as numbers; 1 and 01 are two labels in a fixed order."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", label))], label


def numbers(frame: "pd.DataFrame", column: str) -> Floats:
    """The column as finite numbers or NaN."""
    import pandas as pd

    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    unreadable = np.isnan(values) & frame[column].notna().to_numpy() & (frame[column].astype(str) != "").to_numpy()
    if unreadable.any():
        raise CannotAnalyse(f"The column {column} is not a number in {rows_of(unreadable)}.")
    if np.isinf(values).any():
        raise CannotAnalyse(
            f"The column {column} is infinite in {rows_of(np.isinf(values))}; "
            "write 'no mark' as a number below the lowest rating."
        )
    return values


def case_truth(
    frame: "pd.DataFrame", names: Columns, case_codes: npt.NDArray[np.int64], cases: tuple[str, ...]
) -> Bools:
    """One truth per case, refused where rows of a case contradict each other."""
    import pandas as pd

    values = pd.to_numeric(frame[names.truth], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = ~np.isin(values, (0.0, 1.0))
    if bad.any():
        raise CannotAnalyse(f"The column {names.truth} must be 0 or 1; it is not in {rows_of(bad)}.")
    truth = np.zeros(len(cases), dtype=bool)
    truth[case_codes] = values == 1
    torn = truth[case_codes] != (values == 1)
    if torn.any():
        case = cases[int(case_codes[np.flatnonzero(torn)[0]])]
        raise CannotAnalyse(f"Case {case} is diseased in one row and not in another ({rows_of(torn)}).")
    return truth


def refuse_duplicates(frame: "pd.DataFrame", names: Columns, flat: npt.NDArray[np.int64]) -> None:
    """Refuse a second row for the same reader, arm and case."""
    order = np.argsort(flat, kind="stable")
    repeated = np.zeros(len(flat), dtype=bool)
    repeated[order[1:]] = flat[order[1:]] == flat[order[:-1]]
    if not repeated.any():
        return
    row = int(np.flatnonzero(repeated)[0])
    who = frame.iloc[row]
    raise CannotAnalyse(
        f"Reader {who[names.reader]} has more than one reading of case {who[names.case]} "
        f"in arm {who[names.arm]} ({rows_of(repeated)}){only_one(frame, names)}."
    )


def only_one(frame: "pd.DataFrame", names: Columns) -> str:
    """A hint where a label that never changes may be missing a column that does."""
    alone = [column for column in (names.reader, names.arm) if frame[column].nunique() == 1]
    return f"; the table has one {' and one '.join(alone)}" if alone else ""
