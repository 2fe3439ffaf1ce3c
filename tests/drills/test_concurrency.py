"""The same thing at the same moment: one wins, nothing is doubled, whoever loses gets a sentence."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import pytest
from django.db import connection, connections, transaction
from django.test import Client

from readerstudy.allocation.models import Allocation, Slot
from readerstudy.audit.models import Event
from readerstudy.audit.queries import all_faults
from readerstudy.datasets.models import Dataset
from readerstudy.predictions import working
from readerstudy.predictions.models import Prediction, PredictionRun
from readerstudy.reading.models import Answer, Reading, ReadingSession
from readerstudy.studies.actions import enrol
from readerstudy.studies.models import Enrolment, ProtocolVersion, Study
from tests.readerstudy.predictions.workshop import outcome_for, registered, rows_of
from tests.readerstudy.reading.room import body, open_room, post, prepared_room, read_slot
from tests.world import PASSWORD, People, client_of, make_study

pytestmark = pytest.mark.drill
TIMES = 16
Result = TypeVar("Result")


@pytest.fixture
def people(committed: str) -> People:
    return People()


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Every call in a thread with a database connection of its own, all let go together."""
    together = threading.Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result:
        try:
            connections["default"].ensure_connection()
            together.wait(30)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def signed(study: Study) -> dict[str, str]:
    """The lock's form, with a reason for every reader."""
    readers = study.enrolments.filter(role=Enrolment.Role.READER)
    reasons = {f"reason-{reader.token}": "Left the hospital." for reader in readers}
    return {"agrees": "on", "password": PASSWORD} | reasons


def two_coordinators(people: People, study: Study) -> list[Client]:
    enrol(study=study, username=people.charlie.username, role=Enrolment.Role.COORDINATOR, by=people.alice)
    return [client_of(people.alice), client_of(people.charlie)]


def verbs() -> Counter[str]:
    return Counter(Event.objects.values_list("verb", flat=True))


def test_the_same_submission_sixteen_times_at_once_is_stored_once(people: People) -> None:
    room = open_room(people)
    slot, sent = room.slots()[0], body()
    browsers = [client_of(people.bob) for _ in range(TIMES)]
    assert browsers[0].get(f"/reading/{slot.token}/case.json").status_code == 200
    answers = at_once([partial(post, browser, slot, "submit", sent) for browser in browsers])
    assert [answer.status_code for answer in answers] == [200] * TIMES
    assert len({answer.content for answer in answers}) == 1
    assert Reading.objects.filter(slot=slot, phase="submitted").count() == 1
    assert Answer.objects.filter(reading__slot=slot).count() == len(sent["answers"])
    assert verbs()["reading.submitted"] == 1
    assert not list(all_faults())


def test_of_two_tabs_with_different_values_one_is_stored_and_the_other_told(people: People) -> None:
    room = open_room(people)
    tabs = [client_of(people.bob) for _ in range(2)]
    for slot in room.slots()[:4]:
        sent = [body(decision=True, confidence=90), body(decision=False, confidence=10)]
        assert at_once([partial(opened, tab, slot) for tab in tabs]) == [200, 200]
        calls = [partial(post, tab, slot, "submit", values) for tab, values in zip(tabs, sent, strict=True)]
        answers = at_once(calls)
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        won = answers[0].status_code == 409
        assert "Other answers are stored" in answers[not won].json()["error"]
        stored = dict(Answer.objects.filter(reading__slot=slot).values_list("question__key", "value"))
        assert stored == sent[won]["answers"]
    assert verbs()["reading.submitted"] == 4
    assert verbs()["session.started"] == ReadingSession.objects.count() == 1
    assert not list(all_faults())


def opened(tab: Client, slot: Slot) -> int:
    return tab.get(f"/reading/{slot.token}/case.json").status_code


def test_two_readers_at_once_do_not_wait_for_a_deadlock(people: People) -> None:
    room = open_room(people)
    browsers = {"bob": client_of(people.bob), "rita": client_of(people.rita)}

    def read(username: str) -> list[int]:
        statuses = []
        for slot in room.slots(username)[:4]:
            statuses.append(opened(browsers[username], slot))
            statuses.append(post(browsers[username], slot, "submit", body()).status_code)
        return statuses

    assert at_once([partial(read, "bob"), partial(read, "rita")]) == [[200] * 8] * 2
    assert not list(all_faults())


def both(clients: list[Client], address: str, sent: dict[str, Any]) -> list[Any]:
    return at_once([partial(client.post, address, sent, follow=True) for client in clients])


def test_of_two_coordinators_drawing_one_draws(people: People) -> None:
    room = prepared_room(people)
    clients = two_coordinators(people, room.study)
    pages = both(clients, f"/studies/{room.study.token}/allocation/", {"design": "crossover", "seed": ""})
    assert sorted(page.status_code for page in pages) == [200, 400]
    assert "it is never drawn again" in next(page.text for page in pages if page.status_code == 400)
    assert Allocation.objects.count() == verbs()["allocation.drawn"] == 1
    assert Slot.objects.count() == 2 * 2 * 4
    assert not list(all_faults())


def test_of_two_coordinators_freezing_one_freezes(people: People) -> None:
    study = make_study(people)
    clients = two_coordinators(people, study)
    pages = both(clients, f"/studies/{study.token}/protocol/freeze/", {"sure": "on"})
    assert [page.status_code for page in pages] == [200, 200]
    told = sorted("The protocol is frozen already." in page.text for page in pages)
    assert told == [False, True]
    assert ProtocolVersion.objects.count() == verbs()["protocol.frozen"] == 1
    assert not list(all_faults())


def test_of_two_coordinators_opening_one_opens(people: People) -> None:
    room = prepared_room(people)
    clients = two_coordinators(people, room.study)
    clients[0].post(f"/studies/{room.study.token}/allocation/", {"design": "crossover"})
    pages = both(clients, f"/studies/{room.study.token}/readings/open/", {"sure": "on"})
    assert [page.status_code for page in pages] == [200, 200]
    assert sorted("Reading is open." in page.text for page in pages) == [False, True]
    assert verbs()["predictions.frozen"] == verbs()["study.open"] == 1
    assert not list(all_faults())


def test_of_two_coordinators_locking_one_locks(people: People) -> None:
    room = open_room(people)
    clients = two_coordinators(people, room.study)
    read_slot(client_of(people.bob), room.slots()[0])
    pages = both(clients, f"/studies/{room.study.token}/data/", signed(room.study))
    assert sorted(page.status_code for page in pages) == [200, 400]
    assert "The study is locked." in next(page.text for page in pages if page.status_code == 400)
    assert Dataset.objects.count() == verbs()["dataset.locked"] == 1
    assert not list(all_faults())


def test_what_is_submitted_while_the_study_is_locked_is_in_the_data_or_refused(people: People) -> None:
    room = open_room(people)
    slot, bob, alice = room.slots()[0], client_of(people.bob), client_of(people.alice)
    read_slot(client_of(people.rita), room.slots("rita")[0])
    assert opened(bob, slot) == 200
    submission, page = at_once(
        [
            lambda: post(bob, slot, "submit", body()),
            lambda: alice.post(f"/studies/{room.study.token}/data/", signed(room.study), follow=True),
        ]
    )
    assert page.status_code == 200
    dataset = Dataset.objects.get()
    stored = Answer.objects.filter(reading__slot=slot).count()
    assert (submission.status_code == 200) == (stored == 2)
    assert dataset.rows == 2 + stored
    assert not list(all_faults())


def test_who_comes_while_the_lock_is_being_signed_waits_and_is_told(people: People) -> None:
    room = open_room(people)
    first, second = room.slots()[0], room.slots("rita")[0]
    bob, rita = client_of(people.bob), client_of(people.rita)
    assert opened(bob, first) == 200
    calls = [
        partial(post, bob, first, "submit", body()),
        partial(post, bob, first, "draft", {"answers": {"confidence": 3}}),
        partial(rita.get, f"/reading/{second.token}/case.json"),
    ]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert Study.objects.select_for_update().filter(pk=room.study.pk).update(phase="locked")
            answers = pool.submit(at_once, calls)
            until = time.monotonic() + 20
            while waiting_for_a_row() < len(calls) and time.monotonic() < until:
                time.sleep(0.02)
        found = answers.result(30)
    assert [answer.status_code for answer in found] == [409] * 3
    assert all("locked" in answer.json()["error"] for answer in found)
    assert not Answer.objects.exists()
    assert not Reading.objects.filter(slot=second).exists()


def waiting_for_a_row() -> int:
    with connection.cursor() as cursor:
        # Within a transaction the first look would be repeated for ever.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def test_the_same_run_started_twice_at_once_starts_once(people: People) -> None:
    room = prepared_room(people)
    algorithm = registered(people.dev)
    clients = two_coordinators(people, room.study)
    pages = both(clients, f"/studies/{room.study.token}/predictions/", {"algorithm": algorithm.token})
    assert sorted(page.status_code for page in pages) == [200, 400]
    run = PredictionRun.objects.get(algorithm=algorithm)
    assert len(rows_of(run)) == 4
    assert verbs()["predictions.started"] == 1


def test_workers_that_look_at_once_share_the_rows_and_one_answer_counts(people: People) -> None:
    room = prepared_room(people)
    algorithm = registered(people.dev)
    client_of(people.alice).post(f"/studies/{room.study.token}/predictions/", {"algorithm": algorithm.token})
    run = PredictionRun.objects.get(algorithm=algorithm)
    leased = at_once([working.lease_due for _ in range(8)])
    assert sum(len(rows) for found in leased for rows in found) == 4
    row = rows_of(run)[0]
    outcomes = [outcome_for(row, probability) for probability in (0.2, 0.4, 0.6, 0.8)] * 2
    stored = at_once([partial(working.record, row.token, row.lease, outcome) for outcome in outcomes])
    assert sorted(stored) == [False] * 7 + [True]
    kept = Prediction.objects.get(pk=row.pk)
    assert kept.probability == outcomes[stored.index(True)]["probability"]
    assert verbs()["prediction.finished"] == 1
    assert not list(all_faults())
