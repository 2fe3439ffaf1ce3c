"""Whose turn it is: readers, slots in their order, washout, sessions, progress."""

from datetime import UTC, datetime, timedelta

from django.db.models import Count, F, Max, Q, QuerySet
from django.db.models.functions import Greatest
from django.http import Http404
from django.utils import timezone

from readerstudy.accounts.models import User
from readerstudy.allocation.models import Slot
from readerstudy.reading import sight
from readerstudy.reading.models import Reading, ReadingSession, WashoutOverride
from readerstudy.reading.permissions import check_display, check_study_open, check_trained, check_turn, check_washout
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.queries import rules_of

from .training import is_trained

# A sitting without a sign for so long is over, though nobody paused it.
LONGEST_SILENCE = timedelta(hours=2)
SIGN = Greatest("started_at", Max("readings__last_exposed_at"))


def reader_for(user: User, token: str) -> Enrolment:
    """A reader's own enrolment; for everybody else it does not exist."""
    enrolment = readings_of(user).filter(token=token).first()
    if enrolment is None:
        raise Http404
    return enrolment


def readings_of(user: User) -> QuerySet[Enrolment]:
    return (
        Enrolment.objects.filter(user=user, role=Enrolment.Role.READER, active=True, external=False)
        .select_related("study__rules")
        .order_by("pk")
    )


def slot_for(user: User, token: str) -> Slot:
    """A reader's own slot; for everybody else it does not exist."""
    slot = (
        Slot.objects.filter(token=token, external=False, reader__user=user, reader__active=True)
        .select_related("reader__study__rules", "arm", "period", "case")
        # Tokens are unique; the order of the table would join four others for nothing.
        .order_by("pk")
        .first()
    )
    if slot is None:
        raise Http404
    return slot


def open_slots(reader: Enrolment) -> QuerySet[Slot]:
    """What a reader has still to read, in the order drawn."""
    return (
        Slot.objects.filter(reader=reader, external=False)
        .exclude(reading__phase=Reading.Phase.SUBMITTED)
        .select_related("reader__study", "arm", "period", "case")
        .order_by("period__number", "-training", "position")
    )


def due_at(slot: Slot) -> datetime | None:
    """When the washout of a slot ends: days after this reader last saw the case. None where nothing is to wait for.

    Counted in full days of 24 hours from an instant, so that no clock change and no time zone moves it.
    """
    if not slot.period.washout_days:
        return None
    readings = Reading.objects.filter(slot__reader_id=slot.reader_id, slot__case_id=slot.case_id).exclude(slot=slot)
    seen = readings.aggregate(reading=Max("last_exposed_at"), again=Max("looks__seen_at"))
    last: datetime | None = max(filter(None, seen.values()), default=None)
    if last is None or WashoutOverride.objects.filter(slot=slot, agreed_by__isnull=False).exists():
        return None
    return last.astimezone(UTC) + timedelta(days=slot.period.washout_days)


def check_opens(slot: Slot, upcoming: Slot | None, now: datetime) -> None:
    study = slot.reader.study
    check_study_open(study)
    check_turn(slot, upcoming)
    check_washout(due_at(slot), now)
    rules = rules_of(study)
    if rules.training_pass_mark is not None and not slot.training:
        check_trained(trained=is_trained(slot.reader, rules.training_pass_mark))
    if rules.display_check:
        check_display(open_session(slot.reader, slot.period_id))


def check_pixels(slot: Slot, now: datetime) -> None:
    """Of the case that is read now, of the next one, so that it lies ready, and of one that may be gone back to."""
    if is_revisable(slot):
        return
    current, following = current_and_next(slot.reader)
    ahead = current is not None and prefetchable(current, following, now) == slot and is_due(current, now)
    check_opens(slot, slot if ahead else current, now)


def is_revisable(slot: Slot) -> bool:
    """Whether the reader may still go back to this case."""
    study = slot.reader.study
    return study.phase == Study.Phase.OPEN and rules_of(study).may_revise and last_submitted(slot.reader) == slot


def last_submitted(reader: Enrolment) -> Slot | None:
    """The case that a reader may still go back to, where the protocol lets them: the last one of this sitting."""
    session = open_session(reader)
    slots = Slot.objects.filter(reader=reader, reading__session=session, reading__phase=Reading.Phase.SUBMITTED)
    own = slots.filter(training=0, reading__unreadable_reason="") if session else slots.none()
    # Two of one instant come in the order in which they were read.
    in_turn = own.order_by("reading__submitted_at", "period__number", "position")
    return in_turn.select_related("reader__study", "arm", "period", "case").last()


def is_due(slot: Slot, now: datetime) -> bool:
    due = due_at(slot)
    return due is None or due <= now


def current_and_next(reader: Enrolment) -> tuple[Slot | None, Slot | None]:
    first_two = [*open_slots(reader)[:2], None, None]
    return first_two[0], first_two[1]


def upcoming_slot(reader: Enrolment) -> Slot | None:
    """What is read next, with its period alone."""
    return open_slots(reader).select_related(None).select_related("period").first()


def prefetchable(current: Slot, following: Slot | None, now: datetime) -> Slot | None:
    """The next case of the same period, where its washout is over; its pixels may lie ready."""
    if following is None or following.period_id != current.period_id or not is_due(following, now):
        return None
    if bool(following.training) != bool(current.training):
        return None
    return following


def progress_of(reader: Enrolment, period_id: int | None = None) -> sight.Progress:
    slots = Slot.objects.filter(reader=reader, external=False, training=0)
    if period_id is not None:
        slots = slots.filter(period_id=period_id)
    submitted = Count("pk", filter=Q(reading__phase=Reading.Phase.SUBMITTED))
    counts = slots.order_by().aggregate(total=Count("pk"), done=submitted)
    return sight.Progress(done=counts["done"], total=counts["total"])


def open_session(reader: Enrolment, period_id: int | None = None) -> ReadingSession | None:
    """The sitting that goes on. One that went silent, or began before the reader's latest login, does not."""
    of_this_login = Q(reader__user__last_login=None) | Q(reader__user__last_login__lte=F("started_at"))
    unended = ReadingSession.objects.filter(of_this_login, reader=reader, ended_at=None).annotate(sign=SIGN)
    session = unended.filter(sign__gte=timezone.now() - LONGEST_SILENCE).order_by("pk").first()
    return session if session and period_id in (None, session.period_id) else None


def unended_session(reader: Enrolment) -> tuple[ReadingSession, datetime] | None:
    """What nobody ended, with the last sign of its reader."""
    session = ReadingSession.objects.filter(reader=reader, ended_at=None).annotate(sign=SIGN).order_by("pk").first()
    return (session, session.sign) if session else None
