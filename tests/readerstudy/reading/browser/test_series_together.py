"""Sides of a film without a place, first windows in numbers, and series that no frame of reference joins."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.readerstudy.reading.browser.page_server import Desk, in_module, picture, read

PLACED = {"orientation": [1, 0, 0, 0, 1, 0], "spacing": [1, 1]}


@pytest.mark.parametrize(
    ("direction", "letters"), [((1, 0), "A"), ((-1, 0), "P"), ((0, 1), "FL"), ((0, -1), "HR"), ((0.1, -2), "HR")]
)
def test_sides_of_a_film_are_named_by_its_letters(
    page: Page, desk: Desk, direction: tuple[float, float], letters: str
) -> None:
    page.goto(f"{desk.address}/other/")
    frame = {"letters": ["A", "FL"], "position": None, "orientation": None}
    asked = [frame, {"x": direction[0], "y": direction[1]}]
    assert in_module(page, "geometry", "(m, [frame, at]) => m.lettersOf(frame, at)", asked) == letters
    silent = [{"letters": None}, {"x": 1, "y": 0}]
    assert in_module(page, "geometry", "(m, [frame, at]) => m.lettersOf(frame, at)", silent) == ""


def test_letters_turn_with_the_film_and_the_readout_says_so(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]], frame={"letters": ["A", "F"]})
    read(page, desk, "a")
    edges = [page.locator(f".edge.{side}") for side in ("left", "right", "top", "bottom")]
    assert [edge.text_content() for edge in edges] == ["P", "A", "H", "F"]
    expect(page.locator(".readout")).not_to_contain_text("mirrored")
    page.keyboard.press("v")
    expect(page.locator(".readout")).to_contain_text("mirrored")
    assert [edge.text_content() for edge in edges] == ["A", "P", "H", "F"]


def test_a_first_window_may_be_numbers(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.address}/other/")
    series = [{"label": "T1W", "plane": "", "presets": [{"label": "Bone", "center": 1, "width": 2}]}]
    shown: dict[str, Any] = {}
    for window in ("-600/1500", "bone", "none"):
        rule = {"rows": 1, "columns": 1, "cells": [{"series": "T1W", "plane": "", "window": window}]}
        shown[window] = in_module(
            page, "hanging", "(m, [s, rule]) => m.hang(s, rule)[0].window ?? null", [series, rule]
        )
    assert shown["-600/1500"] == {"center": -600, "width": 1500, "shape": "linear"}
    assert (shown["bone"]["label"], shown["none"]) == ("Bone", None)


@pytest.mark.parametrize(("spaces", "joined"), [((1, 1), True), ((1, 2), False), ((0, 2), True), ((0, 0), True)])
def test_series_scroll_together_in_one_frame_of_reference_alone(
    page: Page, desk: Desk, spaces: tuple[int, int], joined: bool
) -> None:
    case = desk.add_case("a", [[picture(n) for n in range(4)]] * 2)
    for series, space in zip(case["series"], spaces, strict=True):
        series["space"] = space
        for n, frame in enumerate(series["frames"]):
            frame |= PLACED | {"position": [0, 0, 5 * n]}
    read(page, desk, "a")
    captions = page.locator(".pane .caption")
    expect(captions.nth(0)).to_contain_text("2 / 4")
    page.keyboard.press("ArrowDown")
    expect(captions.nth(0)).to_contain_text("3 / 4")
    expect(captions.nth(1)).to_contain_text("3 / 4" if joined else "2 / 4")
