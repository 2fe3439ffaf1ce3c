"""The import's work after the dry run: case by case, a few committed together.

The row is the record of how far it came. A message that is lost, late or doubled changes nothing: who works
holds the lease, and what is in the study already, file by file the same, is passed over.
"""

from collections.abc import Iterator
from dataclasses import astuple, replace
from hashlib import file_digest
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from readerstudy.audit.actions import Happening, record, record_all
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Study

from . import delivery, frames, staging
from .checking import check, difference, sentence_of
from .decoded import Frame
from .leasing import Interrupted, Lease, leased
from .manifest import CaseRows
from .models import Case, CaseImport, Image, Series
from .permissions import check_takes_cases
from .pictures import Picture, Unreadable
from .preparing import Files, PreparedCase, files_for, prepared
from .queries import cases_in
from .sandbox import Decoders
from .stacking import Stack, default_label, numbers_of_reference

Phase = CaseImport.Phase
# So many cases, or as many as are done in so long, go in with one commit.
CASES_OF_A_COMMIT = 48
SECONDS_OF_A_COMMIT = 1.0


class _Ready(NamedTuple):
    """A case whose frames are stored, and each of its series with its name."""

    case: CaseRows
    series: list[tuple[str, Stack]]
    sources: set[str]


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


def run(token: str) -> bool:
    """Import what is not there yet. True when the last case is in."""
    with leased(token, Phase.RUNNING) as lease:
        if lease is None:
            return False
        row = lease.row
        with Decoders(beat=lease.beat) as decoders:
            try:
                _import(lease, files_for(row, decoders, lease.beat), decoders)
            except (Unreadable, Refused, OSError) as error:
                _stopped(row, sentence_of(error))
                return False
        _finished(row)
    staging.forget(row)
    return True


def _import(lease: Lease, files: Files, decoders: Decoders) -> None:
    row = lease.row
    # Not begun in vain: decoding is the dear part.
    check_takes_cases(row.study)
    cases = list(cases_in(row))
    labels = [case.case for case in cases]
    known = {case.label: case for case in Case.objects.filter(study=row.study, label__in=labels)}
    new = [case for case in cases if case.case not in known or not _is_same(known[case.case], case, files)]
    done = len(cases) - len(new)
    for portion in _portions(lease, prepared(row, new, files, decoders)):
        _commit(row, portion)
        done += len(portion)
        lease.tell(done)
    lease.tell(len(cases))


def _is_same(known: Case, case: CaseRows, files: Files) -> bool:
    """Raises where the case of that name in the study is another."""
    paths = [path for one in case.rows for path in files.of(one)]
    pictures = set(Image.objects.filter(series__case=known).values_list("source_digest", flat=True))
    # What lies beside the pictures in a folder was passed over, and is here as well.
    if sentence := difference(case, known.patient, pictures & set(map(_digest, paths)), pictures):
        raise Refused(sentence)
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _portions(lease: Lease, cases: Iterator[PreparedCase]) -> Iterator[list[_Ready]]:
    portion: list[_Ready] = []
    begun = monotonic()
    try:
        for one in cases:
            portion.append(_stored(one, staging.frames_folder(lease.row)))
            lease.beat()
            if len(portion) == CASES_OF_A_COMMIT or monotonic() - begun > SECONDS_OF_A_COMMIT:
                yield portion
                portion, begun = [], monotonic()
    except (Unreadable, OSError):
        # What came before the bad case goes in.
        if portion:
            yield portion
        raise
    if portion:
        yield portion


def _stored(one: PreparedCase, made: Path) -> _Ready:
    """Its frames go to the storage, each once, under its digest."""
    for row, _, sentence in one.refusals():
        raise Unreadable(f"Row {row.number}, case {one.case.case}: {sentence}")
    series = []
    for rows in one.case.series:
        try:
            stacks = one.stacks(rows)
        except Unreadable as error:
            raise Unreadable(f"Row {rows.rows[0].number}, case {one.case.case}: {error}") from error
        series += [(rows.label or default_label(stack.facts), _kept(stack, made)) for stack in stacks]
    return _Ready(one.case, series, one.sources)


def _kept(stack: Stack, made: Path) -> Stack:
    stack = _with_sample(stack, made)
    for slice_ in stack.slices:
        delivery.keep(delivery.FRAME, slice_.frame.digest, made)
        if slice_.frame.preview:
            delivery.keep(delivery.PREVIEW, slice_.frame.preview, made)
        if slice_.frame.thumbnail:
            delivery.keep(delivery.THUMBNAIL, slice_.frame.thumbnail, made)
    return stack


def _with_sample(stack: Stack, made: Path) -> Stack:
    """A thumbnail of the middle slice; its window for all where files give none, for scrolling must not flicker."""
    middle = stack.slices[stack.middle]
    if middle.frame.thumbnail:
        sample = middle.frame
    else:
        picture = _picture(middle.frame, delivery.made_or_kept(middle.frame.digest, made))
        window = frames.window_of(picture)
        content = frames.thumbnail(picture, window)
        digest = frames.digest_of(content)
        (made / digest).write_bytes(content)
        sample = replace(middle.frame, thumbnail=digest, window=window)
    slices = [replace(one, frame=replace(one.frame, window=one.frame.window or sample.window)) for one in stack.slices]
    slices[stack.middle] = replace(middle, frame=sample)
    return replace(stack, slices=tuple(slices))


def _picture(frame: Frame, packed: bytes) -> Picture:
    return Picture(
        pixels=frames.decode_either(packed, frame.rows, frame.columns, frame.samples),
        bits=frame.bits,
        geometry=frame.geometry,
        slope=frame.slope,
        intercept=frame.intercept,
        inverted=frame.inverted,
        window=frame.window,
    )


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
        phase=Phase.DONE, manifest=truths, faults=[], folder="", server="", archive_key="", finished_at=timezone.now()
    )
    if changed:
        facts = {"cases": row.cases_total, "manifest": row.manifest_digest}
        record(actor=row.started_by, verb="cases.import_finished", target=row, facts=facts, study=row.study)


@transaction.atomic
def _commit(row: CaseImport, portion: list[_Ready]) -> None:
    # The lock keeps the draw of the allocation and a second import of the same cases apart from this one.
    Study.objects.select_for_update().get(pk=row.study_id)
    check_takes_cases(row.study)
    labels = [ready.case.case for ready in portion]
    there = set(Case.objects.filter(study=row.study, label__in=labels).values_list("label", flat=True))
    new = [ready for ready in portion if ready.case.case not in there]
    made = Case.objects.bulk_create([_case(row, ready.case) for ready in new])
    series = Series.objects.bulk_create(
        one for case, ready in zip(made, new, strict=True) for one in _series_of(case, ready)
    )
    stacks = [stack for ready in new for _, stack in ready.series]
    Image.objects.bulk_create(
        _image(of, position, slice_.source, slice_.frame)
        for of, stack in zip(series, stacks, strict=True)
        for position, slice_ in enumerate(stack.slices, start=1)
    )
    happened = [Happening("case.imported", case, _facts(ready)) for case, ready in zip(made, new, strict=True)]
    record_all(actor=row.started_by, happened=happened, study=row.study)


def _facts(ready: _Ready) -> dict[str, object]:
    return {
        "series": len(ready.series),
        "files": sorted(ready.sources),
        "cleared_by_a_person": any(one.cleared for one in ready.case.rows),
    }


def _case(row: CaseImport, case: CaseRows) -> Case:
    return Case(
        study=row.study,
        label=case.case,
        patient=case.rows[0].patient,
        site=case.site,
        covariates=case.covariates,
        source=row,
    )


def _series_of(case: Case, ready: _Ready) -> Iterator[Series]:
    references = numbers_of_reference([stack for _, stack in ready.series])
    for position, ((label, stack), reference) in enumerate(zip(ready.series, references, strict=True), start=1):
        yield _series(case, position, label, stack, reference)


def _series(case: Case, position: int, label: str, stack: Stack, reference: int) -> Series:
    return Series(
        case=case,
        position=position,
        label=label,
        modality=stack.facts.modality,
        plane=stack.plane,
        unit=stack.unit,
        body_part=stack.facts.body_part,
        laterality=stack.facts.laterality,
        view=stack.facts.view,
        slice_thickness=stack.slice_thickness,
        frame_of_reference=reference,
        more_windows=[[*astuple(one)[:3]] for one in stack.slices[stack.middle].frame.more_windows if not one.steps],
    )


def _image(series: Series, position: int, source: str, frame: Frame) -> Image:
    assert frame.window is not None
    return Image(
        series=series,
        position=position,
        source_digest=source,
        frame_digest=frame.digest,
        frame_key=delivery.key_of(delivery.FRAME, frame.digest),
        preview_key=delivery.key_of(delivery.PREVIEW, frame.preview) if frame.preview else "",
        thumbnail_key=delivery.key_of(delivery.THUMBNAIL, frame.thumbnail) if frame.thumbnail else "",
        rows=frame.rows,
        columns=frame.columns,
        samples=frame.samples,
        bits=frame.bits,
        inverted=frame.inverted,
        slope=frame.slope,
        intercept=frame.intercept,
        window_center=frame.window.center,
        window_width=frame.window.width,
        window_shape=frame.window.shape,
        window_steps=list(frame.window.steps),
        spacing=frame.geometry.spacing,
        calibrated=frame.geometry.calibrated,
        origin=frame.geometry.position,
        orientation=frame.geometry.orientation,
        letters=frame.geometry.letters,
    )
