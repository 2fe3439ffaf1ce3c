from collections.abc import Mapping

from django.db import transaction
from django.db.models import JSONField, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.allocation.models import Slot
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.predictions.actions import freeze_run
from readerstudy.predictions.queries import assisting_run
from readerstudy.reading.answers import checked, still_asked
from readerstudy.reading.models import Answer, Reading, WashoutOverride
from readerstudy.reading.overview import missing_to_open
from readerstudy.reading.permissions import check_study_open
from readerstudy.reading.queries import (
    current_answers,
    due_at,
    latest_answers,
    question_rows,
    questions_of,
    sizes_of,
)
from readerstudy.reading.sight import Value as Given
from readerstudy.studies.actions import open_study
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import check_analyses, check_coordinates

from .readers import facts_of


@transaction.atomic
def open_reading(*, study: Study, by: User) -> None:
    """Open the study for its readers: everything must be there, and what the model said is frozen first."""
    check_coordinates(by, study)
    held = Study.objects.select_for_update().get(pk=study.pk)
    if missing := missing_to_open(held):
        raise Refused(" ".join(missing))
    run = assisting_run(held)
    if run is not None:
        freeze_run(run=run, by=by)
    open_study(study=held, by=by)
    study.refresh_from_db()


@transaction.atomic
def correct(*, reading: Reading, values: Mapping[str, object], reason: str, by: User) -> list[Answer]:
    """Add answers that replace earlier ones, with a reason; the earlier rows stay. Raises AnswersError."""
    slot = reading.slot
    study = slot.reader.study
    check_coordinates(by, study)
    # The reading's row orders two corrections of the same answers.
    held = Reading.objects.select_for_update().get(pk=reading.pk)
    check_study_open(study)
    if held.phase != Reading.Phase.SUBMITTED:
        raise Refused(_("Only a submitted reading is corrected; this one is still open."))
    if held.unreadable_reason:
        raise Refused(_("This case was declared not readable; there is no answer to correct."))
    if not reason.strip():
        raise Refused(_("A correction needs its reason."))
    old = {key: answer.value for key, answer in current_answers(held).items()}
    questions = questions_of(study)
    # An answer to what is no longer asked goes by itself; one that is given to it now is a fault.
    given = {**still_asked({**old, **values}, questions), **values}
    new = checked(given, questions, sizes_of(slot, question_rows(study)))
    rows = add_corrections(held, new, reason, "answer.corrected", by)
    if not rows:
        raise Refused(_("These answers are the ones that are stored already."))
    return rows


def add_corrections(reading: Reading, new: dict[str, Given], reason: str, verb: str, by: User) -> list[Answer]:
    """Further rows for the answers that differ, and their event.

    An answer that is no longer given, or no longer asked for, is taken back by a row of JSON's null.
    """
    slot, latest = reading.slot, latest_answers(reading)
    old = {key: answer.value for key, answer in latest.items() if answer.value is not None}
    # True equals 1 in Python; a decision is no number.
    changed = [key for key in new if key not in old or (type(new[key]), new[key]) != (type(old[key]), old[key])]
    changed += [key for key in old if key not in new]
    questions = {question.key: question for question in slot.reader.study.questions.all()}
    rows = [
        Answer(
            reading=reading,
            question=questions[key],
            stage=Answer.Stage.FIRST if slot.withheld else Answer.Stage.FINAL,
            number=latest[key].number + 1 if key in latest else 1,
            # None alone would be SQL's null.
            value=new.get(key, Value(None, JSONField())),
            reason=reason.strip(),
            given_by=by,
            given_at=timezone.now(),
        )
        for key in changed
    ]
    if rows:
        Answer.objects.bulk_create(rows)
        facts = {
            "old": {key: old.get(key) for key in changed},
            "new": {key: new.get(key) for key in changed},
            "reason": reason.strip(),
        }
        record(actor=by, verb=verb, target=slot, facts=facts_of(slot) | facts, study=slot.reader.study)
    return rows


@transaction.atomic
def ask_washout_override(*, slot: Slot, reason: str, by: User) -> WashoutOverride:
    """Ask to show a case before its washout is over. It counts once a second person has agreed."""
    study = slot.reader.study
    check_analyses(by, study)
    Slot.objects.select_for_update().get(pk=slot.pk)
    check_study_open(study)
    if not reason.strip():
        raise Refused(_("Cutting a washout short needs a reason."))
    if WashoutOverride.objects.filter(slot=slot).exists():
        raise Refused(_("This was asked for already."))
    due = due_at(slot)
    if due is None or due <= timezone.now():
        raise Refused(_("No washout holds this case back."))
    override = WashoutOverride.objects.create(slot=slot, reason=reason.strip(), asked_by=by)
    facts = facts_of(slot) | {"reason": override.reason, "due_at": due.isoformat()}
    record(actor=by, verb="washout.override_asked", target=slot, facts=facts, study=study)
    return override


@transaction.atomic
def agree_washout_override(*, override: WashoutOverride, by: User) -> None:
    slot = override.slot
    study = slot.reader.study
    check_analyses(by, study)
    check_study_open(study)
    if override.asked_by_id == by.pk:
        raise Refused(_("A second person must agree: the coordinator or the statistician who did not ask."))
    agreed = WashoutOverride.objects.filter(pk=override.pk, agreed_by=None).update(
        agreed_by=by, agreed_at=timezone.now()
    )
    if not agreed:
        raise Refused(_("This was agreed to already."))
    facts = facts_of(slot) | {"reason": override.reason, "asked_by": override.asked_by.get_username()}
    record(actor=by, verb="washout.override_agreed", target=slot, facts=facts, study=study)
