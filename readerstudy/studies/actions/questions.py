import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Choice, Item, Question, Study
from readerstudy.studies.outline import LEVELS, QuestionOutline

from .rows import draft_for, facts_of, free_code, last_position, recorded, stored, swap

Kind = Question.Kind
BRANCHING = (Kind.DECISION, Kind.CHOICE, Kind.CHOICES, Kind.LEVEL)
OFFERING = (Kind.CHOICE, Kind.CHOICES, Kind.GRID, Kind.LEVEL)
MOST_POINTS = 20


def add_outlined_question(*, study: Study, outline: QuestionOutline, by: User) -> Question:
    return add_question(study=study, by=by, **asdict(outline))


@transaction.atomic
def add_question(*, study: Study, kind: str, by: User, key: str = "", **words: Any) -> Question:
    """A question in the words of QuestionOutline.

    A confidence with a threshold must agree with the decision: at least the threshold for yes, less for no.
    """
    held = draft_for(study, by)
    outline = QuestionOutline(kind=kind, key=key, **words)
    taken = set(held.questions.values_list("key", flat=True))
    wanted = kind if kind in (Kind.DECISION, Kind.CONFIDENCE) else outline.text
    question = Question(
        study=held,
        position=last_position(held.questions.all()) + 1,
        key=key or free_code(wanted, "question", taken, 40),
        kind=kind,
    )
    fill(question, outline)
    stored(question)
    store_lists(question, outline)
    return recorded(question, "question.added", by, facts=facts_with_lists(question))


@transaction.atomic
def edit_question(*, question: Question, by: User, **words: Any) -> Question:
    draft_for(question.study, by)
    held = Question.objects.get(pk=question.pk)
    old = facts_with_lists(held)
    outline = QuestionOutline(kind=held.kind, **words)
    fill(held, outline)
    stored(held)
    held.choices.all().delete()
    held.items.all().delete()
    store_lists(held, outline)
    check_branches(held)
    return recorded(held, "question.edited", by, facts=facts_with_lists(held), old=old)


@transaction.atomic
def move_question(*, question: Question, up: bool, by: User) -> None:
    held = draft_for(question.study, by)
    if swap(held.questions.all(), held.questions.get(pk=question.pk), up=up):
        for branch in held.questions.exclude(depends_on=None).select_related("depends_on"):
            check_order(branch)
        order = list(held.questions.values_list("key", flat=True))
        record(actor=by, verb="question.moved", target=question, facts={"order": order}, study=held)


@transaction.atomic
def remove_question(*, question: Question, by: User) -> None:
    draft_for(question.study, by)
    follower = question.followers.first()
    if follower is not None:
        raise Refused(
            _("“%(question)s” must agree with this decision; remove it or its threshold first.")
            % {"question": follower.text}
        )
    branch = question.branches.first()
    if branch is not None:
        raise Refused(_("“%(question)s” is asked after this one; remove it first.") % {"question": branch.text})
    recorded(question, "question.removed", by, facts=facts_with_lists(question))
    question.choices.all().delete()
    question.items.all().delete()
    Question.objects.filter(pk=question.pk).delete()


def fill(question: Question, outline: QuestionOutline) -> None:
    minimum, maximum, threshold = outline.minimum, outline.maximum, outline.threshold
    if any(number is not None and not math.isfinite(number) for number in (minimum, maximum, threshold)):
        raise Refused(_("Limits and thresholds are finite numbers."))
    if question.kind in (Kind.CONFIDENCE, Kind.MARKS):
        minimum, maximum = 0 if minimum is None else minimum, 100 if maximum is None else maximum
        if threshold is not None and not minimum < threshold <= maximum:
            raise Refused(_("The threshold between no and yes lies within the range of the confidence."))
    question.text, question.help, question.required = outline.text.strip(), outline.help.strip(), outline.required
    question.minimum, question.maximum, question.unit = minimum, maximum, outline.unit.strip()
    question.scale = outline.scale
    check_points(question)
    question.threshold = threshold
    question.agrees_with = None if threshold is None else decision_of(question)
    question.depends_on = depended(question, outline.depends_on)
    question.depends_on_values = list(outline.depends_on_values)
    if question.depends_on is not None:
        check_order(question)
        check_answers_known(question)


def check_points(question: Question) -> None:
    if question.scale != Question.Scale.POINTS:
        return
    low, high = question.minimum, question.maximum
    if low is None or high is None or low % 1 or high % 1 or not 1 <= high - low < MOST_POINTS:
        raise Refused(_("A scale of points has 2 to 20 points with whole numbers."))


def decision_of(question: Question) -> Question:
    decision = question.study.questions.filter(kind=Kind.DECISION).first()
    if decision is None:
        raise Refused(_("Add the decision question first: the confidence is to agree with it."))
    return decision


def depended(question: Question, key: str) -> Question | None:
    if not key:
        return None
    other = question.study.questions.filter(key=key).first()
    if other is None or other.kind not in BRANCHING:
        raise Refused(_("A question is asked after a decision, a choice or a level of this study."))
    return other


def check_order(question: Question) -> None:
    if question.depends_on is not None and question.depends_on.position >= question.position:
        raise Refused(
            _("“%(question)s” is asked after “%(other)s” and stands behind it.")
            % {"question": question.text, "other": question.depends_on.text}
        )


def check_answers_known(question: Question) -> None:
    other = question.depends_on
    assert other is not None
    known = [True, False] if other.kind == Kind.DECISION else list(other.choices.values_list("value", flat=True))
    # 1 is True in Python; as an answer it is none.
    if not all(any(type(one) is type(value) and one == value for one in known) for value in question.depends_on_values):
        raise Refused(_("“%(other)s” has no such answer.") % {"other": other.text})


def check_branches(question: Question) -> None:
    for branch in question.branches.select_related("depends_on"):
        check_answers_known(branch)


def store_lists(question: Question, outline: QuestionOutline) -> None:
    choices, items = worded(outline.choices), worded(outline.items)
    if question.kind == Kind.LEVEL and not choices:
        choices = list(LEVELS)
    points = question.kind == Kind.CONFIDENCE and question.scale == Question.Scale.POINTS
    if choices and question.kind not in OFFERING and not points:
        raise Refused(_("Only choices, levels, grids and scales of points have answers to choose from."))
    if choices and points and len(choices) != (question.maximum or 0) - (question.minimum or 0) + 1:
        raise Refused(_("A scale of points has a label for each of its points, or none."))
    if items and question.kind != Kind.GRID:
        raise Refused(_("Only a grid has rows."))
    for position, (value, label) in enumerate(coded(choices, "choice"), start=1):
        stored(Choice(question=question, position=position, value=value, label=label))
    for position, (value, label) in enumerate(coded(items, "row"), start=1):
        stored(Item(question=question, position=position, value=value, label=label))


def worded(labels: Sequence[str]) -> list[str]:
    words = [label.strip() for label in labels if label.strip()]
    if len(set(words)) < len(words):
        raise Refused(_("Every choice stands in the list once."))
    return words


def coded(labels: Sequence[str], fallback: str) -> list[tuple[str, str]]:
    taken: dict[str, str] = {}
    for position, label in enumerate(labels, start=1):
        taken[free_code(label, f"{fallback}-{position}", set(taken), 40)] = label
    return list(taken.items())


def facts_with_lists(question: Question) -> dict[str, object]:
    labels = {name: list(rows.values_list("label", flat=True)) for name, rows in lists_of(question).items()}
    others = {"agrees_with": question.agrees_with, "depends_on": question.depends_on}
    named = {name: other.key for name, other in others.items() if other is not None}
    return facts_of(question) | named | {name: found for name, found in labels.items() if found or name == "choices"}


def lists_of(question: Question) -> dict[str, Any]:
    return {"choices": question.choices, "items": question.items}
