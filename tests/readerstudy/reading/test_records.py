"""What is recorded beside the answers: times by stage, toggles, second looks, sittings, the log of a draft."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from readerstudy.allocation.actions import draw
from readerstudy.allocation.models import Slot
from readerstudy.audit.models import Event
from readerstudy.datasets.queries import source_of, tables_of
from readerstudy.reading.actions import open_reading
from readerstudy.reading.models import Exposure, Look, ReadingSession
from readerstudy.reading.queries import due_at
from readerstudy.reading.queries.turns import LONGEST_SILENCE
from readerstudy.studies.models import Study
from readerstudy.studies.outline import CROSSOVER, ArmOutline, Outline, RulesOutline
from tests.readerstudy.reading.room import SEED, Room, body, open_room, post, prepared_room, read_slot, reading_of
from tests.readerstudy.reading.room import start as start_reading
from tests.world import People, client_of

Clock = Callable[[timedelta], datetime]
SECOND = timedelta(seconds=1)
DISPLAY = {"dark": 2, "bright": 1, "width": 2560, "height": 1440, "ratio": 1.25, "ambient": "dim"}
LOADED = {"t": 0, "kind": "loaded"}


def sequential_room(people: People) -> Room:
    arm = ArmOutline("Own answer first", "aided", "sequential", True, True)
    room = prepared_room(people, outline=replace(CROSSOVER, arms=(CROSSOVER.arms[0], arm), washouts=(0,)))
    draw(study=room.study, by=people.alice, seed=SEED, design="sequential")
    open_reading(study=room.study, by=people.alice)
    return room


def open_case(client: Client, slot: Slot) -> Any:
    response = client.get(f"/reading/{slot.token}/case.json")
    assert response.status_code == 200, response.content
    return response.json()


def spent(milliseconds: int, *events: dict[str, Any]) -> dict[str, Any]:
    return {"events": [LOADED, *events], "duration_ms": milliseconds}


def test_the_own_answer_has_the_time_up_to_it_and_the_final_one_the_whole(people: People, clock: Clock) -> None:
    room, bob = sequential_room(people), client_of(people.bob)
    slot = room.slots()[0]
    open_case(bob, slot)
    clock(20 * SECOND)
    idle = [{"t": 15_000, "kind": "idle"}, {"t": 19_000, "kind": "active"}]
    own = body(False, 20, activity=spent(20_000, *idle)) | {"stage": "first"}
    assert post(bob, slot, "submit", own).status_code == 200
    clock(40 * SECOND)
    post(bob, slot, "submit", body(True, 80, activity=spent(60_000, *idle)))
    rows = {row["arm"]: row for row in tables_of(source_of(room.study))[1].rows}
    assert (rows["unaided"]["seconds"], rows["unaided"]["idle_seconds"]) == (16.0, 4.0)
    assert (rows["aided"]["seconds"], rows["aided"]["idle_seconds"]) == (56.0, 4.0)
    reading = reading_of(slot)
    assert (rows["unaided"]["submitted_at"], rows["aided"]["submitted_at"]) == (reading.first_at, reading.submitted_at)


def test_the_time_of_the_own_answer_stays_within_what_the_server_saw(people: People, clock: Clock) -> None:
    room, bob = sequential_room(people), client_of(people.bob)
    slot = room.slots()[0]
    open_case(bob, slot)
    clock(5 * SECOND)
    post(bob, slot, "submit", body(activity=spent(9_999_999)) | {"stage": "first"})
    reading = reading_of(slot)
    assert reading.first_at and reading.opened_at
    assert reading.first_active_ms == int((reading.first_at - reading.opened_at) / timedelta(milliseconds=1))


def test_output_is_not_seen_before_it_was_sent(people: People, clock: Clock) -> None:
    room, bob = sequential_room(people), client_of(people.bob)
    slot = room.slots()[0]
    open_case(bob, slot)
    clock(20 * SECOND)
    post(bob, slot, "submit", body() | {"stage": "first"})
    clock(10 * SECOND)
    toggles = [{"kind": "probability", "event": event, "t": t} for event, t in (("shown", 0), ("hidden", 25_000))]
    post(bob, slot, "submit", body(exposures=toggles, activity=spent(30_000)))
    sent = Exposure.objects.get(source="server").after_ms
    assert sent >= 20_000
    assert list(Exposure.objects.filter(source="browser").values_list("after_ms", flat=True)) == [sent, 25_000]


def test_output_is_in_sight_for_no_longer_than_the_reading_whatever_the_browser_says(
    people: People, clock: Clock
) -> None:
    room, bob = open_room(people), client_of(people.bob)
    slot = next(slot for slot in room.slots()[:4] if slot.arm.aided)
    for before in room.slots()[: room.slots().index(slot)]:
        read_slot(bob, before)
    open_case(bob, slot)
    clock(30 * SECOND)
    # Backwards, long before, long after, shown twice, of an image that another case may have.
    claimed = [("shown", -9e9), ("hidden", 20_000), ("shown", 0), ("hidden", 9e14), ("shown", 5), ("shown", 9)]
    toggles = [{"kind": "probability", "event": event, "t": t} for event, t in claimed]
    toggles.append({"kind": "heatmap", "event": "shown", "t": 1, "image": 2})
    post(bob, slot, "submit", body(exposures=toggles, activity=spent(30_000)))
    stored = list(Exposure.objects.filter(source="browser").values_list("kind", "after_ms"))
    assert len(stored) == 6 and {kind for kind, _at in stored} == {"probability"}
    assert stored == sorted(stored)
    rows = [row for row in tables_of(source_of(room.study))[1].rows if row["case"] == slot.case.label]
    reading = reading_of(slot)
    assert reading.submitted_at and reading.opened_at
    shown = rows[0]["output_seconds"]
    assert isinstance(shown, float)
    assert 30 <= shown <= (reading.submitted_at - reading.opened_at).total_seconds()


def test_times_of_events_are_kept_within_the_reading(room: Room, clock: Clock) -> None:
    bob, slot = client_of(room.people.bob), room.slots()[0]
    open_case(bob, slot)
    clock(10 * SECOND)
    events = [{"t": t, "kind": "idle"} for t in (-1e15, 7.6, 1e15)]
    post(bob, slot, "submit", body(activity={"events": events, "duration_ms": 1e15}))
    reading = reading_of(slot)
    assert reading.submitted_at and reading.opened_at
    bound = int((reading.submitted_at - reading.opened_at) / timedelta(milliseconds=1))
    assert [event["t"] for event in reading.activity] == [0, 7, bound]


def room_with_a_way_back(people: People) -> Room:
    return open_room(people, outline=replace(CROSSOVER, rules=RulesOutline(may_revise=True)))


def test_a_second_look_is_recorded_with_its_toggles_and_moves_the_washout(people: People, clock: Clock) -> None:
    room, bob = room_with_a_way_back(people), client_of(people.bob)
    slots = room.slots()[:4]
    aided = next(slot for slot in slots if slot.arm.aided)
    for slot in slots[: slots.index(aided)]:
        read_slot(bob, slot)
    open_case(bob, aided)
    clock(10 * SECOND)
    shown = [
        {"kind": "probability", "event": "shown", "t": 1000},
        {"kind": "probability", "event": "hidden", "t": 2000},
    ]
    post(bob, aided, "submit", body(exposures=shown, activity=spent(10_000)))
    clock(timedelta(minutes=30))
    assert open_case(bob, aided)["revised"]
    clock(8 * SECOND)
    back = body(False, 10, exposures=shown, activity=spent(8000)) | {"reason": "Wrong key"}
    assert [post(bob, aided, "revise", back).status_code for _ in range(2)] == [200, 200]
    opened, sent = Look.objects.filter(reading__slot=aided)
    assert (opened.active_ms, sent.active_ms) == (None, 8000)
    reading = reading_of(aided)
    assert reading.opened_at and reading.last_exposed_at
    before = int((opened.seen_at - reading.opened_at) / timedelta(milliseconds=1))
    seen = Exposure.objects.filter(reading=reading, source="browser").values_list("number", "after_ms")
    assert list(seen) == [(1, 1000), (2, 2000), (3, before + 1000), (4, before + 2000)]
    assert Exposure.objects.filter(reading=reading, source="server").count() == 2
    later = next(slot for slot in room.slots()[4:] if slot.case_id == aided.case_id)
    assert due_at(later) == sent.seen_at + timedelta(days=later.period.washout_days)
    (row,) = [row for row in tables_of(source_of(room.study))[1].rows if row["case"] == aided.case.label]
    assert (row["seconds"], row["seconds_again"], row["output_seconds"]) == (10.0, 8.0, 2.0)
    assert Event.objects.filter(verb="reading.seen_again").count() == 1
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Look.objects.update(seen_at=reading.opened_at)


def test_looking_without_a_change_moves_the_washout_too(people: People, clock: Clock) -> None:
    room, bob = room_with_a_way_back(people), client_of(people.bob)
    first = room.slots()[0]
    read_slot(bob, first)
    clock(timedelta(hours=1))
    open_case(bob, first)
    later = next(slot for slot in room.slots()[4:] if slot.case_id == first.case_id)
    assert due_at(later) == Look.objects.get().seen_at + timedelta(days=later.period.washout_days)


def checked_room(people: People) -> Room:
    outline: Outline = replace(CROSSOVER, rules=RulesOutline(display_check=True, may_revise=True))
    return open_room(people, outline=outline)


def test_a_sitting_that_went_silent_is_over_and_the_display_is_checked_again(people: People, clock: Clock) -> None:
    room, bob = checked_room(people), client_of(people.bob)
    first, second, third = room.slots()[:3]
    page = f"/reading/display/{room.reader().token}/"
    bob.post(page, DISPLAY)
    read_slot(bob, first)
    clock(LONGEST_SILENCE - timedelta(minutes=5))
    read_slot(bob, second)
    last = reading_of(second).last_exposed_at
    open_case(bob, third)
    clock(LONGEST_SILENCE + SECOND)
    # The case that was open is taken still; the next one waits for the check.
    assert post(bob, third, "submit", body()).status_code == 200
    clock(LONGEST_SILENCE + SECOND)
    following = room.slots()[3]
    assert bob.get(f"/reading/{following.token}/case.json").status_code == 403
    assert bob.get(f"/reading/{following.token}/").headers["Location"] == page
    bob.post(page, DISPLAY | {"ambient": "bright"})
    open_case(bob, following)
    ended, going = ReadingSession.objects.order_by("pk")
    assert (ended.ended_at, going.ended_at) == (reading_of(third).last_exposed_at, None)
    assert last is not None and ended.ended_at is not None and ended.ended_at > last


def test_a_new_login_begins_a_sitting_of_its_own(people: People) -> None:
    room, bob = checked_room(people), client_of(people.bob)
    slot = room.slots()[0]
    bob.post(f"/reading/display/{room.reader().token}/", DISPLAY)
    open_case(bob, slot)
    again = client_of(people.bob)
    assert again.get(f"/reading/{slot.token}/case.json").status_code == 403
    assert post(again, slot, "submit", body()).status_code == 200


@pytest.mark.parametrize("untyped", ["dark", "bright"])
def test_a_display_check_without_a_look_is_none(people: People, untyped: str) -> None:
    room, bob = checked_room(people), client_of(people.bob)
    refused = bob.post(f"/reading/display/{room.reader().token}/", DISPLAY | {untyped: ""})
    assert refused.status_code == 400
    assert "type 0 where you see none." in refused.text
    assert not ReadingSession.objects.exists()


def test_another_computer_goes_on_with_time_and_toggles(room: Room, clock: Clock) -> None:
    bob, slot = client_of(room.people.bob), next(slot for slot in room.slots() if slot.arm.aided)
    for before in room.slots()[: room.slots().index(slot)]:
        read_slot(bob, before)
    assert open_case(bob, slot)["activity"] is None
    clock(30 * SECOND)
    toggles = [
        {"kind": "probability", "event": "shown", "t": 1000},
        {"kind": "probability", "event": "hidden", "t": 1e15},
    ]
    sent = {"answers": {}, "activity": spent(30_000, {"t": 1e15, "kind": "idle"}), "exposures": toggles}
    assert post(bob, slot, "draft", sent).status_code == 204
    post(bob, slot, "pause", {})
    clock(timedelta(hours=5))
    log = open_case(client_of(room.people.bob), slot)["activity"]
    assert log["elapsed_ms"] >= 5 * 3_600_000 + 30_000
    bound = log["events"][1]["t"]
    assert 30_000 <= bound < 31_000
    assert log["events"] == [LOADED, {"t": bound, "kind": "idle"}, {"t": 30_000, "kind": "hidden"}]
    assert [(one["event"], one["t"]) for one in log["exposures"]] == [("shown", 1000), ("hidden", bound)]
    post(bob, slot, "submit", body())
    assert reading_of(slot).draft_log is None


def test_what_is_no_log_is_refused_and_a_long_one_is_cut(room: Room) -> None:
    bob, slot = client_of(room.people.bob), room.slots()[0]
    open_case(bob, slot)
    wrongs: list[dict[str, Any]] = [
        {"activity": []},
        {"activity": {"events": [{"t": 1, "kind": "asleep"}]}},
        {"exposures": {}},
    ]
    for wrong in wrongs:
        assert post(bob, slot, "draft", {"answers": {}} | wrong).status_code == 400
    many = [{"t": n, "kind": "idle"} for n in range(5000)]
    assert post(bob, slot, "draft", {"answers": {}, "activity": spent(1, *many)}).status_code == 204
    log = reading_of(slot).draft_log
    assert log is not None and len(log["events"]) == 2000


@pytest.mark.parametrize(
    ("may_revise", "words"), [(True, "You may go back to the case before"), (False, "There is no way back")]
)
def test_the_usual_instructions_speak_of_the_way_back_as_the_protocol_has_it(
    people: People, may_revise: bool, words: str
) -> None:
    room = prepared_room(people, outline=replace(CROSSOVER, rules=RulesOutline(may_revise=may_revise)))
    Study.objects.filter(pk=room.study.pk).update(instructions="")
    bob, start = client_of(people.bob), f"/reading/start/{room.reader().token}/"
    assert words in bob.get(start).text
    start_reading(room)
    assert f'href="{start}" target="_blank"' in bob.get(f"/reading/{room.slots()[0].token}/").text
