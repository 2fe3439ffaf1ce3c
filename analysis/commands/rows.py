"""Pieces that the answers of several commands share."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from analysis.answer import Answer
from analysis.errors import CannotAnalyse
from analysis.multiplicity import adjusted
from analysis.ratings import Ratings
from analysis.rows import DifferenceRow
from analysis.tables import Names, facts

LEVEL = 0.95
Result = TypeVar("Result")


def filled_cells(ratings: Ratings) -> list[tuple[str, str]]:
    """Readers and arms with at least one reading."""
    cells = [(r, a) for r in ratings.readers for a in ratings.arms if len(ratings.cell(r, a)[0])]
    if not cells:
        raise CannotAnalyse("The table holds no rating.")
    return cells


def decision_column(columns: list[str], names: Names) -> str:
    """`decision` where the table has it, unless another column was named as the rating."""
    return "decision" if "decision" in columns and names.rating not in names.chosen else names.rating


def differences(
    method: str, ratings: Ratings, rows: list[DifferenceRow], warnings: list[str], seed: int | None = None
) -> Answer:
    """An answer of one row per reader, with Holm's p values beside it in words."""
    if len(rows) > 1:
        holm = adjusted([row.p for row in rows])
        listed = ", ".join(f"{row.reader} {p:.4g}" for row, p in zip(rows, holm, strict=True))
        warnings.append(f"p values are per reader and not adjusted; adjusted by Holm they are: {listed}.")
        rows = [replace(row, p_adjusted=p) for row, p in zip(rows, holm, strict=True)]
    return Answer(method, facts(ratings), differences=tuple(rows), warnings=tuple(warnings), seed=seed)


def of_readers(
    readers: Sequence[str], compute: Callable[[str], DifferenceRow], warnings: list[str]
) -> list[DifferenceRow]:
    """A row for every reader; one without an answer becomes a warning, no reader with one is refused."""
    rows = []
    refusals: dict[str, str] = {}
    for reader in readers:
        try:
            row = compute(reader)
        except CannotAnalyse as refusal:
            refusals[reader] = str(refusal)
            continue
        rows.append(row)
        warnings += [f"{reader}: {text}" for text in row.warnings]
    if not rows:
        alike = len(refusals) > 1 and len(set(refusals.values())) == 1
        raise CannotAnalyse(f"{'Every reader' if alike else readers[0]}: {refusals[readers[0]]}")
    warnings += [f"Left out: {reader}: {sentence}" for reader, sentence in refusals.items()]
    return rows


def named(compute: Callable[[], Result], who: str) -> Result:
    """The result; a refusal is passed on with the name of whom it concerns."""
    try:
        return compute()
    except CannotAnalyse as refusal:
        raise CannotAnalyse(f"{who}: {refusal}") from refusal
