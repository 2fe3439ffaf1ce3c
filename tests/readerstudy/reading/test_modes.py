"""When the model's output may reach a reader: after the own answer, on request, planned wrong; and what is recorded."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from readerstudy.allocation.actions import draw
from readerstudy.allocation.models import Slot
from readerstudy.audit.errors import Refused
from readerstudy.audit.models import Event
from readerstudy.datasets.queries import source_of, tables_of
from readerstudy.predictions.findings import Findings
from readerstudy.reading.actions import open_reading
from readerstudy.reading.models import Answer, Exposure
from readerstudy.reading.overview import planned_output_of
from readerstudy.studies.outline import CROSSOVER, ArmOutline, Outline
from readerstudy.studies.queries import current_version
from tests.readerstudy.reading.room import SEED, Hidden, Room, body, post, prepared_room, read_slot, reading_of, start
from tests.readerstudy.reading.test_blinding import assistance_sent
from tests.world import People, client_of

FIRST, FINAL = {"stage": "first"}, {"stage": "final"}
MARK = b"modelQZmark"
HIDDEN = Hidden(algorithm="modelQZmark", heatmap=b"\x89PNG modelQZmark")


def room_with(people: People, arm: ArmOutline, design: str = "crossed", periods: int = 2) -> Room:
    outline = replace(CROSSOVER, arms=(CROSSOVER.arms[0], arm), washouts=(0,) * periods)
    room = prepared_room(people, HIDDEN, outline)
    draw(study=room.study, by=people.alice, seed=SEED, design=design)
    open_reading(study=room.study, by=people.alice)
    return room


def sequential_room(people: People, share: float = 0) -> Room:
    arm = ArmOutline("Own answer first", "aided", "sequential", True, True, unaided_share=share)
    return room_with(people, arm, "sequential", periods=1)


def case_of(client: Client, slot: Slot) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/reading/{slot.token}/case.json").json()
    return answer


def test_output_comes_after_the_own_answer_and_both_are_kept(people: People) -> None:
    room, bob = sequential_room(people), client_of(people.bob)
    slot = room.slots()[0]
    assert (case_of(bob, slot)["stage"], case_of(bob, slot)["assistance"]) == ("first", None)
    assert post(bob, slot, "submit", body()).status_code == 400
    sent = body(False, 20) | FIRST
    receipts = [post(bob, slot, "submit", sent).json() for _ in range(2)]
    assert receipts == [{"next": slot.token, "finished": False, "stage": "final"}] * 2
    assert post(bob, slot, "submit", body(True, 90) | FIRST).status_code == 409
    after = case_of(bob, slot)
    assert (after["stage"], after["draft"]) == ("final", {"decision": False, "confidence": 20})
    assert after["assistance"]["algorithm"].startswith("modelQZmark")
    exposures = [{"kind": "probability", "event": "shown", "t": 0}]
    assert post(bob, slot, "submit", body(True, 80, exposures=exposures) | FINAL).status_code == 200
    kept = Answer.objects.filter(reading__slot=slot).values_list("question__key", "stage", "value")
    assert sorted(kept) == [
        *(("confidence", "final", 80), ("confidence", "first", 20)),
        *(("decision", "final", True), ("decision", "first", False)),
    ]
    recorded = Exposure.objects.filter(reading__slot=slot).values_list("source", "kind", "shown")
    assert sorted(recorded) == [("browser", "probability", True), ("server", "output", True)]
    verbs = Event.objects.filter(verb__startswith="reading.").values_list("verb", flat=True)
    assert list(verbs) == ["reading.opened", "reading.first_answered", "reading.submitted"]


def test_before_the_own_answer_no_byte_of_the_output_leaves_the_server(people: People) -> None:
    room, bob = sequential_room(people), client_of(people.bob)
    slot = room.slots()[0]
    doors = ("", "case.json", "frame/1", "heatmap/1", "mask/1")
    assert not any(MARK in bob.get(f"/reading/{slot.token}/{door}").content for door in doors)
    assert post(bob, slot, "output", {}).status_code == 400
    assert bob.get(f"/reading/{slot.token}/heatmap/1").status_code == 404
    post(bob, slot, "submit", body() | FIRST)
    assert MARK in bob.get(f"/reading/{slot.token}/heatmap/1").content


def test_a_drawn_share_stays_unaided_and_is_told_apart_only_after_the_own_answer(people: People) -> None:
    room, bob = sequential_room(people, share=0.5), client_of(people.bob)
    slots = room.slots()
    assert [slot.withheld for slot in slots].count(True) == 2
    assert {slot.case_id for slot in slots if slot.withheld} == {
        slot.case_id for slot in room.slots("rita") if slot.withheld
    }
    for slot in slots:
        before = case_of(bob, slot)
        assert (before["withheld"], before["assistance"]) == (False, None)
        post(bob, slot, "submit", body(True, 70) | FIRST)
        after = case_of(bob, slot)
        assert (after["withheld"], after["assistance"] is None) == (slot.withheld, slot.withheld)
        if slot.withheld:
            assert post(bob, slot, "submit", body(True, 71) | FINAL).status_code == 400
        assert post(bob, slot, "submit", body(True, 70) | FINAL).status_code == 200
    assert Exposure.objects.filter(source="server").count() == 2


def test_own_answers_are_the_readings_of_the_first_arm(people: People) -> None:
    room, bob = sequential_room(people, share=0.5), client_of(people.bob)
    for slot in room.slots():
        case_of(bob, slot)
        post(bob, slot, "submit", body(False, 20) | FIRST)
        post(bob, slot, "submit", (body(False, 20) if slot.withheld else body(True, 80)) | FINAL)
    answers, readings = tables_of(source_of(room.study))[:2]
    counted = sorted((str(row["arm"]), row["rating"]) for row in readings.rows)
    assert counted == [("aided", 80.0)] * 2 + [("unaided", 20.0)] * 4
    assert sorted(str(row["stage"]) for row in answers.rows) == ["final"] * 4 + ["first"] * 8


def test_output_on_request_leaves_the_server_when_it_is_asked_for(people: People) -> None:
    arm = ArmOutline("On request", "aided", "on_request", True, True)
    room, bob = room_with(people, arm), client_of(people.bob)
    for slot in [slot for slot in room.slots() if not slot.arm.aided]:
        case_of(bob, slot)
        assert post(bob, slot, "output", {}).status_code == 400
        read_slot(bob, slot)
    first, second = [slot for slot in room.slots() if slot.arm.aided][:2]
    before = case_of(bob, first)
    assert (before["on_request"], before["assistance"]) == (True, None)
    assert bob.get(f"/reading/{first.token}/heatmap/1").status_code == 404
    shown = [post(bob, first, "output", {}).json() for _ in range(2)]
    assert all(one["assistance"] and not one["on_request"] for one in shown)
    assert Exposure.objects.filter(reading__slot=first, source="server", kind="output").count() == 1
    read_slot(bob, first)
    never_seen = [{"kind": "heatmap", "event": "shown", "t": 0}]
    case_of(bob, second)
    post(bob, second, "submit", body(exposures=never_seen))
    assert not Exposure.objects.filter(reading__slot=second).exists()


def test_planned_wrong_output_says_the_opposite_and_is_told_of_only_at_the_end(people: People) -> None:
    arm = ArmOutline("Aided", "aided", "concurrent", True, sham_share=0.5)
    room, bob = room_with(people, arm), client_of(people.bob)
    debriefing = f"/reading/debriefing/{room.reader().token}/"
    scores = dict(zip(room.hidden.labels, room.hidden.scores, strict=True))
    turned = 0
    for slot in room.slots():
        assert bob.get(debriefing).status_code == 404
        shown = case_of(bob, slot)["assistance"]
        if shown:
            really = scores[slot.case.label] >= 0.4375
            assert shown["positive"] == (really != slot.sham)
            assert (shown["probability"] >= shown["operating_point"]) == shown["positive"]
            assert (shown["probability"] == scores[slot.case.label]) != slot.sham
            turned += slot.sham
        read_slot(bob, slot)
    assert turned == 2
    assert "planned to be wrong" in bob.get(debriefing).text
    assert debriefing in bob.get(f"/reading/finished/{room.reader().token}/").text
    assert client_of(people.rita).get(debriefing).status_code == 404


def test_nothing_but_the_decision_tells_planned_wrong_output_from_the_models_own(people: People) -> None:
    """Neither digits nor fields; the model's own words of many digits and a band of abstention would."""
    scores = (0.81372594837, 0.19372612345, 0.69372633211, 0.4374999999)
    hidden = Hidden(scores=scores, findings=Findings(0.4375, abstain=(0.4, 0.5), heatmaps=(), masks=()))
    arm = ArmOutline("Aided", "aided", "concurrent", True, sham_share=0.5)
    room = prepared_room(people, hidden, replace(CROSSOVER, arms=(CROSSOVER.arms[0], arm)))
    start(room)
    shown = [(slot.sham, assistance_sent(slot)) for slot in room.slots() if slot.arm.aided]
    assert [sham for sham, _output in shown].count(True) == 2
    for _sham, output in shown:
        assert (output["abstain"], output["uncertain"]) == (None, None)
        assert output["probability"] == round(output["probability"], 6)
        assert (output["probability"] >= output["operating_point"]) == output["positive"]


def test_only_what_was_shown_is_told_of_as_planned(people: People) -> None:
    arm = ArmOutline("On request", "aided", "on_request", True, sham_share=0.5)
    room, bob = room_with(people, arm), client_of(people.bob)
    planned = [slot for slot in room.slots() if slot.sham]
    for slot in room.slots():
        case_of(bob, slot)
        if slot == planned[0]:
            post(bob, slot, "output", {})
        read_slot(bob, slot)
    (told,) = planned_output_of(room.reader())
    assert (told.period, told.position) == (planned[0].period.number, planned[0].position)


@pytest.mark.parametrize(
    "arm",
    [
        ArmOutline("A", "a", "concurrent", True, unaided_share=0.2),
        ArmOutline("A", "a", "sequential", True, unaided_share=1.5),
        ArmOutline("A", "a", "concurrent", True, True, sham_share=0.2),
        ArmOutline("A", "a", sham_share=0.2),
        ArmOutline("A", "a", "telepathic", True),
    ],
)
def test_shares_stand_only_where_they_mean_something(people: People, arm: ArmOutline) -> None:
    with pytest.raises(Refused, match=r"\."):
        prepared_room(people, HIDDEN, Outline((CROSSOVER.arms[0], arm), (0, 0), CROSSOVER.questions))


def test_a_case_that_was_committed_comes_up_again_where_it_was(people: People) -> None:
    room, bob = sequential_room(people), client_of(people.bob)
    slot = room.slots()[0]
    case_of(bob, slot)
    post(bob, slot, "submit", body(True, 60) | FIRST)
    post(bob, slot, "draft", {"answers": {"decision": True, "confidence": 95}})
    again = case_of(client_of(people.bob), slot)
    assert (again["stage"], again["draft"]["confidence"]) == ("final", 95)
    assert reading_of(slot).output_at is not None


@pytest.mark.parametrize("at_once", [True, False])
def test_the_heat_map_is_there_at_once_unless_the_protocol_lets_it_wait(people: People, at_once: bool) -> None:
    arm = ArmOutline("Aided", "aided", "concurrent", True, True, heatmap_at_once=at_once)
    room, bob = room_with(people, arm), client_of(people.bob)
    for slot in room.slots():
        shown = case_of(bob, slot)["assistance"]
        if shown:
            break
        read_slot(bob, slot)
    assert shown["heatmap_at_once"] is at_once
    assert current_version(room.study).protocol["arms"][1]["heatmap_at_once"] is at_once
