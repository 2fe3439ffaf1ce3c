"""The pointing game and its check by randomised weights, on a model that has learnt where bright squares are."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from statsmodels.stats.proportion import proportion_confint
from torch import Tensor

from inference.cohorts.cases import BadCohort
from inference.explain.cam import CannotExplain, grad_cam
from inference.explain.pointing import Pointing, pointing_game, strongest, widened
from inference.explain.randomisation import Randomisation, layers_of, likeness, measure_again, sanity
from inference.models import registry
from inference.models.contract import Model

SIDE = 40


def test_the_interval_is_wilsons() -> None:
    for hits, cases in ((0, 12), (23, 73), (40, 40)):
        expected = proportion_confint(hits, cases, 0.1, method="wilson")
        assert Pointing(hits, cases, 0.1, 0.0).interval(0.9) == pytest.approx(expected, abs=1e-12)


def test_blind_maps_reach_chance() -> None:
    """Strongest places drawn evenly: the rate's interval holds the share of the widened masks."""
    chance = np.random.default_rng(1)
    maps = chance.random((2000, 20, 30), dtype=np.float32)
    masks = np.zeros((2000, 20, 30), dtype=bool)
    masks[:, 5:9, 10:16] = True
    found = pointing_game(maps, masks, tolerance=1)
    # 4 × 6 places, and one more on each of four sides but not over the corners.
    assert found.chance == pytest.approx((24 + 2 * (4 + 6)) / 600)
    low, high = found.interval(0.999)
    assert low < found.chance < high
    assert found.times_chance == pytest.approx(found.rate / found.chance)


def test_tolerance_is_measured_in_the_unit_of_the_spacing() -> None:
    mask = np.zeros((1, 9, 9), dtype=bool)
    mask[0, 4, 4] = True
    maps = np.zeros((1, 9, 9), dtype=np.float32)
    maps[0, 6, 4] = 1
    assert pointing_game(maps, mask, tolerance=2).hits == 1
    assert pointing_game(maps, mask, tolerance=2, spacing=(1.5, 1.0)).hits == 0
    assert pointing_game(maps, mask, tolerance=3, spacing=(1.5, 1.0)).hits == 1
    assert widened(mask[0], 0).sum() == 1


def test_volumes_and_masks_with_a_channel_are_taken() -> None:
    maps = np.zeros((2, 4, 5, 6), dtype=np.float32)
    maps[:, 2, 2, 2] = 1
    masks = np.zeros((2, 1, 4, 5, 6), dtype=bool)
    masks[0, 0, 2, 2, 2] = True
    found = pointing_game(maps, masks, tolerance=0)
    assert (found.hits, found.cases, found.chance) == (1, 1, 1 / 120)


def test_edges_of_the_game() -> None:
    nothing = np.zeros((3, 5, 5), dtype=np.float32)
    masks = np.ones((3, 5, 5), dtype=bool)
    assert pointing_game(nothing, masks, tolerance=0).hits == 0
    with pytest.raises(BadCohort, match="No case has a mask"):
        pointing_game(nothing, ~masks, tolerance=3)
    with pytest.raises(ValueError, match="cannot be held against"):
        pointing_game(nothing, masks[:, :4], tolerance=3)
    ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=np.float32)
    assert strongest(ring) == (0, 1)


def squares(cases: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noise; in every second image a square of 8 × 8 somewhere, brighter by one and a half deviations."""
    chance = np.random.default_rng(seed)
    images, masks = chance.normal(0, 1, (cases, 1, SIDE, SIDE)), np.zeros((cases, 1, SIDE, SIDE), dtype=bool)
    for number in range(0, cases, 2):
        row, column = chance.integers(2, SIDE - 10, 2)
        masks[number, 0, row : row + 8, column : column + 8] = True
    images[masks] += 1.5
    return torch.from_numpy(images.astype(np.float32)), torch.arange(cases) % 2 == 0, torch.from_numpy(masks)


@pytest.fixture(scope="module")
def taught() -> Model:
    torch.set_num_threads(1)
    model = registry.build(registry.load("s4-2d", "small"))
    images, positive, _ = squares(320, seed=1)
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    for epoch in range(6):
        for batch in torch.randperm(320, generator=torch.Generator().manual_seed(epoch)).split(32):
            logit = model({"CT": images[batch]}).logit
            assert logit is not None
            optimiser.zero_grad()
            F.binary_cross_entropy_with_logits(logit, positive[batch].float()).backward()
            optimiser.step()
    return model.eval()


@pytest.fixture(scope="module")
def checked(taught: Model) -> Randomisation:
    images, _, masks = squares(60, seed=2)
    return sanity(taught, SimpleNamespace(inputs={"CT": images}), masks, tolerance=4)


def test_a_model_that_learnt_points_at_the_finding_and_a_random_one_does_not(checked: Randomisation) -> None:
    assert checked.trained.cases == 30
    assert checked.trained.rate > 3 * checked.trained.chance
    assert checked.falls
    assert checked.steps[-1].pointing.rate < checked.trained.rate / 2
    assert checked.drop == checked.trained.rate - checked.steps[-1].pointing.rate


def test_the_cascade_goes_from_the_head_to_all_layers(checked: Randomisation, taught: Model) -> None:
    assert checked.layer == "trunk.layer4"
    assert checked.steps[0].down_to == "head"
    assert checked.steps[-1].share == 1
    assert checked.steps[-1].down_to == "trunk.conv1" == layers_of(taught)[-1]
    shares = [step.share for step in checked.steps]
    assert shares == sorted(shares)
    assert all(-1 <= step.correlation <= 1 for step in checked.steps)
    assert checked.steps[-1].correlation < 0.5


def test_the_check_leaves_the_model_and_chance_as_they_were_and_repeats(taught: Model) -> None:
    images, _, masks = squares(20, seed=3)
    before = {name: tensor.clone() for name, tensor in taught.state_dict().items()}
    maps, state = grad_cam(taught, {"CT": images}), torch.random.get_rng_state()
    first, second = (sanity(taught, SimpleNamespace(inputs={"CT": images}), masks, tolerance=4) for _ in range(2))
    assert first == second
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(tensor, before[name]) for name, tensor in taught.state_dict().items())
    assert np.array_equal(maps, grad_cam(taught, {"CT": images}))


def test_a_random_network_still_sees_its_images_once_its_normalisations_are_measured_again() -> None:
    model = registry.build(registry.load("s0-efficientnet", "small")).eval()
    images = torch.randn(6, 1, 128, 64, generator=torch.Generator().manual_seed(0))
    scatter = []
    for again in (False, True):
        if again:
            measure_again(model, images)
        with torch.no_grad():
            logit = model.answer(images).logit
        assert logit is not None
        scatter.append(float(logit.std()))
    assert scatter[0] < 1e-6
    assert scatter[1] > 1e-2


def test_maps_are_compared_by_rank() -> None:
    rising = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    assert likeness(rising, rising**3) == pytest.approx(1)
    assert likeness(rising, -rising) == pytest.approx(-1)
    assert likeness(rising, np.zeros_like(rising)) == 0


def test_masks_are_explained_too_and_nothing_to_point_at_is_refused(taught: Model) -> None:
    spec = registry.load("s3-pfnet", "small")
    model = registry.build(spec)
    films = SimpleNamespace(inputs={"lateral": torch.randn(4, 1, *spec.size)})
    masks = np.zeros((4, *spec.size), dtype=bool)
    with pytest.raises(BadCohort, match="nothing to point at"):
        sanity(model, films, masks, tolerance=2)
    masks[1:, 30:60, 20:40] = True
    found = sanity(model, films, masks, tolerance=2, of="mask", method="hires-cam")
    assert found.trained.cases == found.steps[0].pointing.cases == 3
    with pytest.raises(CannotExplain, match="no mask"):
        sanity(
            taught,
            SimpleNamespace(inputs={"CT": torch.randn(1, 1, 40, 40)}),
            np.ones((1, 40, 40), dtype=bool),
            tolerance=1,
            of="mask",
        )
