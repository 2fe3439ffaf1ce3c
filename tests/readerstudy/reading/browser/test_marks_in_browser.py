"""Marks of readers are moved by hand or by keys, on images that are turned too, and every change can be undone."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.readerstudy.reading.browser.page_server import Desk, picture, read

MARKS = {
    "key": "froc",
    "text": "Mark every fracture.",
    "kind": "marks",
    "required": True,
    "minimum": 0,
    "maximum": 100,
}
STORED: tuple[int, dict[str, str], dict[str, Any]] = (200, {}, {"next": None, "finished": True})


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the image of 60 rows and 40 columns is on the screen."""
    box = page.locator(".pane").bounding_box()
    assert box is not None
    scale = min(box["width"] / 40, box["height"] / 60)
    return box["x"] + box["width"] / 2 + (x - 20) * scale, box["y"] + box["height"] / 2 + (y - 30) * scale


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *start))
    page.mouse.down()
    page.mouse.move(*at(page, *end), steps=4)
    page.mouse.up()


@pytest.fixture
def sent(page: Page, desk: Desk) -> Any:
    desk.add_case("a", [[picture(rows=60, columns=40)]], questions=[MARKS])
    desk.replies = [STORED]
    read(page, desk, "a")
    page.keyboard.press("b")
    page.keyboard.type("70")

    def send() -> list[dict[str, float]]:
        page.keyboard.press("Enter")
        page.wait_for_url("**/reading/finished/")
        (submission,) = desk.posted("/submit")
        marks: list[dict[str, float]] = submission["answers"]["froc"]
        return marks

    return send


def test_a_mark_is_dragged_and_stays_within_the_image(page: Page, sent: Any) -> None:
    drag(page, (20, 30), (10, 12))
    expect(page.get_by_text("Mark 1 is at 10, 12.")).to_be_visible()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+y")
    drag(page, (10, 12), (60, 90))
    page.locator("#questions input").focus()
    (mark,) = sent()
    assert (mark["x"], mark["y"], mark["rating"]) == (40, 60, 70)


def test_arrow_keys_move_a_mark_by_a_pixel_as_the_screen_shows_it(page: Page, sent: Any) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Image 1")).to_be_focused()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    expect(page.get_by_role("status").get_by_text("Mark 1 is at 11, 29.")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    # Turned to the right, up on the screen is to the left of the image.
    page.keyboard.press("t")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_text("Mark 1 is at 10, 29.")).to_be_visible()
    # A second mark may lie elsewhere on an image that is turned.
    page.mouse.dblclick(*at(page, 30, 40))
    expect(page.locator("#questions .marks li")).to_have_count(2)
    page.keyboard.type("5")
    page.get_by_role("button", name="Image 1").last.focus()
    page.keyboard.press("Delete")
    expect(page.get_by_text("Mark 2 is removed.")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.locator("#questions .marks li")).to_have_count(2)
    for _ in range(6):
        page.keyboard.press("Control+z")
    expect(page.locator("#questions .marks li")).to_have_count(0)
    for _ in range(5):
        page.keyboard.press("Control+y")
    page.locator("#questions input").focus()
    (mark,) = sent()
    assert (round(mark["x"]), round(mark["y"]), mark["rating"]) == (10, 29, 70)


def test_two_questions_for_marks_keep_theirs_and_a_hidden_one_takes_none(page: Page, desk: Desk) -> None:
    decision = {"key": "seen", "text": "Is there a fracture?", "kind": "decision", "required": True, "help": ""}
    decision["choices"] = [{"value": False, "label": "No fracture"}, {"value": True, "label": "Fracture"}]
    old = MARKS | {"key": "old", "text": "Mark every old fracture.", "depends_on": "seen", "depends_on_values": [True]}
    desk.add_case("a", [[picture(rows=60, columns=40)]], questions=[decision, MARKS, old])
    desk.replies = [STORED]
    read(page, desk, "a")
    page.keyboard.press("n")
    page.mouse.dblclick(*at(page, 20, 30))
    page.keyboard.type("70")
    page.get_by_role("radio", name="Fracture", exact=True).check()
    page.get_by_role("button", name="Mark a place").last.click()
    expect(page.locator("#questions .marks").last.locator("li")).to_have_count(1)
    page.keyboard.type("5")
    page.get_by_role("button", name="Mark a place").first.focus()
    page.mouse.dblclick(*at(page, 10, 12))
    page.keyboard.type("40")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/reading/finished/")
    (submission,) = desk.posted("/submit")
    assert [mark["rating"] for mark in submission["answers"]["froc"]] == [70, 40]
    assert [mark["rating"] for mark in submission["answers"]["old"]] == [5]
