"""Rules of reading: not readable, the way back, display check, training; and hanging as part of the protocol."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from readerstudy.allocation.actions import draw
from readerstudy.allocation.models import Slot
from readerstudy.audit.errors import Refused
from readerstudy.audit.models import Event
from readerstudy.datasets.queries import completeness_of, source_of, tables_of
from readerstudy.reading.actions import correct, open_reading
from readerstudy.reading.models import Answer, ReadingSession
from readerstudy.reading.queries.training import known_of
from readerstudy.reference.actions import record_standard
from readerstudy.reference.models import Annotation, Opinion, StandardAnnotation
from readerstudy.studies.actions import mark_locked, set_rules
from readerstudy.studies.hanging import HangingError, hanging_of, read, written
from readerstudy.studies.outline import CROSSOVER, ArmOutline, RulesOutline
from tests.readerstudy.reading.room import (
    SEED,
    Hidden,
    Room,
    body,
    post,
    prepared_room,
    read_slot,
    reading_of,
)
from tests.world import People, client_of, make_study

HANGING = {"rows": 1, "columns": 2, "cells": [{"series": "T1W", "plane": "sagittal", "window": "bone"}]}
DISPLAY = {"dark": 2, "bright": 1, "width": 2560, "height": 1440, "ratio": 1.25, "ambient": "dim"}


def room_with(people: People, training: tuple[str, ...] = (), hidden: Hidden | None = None, **rules: Any) -> Room:
    room = prepared_room(people, hidden, replace(CROSSOVER, rules=RulesOutline(**rules)))
    draw(study=room.study, by=people.alice, seed=SEED, training=training)
    open_reading(study=room.study, by=people.alice)
    return room


def open_case(client: Client, slot: Slot) -> Any:
    return client.get(f"/reading/{slot.token}/case.json")


def test_a_case_is_declared_not_readable_with_one_of_the_reasons(people: People) -> None:
    room, bob = room_with(people, unreadable_reasons=("Motion", "Other")), client_of(people.bob)
    slot = room.slots()[0]
    assert open_case(bob, slot).json()["unreadable"] == ["Motion", "Other"]
    for refused in ({"unreadable": "Too hard"}, {"unreadable": "Motion", "answers": {"decision": True}}):
        assert post(bob, slot, "submit", body() | {"answers": {}} | refused).status_code == 400
    sent = body() | {"answers": {}, "unreadable": "Motion"}
    assert [post(bob, slot, "submit", sent).status_code for _ in range(2)] == [200, 200]
    assert post(bob, slot, "submit", body()).status_code == 409
    assert (reading_of(slot).unreadable_reason, Answer.objects.count()) == ("Motion", 0)
    with pytest.raises(Refused, match="not readable"):
        correct(reading=reading_of(slot), values={"decision": True, "confidence": 80}, reason="No.", by=people.alice)
    (row,) = tables_of(source_of(room.study))[1].rows
    assert (row["not_readable"], row["rating"]) == ("Motion", None)


def test_there_is_no_way_back_unless_the_protocol_allows_it_and_then_with_a_reason(people: People) -> None:
    room, bob = room_with(people, may_revise=True), client_of(people.bob)
    first, second, third = room.slots()[:3]
    read_slot(bob, first)
    assert open_case(bob, second).json()["previous"] == first.token
    again = open_case(bob, first).json()
    assert (again["revised"], again["draft"]) == (True, {"decision": True, "confidence": 80})
    changed = body(False, 10)
    assert post(bob, first, "revise", changed | {"reason": " "}).status_code == 400
    assert post(bob, first, "revise", changed | {"reason": "Wrong key"}).status_code == 200
    kept = Answer.objects.filter(reading__slot=first, number=2).values_list("question__key", "value", "reason")
    assert sorted(kept) == [("confidence", 10, "Wrong key"), ("decision", False, "Wrong key")]
    event = Event.objects.get(verb="answer.revised")
    assert (event.facts["old"]["decision"], event.facts["new"]["decision"]) == (True, False)
    read_slot(bob, second)
    assert post(bob, first, "revise", body() | {"reason": "Once more"}).status_code == 400
    assert open_case(bob, first).status_code == 403
    post(bob, third, "pause", {})
    assert open_case(bob, second).status_code == 403


def test_the_way_back_ends_with_the_lock_for_every_door(people: People) -> None:
    arm = ArmOutline("On request", "aided", "on_request", True)
    outline = replace(CROSSOVER, arms=(CROSSOVER.arms[0], arm), rules=RulesOutline(may_revise=True))
    room, bob = prepared_room(people, None, outline), client_of(people.bob)
    draw(study=room.study, by=people.alice, seed=SEED)
    open_reading(study=room.study, by=people.alice)
    for slot in room.slots():
        read_slot(bob, slot)
        if slot.arm.aided:
            break
    # What was not asked for while it was read is not offered afterwards.
    again = open_case(bob, slot).json()
    assert (again["revised"], again["on_request"], again["assistance"]) == (True, False, None)
    assert bob.get(f"/reading/{slot.token}/frame/1").status_code == 200
    mark_locked(study=room.study, by=people.alice)
    doors = {
        door: bob.get(f"/reading/{slot.token}/{door}").status_code for door in ("", "case.json", "frame/1", "mask/1")
    }
    assert doors == {"": 302, "case.json": 403, "frame/1": 403, "mask/1": 404}
    assert post(bob, slot, "revise", body(False, 10) | {"reason": "Wrong key"}).status_code == 403


def test_without_that_rule_a_submitted_case_stays_closed(people: People) -> None:
    room, bob = room_with(people), client_of(people.bob)
    first, second = room.slots()[:2]
    read_slot(bob, first)
    assert open_case(bob, second).json()["previous"] is None
    assert open_case(bob, first).status_code == 403
    assert post(bob, first, "revise", body(False, 10) | {"reason": "Wrong key"}).status_code == 400


def test_a_display_check_opens_each_sitting_and_is_stored_with_it(people: People) -> None:
    room, bob = room_with(people, display_check=True), client_of(people.bob)
    slot, page = room.slots()[0], f"/reading/display/{room.reader().token}/"
    assert open_case(bob, slot).status_code == 403
    assert bob.get(f"/reading/{slot.token}/").headers["Location"] == page
    assert bob.get(page).status_code == 200
    for wrong in ({"ambient": "noisy"}, {"dark": "-1"}, {"width": "x"}):
        assert bob.post(page, DISPLAY | wrong).status_code == 400
    assert bob.post(page, DISPLAY).headers["Location"] == f"/reading/{slot.token}/"
    assert ReadingSession.objects.get().display == DISPLAY
    assert open_case(bob, slot).status_code == 200
    post(bob, slot, "pause", {})
    assert open_case(bob, slot).status_code == 403
    bob.post(page, DISPLAY | {"ambient": "bright"})
    ambient = ReadingSession.objects.order_by("pk").values_list("display__ambient", flat=True)
    assert list(ambient) == ["dim", "bright"]


def test_training_comes_first_with_feedback_and_its_pass_mark_holds_back_the_study(people: People) -> None:
    hidden = Hidden(truth=(True, False, True, False))
    room = room_with(people, ("spine-1", "spine-2"), hidden, training_pass_mark=0.75)
    bob, reader = client_of(people.bob), room.reader()
    truth = dict(zip(hidden.labels, hidden.truth, strict=True))
    training = [slot for slot in room.slots() if slot.training]
    assert {slot.case.label for slot in training} == {"spine-1", "spine-2"}
    assert not {slot.case_id for slot in training} & {slot.case_id for slot in room.slots() if not slot.training}
    for number, slot in enumerate(training):
        case = open_case(bob, slot).json()
        assert (case["training"], case["progress"]) == (True, {"done": number, "total": 2})
        positive = truth[slot.case.label] if number else not truth[slot.case.label]
        receipt = read_slot(bob, slot, decision=positive, confidence=80 if positive else 20)
        told = receipt["feedback"]
        assert (told["positive"], told["correct"], told["regions"]) == (truth[slot.case.label], bool(number), [])
        assert [line["right"] for line in told["told"]] == [bool(number)] * 2
        assert told["told"][1]["reference"] == ("50 or more" if truth[slot.case.label] else "below 50")
    assert receipt["next"] is None
    study_slot = next(slot for slot in room.slots() if not slot.training)
    assert open_case(bob, study_slot).status_code == 403
    progress = client_of(people.alice).get(f"/studies/{room.study.token}/readings/").text
    assert "training, round 1 not passed: 1 of 2 correct" in progress
    assert "training, round 1: 0 / 2" in progress
    assert "pass mark of the training is not reached" in bob.get("/reading/").text
    bob.post(f"/reading/training/{reader.token}/")
    again = [slot for slot in room.slots() if slot.training == 2]
    assert len(again) == 2
    for slot in again:
        positive = truth[slot.case.label]
        receipt = read_slot(bob, slot, decision=positive, confidence=80 if positive else 20)
    # The page of the training lies between the two.
    assert (receipt["next"], receipt["finished"]) == (None, False)
    told = bob.get(f"/reading/training/{reader.token}/").text
    assert "The training is passed." in told
    assert f"/reading/{study_slot.token}/" in told
    assert "training passed in round 2" in client_of(people.alice).get(f"/studies/{room.study.token}/readings/").text
    assert "feedback" not in read_slot(bob, study_slot)
    # What a later standard says of the training holds nobody back who has begun.
    turned = {case: not truth[case.label] for case in room.study.cases.all()}
    record_standard(study=room.study, truths=turned, method="Anew", reason="A better look.", by=people.alice)
    following = next(slot for slot in room.slots() if not slot.training and slot != study_slot)
    assert open_case(bob, following).status_code == 200
    assert bob.post(f"/reading/training/{reader.token}/").status_code == 400
    assert [row.done for row in completeness_of(room.study) if row.code == reader.code] == [1]
    assert len(tables_of(source_of(room.study))[1].rows) == 1


def test_after_a_training_case_the_marks_of_the_reference_lie_on_its_images(people: People) -> None:
    room = prepared_room(people, None, replace(CROSSOVER, rules=RulesOutline(training_pass_mark=0)))
    drawn = {"key": "a", "kind": "box", "series": 0, "slice": 0, "label": "cleft", "points": [[2, 3], [9, 8]]}
    for case in room.study.cases.all():
        opinion = Opinion.objects.create(
            truther=room.study.enrolments.get(user=people.tess), case=case, verdict=Opinion.Verdict.POSITIVE
        )
        annotation = Annotation.objects.create(opinion=opinion, marks=[drawn], digest="0" * 64)
        StandardAnnotation.objects.create(standard=room.study.standards.get(), case=case, annotation=annotation)
    draw(study=room.study, by=people.alice, seed=SEED, training=("spine-1", "spine-2"))
    open_reading(study=room.study, by=people.alice)
    bob = client_of(people.bob)
    for slot in room.slots()[:2]:
        (region,) = read_slot(bob, slot)["feedback"]["regions"]
        assert region["frame"] == f"/reading/{slot.token}/frame/1"
        assert region["points"] == [[2, 3], [9, 3], [9, 8], [2, 8]]
    study_slot = room.slots()[2]
    assert not study_slot.training
    with pytest.raises(AssertionError):
        known_of(study_slot, ())
    answer = read_slot(bob, study_slot)
    assert set(answer) == {"next", "finished"}


def test_a_protocol_that_asks_for_training_is_not_drawn_without_its_cases(people: People) -> None:
    room = prepared_room(people, None, replace(CROSSOVER, rules=RulesOutline(training_pass_mark=0.5)))
    for cases in ((), ("spine-9",)):
        with pytest.raises(Refused, match="training"):
            draw(study=room.study, by=people.alice, training=cases)


def test_hanging_is_part_of_the_protocol_and_reaches_the_page(people: People) -> None:
    room = room_with(people, hanging=HANGING)
    assert open_case(client_of(people.bob), room.slots()[0]).json()["hanging"] == HANGING
    assert room.study.protocol_versions.get().protocol["rules"]["hanging"] == HANGING
    with pytest.raises(Refused, match="frozen"):
        set_rules(study=room.study, by=people.alice)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "rows, columns and cells"),
        ({"rows": 4, "columns": 1, "cells": [{"series": "A"}]}, "1 to 3 rows"),
        ({"rows": True, "columns": 1, "cells": [{"series": "A"}]}, "1 to 3 rows"),
        ({"rows": 1, "columns": 1, "cells": []}, "from 1 cell"),
        ({"rows": 1, "columns": 1, "cells": [{"series": "A"}, {"series": "B"}]}, "from 1 cell"),
        ({"rows": 1, "columns": 1, "cells": [{"series": ""}]}, "names its series"),
        ({"rows": 1, "columns": 1, "cells": [{"series": "A", "plane": "oblique"}]}, "axial, coronal or sagittal"),
        ({"rows": 1, "columns": 1, "cells": [{"series": "A", "secret": "B"}]}, "names its series"),
        ({"rows": 1, "columns": 1, "cells": [{"series": "A" * 65}]}, "at most 64"),
    ],
)
def test_a_hanging_protocol_that_means_nothing_is_refused(people: People, document: Any, sentence: str) -> None:
    with pytest.raises(HangingError, match=sentence):
        hanging_of(document)


def test_a_hanging_protocol_is_written_as_it_is_read() -> None:
    text = "T1W, sagittal, bone | T2W\nSTIR, soft tissue"
    hanging = read(text)
    assert hanging is not None
    assert (hanging.rows, hanging.columns, hanging.cells[2].window) == (2, 2, "soft tissue")
    assert written(hanging) == text
    assert read(" \n") is None


def test_rules_are_set_in_a_draft_and_said_in_sentences_where_they_are_wrong(people: People) -> None:
    study = make_study(people)
    for wrong in ({"break_minutes": 3}, {"training_pass_mark": 1.5}, {"hanging": {"rows": 1}}):
        with pytest.raises(Refused, match=r"\."):
            set_rules(study=study, by=people.alice, **wrong)
    set_rules(study=study, by=people.alice, break_minutes=20, may_revise=True)
    assert (study.rules.break_minutes, study.rules.may_revise) == (20, True)
