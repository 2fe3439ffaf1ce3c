"""Pictures in colour, look-up tables and curves: what is seen on the screen, against pydicom and the pixels."""

from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from readerstudy.cases.tables import window_of_table
from tests.readerstudy.reading.browser.page_server import Desk, drawn, in_module, read

IN_COLOUR = {"samples": 3, "bits": 8, "window": {"center": 128, "width": 256, "shape": "linear", "table": None}}
SEEN = "(c) => Array.from(c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data.slice(0, 3))"


@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (33, 65)])
def test_every_colour_arrives_exactly_with_its_luminance(page: Page, desk: Desk, shape: tuple[int, int]) -> None:
    colours = np.random.default_rng(shape).integers(0, 256, (*shape, 3), dtype=np.uint8)
    case = desk.add_case("a", [[colours]], frame=IN_COLOUR)
    page.goto(f"{desk.address}/other/")
    script = """async (m, frame) => {
        const [level] = await new m.PixelStore("/static/reading/decode.js").load(frame);
        return [level.planes.map((plane) => Array.from(plane)), Array.from(level.pixels)];
    }"""

    planes, pixels = in_module(page, "pixels", script, case["series"][0]["frames"][0])

    assert np.array_equal(np.array(planes), np.moveaxis(colours, 2, 0).reshape(3, -1))
    assert np.array_equal(np.array(pixels).reshape(shape), np.asarray(Image.fromarray(colours).convert("L")))


def test_halving_mixes_each_channel_by_itself(page: Page, desk: Desk) -> None:
    colours = np.random.default_rng(3).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    planes = np.moveaxis(colours, 2, 0).reshape(3, -1)
    page.goto(f"{desk.address}/other/")
    script = """(m, flat) => {
        const planes = flat.map((plane) => Uint8Array.from(plane));
        const half = m.halve({ pixels: new Uint16Array(48), planes, rows: 6, columns: 8, scale: 1 });
        return half.planes.map((plane) => Array.from(plane));
    }"""

    half = in_module(page, "decode", script, planes.tolist())

    means = (colours.reshape(3, 2, 4, 2, 3).sum(axis=(1, 3), dtype=int) + 2) // 4
    assert np.array_equal(half, np.moveaxis(means, 2, 0).reshape(3, -1))


@pytest.mark.parametrize("smooth", [False, True])
def test_colours_are_drawn_through_the_window_where_they_lie(page: Page, desk: Desk, smooth: bool) -> None:
    colours = np.array([[[255, 0, 10], [0, 128, 20]]], dtype=int)
    page.goto(f"{desk.address}/other/")
    script = """(m, [flat, smooth]) => {
        const table = m.windowTable({ slope: 1, intercept: 0, inverted: true }, { center: 128, width: 256 });
        const planes = flat.map((plane) => Uint8Array.from(plane));
        const level = { planes, pixels: new Uint16Array(2), rows: 1, columns: 2, scale: 1 };
        const screen = new Uint32Array(4);
        m.draw(screen, 4, 1, level, { a: 0.5, b: 0, c: 0, d: 1, e: 0, f: 0 }, table, smooth);
        return Array.from(new Uint8Array(screen.buffer));
    }"""

    found = np.array(in_module(page, "raster", script, [colours[0].T.tolist(), smooth])).reshape(4, 4)[:, :3]

    shares = np.array([0, 0.25, 0.75, 1] if smooth else [0, 0, 1, 1])[:, None]
    expected = 255 - (colours[0, 0] * (1 - shares) + colours[0, 1] * shares)
    assert np.abs(found - expected).max() <= 0.5


def test_a_picture_in_colour_is_seen_in_colour_and_inverted(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[np.full((50, 50, 3), (200, 30, 90), np.uint8)]], frame=IN_COLOUR)
    read(page, desk, "a")
    canvas = page.locator("canvas").first

    assert canvas.evaluate(SEEN) == [200, 30, 90]
    page.keyboard.press("i")
    drawn(page)
    assert canvas.evaluate(SEEN) == [55, 225, 165]


def test_a_table_is_used_until_the_window_is_changed_and_again_with_its_preset(page: Page, desk: Desk) -> None:
    table = Dataset()
    table.LUTDescriptor = [3, 999, 8]
    table.LUTData = [0, 77, 255]
    found = window_of_table(table)
    assert found is not None
    window = {"center": found.center, "width": found.width, "shape": "table", "table": 0}
    case = desk.add_case("a", [[np.full((50, 50), 1000, np.uint16)]], frame={"window": window})
    case["series"][0] |= {"tables": [list(found.steps)], "presets": [{"label": "Image", **window}]}
    read(page, desk, "a")
    canvas = page.locator("canvas").first

    assert canvas.evaluate(SEEN) == [77, 77, 77]
    page.keyboard.press("]")
    drawn(page)
    changed = canvas.evaluate(SEEN)
    page.keyboard.press("Shift+Digit1")
    drawn(page)
    assert (canvas.evaluate(SEEN), changed != [77, 77, 77]) == ([77, 77, 77], True)


def test_steps_are_looked_up_as_pydicom_applies_the_table(page: Page, desk: Desk) -> None:
    outputs = np.rint(4095 / (1 + np.exp(-(np.arange(900) - 400) / 90))).astype(int)
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [900, -300, 12], outputs.tolist()
    found = window_of_table(table)
    assert found is not None
    page.goto(f"{desk.address}/other/")
    script = (
        "(m, [facts, steps]) => Array.from(m.windowTable(facts, {}, steps).slice(0, 4096), (colour) => colour & 255)"
    )
    facts = {"slope": 1, "intercept": -1024, "inverted": False}

    greys = in_module(page, "raster", script, [facts, found.steps])

    shown = np.arange(4096) - 1024
    expected = np.rint(outputs[np.clip(shown + 300, 0, 899)] * (255 / 4095))
    assert np.array_equal(greys, expected)


@pytest.mark.parametrize(
    ("shape", "function"), [("sigmoid", "SIGMOID"), ("exact", "LINEAR_EXACT"), ("linear", "LINEAR")]
)
def test_curves_are_those_of_pydicom(page: Page, desk: Desk, shape: str, function: str) -> None:
    header = Dataset()
    header.PhotometricInterpretation, header.BitsStored, header.PixelRepresentation = "MONOCHROME2", 16, 0
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = 2000, 1500, function
    expected = apply_windowing(np.arange(65536, dtype=np.float64), header) * 255 / 65535
    facts: dict[str, Any] = {"slope": 1, "intercept": 0, "inverted": False}
    page.goto(f"{desk.address}/other/")
    script = "(m, [facts, window]) => Array.from(m.windowTable(facts, window), (colour) => colour & 255)"

    greys = in_module(page, "raster", script, [facts, {"center": 2000, "width": 1500, "shape": shape}])

    assert np.abs(np.array(greys) - expected).max() <= 0.5 + 1e-6
