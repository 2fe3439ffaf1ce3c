"""Cases that are shown and the sittings in which they are. Each action is atomic and audited."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.allocation.actions import add_training_round
from readerstudy.allocation.models import Allocation, Slot
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Conflict, Refused
from readerstudy.reading.models import Exposure, Look, Reading, ReadingSession
from readerstudy.reading.permissions import check_study_open
from readerstudy.reading.queries import (
    check_opens,
    current_and_next,
    is_output_due,
    is_trained,
    open_session,
    training_of,
    unended_session,
)
from readerstudy.reading.submissions import Display
from readerstudy.studies.models import Arm, Enrolment, Period
from readerstudy.studies.queries import rules_of


@transaction.atomic
def open_slot(*, slot: Slot, by: User) -> Reading:
    """Show a case: the first time this makes its reading, every time it counts as an exposure."""
    current, _following = current_and_next(slot.reader)
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
    if is_output_due(slot, reading):
        note_output(reading, now)
    return reading


@transaction.atomic
def look_again(*, slot: Slot, by: User) -> None:
    """A submitted case is handed out again, where the reader may go back to it: it is seen, and so is its output."""
    check_study_open(slot.reader.study)
    reading = Reading.objects.select_for_update().get(slot=slot, phase=Reading.Phase.SUBMITTED)
    now = max(timezone.now(), reading.submitted_at or timezone.now())
    with unless_locked_meanwhile():
        Look.objects.create(reading=reading, number=reading.looks.count() + 1, seen_at=now)
        if is_output_due(slot, reading):
            number = reading.exposures.filter(source=Exposure.Source.SERVER).count() + 1
            expose_output(reading, number, now)
    facts = facts_of(slot) | {"seen_at": now.isoformat()}
    record(actor=by, verb="reading.seen_again", target=slot, facts=facts, study=slot.reader.study)


def note_output(reading: Reading, now: datetime) -> None:
    """The server's own record that the model's output goes to the reader; the first time counts."""
    if not Reading.objects.filter(pk=reading.pk, phase=Reading.Phase.OPEN, output_at=None).update(output_at=now):
        return
    reading.output_at = now
    expose_output(reading, 1, now)


def expose_output(reading: Reading, number: int, now: datetime) -> None:
    after_ms = milliseconds_between(reading.opened_at, now)
    server, kind = Exposure.Source.SERVER, Exposure.Kind.OUTPUT
    Exposure.objects.create(reading=reading, source=server, number=number, kind=kind, shown=True, after_ms=after_ms)


@transaction.atomic
def request_output(*, slot: Slot, by: User) -> None:
    """The reader asks for the model's output; from now on it stays with the case."""
    check_study_open(slot.reader.study)
    reading = Reading.objects.select_for_update().filter(slot=slot, phase=Reading.Phase.OPEN).first()
    if reading is None or slot.arm.assistance != Arm.Assistance.ON_REQUEST:
        raise Refused(_("There is nothing to ask for in this case."))
    if reading.output_at is None:
        now = max(timezone.now(), reading.opened_at or timezone.now())
        note_output(reading, now)
        facts = facts_of(slot) | {"requested_at": now.isoformat()}
        record(actor=by, verb="output.requested", target=slot, facts=facts, study=slot.reader.study)


def milliseconds_between(start: datetime | None, end: datetime) -> int:
    return max(0, int((end - start).total_seconds() * 1000)) if start else 0


def seen(reading: Reading, now: datetime, **changes: Any) -> int:
    """Compare-and-set on a reading that is still open; the exposure never moves back."""
    last = max(filter(None, [now, reading.last_exposed_at]))
    return Reading.objects.filter(pk=reading.pk, phase=Reading.Phase.OPEN).update(last_exposed_at=last, **changes)


@contextmanager
def unless_locked_meanwhile() -> Iterator[None]:
    """The database lets no reading overtake a lock that is being signed; it waits for it and then refuses.

    The refusal ends the whole action and with it its transaction, so no savepoint is needed.
    """
    try:
        yield
    except IntegrityError as error:
        raise Conflict(_("Nothing was stored: the study was locked meanwhile.")) from error


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
def start_session(*, reader: Enrolment, by: User, display: Display | None = None) -> Slot | None:
    """Begin or go on with a sitting; returns the slot that is read next, None where everything is read.

    A display check begins a sitting of its own, with which it is stored.
    """
    check_study_open(reader.study)
    current, _following = current_and_next(reader)
    if current is None:
        return None
    if display is not None:
        end_session(reader=reader, by=by, verb="session.ended")
        ensure_session(reader, current.period, by, display)
    check_opens(current, current, timezone.now())
    ensure_session(reader, current.period, by)
    return current


def ensure_session(reader: Enrolment, period: Period, by: User, display: Display | None = None) -> ReadingSession:
    if (session := open_session(reader, period.pk)) is not None:
        return session
    # The reader's row orders two tabs that start at the same moment.
    Enrolment.objects.select_for_update().get(pk=reader.pk)
    if (session := open_session(reader, period.pk)) is not None:
        return session
    end_session(reader=reader, by=by, verb="session.ended")
    found = asdict(display) if display else None
    session = ReadingSession.objects.create(reader=reader, period=period, started_at=timezone.now(), display=found)
    facts = {"reader": reader.code, "period": period.number, "display": found}
    record(actor=by, verb="session.started", target=session, facts=facts, study=reader.study)
    return session


@transaction.atomic
def pause(*, slot: Slot, by: User) -> None:
    end_session(reader=slot.reader, by=by, verb="session.paused")


def end_session(*, reader: Enrolment, by: User, verb: str) -> None:
    """Now, or at its last sign where nobody ended it then."""
    found = unended_session(reader)
    if found is None:
        return
    session, sign = found
    last = timezone.now() if open_session(reader) is not None else sign
    # A clock that was set back must not end a sitting before it began.
    ended = max(last, session.started_at)
    if ReadingSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=ended):
        record(actor=by, verb=verb, target=session, facts={"reader": reader.code}, study=reader.study)


@transaction.atomic
def repeat_training(*, reader: Enrolment, by: User) -> None:
    """Another round in a new order, where the pass mark was not reached."""
    check_study_open(reader.study)
    # The reader's row orders two tabs that ask at the same moment.
    Enrolment.objects.select_for_update().get(pk=reader.pk)
    pass_mark = rules_of(reader.study).training_pass_mark or 0
    result = training_of(reader, pass_mark)
    if not result.failed or is_trained(reader, pass_mark):
        raise Refused(_("The training is not to be repeated."))
    allocation = Allocation.objects.get(study=reader.study)
    number = result.round + 1
    cases = add_training_round(allocation=allocation, reader=reader, number=number)
    facts = {"reader": reader.code, "round": number, "cases": cases, "correct_before": result.correct}
    record(actor=by, verb="training.repeated", target=reader, facts=facts, study=reader.study)
