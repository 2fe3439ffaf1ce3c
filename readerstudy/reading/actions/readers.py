"""What readers write. Each is atomic and audited; a submission is stored once, whoever sends it how often."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from readerstudy.accounts.models import User
from readerstudy.allocation.models import Slot
from readerstudy.audit.actions import record
from readerstudy.audit.chain import digest_of
from readerstudy.audit.errors import Conflict, Refused
from readerstudy.reading.activity import Times, clamped, times
from readerstudy.reading.answers import AnswersError, checked
from readerstudy.reading.models import Answer, Exposure, Reading, ReadingSession
from readerstudy.reading.permissions import check_study_open
from readerstudy.reading.queries import (
    asked,
    check_opens,
    current_and_next,
    is_due,
    open_session,
    question_rows,
    questions_of,
)
from readerstudy.reading.sight import Value
from readerstudy.reading.submissions import Shown, Submission
from readerstudy.studies.models import Enrolment, Period, Question

OTHER_VALUES = "Other answers are stored for this case already; they were kept, and these were not."
LOCKED_MEANWHILE = "Nothing was stored: the study was locked meanwhile."
NOT_STORED = "Nothing was stored: the key of these answers belongs to another case, or the study was locked meanwhile."


@dataclass(frozen=True)
class Receipt:
    """Stored. The slot that is read next, and whether the period is read to its end."""

    next: str | None
    finished: bool


@transaction.atomic
def open_slot(*, slot: Slot, by: User) -> Reading:
    """Show a case: the first time this makes its reading, every time it counts as an exposure."""
    current, _ = current_and_next(slot.reader)
    now = timezone.now()
    check_opens(slot, current, now)
    session = ensure_session(slot.reader, slot.period, by)
    with unless_locked_meanwhile():
        reading, new = Reading.objects.get_or_create(
            slot=slot,
            defaults={
                "session": session,
                "opened_at": now,
                "last_exposed_at": now,
            },
        )
    if new:
        facts = facts_of(slot) | {"opened_at": now.isoformat()}
        record(actor=by, verb="reading.opened", target=slot, facts=facts, study=slot.reader.study)
    else:
        with unless_locked_meanwhile():
            seen(reading, now)
    return reading


def seen(reading: Reading, now: datetime, **changes: Any) -> int:
    """Compare-and-set on a reading that is still open; the exposure never moves back."""
    last = max(filter(None, [now, reading.last_exposed_at]))
    return Reading.objects.filter(pk=reading.pk, phase=Reading.Phase.OPEN).update(last_exposed_at=last, **changes)


@contextmanager
def unless_locked_meanwhile() -> Iterator[None]:
    """The database lets no reading overtake a lock that is being signed; it waits for it and then refuses."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Conflict(LOCKED_MEANWHILE) from error


def facts_of(slot: Slot) -> dict[str, Any]:
    return {
        "reader": slot.reader.code,
        "period": slot.period.number,
        "position": slot.position,
        "arm": slot.arm.code,
        "case": slot.case.token,
    }


# Sessions


@transaction.atomic
def start_session(*, reader: Enrolment, by: User) -> Slot | None:
    """Begin or go on with a sitting; returns the slot that is read next, None where everything is read."""
    check_study_open(reader.study)
    current, _ = current_and_next(reader)
    if current is not None:
        check_opens(current, current, timezone.now())
        ensure_session(reader, current.period, by)
    return current


def ensure_session(reader: Enrolment, period: Period, by: User) -> ReadingSession:
    session = open_session(reader)
    if session is not None and session.period_id == period.pk:
        return session
    # The reader's row orders two tabs that start at the same moment.
    Enrolment.objects.select_for_update().get(pk=reader.pk)
    session = open_session(reader)
    if session is not None and session.period_id == period.pk:
        return session
    if session is not None:
        end_session(reader=reader, by=by, verb="session.ended")
    session = ReadingSession.objects.create(reader=reader, period=period, started_at=timezone.now())
    facts = {"reader": reader.code, "period": period.number}
    record(actor=by, verb="session.started", target=session, facts=facts, study=reader.study)
    return session


@transaction.atomic
def pause(*, slot: Slot, by: User) -> None:
    end_session(reader=slot.reader, by=by, verb="session.paused")


def end_session(*, reader: Enrolment, by: User, verb: str) -> None:
    session = open_session(reader)
    if session is None:
        return
    # A clock that was set back must not end a sitting before it began.
    ended = max(timezone.now(), session.started_at)
    if ReadingSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=ended):
        record(actor=by, verb=verb, target=session, facts={"reader": reader.code}, study=reader.study)


# Drafts and submissions


@transaction.atomic
def save_draft(*, slot: Slot, answers: dict[str, object], by: User) -> None:
    """Keep what is entered so far; it replaces the draft before it."""
    check_study_open(slot.reader.study)
    now = timezone.now()
    reading = Reading.objects.filter(slot=slot).first()
    if reading is None:
        raise Refused("This case was not opened yet.")
    with unless_locked_meanwhile():
        kept = seen(reading, now, draft=answers, draft_at=now)
    if not kept:
        raise Conflict("This case is submitted already; its draft is no longer kept.")


@transaction.atomic
def submit(*, slot: Slot, submission: Submission, by: User) -> Receipt:
    """Store answers, times and exposures of a case at once, or not at all.

    The same key or the same answers again return what is stored; other answers are a conflict. Raises AnswersError.
    """
    reading = Reading.objects.filter(slot=slot).first()
    if reading is None:
        raise Refused("This case was not opened yet.")
    if reading.phase == Reading.Phase.SUBMITTED:
        return stored_before(slot, submission)
    check_study_open(slot.reader.study)
    questions = question_rows(slot.reader.study)
    answers = checked(submission.answers, map(asked, questions))
    now = max(timezone.now(), reading.opened_at or timezone.now())
    bound_ms = milliseconds_between(reading.opened_at, now)
    spent = times(submission.happenings, duration_ms=submission.duration_ms, bound_ms=bound_ms)
    changes = {
        "phase": Reading.Phase.SUBMITTED,
        "submitted_at": now,
        "draft": None,
        "draft_at": None,
        "client_key": submission.client_key,
        "payload_digest": digest_of(answers),
        "activity": [{"t": event.t, "kind": event.kind} for event in submission.happenings],
        **columns_of(spent),
    }
    try:
        with transaction.atomic():
            first = seen(reading, now, **changes)
    except IntegrityError as error:
        raise Conflict(NOT_STORED) from error
    if not first:
        return stored_before(slot, submission)
    store_answers(reading, questions, answers, now, by)
    store_exposures(slot, reading, submission.exposures, bound_ms)
    facts = facts_of(slot) | {"answers": answers, "submitted_at": now.isoformat()} | columns_of(spent)
    record(actor=by, verb="reading.submitted", target=slot, facts=facts, study=slot.reader.study)
    receipt = receipt_for(slot)
    if receipt.finished:
        end_session(reader=slot.reader, by=by, verb="session.ended")
    return receipt


def receipt_for(slot: Slot) -> Receipt:
    upcoming, _ = current_and_next(slot.reader)
    if upcoming is None or upcoming.period_id != slot.period_id:
        return Receipt(next=None, finished=True)
    return Receipt(next=upcoming.token if is_due(upcoming, timezone.now()) else None, finished=False)


def stored_before(slot: Slot, submission: Submission) -> Receipt:
    """A submission that comes again: the same answers are acknowledged again, others never replace them."""
    reading = Reading.objects.get(slot=slot)
    try:
        answers = checked(submission.answers, questions_of(slot.reader.study))
    except AnswersError as error:
        raise Conflict(OTHER_VALUES) from error
    if reading.payload_digest != digest_of(answers):
        raise Conflict(OTHER_VALUES)
    return receipt_for(slot)


def milliseconds_between(start: datetime | None, end: datetime) -> int:
    return int((end - start).total_seconds() * 1000) if start else 0


def columns_of(spent: Times) -> dict[str, int]:
    return {
        "active_ms": spent.active_ms,
        "idle_ms": spent.idle_ms,
        "hidden_ms": spent.hidden_ms,
        "load_ms": spent.load_ms,
    }


def store_answers(
    reading: Reading, questions: list[Question], answers: dict[str, Value], now: datetime, by: User
) -> None:
    Answer.objects.bulk_create(
        Answer(reading=reading, question=question, value=answers[question.key], given_by=by, given_at=now)
        for question in questions
        if question.key in answers
    )


def store_exposures(slot: Slot, reading: Reading, exposures: tuple[Shown, ...], bound_ms: int) -> None:
    """Only what the arm can show: a browser's word is no proof that an unaided reader saw anything."""
    arm = slot.arm
    can_show = {
        "probability": arm.shows_probability,
        "heatmap": arm.shows_heatmap,
        "mask": arm.shows_mask,
        "boxes": arm.shows_boxes,
        "levels": arm.shows_levels,
    }
    possible = [exposure for exposure in exposures if can_show[exposure.kind]]
    Exposure.objects.bulk_create(
        Exposure(
            reading=reading,
            number=number,
            kind=exposure.kind,
            shown=exposure.shown,
            after_ms=clamped(exposure.t, 0, bound_ms),
        )
        for number, exposure in enumerate(possible, start=1)
    )
