"""The CSV manifest: one row a file, every fault by row, column, value and a sentence."""

import csv
import io
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .pictures import Unreadable

DICOMDIR = "DICOMDIR"
REQUIRED = ("case", "patient", "file")
# `input` is what the manifests of models call a series.
OPTIONAL = ("series", "input", "truth", "site", "cleared")
LONGEST = {"case": 80, "patient": 128, "file": 400, "series": 40, "input": 40, "truth": 40, "site": 80, "cleared": 3}
LONGEST_COVARIATE = 200
MOST_ROWS = 100_000
MOST_COVARIATES = 100
MOST_BYTES = 50_000_000

TRUTHS: Mapping[str, bool] = {
    "0": False,
    "negative": False,
    "no": False,
    "1": True,
    "positive": True,
    "yes": True,
}
CLEARED: Mapping[str, bool] = {"": False, "no": False, "0": False, "yes": True, "1": True}


@dataclass(frozen=True)
class Fault:
    """`row` is the line of the file, the header being 1; `column` and `value` are empty where all of it is meant."""

    row: int
    column: str
    value: str
    sentence: str


@dataclass(frozen=True)
class Row:
    number: int
    case: str
    patient: str
    file: str
    series: str = ""
    truth: bool | None = None
    site: str = ""
    cleared: bool = False
    covariates: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SeriesRows:
    """Files that are shown as one series: rows of one case with one series name, or one row without."""

    label: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class CaseRows:
    case: str
    rows: tuple[Row, ...]

    @property
    def truth(self) -> bool | None:
        return next((row.truth for row in self.rows if row.truth is not None), None)

    @property
    def site(self) -> str:
        return next((row.site for row in self.rows if row.site), "")

    @property
    def covariates(self) -> dict[str, str]:
        return {name: value for row in reversed(self.rows) for name, value in row.covariates.items() if value}

    @property
    def series(self) -> tuple[SeriesRows, ...]:
        groups: dict[object, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(row.series or row.number, []).append(row)
        return tuple(SeriesRows(rows[0].series, tuple(rows)) for rows in groups.values())


@dataclass(frozen=True)
class Manifest:
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    covariates: tuple[str, ...] = ()

    @property
    def cases(self) -> tuple[CaseRows, ...]:
        return by_case(self.rows)


def by_case(rows: tuple[Row, ...]) -> tuple[CaseRows, ...]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.case, []).append(row)
    return tuple(CaseRows(case, tuple(found)) for case, found in groups.items())


def parse(content: bytes, truths: Mapping[str, bool] = TRUTHS) -> Manifest:
    """Read and judge the whole manifest; `truths` are the words for negative and positive, in small letters."""
    try:
        header, lines = _table(content)
    except ValueError as error:
        return Manifest((), (Fault(1, "", "", str(error)),))
    faults = list(_header_faults(header))
    if faults:
        return Manifest((), tuple(faults))
    rows: list[Row] = []
    for number, cells in lines:
        if number > MOST_ROWS:
            faults.append(Fault(number, "", "", f"The manifest has more than {MOST_ROWS:,} rows; import it in parts."))
            break
        if len(cells) != len(header):
            sentence = f"The row has {len(cells)} cells, the header {len(header)}."
            faults.append(Fault(number, "", "", sentence))
            continue
        values = dict(zip(header, cells, strict=True))
        found = list(_row_faults(number, values, truths))
        faults.extend(found)
        rows.append(_row(number, values, truths))
    if not rows and not faults:
        faults.append(Fault(1, "", "", "The manifest has a header but no rows."))
    faults.extend(_contradictions(rows))
    covariates = tuple(name for name in header if name not in (*REQUIRED, *OPTIONAL))
    return Manifest(tuple(rows), tuple(sorted(faults, key=lambda fault: fault.row)), covariates)


def _table(content: bytes) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    if len(content) > MOST_BYTES:
        raise ValueError(f"The manifest is larger than {MOST_BYTES // 1_000_000} MB; is it a CSV file?")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ValueError("The manifest is a spreadsheet file; save it as CSV (UTF-8) and try again.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"Line {line} of the manifest is not UTF-8 text; save it as CSV (UTF-8) and try again."
        ) from error
    if "\0" in text:
        raise ValueError("The manifest holds NUL characters; save it as CSV (UTF-8) and try again.")
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines = _lines(reader)
    _, header = next(lines, (1, []))
    return [name.strip().lower() for name in header], lines


def _lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    before = 0
    try:
        for cells in reader:
            number, before = before + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise ValueError(f"Line {reader.line_num} of the manifest cannot be read as CSV.") from error


def _header_faults(header: list[str]) -> Iterator[Fault]:
    if not any(header):
        yield Fault(1, "", "", "The manifest is empty.")
        return
    for name in REQUIRED:
        if name not in header:
            yield Fault(1, name, "", f"The column {name} is missing. Needed are {', '.join(REQUIRED)}.")
    for name in sorted({name for name in header if header.count(name) > 1}):
        yield Fault(1, name, "", f"The column {name or '(without a name)'} is there {header.count(name)} times.")
    if "" in header and header.count("") == 1:
        yield Fault(1, "", "", f"Column {header.index('') + 1} has no name.")
    if len(header) > MOST_COVARIATES + len(REQUIRED) + len(OPTIONAL):
        yield Fault(1, "", "", f"There are {len(header)} columns; at most {MOST_COVARIATES} covariates are taken.")
    for name in header:
        if len(name) > LONGEST["site"] or not name.isprintable():
            yield Fault(
                1,
                name[:40],
                "",
                "The column's name is longer than 80 characters or holds control characters.",
            )


def _row_faults(number: int, values: Mapping[str, str], truths: Mapping[str, bool]) -> Iterator[Fault]:
    for name in REQUIRED:
        if not values[name]:
            yield Fault(number, name, "", f"The {name} is empty.")
    for name, value in values.items():
        longest = LONGEST.get(name, LONGEST_COVARIATE)
        if len(value) > longest:
            yield Fault(
                number,
                name,
                value[:40] + "…",
                f"The value has {len(value)} characters; at most {longest} are taken.",
            )
        if not value.isprintable():
            yield Fault(
                number,
                name,
                value.encode("unicode_escape").decode()[:40],
                "The value holds line breaks or control characters.",
            )
    truth = values.get("truth", "")
    if truth and truth.lower() not in truths:
        yield Fault(number, "truth", truth, f"The truth must be one of {', '.join(truths)}, or empty.")
    cleared = values.get("cleared", "")
    if cleared.lower() not in CLEARED:
        yield Fault(number, "cleared", cleared, "The column cleared takes yes, no or nothing.")
    if values["file"]:
        yield from _path_faults(number, values["file"])


def _path_faults(number: int, value: str) -> Iterator[Fault]:
    path = PurePosixPath(value.replace("\\", "/"))
    if path.is_absolute() or value[1:2] == ":":
        yield Fault(number, "file", value, "The path is absolute; give it from the folder of the manifest.")
    elif ".." in path.parts:
        yield Fault(number, "file", value, "The path leaves the folder.")


def _row(number: int, values: Mapping[str, str], truths: Mapping[str, bool]) -> Row:
    return Row(
        number=number,
        case=values["case"],
        patient=values["patient"],
        file=str(PurePosixPath(values["file"].replace("\\", "/"))) if values["file"] else "",
        series=values.get("series", "") or values.get("input", ""),
        truth=truths.get(values.get("truth", "").lower()),
        site=values.get("site", ""),
        cleared=CLEARED.get(values.get("cleared", "").lower(), False),
        covariates={name: value for name, value in values.items() if name not in (*REQUIRED, *OPTIONAL)},
    )


def _contradictions(rows: list[Row]) -> Iterator[Fault]:
    """What is said once of a case must be the same in all its rows; a file belongs to one case, once."""
    said: dict[tuple[str, str], tuple[int, str]] = {}
    files: dict[str, Row] = {}
    for row in rows:
        for column, value in _of_the_case(row):
            number, before = said.setdefault((row.case, column), (row.number, value)) if value else (row.number, value)
            if before != value:
                yield Fault(row.number, column, value, f"Case {row.case} has another {column} in row {number}.")
        if not row.file:
            continue
        other = files.setdefault(row.file, row)
        if other is not row and other.case == row.case:
            yield Fault(row.number, "file", row.file, f"The same file is given for this case in row {other.number}.")
        elif other is not row:
            yield Fault(row.number, "file", row.file, f"The file belongs to case {other.case} in row {other.number}.")


def _of_the_case(row: Row) -> Iterator[tuple[str, str]]:
    yield "patient", row.patient
    yield "truth", {None: "", False: "negative", True: "positive"}[row.truth]
    yield "site", row.site
    yield from row.covariates.items()


def located(folder: Path, file: str) -> Path:
    """Where the file lies, however its name's accents are written."""
    if file.isascii():
        return folder / file
    forms = (file, unicodedata.normalize("NFC", file), unicodedata.normalize("NFD", file))
    return next((folder / name for name in forms if (folder / name).exists()), folder / file)


def files_of(folder: Path, file: str) -> list[Path]:
    """The files a row means: one, or all in a folder and the folders in it, without hidden ones."""
    path = located(folder, file)
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for here, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.extend(Path(here, name) for name in names if not name.startswith(".") and name.upper() != DICOMDIR)
        if len(found) > MOST_ROWS:
            raise Unreadable(f"The folder holds more than {MOST_ROWS:,} files.")
    return sorted(found)


def check_files(
    manifest: Manifest, folder: Path, listed: Callable[[Row], list[Path]], refused: Mapping[str, str]
) -> Iterator[Fault]:
    """Is every file there, inside the folder? `listed` gives the files of a row, `refused` why one could not be had."""
    root = folder.resolve()
    for row in manifest.rows:
        if not row.file or any(_path_faults(row.number, row.file)):
            continue
        if row.file in refused:
            yield Fault(row.number, "file", row.file, refused[row.file])
            continue
        named = located(folder, row.file)
        of_the_row = _file_sentence(named, root)
        try:
            paths = listed(row) if of_the_row is None else []
        except Unreadable as error:
            yield Fault(row.number, "file", row.file, str(error))
            continue
        for path in paths or [named]:
            sentence = of_the_row if path == named else _file_sentence(path, root)
            sentence = sentence or ("" if paths else "The folder is empty.")
            if sentence:
                yield Fault(row.number, "file", path.relative_to(folder).as_posix(), sentence)


def _file_sentence(path: Path, root: Path) -> str | None:
    if path.is_symlink() or path.resolve() != root / path.relative_to(
        root if path.is_relative_to(root) else path.anchor
    ):
        if not path.resolve().is_relative_to(root):
            return "The file is a link that leaves the folder."
        if path.is_symlink():
            return "The file is a link; copy the file itself."
    if not path.is_file() and not path.is_dir():
        return "The file is not there."
    return None
