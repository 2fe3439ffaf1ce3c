"""The room of the truthers: a study with three of them and two stacks, and the page of one case under the hand."""

from pathlib import Path

import nibabel
import numpy as np
from playwright.sync_api import Locator, Page

from readerstudy.cases.models import Case, CaseImport
from readerstudy.reference.actions import appoint_adjudicator, import_at_once
from readerstudy.studies.actions import enrol
from readerstudy.studies.models import Enrolment, Study
from tests.journeys.visits import TASK, real_passwords
from tests.world import People, make_study, person

MANIFEST = b"case,patient,file\nC1,1,spine.nii.gz\nC2,2,other.nii.gz\n"
SIX = ((12, 10), (22, 11), (32, 10), (32, 30), (22, 29), (12, 26))


def volumes(folder: Path) -> None:
    """Sagittal stacks, one of seven slices, one of enough for planes; 64 x 64 pixels of 1 mm, 4 mm apart."""
    across = np.diag([4.0, 1.0, 1.0, 1.0])
    for seed, (name, slices) in enumerate((("spine", 7), ("other", 9))):
        values = np.random.default_rng(seed).normal(300, 40, (slices, 64, 64)).astype(np.int16)
        values[:, 20:44, 10:54:] += 400
        nibabel.save(nibabel.Nifti1Image(values, across), folder / f"{name}.nii.gz")


def furnished(folder: Path) -> Study:
    """Tess and Ugo judge, Vera decides between them."""
    people = People()
    with real_passwords():
        study = make_study(people)
        for name in ("ugo", "vera"):
            enrol(study=study, username=person(name).username, role=Enrolment.Role.TRUTHER, by=people.alice)
    volumes(folder)
    done = import_at_once(study=study, manifest=MANIFEST, folder=folder, by=people.alice)
    assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
    vera = study.enrolments.get(user__username="vera")
    appoint_adjudicator(truther=vera, by=people.alice)
    return study


def way_to_the_first_case(study: Study) -> str:
    return f"/studies/{study.token}/reference/opinions/{Case.objects.get(study=study, label='C1').token}/"


class Desk:
    """The page of one case, with a pointer that thinks in image pixels."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.locator("#annotator[data-ready]").wait_for(timeout=TASK)
        self.painted()
        self.pane = page.locator(".pane").first

    def painted(self) -> None:
        self.page.locator(".pane[data-painted^='/']").first.wait_for()

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where an image point is on the screen: 64 rows and columns fill the shorter side of the pane."""
        self.pane.scroll_into_view_if_needed()
        box = self.pane.bounding_box()
        assert box is not None
        scale = min(box["width"], box["height"]) / 64
        return box["x"] + box["width"] / 2 + (x - 32) * scale, box["y"] + box["height"] / 2 + (y - 32) * scale

    def click(self, *points: tuple[float, float]) -> None:
        for point in points:
            self.page.mouse.move(*self.at(*point))
            self.page.mouse.down()
            self.page.mouse.up()

    def drag(self, *points: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point))
        self.page.mouse.up()

    def tool(self, key: str) -> None:
        self.page.keyboard.press(key)

    @property
    def rows(self) -> Locator:
        return self.page.locator("#annotation > .marks li")

    def saved(self) -> None:
        self.page.locator("#save-state[data-state='saved']").wait_for()

    def name(self, name: str) -> None:
        self.page.keyboard.press("b")
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Name", exact=True).press("Enter")
        self.page.get_by_label("Name", exact=True).evaluate("(field) => field.blur()")


def opened(page: Page, address: str) -> Desk:
    page.goto(address)
    return Desk(page)


def record(page: Page, verdict: str) -> None:
    before = page.url
    page.get_by_label(verdict, exact=True).check()
    page.get_by_role("button", name="Record and go on").click()
    page.wait_for_url(lambda url: url != before)
