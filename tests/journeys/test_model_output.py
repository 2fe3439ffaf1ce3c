"""What a model found reaches the aided reader, on a film and on MR: outlines, vertebrae by name, where they lie.

Synthetic patients with their truth; the model is one that is right, so where its output is drawn can be told.
"""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from inference.cohorts.levels import CODES
from inference.imaging.images import read_image
from inference.prediction import Plane, Vertebra
from inference.prediction import Prediction as Outcome
from readerstudy.allocation.actions import draw
from readerstudy.embedded.places import REPOSITORY
from readerstudy.predictions import working
from readerstudy.predictions.actions import start_run
from readerstudy.predictions.models import RunCase
from readerstudy.reading.actions import open_reading
from readerstudy.reading.models import Exposure
from readerstudy.studies.actions import freeze
from readerstudy.studies.models import Study
from tests.journeys.reading_room import answer, begin, settle
from tests.journeys.visits import check_page, open_browser, real_people, visit
from tests.models import plain_environment
from tests.planes import png_of
from tests.readerstudy.predictions.workshop import registered
from tests.readerstudy.reading.room import ALL_SHOWN
from tests.servers import WEB, Server
from tests.world import People, make_study, with_films

pytestmark = pytest.mark.journey
CORNERS = ("anterior_superior", "posterior_superior", "posterior_inferior", "anterior_inferior")
Row = dict[str, str]


def phantoms(folder: Path, study: str, cases: int) -> Path:
    """The manifest of some cases, as many with a fracture as without, of a small synthetic cohort."""
    words = ["phantoms", "build", study, "--preset", "tiny", "--out", str(folder), "--workers", "1"]
    command = [sys.executable, "-m", "inference", *words]
    subprocess.run(command, cwd=REPOSITORY, env=plain_environment(), capture_output=True, check=True)
    rows = table(folder / "manifest.csv")
    chosen = []
    for truth in ("1", "0"):
        chosen += list(dict.fromkeys(row["case"] for row in rows if row["truth"] == truth))[: cases // 2]
    kept = folder / "chosen.csv"
    with kept.open("w", newline="", encoding="utf-8") as stream:
        out = csv.DictWriter(stream, list(rows[0]))
        out.writeheader()
        out.writerows(row for row in rows if row["case"] in chosen)
    return kept


def table(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def film_findings(folder: Path, row: Row) -> dict[str, Any]:
    """Outline and vertebrae of a film, from its truth."""
    bodies = [one for one in table(folder / "vertebrae.csv") if one["case"] == row["case"] and one["visible"] == "1"]
    with Image.open(folder / row["levels"]) as levels:
        rows, columns = levels.height, levels.width
    shown = [one for one in bodies if all(inside(point, rows, columns) for point in corners_of(one))]
    vertebrae = [
        Vertebra(
            one["level"], 0.91 if one["fractured"] == "1" else 0.06, one["fractured"] == "1", 0, 0, corners_of(one)
        )
        for one in shown
    ]
    masks = []
    if row["mask"]:
        with Image.open(folder / row["mask"]) as mask:
            masks = [Plane.of(png_of((np.asarray(mask) > 0).astype(np.uint8) * 255))]
    return {"masks": tuple(masks), "vertebrae": tuple(vertebrae), "boxes": ()}


def corners_of(body: Row) -> Any:
    return tuple((float(body[f"{corner}_row"]), float(body[f"{corner}_column"])) for corner in CORNERS)


def inside(point: tuple[float, float], rows: int, columns: int) -> bool:
    return 0 <= point[0] < rows and 0 <= point[1] < columns


def series_findings(folder: Path, row: Row) -> dict[str, Any]:
    """The body of the level that the case is about, on each slice that it lies in."""
    labels = read_image(folder / row["levels"]).values
    marked = labels == CODES[row["level"]]
    masks = [Plane.of(png_of(plane.astype(np.uint8) * 255), slice=n) for n, plane in enumerate(marked) if plane.any()]
    heat = [Plane.of(png_of((plane * 200).astype(np.uint8)), slice=n) for n, plane in enumerate(marked) if plane.any()]
    return {"masks": tuple(masks), "heatmaps": tuple(heat), "vertebrae": None}


def record(row: RunCase, findings: dict[str, Any]) -> None:
    threshold = row.run.algorithm.card["spec"]["decision"]["threshold"]
    answer = Outcome(
        probability=0.91,
        positive=threshold <= 0.91,
        operating_point=threshold,
        card_digest=row.run.algorithm.digest,
        input_digest=row.prediction.input_digest,
        **findings,
    )
    assert working.record(row.prediction.token, "", answer.to_message())
    row.prediction.refresh_from_db()
    assert row.prediction.phase == "done", row.prediction.error


def open_study(people: People, folder: Path, study: str, cases: int, findings: Any) -> Study:
    manifest = phantoms(folder, study, cases)
    made = make_study(people, outline=ALL_SHOWN, title=f"Model output of {study}")
    with_films(made, manifest, by=people.alice)
    run = start_run(study=made, algorithm=registered(people.alice), assists=True, by=people.alice)
    rows = {row["case"]: row for row in reversed(table(manifest))}
    for run_case in RunCase.objects.filter(run=run).select_related("run__algorithm", "case", "prediction"):
        record(run_case, findings(folder, rows[run_case.case.label]))
    freeze(study=made, by=people.alice)
    draw(study=made, by=people.alice)
    open_reading(study=made, by=people.alice)
    return made


@pytest.fixture
def people(server_environment: dict[str, str]) -> Iterator[People]:
    yield real_people("alice", "bob", "rita", "tess", "stan")


# The overlay's colour where a point of the image is fitted into the window.
COLOUR_AT = """([x, y, columns, rows]) => {
    const canvas = document.querySelector("canvas.overlay");
    const scale = Math.min(canvas.width / columns, canvas.height / rows);
    const [left, top] = [canvas.width / 2 + (x - columns / 2) * scale, canvas.height / 2 + (y - rows / 2) * scale];
    return Array.from(canvas.getContext("2d").getImageData(Math.round(left), Math.round(top), 1, 1).data);
}"""
AMBER = [255, 180, 84, 255]


def submit(page: Page) -> None:
    slot = page.locator("#reading").get_attribute("data-slot")
    position = int(page.locator("#progress").inner_text().split("/")[0])
    answer(page, "bob", 1, position)
    page.keyboard.press("Enter")
    page.locator(f"#reading[data-slot='{slot}']").wait_for(state="detached")


def until_aided(page: Page) -> None:
    """Answers the cases that are read without the model."""
    while page.locator("#assistance").is_hidden():
        submit(page)
        settle(page)


def test_vertebrae_and_outlines_lie_on_the_film(
    server_environment: dict[str, str], people: People, tmp_path: Path
) -> None:
    open_study(people, tmp_path / "s2", "s2", 4, film_findings)
    with (
        Server(server_environment, parts=(WEB,)) as server,
        open_browser() as browser,
        visit(browser, server.address, "bob") as page,
    ):
        begin(page, server.address)
        until_aided(page)
        panel = page.locator("#assistance")
        vertebrae = panel.get_by_role("table", name="Vertebrae named by the model")
        expect(vertebrae).to_be_visible()
        page.wait_for_timeout(500)
        check_page(page, "reading-aided-film")
        listed = vertebrae.locator("tbody tr").all_inner_texts()
        page.keyboard.press("l")
        expect(vertebrae).to_be_hidden()
        page.keyboard.press("l")
        expect(vertebrae).to_be_visible()
        page.keyboard.press("?")
        expect(page.get_by_text("Show or hide the vertebrae")).to_be_visible()
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)
        slot = page.locator("#reading").get_attribute("data-slot")
        data = page.evaluate(f"fetch('/reading/{slot}/case.json').then((r) => r.json())")
        frame = data["series"][0]["frames"][0]
        fractured = [one for one in data["assistance"]["levels"] if one["positive"]]
        assert [row.split()[0] for row in listed] == [one["label"] for one in data["assistance"]["levels"]]
        for one in fractured:
            x, y = np.mean(one["points"][:2], axis=0)
            assert page.evaluate(COLOUR_AT, [x, y, frame["columns"], frame["rows"]]) == AMBER
        submit(page)
    kinds = set(Exposure.objects.filter(shown=True).values_list("kind", flat=True))
    assert {"probability", "levels"} <= kinds <= {"output", "probability", "levels", "mask"}


def test_output_of_a_series_lies_on_its_own_slices(
    server_environment: dict[str, str], people: People, tmp_path: Path
) -> None:
    made = open_study(people, tmp_path / "s1", "s1", 4, series_findings)
    assert set(made.cases.values_list("series__label", flat=True)) == {"T1W", "T2W"}
    with (
        Server(server_environment, parts=(WEB,)) as server,
        open_browser() as browser,
        visit(browser, server.address, "bob") as page,
    ):
        begin(page, server.address)
        until_aided(page)
        panel = page.locator("#assistance")
        expect(panel).to_contain_text("of T1W")
        expect(panel.get_by_text("The model puts no box")).to_have_count(0)
        page.keyboard.press("g")
        expect(page.get_by_role("button", name="Heat map")).to_have_attribute("aria-pressed", "true")
        page.wait_for_timeout(500)
        check_page(page, "reading-aided-series")
        # The other series bears nothing: the model read the finding's slices of the first one.
        drawn = "(n) => document.querySelectorAll('canvas.overlay')[n].getContext('2d')"
        drawn += ".getImageData(0, 0, 2000, 2000).data.some((v) => v)"
        assert page.evaluate(drawn, 0)
        assert not page.evaluate(drawn, 1)
