"""Synthetic films: repeatable, with the heights that Genant's grades ask for, bones where the truth says."""

import csv
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.cohorts.levels import CODES
from inference.phantoms import MANIFEST, bones, build
from inference.phantoms.column import GENANT_LOSS, Patient, Wanted, chance_for, corners_of, make_patient
from inference.phantoms.exposure import C_ARM, SITES, water_cube
from inference.phantoms.film import lengths_of, make_film
from inference.phantoms.truth import area, truth_of
from inference.phantoms.views import Framing, make_view

ANY = Wanted(several=0.4, variants=0.3, implants=0.2)


@pytest.fixture(scope="module")
def patients() -> list[Patient]:
    return [make_patient(41, f"P{number:03d}", fractured=number % 2 == 1, wanted=ANY) for number in range(120)]


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
        assert min(pixels.shape) > 300
        assert pixels.max() <= 4095
        corner = pixels[-50:, :140]
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
        broken = patient.vertebra(patient.fracture.level)
        low, high = GENANT_LOSS[patient.fracture.grade]
        if patient.fracture.shape == "wedge":
            assert low <= round(1 - broken.anterior / broken.posterior, 9) <= high
        elif patient.fracture.shape == "biconcave":
            assert low <= round(1 - broken.middle / broken.posterior, 9) <= high
        grades.add(patient.fracture.grade)
    assert grades == {1, 2, 3}


def test_bodies_do_not_overlap(patients: list[Patient]) -> None:
    for patient in patients:
        for lower, upper in pairwise(patient.vertebrae):
            distance = np.hypot(upper.x - lower.x, upper.z - lower.z)
            # Seven millimetres of disc at least would be an adult's; the thoracic ones are thinner.
            assert distance > (lower.posterior + lower.anterior + upper.posterior + upper.anterior) / 4 + 1.5


def test_bodies_are_denser_than_the_discs_between_them(patients: list[Patient]) -> None:
    denser = []
    for patient in patients[:12]:
        film = make_film(patient, "A")
        middles = {body.vertebra.level: body.middle for body in film.truth.bodies if body.visible}
        for level, below in (("L1", "L2"), ("L2", "L3")):
            broken = {fracture.level for fracture in patient.fractures} | {one.level for one in patient.implants}
            if {level, below} & broken or not {level, below} <= set(middles):
                continue
            row, column = (round(value) for value in middles[level])
            between = [round((a + b) / 2) for a, b in zip(middles[level], middles[below], strict=True)]
            body = film.pixels[row - 3 : row + 4, column - 3 : column + 4].mean()
            disc = film.pixels[between[0] - 1 : between[0] + 2, between[1] - 3 : between[1] + 4].mean()
            denser.append(body > disc)
    assert len(denser) > 8
    assert np.mean(denser) > 0.85


def test_the_way_to_the_film_and_back_is_one(patients: list[Patient]) -> None:
    for patient in patients[:10]:
        view = make_view(patient, chance_for(patient.chance), Framing(), pixel=0.42, margin=10, hold="L1")
        x, z = view.grid()
        for row, column in ((0, 0), (view.rows - 1, 3), (17, view.columns - 1)):
            spot = view.spot(float(x[row, column]), float(z[row, column]))
            assert tuple(spot) == pytest.approx((row, column), abs=0.01)


def test_outlines_have_the_area_and_the_place_of_the_bodies(patients: list[Patient]) -> None:
    """Area from the patient's millimetres, centre from the labelled pixels: neither takes the way of the corners."""
    for patient in patients[:20]:
        film = make_film(patient, "B")
        for body in film.truth.bodies:
            if not body.visible:
                continue
            labelled = np.argwhere(film.truth.levels == CODES[body.vertebra.level])
            one = body.vertebra
            square_mm = one.depth * (one.anterior + one.posterior) / 2
            assert area(body.corners) * film.view.pixel**2 == pytest.approx(square_mm, rel=0.01)
            assert len(labelled) == pytest.approx(area(body.corners), rel=0.17)
            assert tuple(labelled.mean(axis=0)) == pytest.approx(tuple(body.middle), abs=4)


def test_a_film_shows_what_it_must_and_cuts_the_rest(patients: list[Patient]) -> None:
    counts, anchors = [], []
    for patient in patients:
        for number in (1, 2):
            chance = chance_for(patient.chance, number)
            hold = patient.fracture.level if patient.fracture else "L1"
            framing = Framing(heights=(165, 282))
            view = make_view(patient, chance, framing, pixel=0.42, margin=9, hold=hold)
            shown = truth_of(patient, view).bodies
            assert next(body for body in shown if body.vertebra.level == hold).visible
            counts.append(sum(body.visible for body in shown))
            sacrum = view.spot(patient.vertebrae[0].x, patient.vertebrae[0].z - 20).row < view.rows + 8
            anchors.append(sacrum or any(body.vertebra.ribs for body in shown))
    assert min(counts) <= 4
    assert max(counts) >= 8
    assert all(anchors)


def test_another_film_of_a_patient_is_another_view_of_the_same_bones(patients: list[Patient]) -> None:
    first, second = (make_film(patients[1], "A", number=number) for number in (1, 2))
    assert first.view != second.view
    heights = [{body.vertebra.level: body.heights for body in film.truth.bodies} for film in (first, second)]
    both = set(heights[0]) & set(heights[1])
    assert len(both) > 5
    assert all(heights[0][level] == heights[1][level] for level in both)


def test_water_follows_beer_and_lambert() -> None:
    for side in (20.0, 60.0, 100.0, 160.0):
        measured, expected = water_cube(side)
        assert measured == pytest.approx(expected, rel=0.01)
        assert expected == pytest.approx(np.exp(-0.0205 * side))
    # Scatter fills the shadow: a hospital's film is not so clean.
    measured, expected = water_cube(100.0, site=SITES["D"])
    assert measured > 1.2 * expected


def test_sites_differ_in_noise(patients: list[Patient]) -> None:
    rough = {}
    for name in SITES:
        film = make_film(patients[0], name, framing=Framing(heights=(280, 281), scale=1)).pixels[150:450, 100:300]
        rough[name] = np.median(np.abs(np.diff(film, axis=1))) / (np.percentile(film, 95) - np.percentile(film, 5))
    assert rough["C"] > 1.3 * rough["A"]
    assert C_ARM.photons < min(site.photons for site in SITES.values())


def test_an_operation_is_round_and_dark_outside(patients: list[Patient]) -> None:
    film = make_film(patients[1], "A", operation=True)
    rows, columns = film.pixels.shape
    assert rows == columns
    assert film.pixels[2:8, 2:8].max() == 0
    assert film.truth.levels[0, 0] == 0
    assert next(body for body in film.truth.bodies if body.fracture).visible


def test_metal_and_cement_stop_more_rays_than_the_bone_without_them() -> None:
    for kind in ("screws", "cement"):
        patient = next(
            one
            for one in (make_patient(3, f"{kind}{n}", fractured=False, wanted=Wanted(implants=1)) for n in range(40))
            if one.implants and one.implants[0].kind == kind
        )
        view = make_view(patient, chance_for(1), Framing(), pixel=0.42, margin=0, hold=patient.implants[0].level)
        bare = lengths_of(replace(patient, implants=()), view, chance_for(2))[1]
        more = lengths_of(patient, view, chance_for(2))[1] - bare
        body = patient.vertebra(patient.implants[0].level)
        row, column = (round(value) for value in view.spot(body.x, body.z))
        near = more[max(0, row - 25) : row + 25, max(0, column - 45) : column + 25]
        # Five millimetres of titanium, some twenty of cement.
        assert (1.0 if kind == "screws" else 0.6) < near.max() < 12
        assert near.min() > -0.3


def test_fresh_signs_are_drawn_at_the_upper_endplate_and_old_ones_are_not_fresh() -> None:
    """The band's added attenuation, measured on the difference of two looks of one body."""
    one = make_patient(3, "plain", fractured=False).vertebra("L2")
    x, v = np.meshgrid(np.linspace(-20, 20, 81, dtype=np.float32), np.linspace(16, -16, 65, dtype=np.float32))
    plain = bones.body(one, bones.Look(), 0.0, x, v, chance_for(1))
    banded = bones.body(one, bones.Look(impaction=1.0), 0.0, x, v, chance_for(1)) - plain
    middle = banded[:, 40]
    assert 2 < one.endplates(0.0)[0] - v[int(middle.argmax()), 0] < 6
    assert abs(middle[-20:]).max() < 0.02
    dense = bones.body(one, bones.Look(sclerosis=1.0), 0.0, x, v, chance_for(1))
    assert 1.3 < dense[28:38, 36:44].mean() / plain[28:38, 36:44].mean() < 2.2


def test_corners_of_the_film_are_those_of_the_patient(patients: list[Patient]) -> None:
    film = make_film(patients[3], "A")
    body = next(body for body in film.truth.bodies if body.vertebra.level == "L2")
    for (x, _, z), spot in zip(corners_of(body.vertebra), body.corners, strict=True):
        assert film.view.spot(x, z) == spot


def test_the_web_may_make_phantoms_without_torch() -> None:
    code = "import sys, inference.phantoms, inference.phantoms.readers; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
