"""Images as they might have been taken, for training only; masks and levels move along. In two and three dimensions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from inference.learning.losses import Truth
from inference.steps import Augment, Brightness, Contrast, Flip, Noise, Rotate, Scale, Shift


class Batch(NamedTuple):
    """What one step of a training reads.

    Attributes
    ----------
    inputs : mapping
        Name of an input to its tensor, (batch, channels, *size).
    truth : Truth
    """

    inputs: Mapping[str, Tensor]
    truth: Truth


def augmented(batch: Batch, steps: tuple[Augment, ...], chance: torch.Generator) -> Batch:
    """The batch with every step drawn anew for every case.

    Turns, scales, shifts and mirrorings move all inputs, the mask and the levels of a case together; the edge of an
    image is drawn on beyond it, masks and levels are empty there. Contrast, brightness and noise are drawn for each
    input by itself.

    Parameters
    ----------
    batch : Batch
        Of any number of cases, in two or three dimensions.
    steps : tuple of Augment
        ``spec.train.augment``.
    chance : torch.Generator
        The only source of chance: the same state gives the same batch.

    Examples
    --------
    >>> film = torch.arange(4.0).reshape(1, 1, 2, 2)
    >>> same = augmented(Batch({"lateral": film}, Truth()), (), torch.Generator())
    >>> torch.equal(same.inputs["lateral"], film)
    True
    """
    inputs, truth = moved(batch, steps, chance)
    changed = {name: values_changed(tensor, steps, chance) for name, tensor in inputs.items()}
    return Batch(changed, truth)


def moved(batch: Batch, steps: tuple[Augment, ...], chance: torch.Generator) -> Batch:
    first = next(iter(batch.inputs.values()))
    cases, size = len(first), tuple(first.shape[2:])
    theta = affine(cases, size, steps, chance)
    if theta is None:
        return batch
    names = list(batch.inputs)
    channels = [batch.inputs[name].shape[1] for name in names]
    grid = F.affine_grid(theta, [cases, 1, *size], align_corners=False)
    images = F.grid_sample(
        torch.cat([batch.inputs[name] for name in names], dim=1),
        grid,
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    mask, level = batch.truth.mask, batch.truth.level
    return Batch(
        dict(zip(names, images.split(channels, dim=1), strict=True)),
        batch.truth._replace(
            mask=None if mask is None else labels_moved(mask, grid),
            level=None if level is None else labels_moved(level[:, None].float(), grid)[:, 0].long(),
        ),
    )


def labels_moved(labels: Tensor, grid: Tensor) -> Tensor:
    """The nearest label, so that none arises that was not there."""
    return F.grid_sample(labels, grid, mode="nearest", padding_mode="zeros", align_corners=False)


def affine(cases: int, size: tuple[int, ...], steps: tuple[Augment, ...], chance: torch.Generator) -> Tensor | None:
    """Where each voxel of the moved image comes from, shape (cases, dims, dims + 1); None where nothing moves.

    Axes run as `torch.nn.functional.affine_grid` wants them: columns, rows, slices, each from −1 to 1.
    """
    dims = len(size)
    matrix, shift = torch.eye(dims).repeat(cases, 1, 1), torch.zeros(cases, dims, 1)
    # A turn is one only where all axes have the same unit.
    unit = torch.tensor(size[::-1], dtype=torch.float32)
    moves = False
    for step in steps:
        match step:
            case Rotate():
                matrix = turns(cases, dims, step.degrees, chance) @ matrix
            case Scale():
                matrix = matrix / (1 + step.share * either_way(cases, 1, 1, chance=chance))
            case Shift():
                shift = shift + 2 * step.share * either_way(cases, dims, 1, chance=chance)
            case Flip():
                sides = torch.ones(cases, dims)
                sides[:, 0] = torch.where(torch.rand(cases, generator=chance) < 0.5, -1.0, 1.0)
                matrix = torch.diag_embed(sides) @ matrix
            case _:
                continue
        moves = True
    scaled = matrix * unit[None, None, :] / unit[None, :, None]
    return torch.cat([scaled, shift], dim=2) if moves else None


def turns(cases: int, dims: int, degrees: float, chance: torch.Generator) -> Tensor:
    """Rotations by up to that angle: in the plane, or about each of three axes, shape (cases, dims, dims)."""
    result = torch.eye(dims).repeat(cases, 1, 1)
    for one, other in ((0, 1),) if dims == 2 else ((0, 1), (0, 2), (1, 2)):
        angle = math.radians(degrees) * either_way(cases, chance=chance)
        turn = torch.eye(dims).repeat(cases, 1, 1)
        turn[:, one, one] = turn[:, other, other] = torch.cos(angle)
        turn[:, one, other], turn[:, other, one] = -torch.sin(angle), torch.sin(angle)
        result = turn @ result
    return result


def values_changed(images: Tensor, steps: tuple[Augment, ...], chance: torch.Generator) -> Tensor:
    each = (len(images), *[1] * (images.ndim - 1))
    for step in steps:
        match step:
            case Contrast():
                images = images * (1 + step.share * either_way(*each, chance=chance))
            case Brightness():
                spread = images.flatten(1).amax(1) - images.flatten(1).amin(1)
                images = images + spread.reshape(each) * step.share * either_way(*each, chance=chance)
            case Noise():
                deviation = step.deviation * torch.rand(each, generator=chance)
                images = images + deviation * torch.randn(images.shape, generator=chance)
            case _:
                continue
    return images


def either_way(*shape: int, chance: torch.Generator) -> Tensor:
    """Drawn evenly from −1 to 1."""
    return 2 * torch.rand(shape, generator=chance) - 1
