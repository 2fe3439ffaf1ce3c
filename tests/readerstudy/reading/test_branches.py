"""Questions that are asked after others: what is hidden is never stored, whoever changes the answers before it."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from readerstudy.allocation.actions import draw
from readerstudy.audit.models import Event
from readerstudy.datasets.queries import source_of, tables_of
from readerstudy.reading.actions import correct, open_reading
from readerstudy.reading.answers import AnswersError
from readerstudy.reading.models import Answer, Reading
from readerstudy.reading.queries import current_answers
from readerstudy.studies.outline import CROSSOVER, ArmOutline, Outline, QuestionOutline, RulesOutline
from tests.readerstudy.reading.room import COLUMNS, ROWS, SEED, Room, body, open_room, post, prepared_room, read_slot
from tests.world import People, client_of

LEVEL = QuestionOutline("level", "Which one?", key="level", depends_on="decision", depends_on_values=(True,))
MARKS = QuestionOutline("marks", "Where?", key="where", minimum=1, maximum=5, scale="points")
BRANCHED = replace(
    CROSSOVER, questions=(*CROSSOVER.questions, LEVEL, MARKS), washouts=(0, 0), rules=RulesOutline(may_revise=True)
)
YES = {"decision": True, "confidence": 80, "level": "l1", "where": []}
NO = {"decision": False, "confidence": 20, "where": []}


def mark(**changes: Any) -> dict[str, Any]:
    return {"image": 1, "x": 3.5, "y": 4, "rating": 2} | changes


def given_in(room: Room) -> dict[str, Any]:
    """The current answers of the one case that is submitted; the same stand in the data set."""
    reading = Reading.objects.get(phase="submitted")
    kept = {key: answer.value for key, answer in current_answers(reading).items()}
    answers, readings = tables_of(source_of(room.study))[:2]
    assert {row["question"] for row in answers.rows} == kept.keys()
    assert readings.rows[0].get("answer_level") == kept.get("level")
    assert from_events() == kept
    return kept


def from_events() -> dict[str, Any]:
    """What the events alone say was answered last."""
    rebuilt: dict[str, Any] = {}
    for event in Event.objects.filter(verb__in=["reading.submitted", "answer.revised", "answer.corrected"]).order_by(
        "pk"
    ):
        rebuilt |= event.facts.get("new") or event.facts["answers"]
    return {key: value for key, value in rebuilt.items() if value is not None}


def submitted(client: Client, room: Room) -> None:
    slot = room.slots()[0]
    client.get(f"/reading/{slot.token}/case.json")
    hidden = body(answers=NO | {"level": "l1"})
    assert post(client, slot, "submit", hidden).json()["errors"].keys() == {"level"}
    assert Answer.objects.count() == 0
    assert post(client, slot, "submit", body(answers=YES)).status_code == 200


def test_a_readers_change_takes_back_what_it_hides_and_gives_it_back_when_it_is_asked_again(people: People) -> None:
    room, bob = open_room(people, outline=BRANCHED), client_of(people.bob)
    submitted(bob, room)
    slot = room.slots()[0]
    for _again in range(2):
        sent = body(answers=NO) | {"reason": "Wrong key"}
        assert post(bob, slot, "revise", sent).status_code == 200
        assert given_in(room) == NO
    assert Answer.objects.filter(question__key="level").count() == 2
    event = Event.objects.get(verb="answer.revised")
    assert (event.facts["old"]["level"], event.facts["new"]["level"]) == ("l1", None)
    assert bob.get(f"/reading/{slot.token}/case.json").json()["draft"] == NO
    assert post(bob, slot, "revise", body(answers=YES | {"level": "l2"}) | {"reason": "After all"}).status_code == 200
    assert given_in(room) == YES | {"level": "l2"}
    assert list(Answer.objects.filter(question__key="level").order_by("number").values_list("number", flat=True)) == [
        *(1, 2, 3)
    ]


def test_a_coordinators_correction_takes_back_what_it_hides_and_asks_for_what_it_leads_to(people: People) -> None:
    room, bob = open_room(people, outline=BRANCHED), client_of(people.bob)
    submitted(bob, room)
    reading = Reading.objects.get()
    correct(reading=reading, values={"decision": False, "confidence": 20}, reason="As told.", by=people.alice)
    assert given_in(room) == NO
    with pytest.raises(AnswersError, match="Please answer"):
        correct(reading=reading, values={"decision": True, "confidence": 80}, reason="No.", by=people.alice)
    with pytest.raises(AnswersError, match="not asked"):
        correct(reading=reading, values={"level": "l1"}, reason="No.", by=people.alice)
    correct(reading=reading, values=YES, reason="Yes.", by=people.alice)
    assert given_in(room) == YES


def test_marks_lie_in_their_case_and_are_rated_on_its_scale_whoever_sets_them(people: People) -> None:
    wrong = [
        (mark(image=2), "no image"),
        (mark(x=COLUMNS + 0.5), "outside its image"),
        (mark(y=ROWS + 0.5), "outside its image"),
        (mark(rating=2.5), "points of the scale"),
        (mark(rating=6), "from 1 to 5"),
    ]
    room, bob = open_room(people, outline=BRANCHED), client_of(people.bob)
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    for one, sentence in wrong:
        refused = post(bob, slot, "submit", body(answers=NO | {"where": [one]}))
        assert sentence in refused.json()["errors"]["where"]
    read_slot(bob, slot, answers=NO | {"where": [mark()]})
    for one, sentence in wrong:
        with pytest.raises(AnswersError, match=sentence):
            correct(reading=Reading.objects.get(), values={"where": [one]}, reason="No.", by=people.alice)


def test_what_the_final_answer_hides_does_not_come_back_from_the_own_one(people: People) -> None:
    arms = (CROSSOVER.arms[0], ArmOutline("Aided", "aided", "sequential", True))
    outline: Outline = replace(BRANCHED, arms=arms, washouts=(0,))
    room, bob = prepared_room(people, outline=outline), client_of(people.bob)
    draw(study=room.study, by=people.alice, seed=SEED, design="sequential")
    open_reading(study=room.study, by=people.alice)
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    post(bob, slot, "submit", body(answers=YES) | {"stage": "first"})
    assert bob.get(f"/reading/{slot.token}/case.json").json()["draft"] == YES
    assert post(bob, slot, "submit", body(answers=NO)).status_code == 200
    assert bob.get(f"/reading/{slot.token}/case.json").json()["draft"] == NO
    by_stage = Answer.objects.filter(question__key="level").values_list("stage", "value")
    assert list(by_stage) == [("first", "l1")]
