"""The display check: what was read of the steps, what is stored, in both languages."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from django.utils import translation
from playwright.sync_api import Page, expect

from readerstudy.reading.forms import DisplayForm
from tests.readerstudy.reading.browser.page_server import Desk, in_module


def open_check(page: Page, desk: Desk, language: str) -> None:
    with translation.override(language):
        words = render_to_string("reading/display.html", {"form": DisplayForm(), "home_url": "/reading/"})
    desk.bodies["/display"] = ("text/html; charset=utf-8", words.encode())
    page.goto(f"{desk.address}/display")


@pytest.mark.parametrize(
    ("typed", "step"), [("12345", 1), ("1234", 2), ("1239", 3), ("12", 5), ("1", 8), ("", 0), ("92345", 0)]
)
def test_the_faintest_step_is_the_last_before_the_first_mistake(page: Page, desk: Desk, typed: str, step: int) -> None:
    open_check(page, desk, "en")
    assert in_module(page, "display", "(m, typed) => m.faintest(typed, [1, 2, 3, 4, 5])", typed) == step


@pytest.mark.parametrize(("language", "dim"), [("en", "Dim"), ("zh-hans", "较暗")])
def test_the_page_measures_the_screen_and_warns_where_steps_are_not_seen(
    page: Page, desk: Desk, language: str, dim: str
) -> None:
    open_check(page, desk, language)
    assert page.locator("[name=width]").input_value() == "1280"
    # Nothing typed is no result; a digit that is none of them is one.
    assert page.locator("[name=dark]").input_value() == ""
    page.locator("#dark-read").fill("x")
    assert page.locator("[name=dark]").input_value() == "0"
    expect(page.locator("#faint")).to_be_hidden()
    page.locator("#bright-read").fill("x")
    expect(page.locator("#faint")).to_be_visible()
    page.get_by_label(dim).check()
    assert Axe().run(page).response["violations"] == []
    drawn = "(id) => new Set(document.getElementById(id).getContext('2d').getImageData(0, 0, 100, 100).data).size"
    assert page.evaluate(drawn, "dark-steps") > 2
