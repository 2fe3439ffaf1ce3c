"""From tables of marks and of cases to arrays: who marked which lesion, and what else, with which rating."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.localisation.lesions import (
    Ints,
    Lesions,
    MarkColumns,
    Texts,
    lesion_text,
    located,
    plain_text,
    read_lesions,
    text_of,
    told,
)
from analysis.ratings import Bools, Floats, check_columns, check_names, natural, numbers, rows_of

if TYPE_CHECKING:
    import pandas as pd

UNMARKED = -np.inf
NO_DESIGN = (
    "No design table says who read what: a reader or an arm without any mark cannot be known, "
    "and every reader counts as having read every case of the arms with a mark of theirs."
)


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks of all readers in all arms on all cases.

    readers, arms, cases: labels as text, sorted; truth: (case,) True where diseased; lesion_case, weight: (lesion,)
    place of its case and its weight, the weights of a case sum to 1; hits: (reader, arm, lesion) the highest rating
    of the marks on the lesion, -inf where unmarked; false_cell, false_case, false_rating: (mark,) the marks on no
    lesion, ordered by cell = reader * arms + arm; read: (reader, arm, case) whether the case was read.
    """

    readers: tuple[str, ...]
    arms: tuple[str, ...]
    cases: tuple[str, ...]
    truth: Bools
    lesion_case: Ints
    weight: Floats
    hits: Floats
    false_cell: Ints
    false_case: Ints
    false_rating: Floats
    read: Bools
    warnings: tuple[str, ...] = ()

    @property
    def lesions(self) -> Ints:
        """(case,) number of lesions."""
        return np.bincount(self.lesion_case, minlength=len(self.cases)).astype(np.int64)

    @property
    def positives(self) -> int:
        return int(self.truth.sum())

    @property
    def negatives(self) -> int:
        return int((~self.truth).sum())

    @property
    def missing(self) -> int:
        return int((~self.read).sum())

    def false_marks(self, reader: int, arm: int) -> tuple[Ints, Floats]:
        """Cases and ratings of the marks on no lesion of one cell."""
        cell = reader * len(self.arms) + arm
        first, last = np.searchsorted(self.false_cell, (cell, cell + 1))
        return self.false_case[first:last], self.false_rating[first:last]

    def restricted(self, readers: Sequence[str] | None = None, arms: Sequence[str] | None = None) -> "Marks":
        """The same marks of some readers and arms, in the order named; all cases are kept."""
        keep_readers = tuple(self.readers if readers is None else readers)
        keep_arms = tuple(self.arms if arms is None else arms)
        check_names("reader", keep_readers, self.readers)
        check_names("arm", keep_arms, self.arms)
        rows = [self.readers.index(name) for name in keep_readers]
        columns = [self.arms.index(name) for name in keep_arms]
        cells = [row * len(self.arms) + column for row in rows for column in columns]
        parts = [np.flatnonzero(self.false_cell == cell) for cell in cells]
        chosen = np.concatenate([*parts, np.zeros(0, dtype=np.int64)])
        return replace(
            self,
            readers=keep_readers,
            arms=keep_arms,
            hits=self.hits[np.ix_(rows, columns)],
            false_cell=np.repeat(np.arange(len(cells)), [len(part) for part in parts]),
            false_case=self.false_case[chosen],
            false_rating=self.false_rating[chosen],
            read=self.read[np.ix_(rows, columns)],
        )


def read_marks(
    marks: "pd.DataFrame",
    cases: "pd.DataFrame",
    design: "pd.DataFrame | None" = None,
    columns: MarkColumns | None = None,
) -> Marks:
    """Who marked what, with which rating, and what was there to be marked?

    marks: one row per mark with reader, arm, case, rating, lesion (its label within the case; 0 or blank for a mark on
    no lesion) and, optional, mark (NL or LL) and truth, which are then held against the rest. A row whose mark,
    lesion and rating are blank says that the reader read the case and marked nothing.
    cases: see `lesions.read_lesions`. design: rows of reader and arm (and, optional, case) that say who read what.
    Without it a reader or arm without any mark is not known, a warning says so, and a reader without any mark in an
    arm counts as not having read there. Two marks on one lesion: the higher rating counts, with a warning.
    Refused, with the rows counted from 1: unknown columns, blank labels, ratings that are no finite numbers, marks on
    cases or lesions that the table of cases does not have, contradictions of mark, lesion and truth, marks of a reader
    where the design has none.

    >>> import pandas as pd
    >>> cases = pd.DataFrame({"case": [1, 2], "truth": [0, 1], "lesion": [0, 1]})
    >>> marks = pd.DataFrame({"reader": "R", "arm": "A", "case": [1, 2], "lesion": [0, 1], "rating": [2, 5]})
    >>> found = read_marks(marks, cases)
    >>> found.hits.tolist(), found.false_rating.tolist()
    ([[[5.0]]], [2.0])
    """
    names = columns or MarkColumns()
    lesions = read_lesions(cases, names)
    if design is not None:
        with told("design"):
            planned: Rows | None = rows_with_cases(design, names, lesions)
    else:
        planned = None
    with told("marks"):
        check_columns(marks, (names.reader, names.arm, names.case, names.lesion, names.rating))
        found = rows_with_cases(marks, names, lesions)
        kinds = kinds_of(marks, names)
        check_truth(marks, names, found, lesions)
        readers, arms, read, warnings = who_read(found, planned, lesions)
        return arranged(found, kinds, lesions, (readers, arms), read, [*lesions.warnings, *warnings])


@dataclass(frozen=True, eq=False)
class Rows:
    """Reader, arm and place of the case of every row; the case is None where the table has no such column."""

    reader: Texts
    arm: Texts
    case: Ints | None


@dataclass(frozen=True, eq=False)
class Kinds:
    """Of every row: rating (NaN where nothing was marked) and the label of the lesion, empty for none."""

    rating: Floats
    lesion: Texts


def rows_with_cases(frame: "pd.DataFrame", names: MarkColumns, lesions: Lesions) -> Rows:
    check_columns(frame, (names.reader, names.arm))
    reader, arm = text_of(frame, names.reader), text_of(frame, names.arm)
    if names.case not in frame.columns:
        return Rows(reader, arm, None)
    case = located(
        text_of(frame, names.case), lesions.cases, lambda label: f"Case {label} is not in the table of cases"
    )
    return Rows(reader, arm, case)


def kinds_of(frame: "pd.DataFrame", names: MarkColumns) -> Kinds:
    """Ratings and lesions, held against the column `mark` where there is one."""
    import pandas as pd

    infinite = np.isinf(pd.to_numeric(frame[names.rating], errors="coerce").to_numpy(dtype=float, na_value=np.nan))
    if infinite.any():
        raise CannotAnalyse(f"The column {names.rating} is infinite in {rows_of(infinite)}; leave out what is no mark.")
    rating, lesion = numbers(frame, names.rating), lesion_text(frame, names.lesion)
    blank = np.full(len(frame), "", dtype=object)
    mark = plain_text(frame, names.mark) if names.mark in frame.columns else blank
    mark = np.asarray([text.upper() for text in mark], dtype=object)
    faults = (
        (~np.isin(mark, ("", "NL", "LL")), f"The column {names.mark} is neither NL nor LL in"),
        ((mark == "LL") & (lesion == ""), "A mark on a lesion (LL) names no lesion in"),
        ((mark == "NL") & (lesion != ""), "A mark on no lesion (NL) names a lesion in"),
        (np.isnan(rating) & ((mark != "") | (lesion != "")), f"The column {names.rating} is blank in"),
    )
    for bad, sentence in faults:
        if bad.any():
            raise CannotAnalyse(f"{sentence} {rows_of(bad)}.")
    return Kinds(rating, lesion)


def check_truth(frame: "pd.DataFrame", names: MarkColumns, found: Rows, lesions: Lesions) -> None:
    """A truth beside the marks, where there is one, is that of the table of cases."""
    if names.truth not in frame.columns or found.case is None:
        return
    values = numbers(frame, names.truth)
    torn = values != lesions.truth[found.case]
    if torn.any():
        raise CannotAnalyse(f"The column {names.truth} contradicts the table of cases in {rows_of(torn)}.")


def who_read(
    found: Rows, planned: Rows | None, lesions: Lesions
) -> tuple[tuple[str, ...], tuple[str, ...], Bools, list[str]]:
    """Readers, arms, (reader, arm, case) read, and what is not known about it."""
    source = found if planned is None else planned
    readers = tuple(sorted(set(source.reader), key=natural))
    arms = tuple(sorted(set(source.arm), key=natural))
    if not readers:
        raise CannotAnalyse("There are no rows, and no design table names the readers and arms.")
    row = located(source.reader, readers, str)
    column = located(source.arm, arms, str)
    read = np.zeros((len(readers), len(arms), len(lesions.cases)), dtype=bool)
    if planned is None or planned.case is None:
        # Once per cell: a row of the marks names its cell again and again.
        read.reshape(-1, len(lesions.cases))[np.unique(row * len(arms) + column)] = True
    else:
        read[row, column, planned.case] = True
    return readers, arms, read, [] if planned is not None else not_known(readers, arms, read)


def not_known(readers: tuple[str, ...], arms: tuple[str, ...], read: Bools) -> list[str]:
    empty = np.argwhere(~read.any(axis=2))
    return [
        NO_DESIGN,
        *(f"Reader {readers[i]} has no mark in arm {arms[j]} and counts as not having read there." for i, j in empty),
    ]


def arranged(
    found: Rows,
    kinds: Kinds,
    lesions: Lesions,
    labels: tuple[tuple[str, ...], tuple[str, ...]],
    read: Bools,
    warnings: list[str],
) -> Marks:
    """The arrays of `Marks`."""
    readers, arms = labels
    row = located(found.reader, readers, lambda label: f"Reader {label} is not in the design table")
    column = located(found.arm, arms, lambda label: f"Arm {label} is not in the design table")
    case = np.zeros(0, dtype=np.int64) if found.case is None else found.case
    unread = ~read[row, column, case]
    if unread.any():
        raise CannotAnalyse(f"The design table has no reading of what is marked in {rows_of(unread)}.")
    marked, hit = ~np.isnan(kinds.rating), kinds.lesion != ""
    cell = row * len(arms) + column
    hits = np.full((len(readers) * len(arms), len(lesions.case)), UNMARKED)
    place = lesion_places(case, kinds.lesion, lesions, hit)
    np.maximum.at(hits, (cell[hit], place), kinds.rating[hit])
    double = int(hit.sum()) - int(np.isfinite(hits).sum())
    if double:
        warnings.append(f"Marks on a lesion that the same reader marked already: {double}; the highest rating counts.")
    false = np.flatnonzero(marked & ~hit)
    false = false[np.argsort(cell[false], kind="stable")]
    return Marks(
        readers, arms, lesions.cases, lesions.truth, lesions.case, lesions.weight,
        hits.reshape(len(readers), len(arms), -1), cell[false], case[false], kinds.rating[false], read,
        tuple(warnings),
    )  # fmt: skip


def lesion_places(case: Ints, lesion: Texts, lesions: Lesions, hit: Bools) -> Ints:
    """Place of the lesion of every row that is a hit."""
    known = {pair: place for place, pair in enumerate(zip(lesions.case.tolist(), lesions.label, strict=True))}
    found = np.full(len(case), -1, dtype=np.int64)
    rows = np.flatnonzero(hit)
    found[rows] = [known.get(pair, -1) for pair in zip(case[rows].tolist(), lesion[rows], strict=True)]
    bad = hit & (found < 0)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise CannotAnalyse(
            f"Case {lesions.cases[int(case[row])]} has no lesion {lesion[row]} in the table of cases ({rows_of(bad)})."
        )
    return found[hit]
