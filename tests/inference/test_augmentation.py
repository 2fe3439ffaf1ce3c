"""What moves, moves together; what has a known answer, has it."""

import math

import pytest
import torch

from inference.learning.augmentation import Batch, augmented
from inference.learning.losses import Truth
from inference.steps import Brightness, Contrast, Flip, Noise, Rotate, Scale, Shift

MOVES = (Rotate(20.0), Scale(0.2), Shift(0.1))


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blob(*size: int) -> torch.Tensor:
    """A ball beside the middle, shape (8, 1, *size)."""
    axes = torch.meshgrid(*(torch.arange(n) + 0.5 for n in size), indexing="ij")
    distance = sum((axis - 0.42 * n) ** 2 for axis, n in zip(axes, size, strict=True))
    return (torch.as_tensor(distance) < (0.17 * min(size)) ** 2).float().expand(8, 1, *size)


@pytest.mark.parametrize("size", [(48, 48), (64, 32), (24, 32, 28)])
def test_masks_and_levels_move_with_their_images(size: tuple[int, ...]) -> None:
    ball = blob(*size)
    batch = Batch({"one": ball, "two": 2 * ball}, Truth(torch.ones(8), ball, 3 * ball[:, 0].long()))
    found = augmented(batch, MOVES, chance())
    mask, level = found.truth.mask, found.truth.level
    assert mask is not None
    assert level is not None
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(level, 3 * mask[:, 0].long())
    assert torch.equal(found.truth.positive, torch.ones(8))
    assert torch.allclose(found.inputs["two"], 2 * found.inputs["one"], atol=1e-5)
    overlap = 2 * ((found.inputs["one"] > 0.5) * mask).sum() / ((found.inputs["one"] > 0.5).sum() + mask.sum())
    assert overlap > 0.95
    assert not torch.equal(mask, ball)


@pytest.mark.parametrize("size", [(64, 32), (24, 32, 28)])
def test_a_turn_changes_no_length_where_the_axes_differ(size: tuple[int, ...]) -> None:
    """A ball stays a ball, as many pixels large, also in an input that is no square."""
    ball = blob(*size)
    moved = augmented(Batch({"one": ball}, Truth()), (Rotate(90.0),), chance()).inputs["one"]
    assert moved.flatten(1).sum(1) == pytest.approx(ball.flatten(1).sum(1), rel=0.06)


def test_a_scale_of_a_fifth_scatters_areas_within_its_bounds() -> None:
    ball = blob(96, 96)
    areas = augmented(Batch({"one": ball}, Truth()), (Scale(0.2),), chance()).inputs["one"].flatten(1).sum(1)
    ratio = areas / ball[0].sum()
    assert ratio.min() > 0.8**2 * 0.97
    assert ratio.max() < 1.2**2 * 1.03
    assert ratio.std() > 0.05


def test_a_shift_moves_by_no_more_than_its_share() -> None:
    ball = blob(64, 64)
    moved = augmented(Batch({"one": ball}, Truth()), (Shift(0.1),), chance()).inputs["one"]

    def middle(images: torch.Tensor) -> torch.Tensor:
        rows = torch.arange(64) + 0.5
        return torch.stack([(images.sum(axis) * rows).sum(-1)[:, 0] / images.sum((1, 2, 3)) for axis in (3, 2)])

    away = (middle(moved) - middle(ball)).abs()
    assert away.max() <= 6.4 + 0.1
    assert away.max() > 3


def test_a_mirror_exchanges_left_and_right_of_about_half() -> None:
    film = torch.rand(200, 1, 4, 6, generator=chance(5))
    found = augmented(Batch({"one": film}, Truth()), (Flip(),), chance()).inputs["one"]
    same = [torch.allclose(a, b, atol=1e-5) for a, b in zip(found, film, strict=True)]
    turned = [torch.allclose(a, b.flip(-1), atol=1e-5) for a, b in zip(found, film, strict=True)]
    assert all(a != b for a, b in zip(same, turned, strict=True))
    assert 70 < sum(turned) < 130


def test_values_change_within_their_bounds() -> None:
    film = torch.rand(400, 1, 8, 8, generator=chance(6)) - 0.5
    contrast = augmented(Batch({"one": film}, Truth()), (Contrast(0.15),), chance()).inputs["one"] / film
    assert 0.85 <= contrast.min() < 0.87
    assert 1.13 < contrast.max() <= 1.15 + 1e-5
    spread = film.flatten(1).amax(1) - film.flatten(1).amin(1)
    added = (augmented(Batch({"one": film}, Truth()), (Brightness(0.1),), chance()).inputs["one"] - film)[:, 0, 0, 0]
    assert 0.09 < (added / spread).abs().max() <= 0.1 + 1e-5
    noise = augmented(Batch({"one": film}, Truth()), (Noise(0.05),), chance()).inputs["one"] - film
    assert noise.flatten(1).std(1).max() < 0.05 * 1.35
    assert noise.std() == pytest.approx(0.05 / math.sqrt(3), rel=0.1)


def test_the_same_chance_gives_the_same_batch() -> None:
    batch = Batch({"one": blob(16, 16)}, Truth(mask=blob(16, 16)))
    steps = (*MOVES, Contrast(0.1), Noise(0.1))
    first, again, other = (augmented(batch, steps, chance(seed)).inputs["one"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
