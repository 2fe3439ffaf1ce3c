"""Planes, linked views, measurements and the hanging rule: where things lie, beside what the server computes."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from django.utils import translation
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from readerstudy.cases import geometry
from readerstudy.studies.hanging import read as hanging_written
from tests.readerstudy.reading.browser.page_server import Desk, drawn, in_module, picture, read

AXIAL = [1, 0, 0, 0, 1, 0]
SAGITTAL = [0, 1, 0, 0, 0, -1]
CORONAL = [1, 0, 0, 0, 0, -1]
# Turned by 25° about the axis to the left.
OBLIQUE = [1, 0, 0, 0, 0.9063078, 0.4226183]
OTHER_WAY = [-1, 0, 0, 0, -1, 0]


def place(case: dict[str, Any], orientation: Sequence[float], gap: float = 2.0, series: int = 0, **facts: Any) -> None:
    """Slices one after the other along the normal, from a corner at (-10, -20, 30)."""
    normal = np.cross(orientation[:3], orientation[3:])
    for n, frame in enumerate(case["series"][series]["frames"]):
        frame["position"] = (np.array([-10.0, -20.0, 30.0]) + n * gap * normal).tolist()
        frame["orientation"] = orientation
        frame.update(facts)


def middle_of(pane: Locator) -> tuple[float, float]:
    box = pane.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, pane: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """By pixels of the screen from the middle of the pane; at 100 % they are pixels of the image."""
    x, y = middle_of(pane)
    page.mouse.move(x + start[0], y + start[1])
    page.mouse.down()
    page.mouse.move(x + end[0], y + end[1], steps=3)
    page.mouse.up()


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, OBLIQUE])
def test_points_lie_in_the_patient_where_the_server_says(page: Page, desk: Desk, orientation: Sequence[float]) -> None:
    frame = {"position": [3.5, -20, 11], "orientation": orientation, "spacing": [0.7, 0.4]}
    a, b, c, d, e, f = orientation
    own = geometry.Geometry((3.5, -20.0, 11.0), (a, b, c, d, e, f), (0.7, 0.4))
    page.goto(f"{desk.address}/other/")
    points = [{"x": 0.5, "y": 0.5}, {"x": 17.25, "y": 3.0}]
    script = """(m, [frame, points]) => points.map((point) => {
        const at = m.patientPoint(frame, point);
        return [at, m.imagePoint(frame, at)];
    })"""
    for point, (at, back) in zip(points, in_module(page, "geometry", script, [frame, points]), strict=True):
        assert at == pytest.approx(geometry.patient_millimetres(own, point["x"], point["y"]))
        assert (back["x"], back["y"]) == pytest.approx((point["x"], point["y"]))


def coded(at: NDArray[np.float64]) -> NDArray[np.uint16]:
    """A value that names its place in the patient."""
    return np.rint(20000 + 31 * at[..., 0] + 173 * at[..., 1] + 577 * at[..., 2]).astype(np.uint16)


def places(frame: dict[str, Any]) -> NDArray[np.float64]:
    y, x = np.mgrid[: frame["rows"], : frame["columns"]]
    across, down = (np.array(part) for part in (frame["orientation"][:3], frame["orientation"][3:]))
    rows, columns = frame["spacing"]
    found: NDArray[np.float64] = (
        np.array(frame["position"]) + x[..., None] * columns * across + y[..., None] * rows * down
    )
    return found


@pytest.mark.parametrize(
    ("orientation", "others"),
    [
        (AXIAL, ["sagittal", "coronal"]),
        (OTHER_WAY, ["sagittal", "coronal"]),
        (SAGITTAL, ["coronal", "axial"]),
        (CORONAL, ["sagittal", "axial"]),
    ],
)
def test_each_pixel_of_each_plane_comes_from_its_place(
    page: Page, desk: Desk, orientation: Sequence[float], others: list[str]
) -> None:
    case = desk.add_case("a", [[np.zeros((11, 13), np.uint16)] * 9])
    place(case, orientation, gap=1.5, spacing=[0.5, 0.75])
    for frame in case["series"][0]["frames"]:
        desk.add_frame(frame["url"], coded(places(frame)))
    page.goto(f"{desk.address}/other/")
    script = """async (m, series) => {
        const { PixelStore } = await import("/static/reading/pixels.js");
        const { lettersOf } = await import("/static/reading/geometry.js");
        const volume = new m.Volume(series, new PixelStore("/static/reading/decode.js"));
        while (!volume.whole) await new Promise((resolve) => volume.addEventListener("grown", resolve));
        return volume.others.map(({ plane, frames }) => ({
            plane,
            right: lettersOf(frames[0], { x: 1, y: 0 }) + lettersOf(frames[0], { x: 0, y: 1 }),
            frames: frames.map((frame) => ({ ...frame, pixels: Array.from(volume.peek(frame)[0].pixels) })),
        }));
    }"""
    made = in_module(page, "planes", script, case["series"][0])
    assert [one["plane"] for one in made] == others
    assert [one["right"] for one in made] == [
        {"sagittal": "PF", "coronal": "LF", "axial": "LP"}[name] for name in others
    ]
    for one in made:
        for frame in one["frames"]:
            pixels = np.array(frame["pixels"]).reshape(frame["rows"], frame["columns"])
            assert np.array_equal(pixels, coded(places(frame)))


def test_no_planes_are_made_of_what_is_no_even_stack(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n) for n in range(9)]])
    page.goto(f"{desk.address}/other/")
    has = "(m, series) => m.hasPlanes(series)"
    assert in_module(page, "planes", has, case["series"][0]) is False
    place(case, AXIAL)
    assert in_module(page, "planes", has, case["series"][0]) is True
    case["series"][0]["frames"][4]["position"][2] += 1
    assert in_module(page, "planes", has, case["series"][0]) is False
    place(case, AXIAL)
    for n, frame in enumerate(case["series"][0]["frames"]):
        frame["position"][1] += 0.5 * n
    assert in_module(page, "planes", has, case["series"][0]) is False, "a tilted gantry"
    assert in_module(page, "planes", has, case["series"][0] | {"frames": case["series"][0]["frames"][:3]}) is False


def test_a_slice_that_failed_once_does_not_keep_planes_from_being_whole(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n, 40, 40) for n in range(12)]])
    place(case, AXIAL, gap=1, spacing=[1, 1])
    rule = hanging_written("Series 1, coronal")
    assert rule is not None
    case["hanging"] = rule.to_document()
    url = case["series"][0]["frames"][5]["url"]
    desk.busy[url] = 1
    page.goto(f"{desk.address}/reading/a/")
    page.wait_for_selector("#reading[data-painted=a]")
    expect(page.locator(".pane .pane-message")).to_have_text("", timeout=15_000)
    assert desk.got(url) == 2


def test_a_region_is_measured_on_the_whole_image_alone(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[np.full((64, 64), 100, np.uint16)]])
    (frame,) = case["series"][0]["frames"]
    frame["preview"] = "/reading/a/preview/0-0"
    desk.add_frame(frame["preview"], np.full((16, 16), 3000, np.uint16))
    desk.slow[frame["url"]] = 3.0
    page.goto(f"{desk.address}/reading/a/")
    expect(page.locator(".pane .pane-message")).to_have_text("Loading the full image …")
    page.keyboard.press("e")
    pane = page.locator(".pane").first
    x, y = middle_of(pane)
    page.mouse.click(x - 40, y - 40)
    page.mouse.click(x + 40, y + 40)
    label = page.locator("g.measure text")
    expect(label).to_have_text("…")
    expect(label).to_contain_text("100 ± 0", timeout=15_000)


def test_three_planes_meet_where_one_is_pointed_at(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n, 40, 40) for n in range(20)]])
    place(case, AXIAL, gap=1, spacing=[1, 1])
    case["series"][0]["plane"] = "axial"
    read(page, desk, "a")
    page.keyboard.press("Shift+P")
    captions = page.locator(".pane .caption")
    expect(captions).to_have_text(
        ["Series 1 · axial · 10 / 20", "Series 1 · sagittal · 20 / 40", "Series 1 · coronal · 20 / 40"]
    )
    expect(page.locator(".pane").nth(1).locator(".edge.top")).to_have_text("H")
    expect(page.locator(".cut")).to_have_count(6)
    first = page.locator(".pane").first
    page.wait_for_function("document.querySelector('.readout').textContent.includes('%')")
    scale = float(first.locator(".readout").inner_text().split()[4]) / 100
    drag(page, first, (0, 0), (10.2 * scale, -5.3 * scale))
    # From the middle of 40 columns to column 30.2, the 31st; of 40 rows to row 14.7, the 15th.
    expect(captions).to_have_text(
        ["Series 1 · axial · 10 / 20", "Series 1 · sagittal · 31 / 40", "Series 1 · coronal · 15 / 40"]
    )
    page.keyboard.press("w")
    page.keyboard.press("]")
    expect(page.locator(".readout", has_text="W 4527")).to_have_count(3)
    page.keyboard.press("Shift+P")
    expect(captions).to_have_text(["Series 1 · axial · 10 / 20"])


def test_series_of_a_plane_scroll_by_patient_position_and_share_the_window(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n) for n in range(12)], [picture(n) for n in range(5)], [picture()] * 4])
    place(case, AXIAL, gap=2)
    place(case, AXIAL, gap=5, series=1, window={"center": 500, "width": 1024})
    place(case, SAGITTAL, gap=5, series=2)
    read(page, desk, "a")
    captions = page.locator(".pane .caption")
    # From the first on: 10 mm is where the third slice of the other lies.
    expect(captions).to_have_text(["Series 1 · 6 / 12", "Series 2 · 3 / 5", "Series 3 · 2 / 4"])
    page.keyboard.press("Home")
    expect(captions).to_have_text(["Series 1 · 1 / 12", "Series 2 · 1 / 5", "Series 3 · 2 / 4"])
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    # 8 mm lie nearest to the slice at 10 mm.
    expect(captions).to_have_text(["Series 1 · 5 / 12", "Series 2 · 3 / 5", "Series 3 · 2 / 4"])
    page.keyboard.press("j")
    page.keyboard.press("End")
    expect(captions).to_have_text(["Series 1 · 12 / 12", "Series 2 · 3 / 5", "Series 3 · 2 / 4"])
    page.keyboard.press("j")
    expect(captions).to_have_text(["Series 1 · 12 / 12", "Series 2 · 5 / 5", "Series 3 · 2 / 4"])
    page.keyboard.press("]")
    # Each by its own first window: exp(30 / 300) times as wide; the other plane keeps its own.
    expect(page.locator(".readout").nth(0)).to_contain_text("W 4527")
    expect(page.locator(".readout").nth(1)).to_contain_text("C 500  W 1132")
    expect(page.locator(".readout").nth(2)).to_contain_text("W 4096")
    page.keyboard.press("r")
    expect(page.locator(".readout").nth(1)).to_contain_text("C 500  W 1024")


def test_the_study_says_what_hangs_where(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n) for n in range(9)] for _ in range(3)])
    for n, (label, plane) in enumerate((("T1W", "sagittal"), ("T2W", "sagittal"), ("T2W STIR", "axial"))):
        case["series"][n] |= {"label": label, "plane": plane}
        place(case, AXIAL if plane == "axial" else SAGITTAL, series=n)
    rule = hanging_written("T2W, sagittal, bone | T2W, axial\nT1W, coronal | DWI")
    assert rule is not None
    case["hanging"] = rule.to_document()
    read(page, desk, "a")
    captions = page.locator(".pane .caption")
    expect(captions).to_have_text(["T2W · sagittal · 5 / 9", "T2W STIR · axial · 5 / 9", re.compile("T1W · coronal")])
    expect(page.locator(".readout").first).to_contain_text("C 2500  W 1500")
    page.keyboard.press("Shift+S")
    expect(captions.first).to_have_text(re.compile("T2W STIR · axial"))


# Turning


@pytest.mark.parametrize(
    ("keys", "quarters", "top"),
    [
        ("t", [2, 0, 3, 1], "R"),
        ("Shift+T", [1, 3, 0, 2], "L"),
        ("v", [1, 0, 3, 2], "A"),
        ("Shift+V", [2, 3, 0, 1], "P"),
        ("t v", [0, 2, 1, 3], "R"),
        ("t t", [3, 2, 1, 0], "P"),
    ],
)
def test_turns_and_mirrors(page: Page, desk: Desk, keys: str, quarters: list[int], top: str) -> None:
    """Four quarters of four values; which of them is seen top left, top right, bottom left, bottom right."""
    values = np.array([[500, 1500], [2500, 3500]], np.uint16)
    case = desk.add_case("a", [[np.kron(values, np.ones((40, 40), np.uint16))]])
    place(case, AXIAL)
    read(page, desk, "a")
    for key in keys.split():
        page.keyboard.press(key)
    drawn(page)
    script = """(c) => [[-1, -1], [1, -1], [-1, 1], [1, 1]].map(([x, y]) =>
        c.getContext("2d").getImageData(c.width / 2 + 50 * x, c.height / 2 + 50 * y, 1, 1).data[0])"""
    greys = page.locator("canvas").first.evaluate(script)
    assert [round((grey * 4096 / 255 - 500) / 1000) for grey in greys] == quarters
    expect(page.locator(".edge.top")).to_have_text(top)


# Measuring


def measured(page: Page) -> list[str]:
    drawn(page)
    return page.locator(".measure text").all_text_contents()


def test_what_is_measured_on_the_image(page: Page, desk: Desk) -> None:
    pixels = picture(3, 400, 400)
    case = desk.add_case("a", [[pixels]], frame={"intercept": -1024, "spacing": [0.5, 0.5]})
    case["series"][0]["unit"] = "HU"
    read(page, desk, "a")
    page.keyboard.press("o")
    pane = page.locator(".pane").first
    page.keyboard.press("d")
    drag(page, pane, (-60, -80), (0, 0))
    assert measured(page) == ["50.0 mm"]
    page.keyboard.press("Shift+A")
    drag(page, pane, (-100, 50), (0, 50))
    drag(page, pane, (100, 160), (0, 100))
    assert measured(page)[1:] == [f"{np.degrees(np.arctan2(60, 100)):.1f}°"]
    # Of the two what has a point under the pointer goes, here the second; later the first.
    page.keyboard.press("Delete")
    page.keyboard.press("a")
    drag(page, pane, (0, -100), (0, 0))
    drag(page, pane, (100, 0), (100, 0))
    assert measured(page)[1:] == ["90.0°"]
    page.keyboard.press("Shift+D")
    for x, height in ((-40, 30), (0, 24), (40, 32)):
        drag(page, pane, (x, 0), (x, height))
    assert measured(page)[2:] == ["Ha 15.0  Hm 12.0  Hp 16.0 mm  75 %"]
    across, down = middle_of(pane)
    page.mouse.move(across - 60, down - 80)
    page.keyboard.press("Delete")
    assert [text[:2] for text in measured(page)] == ["90", "Ha"]
    page.keyboard.press("Shift+Delete")
    page.keyboard.press("e")
    drag(page, pane, (-30, -20), (50, 20))
    y, x = np.mgrid[:400, :400] + 0.5
    inside = pixels[((x - 210) / 40) ** 2 + ((y - 200) / 20) ** 2 <= 1].astype(float) - 1024
    said = re.findall(r"-?\d+(?:\.\d+)?", measured(page)[0])
    expected = [inside.mean(), inside.std(), inside.min(), inside.max(), np.pi * 40 * 20 / 4]
    assert [float(number) for number in said[:5]] == pytest.approx(expected, rel=0.02)
    page.keyboard.press("t")
    assert measured(page)[0] and page.locator(".measure text").evaluate("(text) => text.getCTM().b") == 0


def test_lengths_at_the_detector_are_called_uncalibrated(page: Page, desk: Desk) -> None:
    desk.add_case("a", [[picture(3, 400, 400)]], frame={"calibrated": False})
    desk.add_case("b", [[picture(3, 400, 400)]], frame={"spacing": None, "calibrated": False})
    for slot, words in (("a", "50.0 mm (uncalibrated)"), ("b", "100 px")):
        read(page, desk, slot)
        page.keyboard.press("o")
        page.keyboard.press("d")
        drag(page, page.locator(".pane").first, (-60, -80), (0, 0))
        assert measured(page) == [words]


def test_the_glass_shows_pixels_three_times_as_large(page: Page, desk: Desk) -> None:
    pixels = np.zeros((400, 400), np.uint16)
    pixels[195:205, 195:205] = 4095
    desk.add_case("a", [[pixels]])
    read(page, desk, "a")
    page.keyboard.press("o")
    page.keyboard.press("u")
    bytes_of = "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    lit = (np.array(page.locator("canvas.glass").evaluate(bytes_of))[::4] > 127).sum()
    assert lit == pytest.approx(30 * 30, rel=0.15)
    page.keyboard.press("u")
    expect(page.locator("canvas.glass")).to_have_count(0)


# Words

MODULES = Path(str(finders.find("reading/reading.js"))).parent


def test_every_word_of_the_viewer_is_there_in_chinese(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.address}/other/")
    chinese = in_module(page, "zh", "(m) => m.default")
    names = ("captions", "keys", "layout", "measure", "pointer", "preview", "viewport")
    source = "\n".join((MODULES / f"{name}.js").read_text() for name in names)
    said = {json.loads(text) for text in re.findall(r'say\(\s*("[^"]+")', source)}
    said |= {json.loads(text) for text in re.findall(r'(?:does|group|label): ("[^"]+")', source)}
    said |= {json.loads(text) for text in re.findall(r'\["[\w:]+", ("[A-Z][^"]+")\]', source)}
    said |= {json.loads(text) for text in re.findall(r'^  \w+: ("[A-Z][^"]+\."),$', source, re.MULTILINE)}
    said |= set(in_module(page, "keys", "(m) => m.KEYS.flatMap(({ does, group }) => [does, group])")) - {""}
    assert len(said) > 80
    assert {word for word in said if word not in chinese} == set()


def test_the_viewer_speaks_chinese(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n) for n in range(9)]])
    case["series"][0]["plane"] = "sagittal"
    with translation.override("zh-hans"):
        desk.bodies["/reading/a/"] = ("text/html; charset=utf-8", desk.page("a"))
    read(page, desk, "a")
    expect(page.locator(".caption")).to_have_text("Series 1 · 矢状位 · 5 / 9")
    expect(page.get_by_role("button", name="反相")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("测量椎体高度")


def test_tools_planes_and_measurements_pass_axe(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n, 40, 40) for n in range(9)]])
    place(case, SAGITTAL, gap=1, spacing=[1, 1])
    read(page, desk, "a")
    page.keyboard.press("Shift+P")
    page.keyboard.press("d")
    drag(page, page.locator(".pane").first, (-60, -80), (0, 0))
    page.keyboard.press("u")
    page.locator("summary", has_text="Measure").click()
    expect(page.get_by_role("button", name="Heights")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Heights")).to_be_hidden()
