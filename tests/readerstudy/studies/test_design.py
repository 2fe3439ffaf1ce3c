"""A draft takes shape: arms, periods, questions, endpoints; each change with its event."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.audit.queries import all_faults
from readerstudy.studies import actions
from readerstudy.studies.models import Arm, Choice, Endpoint, Period, Question, Study
from readerstudy.studies.outline import EMPTY
from tests.world import People, close_audit, make_study

pytestmark = pytest.mark.django_db


def verbs(study: Study) -> list[str]:
    return list(Event.objects.filter(chain_id=study.token).order_by("number").values_list("verb", flat=True))


def test_a_new_study_is_a_crossover_that_its_creator_coordinates() -> None:
    people = People()
    study = actions.create_study(title=" Fractures ", by=people.alice)
    assert study.title == "Fractures"
    assert [arm.code for arm in study.arms.all()] == ["unaided", "aided"]
    assert list(study.periods.values_list("number", "washout_days")) == [(1, 0), (2, 28)]
    decision, confidence = study.questions.all()
    assert (confidence.agrees_with, confidence.threshold) == (decision, 50)
    assert study.enrolments.get().user == people.alice
    assert verbs(study)[:2] == ["study.created", "person.enrolled"]
    assert list(all_faults()) == []


def test_only_coordinators_create_studies() -> None:
    with pytest.raises(Denied, match="Only coordinators create studies"):
        actions.create_study(title="T", by=People().bob)


@pytest.mark.parametrize("title", ["", "   ", "x" * 201])
def test_a_title_is_needed_and_short(title: str) -> None:
    with pytest.raises(Refused, match="Title:"):
        actions.create_study(title=title, by=People().alice)


def test_codes_come_from_labels_and_are_never_given_twice() -> None:
    people = People()
    study = actions.create_study(title="T", outline=EMPTY, by=people.alice)
    codes = [actions.add_arm(study=study, label=label, by=people.alice).code for label in ("Plain", "Plain!", "组")]
    assert codes == ["plain", "plain-2", "arm"]


def test_an_unaided_arm_shows_nothing_and_an_aided_arm_something() -> None:
    people = People()
    study = make_study(people)
    with pytest.raises(Refused, match="An unaided arm shows nothing"):
        actions.add_arm(study=study, label="Plain", shows_heatmap=True, by=people.alice)
    with pytest.raises(Refused, match="An aided arm shows something of the model: choose what"):
        actions.add_arm(study=study, label="Aid", assistance="concurrent", by=people.alice)


def test_editing_keeps_the_old_values_in_the_event() -> None:
    people = People()
    study = make_study(people)
    arm = study.arms.get(code="aided")
    actions.edit_arm(
        arm=arm,
        label="With model",
        assistance="concurrent",
        shows_probability=True,
        shows_heatmap=False,
        by=people.alice,
    )
    facts = Event.objects.get(chain_id=study.token, verb="arm.edited").facts
    assert (facts["old"]["label"], facts["label"]) == ("Aided", "With model")
    assert (facts["old"]["shows_heatmap"], facts["shows_heatmap"]) == (True, False)


def test_questions_move_within_their_order_and_not_beyond() -> None:
    people = People()
    study = make_study(people)
    actions.add_question(study=study, kind="text", text="Remarks", by=people.alice)
    actions.move_question(question=study.questions.get(key="remarks"), up=True, by=people.alice)
    assert list(study.questions.values_list("key", flat=True)) == ["decision", "remarks", "confidence"]
    before = len(verbs(study))
    actions.move_question(question=study.questions.get(key="decision"), up=True, by=people.alice)
    assert list(study.questions.values_list("key", flat=True)) == ["decision", "remarks", "confidence"]
    assert len(verbs(study)) == before


def test_choices_keep_their_order_and_get_values_in_any_script() -> None:
    people = People()
    study = make_study(people)
    question = actions.add_question(
        study=study, kind="choice", text="Grade", choices=["Grade 1", "grade-1", "轻度"], by=people.alice
    )
    rows = list(question.choices.values_list("position", "value", "label"))
    assert rows == [(1, "grade-1", "Grade 1"), (2, "grade-1-2", "grade-1"), (3, "choice-3", "轻度")]
    actions.edit_question(question=question, text="Grade", choices=["A", "B"], by=people.alice)
    assert list(question.choices.values_list("label", flat=True)) == ["A", "B"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"kind": "decision", "text": "Again?"}, "A study has one decision question"),
        ({"kind": "confidence", "text": "Again?"}, "A study has one confidence question"),
        ({"kind": "number", "text": "Angle", "minimum": 9, "maximum": 9}, "The smallest value must be less"),
        ({"kind": "number", "text": "Angle", "minimum": float("nan")}, "finite numbers"),
        ({"kind": "number", "text": "Angle", "threshold": 5}, "Only a confidence agrees with the decision"),
        ({"kind": "choice", "text": "Grade", "choices": ["A", " A "]}, "Every choice stands in the list once"),
        ({"kind": "text", "text": "Why", "choices": ["A"]}, "Only choices, levels, grids"),
        ({"kind": "text", "text": ""}, "Text: This field cannot be blank"),
        ({"kind": "essay", "text": "Why"}, "Kind: Value 'essay' is not a valid choice"),
        ({"kind": "text", "text": "Why", "key": "decision"}, "Another question of this study has this key"),
    ],
)
def test_a_faulty_question_is_refused_with_its_sentence(words: dict[str, Any], sentence: str) -> None:
    people = People()
    study = make_study(people)
    before = verbs(study)
    with pytest.raises(Refused, match=sentence):
        actions.add_question(study=study, by=people.alice, **words)
    assert study.questions.count() == 2
    assert verbs(study) == before


@pytest.mark.parametrize("threshold", [0, -1, 101])
def test_a_threshold_lies_within_the_range(threshold: float) -> None:
    people = People()
    confidence = make_study(people).questions.get(kind="confidence")
    with pytest.raises(Refused, match="within the range"):
        actions.edit_question(question=confidence, text="Sure?", threshold=threshold, by=people.alice)


def test_a_confidence_agrees_with_a_decision_that_exists() -> None:
    people = People()
    study = actions.create_study(title="T", outline=EMPTY, by=people.alice)
    with pytest.raises(Refused, match="Add the decision question first"):
        actions.add_question(study=study, kind="confidence", text="Sure?", threshold=50, by=people.alice)
    free = actions.add_question(study=study, kind="confidence", text="Sure?", by=people.alice)
    assert (free.minimum, free.maximum, free.agrees_with) == (0, 100, None)


def test_a_decision_that_is_agreed_with_is_not_removed() -> None:
    people = People()
    study = make_study(people)
    with pytest.raises(Refused, match="must agree with this decision"):
        actions.remove_question(question=study.questions.get(key="decision"), by=people.alice)
    actions.remove_question(question=study.questions.get(key="confidence"), by=people.alice)
    actions.remove_question(question=study.questions.get(key="decision"), by=people.alice)
    assert not study.questions.exists()


def test_periods_are_numbered_without_gaps() -> None:
    people = People()
    study = make_study(people)
    with pytest.raises(Refused, match="Remove the last period first"):
        actions.remove_period(period=study.periods.get(number=1), by=people.alice)
    actions.remove_period(period=study.periods.get(number=2), by=people.alice)
    assert actions.add_period(study=study, washout_days=730, by=people.alice).number == 2
    with pytest.raises(Refused, match="at most 730 days"):
        actions.add_period(study=study, washout_days=731, by=people.alice)


def test_a_study_has_one_primary_endpoint() -> None:
    people = People()
    study = make_study(people)
    with pytest.raises(Refused, match="A study has one primary endpoint"):
        actions.add_endpoint(study=study, rank="primary", metric="auc", method="mrmc", by=people.alice)


def test_pooled_tests_are_not_offered() -> None:
    people = People()
    study = make_study(people)
    assert set(Endpoint.Method.values) == {"mrmc", "per_reader", "model"}
    with pytest.raises(Refused, match="Method: Value 'pooled'"):
        actions.add_endpoint(study=study, rank="secondary", metric="auc", method="pooled", by=people.alice)


def everything_that_changes_a_draft(study: Study, people: People) -> list[Callable[[Any], object]]:
    arm, period, endpoint = study.arms.first(), study.periods.last(), study.endpoints.last()
    question = study.questions.get(key="confidence")
    assert arm is not None and period is not None and endpoint is not None
    aid = {"assistance": "none", "shows_probability": False, "shows_heatmap": False}
    ranked = {"rank": "secondary", "metric": "auc", "method": "mrmc"}
    return [
        lambda by: actions.describe(study=study, title="X", question="", instructions="", by=by),
        lambda by: actions.add_arm(study=study, label="X", by=by),
        lambda by: actions.edit_arm(arm=arm, label="X", by=by, **aid),
        lambda by: actions.move_arm(arm=arm, up=False, by=by),
        lambda by: actions.remove_arm(arm=arm, by=by),
        lambda by: actions.add_period(study=study, washout_days=1, by=by),
        lambda by: actions.edit_period(period=period, washout_days=1, by=by),
        lambda by: actions.remove_period(period=period, by=by),
        lambda by: actions.add_question(study=study, kind="text", text="X", by=by),
        lambda by: actions.edit_question(question=question, text="X", by=by),
        lambda by: actions.move_question(question=question, up=True, by=by),
        lambda by: actions.remove_question(question=question, by=by),
        lambda by: actions.add_endpoint(study=study, by=by, **ranked),
        lambda by: actions.edit_endpoint(endpoint=endpoint, by=by, **ranked),
        lambda by: actions.remove_endpoint(endpoint=endpoint, by=by),
    ]


def test_nobody_but_the_coordinator_changes_a_draft() -> None:
    people = People()
    study = make_study(people)
    for change in everything_that_changes_a_draft(study, people):
        for person in (people.bob, people.tess, people.stan, people.charlie):
            with pytest.raises(Denied, match="Only the coordinator"):
                change(person)


def test_after_freezing_no_action_changes_the_design() -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    before = verbs(study)
    for change in everything_that_changes_a_draft(study, people):
        with pytest.raises(Refused, match="by an amendment with a reason"):
            change(people.alice)
    assert verbs(study) == before


def test_every_change_of_a_draft_falls_with_its_event() -> None:
    """With the audit table closed, each action fails and leaves the draft exactly as it was."""
    people = People()
    study = make_study(people)
    before = snapshot(study)
    close_audit()
    for change in everything_that_changes_a_draft(study, people):
        with pytest.raises(IntegrityError, match="audit_is_closed"), transaction.atomic():
            change(people.alice)
        assert snapshot(study) == before


def snapshot(study: Study) -> list[object]:
    parts = (study.arms, study.periods, study.questions, study.endpoints)
    return [Study.objects.filter(pk=study.pk).values().get(), *(list(part.values()) for part in parts)]


@pytest.mark.parametrize(
    "statement",
    [
        lambda study: Arm.objects.filter(study=study).update(label="X"),
        lambda study: Arm.objects.create(study=study, position=9, code="x", label="X"),
        lambda study: Arm.objects.filter(study=study).delete(),
        lambda study: Period.objects.filter(study=study).update(number=9),
        lambda study: Question.objects.filter(study=study).update(text="X"),
        lambda study: Question.objects.filter(study=study).update(help="X", text="X"),
        lambda study: Choice.objects.create(question=study.questions.first(), position=1, value="x", label="X"),
        lambda study: Endpoint.objects.filter(study=study).update(metric="auc"),
        lambda study: Endpoint.objects.filter(study=study).delete(),
    ],
)
def test_the_database_itself_keeps_a_frozen_design(statement: Callable[[Study], object]) -> None:
    study = make_study(People(), phase=Study.Phase.FROZEN)
    before = snapshot(study)
    with pytest.raises(DatabaseError, match="The protocol of this study is frozen"), transaction.atomic():
        statement(study)
    assert snapshot(study) == before


def test_what_an_amendment_may_change_the_database_lets_through_until_its_phase() -> None:
    study = make_study(People(), phase=Study.Phase.FROZEN)
    assert Period.objects.filter(study=study, number=2).update(washout_days=35) == 1
    Study.objects.filter(pk=study.pk).update(phase="open")
    assert Question.objects.filter(study=study, key="decision").update(help="Look twice.") == 1
    for late in (
        lambda: Period.objects.filter(study=study, number=2).update(washout_days=1),
        lambda: Endpoint.objects.filter(study=study, rank="secondary").update(rank="exploratory"),
    ):
        with pytest.raises(DatabaseError, match="frozen"), transaction.atomic():
            late()
