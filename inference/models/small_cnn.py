"""A small convolutional classifier for grey images: minutes of training on one processor core.

Three or four strided convolutions with batch normalisation; the head keeps a coarse grid of places, because where an
image is dense says as much as how dense it is, when there are hundreds of films and not hundreds of thousands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from inference.models import register


class SmallCnn(nn.Module):
    """Logit of the positive label from one grey image.

    Parameters
    ----------
    width : int
        Channels of the first stage; later stages have twice as many.
    stages : int
        Number of convolutions, each halving the resolution.
    grid : int
        The head sees the mean (and with ``peaks`` the maximum) of each channel on a grid × grid raster.
    dropout : float
    peaks : bool
        Whether maxima join the means: for findings that are small beside the image.
    """

    def __init__(
        self, width: int = 16, stages: int = 3, grid: int = 6, dropout: float = 0.5, *, peaks: bool = False
    ) -> None:
        super().__init__()
        channels = [1, width] + [2 * width] * (stages - 1)
        blocks: list[nn.Module] = []
        for stage in range(stages):
            size = 5 if stage == 0 else 3
            blocks += [
                nn.Conv2d(channels[stage], channels[stage + 1], size, stride=2, padding=size // 2, bias=False),
                nn.BatchNorm2d(channels[stage + 1]),
                nn.ReLU(),
            ]
        self.trunk = nn.Sequential(*blocks)
        self.mean = nn.AdaptiveAvgPool2d(grid)
        self.peak = nn.AdaptiveMaxPool2d(grid) if peaks else None
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels[-1] * grid * grid * (2 if peaks else 1), 1)

    def features(self, images: Tensor) -> Tensor:
        maps: Tensor = self.trunk(images)
        return maps

    def head(self, features: Tensor) -> Tensor:
        pooled = self.mean(features).flatten(1)
        if self.peak is not None:
            pooled = torch.cat([pooled, self.peak(features).flatten(1)], dim=1)
        logits: Tensor = self.linear(self.dropout(pooled))
        return logits[:, 0]

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))


@register("small_cnn")
def build(recipe: Mapping[str, Any]) -> nn.Module:
    """The family from its recipe, e.g. ``{"width": 16, "stages": 3, "grid": 6}``."""
    return SmallCnn(**recipe)
