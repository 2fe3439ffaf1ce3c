"""A file of readers' answers that were given elsewhere: parsed and judged row by row. Pure: no database, no Django."""

import csv
import io
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from .answers import AnswersError, checked, storable
from .sight import Asked, Value

FIELDS = ("reader", "seniority", "arm", "case", "rating", "decision", "seconds", "truth", "patient")
NEEDED = ("reader", "case")
ANSWERED = ("rating", "decision")
YES = {"1", "1.0", "yes", "y", "true", "positive", "pos"}
NO = {"0", "0.0", "no", "n", "false", "negative", "neg"}
SENIORITY = {
    "senior": "senior",
    "intermediate": "intermediate",
    "junior": "junior",
    "high": "senior",
    "medium": "intermediate",
    "med": "intermediate",
    "low": "junior",
}
LONGEST_NAME = 40
LONGEST_CASE = 80
MOST_ROWS = 200_000
LONGEST_READING_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Fault:
    """Row 0 stands for the file as a whole; the header is row 1."""

    row: int
    column: str
    value: str
    sentence: str


@dataclass(frozen=True)
class Source:
    """How the file is to be read: names of its columns where they differ, and what holds for all of its rows."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    seniorities: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> str:
        return self.columns.get(name, name)


@dataclass(frozen=True)
class Known:
    """What the study has: questions, arms by any name they go by, cases, readers, readings."""

    questions: tuple[Asked, ...]
    arms: Mapping[str, str]
    cases: Collection[str]
    taken_codes: Collection[str] = ()
    external: Mapping[str, str] = field(default_factory=dict)
    read: Collection[tuple[str, str, str]] = ()
    truths: Mapping[str, bool] = field(default_factory=dict)
    new_cases: bool = False


@dataclass(frozen=True)
class Row:
    number: int
    reader: str
    seniority: str
    arm: str
    case: str
    answers: Mapping[str, Value]
    seconds: float | None
    truth: bool | None
    patient: str


@dataclass(frozen=True)
class Judged:
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    collected: tuple[str, ...]
    not_collected: tuple[str, ...]

    @property
    def readers(self) -> dict[str, str]:
        return {row.reader: row.seniority for row in self.rows}

    @property
    def arms(self) -> list[str]:
        return sorted({row.arm for row in self.rows})

    @property
    def cases(self) -> int:
        return len({row.case for row in self.rows})


class RowFault(ValueError):
    def __init__(self, column: str, value: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column, self.value = column, value


def judge(content: bytes, source: Source, known: Known) -> Judged:
    """Every row that is right, and every fault; nothing may be imported while there is a fault."""
    try:
        header, lines = table_of(content)
    except (UnicodeDecodeError, csv.Error) as error:
        return refused(Fault(0, "", "", f"The file cannot be read as a CSV table: {error}."))
    faults = list(faults_of_header(header, source, known))
    if not lines:
        faults.append(Fault(0, "", "", "The file has no rows."))
    if len(lines) > MOST_ROWS:
        faults.append(Fault(0, "", "", f"The file has {len(lines)} rows; at most {MOST_ROWS} are taken at once."))
    if faults:
        return refused(*faults)
    asked = questions_in(header, source, known)
    rows: list[Row] = []
    for number, cells in lines:
        try:
            rows.append(row_of(number, line_of(cells, header), source, known, asked))
        except RowFault as fault:
            faults.append(Fault(number, fault.column, fault.value, str(fault)))
    faults += faults_between(rows, source, known)
    keys = tuple(question.key for question in asked)
    others = tuple(question.key for question in known.questions if question.key not in keys)
    return Judged(tuple(rows), tuple(sorted(faults, key=lambda fault: fault.row)), keys, others)


def refused(*faults: Fault) -> Judged:
    return Judged((), faults, (), ())


def table_of(content: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows with the numbers that a spreadsheet shows: empty rows count, a cell of two lines is one row."""
    text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    numbered = [(number, [cell.strip() for cell in cells]) for number, cells in enumerate(reader, start=1)]
    filled = [(number, cells) for number, cells in numbered if any(cells)]
    return (filled[0][1], filled[1:]) if filled else ([], [])


def line_of(cells: list[str], header: list[str]) -> dict[str, str]:
    """A comma too many, as in 79,5, must not move or drop an answer."""
    if any(cells[len(header) :]):
        raise RowFault("", cells[len(header)], f"The row has {len(cells)} cells; the header has {len(header)}.")
    line = {name: cell for name, cell in zip(header, cells, strict=False) if name}
    for name, cell in line.items():
        if not storable(cell):
            raise RowFault(name, repr(cell), "The cell holds a character that cannot be stored.")
    return line


def faults_of_header(header: list[str], source: Source, known: Known) -> Iterable[Fault]:
    listed = ", ".join(header) or "none"
    for name in (*NEEDED, *(("truth",) if known.new_cases else ())):
        if source.column(name) not in header and name not in source.constants:
            yield Fault(
                1, source.column(name), "", f"The column “{source.column(name)}” is missing; the file has {listed}."
            )
    for name in ("seniority", "arm"):
        if source.column(name) not in header and name not in source.constants:
            sentence = f"There is no column “{source.column(name)}”; add it, or say which {name} holds for all rows."
            yield Fault(1, source.column(name), "", sentence)
    for name in source.columns:
        if name not in FIELDS:
            yield Fault(0, name, "", f"“{name}” is no column that is read; known are {', '.join(FIELDS)}.")
        elif source.columns[name] not in header:
            yield Fault(
                1, source.columns[name], "", f"The column “{source.columns[name]}” is missing; the file has {listed}."
            )
    for name in source.constants:
        if name not in FIELDS or name in ANSWERED:
            sentence = f"“{name}” cannot be said for all rows at once; seniority, arm and reader can."
            yield Fault(0, name, source.constants[name], sentence)
    if not any(source.column(name) in header for name in ANSWERED):
        yield Fault(1, "rating, decision", "", f"There is neither a rating nor a decision; the file has {listed}.")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        yield Fault(1, twice[0], "", f"The column “{twice[0]}” stands twice.")


def questions_in(header: list[str], source: Source, known: Known) -> tuple[Asked, ...]:
    """The questions that the file answers; agreement is asked only where both answers are there."""
    present = {"decision": source.column("decision") in header, "confidence": source.column("rating") in header}
    asked = [question for question in known.questions if present.get(question.kind, False)]
    keys = {question.key for question in asked}
    return tuple(
        question if question.agrees_with in keys else replace(question, agrees_with=None) for question in asked
    )


def row_of(number: int, line: Mapping[str, str], source: Source, known: Known, asked: tuple[Asked, ...]) -> Row:
    def text(name: str, *, needed: bool = False, longest: int = LONGEST_NAME) -> str:
        value = line.get(source.column(name), "") or source.constants.get(name, "")
        if needed and not value:
            raise RowFault(source.column(name), "", "The cell is empty.")
        if len(value) > longest:
            raise RowFault(source.column(name), value, f"The cell has more than {longest} characters.")
        return value

    reader = text("reader", needed=True)
    if reader in known.taken_codes:
        raise RowFault(
            source.column("reader"), reader, f"“{reader}” is the code of a reader of this study with an account."
        )
    case = text("case", needed=True, longest=LONGEST_CASE)
    if case not in known.cases and not known.new_cases:
        raise RowFault(source.column("case"), case, f"The study has no case “{case}”.")
    return Row(
        number=number,
        reader=reader,
        seniority=seniority_of(text("seniority", needed=True), source),
        arm=arm_of(text("arm", needed=True, longest=60), source, known),
        case=case,
        answers=answers_of(line, source, asked),
        seconds=seconds_of(text("seconds"), source),
        truth=truth_of(text("truth"), source, needed=known.new_cases),
        patient=text("patient", longest=LONGEST_CASE) or case,
    )


def seniority_of(word: str, source: Source) -> str:
    lower = word.lower()
    known = SENIORITY | {name.lower(): SENIORITY.get(kind.lower(), "") for name, kind in source.seniorities.items()}
    if not known.get(lower):
        raise RowFault(
            source.column("seniority"),
            word,
            f"“{word}” is no seniority; use senior, intermediate or junior, or map the word.",
        )
    return known[lower]


def arm_of(word: str, source: Source, known: Known) -> str:
    code = known.arms.get(word.lower())
    if code is None:
        raise RowFault(
            source.column("arm"),
            word,
            f"The study has no arm “{word}”; it has {', '.join(sorted(set(known.arms.values())))}.",
        )
    return code


def answers_of(line: Mapping[str, str], source: Source, asked: tuple[Asked, ...]) -> dict[str, Value]:
    given: dict[str, object] = {}
    columns: dict[str, str] = {}
    for question in asked:
        column = source.column("decision" if question.kind == "decision" else "rating")
        columns[question.key] = column
        cell = line.get(column, "")
        if not cell:
            raise RowFault(column, "", "The cell is empty; leave the whole row out where nothing was answered.")
        given[question.key] = yes_or_no(cell, column) if question.kind == "decision" else number_in(cell, column)
    try:
        return checked(given, asked)
    except AnswersError as error:
        key, sentence = next(iter(error.errors.items()))
        raise RowFault(columns[key], str(given[key]), sentence) from error


def yes_or_no(cell: str, column: str) -> bool:
    if cell.lower() in YES | NO:
        return cell.lower() in YES
    raise RowFault(column, cell, f"“{cell}” is neither yes nor no; use 1 and 0, yes and no, or positive and negative.")


def number_in(cell: str, column: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise RowFault(column, cell, f"“{cell}” is no number.") from None
    if not math.isfinite(value):
        raise RowFault(column, cell, f"“{cell}” is no finite number.")
    return value


def seconds_of(cell: str, source: Source) -> float | None:
    if not cell:
        return None
    seconds = number_in(cell, source.column("seconds"))
    if not 0 <= seconds <= LONGEST_READING_SECONDS:
        raise RowFault(source.column("seconds"), cell, "A reading takes between 0 seconds and a day.")
    return seconds


def truth_of(cell: str, source: Source, *, needed: bool) -> bool | None:
    if not cell and needed:
        raise RowFault(source.column("truth"), "", "The cell is empty; new cases come with their truth.")
    return yes_or_no(cell, source.column("truth")) if cell else None


def faults_between(rows: Iterable[Row], source: Source, study: Known) -> Iterable[Fault]:
    """What is wrong only beside another row, or beside what was imported before."""
    seen: dict[tuple[str, str, str], int] = {}
    seniority: dict[str, Row] = {}
    truth: dict[str, Row] = {}
    for row in rows:
        if (row.reader, row.arm, row.case) in study.read:
            sentence = f"{row.reader} read {row.case} in arm {row.arm} already, in a file that was imported before."
            yield Fault(row.number, source.column("case"), row.case, sentence)
        if study.external.get(row.reader, row.seniority) != row.seniority:
            sentence = f"{row.reader} is {study.external[row.reader]} in the study and {row.seniority} here."
            yield Fault(row.number, source.column("seniority"), row.seniority, sentence)
        first = seen.setdefault((row.reader, row.arm, row.case), row.number)
        if first != row.number:
            sentence = f"{row.reader} read {row.case} in arm {row.arm} already, in row {first}."
            yield Fault(row.number, source.column("case"), row.case, sentence)
        known = seniority.setdefault(row.reader, row)
        if known.seniority != row.seniority:
            sentence = f"{row.reader} is {known.seniority} in row {known.number} and {row.seniority} here."
            yield Fault(row.number, source.column("seniority"), row.seniority, sentence)
        if row.truth is not None and study.truths.get(row.case, row.truth) != row.truth:
            words = ("positive", "negative") if row.truth else ("negative", "positive")
            sentence = f"{row.case} is {words[0]} here and {words[1]} in the study's reference standard."
            yield Fault(row.number, source.column("truth"), str(int(row.truth)), sentence)
        if row.truth is not None:
            before = truth.setdefault(row.case, row)
            if before.truth != row.truth:
                sentence = f"The truth of {row.case} differs from row {before.number}."
                yield Fault(row.number, source.column("truth"), str(int(row.truth)), sentence)
