"""Answers that readers gave elsewhere become readings of an external source, through the same checks."""

import hashlib
from collections import Counter

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.allocation.models import Slot
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.cases.models import Case
from readerstudy.cases.permissions import check_takes_cases
from readerstudy.cases.queries import patient_hash
from readerstudy.reading.external import Judged, Row, Source
from readerstudy.reading.models import Answer, ExternalSource, Reading
from readerstudy.reading.sources import judged, keep
from readerstudy.reference.actions import record_standard
from readerstudy.reference.queries import truth_by_case
from readerstudy.studies.actions import enrol_external
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_coordinates

FAULTS_SHOWN = 5
BATCH = 2000


@transaction.atomic
def import_readings(
    *,
    study: Study,
    content: bytes,
    name: str,
    source: Source,
    by: User,
    new_cases: bool = False,
    simulated: bool = False,
) -> ExternalSource:
    """All rows or none. The same file twice is refused, so that nothing is counted double."""
    check_coordinates(by, study)
    held = Study.objects.select_for_update().get(pk=study.pk)
    if held.phase not in (Study.Phase.FROZEN, Study.Phase.OPEN):
        raise Refused(
            _("Existing answers are checked against the protocol: import them once it is frozen, before the lock.")
        )
    digest = hashlib.sha256(content).hexdigest()
    if ExternalSource.objects.filter(study=held, digest=digest).exists():
        raise Refused(_("This very file was imported already."))
    checked = judged(held, content, source, new_cases=new_cases)
    if checked.faults:
        raise Refused(summary_of(checked))
    if new_cases:
        add_cases(held, checked, name, by)
    external = ExternalSource.objects.create(
        study=held,
        name=name[:200],
        digest=keep(content),
        rows=len(checked.rows),
        collected=list(checked.collected),
        simulated=simulated,
        imported_by=by,
    )
    readers = enrol_readers(held, checked, by, simulated=simulated)
    store_rows(held, external, checked.rows, readers)
    facts = {
        "file": external.name,
        "digest": digest,
        "rows": external.rows,
        "readers": checked.readers,
        "arms": checked.arms,
        "cases": checked.cases,
        "collected": list(checked.collected),
        "not_collected": list(checked.not_collected),
        "simulated": simulated,
        "columns": dict(source.columns),
        "constants": dict(source.constants),
    }
    record(actor=by, verb="readings.imported", target=external, facts=facts, study=held)
    return external


def summary_of(checked: Judged) -> str:
    first = [
        f"row {fault.row}, column {fault.column}: {fault.sentence}" if fault.row else fault.sentence
        for fault in checked.faults[:FAULTS_SHOWN]
    ]
    more = len(checked.faults) - len(first)
    return " ".join([f"{len(checked.faults)} fault(s):", *first, *([f"… and {more} more."] if more else [])])


def add_cases(study: Study, checked: Judged, name: str, by: User) -> None:
    """Cases that exist only as answers: no images, but a patient and a truth."""
    present = set(study.cases.values_list("label", flat=True))
    fresh = {row.case: row for row in checked.rows if row.case not in present}
    if not fresh:
        return
    check_takes_cases(study)
    rows = [
        Case(study=study, label=label, patient=patient_hash(study, row.patient), covariates={})
        for label, row in fresh.items()
    ]
    cases = Case.objects.bulk_create(rows, batch_size=BATCH)
    before = truth_by_case(study)
    truths = {case: before[case.pk] for case in study.cases.filter(pk__in=before)}
    truths |= {case: bool(fresh[case.label].truth) for case in cases}
    reason = f"Cases and truth from {name}" if before else ""
    record_standard(study=study, truths=truths, method=f"As given in {name}"[:200], reason=reason, by=by)
    tokens = {case.label: case.token for case in cases}
    record(actor=by, verb="cases.added_from_answers", target=study, facts={"cases": tokens}, study=study)


def enrol_readers(study: Study, checked: Judged, by: User, *, simulated: bool) -> dict[str, Enrolment]:
    present = {reader.code: reader for reader in Enrolment.objects.filter(study=study, external=True)}
    return {
        code: present.get(code)
        or enrol_external(study=study, code=code, seniority=seniority, by=by, simulated=simulated)
        for code, seniority in sorted(checked.readers.items())
    }


def store_rows(study: Study, external: ExternalSource, rows: tuple[Row, ...], readers: dict[str, Enrolment]) -> None:
    arms = {arm.code: arm for arm in study.arms.all()}
    cases = {case.label: case for case in study.cases.all()}
    questions = {question.key: question for question in study.questions.all()}
    period = study.periods.get(number=1)
    taken = Slot.objects.filter(reader__in=readers.values(), period=period).order_by()
    position = Counter(dict(taken.values_list("reader__code").annotate(last=Max("position"))))
    slots = []
    for row in rows:
        position[row.reader] += 1
        slots.append(
            Slot(
                reader=readers[row.reader],
                arm=arms[row.arm],
                case=cases[row.case],
                period=period,
                position=position[row.reader],
                external=True,
            )
        )
    Slot.objects.bulk_create(slots, batch_size=BATCH)
    readings = [
        Reading(
            slot=slot,
            source=external,
            phase=Reading.Phase.SUBMITTED,
            active_ms=None if row.seconds is None else round(row.seconds * 1000),
        )
        for slot, row in zip(slots, rows, strict=True)
    ]
    Reading.objects.bulk_create(readings, batch_size=BATCH)
    answers = [
        Answer(reading=reading, question=questions[key], value=value)
        for reading, row in zip(readings, rows, strict=True)
        for key, value in row.answers.items()
    ]
    Answer.objects.bulk_create(answers, batch_size=BATCH)
    with connection.cursor() as cursor:
        # The planner hears of so many new rows by itself only minutes later; until then its plans take minutes too.
        cursor.execute("ANALYZE allocation_slot, reading_reading, reading_answer")
