"""Synthetic films: repeatable, with the heights that Genant's grades ask for, bones where the manifest says."""

import csv
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.phantoms import MANIFEST, build
from inference.phantoms.column import GENANT_LOSS, Patient, chance_for, make_patient
from inference.phantoms.film import COLUMNS, PIXEL, ROWS, SITES, make_film, make_view, place_of


@pytest.fixture(scope="module")
def patients() -> list[Patient]:
    return [make_patient(41, f"P{number:03d}", fractured=number % 2 == 1) for number in range(120)]


def test_the_same_seed_gives_the_same_bytes_and_a_patient_hangs_on_nothing_else(tmp_path: Path) -> None:
    three = build(tmp_path / "three", cases=3, seed=5)
    four = build(tmp_path / "four", cases=4, seed=5)
    other = build(tmp_path / "other", cases=3, seed=6)
    lines = four.read_text().splitlines()
    assert three.read_text().splitlines() == lines[:4]
    for row in csv.DictReader(three.open()):
        assert (tmp_path / "three" / row["file"]).read_bytes() == (tmp_path / "four" / row["file"]).read_bytes()
        assert (tmp_path / "three" / row["file"]).read_bytes() != (tmp_path / "other" / row["file"]).read_bytes()
    assert other.read_text() != three.read_text()


def test_films_are_twelve_bit_grey_and_say_that_they_are_synthetic(tmp_path: Path) -> None:
    manifest = build(tmp_path, cases=4, seed=8)
    rows = list(csv.DictReader(manifest.open()))
    assert manifest.name == MANIFEST
    assert [row["truth"] for row in rows] == ["0", "1", "0", "1"]
    assert {row["synthetic"] for row in rows} == {"yes"}
    for row in rows:
        with Image.open(tmp_path / row["file"]) as image:
            assert image.mode == "I;16"
            pixels = np.asarray(image)
        assert pixels.shape == (ROWS, COLUMNS)
        assert pixels.max() <= 4095
        corner = pixels[ROWS - 60 : ROWS - 5, 5:120]
        # White letters on a black strip.
        assert (corner == 0).sum() > 500
        assert (corner > 3900).sum() > 100


def test_heights_follow_genant(patients: list[Patient]) -> None:
    grades = set()
    for patient in patients:
        for body in patient.vertebrae:
            change = patient.change_of(body.level)
            if change is None:
                assert min(body.anterior, body.middle) / body.posterior > 0.90
            elif change is patient.mimic:
                # Genant calls nothing under a fifth a fracture.
                assert min(body.anterior, body.middle) / body.posterior > 0.80
        if patient.fracture is None:
            continue
        broken = next(body for body in patient.vertebrae if body.level == patient.fracture.level)
        low, high = GENANT_LOSS[patient.fracture.grade]
        if patient.fracture.shape == "wedge":
            loss = 1 - broken.anterior / broken.posterior * (1 - 0.10 * patient.fracture.loss)
            assert low <= loss <= high
        elif patient.fracture.shape == "biconcave":
            loss = 1 - broken.middle / broken.posterior * (1 - 0.12 * patient.fracture.loss)
            assert low <= loss <= high
        grades.add(patient.fracture.grade)
    assert grades == {1, 2, 3}


def test_bodies_do_not_overlap(patients: list[Patient]) -> None:
    for patient in patients:
        for lower, upper in pairwise(patient.vertebrae):
            distance = np.hypot(upper.x - lower.x, upper.z - lower.z)
            # Seven millimetres of disc at least would be an adult's; the thoracic ones are thinner.
            assert distance > (lower.posterior + lower.anterior + upper.posterior + upper.anterior) / 4 + 1.5


def test_the_place_in_the_manifest_is_the_vertebra_on_the_film(patients: list[Patient]) -> None:
    """A body is denser than the disc under it, which lies half-way to the next body's place."""
    denser = []
    for patient in patients[:12]:
        film = make_film(patient, SITES["North"])
        for level, below in (("L1", "L2"), ("L2", "L3"), ("L3", "L4")):
            if patient.fracture is not None and patient.fracture.level in (level, below):
                continue
            (row, column), (next_row, next_column) = place_of(patient, level), place_of(patient, below)
            body = film[row - 6 : row + 7, column - 6 : column + 7].mean()
            between = film[(row + next_row) // 2 - 2 : (row + next_row) // 2 + 3, (column + next_column) // 2 - 6 :]
            denser.append(body > between[:, :13].mean())
    assert np.mean(denser) > 0.9


def test_millimetres_on_the_film_are_the_patients(patients: list[Patient]) -> None:
    for patient in patients[:20]:
        view = make_view(patient, chance_for(patient.chance))
        down = np.hypot(view.x[-1, 0] - view.x[0, 0], view.z[-1, 0] - view.z[0, 0])
        assert down == pytest.approx((ROWS - 1) * PIXEL, rel=1e-4)
        first, second = patient.vertebrae[2], patient.vertebrae[4]
        pixels = np.hypot(*np.subtract(place_of(patient, first.level), place_of(patient, second.level)))
        assert pixels * PIXEL == pytest.approx(np.hypot(first.x - second.x, first.z - second.z), abs=2 * PIXEL)


def test_every_fracture_lies_on_its_film(patients: list[Patient]) -> None:
    for patient in patients:
        if patient.fracture is not None:
            row, column = place_of(patient, patient.fracture.level)
            assert 10 < row < ROWS - 10
            assert 10 < column < COLUMNS - 10


def test_sites_differ_in_noise(patients: list[Patient]) -> None:
    rough = {}
    for name, site in SITES.items():
        film = make_film(patients[0], site)[150:550, 100:400]
        rough[name] = np.median(np.abs(np.diff(film, axis=1))) / (np.percentile(film, 95) - np.percentile(film, 5))
    assert rough["South"] > 1.2 * rough["North"]


def test_the_web_may_make_phantoms_without_torch() -> None:
    code = "import sys, inference.phantoms, inference.phantoms.readers; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
