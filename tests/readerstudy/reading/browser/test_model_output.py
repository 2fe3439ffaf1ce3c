"""What a model found, over the image and beside it: drawn where it lies, switched by its key, recorded."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.readerstudy.reading.browser.page_server import (
    AIDED,
    BOX,
    FRACTURED,
    SOUND,
    Desk,
    drawn,
    in_module,
    picture,
    read,
    soon,
    switched,
)
from tests.readerstudy.reading.browser.test_page_in_browser import STORED, answer

BLACK = np.zeros((64, 64), np.uint16)
SQUARE = np.zeros((64, 64), np.uint8)
SQUARE[20:40, 10:50] = 255
MINT, AMBER, BLUE = [94, 230, 200], [255, 180, 84], [154, 208, 255]
# The overlay's colour at a point of an image that is fitted into its pane.
COLOUR_AT = """([pane, x, y]) => {
    const canvas = document.querySelectorAll("canvas.overlay")[pane];
    const scale = Math.min(canvas.width, canvas.height) / 64;
    const at = [canvas.width / 2 + (x - 32) * scale, canvas.height / 2 + (y - 32) * scale].map(Math.round);
    return Array.from(canvas.getContext("2d").getImageData(...at, 1, 1).data);
}"""


def colour(page: Page, x: float, y: float, pane: int = 0) -> list[int]:
    drawn(page)
    found: list[int] = page.evaluate(COLOUR_AT, [pane, x, y])
    return found[:3] if found[3] else []


def stored(desk: Desk) -> list[tuple[str, str]]:
    return switched(desk.posted("/submit")[0]["exposures"])


def test_outline_boxes_and_vertebrae_are_drawn_switched_and_recorded(page: Page, desk: Desk) -> None:
    mask = desk.add_plane("a", "mask", SQUARE)
    found = {"masks": [mask], "boxes": [BOX | {"points": [[2, 50], [60, 50], [60, 60], [2, 60]]}]}
    desk.add_case("a", [[BLACK]], assistance=AIDED | found | {"levels": [FRACTURED, SOUND]})
    desk.replies = [STORED]
    read(page, desk, "a")
    table = page.get_by_role("table", name="Vertebrae named by the model")
    assert [row.split() for row in table.locator("tbody tr").all_inner_texts()] == [
        ["L1", "87.0", "%", "positive"],
        ["L2", "4.0", "%", "negative"],
    ]
    outline, box, fractured = (30, 20), (30, 60), (12, 8)
    soon(lambda: [colour(page, *at) for at in (outline, box, fractured)], [MINT, BLUE, AMBER])
    page.get_by_label("Opacity: Boxes").fill("40")
    soon(lambda: page.evaluate(COLOUR_AT, [0, *box])[3] < 200 < page.evaluate(COLOUR_AT, [0, *outline])[3], True)
    for key, at, name in (("k", outline, "Outline"), ("x", box, "Boxes"), ("l", fractured, "Levels")):
        page.keyboard.press(key)
        assert colour(page, *at) == []
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "false")
    expect(table).to_be_hidden()
    page.keyboard.press("l")
    answer(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    opacities = [(one["kind"], one.get("opacity")) for one in desk.posted("/submit")[0]["exposures"]]
    assert [percent for kind, percent in opacities if kind == "boxes" and percent] == [100, 40]
    said = stored(desk)
    assert [event for kind, event in said if kind == "levels"] == ["shown", "hidden", "shown", "hidden"]
    assert [event for kind, event in said if kind == "mask"] == ["shown", "hidden"]
    assert [event for kind, event in said if kind == "boxes"] == ["shown", "shown", "hidden"]


def test_in_a_stack_all_lies_on_its_own_image(page: Page, desk: Desk) -> None:
    masks = [desk.add_plane("a", "mask", SQUARE, frame) for frame in ("0-3", "0-4", "1-0")]
    level = FRACTURED | {"frame": "/reading/a/frame/0-1"}
    desk.add_case("a", [[BLACK] * 5, [BLACK] * 2], assistance=AIDED | {"masks": masks, "levels": [level]})
    read(page, desk, "a")
    panel = page.locator("#assistance")
    expect(panel).to_contain_text("Outline on images 4–5 of Series 1; image 1 of Series 2")
    expect(panel).to_contain_text("Levels on image 2 of Series 1")
    caption = page.locator(".pane .caption").first
    expect(caption).to_contain_text("3 / 5")
    soon(lambda: (colour(page, 30, 20), colour(page, 30, 20, 1)), ([], MINT))
    page.keyboard.press("g")
    expect(caption).to_contain_text("2 / 5")
    soon(lambda: (colour(page, 12, 8), colour(page, 30, 20)), (AMBER, []))
    page.keyboard.press("g")
    expect(caption).to_contain_text("4 / 5")
    soon(lambda: colour(page, 30, 20), MINT)
    page.get_by_role("button", name="Go to image 2, L1").click()
    expect(caption).to_contain_text("2 / 5")


def test_what_could_not_be_loaded_is_told_and_not_recorded_as_shown(page: Page, desk: Desk) -> None:
    mask = desk.add_plane("a", "mask", SQUARE)
    there = desk.bodies.pop(mask["url"])
    desk.add_case("a", [[BLACK]], assistance=AIDED | {"probability": None, "masks": [mask]})
    desk.replies = [STORED]
    read(page, desk, "a")
    expect(page.locator("#assistance")).to_contain_text("The outline could not be loaded.")
    expect(page.get_by_role("button", name="Outline")).to_have_attribute("aria-pressed", "false")
    desk.bodies[mask["url"]] = there
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Outline")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#assistance")).not_to_contain_text("could not be loaded")
    answer(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    assert stored(desk) == [("mask", "shown"), ("mask", "hidden")]


def test_what_the_model_does_not_mark_is_said(page: Page, desk: Desk) -> None:
    nothing: dict[str, Any] = {"heatmaps": [], "masks": [], "boxes": [], "levels": []}
    uncertain = {"uncertain": True, "abstain": [0.3, 0.9]}
    desk.add_case("a", [[picture()]], assistance=AIDED | nothing | uncertain)
    read(page, desk, "a")
    panel = page.locator("#assistance")
    for words in (
        "Uncertain: from 30.0 % to 90.0 % the model does not decide",
        "Nothing supports the positive answer.",
        "The model outlines nothing in this case.",
        "The model puts no box in this case.",
        "The model names no vertebra in this case.",
    ):
        expect(panel).to_contain_text(words)
    expect(panel.get_by_role("button")).to_have_count(1)


def test_names_without_figures_where_the_protocol_shows_none(page: Page, desk: Desk) -> None:
    named = FRACTURED | {"probability": None, "positive": None}
    desk.add_case("a", [[BLACK]], assistance=AIDED | {"probability": None, "positive": None, "levels": [named]})
    read(page, desk, "a")
    table = page.get_by_role("table", name="Vertebrae named by the model")
    assert [text.strip() for text in table.locator("thead, tbody").all_inner_texts()] == ["Level", "L1"]
    soon(lambda: colour(page, 12, 8), BLUE)
    expect(page.locator("#assistance")).not_to_contain_text("%")


def test_the_next_case_shows_nothing_of_the_one_before(page: Page, desk: Desk) -> None:
    mask = desk.add_plane("a", "mask", SQUARE)
    desk.add_case("a", [[BLACK]], assistance=AIDED | {"masks": [mask], "levels": [FRACTURED]})
    desk.add_case("b", [[BLACK]])
    desk.replies = [(200, {}, {"next": "b", "finished": False})]
    read(page, desk, "a")
    soon(lambda: colour(page, 30, 20), MINT)
    answer(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("#reading[data-painted=b]")
    assert (colour(page, 30, 20), colour(page, 12, 8)) == ([], [])
    expect(page.locator("#assistance")).to_be_hidden()


@pytest.mark.parametrize(
    ("grey", "length"),
    [
        # A single pixel: a diamond of four lines of half a diagonal; half as bright, smaller in proportion.
        ([[0, 0, 0], [0, 255, 0], [0, 0, 0]], 4 * np.hypot(0.5, 0.5)),
        # A whole image is outlined along its edge, its corners cut, for beyond it there is nothing.
        ([[255] * 4] * 4, 4 * 3 + 4 * np.hypot(0.5, 0.5)),
        ([[127] * 4] * 4, 0.0),
    ],
)
def test_an_outline_runs_where_the_grey_crosses_its_middle(
    page: Page, desk: Desk, grey: list[list[int]], length: float
) -> None:
    desk.add_case("a", [[picture()]])
    read(page, desk, "a")
    flat = [value for row in grey for value in row]
    mask = {"width": len(grey[0]), "height": len(grey), "grey": flat}
    lines = in_module(page, "overlays", f"(m) => m.outlineOf({mask})")
    assert sum(np.hypot(*np.subtract(to, start)) for start, to in lines) == pytest.approx(length)


def test_a_heat_map_is_there_at_once_where_the_protocol_says_so(page: Page, desk: Desk) -> None:
    heatmap = desk.add_plane("a", "heatmap", np.zeros((8, 8), np.uint8))
    desk.add_case("a", [[picture()]], assistance=AIDED | {"heatmaps": [heatmap], "heatmap_at_once": True})
    desk.replies = [STORED]
    read(page, desk, "a")
    expect(page.get_by_role("button", name="Heat map")).to_have_attribute("aria-pressed", "true")
    answer(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/reading/finished/")
    assert stored(desk)[:2] == [("probability", "shown"), ("heatmap", "shown")]


EVERYTHING_KEPT = """async () => {
    const kept = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
    kept.push(JSON.stringify(await indexedDB.databases()));
    for (const name of await caches.keys())
        for (const { url } of await (await caches.open(name)).keys()) kept.push(name, url);
    return kept.join(" ");
}"""


def test_nothing_of_the_output_is_left_in_the_browser_for_an_unaided_case(page: Page, desk: Desk) -> None:
    mask = desk.add_plane("a", "mask", SQUARE)
    desk.add_case("a", [[BLACK]], assistance=AIDED | {"masks": [mask], "boxes": [BOX], "levels": [FRACTURED]})
    desk.add_case("b", [[BLACK]])
    desk.replies = [(200, {}, {"next": "b", "finished": False})]
    read(page, desk, "a")
    page.get_by_label("Opacity: Boxes").fill("40")
    answer(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("#reading[data-painted=b]")
    seen = page.evaluate(EVERYTHING_KEPT) + page.content()
    assert [word for word in ("spine-net", "0.834", "83.4", "0.41", mask["url"], "Cleft", "0.87") if word in seen] == []
