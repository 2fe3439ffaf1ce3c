"""The import's work: the dry run, then case by case, each committed on its own.

The row is the record of how far it came. A message that is lost, late or doubled changes nothing: who works
holds the lease, and what is in the study already, file by file the same, is passed over.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Study

from . import delivery, manifest, staging
from .manifest import CaseRows, Fault, SeriesRows
from .models import Case, CaseImport, Image, Series
from .permissions import check_takes_cases
from .pictures import Unreadable
from .queries import cases_in, manifest_of, stored_faults
from .sandbox import Sandbox

Phase = CaseImport.Phase
CLEARING = "Look at the picture; if it shows no name, write yes in the column cleared."


class Interrupted(Exception):
    """The lease went to somebody else, or the import was dropped meanwhile."""


@dataclass
class _Lease:
    """Renewed while the work goes on; lost when somebody else took the row."""

    row: CaseImport
    renew_at: Any = None

    def beat(self) -> None:
        now = timezone.now()
        if self.renew_at is not None and now < self.renew_at:
            return
        until = now + settings.IMPORT_LEASE
        held = CaseImport.objects.filter(pk=self.row.pk, phase=self.row.phase, lease_until=self.row.lease_until)
        if not held.update(lease_until=until):
            raise Interrupted
        self.row.lease_until = until
        self.renew_at = now + settings.IMPORT_LEASE / 4


@contextmanager
def _leased(token: str, phase: str) -> Iterator[tuple[CaseImport, _Lease] | None]:
    """The row in the phase that is asked for, held by nobody else; None otherwise."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    until = now + settings.IMPORT_LEASE
    if not CaseImport.objects.filter(free, token=token, phase=phase).update(lease_until=until):
        yield None
        return
    lease = _Lease(CaseImport.objects.select_related("study", "started_by").get(token=token))
    try:
        yield lease.row, lease
    finally:
        CaseImport.objects.filter(pk=lease.row.pk, lease_until=lease.row.lease_until).update(lease_until=None)


def work(token: str) -> bool:
    """Do whatever the import waits for; True where a case was imported to the end."""
    try:
        check(token)
        return run(token)
    except Interrupted:
        return False


def due() -> list[str]:
    """Imports that wait for a worker, or whose worker died."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=timezone.now())
    waiting = CaseImport.objects.filter(free, phase__in=(Phase.CHECKING, Phase.RUNNING))
    return list(waiting.order_by("started_at").values_list("token", flat=True))


def check(token: str) -> None:
    """The dry run: every file is opened and decoded, nothing is kept, every fault is listed."""
    with _leased(token, Phase.CHECKING) as held:
        if held is None:
            return
        row, lease = held
        notes: dict[str, None] = {}
        with Sandbox(beat=lease.beat) as sandbox:
            try:
                folder = staging.files_folder(row, manifest_of(row).rows, sandbox)
                faults = list(_faults(row, lease, folder, sandbox, notes))
            except (Unreadable, OSError) as error:
                faults = [Fault(0, "", row.source, _sentence(error))]
        _checked(row, faults, list(notes))


@transaction.atomic
def _checked(row: CaseImport, faults: list[Fault], notes: list[str]) -> None:
    # The row already holds what is wrong with the manifest itself.
    found = sorted([*row.faults, *stored_faults(faults)], key=lambda fault: fault["row"])
    phase = Phase.FAULTY if found else Phase.CHECKED
    changed = CaseImport.objects.filter(pk=row.pk, phase=Phase.CHECKING).update(
        phase=phase, faults=found, message=" ".join(notes), cases_done=0
    )
    if not changed:
        raise Interrupted
    facts = {"faults": len(found), "cases": row.cases_total}
    record(actor=row.started_by, verb="cases.import_checked", target=row, facts=facts, study=row.study)


def _faults(row: CaseImport, lease: _Lease, folder: Path, sandbox: Sandbox, notes: dict[str, None]) -> Iterator[Fault]:
    missing = list(manifest.check_files(manifest_of(row), folder, lambda path: None))
    yield from missing
    # A path that leaves the folder is never opened, nor is a file whose row says nothing of its case.
    bad_rows = {fault.row for fault in missing} | {fault["row"] for fault in row.faults if fault["column"] != "truth"}
    seen: dict[str, tuple[str, int]] = {}
    for number, case in enumerate(cases_in(row), start=1):
        if not any(one.number in bad_rows for one in case.rows):
            yield from _case_faults(row.study, case, folder, seen)
            for series in case.series:
                yield from _series_faults(series, folder, sandbox, notes)
        lease.beat()
        CaseImport.objects.filter(pk=row.pk, phase=Phase.CHECKING).update(cases_done=number)


def _case_faults(study: Study, case: CaseRows, folder: Path, seen: dict[str, tuple[str, int]]) -> Iterator[Fault]:
    """Is the case, or one of its pictures, in the manifest or in the study already?"""
    digests = _digests(case, folder)
    for path, digest in digests.items():
        number = next(row.number for row in case.rows if path in manifest.files_of(folder, row.file))
        other, other_number = seen.setdefault(digest, (case.case, number))
        if (other, other_number) != (case.case, number):
            sentence = f"The same picture is given for case {other} in row {other_number}."
            yield Fault(number, "file", path.relative_to(folder).as_posix(), sentence)
    try:
        known = already_there(study, case, set(digests.values()))
    except Refused as refused:
        yield Fault(case.rows[0].number, "case", case.case, str(refused))
        return
    if known is None:
        elsewhere = Image.objects.filter(series__case__study=study, source_digest__in=set(digests.values()))
        for label in elsewhere.values_list("series__case__label", flat=True).distinct()[:1]:
            yield Fault(case.rows[0].number, "file", case.rows[0].file, f"The study has this picture in case {label}.")


def _series_faults(series: SeriesRows, folder: Path, sandbox: Sandbox, notes: dict[str, None]) -> Iterator[Fault]:
    first = series.rows[0]
    try:
        found = sandbox.check(_paths(series, folder), _modality(series))
    except Unreadable as error:
        yield Fault(first.number, "file", first.file, str(error))
        return
    notes.update(dict.fromkeys(found["notes"]))
    if found["quarantine"] and not all(row.cleared for row in series.rows):
        yield Fault(first.number, "cleared", first.file, " ".join([*found["quarantine"], CLEARING]))


def run(token: str) -> bool:
    """Import what is not there yet. True when the last case is in."""
    with _leased(token, Phase.RUNNING) as held:
        if held is None:
            return False
        row, lease = held
        with ExitStack() as stack:
            sandbox = stack.enter_context(Sandbox(beat=lease.beat))
            try:
                folder = staging.files_folder(row, manifest_of(row).rows, sandbox)
                for number, case in enumerate(cases_in(row), start=1):
                    import_case(row, case, folder, sandbox, lease.beat)
                    CaseImport.objects.filter(pk=row.pk, phase=Phase.RUNNING).update(cases_done=number)
            except (Unreadable, Refused, OSError) as error:
                _stopped(row, _sentence(error))
                return False
        _finished(row)
    staging.forget(row)
    return True


def _sentence(error: Unreadable | Refused | OSError) -> str:
    if isinstance(error, OSError):
        reason = error.strerror or "the storage does not answer"
        return f"A file could not be read or stored ({reason}). Try again when that is mended."
    return str(error)


@transaction.atomic
def _stopped(row: CaseImport, sentence: str) -> None:
    CaseImport.objects.filter(pk=row.pk, phase=Phase.RUNNING).update(phase=Phase.STOPPED, message=sentence)
    facts = {"why": sentence}
    record(actor=row.started_by, verb="cases.import_stopped", target=row, facts=facts, study=row.study)


@transaction.atomic
def _finished(row: CaseImport) -> None:
    """File names and patient hashes go; the truth waits in the row until `reference` has taken it."""
    truths = [{"case": case.case, "truth": case.truth} for case in cases_in(row) if case.truth is not None]
    changed = CaseImport.objects.filter(pk=row.pk, phase=Phase.RUNNING).update(
        phase=Phase.DONE, manifest=truths, faults=[], folder="", archive_key="", finished_at=timezone.now()
    )
    if changed:
        facts = {"cases": row.cases_total, "manifest": row.manifest_digest}
        record(actor=row.started_by, verb="cases.import_finished", target=row, facts=facts, study=row.study)


def import_case(
    row: CaseImport, case: CaseRows, folder: Path, sandbox: Sandbox, beat: Callable[[], None]
) -> Case | None:
    """One case: decode, store the pixels, then all its rows at once. None where it is there already."""
    beat()
    digests = _digests(case, folder)
    if already_there(row.study, case, set(digests.values())) is not None:
        return None
    # Not begun in vain: decoding is the dear part.
    check_takes_cases(row.study)
    with tempfile.TemporaryDirectory(prefix="frames-", dir=_frames_folder(row)) as made:
        decoded = []
        for series in case.series:
            paths = _paths(series, folder)
            try:
                found = sandbox.convert(paths, Path(made), _modality(series))
            except Unreadable as error:
                raise Unreadable(f"Row {series.rows[0].number}, case {case.case}: {error}") from error
            _keep_files(found, Path(made), beat)
            decoded.append((series, found, [digests[path] for path in paths]))
        return _commit(row, case, decoded)


def _frames_folder(row: CaseImport) -> Path:
    folder = staging.work_folder(row)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keep_files(found: dict[str, Any], made: Path, beat: Callable[[], None]) -> None:
    for image in found["images"]:
        for kind, folder in (
            ("frame", delivery.FRAME),
            ("preview", delivery.PREVIEW),
            ("thumbnail", delivery.THUMBNAIL),
        ):
            digest = image[kind]
            image[f"{kind}_key"] = delivery.keep(folder, digest, (made / digest).read_bytes()) if digest else ""
        beat()


@transaction.atomic
def _commit(
    row: CaseImport, case: CaseRows, decoded: list[tuple[SeriesRows, dict[str, Any], list[str]]]
) -> Case | None:
    # The lock keeps the draw of the allocation and a second import of the same case apart from this one.
    Study.objects.select_for_update().get(pk=row.study_id)
    check_takes_cases(row.study)
    if already_there(row.study, case, {digest for _, _, digests in decoded for digest in digests}) is not None:
        return None
    made = Case.objects.create(
        study=row.study,
        label=case.case,
        patient=case.rows[0].patient,
        site=case.site,
        covariates=case.covariates,
        source=row,
    )
    for position, (rows, found, digests) in enumerate(decoded, start=1):
        series = Series.objects.create(
            case=made,
            position=position,
            label=rows.label or default_label(found),
            modality=found["modality"],
            plane=found["plane"],
            unit=found["unit"],
            body_part=found["body_part"],
            laterality=found["laterality"],
            view=found["view"],
            slice_thickness=found["slice_thickness"],
        )
        Image.objects.bulk_create(
            [_image(series, number, image, digests) for number, image in enumerate(found["images"], start=1)]
        )
    facts = {
        "series": len(decoded),
        "files": sorted({digest for _, _, digests in decoded for digest in digests}),
        "cleared_by_a_person": any(one.cleared for one in case.rows),
    }
    record(actor=row.started_by, verb="case.imported", target=made, facts=facts, study=row.study)
    return made


def default_label(found: dict[str, Any]) -> str:
    """From listed values only, for readers see it: CT, or DX L LL; the plane stands in a field of its own."""
    return " ".join(filter(None, (found["modality"], found["laterality"], found["view"])))


def _image(series: Series, position: int, image: dict[str, Any], digests: list[str]) -> Image:
    center, width = image["window"]
    return Image(
        series=series,
        position=position,
        source_digest=digests[image["source"]],
        frame_digest=image["frame"],
        frame_key=image["frame_key"],
        preview_key=image["preview_key"],
        thumbnail_key=image["thumbnail_key"],
        rows=image["rows"],
        columns=image["columns"],
        bits=image["bits"],
        inverted=image["inverted"],
        slope=image["slope"],
        intercept=image["intercept"],
        window_center=center,
        window_width=width,
        spacing=image["spacing"],
        calibrated=image["calibrated"],
        origin=image["position"],
        orientation=image["orientation"],
    )


def already_there(study: Study, case: CaseRows, digests: set[str]) -> Case | None:
    """The case of that name if it is the same one; raises where it is another."""
    known = Case.objects.filter(study=study, label=case.case).first()
    if known is None:
        return None
    if known.patient != case.rows[0].patient:
        raise Refused(f"The study has a case {case.case} of another patient.")
    if set(Image.objects.filter(series__case=known).values_list("source_digest", flat=True)) != digests:
        raise Refused(f"The study has a case {case.case} with other pictures.")
    return known


def _digests(case: CaseRows, folder: Path) -> dict[Path, str]:
    return {path: _digest(path) for row in case.rows for path in manifest.files_of(folder, row.file)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _paths(series: SeriesRows, folder: Path) -> list[Path]:
    return [path for row in series.rows for path in manifest.files_of(folder, row.file)]


def _modality(series: SeriesRows) -> str:
    """What a column `modality` says; only NIfTI, which does not say it itself, needs it."""
    said = next((value for row in series.rows for name, value in row.covariates.items() if name == "modality"), "")
    return said.upper()[:8]
