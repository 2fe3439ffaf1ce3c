"""Films as they might have been taken, for training only."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def augmented(images: Tensor, chance: torch.Generator, *, flip: bool) -> Tensor:
    """Small turns (±6°), scales and shifts (±10 %), contrast and brightness; mirrored where the finding has no side."""
    n = len(images)
    turn = (torch.rand(n, generator=chance) - 0.5) * 0.2
    scale = 1 + (torch.rand(n, generator=chance) - 0.5) * 0.2
    grid = torch.zeros(n, 2, 3)
    grid[:, 0, 0], grid[:, 0, 1] = scale * torch.cos(turn), -scale * torch.sin(turn)
    grid[:, 1, 0], grid[:, 1, 1] = scale * torch.sin(turn), scale * torch.cos(turn)
    grid[:, :, 2] = (torch.rand(n, 2, generator=chance) - 0.5) * 0.2
    places = F.affine_grid(grid, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, places, align_corners=False, padding_mode="border")
    contrast = 1 + (torch.rand(n, 1, 1, 1, generator=chance) - 0.5) * 0.3
    brightness = (torch.rand(n, 1, 1, 1, generator=chance) - 0.5) * 0.2
    # A second channel holds marks, which move with the image but have no contrast.
    changed = torch.cat([moved[:, :1] * contrast + brightness, moved[:, 1:]], dim=1)
    if flip:
        mirror = torch.rand(n, generator=chance) < 0.5
        changed[mirror] = changed[mirror].flip(-1)
    return changed
