"""A coordinator imports cases in a browser and a truther judges them there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from readerstudy.accounts.models import User
from readerstudy.cases.models import Case
from readerstudy.reference.models import Opinion
from readerstudy.studies.models import Study
from tests.equipment import browser as installed_browser
from tests.readerstudy.cases.material import folder_of, packed
from tests.servers import WEB, WORKER, Server
from tests.world import People, client_of, make_study

pytestmark = pytest.mark.journey
INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Only while no row is read or written: its event loop gives Django another connection."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=installed_browser(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def study(committed: str) -> Study:
    return make_study(People())


def page_of(browser: Browser, server: Server, session: str) -> Page:
    """A page of a browser in which the person of that session is logged in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": session, "url": server.address}])
    return context.new_page()


def good(page: Page, name: str) -> None:
    """No violation that axe knows, and a picture to look at where one is asked for."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def files_in(folder: Path) -> None:
    """pictures.zip with five pictures and a CT slice; a manifest with two faults and a good one."""
    pictures, manifest = folder_of(folder / "pictures", 5)
    (pictures / "ct.dcm").write_bytes((INSTALLED / "CT_small.dcm").read_bytes())
    (folder / "bad.csv").write_bytes(manifest + b"CT,17,ctt.dcm,maybe,N,70\n")
    (folder / "good.csv").write_bytes(manifest + b"CT,17,ct.dcm,1,N,70\n")
    (folder / "pictures.zip").write_bytes(packed(pictures).read())


def imports(page: Page, home: str, folder: Path) -> None:
    """The coordinator's way, with a bad manifest first."""
    page.goto(f"{home}/cases/")
    good(page, "cases-empty")
    page.get_by_role("link", name="Import cases").first.click()
    good(page, "import-form")
    page.get_by_label("Manifest (CSV)").set_input_files(folder / "bad.csv")
    page.get_by_label("Images").set_input_files(folder / "pictures.zip")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_contain_text("2 faults", timeout=60_000)
    expect(page.get_by_role("cell", name="maybe")).to_be_visible()
    good(page, "import-faults")
    page.get_by_label("Manifest (CSV)").set_input_files(folder / "good.csv")
    page.get_by_role("button", name="Check again").click()
    confirm = page.get_by_role("button", name="Import 6 cases")
    confirm.wait_for(timeout=60_000)
    good(page, "import-checked")
    confirm.click()
    shown = page.get_by_role("link", name="Show the cases")
    shown.wait_for(timeout=60_000)
    good(page, "import-done")
    shown.click()


def looks(page: Page, home: str) -> None:
    """Thumbnails, then a case in the viewer, then its truth."""
    thumbnail = page.locator(".thumbs img").first
    expect(thumbnail).to_have_js_property("complete", value=True)
    assert thumbnail.evaluate("image => image.naturalWidth") == 192
    good(page, "cases")
    page.get_by_role("link", name="CT", exact=True).click()
    canvas = page.locator(".viewer canvas").first
    canvas.wait_for(timeout=60_000)
    expect(page.locator(".viewer .readout").first).to_contain_text("W 1523")
    bright = canvas.evaluate(
        "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " let n = 0; for (let i = 0; i < d.length; i += 4) if (d[i] > 60) n++; return n; }"
    )
    assert bright > 1000, "the viewer shows the picture"
    good(page, "case")
    page.goto(f"{home}/reference/")
    expect(page.get_by_role("row", name="Version 1")).to_be_visible()
    good(page, "reference")


def judges(page: Page, home: str) -> None:
    """The truther's way to the second case."""
    page.goto(f"{home}/reference/")
    good(page, "opinions")
    page.get_by_role("link", name="Begin").click()
    page.locator(".viewer canvas").first.wait_for(timeout=60_000)
    good(page, "opinion")
    page.get_by_label("Positive").check()
    page.get_by_role("button", name="Record and go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Case 2 of 6")


def test_from_the_archive_to_the_truthers_opinion(
    study: Study, server_environment: dict[str, str], tmp_path: Path
) -> None:
    files_in(tmp_path)
    alice, tess = (client_of(User.objects.get(username=name)).cookies["sessionid"].value for name in ("alice", "tess"))
    environment = server_environment | {"WORK_FOLDER": str(tmp_path / "work")}

    with Server(environment, parts=(WEB, WORKER)) as server, a_browser() as browser:
        home = f"{server.address}/studies/{study.token}"
        page = page_of(browser, server, alice)
        imports(page, home, tmp_path)
        looks(page, home)
        judges(page_of(browser, server, tess), home)

    assert Case.objects.count() == 6
    assert Opinion.objects.get().verdict == Opinion.Verdict.POSITIVE
