"""Nothing that axe objects to in any state of the reading page, in both languages."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import translation
from playwright.sync_api import Page, expect

from tests.readerstudy.reading.browser.page_server import (
    AIDED,
    BOX,
    CORNERS,
    FRACTURED,
    QUESTIONS,
    SOUND,
    Desk,
    picture,
    read,
)
from tests.readerstudy.reading.browser.test_answers_in_browser import GENANT, LEVEL, MARKS, POINTS, SIGNS

LANGUAGES = ("en", "zh-hans")
NUMBER = {"key": "angle", "kind": "number", "text": "Angle", "help": "", "required": False, "unit": "°", "choices": []}
TEXT = {"key": "note", "kind": "text", "text": "Remarks", "help": "", "required": False, "choices": []}


def opened(page: Page, desk: Desk, language: str, **facts: Any) -> dict[str, Any]:
    case = desk.add_case("a", [[picture()], [picture(1)]], **facts)
    with translation.override(language):
        desk.bodies["/reading/a/"] = ("text/html; charset=utf-8", desk.page("a"))
    read(page, desk, "a")
    expect(page.locator("html")).to_have_attribute("lang", language)
    return case


def check(page: Page, state: str) -> None:
    found = Axe().run(page).response["violations"]
    assert [(state, rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_question_beside_every_kind_of_output(page: Page, desk: Desk, language: str) -> None:
    desk.add_plane("a", "heatmap", picture().astype("uint8"))
    output = AIDED | {"levels": [FRACTURED, SOUND], "boxes": [BOX]}
    asked = [*QUESTIONS, POINTS, GENANT, SIGNS, LEVEL, MARKS, NUMBER, TEXT]
    opened(page, desk, language, questions=asked, assistance=output, unreadable=["Poor image quality", "Other"])
    check(page, "opened")
    page.keyboard.press("y")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".question.faulty").first).to_be_visible()
    check(page, "refused by the page")
    page.locator("#unreadable summary").click()
    check(page, "not readable")
    page.locator("#help-open").click()
    expect(page.locator("#help")).to_be_visible()
    check(page, "keys")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_interrupts_a_reading(page: Page, desk: Desk, language: str) -> None:
    case = opened(page, desk, language, on_request=True)
    check(page, "output on request")
    page.keyboard.press("y")
    page.keyboard.type("80")
    page.keyboard.press("Escape")
    page.route("**/submit", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(page.locator("#banner")).to_be_visible()
    check(page, "no network")
    case |= {"withheld": True, "on_request": False, "draft": {"fracture": True, "confidence": 80}}
    page.evaluate("localStorage.clear()")
    read(page, desk, "a")
    expect(page.locator("#withheld")).to_be_visible()
    check(page, "drawn to stay without output")


@pytest.mark.parametrize("language", LANGUAGES)
def test_time_for_a_break(page: Page, desk: Desk, language: str) -> None:
    page.clock.install()
    opened(page, desk, language)
    for minute in range(31):
        page.clock.run_for(61_000)
        page.mouse.move(300 + minute, 300)
    expect(page.locator("#break")).to_be_visible()
    page.clock.resume()
    check(page, "time for a break")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lesson_of_the_training(page: Page, desk: Desk, language: str) -> None:
    case = opened(page, desk, language)
    case["training"] = True
    told = [
        {"name": "Is there a fracture?", "given": "No fracture", "reference": "Fracture", "right": False},
        {"name": "Grades", "given": "", "reference": "", "right": None},
        {"name": "L1", "given": "0", "reference": "0", "right": True},
    ]
    region = {"frame": "/reading/a/frame/0-0", "label": "L1", "points": CORNERS, "probability": None, "positive": True}
    lesson = {"correct": False, "positive": True, "told": told, "regions": [region]}
    desk.replies = [(200, {}, {"next": None, "finished": True, "feedback": lesson})]
    page.keyboard.press("n")
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    lines = page.locator("#lesson-told tr")
    expect(lines).to_have_count(3)
    assert [line.split() for line in lines.all_inner_texts()][2] == ["L1", "0", "0", "✓"]
    expect(page.locator("#assistance .tool")).to_have_count(2)
    check(page, "lesson")
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")


def test_at_400_percent_images_keep_room_and_menus_stay_inside(page: Page, desk: Desk) -> None:
    page.set_viewport_size({"width": 320, "height": 256})
    opened(page, desk, "en", unreadable=["Poor image quality"])
    panes, questions = page.locator(".panes").bounding_box(), page.locator("#questions").bounding_box()
    assert panes and questions
    assert panes["height"] >= 256
    assert panes["y"] + panes["height"] <= questions["y"]
    for menu in page.locator(".tool-menu").all():
        menu.locator("summary").click()
        box = menu.locator("[role=group]").bounding_box()
        assert box and 0 <= box["x"] <= box["x"] + box["width"] <= 320
        page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_head_of_the_page_fits_a_narrow_window(page: Page, desk: Desk) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    opened(page, desk, "en")
    for name in ("Pause", "Keys"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= 1024
