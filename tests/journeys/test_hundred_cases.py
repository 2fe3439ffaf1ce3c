"""A hundred cases read by keyboard alone before a real server: nothing lost, times as they were scripted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Page, expect

from readerstudy.audit.queries import all_faults
from readerstudy.reading.models import Answer, Reading
from readerstudy.studies.models import Study
from readerstudy.studies.outline import CROSSOVER, RulesOutline
from tests.journeys.reading_room import TASK, begin, settle
from tests.journeys.visits import open_browser, real_people, visit
from tests.readerstudy.reading.room import Hidden, Room, open_room
from tests.servers import WEB, Server

pytestmark = pytest.mark.journey
CASES = 100
THINKING = 0.4
# Places at which the network goes away while the answer is sent, and at which the page is loaded anew.
OFFLINE, RELOADED = {17, 58}, {33}

# Looks from outside how long each case was in sight before its answer was sent, by the browser's clock: how late this
# script hears of a case depends on how busy the machine is.
WATCH = """() => {
    let began = null, seen = "";
    const end = () => {
        if (began !== null) localStorage.watched = Number(localStorage.watched ?? 0) + performance.now() - began;
        began = null;
    };
    addEventListener("keydown", ({ key }) => key === "Enter" && end(), { capture: true });
    addEventListener("pagehide", end);
    new MutationObserver(() => {
        const { slot, painted } = document.getElementById("reading")?.dataset ?? {};
        if (!painted || painted !== slot || painted === seen) return;
        [seen, began] = [painted, performance.now()];
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-painted"] });
}"""


@dataclass
class Outcome:
    room: Room
    scripted: float
    told: list[str]


def answer_of(position: int) -> tuple[bool, int]:
    positive = position % 3 == 0
    return positive, 50 + position % 51 if positive else position % 50


@pytest.fixture(scope="module")
def outcome(lasting_environment: dict[str, str]) -> Iterator[Outcome]:
    people = real_people("alice", "bob", "rita", "tess", "stan")
    labels = tuple(f"spine-{number}" for number in range(CASES))
    hidden = Hidden(
        truth=[number % 2 == 0 for number in range(CASES)],
        scores=[0.25 + number / 400 for number in range(CASES)],
        labels=labels,
        order=range(CASES),
    )
    outline = replace(CROSSOVER, arms=CROSSOVER.arms[:1], washouts=(0,), rules=RulesOutline(display_check=True))
    room = open_room(people, hidden, outline)
    with (
        Server(lasting_environment, parts=(WEB,)) as server,
        open_browser() as browser,
        visit(browser, server.address, "bob") as page,
    ):
        page.add_init_script(f"({WATCH})()")
        begin(page, server.address)
        told = read_all(page)
        page.get_by_role("heading", name="All cases are read").wait_for(timeout=TASK)
        scripted = page.evaluate("() => Number(localStorage.watched)") / 1000
    yield Outcome(room, scripted, told)


def read_all(page: Page) -> list[str]:
    """Nothing but keys; returns what banners said."""
    told = []
    for position in range(1, CASES + 1):
        expect(page.locator("#progress")).to_have_text(f"{position} / {CASES}")
        positive, rating = answer_of(position)
        page.keyboard.press("y" if positive else "n")
        page.keyboard.type(str(rating))
        page.wait_for_timeout(1000 * THINKING)
        slot = page.locator("#reading").get_attribute("data-slot")
        page.context.set_offline(position in OFFLINE)
        page.keyboard.press("Enter")
        if position in OFFLINE:
            told.append(wait_offline(page, str(slot)))
        if position < CASES:
            page.locator(f"#reading:not([data-slot='{slot}'])").wait_for(timeout=TASK)
            settle(page)
        if position in RELOADED:
            page.reload()
            settle(page)
    return told


def wait_offline(page: Page, slot: str) -> str:
    """The banner says what is wrong; the answer waits in this browser, without image or name; no other case comes."""
    banner = page.get_by_role("alert")
    expect(banner).to_contain_text("offline")
    kept = page.evaluate("() => JSON.stringify(localStorage)")
    assert slot in kept
    assert "bob" not in kept.lower()
    assert len(kept) < 4000
    page.wait_for_timeout(300)
    assert page.locator("#reading").get_attribute("data-slot") == slot
    said = banner.inner_text()
    page.context.set_offline(False)
    return said


def test_nothing_is_lost_and_nothing_is_stored_twice(outcome: Outcome) -> None:
    readings = Reading.objects.filter(slot__reader=outcome.room.reader(), phase=Reading.Phase.SUBMITTED)
    assert readings.count() == CASES
    for reading in readings.select_related("slot"):
        stored = dict(Answer.objects.filter(reading=reading).values_list("question__key", "value"))
        positive, rating = answer_of(reading.slot.position)
        assert stored == {"decision": positive, "confidence": rating}
    assert Answer.objects.count() == 2 * CASES


def test_the_reader_was_told_that_the_network_was_away(outcome: Outcome) -> None:
    assert len(outcome.told) == len(OFFLINE)
    assert all("kept here and sent again" in said for said in outcome.told)


def test_active_time_is_the_scripted_time_within_five_percent(outcome: Outcome) -> None:
    active = sum(reading.active_ms or 0 for reading in Reading.objects.all()) / 1000
    assert outcome.scripted > CASES * THINKING
    assert active == pytest.approx(outcome.scripted, rel=0.05)


def test_the_chain_of_events_is_whole(outcome: Outcome) -> None:
    assert Study.objects.get() == outcome.room.study
    assert list(all_faults([outcome.room.study.token])) == []
