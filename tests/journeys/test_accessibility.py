"""Every page of the site: no violation that axe knows, nothing outside the window, and a case read by keys alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from readerstudy.reading.models import Reading
from tests.journeys.left_in_english import left_in_english, words_of_people
from tests.journeys.site_map import NO_PAGES, Site, Stop, make_site, names_below, names_of_pages, stops
from tests.journeys.visits import OUTSIDE, TASK, WIDEST, faults_of, look, new_page, open_browser, visit
from tests.servers import WEB, Server
from tests.world import PASSWORD

pytestmark = pytest.mark.journey
WIDTHS = ((1920, 1080), (1280, 800))
# Every page in both languages and in both themes; colours are those of the theme, whatever the language.
LANGUAGES = (("en", "light"), ("zh-CN", "dark"))


@pytest.fixture(scope="module")
def site(lasting_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def way(site: Site) -> list[Stop]:
    return stops(site)


@pytest.fixture(scope="module")
def address(way: list[Stop], lasting_environment: dict[str, str]) -> Iterator[str]:
    with Server(lasting_environment, parts=(WEB,)) as server:
        yield server.address


def test_every_page_of_the_resolver_is_on_the_way(way: list[Stop]) -> None:
    from django.urls import get_resolver

    visited = {stop.name for stop in way}
    assert names_of_pages() - visited == set()
    assert NO_PAGES - set(names_below(get_resolver())) == set()


@pytest.mark.parametrize(("language", "theme"), LANGUAGES)
def test_every_page_is_for_everybody(
    way: list[Stop], address: str, language: str, theme: Literal["light", "dark"]
) -> None:
    found: list[str] = []
    own_words = words_of_people()
    with open_browser() as browser:
        if language == "en":
            found += at_the_door(browser, address)
        for who in dict.fromkeys(stop.who for stop in way):
            with visit(browser, address, who, language) as page:
                page.emulate_media(color_scheme=theme)
                for number, stop in enumerate(stop for stop in way if stop.who == who):
                    name = f"{language}-{who}-{number:02}-{stop.name.replace(':', '-')}"
                    found += looked_at(page, address, stop, f"{name}-{theme}")
                    if language != "en":
                        found += [f"{name} in English: {text}" for text in left_in_english(page, stop.name, own_words)]
    assert not found, "\n".join(found)


def looked_at(page: Page, address: str, stop: Stop, name: str) -> list[str]:
    answer = page.goto(f"{address}{stop.address}")
    assert answer is not None
    found = [] if answer.status == stop.status else [f"{name}: {answer.status} instead of {stop.status}"]
    assert page.url == f"{address}{stop.address}", name
    if stop.name == "reading:read":
        page.locator("#reading[data-painted]").wait_for(timeout=TASK)
    if stop.name in ("cases:case", "reference:opinion"):
        page.locator(".viewer canvas").first.wait_for()
    if stop.name == "results:results" and page.locator("[data-figure]").count():
        page.locator("[data-figure]:not([data-drawn])").first.wait_for(state="detached")
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        look(page, name)
        if page.evaluate(OUTSIDE):
            found.append(f"{name} at {width} is wider than the window: {page.evaluate(WIDEST)}")
    return found + [f"{name}: {fault}" for fault in faults_of(page)]


def at_the_door(browser: Browser, address: str) -> list[str]:
    """Logging in, with a wrong password first, and what a stranger is shown."""
    found = []
    with new_page(browser) as page:
        page.goto(f"{address}/studies/none/results/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        look(page, "login")
        found += faults_of(page)
        page.get_by_label("Username").fill("alice")
        page.get_by_label("Password").fill(f"not {PASSWORD}")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        look(page, "login-refused")
        found += faults_of(page)
    return [f"log-in: {fault}" for fault in found]


def test_a_case_is_read_with_keys_alone(site: Site, way: list[Stop], address: str, tmp_path: Path) -> None:
    """From the log-in to the next case without a pointer."""
    with open_browser() as browser, new_page(browser) as page:
        page.goto(f"{address}/reading/")
        tab_to(page, "Username")
        page.keyboard.type("rita")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Your readings").wait_for()
        tab_to(page, "Start reading Compression fractures")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Keys and mouse").wait_for()
        tab_to(page, "Start reading")
        page.keyboard.press("Enter")
        page.locator("#reading[data-painted]").wait_for(timeout=TASK)
        slot = page.locator("#reading").get_attribute("data-slot")
        page.keyboard.press("i")
        expect(page.locator(".readout").first).to_contain_text("inverted")
        page.keyboard.press("y")
        page.keyboard.type("83")
        page.keyboard.press("Enter")
        page.locator(f"#reading:not([data-slot='{slot}'])").wait_for()
    reading = Reading.objects.get(slot__token=slot)
    answers = {answer.question.key: answer.value for answer in reading.answers.all()}
    assert (reading.phase, answers) == (Reading.Phase.SUBMITTED, {"decision": True, "confidence": 83})


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so; it must be seen to have it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        label = focused.evaluate("e => (e.labels?.[0] ?? e).innerText.replace(/\\s+/g, ' ').trim()")
        if label.startswith(name):
            assert focused.evaluate("e => getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e).boxShadow")
            return
    raise AssertionError(f"Nothing called {name} can be reached with Tab on {page.url}.")
