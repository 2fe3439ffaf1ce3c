"""The model of the demonstration, on films of patients whom it never saw: where it points, and what its card says."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.cards import Card
from inference.cohorts.cases import mark_of
from inference.explain.cam import heat_maps
from inference.imaging.images import Image
from inference.imaging.preparing import prepare
from inference.learning.predicting import answers
from inference.models import registry
from inference.models.weights import load_declared
from inference.phantoms import FULL
from inference.phantoms.column import make_patient
from inference.phantoms.film import make_film

DEMO = Path(__file__).parents[2] / "fixtures/demo"
# A vertebra with its discs, in mm; films show some 277 × 183 of them.
NEAR, HEIGHT, WIDTH = 22, 277, 183


@pytest.fixture(scope="module")
def films() -> tuple[Tensor, list[tuple[float, float]]]:
    """All with a fracture of grade 2 or 3, and where it is, in shares of height and width."""
    spec = Card.load(DEMO / "model").spec
    inputs, places = [], []
    for number in range(24):
        patient = make_patient(77, f"S{number:03d}", fractured=True)
        if patient.fracture is None or patient.fracture.grade < 2:
            continue
        film = make_film(patient, "A", framing=FULL)
        prepared = prepare(spec, {"": Image(film.pixels.astype(np.float32)[None], (1.0, 1.0, 1.0))}, None)
        inputs.append(prepared.inputs["lateral"])
        broken = next(body for body in film.truth.bodies if body.vertebra.level == patient.fracture.level)
        row, column = prepared.geometry.points_onto(np.array([[broken.middle.row, broken.middle.column]]))[0]
        places.append((row / spec.size[0], column / spec.size[1]))
    return torch.from_numpy(np.stack(inputs)), places


def hits(maps: "np.ndarray", places: list[tuple[float, float]]) -> tuple[float, float]:
    """How often the strongest place lies within a vertebra's size of the fracture, and how often by chance."""
    found, chance = [], []
    for plane, (row, column) in zip(maps, places, strict=True):
        rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
        down, across = (rows + 0.5) / plane.shape[0] - row, (columns + 0.5) / plane.shape[1] - column
        near = np.hypot(down * HEIGHT, across * WIDTH) < NEAR
        found.append(near[np.unravel_index(int(plane.argmax()), plane.shape)])
        chance.append(near.mean())
    return float(np.mean(found)), float(np.mean(chance))


def test_its_heat_map_points_at_the_fracture(films: tuple[Tensor, list[tuple[float, float]]]) -> None:
    inputs, places = films
    card, model = load_declared(DEMO / "model")
    found, chance = hits(heat_maps(model, card.spec, {"lateral": inputs}), places)
    assert found > 10 * chance
    random = registry.build(card.spec).eval()
    lost, _ = hits(heat_maps(random, card.spec, {"lateral": inputs}), places)
    assert lost < found / 2


def test_its_mask_marks_the_fracture(films: tuple[Tensor, list[tuple[float, float]]]) -> None:
    inputs, places = films
    said = list(answers(load_declared(DEMO / "model")[1], {"lateral": inputs}))
    found, _ = hits(np.stack([answer.mask for answer in said if answer.mask is not None]), places)
    assert found > 0.8


def test_its_card_is_of_its_specification_and_it_never_saw_the_cases_of_the_demonstration() -> None:
    card = Card.load(DEMO / "model")
    declared = registry.load(str(DEMO / "lateral-spine.toml"))
    assert card.spec.train == declared.train
    assert card.spec.architecture == declared.architecture
    assert card.version == "1"
    assert "synthetic" in card.limits
    marks = json.loads((DEMO / "model" / "seen.json").read_text())
    seen = {patient for part in marks.values() for patient in part["patients"]}
    assert len(seen) == 600
    assert mark_of("synthetic-T001") in seen
    assert not seen & {mark_of(f"synthetic-D{number:03d}") for number in range(1, 400)}
