"""After a reload or a crash of the browser the images stand as they stood; what is kept is checked as it is read."""

import json
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.readerstudy.reading.browser.page_server import Desk, drawn, picture, read, soon
from tests.readerstudy.reading.browser.test_page_in_browser import STORED, answer

VIEW = """() => {
    const [key] = Object.keys(localStorage).filter((one) => one.startsWith("reading:"));
    return key ? JSON.parse(localStorage.getItem(key)).view ?? null : null;
}"""
# Every pixel of every viewport that is seen, and what is written over it.
SEEN = """() => [...document.querySelectorAll(".pane")].filter((pane) => pane.clientWidth).map((pane) => {
    const canvas = pane.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const words = [...pane.querySelectorAll(".caption, .readout, .edge")].map((part) => part.textContent).join("|");
    const sum = new Uint32Array(data.buffer).reduce((sum, one) => (31 * sum + one) % 1000003, 0);
    return [pane.classList.contains("active"), words, sum];
})"""
KEEP = """(view) => {
    const [key] = Object.keys(localStorage).filter((one) => one.startsWith("reading:"));
    localStorage.setItem(key, JSON.stringify({ view, at: Date.now() }));
}"""
AXIAL = [1, 0, 0, 0, 1, 0]


def stacks(desk: Desk) -> None:
    """Two stacks, the first of which is even."""
    case = desk.add_case("a", [[picture(n) for n in range(9)], [picture(20 + n) for n in range(4)]])
    for n, frame in enumerate(case["series"][0]["frames"]):
        frame |= {"position": [0, 0, n], "orientation": AXIAL}


def kept(page: Page) -> Any:
    """What is kept once the hand has rested."""
    page.wait_for_timeout(500)
    return page.evaluate(VIEW)


def seen(page: Page) -> Any:
    drawn(page)
    return page.evaluate(SEEN)


@pytest.mark.parametrize(
    "change", [("Shift+P", "PageDown", "s", "ArrowDown", "+"), ("s", "Shift+S", "PageDown", "Shift+F")]
)
def test_slices_windows_and_layout_outlive_a_crash_and_a_reload(
    browser: Browser, desk: Desk, change: tuple[str, ...]
) -> None:
    stacks(desk)
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        read(page, desk, "a")
        before = seen(page)
        page.locator(".pane").first.focus()
        for key in ["ArrowDown", "ArrowDown", "Shift+1", "+", "+", "Shift+ArrowLeft", "t", "v", "i", *change, "]", "n"]:
            page.keyboard.press(key)
        kept(page)
        changed = seen(page)
        assert changed != before
        soon(lambda: len(desk.posted("/draft")) > 0, True)
        desk.cases["a"]["draft"] = desk.posted("/draft")[-1]["answers"]
        with suppress(Error):
            page.goto("chrome://crash")
        again = context.new_page()
        read(again, desk, "a")
        soon(lambda: seen(again), changed)
        expect(again.get_by_label("No fracture")).to_be_checked()
        again.reload()
        again.wait_for_selector("#reading[data-painted=a]")
        soon(lambda: seen(again), changed)


def test_nothing_of_it_is_left_after_the_answer(page: Page, desk: Desk) -> None:
    stacks(desk)
    read(page, desk, "a")
    page.keyboard.press("i")
    view = kept(page)
    assert view["panes"][0]["inverted"] is True
    # Numbers and switches alone: nothing of the image, nobody's name.
    words = {part for part in json.dumps(view).replace(",", " ").split() if part.startswith('"')}
    assert {word.strip('":') for word in words} <= {
        *("panes", "series", "index", "window", "center", "width", "inverted", "turns", "mirrored", "zoom", "centre"),
        *("x", "y", "volume", "active", "alone", "linked"),
    }
    answer(page)
    desk.replies = [STORED]
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('reading:'))") == []


def test_a_case_that_is_closed_takes_it_along(page: Page, desk: Desk) -> None:
    stacks(desk)
    read(page, desk, "a")
    assert kept(page)["volume"] == -1
    closed = {"error": "Reading is closed: the study's data are locked."}
    page.route("**/case.json", lambda route: route.fulfill(status=403, json=closed))
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("Reading is closed")
    assert page.evaluate(VIEW) is None


@pytest.mark.parametrize(
    "view",
    [
        7,
        {"panes": "all", "volume": "length", "active": "length", "alone": 1, "linked": 0},
        {"panes": [None, {"series": "length", "index": 1.5}], "volume": 1, "active": -1},
        {
            "panes": [{"series": 9, "index": 4, "zoom": "0.5", "turns": 4, "window": {"center": "1", "width": 9}}],
            "volume": -1,
        },
        {"panes": [{"index": 4, "window": {"center": 5, "width": 0}, "centre": 5, "mirrored": "yes", "zoom": None}]},
    ],
)
def test_what_does_not_fit_the_case_is_left_out(page: Page, desk: Desk, view: Any) -> None:
    stacks(desk)
    read(page, desk, "a")
    hung = [words for _, words, _ in seen(page)]
    page.goto(f"{desk.address}/other/")
    page.evaluate(KEEP, view)
    read(page, desk, "a")
    assert [words for _, words, _ in seen(page)] == hung


def test_numbers_beyond_the_case_end_at_its_bounds(page: Page, desk: Desk) -> None:
    stacks(desk)
    read(page, desk, "a")
    page.goto(f"{desk.address}/other/")
    window = {"center": 1e9, "width": 1e-9}
    far = {"index": 900, "zoom": 1e9, "centre": {"x": -4, "y": 9}, "turns": -1, "window": window}
    page.evaluate(KEEP, {"panes": [far]})
    read(page, desk, "a")
    expect(page.locator(".caption").first).to_contain_text("9 / 9")
    kept_now = kept(page)["panes"][0]
    assert (kept_now["index"], kept_now["zoom"], kept_now["centre"]) == (8, 64, {"x": 0, "y": 1})
    assert kept_now["turns"] in range(4)
