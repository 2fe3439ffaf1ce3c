"""What readers answer: drafts, own and final answers. A submission is stored once, whoever sends it how often."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from readerstudy.accounts.models import User
from readerstudy.allocation.models import Slot
from readerstudy.audit.actions import record
from readerstudy.audit.chain import digest_of
from readerstudy.audit.errors import Conflict, Refused
from readerstudy.reading.activity import Times, clamped, times, within
from readerstudy.reading.answers import AnswersError, checked
from readerstudy.reading.models import Answer, Exposure, Look, Reading
from readerstudy.reading.permissions import check_study_open
from readerstudy.reading.queries import (
    Feedback,
    asked,
    current_answers,
    feedback_for,
    images_of,
    is_due,
    is_output_due,
    last_submitted,
    series_in_sight,
    settled_questions,
    sizes_of,
    stage_of,
    upcoming_slot,
)
from readerstudy.reading.sight import Value
from readerstudy.reading.submissions import Draft, Shown, Submission
from readerstudy.studies.models import Question
from readerstudy.studies.queries import rules_of

from .coordination import add_corrections
from .readers import end_session, facts_of, milliseconds_between, note_output, seen, unless_locked_meanwhile

NOT_STORED = gettext_noop(
    "Nothing was stored: the key of these answers belongs to another case, or the study was locked meanwhile."
)


@dataclass(frozen=True)
class Receipt:
    """Stored. The slot that is read next, and whether the period is read to its end.

    `stage` is final where the own answer was taken and the same case goes on; feedback is for training alone.
    """

    next: str | None
    finished: bool
    stage: str = ""
    feedback: Feedback | None = None


@transaction.atomic
def save_draft(*, slot: Slot, draft: Draft, by: User) -> None:
    """Keep what is entered and done so far; it replaces the draft before it."""
    check_study_open(slot.reader.study)
    now = timezone.now()
    reading = opened(slot)
    with unless_locked_meanwhile():
        kept = seen(reading, now, draft=draft.answers, draft_at=now, draft_log=log_of(draft, reading, now))
    if not kept:
        raise Conflict(_("This case is submitted already; its draft is no longer kept."))


def log_of(done: Draft | Submission, reading: Reading, now: datetime) -> dict[str, Any]:
    """So that another computer goes on where this one stopped."""
    bound_ms = milliseconds_between(reading.opened_at, now)
    return {
        "duration_ms": clamped(done.duration_ms, 0, bound_ms),
        "events": within(done.happenings, bound_ms),
        "exposures": [one.to_document(clamped(one.t, 0, bound_ms)) for one in done.exposures],
    }


def opened(slot: Slot) -> Reading:
    reading = Reading.objects.filter(slot=slot).first()
    if reading is None:
        raise Refused(_("This case was not opened yet."))
    return reading


@transaction.atomic
def submit(*, slot: Slot, submission: Submission, by: User) -> Receipt:
    """Store answers, times and exposures of a case at once, or not at all.

    The same key or the same answers again return what is stored; other answers are a conflict. Raises AnswersError.
    """
    reading = opened(slot)
    if reading.phase == Reading.Phase.SUBMITTED:
        return stored_before(slot, reading, submission)
    check_study_open(slot.reader.study)
    questions = settled_questions(slot.reader.study)
    if submission.unreadable:
        check_unreadable(slot, submission)
        answers: dict[str, Value] = {}
    else:
        answers = checked(submission.answers, map(asked, questions), sizes_of(slot, questions))
    if submission.stage == Answer.Stage.FIRST and not submission.unreadable:
        return commit_first(slot, reading, submission, questions, answers, by)
    if stage_of(slot, reading) == Answer.Stage.FIRST and not submission.unreadable:
        raise Refused(_("Your own answer comes first in this case."))
    if slot.withheld and not submission.unreadable and digest_of(answers) != reading.first_digest:
        raise Refused(_("This case stays unaided: your first answer stands."))
    return finish(slot, reading, submission, questions, answers, by)


def check_unreadable(slot: Slot, submission: Submission) -> None:
    if submission.answers:
        raise Refused(_("A case is either answered or declared not readable."))
    if submission.unreadable not in rules_of(slot.reader.study).unreadable_reasons:
        raise Refused(_("Please choose one of the reasons offered."))


def commit_first(
    slot: Slot,
    reading: Reading,
    submission: Submission,
    questions: Sequence[Question],
    answers: dict[str, Value],
    by: User,
) -> Receipt:
    """The own answer, before any output: compare-and-set, so that it is committed once."""
    if stage_of(slot, reading) != Answer.Stage.FIRST:
        return first_before(slot, reading, answers)
    now = max(timezone.now(), reading.opened_at or timezone.now())
    digest = digest_of(answers)
    bound_ms = milliseconds_between(reading.opened_at, now)
    spent = times(submission.happenings, duration_ms=submission.duration_ms, bound_ms=bound_ms)
    open_still = Reading.objects.filter(pk=reading.pk, first_at=None, phase=Reading.Phase.OPEN)
    with unless_locked_meanwhile():
        committed = open_still.update(
            first_at=now,
            first_digest=digest,
            draft=None,
            draft_at=None,
            draft_log=log_of(submission, reading, now),
            **{f"first_{name}": value for name, value in columns_of(spent).items()},
        )
    reading.refresh_from_db()
    if not committed:
        return first_before(slot, reading, answers)
    store_answers(reading, questions, answers, now, by, Answer.Stage.FIRST)
    facts = facts_of(slot) | {"answers": answers, "first_at": now.isoformat(), "withheld": slot.withheld}
    facts |= columns_of(spent)
    record(actor=by, verb="reading.first_answered", target=slot, facts=facts, study=slot.reader.study)
    if is_output_due(slot, reading):
        note_output(reading, now)
    return Receipt(next=slot.token, finished=False, stage=Answer.Stage.FINAL)


def first_before(slot: Slot, reading: Reading, answers: dict[str, Value]) -> Receipt:
    if not reading.first_digest or reading.first_digest != digest_of(answers):
        raise other_values()
    return Receipt(next=slot.token, finished=False, stage=Answer.Stage.FINAL)


def finish(
    slot: Slot,
    reading: Reading,
    submission: Submission,
    questions: Sequence[Question],
    answers: dict[str, Value],
    by: User,
) -> Receipt:
    now = max(timezone.now(), reading.opened_at or timezone.now())
    bound_ms = milliseconds_between(reading.opened_at, now)
    spent = times(submission.happenings, duration_ms=submission.duration_ms, bound_ms=bound_ms)
    changes = {
        "phase": Reading.Phase.SUBMITTED,
        "submitted_at": now,
        "draft": None,
        "draft_at": None,
        "draft_log": None,
        "client_key": submission.client_key,
        "payload_digest": digest_of([answers, submission.unreadable]),
        "unreadable_reason": submission.unreadable,
        "activity": within(submission.happenings, bound_ms),
        **columns_of(spent),
    }
    try:
        first = seen(reading, now, **changes)
    except IntegrityError as error:
        raise Conflict(_(NOT_STORED)) from error
    if not first:
        return stored_before(slot, Reading.objects.get(pk=reading.pk), submission)
    if not slot.withheld:
        store_answers(reading, questions, answers, now, by, Answer.Stage.FINAL)
    store_exposures(slot, reading, submission.exposures, began=reading.opened_at, now=now)
    receipt = receipt_for(slot)
    facts = facts_of(slot) | {"answers": answers, "submitted_at": now.isoformat()} | columns_of(spent)
    facts |= {"unreadable": submission.unreadable} if submission.unreadable else {}
    # Last, because whoever writes to the study's chain waits from here on.
    record(actor=by, verb="reading.submitted", target=slot, facts=facts, study=slot.reader.study)
    if receipt.finished:
        end_session(reader=slot.reader, by=by, verb="session.ended")
    return receipt


def receipt_for(slot: Slot) -> Receipt:
    upcoming = upcoming_slot(slot.reader)
    feedback = told_after(slot) if slot.training else None
    if upcoming is None or upcoming.period_id != slot.period_id:
        return Receipt(next=None, finished=True, feedback=feedback)
    # The page of the training lies between its last case and the first of the study, for good news too.
    ready = is_due(upcoming, timezone.now()) and bool(upcoming.training) == bool(slot.training)
    return Receipt(next=upcoming.token if ready else None, finished=False, feedback=feedback)


def told_after(slot: Slot) -> Feedback:
    questions = tuple(asked(row) for row in settled_questions(slot.reader.study))
    return feedback_for(slot, questions, series_in_sight([slot])[slot.pk])


def stored_before(slot: Slot, reading: Reading, submission: Submission) -> Receipt:
    """A submission that comes again: the same answers are acknowledged again, others never replace them."""
    questions = settled_questions(slot.reader.study)
    try:
        answers = {} if submission.unreadable else checked(submission.answers, map(asked, questions))
    except AnswersError as error:
        raise other_values() from error
    if submission.stage == Answer.Stage.FIRST and reading.first_digest == digest_of(answers):
        return receipt_for(slot)
    if reading.payload_digest != digest_of([answers, submission.unreadable]):
        raise other_values()
    return receipt_for(slot)


def other_values() -> Conflict:
    return Conflict(_("Other answers are stored for this case already; they were kept, and these were not."))


def columns_of(spent: Times) -> dict[str, int]:
    return {
        "active_ms": spent.active_ms,
        "idle_ms": spent.idle_ms,
        "hidden_ms": spent.hidden_ms,
        "load_ms": spent.load_ms,
    }


def store_answers(
    reading: Reading, questions: Sequence[Question], answers: dict[str, Value], now: datetime, by: User, stage: str
) -> None:
    Answer.objects.bulk_create(
        Answer(reading=reading, question=question, stage=stage, value=answers[question.key], given_by=by, given_at=now)
        for question in questions
        if question.key in answers
    )


def store_exposures(
    slot: Slot, reading: Reading, exposures: tuple[Shown, ...], *, began: datetime | None, now: datetime
) -> None:
    """Only what was sent, not before it and never backwards: a browser's word is no proof that a reader saw anything.

    Its times count from `began`.
    """
    arm = slot.arm
    can_show = {
        "probability": arm.shows_probability,
        "heatmap": arm.shows_heatmap,
        "mask": arm.shows_mask,
        "boxes": arm.shows_boxes,
        "levels": arm.shows_levels,
    }
    images = images_of(slot).count() if exposures else 0
    possible = [one for one in exposures if can_show[one.kind] and (one.image is None or one.image <= images)]
    sent = Reading.objects.values_list("output_at", flat=True).get(pk=reading.pk) if possible else None
    if sent is None or began is None:
        return
    before = milliseconds_between(reading.opened_at, began)
    earliest = milliseconds_between(reading.opened_at, max(sent, began))
    latest = milliseconds_between(reading.opened_at, now)
    again = reading.phase == Reading.Phase.SUBMITTED
    known = reading.exposures.filter(source=Exposure.Source.BROWSER).count() if again else 0
    # What is told of one time is not told of an earlier one afterwards, or shown times would count twice.
    at = accumulate((clamped(before + one.t, earliest, latest) for one in possible), max)
    Exposure.objects.bulk_create(
        Exposure(
            reading=reading,
            number=number,
            kind=exposure.kind,
            shown=exposure.shown,
            image=exposure.image,
            plane=exposure.plane,
            position=exposure.position,
            opacity=exposure.opacity,
            after_ms=after_ms,
        )
        for number, (exposure, after_ms) in enumerate(zip(possible, at, strict=True), start=known + 1)
    )


@transaction.atomic
def revise(*, slot: Slot, submission: Submission, reason: str, by: User) -> Receipt:
    """The reader's own correction of the case before, where the protocol allows it, with a reason."""
    study = slot.reader.study
    check_study_open(study)
    if not rules_of(study).may_revise:
        raise Refused(_("The protocol of this study allows no way back."))
    if last_submitted(slot.reader) != slot:
        raise Refused(_("Only the case that you submitted last in this sitting can be changed."))
    if not reason.strip():
        raise Refused(_("A change needs its reason."))
    held = Reading.objects.select_for_update().get(slot=slot)
    questions = settled_questions(study)
    answers = checked(submission.answers, map(asked, questions), sizes_of(slot, questions))
    stored = {key: answer.value for key, answer in current_answers(held).items()}
    if digest_of(answers) != digest_of(stored):
        add_corrections(held, answers, reason, "answer.revised", by)
    store_look(slot, held, submission)
    return receipt_for(slot)


def store_look(slot: Slot, reading: Reading, submission: Submission) -> None:
    """Times and toggles of the second look; where it comes again they are stored already."""
    last = reading.looks.order_by("number").last()
    if last is not None and last.active_ms is not None:
        return
    began = last.seen_at if last else reading.submitted_at
    now = max(timezone.now(), began or timezone.now())
    bound_ms = milliseconds_between(began, now)
    spent = times(submission.happenings, duration_ms=submission.duration_ms, bound_ms=bound_ms)
    number = last.number + 1 if last else 1
    Look.objects.create(reading=reading, number=number, seen_at=now, **columns_of(spent))
    store_exposures(slot, reading, submission.exposures, began=began, now=now)
