"""Output in stacks: over which image it really lay on the screen, and over planes made of the stack."""

from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

from tests.readerstudy.reading.browser.page_server import AIDED, BOX, Desk, in_module, picture, read
from tests.readerstudy.reading.browser.test_model_output import BLACK, BLUE, MINT, SQUARE, colour
from tests.readerstudy.reading.browser.test_page_in_browser import STORED, answer

STACK = {"orientation": [1, 0, 0, 0, 1, 0], "spacing": [1, 1]}
SLICES = 16
LONGER_THAN_A_REST = 600


def add_stack(desk: Desk, **found: Any) -> dict[str, Any]:
    """Axial slices of 64 by 64 pixels from the feet upwards, 4 mm apart, so that its planes are square too."""
    case = desk.add_case("a", [[BLACK] * SLICES], assistance=AIDED | {"probability": None} | found)
    for n, frame in enumerate(case["series"][0]["frames"]):
        frame |= STACK | {"position": [0, 0, 4 * n]}
    case["series"][0]["plane"] = "axial"
    return case


def on_screen(exposures: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    facts = ("kind", "event", "image", "plane", "position")
    return [tuple(one.get(fact) for fact in facts) for one in exposures if "image" in one]


def test_an_outline_counts_on_the_images_that_were_looked_at_alone(page: Page, desk: Desk) -> None:
    masks = [desk.add_plane("a", "mask", SQUARE, f"0-{n}") for n in (3, 9, 10)]
    add_stack(desk, masks=masks)
    desk.replies = [STORED]
    read(page, desk, "a")
    caption = page.locator(".pane .caption")
    expect(page.get_by_role("button", name="Outline")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(LONGER_THAN_A_REST)
    # Image 8 bears nothing; 9 flies past, 10 is looked at.
    expect(caption).to_contain_text(f"8 / {SLICES}")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(caption).to_contain_text(f"10 / {SLICES}")
    page.wait_for_timeout(LONGER_THAN_A_REST)
    page.keyboard.press("Home")
    answer(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    exposures = desk.posted("/submit")[0]["exposures"]
    assert on_screen(exposures) == [("mask", event, 10, None, None) for event in ("shown", "hidden")]
    shown, hidden = [one["t"] for one in exposures if "image" in one]
    assert hidden - shown >= LONGER_THAN_A_REST - 400


def test_planes_made_of_a_stack_bear_what_its_slices_bear(page: Page, desk: Desk) -> None:
    """On slices 4 to 11 of 16 an outline from column 10 to 50 and row 20 to 40; a box on the slices 2 alone."""
    masks = [desk.add_plane("a", "mask", SQUARE, f"0-{n}") for n in range(4, 12)]
    box = BOX | {"frame": "/reading/a/frame/0-2", "points": [[10, 20], [50, 20], [50, 40], [10, 40]], "label": ""}
    add_stack(desk, masks=masks, boxes=[box])
    desk.replies = [STORED]
    read(page, desk, "a")
    page.keyboard.press("Shift+P")
    expect(page.locator(".pane .caption")).to_have_count(3)
    page.wait_for_selector(".pane:nth-child(3)[data-painted]:not([data-painted=''])")
    page.wait_for_timeout(LONGER_THAN_A_REST)
    captions = page.locator(".pane .caption").all_inner_texts()
    planes = {name: next(n for n, text in enumerate(captions) if name in text) for name in ("sagittal", "coronal")}
    # Heads are up: slice n lies at 64 - 4 n from the top, and its outline runs where the next slice begins.
    assert colour(page, 30, 64 - 4 * 8, planes["sagittal"]) == []
    # The lines may stand between two pixels of the screen.
    for plane, at, found in (
        ("sagittal", (30, 64 - 4 * 4), MINT),
        ("sagittal", (20, 64 - 4 * 8), MINT),
        ("coronal", (10, 64 - 4 * 8), MINT),
        ("coronal", (30, 64 - 4 * 2), BLUE),
    ):
        assert np.allclose(colour(page, *at, planes[plane]), found, atol=60)
    page.keyboard.press("k")
    assert colour(page, 10, 64 - 4 * 8, planes["coronal"]) == []
    answer(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    seen = set(on_screen(desk.posted("/submit")[0]["exposures"]))
    assert {
        ("mask", "shown", 1, "sagittal", 32),
        ("mask", "hidden", 1, "coronal", 32),
        ("boxes", "shown", 1, "coronal", 32),
    } <= seen
    assert ("mask", "shown", 8, None, None) in seen


def test_an_outline_is_cut_where_it_meets_a_plane(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    read(page, desk, "a")
    axis = {"back": False}
    # Column 20 of a stack of ten slices, looked at along the rows: rows run across, slices run upwards.
    cut = {"across": axis | {"axis": 1}, "down": {"axis": 2, "back": True}, "through": 0, "at": 20}
    frame = {"rows": 10, "columns": 64, "cut": cut}
    square = [[10, 5], [30, 5], [30, 25], [10, 25]]
    script = "(m, [frame, one]) => m.outlineOn(frame, one)"
    corners = in_module(page, "planes", script, [frame, {"points": square, "slice": 3}])
    assert np.allclose(corners, [[5, 7], [25, 7], [25, 6], [5, 6]])
    beside = [[x + 30, y] for x, y in square]
    assert in_module(page, "planes", script, [frame, {"points": beside, "slice": 3}]) == []


def test_names_stand_below_each_other_and_each_once_in_a_place(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.address}/other/")
    script = """(m) => {
        const context = new OffscreenCanvas(300, 200).getContext("2d");
        const [square, written] = [[[10, 10], [60, 10], [60, 60], [10, 60]], []];
        const mark = (name) => m.drawMarked(context, new DOMMatrix(), square, name, "red", false, written);
        for (const name of ["L1", "Cleft", "L1"]) mark(name);
        return written.map(({ words, y }) => [words, y]);
    }"""
    (first, above), (second, below) = in_module(page, "overlays", script)
    assert (first, above, second) == ("L1", 35, "Cleft")
    assert 20 < below - above < 25
