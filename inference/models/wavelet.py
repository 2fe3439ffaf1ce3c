"""Energies of fixed wavelets on a coarse grid of places, and a linear head: for some hundreds of films.

Nothing but the head is trained, so there is little to learn by heart. The filters are Gabor wavelets of several scales
and directions; their modulus, averaged over each cell of a grid, is a first-order scattering transform.
Bruna and Mallat, "Invariant scattering convolution networks", IEEE PAMI 35:1872–1886, 2013, section 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.models import register

SIZE = 11


def gabor(directions: int) -> Tensor:
    """Real and imaginary parts of Gabor wavelets without a mean, shape (2·directions, 1, 11, 11)."""
    steps = torch.arange(SIZE, dtype=torch.float64) - SIZE // 2
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    filters = []
    for number in range(directions):
        angle = math.pi * number / directions
        along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
        bell = torch.exp(-(along**2 + (across / 2) ** 2) / (2 * 1.6**2))
        wave = bell * torch.exp(1j * (3 * math.pi / 4) * along)
        wave = wave - bell * (wave.sum() / bell.sum())
        wave = wave / wave.abs().sum()
        filters += [wave.real, wave.imag]
    return torch.stack(filters)[:, None].float()


class Wavelet(nn.Module):
    """Logit of the positive label from one grey image.

    Parameters
    ----------
    directions, scales : int
        Of the wavelets; each scale halves the resolution.
    grid : int
        Energies are averaged on a grid × grid raster.
    dropout : float
    """

    filters: Tensor

    def __init__(self, directions: int = 6, scales: int = 4, grid: int = 8, dropout: float = 0.5) -> None:
        super().__init__()
        self.register_buffer("filters", gabor(directions))
        self.scales, self.grid = scales, grid
        self.channels = directions * scales + 1
        self.norm = nn.BatchNorm1d(self.channels * grid * grid, affine=False)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(self.channels * grid * grid, 1)
        nn.init.zeros_(self.linear.weight)

    def features(self, images: Tensor) -> Tensor:
        """Logarithms of the energies, each place and channel with mean 0 and deviation 1 over the training films."""
        image, maps = images, [F.adaptive_avg_pool2d(images, self.grid)]
        for _ in range(self.scales):
            padded = F.pad(image, (SIZE // 2,) * 4, mode="reflect")
            waves = F.conv2d(padded, self.filters)
            energy = torch.sqrt(waves[:, 0::2] ** 2 + waves[:, 1::2] ** 2 + 1e-8)
            maps.append(F.adaptive_avg_pool2d(energy, self.grid))
            image = F.avg_pool2d(image, 2)
        energies = torch.log(torch.cat(maps, dim=1).clamp(min=0) + 1e-3)
        return self.norm(energies.flatten(1)).reshape(energies.shape)  # type: ignore[no-any-return]

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.dropout(features.flatten(1)))
        return logits[:, 0]

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))


@register("wavelet")
def build(recipe: Mapping[str, Any]) -> nn.Module:
    """The family from its recipe, e.g. ``{"directions": 6, "scales": 4, "grid": 8}``."""
    return Wavelet(**recipe)
