"""Losses against the equations worked by hand, and against MONAI where it has them."""

import math

import pytest
import torch
import torch.nn.functional as F

from inference.learning.losses import Truth, depth_losses, dice_ce, loss_of, structure_loss
from inference.models.contract import Answer
from inference.outputs import CaseLoss, DiceLoss, LevelLoss, StructureLoss


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(3, 1, 40, 40, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def mask() -> torch.Tensor:
    """One case without a finding, one with a small and one with a large square."""
    squares = torch.zeros(3, 1, 40, 40)
    squares[1, 0, 5:9, 5:9] = 1
    squares[2, 0, 10:35, 3:30] = 1
    return squares


def test_dice_and_cross_entropy_are_those_of_monai(logits: torch.Tensor, mask: torch.Tensor) -> None:
    from monai.losses import DiceCELoss

    theirs = DiceCELoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0)
    assert dice_ce(logits, mask).item() == pytest.approx(theirs(logits, mask).item(), rel=1e-6)


def test_without_edges_the_structure_loss_is_plain_cross_entropy_and_iou() -> None:
    """On an empty mask every weight is 1. At logit 0: bce = ln 2, IoU = (0 + 1)/(1600/2 + 1)."""
    empty = torch.zeros(1, 1, 40, 40)
    assert structure_loss(empty, empty).item() == pytest.approx(math.log(2) + 1 - 1 / 801, rel=1e-6)


def test_one_pixel_weighs_nearly_six() -> None:
    """One pixel of a mask of 64 × 64 at its middle: w = 1 + 5·(1 − 1/961) there and 1 + 5/961 in the 960 around it."""
    mask = torch.zeros(1, 1, 64, 64)
    mask[0, 0, 32, 32] = 1
    one, around = 1 + 5 * (1 - 1 / 961), 1 + 5 / 961
    whole = one + 960 * around + (64 * 64 - 961)
    # At logit 0: p = 1/2, and p + m − p·m is 1 at the pixel and 1/2 elsewhere.
    iou = (one / 2 + 1) / (one + (whole - one) / 2 + 1)
    assert structure_loss(torch.zeros_like(mask), mask).item() == pytest.approx(math.log(2) + 1 - iou, rel=1e-6)


def test_the_cross_entropy_is_weighted_too() -> None:
    """That pixel missed, logit −9 everywhere: its cross-entropy counts nearly six times the 9/4096 of a plain mean."""
    mask = torch.zeros(1, 1, 64, 64)
    mask[0, 0, 32, 32] = 1
    one, around = 1 + 5 * (1 - 1 / 961), 1 + 5 / 961
    whole = one + 960 * around + (64 * 64 - 961)
    p, missed, right = 1 / (1 + math.exp(9)), math.log1p(math.exp(9)), math.log1p(math.exp(-9))
    bce = (one * missed + (whole - one) * right) / whole
    iou = (one * p + 1) / (one + (whole - one) * p + 1)
    assert structure_loss(mask * 0 - 9, mask).item() == pytest.approx(bce + 1 - iou, rel=1e-5)


def test_a_right_mask_costs_nothing(mask: torch.Tensor) -> None:
    certain = (mask * 2 - 1) * 40
    assert structure_loss(certain, mask).item() == pytest.approx(0, abs=1e-6)
    assert dice_ce(certain, mask).item() == pytest.approx(0, abs=1e-6)


def test_depths_are_weighed_one_one_two_four(logits: torch.Tensor, mask: torch.Tensor) -> None:
    depths = (logits, logits * 2, logits * 3, logits * 4)
    each = depth_losses(depths, mask)
    assert each[1:].tolist() == [structure_loss(one, mask).item() for one in depths[1:]]
    together = loss_of((StructureLoss(weight=0.5),), Answer(mask=depths[-1], depths=depths), Truth(mask=mask))
    assert together.item() == pytest.approx(0.5 * (each[0] + each[1] + 2 * each[2] + 4 * each[3]).item(), rel=1e-6)
    single = loss_of((StructureLoss(),), Answer(mask=logits), Truth(mask=mask))
    assert single.item() == pytest.approx(4 * structure_loss(logits, mask).item(), rel=1e-6)


def test_losses_are_summed_by_their_weights(logits: torch.Tensor, mask: torch.Tensor) -> None:
    logit, positive = torch.tensor([0.3, -0.2, 1.0]), torch.tensor([0.0, 1.0, 1.0])
    levels, level = torch.randn(3, 4, 40, 40), mask[:, 0].long() * 2
    answer, truth = Answer(logit, logits, levels), Truth(positive, mask, level)
    total = loss_of((CaseLoss(), DiceLoss(weight=2.0), LevelLoss(weight=3.0)), answer, truth, balance=1.5)
    case = F.binary_cross_entropy_with_logits(logit, positive, pos_weight=torch.tensor(1.5))
    wanted = case + 2 * dice_ce(logits, mask) + 3 * F.cross_entropy(levels, level)
    assert total.item() == pytest.approx(wanted.item(), rel=1e-6)


def test_smoothing_draws_labels_together_and_balance_may_be_left_out() -> None:
    logit, positive = torch.tensor([2.0]), torch.tensor([1.0])
    plain = loss_of((CaseLoss(smoothing=0.1, balance=False),), Answer(logit), Truth(positive), balance=9.0)
    p = 1 / (1 + math.exp(-2))
    assert plain.item() == pytest.approx(-0.9 * math.log(p) - 0.1 * math.log(1 - p), rel=1e-6)


def test_cases_with_a_mask_count_as_often_as_the_balance_says(logits: torch.Tensor, mask: torch.Tensor) -> None:
    """A positive that counts three times is three positives."""
    said, there = logits[1:], mask[1:]
    assert there.any()
    once = structure_loss(torch.cat([said, said]), torch.cat([there, 0 * there]), 3.0)
    thrice = structure_loss(torch.cat([said] * 4), torch.cat([there, there, there, 0 * there]))
    assert once.item() == pytest.approx(thrice.item(), rel=1e-6)
