"""The losses that a specification names, over one answer and one truth; every one is finite where a mask is empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from inference.models.contract import Answer
from inference.outputs import CaseLoss, DiceLoss, LevelLoss, Loss, PlaceLoss, StructureLoss

# Empty masks are the rule in controls: 0/0 becomes 1/1.
SMOOTH = 1.0
# Of the neighbourhood that makes edges and thin places weigh more, in pixels.
NEIGHBOURHOOD = 31
# From the coarsest to the finest of four depths.
DEPTH_WEIGHTS = (1.0, 1.0, 2.0, 4.0)


class Truth(NamedTuple):
    """What a batch should have been answered; None where the specification does not ask for it.

    Attributes
    ----------
    positive : Tensor, shape (batch,)
        1 for the positive label, 0 for the other.
    mask : Tensor, shape (batch, 1, *size)
        1 inside, 0 outside.
    level : Tensor of int64, shape (batch, *size)
        0 for background, 1 for the first level.
    """

    positive: Tensor | None = None
    mask: Tensor | None = None
    level: Tensor | None = None


class Term(NamedTuple):
    """One of several losses of a batch: its name, the weight that it enters the sum with, its value before it."""

    name: str
    weight: float
    value: Tensor


def loss_of(losses: tuple[Loss, ...], answer: Answer, truth: Truth, balance: float = 1.0) -> Tensor:
    """The weighted sum of the losses that a specification names.

    Parameters
    ----------
    losses : tuple of Loss
        ``spec.train.losses``.
    answer, truth
        Of one batch.
    balance : float
        Negatives per positive in the training part; only where the case's loss is balanced.

    Returns
    -------
    Tensor, shape ()
    """
    return torch.stack([term.weight * term.value for term in terms_of(losses, answer, truth, balance)]).sum()


def terms_of(losses: tuple[Loss, ...], answer: Answer, truth: Truth, balance: float = 1.0) -> tuple[Term, ...]:
    """What `loss_of` sums up, one by one; a structure loss over several depths is a term at each depth."""
    return tuple(term for loss in losses for term in terms(loss, answer, truth, balance))


def terms(loss: Loss, answer: Answer, truth: Truth, balance: float) -> Iterator[Term]:
    match loss:
        case CaseLoss():
            yield Term(loss.tag, loss.weight, case_loss(given(answer.logit), given(truth.positive), loss, balance))
        case DiceLoss():
            yield Term(loss.tag, loss.weight, dice_ce(given(answer.mask), given(truth.mask)))
        case StructureLoss():
            depths = answer.depths or (given(answer.mask),)
            values = depth_losses(depths, given(truth.mask), loss.balance)
            for number, weight in enumerate(DEPTH_WEIGHTS[-len(depths) :]):
                name = f"{loss.tag} {number + 1}" if len(depths) > 1 else loss.tag
                yield Term(name, loss.weight * weight, values[number])
        case LevelLoss():
            yield Term(loss.tag, loss.weight, F.cross_entropy(given(answer.level), given(truth.level)))
        case PlaceLoss():
            yield Term(loss.tag, loss.weight, place_loss(given(answer.mask), given(truth.mask), loss.balance))


def given(tensor: Tensor | None) -> Tensor:
    """The specification was checked: what a loss looks at is among the outputs."""
    assert tensor is not None
    return tensor


def case_loss(logit: Tensor, positive: Tensor, loss: CaseLoss, balance: float) -> Tensor:
    """Binary cross-entropy, the positives times ``balance``, the labels drawn towards each other by ``smoothing``."""
    target = positive * (1 - 2 * loss.smoothing) + loss.smoothing
    weight = torch.tensor(balance if loss.balance else 1.0, device=logit.device)
    return F.binary_cross_entropy_with_logits(logit, target, pos_weight=weight)


def dice_ce(logits: Tensor, mask: Tensor) -> Tensor:
    """1 − (2 Σ p·m + 1) / (Σ p + Σ m + 1), mean over cases, plus the binary cross-entropy, mean over pixels.

    Parameters
    ----------
    logits, mask : Tensor, shape (batch, 1, *size)

    References
    ----------
    Milletari et al., "V-Net", 3DV 2016, without the squares; the summand 1 as in `SMOOTH`.
    """
    p, m = torch.sigmoid(logits).flatten(1), mask.flatten(1)
    dice = (2 * (p * m).sum(1) + SMOOTH) / (p.sum(1) + m.sum(1) + SMOOTH)
    return (1 - dice).mean() + F.binary_cross_entropy_with_logits(logits, mask)


def place_loss(logits: Tensor, mask: Tensor, balance: float) -> Tensor:
    """Binary cross-entropy, pixels inside the mask times ``balance``, mean over all pixels."""
    return F.binary_cross_entropy_with_logits(logits, mask, pos_weight=torch.tensor(balance, device=logits.device))


def structure_loss(logits: Tensor, mask: Tensor, balance: float = 1.0) -> Tensor:
    """Weighted cross-entropy plus weighted IoU, w = 1 + 5·|mean of the mask over 31 × 31 − mask|.

    Σ w·bce / Σ w + 1 − (Σ w·p·m + 1) / (Σ w·(p + m − p·m) + 1), mean over cases, of which those with a mask count
    ``balance`` times. The cross-entropy is weighted as the equation says; the published programme took its mean first,
    which leaves it unweighted.

    Parameters
    ----------
    logits, mask : Tensor, shape (batch, 1, rows, columns)

    Returns
    -------
    Tensor, shape ()

    References
    ----------
    Wei et al., "F³Net", AAAI 2020, equations 4 to 7; used by Mei et al., CVPR 2021, section 3.5.
    """
    return weighted_loss(logits, mask, edge_weight(mask), balance)


def edge_weight(mask: Tensor) -> Tensor:
    """1 + 5·|mean of the mask over 31 × 31 − mask|; along rows, then along columns, a seventh of the time of both."""
    margin = NEIGHBOURHOOD // 2
    rows = F.avg_pool2d(mask, (NEIGHBOURHOOD, 1), stride=1, padding=(margin, 0))
    mean = F.avg_pool2d(rows, (1, NEIGHBOURHOOD), stride=1, padding=(0, margin))
    return 1 + 5 * (mean - mask).abs()


def weighted_loss(logits: Tensor, mask: Tensor, weight: Tensor, balance: float) -> Tensor:
    bce = F.binary_cross_entropy_with_logits(logits, mask, reduction="none").flatten(1)
    p, m, w = torch.sigmoid(logits).flatten(1), mask.flatten(1), weight.flatten(1)
    common, either = (w * p * m).sum(1), (w * (p + m - p * m)).sum(1)
    iou = (common + SMOOTH) / (either + SMOOTH)
    share = 1 + (balance - 1) * m.amax(1)
    return (share * ((w * bce).sum(1) / w.sum(1) + 1 - iou)).sum() / share.sum()


def depth_losses(depths: tuple[Tensor, ...], mask: Tensor, balance: float = 1.0) -> Tensor:
    """The loss at every depth, before `DEPTH_WEIGHTS`: plain at the coarsest of several, structured at the others.

    Parameters
    ----------
    depths : tuple of Tensor, each of shape (batch, 1, rows, columns)
        From coarse to fine.
    mask : Tensor, shape (batch, 1, rows, columns)

    Returns
    -------
    Tensor, shape (len(depths),)

    References
    ----------
    Mei et al., CVPR 2021, equation 5.
    """
    plain = [weighted_loss(depths[0], mask, torch.ones_like(mask), balance)] if len(depths) > 1 else []
    weight = edge_weight(mask)
    return torch.stack(plain + [weighted_loss(logits, mask, weight, balance) for logits in depths[len(plain) :]])
