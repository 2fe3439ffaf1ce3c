"""The dry run: every file is opened and decoded, nothing is imported, every fault is listed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from django.db import transaction

from readerstudy.audit.actions import record
from readerstudy.studies.models import Study
from readerstudy.studies.queries import rules_of

from . import manifest
from .leasing import Interrupted, Lease, leased
from .manifest import CaseRows, Fault, SeriesRows
from .models import Case, CaseImport, Image
from .pictures import Unreadable
from .preparing import Files, PreparedCase, files_for, prepared
from .queries import cases_in, manifest_of, stored_faults
from .sandbox import Decoders
from .stacking import Stack, default_label, numbers_of_reference, repeated

Phase = CaseImport.Phase
CLEARING = "Look at the picture; if it shows no name, write yes in the column cleared."
ROWS_NAMED = 5
SECONDS_BETWEEN_WORDS = 0.5
NO_MODALITY = (
    "The manifest has no column modality; without it a CT volume has no Hounsfield units and no window presets."
)


def sentence_of(error: Exception) -> str:
    if isinstance(error, OSError):
        reason = error.strerror or "the storage does not answer"
        return f"A file could not be read or stored ({reason}). Try again when that is mended."
    return str(error)


@dataclass
class _Notes:
    """What is said of the files that can be imported all the same, each sentence once with its rows."""

    rows: dict[str, dict[int, None]] = field(default_factory=dict)

    def add(self, number: int, sentence: str) -> None:
        self.rows.setdefault(sentence, {})[number] = None

    def text(self) -> str:
        return "\n".join(f"{_rows_in_words(list(rows))}: {sentence}" for sentence, rows in self.rows.items())


def _rows_in_words(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"Row {numbers[0]}"
    named = ", ".join(map(str, numbers[:ROWS_NAMED]))
    return f"Rows {named}" + (f" and {len(numbers) - ROWS_NAMED:,} more" if len(numbers) > ROWS_NAMED else "")


@dataclass(frozen=True)
class _Known:
    """What the study holds already, looked up once."""

    patients: dict[str, str]
    sources: dict[str, set[str]]
    case_of_source: dict[str, str]


def check(token: str) -> None:
    with leased(token, Phase.CHECKING) as lease:
        if lease is None:
            return
        row, notes = lease.row, _Notes()
        with Decoders(beat=lease.beat) as decoders:
            try:
                faults = list(_faults(lease, files_for(row, decoders, lease.beat), decoders, notes))
            except (Unreadable, OSError) as error:
                faults = [Fault(0, "", row.source, sentence_of(error))]
        _checked(row, faults, notes.text())


@transaction.atomic
def _checked(row: CaseImport, faults: list[Fault], notes: str) -> None:
    # The row already holds what is wrong with the manifest itself.
    found = sorted([*row.faults, *stored_faults(faults)], key=lambda fault: fault["row"])
    phase = Phase.FAULTY if found else Phase.CHECKED
    changed = CaseImport.objects.filter(pk=row.pk, phase=Phase.CHECKING).update(
        phase=phase, faults=found, message=notes, cases_done=0
    )
    if not changed:
        raise Interrupted
    facts = {"faults": len(found), "cases": row.cases_total}
    record(actor=row.started_by, verb="cases.import_checked", target=row, facts=facts, study=row.study)


def _faults(lease: Lease, files: Files, decoders: Decoders, notes: _Notes) -> Iterator[Fault]:
    row = lease.row
    missing = list(manifest.check_files(manifest_of(row), files.folder, files.of, files.refused))
    yield from missing
    # A path that leaves the folder is never opened, nor is a file whose row says nothing of its case.
    bad_rows = {fault.row for fault in missing} | {fault["row"] for fault in row.faults if fault["column"] != "truth"}
    good = [case for case in cases_in(row) if not any(one.number in bad_rows for one in case.rows)]
    known = _known(row.study, good)
    seen: dict[str, tuple[str, int]] = {}
    passed = row.cases_total - len(good)
    hung, told = _hung(row.study), monotonic()
    for number, one in enumerate(prepared(row, good, files, decoders), start=passed + 1):
        yield from _case_faults(one, known, seen)
        _note_series(one, hung, notes)
        for series in one.case.series:
            yield from _series_faults(one, series, notes)
        lease.beat()
        if monotonic() - told > SECONDS_BETWEEN_WORDS:
            lease.tell(number)
            told = monotonic()


def _hung(study: Study) -> list[str]:
    """The series that the study's hanging rule names."""
    return list(dict.fromkeys(cell["series"] for cell in (rules_of(study).hanging or {}).get("cells", ())))


def _note_series(one: PreparedCase, hung: list[str], notes: _Notes) -> None:
    """What the series of a case lack together."""
    try:
        named = [(series.label, stack) for series in one.case.series for stack in one.stacks(series)]
    except Unreadable:
        return
    number = one.case.rows[0].number
    labels = [(label or default_label(stack.facts)).casefold() for label, stack in named]
    for name in hung:
        if not any(label.startswith(name.casefold()) for label in labels):
            notes.add(number, f"The case has no series called {name}, which the study's hanging rule names.")
    if max(numbers_of_reference([stack for _, stack in named]), default=0) > 1:
        notes.add(number, "The series have several frames of reference; they are not linked by place.")


def _known(study: Study, cases: list[CaseRows]) -> _Known:
    labels = {case.case for case in cases}
    patients = dict(Case.objects.filter(study=study, label__in=labels).values_list("label", "patient"))
    images = Image.objects.filter(series__case__study=study).values_list("source_digest", "series__case__label")
    sources: dict[str, set[str]] = {}
    case_of_source: dict[str, str] = {}
    for digest, label in images.distinct().iterator():
        case_of_source[digest] = label
        if label in labels:
            sources.setdefault(label, set()).add(digest)
    return _Known(patients, sources, case_of_source)


def _case_faults(one: PreparedCase, known: _Known, seen: dict[str, tuple[str, int]]) -> Iterator[Fault]:
    """Can every file be used? Is the case, or one of its pictures, in the manifest or in the study already?"""
    case, first = one.case, one.case.rows[0]
    for row, path, sentence in one.refusals():
        yield Fault(row.number, "file", _shown(path, one.files), sentence)
    for row, path, digest in one.pictures():
        other, other_number = seen.setdefault(digest, (case.case, row.number))
        if (other, other_number) != (case.case, row.number):
            sentence = f"The same picture is given for case {other} in row {other_number}."
            yield Fault(row.number, "file", _shown(path, one.files), sentence)
    if case.case in known.patients:
        if sentence := difference(case, known.patients[case.case], one.sources, known.sources.get(case.case, set())):
            yield Fault(first.number, "case", case.case, sentence)
        return
    elsewhere = sorted({known.case_of_source[digest] for digest in one.sources & known.case_of_source.keys()})
    for label in elsewhere[:1]:
        yield Fault(first.number, "file", first.file, f"The study has this picture in case {label}.")


def difference(case: CaseRows, patient: str, sources: set[str], known: set[str]) -> str:
    """The sentence why a case is another than the one of its name in the study; empty where it is the same."""
    if patient != case.rows[0].patient:
        return f"The study has a case {case.case} of another patient."
    if sources != known:
        return f"The study has a case {case.case} with other pictures."
    return ""


def _shown(path: Path, files: Files) -> str:
    return path.relative_to(files.folder).as_posix() if path.is_relative_to(files.folder) else path.name


def _series_faults(one: PreparedCase, series: SeriesRows, notes: _Notes) -> Iterator[Fault]:
    first = series.rows[0]
    try:
        stacks = one.stacks(series)
    except Unreadable as error:
        yield Fault(first.number, "file", _repeated_in(one, series) or first.file, str(error))
        return
    for stack in stacks:
        for note in stack.facts.notes:
            notes.add(first.number, note)
        if stack.facts.kind == "nifti" and not stack.facts.modality:
            notes.add(first.number, NO_MODALITY)
    for row in series.rows:
        if beside := one.beside(row):
            count = f"{len(beside):,} files that are" if len(beside) > 1 else "1 file that is"
            notes.add(row.number, f"{count} no DICOM picture in the folder will be passed over.")
    yield from _held_back(series, stacks)


def _repeated_in(one: PreparedCase, series: SeriesRows) -> str:
    """The first file that holds the image of another one, for it may be one of hundreds; empty where there is none."""
    found = one.files_in(series)
    second = next(iter(repeated([file for _, file in found])), None)
    return next((_shown(path, one.files) for path, file in found if file is second), "")


def _held_back(series: SeriesRows, stacks: list[Stack]) -> Iterator[Fault]:
    reasons = dict.fromkeys(reason for stack in stacks for reason in stack.facts.quarantine)
    if reasons and not all(row.cleared for row in series.rows):
        first = series.rows[0]
        yield Fault(first.number, "cleared", first.file, " ".join([*reasons, CLEARING]))
