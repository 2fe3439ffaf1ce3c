"""Logits of cases that a model was not taught with: of a tuning part, or out of fold. Decisions are chosen on them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from inference.reasons import why

COLUMNS = ("case", "patient", "fold", "truth", "logit")


class BadLogits(ValueError):
    """A table of logits that cannot be used; the text names row and column."""


@dataclass(frozen=True)
class CaseLogit:
    """One case.

    Attributes
    ----------
    case, patient : str
    fold : int
        From 1, of which this case was the test part; 0 for the tuning part of a fixed split.
    truth : bool or None
    logit : float or None
        None where the model answers no probability. Rounded to six decimals.
    slice : int or None
        Of the image, where it is the answer to one slice and its neighbours; None where it is that to the case.
    """

    case: str
    patient: str
    fold: int
    truth: bool | None
    logit: float | None
    slice: int | None = None


def write_logits(path: Path, rows: Iterable[CaseLogit]) -> None:
    """As CSV, with a column ``slice`` where there are answers to slices; the file is there whole or not at all."""
    partial, known = path.with_name(f"{path.name}.partial"), list(rows)
    sliced = any(row.slice is not None for row in known)
    with partial.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow([*COLUMNS, *(["slice"] if sliced else [])])
        for row in known:
            truth = "" if row.truth is None else int(row.truth)
            said = [row.case, row.patient, row.fold, truth, "" if row.logit is None else f"{row.logit:.6f}"]
            table.writerow([*said, *([row.slice] if sliced else [])])
    partial.replace(path)


def read_logits(path: Path) -> tuple[CaseLogit, ...]:
    """The table that `write_logits` wrote.

    Raises
    ------
    BadLogits
        Naming what is wrong.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadLogits(f"{path} cannot be read: {why(error)}.") from error
    if not rows:
        raise BadLogits(f"{path} has no rows.")
    missing = [name for name in COLUMNS if name not in rows[0]]
    if missing:
        raise BadLogits(f"{path} has no column {', '.join(missing)}.")
    return tuple(row_of(row, number, path) for number, row in enumerate(rows, start=2))


def row_of(row: dict[str, str], number: int, path: Path) -> CaseLogit:
    truths = {"": None, "0": False, "1": True}
    if row["truth"] not in truths:
        raise BadLogits(f"{path}, row {number}, column truth: {row['truth']!r} is neither 0 nor 1.")
    try:
        logit = float(row["logit"]) if row["logit"] else None
        place = int(row["slice"]) if row.get("slice") else None
        return CaseLogit(row["case"], row["patient"], int(row["fold"]), truths[row["truth"]], logit, place)
    except (TypeError, ValueError) as error:
        raise BadLogits(f"{path}, row {number}: {error}.") from error
