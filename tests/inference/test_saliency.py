"""Heat maps: exact shares where that can be said, at the fracture more often than chance where it cannot."""

from pathlib import Path

import numpy as np
import pytest
import torch

from inference.models import build
from inference.phantoms import FULL
from inference.phantoms.column import make_patient
from inference.phantoms.film import make_film
from inference.predict import model_in
from inference.preprocess import Preprocessing
from inference.saliency import class_activation

DEMO = Path(__file__).parents[2] / "fixtures/demo/model"


def test_hires_shares_add_up_to_the_logit_of_a_linear_head() -> None:
    """Without the ReLU, Σ g·A is logit − bias; so the positive part is the map that comes back, up to its scale."""
    torch.manual_seed(0)
    model = build("wavelet", {"grid": 4}).eval()
    torch.nn.init.normal_(model.linear.weight, std=0.1)
    images = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        maps = model.features(images)
        shares = (model.linear.weight.reshape(maps.shape[1:]) * maps).sum(dim=1)
        assert torch.allclose(shares.sum(dim=(1, 2)) + model.linear.bias, model(images), atol=1e-4)
    expected = torch.relu(shares)
    expected /= expected.amax(dim=(1, 2), keepdim=True)
    assert np.allclose(class_activation(model, images, "hires-cam"), expected, atol=1e-5)


def test_both_methods_agree_where_the_head_is_a_mean() -> None:
    torch.manual_seed(0)
    model = build("small_cnn", {"grid": 1, "width": 4}).eval()
    images = torch.rand(2, 1, 32, 32)
    assert np.allclose(
        class_activation(model, images, "grad-cam"), class_activation(model, images, "hires-cam"), atol=1e-6
    )


def test_a_map_without_support_is_empty_and_not_stretched() -> None:
    model = build("small_cnn", {"grid": 1, "width": 4}).eval()
    torch.nn.init.constant_(model.linear.weight, -1.0)
    assert (class_activation(model, torch.rand(1, 1, 32, 32), "grad-cam") == 0).all()


@pytest.fixture(scope="module")
def films() -> tuple[torch.Tensor, list[tuple[float, float]]]:
    """Films of patients whom the demo model never saw, all with a fracture of grade 2 or 3, and where it is."""
    card, _ = model_in(DEMO)
    preprocessing = Preprocessing.from_recipe(card.recipe["preprocessing"])
    inputs, places = [], []
    for number in range(60):
        patient = make_patient(77, f"S{number:03d}", fractured=True)
        if patient.fracture is None or patient.fracture.grade < 2:
            continue
        film = make_film(patient, "A", framing=FULL)
        inputs.append(preprocessing(film.pixels.astype(np.float32)))
        broken = next(body for body in film.truth.bodies if body.vertebra.level == patient.fracture.level)
        places.append((broken.middle.row / film.view.rows, broken.middle.column / film.view.columns))
    return torch.from_numpy(np.stack(inputs))[:, None], places


def hits(maps: np.ndarray, places: list[tuple[float, float]]) -> tuple[float, float]:
    """How often the strongest place lies within a vertebra's size of the fracture, and how often by chance."""
    found, chance = [], []
    for plane, (row, column) in zip(maps, places, strict=True):
        rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
        # A vertebra with its discs is 45 mm of the some 277 × 183 mm of a film.
        near = np.hypot(((rows + 0.5) / plane.shape[0] - row) * 277, ((columns + 0.5) / plane.shape[1] - column) * 183)
        strongest = np.unravel_index(int(plane.argmax()), plane.shape)
        found.append(near[strongest] < 22)
        chance.append((near < 22).mean())
    return float(np.mean(found)), float(np.mean(chance))


def test_the_demo_model_points_at_the_fracture(films: tuple[torch.Tensor, list[tuple[float, float]]]) -> None:
    inputs, places = films
    card, model = model_in(DEMO)
    found, chance = hits(class_activation(model, inputs, card.recipe["explanation"]["method"]), places)
    assert found > 10 * chance
    torch.manual_seed(0)
    random = build(card.family, card.recipe["architecture"]).eval()
    lost, _ = hits(class_activation(random, inputs, card.recipe["explanation"]["method"]), places)
    assert lost < found / 2
