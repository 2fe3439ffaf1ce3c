from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from readerstudy.allocation.models import Slot
from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.reading import actions
from readerstudy.reading.models import Reading, WashoutOverride
from readerstudy.reading.queries import due_at
from tests.readerstudy.reading.room import Room, body, post, read_slot, reading_of
from tests.world import client_of

Clock = Callable[[timedelta], datetime]
SECOND = timedelta(seconds=1)


@pytest.fixture
def bob(room: Room) -> Client:
    return client_of(room.people.bob)


def first_of_second_period(room: Room, bob: Client) -> Slot:
    for slot in room.slots()[:4]:
        read_slot(bob, slot)
    return room.slots()[4]


def last_seen(slot: Slot) -> datetime:
    seen = Reading.objects.get(slot__reader=slot.reader, slot__case=slot.case).last_exposed_at
    assert seen is not None
    return seen


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize("month", [1, 3, 10])
def test_a_case_opens_28_days_of_24_hours_after_it_was_last_seen_and_not_a_second_before(
    room: Room, monkeypatch: pytest.MonkeyPatch, zone: str, month: int
) -> None:
    # From 15 March and from 15 October, 28 days cross the change of the clocks on both sides of the Atlantic.
    instant = datetime(2027, month, 15, 1, 30, tzinfo=ZoneInfo(zone))
    monkeypatch.setattr(timezone, "now", lambda: instant)
    with timezone.override(zone):
        bob = client_of(room.people.bob)
        slot = first_of_second_period(room, bob)
        opens = instant.astimezone(UTC) + timedelta(hours=28 * 24)
        monkeypatch.setattr(timezone, "now", lambda: opens - SECOND)
        # The session of the log-in has ended meanwhile.
        bob = client_of(room.people.bob)
        refused = bob.get(f"/reading/{slot.token}/case.json")
        assert refused.status_code == 403
        assert f"{opens:%d %B %Y at %H:%M:%S} UTC" in refused.json()["error"]
        assert bob.get(f"/reading/{slot.token}/frame/1").status_code == 403
        monkeypatch.setattr(timezone, "now", lambda: opens)
        assert bob.get(f"/reading/{slot.token}/case.json").status_code == 200


def test_a_late_look_moves_the_washout_and_another_readers_look_does_not(room: Room, bob: Client, clock: Clock) -> None:
    first = room.slots()[0]
    bob.get(f"/reading/{first.token}/case.json")
    opened = reading_of(first).last_exposed_at
    clock(timedelta(hours=3))
    post(bob, first, "draft", {"answers": {"decision": True}})
    drafted = reading_of(first).last_exposed_at
    clock(timedelta(hours=3))
    post(bob, first, "submit", body())
    submitted = reading_of(first).last_exposed_at
    assert opened and drafted and submitted
    assert drafted - opened >= timedelta(hours=3)
    assert submitted - drafted >= timedelta(hours=3)
    again = next(slot for slot in room.slots()[4:] if slot.case_id == first.case_id)
    assert due_at(again) == submitted + timedelta(days=28)
    clock(timedelta(days=1))
    read_slot(client_of(room.people.rita), room.slots("rita")[0])
    assert due_at(again) == submitted + timedelta(days=28)


def test_the_work_list_says_when_the_next_case_is_due(room: Room, bob: Client) -> None:
    slot = first_of_second_period(room, bob)
    due = due_at(slot)
    assert due is not None
    page = bob.get("/reading/").text
    assert due.isoformat() in page or f"{due:%Y-%m-%dT%H:%M}" in page
    assert bob.get(f"/reading/{slot.token}/").headers["Location"] == "/reading/"
    assert bob.post(f"/reading/start/{room.reader().token}/").status_code == 403


def test_two_persons_cut_a_washout_short_with_a_reason(room: Room, bob: Client) -> None:
    people, slot = room.people, first_of_second_period(room, bob)
    override = actions.ask_washout_override(slot=slot, reason="The reader leaves in May.", by=people.alice)
    assert bob.get(f"/reading/{slot.token}/case.json").status_code == 403
    with pytest.raises(Refused, match="second person"):
        actions.agree_washout_override(override=override, by=people.alice)
    for stranger in (people.bob, people.tess, people.charlie):
        with pytest.raises(Denied):
            actions.agree_washout_override(override=override, by=stranger)
    assert bob.get(f"/reading/{slot.token}/case.json").status_code == 403
    actions.agree_washout_override(override=override, by=people.stan)
    assert bob.get(f"/reading/{slot.token}/case.json").status_code == 200
    verbs = Event.objects.filter(verb__startswith="washout").values_list("verb", "actor")
    assert set(verbs) == {("washout.override_asked", "alice"), ("washout.override_agreed", "stan")}


def test_the_database_itself_wants_two_persons(room: Room, bob: Client) -> None:
    slot = first_of_second_period(room, bob)
    alice = room.people.alice
    with pytest.raises(IntegrityError), transaction.atomic():
        WashoutOverride.objects.create(
            slot=slot, reason="Alone.", asked_by=alice, agreed_by=alice, agreed_at=timezone.now()
        )
    assert connection.is_usable()


def test_an_override_needs_a_reason_and_a_washout_and_comes_once(room: Room, bob: Client) -> None:
    alice = room.people.alice
    with pytest.raises(Refused, match="No washout"):
        actions.ask_washout_override(slot=room.slots()[0], reason="Hurry.", by=alice)
    slot = first_of_second_period(room, bob)
    with pytest.raises(Refused, match="reason"):
        actions.ask_washout_override(slot=slot, reason=" ", by=alice)
    actions.ask_washout_override(slot=slot, reason="Hurry.", by=alice)
    with pytest.raises(Refused, match="already"):
        actions.ask_washout_override(slot=slot, reason="Hurry.", by=room.people.stan)


def test_coordinator_asks_and_statistician_agrees_on_the_page(room: Room, bob: Client) -> None:
    slot = first_of_second_period(room, bob)
    alice, stan = client_of(room.people.alice), client_of(room.people.stan)
    page = f"/studies/{room.study.token}/readings/"
    assert f"{due_at(slot):%Y-%m-%d %H:%M}" in alice.get(page).text
    alice.post(f"{page}washout/{slot.token}/ask/", {"reason": "The reader leaves in May."})
    assert "A second person must agree." in alice.get(page).text
    assert "The reader leaves in May." in stan.get(page).text
    stan.post(f"{page}washout/{slot.token}/agree/")
    assert bob.get(f"/reading/{slot.token}/case.json").status_code == 200
