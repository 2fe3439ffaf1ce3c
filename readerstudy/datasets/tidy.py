"""The tables of a locked data set: columns with their meaning, canonical CSV, Parquet. No Django here.

Canonical: UTF-8, comma, "\\n", rows in the order of their keys; 1 and 0 for yes and no, the shortest decimal that reads
back equal for numbers, ISO 8601 in UTC for times, nothing for what is missing. The same data give the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow

Kind = Literal["text", "integer", "number", "yes/no", "time"]
Cell = str | int | float | bool | datetime | None
# A spreadsheet takes a text that begins so for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    values: str = ""


@dataclass(frozen=True)
class Table:
    name: str
    meaning: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...]

    def codebook(self) -> list[dict[str, str]]:
        return [
            {
                "table": self.name,
                "column": column.name,
                "kind": column.kind,
                "meaning": column.meaning,
                "unit": column.unit,
                "values": column.values,
            }
            for column in self.columns
        ]


def written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return str(int(cell))
        case datetime():
            return cell.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case float():
            return repr(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        case str():
            return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
    return str(cell)


def csv_bytes(table: Table) -> bytes:
    return sheet(
        [column.name for column in table.columns],
        ([row.get(column.name) for column in table.columns] for row in table.rows),
    )


def sheet(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow([written(name) for name in header])
    out.writerows([written(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def parquet_bytes(table: Table) -> bytes:
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(arrow_table(table), buffer, compression="zstd")
    return buffer.getvalue()


def arrow_table(table: Table) -> pyarrow.Table:
    import pyarrow

    types = {
        "text": pyarrow.string(),
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "yes/no": pyarrow.bool_(),
        "time": pyarrow.timestamp("ms", tz="UTC"),
    }
    fields = [
        pyarrow.field(column.name, types[column.kind], metadata={"meaning": column.meaning, "unit": column.unit})
        for column in table.columns
    ]
    arrays = [pyarrow.array([row.get(f.name) for row in table.rows], type=f.type) for f in fields]
    return pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# Answers of several parts


def parts_of(value: Any) -> Iterator[dict[str, Cell]]:
    """One row for each row of a grid, each mark, each of several choices; one row for any other answer."""
    match value:
        case dict():
            for item, inner in value.items():
                yield {"item": item, "answer": str(inner), "number": number_in(inner)}
        case [dict(), *_]:
            for number, mark in enumerate(value, start=1):
                place = f"image {mark['image']}: {mark['x']:g}, {mark['y']:g}"
                yield {"item": str(number), "answer": place, "number": numeric(mark["rating"])}
        case []:
            yield {"item": None, "answer": "", "number": None}
        case list():
            for inner in value:
                yield {"item": inner, "answer": inner, "number": None}
        case _:
            text = str(int(value)) if isinstance(value, bool) else str(value)
            yield {"item": None, "answer": text, "number": numeric(value)}


def cells_of(key: str, value: Any) -> Iterator[tuple[str, Cell]]:
    """A column for each row of a grid; several choices in one cell; of marks their number."""
    match value:
        case dict():
            yield from ((f"{key}_{item}", inner) for item, inner in value.items())
        case list() if all(isinstance(one, str) for one in value) and value:
            yield key, ";".join(value)
        case list():
            yield key, len(value)
        case _:
            yield key, value


def number_in(text: object) -> float | None:
    """Grades are choices by name and numbers all the same."""
    return float(text) if isinstance(text, str) and text.isdecimal() else numeric(text)


def numeric(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
