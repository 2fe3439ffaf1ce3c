"""Every registered family keeps the contract; recipes that cannot be followed are refused by field."""

import pytest
import torch

from inference.models import UnknownFamily, build, families
from inference.recipes import BadRecipe, presets, read_recipe
from inference.saliency import METHODS


@pytest.fixture(params=presets())
def preset(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_family_has_a_preset() -> None:
    assert {read_recipe(name)["family"] for name in presets()} == set(families())


def test_forward_is_the_head_over_the_features(preset: str) -> None:
    recipe = read_recipe(preset)
    model = build(recipe["family"], recipe["architecture"]).eval()
    images = torch.rand(3, 1, recipe["preprocessing"]["rows"], recipe["preprocessing"]["columns"])
    with torch.no_grad():
        maps = model.features(images)
        logits = model(images)
    assert maps.ndim == 4
    assert logits.shape == (3,)
    assert torch.equal(logits, model.head(maps))
    assert recipe["explanation"]["method"] in METHODS


def test_one_step_down_the_gradient_lowers_the_loss(preset: str) -> None:
    torch.manual_seed(0)
    recipe = read_recipe(preset)
    model = build(recipe["family"], recipe["architecture"] | {"dropout": 0.0}).train()
    images = torch.rand(8, 1, recipe["preprocessing"]["rows"], recipe["preprocessing"]["columns"])
    target = torch.tensor([0.0, 1.0] * 4)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for _ in range(6):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(images), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_a_place_is_as_good_as_another_to_the_located_family() -> None:
    """Moved by its whole stride, away from the borders, a blob gives the same maxima."""
    torch.manual_seed(0)
    model = build("located", {"widths": [4, 8, 8, 8]}).eval()
    images = torch.zeros(2, 1, 128, 128)
    images[0, 0, 40:50, 40:50] = 1
    images[1, 0, 56:66, 64:74] = 1
    with torch.inference_mode():
        peaks = model.features(images).amax(dim=(2, 3))
    assert torch.allclose(peaks[0], peaks[1], atol=1e-5)


def test_wavelets_do_not_see_a_flat_image() -> None:
    model = build("wavelet", {})
    assert model.filters.sum(dim=(1, 2, 3)).abs().max() < 1e-5
    assert model.filters.square().sum(dim=(1, 2, 3)).min() > 1e-4


def test_unknown_families_and_fields_are_named() -> None:
    with pytest.raises(UnknownFamily, match="'resnet' is not registered; known are located, small_cnn, wavelet"):
        build("resnet", {})
    with pytest.raises(UnknownFamily, match="unexpected keyword argument 'inputs'"):
        build("small_cnn", {"inputs": 6})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("family", "famly"), "names no family"),
        (("[training]", "[trainig]"), r"no table \[training\]"),
        (("batch = 32", "bach = 32"), "missing or unknown: bach, batch"),
        (('"hires-cam"', '"x-ray"'), "method is one of grad-cam, hires-cam"),
        (("family =", "family = ="), "cannot be read"),
    ],
)
def test_faults_of_a_recipe_are_named(tmp_path: object, change: tuple[str, str], reason: str) -> None:
    from pathlib import Path

    from inference.recipes import FOLDER

    path = Path(str(tmp_path)) / "mine.toml"
    path.write_text((FOLDER / "small.toml").read_text().replace(*change))
    with pytest.raises(BadRecipe, match=reason):
        read_recipe(str(path))
    with pytest.raises(BadRecipe, match="There is no recipe"):
        read_recipe(str(path) + "x")
