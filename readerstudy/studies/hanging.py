"""The hanging protocol of a study: which series stands where, in which plane and first window."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

PLANES = ("", "axial", "coronal", "sagittal")
MOST_ROWS = MOST_COLUMNS = 3
LONGEST_NAME = 64
# Centre and width; a width is more than nothing.
WINDOW = re.compile(r"-?\d+(\.\d+)?/(?=[\d.]*[1-9])\d+(\.\d+)?")


class HangingError(ValueError):
    """The text says what is wrong."""


@dataclass(frozen=True)
class Cell:
    """Empty plane or window: as the series has it. A window is a preset's name, or centre/width."""

    series: str
    plane: str = ""
    window: str = ""


@dataclass(frozen=True)
class Hanging:
    """Cells fill the grid row by row."""

    rows: int
    columns: int
    cells: tuple[Cell, ...]

    def to_document(self) -> dict[str, Any]:
        return {"rows": self.rows, "columns": self.columns, "cells": [asdict(cell) for cell in self.cells]}


def hanging_of(document: object) -> Hanging:
    """Raises HangingError with one sentence."""
    if not isinstance(document, Mapping) or set(document) != {"rows", "columns", "cells"}:
        raise HangingError(_("A hanging protocol has rows, columns and cells."))
    rows, columns = size_of(document["rows"], MOST_ROWS), size_of(document["columns"], MOST_COLUMNS)
    cells = document["cells"]
    if not isinstance(cells, list) or not 1 <= len(cells) <= rows * columns:
        raise HangingError(_("A hanging protocol has from 1 cell to as many as its grid."))
    return Hanging(rows, columns, tuple(map(cell_of, cells)))


def size_of(number: object, most: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise HangingError(_("A hanging protocol has 1 to 3 rows and 1 to 3 columns."))
    return number


def cell_of(document: object) -> Cell:
    if not isinstance(document, Mapping) or not set(document) <= {"series", "plane", "window"}:
        raise HangingError(_("A cell names its series and, where wanted, plane and window."))
    texts = {name: document.get(name, "") for name in ("series", "plane", "window")}
    if not all(isinstance(text, str) and len(text) <= LONGEST_NAME for text in texts.values()):
        raise HangingError(_("Series, plane and window of a cell are texts of at most 64 characters."))
    cell = Cell(**{name: text.strip() for name, text in texts.items()})
    if not cell.series:
        raise HangingError(_("Every cell names its series."))
    if "/" in cell.window and not WINDOW.fullmatch(cell.window):
        raise HangingError(_("A window in numbers is centre/width, such as 50/400."))
    if cell.plane not in PLANES:
        raise HangingError(_("A plane is axial, coronal or sagittal."))
    return cell


def written(hanging: Hanging) -> str:
    """One line for each row of the grid: T1W sagittal bone | T2W sagittal."""
    parts = [", ".join(filter(None, (cell.series, cell.plane, cell.window))) for cell in hanging.cells]
    lines = [parts[row * hanging.columns : (row + 1) * hanging.columns] for row in range(hanging.rows)]
    return "\n".join(" | ".join(line) for line in lines if line)


def read(text: str) -> Hanging | None:
    """The form of `written`; nothing where the text is empty. Raises HangingError."""
    lines = [line.split("|") for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    columns = max(map(len, lines))
    if any(len(line) != columns for line in lines[:-1]):
        raise HangingError(_("Every line but the last has as many cells as the first."))
    cells = [cell_written(part) for line in lines for part in line]
    return hanging_of({"rows": len(lines), "columns": columns, "cells": cells})


def cell_written(text: str) -> dict[str, str]:
    series, *rest = [part.strip() for part in text.split(",")]
    plane = next((part for part in rest if part in PLANES), "")
    others = [part for part in rest if part not in PLANES]
    if len(others) > 1 or len(rest) > 2:
        raise HangingError(_("A cell is written as series, plane, window: T1W, sagittal, bone."))
    return {"series": series, "plane": plane, "window": others[0] if others else ""}
