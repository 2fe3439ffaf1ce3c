import math
from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Choice, Question, Study
from readerstudy.studies.outline import QuestionOutline

from .rows import draft_for, facts_of, free_code, last_position, recorded, stored, swap

Kind = Question.Kind


def add_outlined_question(*, study: Study, outline: QuestionOutline, by: User) -> Question:
    return add_question(study=study, by=by, **asdict(outline))


@transaction.atomic
def add_question(
    *,
    study: Study,
    kind: str,
    text: str,
    by: User,
    key: str = "",
    help: str = "",
    required: bool = True,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
    threshold: float | None = None,
    choices: Sequence[str] = (),
) -> Question:
    """A confidence with a threshold must agree with the decision: at least the threshold for yes, less for no."""
    held = draft_for(study, by)
    taken = set(held.questions.values_list("key", flat=True))
    wanted = kind if kind in (Kind.DECISION, Kind.CONFIDENCE) else text
    question = Question(
        study=held,
        position=last_position(held.questions.all()) + 1,
        key=key or free_code(wanted, "question", taken, 40),
        kind=kind,
    )
    fill(question, text, help, required, minimum, maximum, unit, threshold)
    stored(question)
    store_choices(question, choices)
    return recorded(question, "question.added", by, facts=facts_with_choices(question))


@transaction.atomic
def edit_question(
    *,
    question: Question,
    text: str,
    by: User,
    help: str = "",
    required: bool = True,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
    threshold: float | None = None,
    choices: Sequence[str] = (),
) -> Question:
    draft_for(question.study, by)
    held = Question.objects.get(pk=question.pk)
    old = facts_with_choices(held)
    fill(held, text, help, required, minimum, maximum, unit, threshold)
    stored(held)
    held.choices.all().delete()
    store_choices(held, choices)
    return recorded(held, "question.edited", by, facts=facts_with_choices(held), old=old)


@transaction.atomic
def move_question(*, question: Question, up: bool, by: User) -> None:
    held = draft_for(question.study, by)
    if swap(held.questions.all(), held.questions.get(pk=question.pk), up=up):
        order = list(held.questions.values_list("key", flat=True))
        record(actor=by, verb="question.moved", target=question, facts={"order": order}, study=held)


@transaction.atomic
def remove_question(*, question: Question, by: User) -> None:
    draft_for(question.study, by)
    follower = question.followers.first()
    if follower is not None:
        raise Refused(f"“{follower.text}” must agree with this decision; remove it or its threshold first.")
    recorded(question, "question.removed", by, facts=facts_with_choices(question))
    question.choices.all().delete()
    Question.objects.filter(pk=question.pk).delete()


def fill(
    question: Question,
    text: str,
    help: str,
    required: bool,
    minimum: float | None,
    maximum: float | None,
    unit: str,
    threshold: float | None,
) -> None:
    if any(number is not None and not math.isfinite(number) for number in (minimum, maximum, threshold)):
        raise Refused("Limits and thresholds are finite numbers.")
    if question.kind == Kind.CONFIDENCE:
        minimum, maximum = 0 if minimum is None else minimum, 100 if maximum is None else maximum
        if threshold is not None and not minimum < threshold <= maximum:
            raise Refused("The threshold between no and yes lies within the range of the confidence.")
    question.text, question.help, question.required = text.strip(), help.strip(), required
    question.minimum, question.maximum, question.unit = minimum, maximum, unit.strip()
    question.threshold = threshold
    question.agrees_with = None if threshold is None else decision_of(question)


def decision_of(question: Question) -> Question:
    decision = question.study.questions.filter(kind=Kind.DECISION).first()
    if decision is None:
        raise Refused("Add the decision question first: the confidence is to agree with it.")
    return decision


def store_choices(question: Question, choices: Sequence[str]) -> None:
    labels = [label.strip() for label in choices if label.strip()]
    if labels and question.kind != Kind.CHOICE:
        raise Refused("Only a question of the kind “Choice of one” has choices.")
    if len(set(labels)) < len(labels):
        raise Refused("Every choice stands in the list once.")
    taken: set[str] = set()
    for position, label in enumerate(labels, start=1):
        value = free_code(label, f"choice-{position}", taken, 40)
        taken.add(value)
        stored(Choice(question=question, position=position, value=value, label=label))


def facts_with_choices(question: Question) -> dict[str, object]:
    return facts_of(question) | {"choices": list(question.choices.values_list("label", flat=True))}
