import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from readerstudy.audit.models import Event
from readerstudy.cases import frames
from readerstudy.reading.models import Answer, Exposure, Reading, ReadingSession
from readerstudy.studies.models import Study
from tests.readerstudy.reading.room import COLUMNS, ROWS, Room, body, open_room, post, read_slot, reading_of
from tests.world import People, client_of, make_study

Clock = Callable[[timedelta], datetime]


@pytest.fixture
def bob(room: Room) -> Client:
    return client_of(room.people.bob)


def test_the_whole_first_period_leads_from_case_to_case_and_ends(room: Room, bob: Client) -> None:
    first_period = [slot for slot in room.slots() if slot.period.number == 1]
    for done, slot in enumerate(first_period):
        case = bob.get(f"/reading/{slot.token}/case.json").json()
        assert case["progress"] == {"done": done, "total": 4}
        following = [later.token for later in first_period[done + 1 : done + 2]]
        assert [(case["next_prefetch"] or {}).get("slot")] == (following or [None])
        answer = post(bob, slot, "submit", body()).json()
        assert answer == {"next": following[0] if following else None, "finished": not following}
    assert Reading.objects.filter(phase="submitted").count() == 4
    assert "Period 1 is complete" in bob.get(f"/reading/finished/{room.reader().token}/").text
    assert ReadingSession.objects.get().ended_at is not None or ReadingSession.objects.count() == 1


def test_nothing_is_called_finished_that_has_not_begun(people: People) -> None:
    reader = make_study(people, phase=Study.Phase.FROZEN).enrolments.get(user=people.bob)
    assert client_of(people.bob).get(f"/reading/finished/{reader.token}/").headers["Location"] == "/reading/"


def test_the_json_of_a_case_keeps_the_contract_with_the_viewer(room: Room, bob: Client) -> None:
    slot = room.slots()[0]
    case = bob.get(f"/reading/{slot.token}/case.json").json()
    assert set(case) == {
        *("slot", "progress", "period", "arm_label", "series", "hanging", "questions", "unreadable", "draft"),
        *(
            "stage",
            "training",
            "withheld",
            "on_request",
            "revised",
            "previous",
            "assistance",
            "next_prefetch",
            "activity",
        ),
    }
    url = f"/reading/{slot.token}/frame/1"
    assert case["series"][0]["frames"] == [
        {
            "url": url,
            "preview": f"{url}?quarter=1",
            "rows": ROWS,
            "columns": COLUMNS,
            "samples": 1,
            "bits": 12,
            "inverted": False,
            "slope": 1.0,
            "intercept": 0.0,
            "window": {"center": 2048.0, "width": 4096.0, "shape": "linear", "table": None},
            "spacing": [0.2, 0.2],
            "calibrated": True,
            "position": None,
            "orientation": None,
            "letters": None,
        }
    ]
    decision, confidence = case["questions"]
    assert decision["choices"] == [{"value": False, "label": "No"}, {"value": True, "label": "Yes"}]
    assert (confidence["agrees_with"], confidence["threshold"], confidence["maximum"]) == ("decision", 50, 100)


def test_the_pixels_that_arrive_are_the_ones_imported(room: Room, bob: Client) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    number = int(slot.case.label[-1]) - 1
    expected = np.random.default_rng(number + 100).integers(0, 4096, (ROWS, COLUMNS), dtype=np.uint16)
    response = bob.get(f"/reading/{slot.token}/frame/1")
    assert np.array_equal(frames.decode(response.content, ROWS, COLUMNS), expected)
    assert len(gzip.decompress(response.content)) == 2 * ROWS * COLUMNS
    preview = bob.get(f"/reading/{slot.token}/frame/1?quarter=1").content
    assert np.array_equal(frames.decode(preview, ROWS // 4, COLUMNS // 4), expected[::4, ::4])
    assert bob.get(f"/reading/{slot.token}/frame/2").status_code == 404


def test_frames_of_several_images_are_numbered_through(people: People) -> None:
    room = open_room(people, images=3)
    bob = client_of(people.bob)
    slot = room.slots()[0]
    case = bob.get(f"/reading/{slot.token}/case.json").json()
    urls = [frame["url"] for frame in case["series"][0]["frames"]]
    assert [url.rsplit("/", 1)[1] for url in urls] == ["1", "2", "3"]
    assert len({bob.get(url).content for url in urls}) == 3


def split(content: bytes) -> list[bytes]:
    """What the browser makes of frames that come together."""
    parts = []
    while content:
        length = int.from_bytes(content[:4], "little")
        parts.append(content[4 : 4 + length])
        content = content[4 + length :]
    return parts


def test_frames_of_a_stack_come_together_as_they_come_alone_at_the_cost_of_one(people: People) -> None:
    room = open_room(people, images=10)
    bob = client_of(people.bob)
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    base = f"/reading/{slot.token}"
    alone = [bob.get(f"{base}/frame/{number}").content for number in range(1, 11)]
    assert split(bob.get(f"{base}/frames/1-8").content) == alone[:8]
    assert split(bob.get(f"{base}/frames/9-10").content) == alone[8:]
    with CaptureQueriesContext(connection) as single:
        bob.get(f"{base}/frame/3")
    with CaptureQueriesContext(connection) as together:
        answer = bob.get(f"{base}/frames/3-10")
    assert len(together) == len(single) <= 5
    assert answer.headers["Cache-Control"] == bob.get(f"{base}/frame/3").headers["Cache-Control"]
    assert len(split(answer.content)) == 8
    nowhere = ("0-3", "4-3", "1-9", "8-11", "11-12", "1-999999999999")
    assert {bob.get(f"{base}/frames/{numbers}").status_code for numbers in nowhere} == {404}


def test_frames_come_together_only_where_each_may_be_seen(room: Room, bob: Client) -> None:
    slots = room.slots()
    bob.get(f"/reading/{slots[0].token}/case.json")
    for slot in slots:
        door = f"/reading/{slot.token}/frames/1-1"
        assert bob.get(door).status_code == bob.get(f"/reading/{slot.token}/frame/1").status_code
        assert client_of(room.people.rita).get(door).status_code == 404
        assert Client().get(door).status_code == 302
    assert bob.get(f"/reading/{slots[2].token}/frames/1-1").json().keys() == {"error"}


def test_a_large_image_comes_alone(room: Room, bob: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    door = f"/reading/{slot.token}/frames/1-1"
    monkeypatch.setattr("readerstudy.reading.queries.seeing.LARGEST_TOGETHER", ROWS * COLUMNS)
    assert bob.get(door).status_code == 200
    monkeypatch.setattr("readerstudy.reading.queries.seeing.LARGEST_TOGETHER", ROWS * COLUMNS - 1)
    assert bob.get(door).status_code == 404


def test_a_submission_costs_a_dozen_questions_to_the_database(room: Room, bob: Client) -> None:
    slots = room.slots()
    read_slot(bob, slots[0])
    bob.get(f"/reading/{slots[1].token}/case.json")
    with CaptureQueriesContext(connection) as asked:
        assert post(bob, slots[1], "submit", body()).status_code == 200
    # Besides them BEGIN and COMMIT, which stand for a savepoint here.
    savepoints = [query for query in asked if "SAVEPOINT" in query["sql"]]
    assert (len(asked) - len(savepoints), len(savepoints)) == (10, 2)


def test_an_unopened_case_cannot_be_answered(room: Room, bob: Client) -> None:
    response = post(bob, room.slots()[0], "submit", body())
    assert (response.status_code, response.json()["error"]) == (400, "This case was not opened yet.")


def test_only_the_next_case_opens_and_only_the_one_after_it_can_be_fetched_ahead(room: Room, bob: Client) -> None:
    slots = room.slots()
    assert [bob.get(f"/reading/{slot.token}/case.json").status_code for slot in slots] == [200] + [403] * 7
    assert [bob.get(f"/reading/{slot.token}/frame/1").status_code for slot in slots] == [200] * 2 + [403] * 6
    read_slot(bob, slots[0])
    assert [bob.get(f"/reading/{slot.token}/case.json").status_code for slot in slots[:3]] == [403, 200, 403]
    assert [bob.get(f"/reading/{slot.token}/frame/1").status_code for slot in slots[:4]] == [403, 200, 200, 403]
    assert not Reading.objects.filter(slot__in=slots[2:]).exists()


def test_the_same_submission_again_is_acknowledged_again_and_stored_once(room: Room, bob: Client) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    sent = body()
    answers = [post(bob, slot, "submit", sent) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.content for answer in answers}) == 1
    assert Answer.objects.filter(reading__slot=slot).count() == 2
    assert Event.objects.filter(verb="reading.submitted").count() == 1


def test_other_answers_under_a_stored_slot_or_key_are_a_conflict(room: Room, bob: Client) -> None:
    first, second = room.slots()[:2]
    bob.get(f"/reading/{first.token}/case.json")
    sent = body()
    post(bob, first, "submit", sent)
    other = {"decision": False, "confidence": 10}
    for conflicting in (sent | {"answers": other}, body(decision=False, confidence=10), sent | {"answers": {}}):
        response = post(bob, first, "submit", conflicting)
        assert response.status_code == 409
        assert "already" in response.json()["error"]
    bob.get(f"/reading/{second.token}/case.json")
    assert post(bob, second, "submit", sent).status_code == 409
    assert reading_of(second).phase == "open"
    assert post(bob, second, "submit", body()).status_code == 200


def test_refused_answers_name_each_question_and_store_nothing(room: Room, bob: Client) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    response = post(bob, slot, "submit", body() | {"answers": {"decision": True, "confidence": 20, "bogus": 1}})
    assert response.status_code == 422
    assert set(response.json()["errors"]) == {"confidence", "bogus"}
    assert reading_of(slot).phase == "open"
    assert not Answer.objects.exists()


def test_a_draft_comes_back_on_any_computer_and_goes_with_the_submission(room: Room, bob: Client) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    draft = {"decision": True, "confidence": 71}
    response = post(bob, slot, "draft", {"answers": draft, "activity": {}, "exposures": []})
    assert (response.status_code, response.content) == (204, b"")
    elsewhere = client_of(room.people.bob)
    assert elsewhere.get(f"/reading/{slot.token}/case.json").json()["draft"] == draft
    post(elsewhere, slot, "submit", body())
    assert reading_of(slot).draft is None
    late = post(bob, slot, "draft", {"answers": {"confidence": 1}})
    assert (late.status_code, reading_of(slot).draft) == (409, None)


def test_a_pause_ends_the_sitting_and_the_next_case_begins_another(room: Room, bob: Client) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    url = post(bob, slot, "pause", {}).json()["url"]
    assert f"/reading/{slot.token}/" in bob.get(url).text
    assert ReadingSession.objects.get().ended_at is not None
    bob.get(f"/reading/{slot.token}/case.json")
    assert ReadingSession.objects.filter(ended_at=None).count() == 1
    assert ReadingSession.objects.count() == 2


def test_times_stay_within_what_the_server_saw(room: Room, bob: Client, clock: Clock) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    clock(timedelta(seconds=10))
    events = [{"t": 1000, "kind": "loaded"}, {"t": 3000, "kind": "hidden"}, {"t": 4000, "kind": "visible"}]
    post(bob, slot, "submit", body(activity={"events": events, "duration_ms": 9_999_999}))
    reading = reading_of(slot)
    assert (reading.load_ms, reading.hidden_ms) == (1000, 1000)
    bound = (reading.submitted_at - reading.opened_at) / timedelta(milliseconds=1)
    assert reading.active_ms == int(bound) - 2000


def test_a_clock_set_back_while_reading_loses_nothing(room: Room, bob: Client, clock: Clock) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    clock(timedelta(days=-90))
    assert post(bob, slot, "draft", {"answers": {"decision": True}}).status_code == 204
    assert post(bob, slot, "submit", body()).status_code == 200
    reading = reading_of(slot)
    assert reading.submitted_at == reading.opened_at == reading.last_exposed_at
    assert post(bob, room.slots()[1], "pause", {}).status_code == 200


def test_exposures_are_stored_only_for_what_the_arm_shows(room: Room, bob: Client) -> None:
    exposures = [
        {"kind": "probability", "event": "shown", "t": 5},
        {"kind": "heatmap", "event": "shown", "t": 99_999_999},
    ]
    for slot in room.slots()[:4]:
        bob.get(f"/reading/{slot.token}/case.json")
        post(bob, slot, "submit", body(exposures=exposures))
    sent = Exposure.objects.filter(source="server").values_list("reading__slot__arm__code", "kind", "shown")
    assert list(sent) == [("aided", "output", True)] * 2
    stored = Exposure.objects.filter(source="browser").values_list("reading__slot__arm__code", "kind", "shown")
    assert sorted(stored) == sorted([("aided", "probability", True), ("aided", "heatmap", True)] * 2)
    assert max(Exposure.objects.values_list("after_ms", flat=True)) < 60_000


def test_on_which_image_output_lay_is_stored_where_the_case_has_that_image(room: Room, bob: Client) -> None:
    slot = next(slot for slot in room.slots() if slot.arm.aided)
    for before in room.slots()[: room.slots().index(slot)]:
        read_slot(bob, before)
    bob.get(f"/reading/{slot.token}/case.json")
    exposures = [
        {"kind": "heatmap", "event": "shown", "t": 5, "opacity": 50},
        {"kind": "heatmap", "event": "shown", "t": 6, "image": 1},
        {"kind": "heatmap", "event": "shown", "t": 7, "image": 1, "plane": "coronal", "position": 3},
        {"kind": "heatmap", "event": "shown", "t": 8, "image": 2},
        {"kind": "heatmap", "event": "shown", "t": 9, "opacity": 35},
        {"kind": "heatmap", "event": "hidden", "t": 10, "image": 1},
    ]
    assert post(bob, slot, "draft", {"answers": {}, "activity": {}, "exposures": exposures}).status_code == 204
    kept = bob.get(f"/reading/{slot.token}/case.json").json()["activity"]["exposures"]
    assert [one | {"t": 0} for one in kept] == [one | {"t": 0} for one in exposures]
    assert post(bob, slot, "submit", body(exposures=exposures)).status_code == 200
    stored = Exposure.objects.filter(source="browser").order_by("number")
    assert list(stored.values_list("shown", "image", "plane", "position", "opacity")) == [
        (True, None, "", None, 50),
        (True, 1, "", None, None),
        (True, 1, "coronal", 3, None),
        (True, None, "", None, 35),
        (False, 1, "", None, None),
    ]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("no json", 400),
        ("[1]", 400),
        ("[" * 100_000, 400),
        ('{"client_key": "1", "answers": {}}', 400),
        ('{"answers": {"decision": true}}', 400),
        (body(answers=[]), 400),
        (body(activity={"events": [{"t": "x", "kind": "idle"}]}), 400),
        (body(activity={"events": [{"t": 1, "kind": "asleep"}]}), 400),
        (body(exposures=[{"kind": "truth", "event": "shown", "t": 1}]), 400),
        (body(exposures=[{"kind": "mask", "event": "shown", "t": 1, "image": 0}]), 400),
        (body(exposures=[{"kind": "mask", "event": "shown", "t": 1, "image": True}]), 400),
        (body(exposures=[{"kind": "mask", "event": "shown", "t": 1, "image": 10**9}]), 400),
        (body(exposures=[{"kind": "mask", "event": "shown", "t": 1, "image": 1, "plane": "oblique"}]), 400),
        (body(exposures=[{"kind": "mask", "event": "shown", "t": 1, "plane": "coronal"}]), 400),
        (body(exposures=[{"kind": "probability", "event": "shown", "t": 1, "image": 1}]), 400),
        (body(exposures=[{"kind": "heatmap", "event": "shown", "t": 1, "opacity": 101}]), 400),
        (body(exposures=[{"kind": "probability", "event": "shown", "t": 1, "opacity": 50}]), 400),
        (body(exposures=[{"kind": "mask", "event": "shown", "t": 1, "image": 1, "position": 3}]), 400),
        (
            '{"client_key": "5f0c3a52-6e0f-4d53-9a5e-0d3a8c1b6f11", "answers": {"decision": true, "confidence": NaN}}',
            400,
        ),
        (
            '{"client_key": "5f0c3a52-6e0f-4d53-9a5e-0d3a8c1b6f11", "answers": {"confidence": 1e999}}',
            422,
        ),
        (f'{{"client_key": "5f0c3a52-6e0f-4d53-9a5e-0d3a8c1b6f11", "answers": {{"confidence": {"9" * 400}}}}}', 422),
        (f'{{"client_key": "5f0c3a52-6e0f-4d53-9a5e-0d3a8c1b6f11", "answers": {{"confidence": {"9" * 5000}}}}}', 400),
    ],
)
def test_what_is_no_submission_is_refused_with_a_sentence(room: Room, bob: Client, content: Any, status: int) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    response = post(bob, slot, "submit", content)
    assert (response.status_code, response.json()["error"][-1]) == (status, ".")
    assert reading_of(slot).phase == "open"


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", {"a": {"b": {"c": 1}}}, [[[1]]], [0] * 201, {"\x00": 1}])
def test_what_cannot_be_stored_as_a_draft_is_refused(room: Room, bob: Client, value: Any) -> None:
    slot = room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    response = post(bob, slot, "draft", {"answers": {"decision": value}})
    assert (response.status_code, response.json()["error"][-1]) == (400, ".")


def test_a_case_is_saved_and_the_next_one_opened_in_few_queries(room: Room, bob: Client) -> None:
    first, second = room.slots()[:2]
    bob.get(f"/reading/{first.token}/case.json")
    with CaptureQueriesContext(connection) as submitting:
        post(bob, first, "submit", body())
    with CaptureQueriesContext(connection) as opening:
        bob.get(f"/reading/{second.token}/case.json")
    submitted, opened = (
        len([query for query in queries if "SAVEPOINT" not in query["sql"]]) for queries in (submitting, opening)
    )
    assert submitted <= 14
    assert opened <= 20
