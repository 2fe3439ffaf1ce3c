"""The reading room in Firefox ESR: a radiograph and a stack read by keys alone, then a case annotated."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from readerstudy.cases.models import Case, CaseImport
from readerstudy.reading.models import Answer, Reading
from readerstudy.reference.actions import import_at_once
from readerstudy.reference.models import Annotation
from readerstudy.studies.models import Study
from readerstudy.studies.outline import CROSSOVER, RulesOutline
from tests.journeys.firefox import open_firefox
from tests.journeys.truthing_room import Desk, opened, record
from tests.journeys.visits import new_page, real_passwords
from tests.readerstudy.reading.room import Room, set_truth, start
from tests.servers import WEB, Server
from tests.world import PASSWORD, People, make_study

pytestmark = pytest.mark.journey
TASK = 180_000
SIDE, SLICES, FILM, FILM_STEP = 64, 12, (160, 128), 180
MANIFEST = b"case,patient,file\nfilm,1,film.png\nstack,2,stack.nii.gz\n"
OUTLINE = replace(CROSSOVER, arms=CROSSOVER.arms[:1], washouts=(0,), rules=RulesOutline(display_check=True))
READOUT = re.compile(r"C (-?[\d.]+)\s+W ([\d.]+)")


def value_of(slice_number: int) -> int:
    """Every slice of the stack is even in its middle, counted from the feet; the edges give all one window."""
    return 100 + 150 * slice_number


def files_in(folder: Path) -> None:
    film = np.full(FILM, 60, np.uint8)
    film[:, FILM[1] // 2 :] = FILM_STEP
    Image.fromarray(film).save(folder / "film.png")
    stack = np.empty((SIDE, SIDE, SLICES), np.int16)
    stack[:] = [value_of(n) for n in range(SLICES)]
    stack[: SIDE // 4], stack[-SIDE // 4 :] = 0, 2000
    nibabel.save(nibabel.Nifti1Image(stack, np.diag([1.0, 1.0, 4.0, 1.0])), folder / "stack.nii.gz")


@dataclass(frozen=True)
class Shown:
    """A place of an image: its grey on the screen, and the window the page says it has."""

    grey: int
    center: float
    width: float

    def is_of(self, value: float) -> bool:
        """By the linear VOI function of DICOM PS3.3 C.11.2.1.2.1; the readout rounds its window."""
        grey = np.clip(((value - (self.center - 0.5)) / (self.width - 1) + 0.5) * 255, 0, 255)
        return abs(self.grey - grey) <= 1 + 255 / self.width


@dataclass
class Outcome:
    read: list[str] = field(default_factory=list)
    film: list[tuple[Shown, int]] = field(default_factory=list)
    slices: list[tuple[Shown, int]] = field(default_factory=list)
    bands: list[int] = field(default_factory=list)
    agent: str = ""


# What is painted: a place beside the middle, by parts of the shorter side, with what is said of the same painting; the
# greys of a line from top to bottom.
GREY = """(pane, across) => {
    const canvas = pane.querySelector("canvas");
    const x = canvas.width / 2 + across * Math.min(canvas.width, canvas.height);
    const { data } = canvas.getContext("2d").getImageData(x, canvas.height / 2, 1, 1);
    return [data[0], pane.querySelector(".readout").textContent];
}"""
BANDS = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(canvas.width / 2, 0, 1, canvas.height);
    return new Set(data.filter((value, n) => n % 4 === 0 && value > 0)).size;
}"""


def look_at(pane: Locator, across: float = 0.0) -> Shown:
    grey, readout = pane.evaluate(GREY, across)
    said = READOUT.search(readout)
    assert said is not None, readout
    return Shown(grey, float(said[1]), float(said[2]))


def sign_in(page: Page, address: str, username: str) -> None:
    page.context.set_default_timeout(TASK)
    page.goto(f"{address}/")
    page.get_by_label("Username").focus()
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").wait_for()


def begin(page: Page, address: str) -> None:
    """From the work list by way of the instructions and the display check to the first case."""
    page.goto(f"{address}/reading/")
    page.locator("a.button.primary").first.press("Enter")
    page.get_by_role("link", name="Start reading").press("Enter")
    for squares in ("dark", "bright"):
        page.get_by_label(f"Digits in the {squares} squares").press_sequentially("0")
    page.get_by_label("Dim").press("Space")
    page.get_by_role("button", name="Store and start reading").press("Enter")
    page.locator("#reading").wait_for()


def due(page: Page) -> str:
    """The case that stands on the page, once all of it is painted."""
    slot = page.locator("#reading").get_attribute("data-slot")
    page.locator(f"#reading[data-slot='{slot}'][data-painted='{slot}'][aria-busy='false']").wait_for(timeout=TASK)
    return str(slot)


def read_case(page: Page, outcome: Outcome) -> None:
    slot = due(page)
    pane = page.locator(".pane").first
    if pane.locator(".caption").inner_text().endswith(f"/ {SLICES}"):
        outcome.read.append("stack")
        read_stack(page, pane, outcome)
    else:
        outcome.read.append("film")
        read_film(page, pane, outcome)
    page.keyboard.press("y")
    page.keyboard.type("80")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.locator(f"#reading[data-slot='{slot}']").wait_for(state="detached", timeout=TASK)


def read_film(page: Page, pane: Locator, outcome: Outcome) -> None:
    """Both halves, as it comes and in another window."""
    for keys in ("", "]]]]]]]],,,,"):
        before = pane.locator(".readout").inner_text()
        for key in keys:
            page.keyboard.press(key)
        if keys:
            expect(pane.locator(".readout")).not_to_have_text(before)
        outcome.film += [(look_at(pane, -0.2), 60), (look_at(pane, 0.2), FILM_STEP)]


def read_stack(page: Page, pane: Locator, outcome: Outcome) -> None:
    """From its first slice to its last, then three planes, and back to the stack."""
    page.keyboard.press("Home")
    for number in range(1, SLICES + 1):
        expect(pane.locator(".caption")).to_contain_text(f"{number} / {SLICES}")
        outcome.slices.append((look_at(pane), number))
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+P")
    others = page.locator(".panes[data-panes='3'] .pane[data-painted*=frame]")
    others.nth(2).wait_for(timeout=TASK)
    for number in (1, 2):
        outcome.bands.append(others.nth(number).locator("canvas").first.evaluate(BANDS))
    page.keyboard.press("Shift+P")
    page.locator(".panes[data-panes='1']").wait_for()


def annotate(page: Page, address: str) -> None:
    """A polygon and a vertebra; the vertebra undone and redone; saved, loaded anew and recorded."""
    desk = opened(page, address)
    desk.tool("3")
    desk.click((40, 5), (55, 5), (50, 15))
    page.keyboard.press("Enter")
    desk.tool("q")
    desk.click((36, 30), (46, 30), (46, 38), (36, 38))
    expect(desk.rows).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(desk.rows).to_have_count(1)
    page.keyboard.press("Control+y")
    expect(desk.rows).to_have_count(2)
    desk.saved()
    page.reload()
    expect(Desk(page).rows).to_have_count(2)
    record(page, "Positive")


@pytest.fixture(scope="module")
def outcome(lasting_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("firefox")
    files_in(folder)
    people = People()
    with real_passwords():
        study = make_study(people, phase=Study.Phase.FROZEN, outline=OUTLINE)
        marked = make_study(people, title="Marks")
    for one in (study, marked):
        done = import_at_once(study=one, manifest=MANIFEST, folder=folder, by=people.alice)
        assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
    set_truth(study, list(Case.objects.filter(study=study)), (True, False), people.tess)
    start(Room(people, study))
    desk = f"/studies/{marked.token}/reference/opinions/{Case.objects.get(study=marked, label='stack').token}/"
    outcome = Outcome()
    with Server(lasting_environment, parts=(WEB,)) as server, open_firefox() as browser:
        outcome.agent = browser.version
        with new_page(browser) as page:
            sign_in(page, server.address, "bob")
            begin(page, server.address)
            for _ in range(2):
                read_case(page, outcome)
            page.get_by_role("heading", name="All cases are read").wait_for(timeout=TASK)
        with new_page(browser) as page:
            sign_in(page, server.address, "tess")
            annotate(page, server.address + desk)
    return outcome


def test_both_cases_are_read_and_stored(outcome: Outcome) -> None:
    assert sorted(outcome.read) == ["film", "stack"]
    assert Reading.objects.filter(phase=Reading.Phase.SUBMITTED).count() == 2
    assert sorted(Answer.objects.values_list("question__key", "value")) == [
        ("confidence", 80), ("confidence", 80), ("decision", True), ("decision", True),
    ]  # fmt: skip
    assert all(reading.active_ms for reading in Reading.objects.all())


def test_the_film_has_the_greys_of_its_window(outcome: Outcome) -> None:
    assert [shown for shown, value in outcome.film if not shown.is_of(value)] == []
    assert len({shown.width for shown, _ in outcome.film}) == 2
    assert len({shown.grey for shown, _ in outcome.film}) == 4


def test_every_slice_is_painted_in_its_turn(outcome: Outcome) -> None:
    values = {number: value_of(number - 1) for number in range(1, SLICES + 1)}
    assert [(shown, number) for shown, number in outcome.slices if not shown.is_of(values[number])] == []
    assert len({shown.grey for shown, _ in outcome.slices}) > SLICES / 2


def test_the_other_planes_cut_through_the_slices(outcome: Outcome) -> None:
    assert len(outcome.bands) == 2
    assert all(bands >= SLICES / 2 for bands in outcome.bands), outcome.bands


def test_the_drawn_marks_are_kept(outcome: Outcome) -> None:
    [annotation] = Annotation.objects.all()
    found = {mark["kind"]: mark["points"] for mark in annotation.marks}
    assert set(found) == {"polygon", "vertebra"}
    assert np.ravel(found["polygon"]) == pytest.approx([40, 5, 55, 5, 50, 15], abs=0.2)
    assert np.ravel(found["vertebra"]) == pytest.approx([36, 30, 46, 30, 46, 38, 36, 38], abs=0.2)
