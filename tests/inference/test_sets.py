"""The cohorts of the five studies: read by the cohort reader, the same from the same seed, truth on the images."""

import csv
import hashlib
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.__main__ import main
from inference.cohorts.cases import BadCohort, read_cohort
from inference.cohorts.levels import CODES
from inference.imaging.images import read_image
from inference.phantoms.features import signs_of
from inference.phantoms.plans import STUDIES
from inference.phantoms.records import CORNERS
from inference.phantoms.sets import build_set, orders_of
from inference.phantoms.show import Tile, sheet

SEED = 7


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    for study in STUDIES:
        build_set(study, folder / study, "tiny", SEED)
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_two_processes_write_what_one_writes(sets: Path, tmp_path: Path) -> None:
    again = build_set("s3", tmp_path / "again", "tiny", SEED, workers=2)
    assert (tmp_path / "again/digests.json").read_bytes() == (sets / "s3/digests.json").read_bytes()
    assert again.digest == hashlib.sha256((sets / "s3/digests.json").read_bytes()).hexdigest()
    other = build_set("s3", tmp_path / "other", "tiny", SEED + 1)
    assert other.digest != again.digest


def test_digests_are_those_of_the_files(sets: Path) -> None:
    for study in STUDIES:
        digests = json.loads((sets / study / "digests.json").read_text())
        files = {path.relative_to(sets / study).as_posix() for path in (sets / study).rglob("*") if path.is_file()}
        assert set(digests) == files - {"digests.json"}
        for name in ("manifest.csv", sorted(digests)[1]):
            assert digests[name] == hashlib.sha256((sets / study / name).read_bytes()).hexdigest()


@pytest.mark.parametrize("study", STUDIES)
def test_the_cohort_reader_takes_every_set(sets: Path, study: str) -> None:
    cases = read_cohort(sets / study / "manifest.csv")
    assert {case.facts["synthetic"] for case in cases} == {"yes"}
    roles = {case.role for case in cases}
    assert roles == {"develop", "control", *(() if study == "s1" else ("external",))}
    outside = {case.site for case in cases if case.role == "external"}
    inside = {case.site for case in cases if case.role != "external"}
    assert not outside & inside
    positive = [case for case in cases if case.positive]
    assert 0.2 <= len(positive) / len(cases) <= 0.6
    for case in cases:
        assert set(case.images) == ({"T1W", "T2W"} if study == "s1" else {""})
        assert case.positive is not None
        assert (case.mask is not None) == case.positive
        image = read_image(next(iter(case.images.values())))
        if case.positive:
            assert case.place is not None
            assert case.mask is not None
            mask = read_image(case.mask).values > 0
            assert mask.shape == image.values.shape
            assert mask.any()
        if case.levels is not None:
            levels = read_image(case.levels).values
            assert levels.shape == image.values.shape
            assert set(np.unique(levels)) <= {0.0, *map(float, CODES.values())}


@pytest.mark.parametrize("study", ["s0", "s2", "s3"])
def test_masks_are_the_quadrilaterals_of_the_broken_bodies(sets: Path, study: str) -> None:
    bodies = defaultdict(list)
    for body in rows_of(sets / study / "vertebrae.csv"):
        bodies[body["case"]].append(body)
    for row in rows_of(sets / study / "manifest.csv"):
        broken = [body for body in bodies[row["case"]] if body["fractured"] == body["visible"] == "1"]
        assert bool(broken) == (row["truth"] == "1")
        levels = np.asarray(Image.open(sets / study / row["levels"]))
        assert levels.dtype == np.uint8
        if not broken:
            continue
        mask = np.asarray(Image.open(sets / study / row["mask"])) > 0
        assert set(np.unique(levels[mask])) == {CODES[body["level"]] for body in broken}
        for body in broken:
            row_middle = np.mean([float(body[f"{corner}_row"]) for corner in CORNERS])
            column_middle = np.mean([float(body[f"{corner}_column"]) for corner in CORNERS])
            assert mask[round(row_middle), round(column_middle)]


def test_old_fractures_are_no_finding_of_s0_and_s3(sets: Path) -> None:
    for study in ("s0", "s3"):
        rows = rows_of(sets / study / "manifest.csv")
        assert any(row["truth"] == "0" and row["old_fracture"] == "1" for row in rows)
        assert all(row["truth"] == row["acute_fracture"] for row in rows)
    both = [row for row in rows_of(sets / "s3/manifest.csv") if row["old_fracture"] == row["acute_fracture"] == "1"]
    assert both
    assert {row["scene"] for row in rows_of(sets / "s3/manifest.csv")} == {"film", "operation"}


def test_repeat_films_stand_in_development_alone_and_patients_in_one_role() -> None:
    orders = orders_of("s0", "small", SEED)
    films = defaultdict(set)
    for order in orders:
        films[order.patient].add((order.role, order.case))
    assert len(orders) == 900
    assert sum(order.role == "develop" for order in orders) == 560
    again = {patient for patient, cases in films.items() if len(cases) > 1}
    assert len(again) > 80
    assert all({role for role, _ in films[patient]} == {"develop"} for patient in again)
    assert len({order.case for order in orders}) == len(orders)


def test_s1_has_the_numbers_of_the_study_and_the_marks_of_the_senior(sets: Path) -> None:
    orders = [order for order in orders_of("s1", "small", SEED) if order.role == "develop"]
    assert (len(orders), sum(order.positive for order in orders)) == (190, 50)
    rows = rows_of(sets / "s1/features.csv")
    names = [sign.name for sign in signs_of("kind")]
    assert len(names) == 15
    assert list(rows[0]) == ["case", "patient", "malignant", *names]
    assert {row[name] for row in rows for name in names} == {"0", "1"}
    truth = {row["case"]: row["truth"] for row in rows_of(sets / "s1/manifest.csv")}
    assert truth == {row["case"]: row["malignant"] for row in rows}


def test_the_place_on_slices_is_the_broken_body(sets: Path) -> None:
    for study in ("s1", "s4"):
        for row in rows_of(sets / study / "manifest.csv"):
            levels = read_image(sets / study / row["levels"]).values
            place = tuple(round(float(row[name])) for name in ("slice", "row", "column"))
            tall, wide = float(row["height"]) / 2, float(row["width"]) / 2
            rows, columns = np.nonzero(levels[place[0]] == CODES[row["level"]])
            assert place[1] - tall - 1.5 <= rows.min() <= rows.max() <= place[1] + tall + 1.5
            assert place[2] - wide - 1.5 <= columns.min() <= columns.max() <= place[2] + wide + 1.5


def test_what_cannot_be_built_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadCohort, match="no study 's9'"):
        build_set("s9", tmp_path / "new", "tiny", SEED)
    with pytest.raises(BadCohort, match="no preset 'huge'"):
        build_set("s0", tmp_path / "new", "huge", SEED)
    (tmp_path / "note.txt").write_text("mine")
    words = ["phantoms", "build", "s0", "--preset", "tiny", "--out", str(tmp_path), "--workers", "1"]
    assert main(words) == 2
    assert "is not empty" in capsys.readouterr().err


def test_an_image_and_its_truth_stand_in_one_row() -> None:
    """Five tiles would fit in a row; the fifth is the first of a pair and goes to the next row with its truth."""
    grey = [Image.new("RGB", (100, 50), (shade, shade, shade)) for shade in (60, 80, 100, 120, 140, 160)]
    tiles = [Tile(picture, f"{place}", beside=place % 2 == 1) for place, picture in enumerate(grey)]
    drawn = np.asarray(sheet(tiles, width=540))[:, :, 0]
    assert drawn.shape[1] <= 440, "no empty column at the right"
    tops = {int(shade): int(np.nonzero((drawn == shade).any(axis=1))[0][0]) for shade in (60, 80, 100, 120, 140, 160)}
    assert tops[60] == tops[80] == tops[100] == tops[120] == 0
    assert tops[140] == tops[160] > 50


def test_contact_sheets_show_films_and_slices(sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for study, name in (("s2", "films.png"), ("s1", "mr.png"), ("s4", "ct.html")):
        words = ["phantoms", "show", str(sets / study), "--out", str(tmp_path / name), "--count", "3"]
        assert main([*words, "--height", "120"]) == 0
        assert "3 synthetic images" in capsys.readouterr().out
    with Image.open(tmp_path / "films.png") as sheet:
        # Colour comes from the truth alone: films are grey.
        colours = np.asarray(sheet).astype(int)
    assert (np.ptp(colours, axis=2) > 60).sum() > 200
    text = (tmp_path / "ct.html").read_text()
    assert text.count("<div><figure>") == 3, "each image and its truth in one block"
    assert text.count("data:image/png;base64,") == 6
    assert main(["phantoms", "show", str(sets / "s2"), "--out", str(tmp_path / "films.gif")]) == 2
    assert "neither .png nor .html" in capsys.readouterr().err
