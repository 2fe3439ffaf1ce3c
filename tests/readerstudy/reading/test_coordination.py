import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from readerstudy.allocation.actions import draw
from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.audit.queries import all_faults
from readerstudy.predictions.models import PredictionRun
from readerstudy.reading import actions
from readerstudy.reading.answers import AnswersError
from readerstudy.reading.models import Answer
from readerstudy.reading.overview import missing_to_open
from readerstudy.reading.queries import current_answers
from readerstudy.studies.actions import enrol, enrol_external, mark_locked, withdraw
from readerstudy.studies.models import Enrolment, Study
from tests.readerstudy.reading.room import Room, add_case, body, post, prepared_room, read_slot, reading_of, set_truth
from tests.world import People, client_of, make_study, person


@pytest.fixture
def bob(room: Room) -> Client:
    return client_of(room.people.bob)


# Opening


def test_a_study_opens_with_everything_in_place_and_freezes_what_the_model_said(people: People) -> None:
    room = prepared_room(people)
    assert missing_to_open(room.study) == ["The allocation is not drawn yet."]
    draw(study=room.study, by=people.alice)
    assert missing_to_open(room.study) == []
    actions.open_reading(study=room.study, by=people.alice)
    assert room.study.phase == Study.Phase.OPEN
    run = PredictionRun.objects.get()
    assert run.frozen_at is not None
    verbs = list(Event.objects.filter(chain=room.study.token).order_by("-number").values_list("verb", flat=True)[:2])
    assert verbs == ["study.open", "predictions.frozen"]


def test_what_is_missing_is_said_and_nothing_opens(people: People) -> None:
    study = make_study(people)
    assert missing_to_open(study) == ["The protocol is not frozen yet."]
    study = make_study(people, phase=Study.Phase.FROZEN, title="Second")
    missing = missing_to_open(study)
    assert missing == [
        "No cases are imported yet.",
        "The allocation is not drawn yet.",
        "No algorithm is run whose output the aided arm shows.",
    ]
    with pytest.raises(Refused, match="No cases are imported yet"):
        actions.open_reading(study=study, by=people.alice)
    study.refresh_from_db()
    assert study.phase == Study.Phase.FROZEN


def test_unfinished_predictions_and_cases_that_came_later_hold_the_opening_up(people: People) -> None:
    room = prepared_room(people)
    draw(study=room.study, by=people.alice)
    late = add_case(room.study, "late", "", 77)
    assert missing_to_open(room.study) == [
        "The reference standard says nothing about 1 case(s): late.",
        "Vertebra-net 7.3.1 was not run over 1 case(s), which were imported later.",
    ]
    assert late.slots.count() == 0


def test_a_reader_who_joined_after_the_draw_must_go_before_the_opening(people: People) -> None:
    room = prepared_room(people)
    draw(study=room.study, by=people.alice)
    person("zoe", seniority="senior")
    zoe = enrol(study=room.study, username="zoe", role=Enrolment.Role.READER, by=people.alice)
    assert missing_to_open(room.study) == [
        f"Nothing is drawn for {zoe.code}, who joined after the draw; withdraw them."
    ]
    withdraw(enrolment=zoe, reason="Too late.", by=people.alice)
    actions.open_reading(study=room.study, by=people.alice)


def test_a_study_whose_answers_all_come_from_files_opens_without_a_draw(people: People) -> None:
    study = make_study(people, phase=Study.Phase.FROZEN)
    for reader in study.enrolments.filter(role=Enrolment.Role.READER):
        withdraw(enrolment=reader, reason="Answers come from a file.", by=people.alice)
    enrol_external(study=study, code="X1", seniority="senior", by=people.alice)
    cases = [study.cases.create(label=label, patient=label) for label in ("a", "b")]
    assert missing_to_open(study) == ["The reference standard says nothing about 2 case(s): a, b."]
    set_truth(study, cases, [True, False], people.tess)
    actions.open_reading(study=study, by=people.alice)
    assert study.phase == Study.Phase.OPEN


def test_only_the_coordinator_opens(people: People) -> None:
    room = prepared_room(people)
    draw(study=room.study, by=people.alice)
    url = f"/studies/{room.study.token}/readings/open/"
    for user, status in ((people.bob, 403), (people.stan, 403), (people.charlie, 404)):
        assert client_of(user).post(url).status_code == status
    client_of(people.alice).post(url)
    room.study.refresh_from_db()
    assert room.study.phase == Study.Phase.OPEN


def test_before_the_opening_no_case_can_be_read(people: People) -> None:
    room = prepared_room(people)
    draw(study=room.study, by=people.alice)
    bob, slot = client_of(people.bob), room.slots()[0]
    for door in ("case.json", "frame/1"):
        response = bob.get(f"/reading/{slot.token}/{door}")
        assert (response.status_code, response.json()["error"]) == (403, "Reading has not opened yet.")
    assert "Reading has not opened yet" in bob.get("/reading/").text


# Corrections


def test_a_correction_is_a_further_row_with_its_reason(room: Room, bob: Client) -> None:
    slot = room.slots()[0]
    read_slot(bob, slot, decision=True, confidence=80)
    reading = reading_of(slot)
    values = {"decision": False, "confidence": 10}
    actions.correct(reading=reading, values=values, reason="Pressed the wrong key.", by=room.people.alice)
    rows = Answer.objects.filter(reading=reading).order_by("question__position", "number")
    assert list(rows.values_list("question__key", "number", "value", "reason")) == [
        ("decision", 1, True, ""),
        ("decision", 2, False, "Pressed the wrong key."),
        ("confidence", 1, 80, ""),
        ("confidence", 2, 10, "Pressed the wrong key."),
    ]
    assert {key: answer.value for key, answer in current_answers(reading).items()} == values
    event = Event.objects.get(verb="answer.corrected")
    assert (event.facts["old"], event.facts["new"]) == ({"decision": True, "confidence": 80}, values)
    assert list(all_faults()) == []


@pytest.mark.parametrize(
    ("values", "reason", "sentence"),
    [
        ({"confidence": 90}, "  ", "needs its reason"),
        ({"confidence": 80}, "Same.", "stored already"),
        ({"confidence": 10}, "Half.", "at least 50"),
        ({"decision": None}, "Empty.", "answer this"),
        ({"colour": "red"}, "New.", "no question"),
    ],
)
def test_a_correction_obeys_the_same_rules(
    room: Room, bob: Client, values: dict[str, Any], reason: str, sentence: str
) -> None:
    slot = room.slots()[0]
    read_slot(bob, slot, decision=True, confidence=80)
    with pytest.raises((Refused, AnswersError), match=sentence):
        actions.correct(reading=reading_of(slot), values=values, reason=reason, by=room.people.alice)
    assert Answer.objects.filter(number__gt=1).count() == 0


def test_only_the_coordinator_corrects_and_only_between_submission_and_lock(room: Room, bob: Client) -> None:
    slot, alice = room.slots()[0], room.people.alice
    bob.get(f"/reading/{slot.token}/case.json")
    change: dict[str, Any] = {"values": {"confidence": 90}, "reason": "Slipped."}
    with pytest.raises(Refused, match="still open"):
        actions.correct(reading=reading_of(slot), by=alice, **change)
    post(bob, slot, "submit", body())
    for other in (room.people.bob, room.people.stan, room.people.charlie):
        with pytest.raises(Denied):
            actions.correct(reading=reading_of(slot), by=other, **change)
    mark_locked(study=room.study, by=alice)
    with pytest.raises(Denied, match="locked"):
        actions.correct(reading=reading_of(slot), by=alice, **change)
    with pytest.raises(IntegrityError, match="locked"), transaction.atomic():
        Answer.objects.create(
            reading=reading_of(slot), question=room.study.questions.all()[0], number=9, value=1, reason="x"
        )


def test_answers_and_submitted_readings_never_change_in_the_database(room: Room, bob: Client) -> None:
    slot = room.slots()[0]
    read_slot(bob, slot)
    for attempt in (
        lambda: Answer.objects.update(value=False),
        lambda: Answer.objects.all().delete(),
        lambda: type(slot).objects.filter(pk=slot.pk).update(position=99),
        lambda: reading_of(slot).__class__.objects.update(active_ms=1),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()


def test_the_coordinator_corrects_on_the_page_and_faults_come_back_beside_their_field(room: Room, bob: Client) -> None:
    read_slot(bob, room.slots()[0], decision=True, confidence=80)
    alice = client_of(room.people.alice)
    page = f"/studies/{room.study.token}/readings/"
    place = {"reader": room.reader().code, "period": 1, "position": 1, "reason": "Pressed the wrong key."}
    refused = alice.post(f"{page}correct/", place | {"answer-decision": "decided-no"})
    assert refused.status_code == 400
    assert "A negative decision needs a confidence below 50." in refused.text
    assert "Pressed the wrong key." in refused.text
    nowhere = alice.post(f"{page}correct/", place | {"position": 3, "answer-confidence": 90})
    assert (nowhere.status_code, "no reading of this reader" in nowhere.text) == (400, True)
    done = alice.post(f"{page}correct/", place | {"answer-decision": "decided-no", "answer-confidence": 5})
    assert done.status_code == 302
    assert "Pressed the wrong key." in alice.get(page).text


# The page


def test_the_page_counts_readings_and_shows_no_answer(room: Room, bob: Client) -> None:
    for slot in room.slots()[:3]:
        read_slot(bob, slot, decision=True, confidence=97)
    page = f"/studies/{room.study.token}/readings/"
    text = client_of(room.people.alice).get(page).text
    assert "1: 3 / 4" in text
    assert "2: 0 / 4" in text
    # Without tags, whose attributes hold tokens of any characters.
    assert "97" not in re.sub(r"<[^>]*>", "", text)
    for user, status in ((room.people.stan, 200), (room.people.bob, 403), (room.people.tess, 403)):
        assert client_of(user).get(page).status_code == status
    assert client_of(room.people.charlie).get(page).status_code == 404


def test_after_the_lock_reading_is_closed(room: Room, bob: Client) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    mark_locked(study=room.study, by=room.people.alice)
    for response in (
        bob.get(f"/reading/{slot.token}/case.json"),
        bob.get(f"/reading/{slot.token}/frame/1"),
        post(bob, slot, "draft", {"answers": {}}),
        post(bob, slot, "submit", body()),
    ):
        assert (response.status_code, response.json()["error"][:17]) == (403, "Reading is closed")
    assert "Reading is closed" in bob.get("/reading/").text
