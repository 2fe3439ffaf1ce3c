"""A truther draws with every tool, undoes, comes back, records; two differ, and a third decides in the same viewer."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from readerstudy.audit.queries import all_faults
from readerstudy.cases.models import Case
from readerstudy.reference.actions import offer_marks
from readerstudy.reference.drawn import marks_of, planes_of
from readerstudy.reference.models import Annotation, AnnotationDraft, Opinion, ProposalDecision
from readerstudy.studies.models import Study
from tests.journeys.truthing_room import SIX, Desk, furnished, opened, record, way_to_the_first_case
from tests.journeys.visits import check_page, open_browser, visit
from tests.servers import WEB, Server

pytestmark = pytest.mark.journey
MODEL_BOX = {
    "key": "k",
    "kind": "box",
    "series": 0,
    "slice": 3,
    "label": "Cleft",
    "points": [[10.0, 10.0], [30.0, 24.0]],
}
MODEL_MASK = {
    "key": "m",
    "kind": "mask",
    "series": 0,
    "slice": 3,
    "label": "body",
    "points": [],
    "runs": [1000, 20, 3076],
}


@pytest.fixture
def study(committed: str, tmp_path: Path) -> Study:
    return furnished(tmp_path)


@pytest.fixture
def first(study: Study) -> str:
    """Where case C1 is judged; asked for before a browser is open."""
    return way_to_the_first_case(study)


@pytest.fixture
def address(study: Study, server_environment: dict[str, str]) -> Iterator[str]:
    with Server(server_environment, parts=(WEB,)) as server:
        yield server.address


# How much of the mask's colour lies over a place of the image, whose 64 rows fill the shorter side of the canvas.
SHOWN = """([x, y]) => {
    const canvas = document.querySelector(".pane .overlay");
    const side = Math.min(canvas.width, canvas.height);
    const at = [canvas.width / 2 + (x - 0.5) * side, canvas.height / 2 + (y - 0.5) * side];
    return canvas.getContext("2d").getImageData(...at, 1, 1).data[3] > 50;
}"""


def draw_with_every_tool(desk: Desk) -> None:
    for key, points in (
        ("1", [(5, 5)]),
        ("3", [(40, 5), (55, 5), (50, 15)]),
        ("9", [(50, 40), (40, 40), (40, 50)]),
        ("q", [(36, 30), (46, 30), (46, 38), (36, 38)]),
        ("y", SIX),
    ):
        desk.tool(key)
        desk.click(*points)
        if key == "3":
            desk.page.keyboard.press("Enter")
    for key, points in (
        ("2", [(3, 40), (12, 50)]),
        ("7", [(14, 40), (24, 50)]),
        ("8", [(3, 60), (23, 60)]),
        ("4", [(50, 50), (60, 50), (60, 60), (50, 60), (49, 52)]),
        ("5", [(28, 45), (34, 45)]),
    ):
        desk.tool(key)
        desk.drag(*points)


def test_every_tool_draws_what_the_server_keeps(study: Study, first: str, address: str) -> None:
    with open_browser() as browser, visit(browser, address, "tess") as page:
        desk = opened(page, address + first)
        draw_with_every_tool(desk)
        expect(desk.rows).to_have_count(10)
        # The eraser takes part of the brush's stroke away, and undo brings it back, to the first mark and forward.
        desk.tool("6")
        desk.drag((34, 45), (40, 45))
        for _ in range(11):
            page.keyboard.press("Control+z")
        expect(desk.rows).to_have_count(0)
        for _ in range(10):
            page.keyboard.press("Control+y")
        expect(desk.rows).to_have_count(10)
        desk.tool("0")
        desk.click((22, 10.7))
        desk.name("L1")
        expect(page.locator(".annotation text").filter(has_text="L1 · Genant 1")).to_have_count(1)
        desk.saved()
        check_page(page, "annotation")
        page.reload()
        desk = Desk(page)
        expect(desk.rows).to_have_count(10)
        # The mask is seen again at once: somewhere in the middle of the brush's stroke there is its colour.
        page.wait_for_function(SHOWN, arg=[31 / 64, 45 / 64])
        record(page, "Positive")
    (annotation,) = Annotation.objects.all()
    found = {mark["kind"]: mark for mark in annotation.marks}
    assert set(found) == {
        "point", "polygon", "angle", "vertebra", "morphometry", "box", "ellipse", "line", "freehand", "mask",
    }  # fmt: skip
    assert found["point"]["points"][0] == pytest.approx([5, 5], abs=0.2)
    assert found["line"]["measure"]["length"] == pytest.approx(20, abs=0.3)
    assert found["angle"]["measure"]["degrees"] == pytest.approx(90, abs=1)
    grade = found["morphometry"]["measure"]["morphometry"]
    assert (found["morphometry"]["label"], grade["grade"], grade["kind"]) == ("L1", 1, "wedge")
    assert grade["wedge"] == pytest.approx(0.8, abs=0.02)
    # A brush of radius 6 along 6 columns: 72 + 36 π pixels.
    assert found["mask"]["measure"]["area"] == pytest.approx(72 + 36 * np.pi, rel=0.05)
    assert not AnnotationDraft.objects.exists()
    assert list(all_faults()) == []


def quad(top: float) -> tuple[tuple[float, float], ...]:
    return (40, top), (50, top), (50, top + 12), (40, top + 12)


def test_slices_names_and_a_models_marks(study: Study, first: str, address: str) -> None:
    case = Case.objects.get(study=study, label="C1")
    marks = marks_of([MODEL_BOX, MODEL_MASK], planes_of(case))
    people = study.enrolments.get(role="coordinator")
    assert people.user is not None
    offer_marks(case=case, source="spine-net 1.2", source_digest="d" * 64, marks=marks, by=people.user)
    with open_browser() as browser, visit(browser, address, "tess") as page:
        desk = opened(page, address + first)
        expect(page.get_by_text("2 to accept or reject")).to_be_visible()
        page.keyboard.press("Shift+Y")
        page.keyboard.press("Shift+X")
        expect(page.get_by_text("All are decided.")).to_be_visible()
        # A mask is painted on under the name that it was given, on its own image and on another.
        desk.tool("5")
        desk.drag((50, 30), (56, 30))
        desk.name("cord")
        desk.drag((50, 36), (56, 36))
        expect(desk.rows.filter(has_text="cord · Mask")).to_have_count(1)
        for _ in range(3):
            page.keyboard.press("Control+z")
        expect(desk.rows).to_have_count(1)
        # The same outline two slices further, and the slices between by themselves.
        desk.tool("3")
        desk.click((10, 40), (20, 40), (20, 50))
        page.keyboard.press("Enter")
        page.keyboard.press("k")
        page.keyboard.press("k")
        expect(page.locator(".caption").first).to_contain_text("6 / 7")
        expect(desk.rows).to_have_count(4)
        page.get_by_role("button", name=re.compile("Polygon.*image 5")).click()
        page.keyboard.press("x")
        page.get_by_role("button", name=re.compile("Polygon.*image 4")).click()
        page.keyboard.press("m")
        expect(desk.rows).to_have_count(4)
        # Four vertebrae on two images, one named, the rest follow from the head down; T12 is followed by L1.
        desk.tool("q")
        desk.click(*quad(25))
        page.get_by_role("slider", name="Image of").press("ArrowRight")
        expect(page.locator(".caption").first).to_contain_text("5 / 7")
        for top in (44, 24, 4):
            desk.click(*quad(top))
        desk.name("T12")
        page.keyboard.press("l")
        expect(page.get_by_text("Named from T12 to L2; images: 2.")).to_be_visible()
        desk.saved()
        check_page(page, "annotation-model")
        record(page, "Negative")
    (annotation,) = Annotation.objects.all()
    polygons = sorted(mark["slice"] for mark in annotation.marks if mark["kind"] == "polygon")
    vertebrae = [mark for mark in annotation.marks if mark["kind"] == "vertebra"]
    levels = {mark["label"]: mark["points"][0][1] for mark in vertebrae}
    assert sorted((mark["slice"], mark["label"]) for mark in vertebrae) == [(3, "L1"), (4, "L1"), (4, "L2"), (4, "T12")]
    assert polygons == [3, 4, 5]
    assert sorted(levels, key=lambda level: levels[level]) == ["T12", "L1", "L2"]
    assert sorted(ProposalDecision.objects.values_list("verdict", flat=True)) == ["accepted", "rejected"]


def judge(browser: Browser, address: str, first: str, who: str, corner: tuple[float, float]) -> None:
    with visit(browser, address, who) as page:
        desk = opened(page, address + first)
        desk.tool("2")
        desk.drag(corner, (corner[0] + 12, corner[1] + 12))
        desk.saved()
        record(page, "Positive")


def test_a_third_decides_with_both_in_sight(study: Study, first: str, address: str) -> None:
    with open_browser() as browser:
        judge(browser, address, first, "tess", (5, 5))
        judge(browser, address, first, "ugo", (40, 40))
        with visit(browser, address, "vera") as page:
            page.goto(f"{address}/studies/{study.token}/reference/opinions/")
            page.get_by_role("link", name="Case 1").click()
            desk = Desk(page)
            expect(page.locator(".annotation .mark.A path")).to_have_count(1)
            expect(page.locator(".annotation .mark.B path")).to_have_count(1)
            expect(page.get_by_text("Only A marked the box")).to_be_visible()
            check_page(page, "adjudication")
            page.get_by_role("button", name="Take over").last.click()
            expect(desk.rows).to_have_count(1)
            desk.saved()
            record(page, "Positive")
    decision = Opinion.objects.get(adjudicates=True)
    assert decision.annotation.marks[0]["points"][0] == pytest.approx([40, 40], abs=0.3)
