"""An answer that did not reach the server: kept over a closed browser, sent once, by its own reader alone."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.template.loader import render_to_string
from django.test import RequestFactory
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect

from readerstudy.accounts.models import User
from readerstudy.reading.templatetags.keeping import kept_as
from tests.readerstudy.reading.browser.page_server import CHROMIUM, QUIET, Desk, picture, read
from tests.readerstudy.reading.browser.test_page_in_browser import STORED, answer

KEPT = "JSON.stringify(Object.entries(localStorage).filter(([key]) => key.startsWith('reading:')))"
BOB, RITA = User(username="bob"), User(username="rita")


def page_of(desk: Desk, slot: str, user: User) -> None:
    """The page as it comes to one reader."""
    digest = f'data-reader="{kept_as(user)}"'.encode()
    body = re.sub(rb'data-reader="\w*"', digest, desk.page(slot))
    desk.bodies[f"/reading/{slot}/"] = ("text/html; charset=utf-8", body)


@contextmanager
def started(browser: Browser, profile: Path) -> Iterator[Page]:
    """A whole browser, which is closed at the end and keeps what browsers keep."""
    installed = next(path for path in CHROMIUM if Path(path).exists())
    context: BrowserContext = browser.browser_type.launch_persistent_context(
        profile, executable_path=installed, args=QUIET, viewport={"width": 1280, "height": 800}
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def leave_unsent(page: Page, desk: Desk) -> None:
    read(page, desk, "a")
    answer(page)
    # The cut is at the server: a browser that is made offline is online again for a moment while it is closed.
    desk.cut = True
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Your answer is kept here and sent again.")


def test_a_browser_that_is_closed_offline_sends_the_answer_once_when_it_comes_back(
    browser: Browser, desk: Desk, tmp_path: Path
) -> None:
    desk.add_case("a", [[picture()]])
    page_of(desk, "a", BOB)
    with started(browser, tmp_path) as page:
        leave_unsent(page, desk)
        kept = page.evaluate(KEPT)
    desk.cut = False
    assert desk.posted("/submit") == []
    ((key, value),) = json.loads(kept)
    assert key == f"reading:{kept_as(BOB)}:a"
    assert set(json.loads(value)) <= {"pending", "answers", "log", "view", "at"}
    assert "bob" not in kept
    desk.replies = [STORED]
    with started(browser, tmp_path) as page:
        page.goto(f"{desk.address}/reading/a/")
        page.wait_for_url("**/reading/finished/")
        assert page.evaluate(KEPT) == "[]"
    (sent,) = desk.posted("/submit")
    assert sent["answers"] == {"fracture": True, "confidence": 80}


def test_another_reader_of_the_computer_neither_sees_nor_sends_it(page: Page, desk: Desk) -> None:
    for slot in ("a", "b"):
        desk.add_case(slot, [[picture()]])
    page_of(desk, "a", BOB)
    leave_unsent(page, desk)
    page.goto("about:blank")
    desk.cut = False
    for slot in ("a", "b"):
        page_of(desk, slot, RITA)
        read(page, desk, slot)
        expect(page.get_by_label("How likely is a fracture?", exact=True)).to_have_value("")
    assert desk.posted("/submit") == []
    desk.replies = [STORED]
    page_of(desk, "a", BOB)
    page.goto(f"{desk.address}/reading/a/")
    page.wait_for_url("**/reading/finished/")


def test_what_lies_too_long_is_gone(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    page_of(desk, "a", BOB)
    read(page, desk, "a")
    old = {"pending": {"answers": {"fracture": True}}, "at": 1_600_000_000_000}
    page.evaluate("([key, value]) => localStorage.setItem(key, value)", [f"reading:{kept_as(RITA)}:z", json.dumps(old)])
    read(page, desk, "a")
    assert "1600000000000" not in page.evaluate(KEPT)


def test_the_log_out_takes_what_its_reader_left_and_asks_before_an_answer_is_lost(page: Page, desk: Desk) -> None:
    request = RequestFactory().get("/")
    request.user = BOB
    html = render_to_string("dashboard/help.html", {"user": BOB}, request=request)
    desk.bodies["/help/"] = ("text/html; charset=utf-8", html.encode())
    page.goto(f"{desk.address}/help/")
    store = "([key, value]) => localStorage.setItem(key, JSON.stringify(value))"
    mine, others = f"reading:{kept_as(BOB)}:a", f"reading:{kept_as(RITA)}:a"
    page.evaluate(store, [mine, {"pending": {}, "at": 1}])
    page.evaluate(store, [others, {"pending": {}, "at": 1}])
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", stay)
    page.get_by_role("button", name="Log out").click()
    assert "has not reached the server yet" in asked[0]
    assert mine in page.evaluate(KEPT)
    page.route("**/logout/", lambda route: route.fulfill(body="<!doctype html><title>Gone</title>"))
    page.once("dialog", lambda dialog: dialog.accept())
    with page.expect_navigation():
        page.get_by_role("button", name="Log out").click()
    kept = page.evaluate(KEPT)
    assert mine not in kept
    assert others in kept
