"""The modules of the reading page in a real browser, under the strict content security policy."""

import hashlib

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from readerstudy.cases.frames import encode
from tests.readerstudy.reading.browser.page_server import QUESTIONS, Desk, in_module, picture, read

# Pixels


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (33, 65), (301, 1999)])
def test_every_sixteen_bit_value_arrives_exactly(page: Page, desk: Desk, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(shape).integers(0, 65536, shape, dtype=np.uint16)
    pixels.flat[0] = 65535
    case = desk.add_case("a", [[pixels]])
    page.goto(f"{desk.address}/other/")
    digest = in_module(
        page,
        "pixels",
        """async (m, frame) => {
            const levels = await new m.PixelStore("/static/reading/decode.js").load(frame);
            const hash = await crypto.subtle.digest("SHA-256", levels[0].pixels);
            return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
        }""",
        case["series"][0]["frames"][0],
    )
    assert digest == hashlib.sha256(pixels.astype("<u2").tobytes()).hexdigest()


def test_a_frame_of_the_wrong_length_is_refused(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture()]])
    wrong = case["series"][0]["frames"][0] | {"rows": 61}
    page.goto(f"{desk.address}/other/")
    script = "(m, frame) => new m.PixelStore('/static/reading/decode.js').load(frame).catch((error) => error.message)"
    assert in_module(page, "pixels", script, wrong) == "The frame holds 4800 bytes where 4880 belong to 61 × 40 pixels."


def test_a_frame_is_fetched_once_and_the_oldest_gives_way(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n) for n in range(3)]])
    page.goto(f"{desk.address}/other/")
    script = """async (m, frames) => {
        const store = new m.PixelStore("/static/reading/decode.js", { budget: 2 * 4800 });
        await store.load(frames[0]);
        await Promise.all([store.load(frames[1]), store.load(frames[1])]);
        await store.load(frames[0]);
        await store.load(frames[2]);
        return [frames.map((frame) => Boolean(store.peek(frame))), store.bytes];
    }"""
    assert in_module(page, "pixels", script, case["series"][0]["frames"]) == [[True, False, True], 9600]
    assert [desk.got(f"/reading/a/frame/0-{n}") for n in range(3)] == [1, 1, 1]


def together(frames: list[bytes]) -> tuple[str, bytes]:
    return "application/octet-stream", b"".join(len(packed).to_bytes(4, "little") + packed for packed in frames)


def test_a_stack_comes_in_few_answers_and_what_is_looked_at_alone(page: Page, desk: Desk) -> None:
    stack = [picture(n) for n in range(20)]
    packed = [encode(pixels) for pixels in stack]
    own = desk.add_case("a", [stack])["series"][0]["frames"]
    frames = [frame | {"url": f"/reading/a/frame/{number}"} for number, frame in enumerate(own, start=1)]
    desk.bodies["/reading/a/frame/10"] = ("application/octet-stream", packed[9])
    for first, last in ((11, 18), (2, 9), (19, 20)):
        desk.bodies[f"/reading/a/frames/{first}-{last}"] = together(packed[first - 1 : last])
    desk.bodies["/reading/a/frame/1"] = ("application/octet-stream", packed[0])
    page.goto(f"{desk.address}/other/")
    script = """async (m, frames) => {
        const store = new m.PixelStore("/static/reading/decode.js");
        const looked = store.load(frames[9], 10);
        store.foresee(frames.map((frame, n) => ({ frame, priority: -Math.abs(n - 9) })));
        await looked;
        const all = await Promise.all(frames.map((frame) => store.load(frame)));
        const hashes = all.map((levels) => crypto.subtle.digest("SHA-256", levels[0].pixels));
        return (await Promise.all(hashes)).map((hash) =>
            Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join(""));
    }"""
    digests = [hashlib.sha256(pixels.astype("<u2").tobytes()).hexdigest() for pixels in stack]
    assert in_module(page, "pixels", script, frames) == digests
    asked = [path for _, path, _ in desk.asked if "/reading/a/frame" in path]
    # Several workers fetch at once: which request comes first is theirs.
    names = ("frame/10", "frames/11-18", "frames/2-9", "frames/19-20", "frame/1")
    assert sorted(asked) == sorted(f"/reading/a/{name}" for name in names)


def test_halving_takes_means_and_keeps_odd_edges(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.address}/other/")
    script = """(m) => {
        const level = { pixels: Uint16Array.of(1, 3, 9, 5, 7, 11), rows: 2, columns: 3, scale: 1 };
        const half = m.halve(level);
        return [Array.from(half.pixels), half.rows, half.columns, half.scale];
    }"""
    assert in_module(page, "decode", script) == [[4, 10], 1, 2, 2]


@pytest.mark.parametrize(
    ("center", "width", "slope", "intercept"),
    [(128, 256, 1, 0), (40, 400, 1, -1024), (2048.5, 1, 1, 0), (300, 1500, 2, -100), (0.4, 0.7, 0.001, -0.2)],
)
def test_window_gives_the_grey_of_pydicom(
    page: Page, desk: Desk, center: float, width: float, slope: float, intercept: float
) -> None:
    stored = np.arange(0, 65536, 7, dtype=np.uint16)
    header = Dataset()
    header.PhotometricInterpretation, header.BitsStored, header.PixelRepresentation = "MONOCHROME2", 16, 0
    header.WindowCenter, header.WindowWidth, header.RescaleSlope, header.RescaleIntercept = (
        center,
        width,
        slope,
        intercept,
    )
    header.VOILUTFunction = "LINEAR_EXACT" if slope < 1 else "LINEAR"
    shown = apply_windowing(stored.astype(float) * slope + intercept, header)
    lowest, highest = intercept, 65535 * slope + intercept
    expected = 255 * (shown - lowest) / (highest - lowest)

    page.goto(f"{desk.address}/other/")
    script = "(m, a) => Array.from(m.windowTable(a, a), (colour) => colour & 255)"
    facts = {"center": center, "width": width, "slope": slope, "intercept": intercept}
    for inverted in (False, True):
        greys = np.array(in_module(page, "raster", script, facts | {"inverted": inverted}))[::7]
        assert np.abs(greys - (255 - expected if inverted else expected)).max() <= 0.5 + 1e-6


def test_each_image_pixel_is_drawn_where_it_lies(page: Page, desk: Desk) -> None:
    pixels = np.array([[10, 20, 30], [40, 50, 60]])
    page.goto(f"{desk.address}/other/")
    # Two screen pixels for an image pixel, the image's corner at (1, 1) of a screen of 8 x 6.
    script = """(m, flat) => {
        const table = Uint32Array.from({ length: 65536 }, (_, value) => value);
        const level = { pixels: Uint16Array.from(flat), rows: 2, columns: 3, scale: 1 };
        const screen = new Uint32Array(48);
        m.draw(screen, 8, 6, level, { a: 0.5, b: 0, c: 0, d: 0.5, e: -0.5, f: -0.5 }, table, false);
        return Array.from(screen, (value) => value & 0xffff);
    }"""
    screen = np.array(in_module(page, "raster", script, pixels.ravel().tolist())).reshape(6, 8)
    assert (screen == np.pad(np.kron(pixels, np.ones((2, 2), int)), ((1, 1), (1, 1)))).all()


def test_smooth_drawing_of_a_plane_is_the_plane(page: Page, desk: Desk) -> None:
    rows, columns = np.mgrid[:20, :30]
    page.goto(f"{desk.address}/other/")
    script = """(m, flat) => {
        const table = Uint32Array.from({ length: 65536 }, (_, value) => value);
        const level = { pixels: Uint16Array.from(flat), rows: 20, columns: 30, scale: 1 };
        const screen = new Uint32Array(24 * 14);
        m.draw(screen, 24, 14, level, { a: 0.7, b: 0, c: 0, d: 0.9, e: 3, f: 4 }, table, true);
        return Array.from(screen);
    }"""
    screen = np.array(in_module(page, "raster", script, (100 * columns + 1000 * rows).ravel().tolist())).reshape(14, 24)
    y, x = np.mgrid[:14, :24] + 0.5
    expected = 100 * (0.7 * x + 3 - 0.5) + 1000 * (0.9 * y + 4 - 0.5)
    assert np.abs(screen - expected).max() <= 0.5 + 1e-6


# The viewer


def test_the_screen_shows_the_pixels_through_window_and_inversion(page: Page, desk: Desk) -> None:
    case = desk.add_case(
        "a", [[np.full((50, 50), 1000, np.uint16)]], frame={"window": {"center": 1000.5, "width": 2001}}
    )
    read(page, desk, "a")
    middle = "(c) => c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[0]"
    canvas = page.locator("canvas").first
    assert canvas.evaluate(middle) == 128
    page.keyboard.press("Shift+Digit1")
    expect(page.locator(".readout")).to_contain_text("C 2500  W 1500")
    assert canvas.evaluate(middle) == 0
    page.keyboard.press("i")
    expect(page.locator(".readout")).to_contain_text("inverted")
    assert canvas.evaluate(middle) == 255
    assert case["series"][0]["frames"][0]["url"] == page.locator(".pane").get_attribute("data-painted")


def test_the_scale_bar_measures_the_screen(page: Page, desk: Desk) -> None:
    """40 columns of 0.5 mm at 100 % are 20 mm and 40 pixels wide; that of an uncalibrated image says so."""
    desk.add_case("a", [[picture()]])
    desk.add_case("b", [[picture()]], frame={"calibrated": False})
    desk.add_case("c", [[picture()]], frame={"spacing": None, "calibrated": False})
    read(page, desk, "a")
    page.keyboard.press("o")
    bar = page.locator(".scale-bar")
    expect(page.locator(".readout")).to_contain_text("100 %")
    millimetres = int(bar.inner_text().split()[0])
    assert bar.evaluate("(element) => element.offsetWidth") == 2 * millimetres
    read(page, desk, "b")
    expect(bar).to_contain_text("mm (uncalibrated)")
    read(page, desk, "c")
    expect(bar).to_be_hidden()


def test_drags_wheel_and_arrow_keys(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture(n) for n in range(9)], [picture(9)]])
    read(page, desk, "a")
    first, second = page.locator(".pane").all()
    expect(first.locator(".caption")).to_have_text("Series 1 · 5 / 9")
    page.keyboard.press("ArrowDown")
    expect(first.locator(".caption")).to_have_text("Series 1 · 6 / 9")
    first.get_by_role("slider").focus()
    page.keyboard.press("PageDown")
    expect(first.locator(".caption")).to_have_text("Series 1 · 9 / 9")
    box = first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.wheel(0, -100)
    expect(first.locator(".caption")).to_have_text("Series 1 · 8 / 9")
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.up()
    # exp(100 / 300) times as wide
    expect(first.locator(".readout")).to_contain_text("W 5716")
    page.keyboard.press("r")
    expect(first.locator(".readout")).to_contain_text("C 2048  W 4096")
    page.keyboard.press("s")
    expect(second).to_be_focused()
    page.keyboard.press("i")
    expect(second.locator(".readout")).to_contain_text("inverted")
    expect(first.locator(".readout")).not_to_contain_text("inverted")


def test_every_key_of_the_map_is_listed_once_and_none_collides(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    read(page, desk, "a")
    keys = in_module(page, "keys", "(m) => m.KEYS.map((k) => [k.key ?? k.class, Boolean(k.shift)].join())")
    assert len(keys) == len(set(keys))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    shown = in_module(page, "keys", "(m) => m.KEYS.filter((k) => k.does).map((k) => k.does)")
    listed = page.locator("dialog dd").all_inner_texts()
    assert [meaning for meaning in shown if listed.count(meaning) != 1] == []
    page.keyboard.press("y")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.locator("#questions :checked").count() == 0


def test_keys_that_belong_to_a_field_stay_there(page: Page, desk: Desk) -> None:
    comment = {"key": "comment", "kind": "text", "text": "Comment", "help": "", "required": False}
    desk.add_case("a", [[picture()]], questions=[*QUESTIONS, comment])
    read(page, desk, "a")
    page.get_by_label("Comment").click()
    page.keyboard.type("history: 1 iffy?")
    expect(page.get_by_label("Comment")).to_have_value("history: 1 iffy?")
    expect(page.locator(".readout")).not_to_contain_text("inverted")
    assert page.locator("#questions :checked").count() == 0
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    expect(page.locator(".readout")).to_contain_text("inverted")
    page.keyboard.press("?")
    page.get_by_label("Single keys").uncheck()
    page.keyboard.press("Escape")
    page.locator(".pane").focus()
    page.keyboard.press("2")
    assert page.locator("#questions :checked").count() == 0


def test_a_coarse_picture_comes_first_and_the_full_one_replaces_it(page: Page, desk: Desk) -> None:
    pixels = np.kron(picture(0, 20, 20), np.ones((4, 4), np.uint16))
    case = desk.add_case("a", [[pixels]])
    address = "/reading/a/frame/0-0"
    full = desk.bodies.pop(address)
    coarse = f"{address}?quarter=1"
    desk.bodies[coarse] = ("application/octet-stream", encode(pixels[::4, ::4]))
    case["series"][0]["frames"][0]["preview"] = coarse
    page.goto(f"{desk.address}/reading/a/")
    expect(page.locator(".readout")).to_contain_text("C 2048  W 4096")
    assert page.locator("#reading[data-painted]").count() == 0
    middle = "(c) => Array.from(c.getContext('2d').getImageData(c.width / 4, c.height / 4, c.width / 2, 1).data)"
    seen = page.locator("canvas").first.evaluate(middle)
    assert len(set(seen)) > 10
    desk.bodies[address] = full
    page.wait_for_selector("#reading[data-painted=a]")
    assert page.locator(".pane").get_attribute("data-painted") == address


def test_the_viewer_stands_on_other_pages_too(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture()]])
    page.goto(f"{desk.address}/other/")
    address = "/reading/a/case.json"
    script = """(m, address) => {
        const place = document.createElement("div");
        Object.assign(place.dataset, { caseUrl: address, decodeWorker: "/static/reading/decode.js" });
        place.className = "viewer";
        const style = Object.assign(document.createElement("link"), { rel: "stylesheet" });
        style.href = "/static/reading/viewer.css";
        document.head.append(style);
        document.body.append(place);
        place.style.height = "400px";
        return m.mount(place).then((layout) => layout.panes.length);
    }"""
    assert in_module(page, "preview", script, address) == 1
    page.wait_for_selector(".pane[data-painted='/reading/a/frame/0-0']")
    page.locator(".pane").press("i")
    expect(page.locator(".readout")).to_contain_text("inverted")
    expect(page.get_by_text("Invert black and white")).to_have_count(1)
