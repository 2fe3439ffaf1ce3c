"""A truther moves marks by hand and by keys, does what is wrong, loses network and session, and loses no work."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from readerstudy.cases.models import Case
from readerstudy.reference.models import AnnotationDraft
from readerstudy.studies.models import Study
from tests.journeys.truthing_room import SIX, Desk, furnished, opened, way_to_the_first_case
from tests.journeys.visits import log_in, look, open_browser, visit
from tests.servers import WEB, Server

pytestmark = pytest.mark.journey


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


def test_marks_are_moved_by_hand_and_by_keys_and_undone_after_a_reload(study: Study, first: str, address: str) -> None:
    with open_browser() as browser, visit(browser, address, "tess") as page:
        desk = opened(page, address + first)
        desk.tool("2")
        desk.drag((10, 10), (20, 18))
        desk.tool("y")
        desk.click(*SIX)
        desk.tool("0")
        # A corner that was never clicked is a handle as well; at the edge a shape keeps its form.
        desk.drag((20, 10), (24, 8))
        desk.drag((15, 13), (90, 13))
        page.get_by_role("button", name=re.compile("Vertebra, six points · image")).focus()
        for key in (".", ".", "ArrowDown", "Shift+ArrowDown"):
            page.keyboard.press(key)
        expect(page.get_by_role("status").filter(has_text="Moved to 22, 22.")).to_be_visible()
        look(page, "annotation-keys")
        page.keyboard.press("ArrowUp")
        desk.saved()
        page.reload()
        desk = Desk(page)
        expect(page.get_by_role("button", name="Undo")).to_be_enabled()
        page.keyboard.press("Control+z")
        page.get_by_role("button", name=re.compile("Box · image")).focus()
        page.keyboard.press("Delete")
        expect(page.get_by_role("status").filter(has_text="Removed: without a name · Box")).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("Vertebra, six points · image"))).to_be_focused()
        for _ in range(2):
            page.keyboard.press("Control+z")
        expect(desk.rows).to_have_count(2)
        desk.saved()
    box, six = AnnotationDraft.objects.get().work["marks"]
    assert [*box["points"][0], *box["points"][1]] == pytest.approx([50, 8, 64, 18], abs=0.4)
    assert six["points"][1] == pytest.approx([22, 12], abs=0.3)


def only_look_at_planes(page: Page, way: str) -> None:
    """Planes made of the images of a case are no place for marks."""
    desk = opened(page, way)
    desk.tool("1")
    desk.click((30, 30))
    page.keyboard.press("Shift+P")
    page.locator(".pane").nth(1).click()
    expect(page.locator("#annotation > .news")).to_contain_text("not on planes made of them")
    expect(desk.rows).to_have_count(1)
    desk.saved()


def test_wrong_input_is_one_sentence_and_loses_nothing(study: Study, first: str, address: str) -> None:
    other = first.replace(*(Case.objects.get(study=study, label=label).token for label in ("C1", "C2")))
    with open_browser() as browser, visit(browser, address, "tess") as page:
        desk = opened(page, address + first)
        told = page.locator("#annotation > .news")
        desk.name("Fracture")
        desk.tool("3")
        desk.click((10, 10))
        page.keyboard.press("Enter")
        expect(told).to_have_text("A polygon has at least three corners.")
        # Closed, the sides would cross; the last corners are taken back, the rest stays.
        desk.click((30, 30), (30, 10), (10, 30))
        page.keyboard.press("Enter")
        expect(told).to_contain_text("crosses itself")
        for key, left in (("z", 3), ("z", 2), ("y", 3), ("z", 2)):
            page.keyboard.press(f"Control+{key}")
            expect(page.locator(".unfinished circle")).to_have_count(left)
        # Looking at another image in between is no harm, drawing there is refused.
        page.get_by_role("slider", name="Image of").press("ArrowRight")
        expect(page.locator(".caption").first).to_contain_text("5 / 7")
        desk.click((5, 5))
        expect(told).to_contain_text("Image 4 holds what you are drawing")
        page.get_by_role("slider", name="Image of").press("ArrowLeft")
        expect(page.locator(".caption").first).to_contain_text("4 / 7")
        desk.click((30, 10))
        page.mouse.dblclick(*desk.at(20, 4))
        expect(desk.rows).to_have_count(1)
        # A box that is pulled beyond the image ends at its edge; one without area is none; outside lies nothing.
        desk.tool("2")
        desk.drag((50, 50), (90, 50.5), (90, 90))
        desk.drag((5, 40), (15, 40))
        expect(told).to_have_text("It has no area; draw it larger.")
        desk.tool("1")
        desk.click((-4, 20))
        expect(told).to_have_text("That is outside the image.")
        # Another tool in the middle gives up what is begun; a name that is no level does not go with a vertebra.
        desk.tool("q")
        desk.click((30, 50), (40, 50))
        desk.tool("y")
        desk.click(*SIX[:2], SIX[5], *SIX[3:5], SIX[2])
        expect(told).to_contain_text("The sides of the vertebra cross")
        page.keyboard.press("Escape")
        desk.click(*SIX)
        desk.name("l2")
        expect(desk.rows.filter(has_text="L2 · Vertebra, six points")).to_have_count(1)
        look(page, "annotation-refused")
        # The table of heights has the level with its grade.
        expect(page.locator(".heights tbody tr")).to_contain_text(re.compile("^L2.*1 · wedge$"))
        # Where no mark is seen none is drawn.
        desk.tool("1")
        desk.tool("h")
        desk.click((5, 60))
        expect(told).to_have_text("All marks are hidden; show them to draw.")
        expect(desk.rows).to_have_count(3)
        desk.saved()
        only_look_at_planes(page, address + other)
    polygon, box, six = AnnotationDraft.objects.get(case__label="C1").work["marks"]
    assert [len(polygon["points"]), polygon["label"], six["label"]] == [4, "Fracture", "L2"]
    assert [*box["points"][0], *box["points"][1]] == pytest.approx([50, 50, 64, 64], abs=0.3)


def test_without_network_or_session_the_work_outlives_a_reload(study: Study, first: str, address: str) -> None:
    with open_browser() as browser, visit(browser, address, "tess") as page:
        page.on("dialog", lambda dialog: dialog.accept())
        desk = opened(page, address + first)
        desk.tool("1")
        desk.click((5, 5))
        desk.saved()
        page.context.route("**/draft/", lambda route: route.abort())
        desk.click((9, 9))
        page.get_by_label("Note").fill("Unsure")
        expect(page.locator("#save-state")).to_contain_text("Not saved yet")
        page.context.unroute("**/draft/")
        # The session ends as well, in another window of the same browser.
        page.context.clear_cookies(name="sessionid")
        desk.click((13, 13))
        expect(page.locator("#save-state")).to_contain_text("You are signed out")
        again = page.context.new_page()
        log_in(again, address, "tess")
        again.goto(address + first)
        other = Desk(again)
        expect(other.rows).to_have_count(1)
        page.reload()
        desk = Desk(page)
        expect(desk.rows).to_have_count(3)
        expect(page.get_by_label("Note")).to_have_value("Unsure")
        desk.saved()
        # The other window is of an older state: it says so, and shows the newer one after a reload.
        other.tool("1")
        other.click((20, 20))
        expect(again.locator("#save-state")).to_contain_text("Another window has saved this case")
        again.reload()
        expect(Desk(again).rows).to_have_count(3)
        for _ in range(3):
            page.keyboard.press("Control+z")
        expect(desk.rows).to_have_count(0)
        desk.saved()
        # The next person at this computer finds nothing of it.
        page.goto(f"{address}/")
        page.get_by_role("button", name="Log out").click()
        log_in(page, address, "ugo")
        desk = opened(page, address + first)
        expect(page.get_by_role("button", name="Redo")).to_be_disabled()
        assert page.evaluate("() => Object.keys(sessionStorage).filter((key) => key.startsWith('annotation:'))") == []
