"""Sides of a film without a place, first windows in numbers, and series that no frame of reference joins."""

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
    for slot, window, shown in (("a", "-600/1500", "C -600  W 1500"), ("b", "bone", "C 2500  W 1500")):
        case = desk.add_case(slot, [[picture()]])
        cell = {"series": "Series 1", "plane": "", "window": window}
        case["hanging"] = {"rows": 1, "columns": 1, "cells": [cell]}
        read(page, desk, slot)
        expect(page.locator(".readout")).to_contain_text(shown)


def test_a_series_that_is_missing_leaves_its_place_empty(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n)] for n in range(2)])
    cells = [{"series": name, "plane": plane, "window": ""} for name, plane in (("Series 1", ""), ("T1W", "sagittal"))]
    case["hanging"] = {"rows": 1, "columns": 3, "cells": [*cells, {"series": "Series 2", "plane": "", "window": ""}]}
    read(page, desk, "a")
    empty = page.get_by_text("This case has no T1W sagittal.")
    expect(empty).to_be_visible()
    (first, lacking, last) = (
        page.locator(place).bounding_box() for place in (".pane >> nth=0", ".panes .empty", ".pane >> nth=1")
    )
    assert first and lacking and last
    assert first["x"] < lacking["x"] < last["x"]
    assert first["width"] == pytest.approx(lacking["width"], abs=1) == pytest.approx(last["width"], abs=1)
    page.keyboard.press("Shift+F")
    expect(empty).to_be_hidden()


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
