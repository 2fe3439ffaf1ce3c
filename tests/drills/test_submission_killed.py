"""kill -9 of the web server while readers submit: what was acknowledged is stored, nothing is stored twice."""

import http.client
import json
import random
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from readerstudy.allocation.models import Slot
from readerstudy.audit.models import Event
from readerstudy.audit.queries import all_faults
from readerstudy.reading.models import Answer, Reading
from tests.readerstudy.reading.room import Hidden, body, open_room
from tests.servers import WEB, Server
from tests.world import People, client_of

CASES, KILLS = 80, 20
PATIENCE_SECONDS = 80
HIDDEN = Hidden(
    truth=[number % 2 == 0 for number in range(CASES)],
    scores=[number / CASES for number in range(CASES)],
    labels=[f"spine-{number + 1}" for number in range(CASES)],
    order=range(CASES),
)


@dataclass
class Browser:
    """A reader's page: it keeps what it could not send, and sends the same again until it is acknowledged."""

    session: str
    port: int
    slots: list[str]
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    repeated: int = 0
    submitting: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        for number, slot in enumerate(self.slots):
            if self.stop.is_set():
                return
            self.until_answered("GET", f"/reading/{slot}/case.json", None)
            sent = body(decision=number % 3 == 0, confidence=90 if number % 3 == 0 else 10)
            self.until_answered("POST", f"/reading/{slot}/submit", sent)
            self.acknowledged[slot] = sent

    def until_answered(self, method: str, path: str, content: dict[str, Any] | None) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                status, answer = self.ask(method, path, content)
            except (OSError, http.client.HTTPException):
                # Nobody listens, or the answer was cut off: it may be stored or not.
                self.repeated += 1
                time.sleep(0.05)
                continue
            assert status == 200, f"{method} {path}: {status} {answer[:500]!r}"
            return
        pytest.fail(f"{method} {path} was not answered in {PATIENCE_SECONDS} seconds")

    def ask(self, method: str, path: str, content: dict[str, Any] | None) -> tuple[int, bytes]:
        form_token = secrets.token_hex(16)
        headers = {
            "Cookie": f"sessionid={self.session}; csrftoken={form_token}",
            "X-CSRFToken": form_token,
            "Content-Type": "application/json",
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request(method, path, json.dumps(content) if content else None, headers)
            if method == "POST":
                self.submitting.set()
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            self.submitting.clear()
            connection.close()


def check_stored(browser: Browser) -> None:
    """Acknowledged ⊆ stored, with the values that were sent, each once."""
    stored = Reading.objects.filter(slot__token__in=browser.slots, phase=Reading.Phase.SUBMITTED)
    assert set(browser.acknowledged) == set(stored.values_list("slot__token", flat=True))
    for reading in stored.select_related("slot"):
        sent = browser.acknowledged[reading.slot.token]
        answers = list(Answer.objects.filter(reading=reading).values_list("question__key", "value"))
        assert len(answers) == len(sent["answers"])
        assert dict(answers) == sent["answers"]
        assert str(reading.client_key) == sent["client_key"]


@pytest.mark.drill
def test_a_web_server_killed_again_and_again_keeps_what_it_acknowledged(server_environment: dict[str, str]) -> None:
    people = People()
    room = open_room(people, HIDDEN)
    chance = random.Random(7)
    with Server(server_environment, parts=(WEB,)) as server, ThreadPoolExecutor(2) as pool:
        port = int(server.address.rsplit(":", 1)[1])
        browsers = [
            Browser(client_of(user).cookies["sessionid"].value, port, first_period(room.slots(user.username)))
            for user in (people.bob, people.rita)
        ]
        working = [pool.submit(browser.work) for browser in browsers]
        for number in range(KILLS):
            # Some submissions go through between two kills; the next one is caught somewhere on its way.
            wait_for(browsers, 2 * number)
            assert browsers[number % 2].submitting.wait(30)
            time.sleep(chance.uniform(0, 0.06))
            server.kill(WEB)
            server.restart(WEB)
        assert not all(done.done() for done in working), "the readers were done before the last kill"
        for browser in browsers:
            browser.stop.set()
        for done in working:
            done.result()

    for browser in browsers:
        assert browser.repeated >= KILLS
        check_stored(browser)
    assert Event.objects.filter(verb="reading.submitted").count() == acknowledged(browsers)
    assert not list(all_faults())


def acknowledged(browsers: list[Browser]) -> int:
    return sum(len(browser.acknowledged) for browser in browsers)


def wait_for(browsers: list[Browser], count: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while acknowledged(browsers) < count:
        assert time.monotonic() < until, f"{acknowledged(browsers)} of {count} acknowledged"
        time.sleep(0.005)


def first_period(slots: list[Slot]) -> list[str]:
    return [slot.token for slot in slots if slot.period.number == 1]
