"""What a model said lies over the film for the coordinator too, by the panel and the keys of the aided reader."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from inference.declared import document_of
from inference.prediction import Plane
from readerstudy.predictions import working
from readerstudy.predictions.actions import start_run
from readerstudy.predictions.models import PredictionRun
from tests.journeys.visits import check_page, open_browser, real_people, visit
from tests.models import write_films
from tests.planes import spot
from tests.readerstudy.predictions.workshop import outcome_for, registered, rows_of
from tests.servers import WEB, Server
from tests.world import People, make_study, with_films

pytestmark = pytest.mark.journey
# How much the layers over the image cover in all, and how strongly.
COVERED = """() => {
    const canvas = document.querySelector("canvas.overlay");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let n = 3; n < data.length; n += 4) sum += data[n];
    return sum;
}"""


@pytest.fixture
def people(server_environment: dict[str, str]) -> Iterator[People]:
    yield real_people("alice", "dev")


@pytest.fixture
def run(people: People, tmp_path: Path) -> PredictionRun:
    study = make_study(people)
    with_films(study, write_films(tmp_path / "films", 2), by=people.alice)
    run = start_run(study=study, algorithm=registered(people.dev), assists=True, by=people.alice)
    mask = [document_of(Plane.of(spot()))]
    for row in rows_of(run):
        assert working.record(row.token, "", outcome_for(row, 0.9997, masks=mask))
    return run


def covered(page: Page, more_than: float = -1) -> float:
    """Once it is drawn, which takes some frames."""
    page.wait_for_function(f"() => ({COVERED})() > {more_than}")
    found: float = page.evaluate(COVERED)
    return found


def test_heat_map_and_outline_lie_over_the_film_and_come_and_go(
    server_environment: dict[str, str], run: PredictionRun
) -> None:
    path = f"/studies/{run.study.token}/predictions/{run.token}/output/{rows_of(run)[0].token}/"
    with (
        Server(server_environment, parts=(WEB,)) as server,
        open_browser() as browser,
        visit(browser, server.address, "alice") as page,
    ):
        page.goto(server.address + path)
        panel = page.locator("#assistance")
        expect(panel.get_by_text(">99.9 %")).to_be_visible()
        expect(panel.get_by_role("button", name="Outline")).to_have_attribute("aria-pressed", "true")
        outlined = covered(page, more_than=0)
        panel.get_by_role("button", name="Heat map").click()
        faint = covered(page, more_than=outlined)
        panel.get_by_label("Opacity: Heat map").fill("100")
        covered(page, more_than=faint)
        check_page(page, "output-laid-over")
        page.keyboard.press("h")
        expect(panel.get_by_role("button", name="Heat map")).to_have_attribute("aria-pressed", "false")
        page.locator(".pane").first.focus()
        page.keyboard.press("k")
        page.wait_for_function(f"() => ({COVERED})() === 0")
        page.keyboard.press("h")
        covered(page, more_than=0)

        # Without scripts the film, the map and the mask stand beside each other.
        cookies = page.context.cookies()
        plain = browser.new_context(java_script_enabled=False)
        plain.add_cookies([{name: one[name] for name in ("name", "value", "domain", "path")} for one in cookies])
        still = plain.new_page()
        still.goto(server.address + path)
        for name in ("Images", "Heat map", "Mask"):
            expect(still.get_by_role("img", name=name)).to_be_visible()
        expect(still.get_by_text(">99.9 %").first).to_be_visible()
        plain.close()
