"""A small residual network with a logit at every place: for findings that are small beside the image.

Two convolutions a stage with a short cut around them, then a logit at every place; the film is positive where one place
is, a fracture somewhere along a spine. Where the truth says at which place the finding lies, the training may use it:
the logits of all places are a coarse mask. After He et al., "Deep residual learning for image recognition", CVPR 2016,
figure 2, and Oquab et al., "Is object localization for free?", CVPR 2015, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.declared import SpecError
from inference.models import registry
from inference.models.contract import Answer, Model
from inference.outputs import Heatmap, Mask, Probability
from inference.spec import ModelSpec
from inference.steps import Count, Share


class Block(nn.Module):
    """relu(short cut + two normalised 3 × 3 convolutions), the first with the given stride."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(after)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(after)
        self.cut = nn.Conv2d(before, after, 1, bias=False)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        around = self.cut(F.avg_pool2d(x, self.stride, ceil_mode=True) if self.stride > 1 else x)
        through = self.second_norm(self.second(torch.relu(self.first_norm(self.first(x)))))
        return torch.relu(around + through)


class Located(nn.Module):
    """Logit of the positive label from one image.

    Parameters
    ----------
    widths : sequence of int
        Channels of the stem and of each stage; the stem and all stages but the last halve the resolution.
    dropout : float
        Share of channels that the head does not see while training.
    channels : int
        Of the image.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 48, 64), dropout: float = 0.1, channels: int = 1) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        last = len(widths) - 2
        self.stages = nn.Sequential(
            *(Block(widths[i], widths[i + 1], 1 if i == last else 2) for i in range(len(widths) - 1))
        )
        self.dropout = nn.Dropout2d(dropout)
        self.place = nn.Conv2d(widths[-1], 1, 1)
        self.scale = nn.Linear(1, 1)
        # A place is rarely the one: the training begins from there.
        nn.init.constant_(self.place.bias, -3.0)  # type: ignore[arg-type]
        nn.init.ones_(self.scale.weight)

    def features(self, images: Tensor) -> Tensor:
        maps: Tensor = self.stages(self.stem(images))
        return maps

    def places(self, features: Tensor) -> Tensor:
        """Logit of every place, shape (batch, 1, r, c)."""
        logits: Tensor = self.place(self.dropout(features))
        return logits

    def head_of_places(self, places: Tensor) -> Tensor:
        """The smooth maximum log Σ exp over places, scaled: one place is enough."""
        logits: Tensor = self.scale(torch.logsumexp(places.flatten(1), dim=1, keepdim=True))
        return logits[:, 0]


@dataclass(frozen=True)
class LocatedArchitecture(registry.Architecture):
    """Channels of the stem and of each stage; share of channels that the head does not see while training."""

    widths: tuple[Count, ...] = (16, 32, 48, 64)
    dropout: Share = 0.1

    def stages(self) -> Mapping[str, str]:
        return {f"stage{number}": f"network.stages.{number - 1}" for number in range(1, len(self.widths))}

    def check(self, spec: ModelSpec) -> None:
        if len(self.widths) < 2:
            raise SpecError("architecture.widths", "a stem and one stage are the least.")


class LocatedModel(Model):
    """(b, channels, rows, columns) → logit (b,), mask (b, 1, rows, columns) drawn on from the logits of places."""

    def __init__(self, spec: ModelSpec, architecture: LocatedArchitecture) -> None:
        super().__init__(spec, registry.cam_layer(spec, architecture))
        self.network = Located(architecture.widths, architecture.dropout, spec.channels)
        self.says_probability = spec.output(Probability) is not None
        self.says_mask = spec.output(Mask) is not None

    def forward_features(self, images: Tensor) -> Tensor:
        return self.network.features(images)

    def answer(self, images: Tensor) -> Answer:
        places = self.network.places(self.network.features(images))
        mask = F.interpolate(places, images.shape[2:], mode="bilinear", align_corners=False) if self.says_mask else None
        return Answer(self.network.head_of_places(places) if self.says_probability else None, mask)


@registry.register("located", architecture=LocatedArchitecture, outputs=(Probability, Mask, Heatmap))
def build(spec: ModelSpec, architecture: LocatedArchitecture) -> Model:
    """The family from its specification, e.g. ``{"widths": [16, 32, 48, 64], "dropout": 0.1}``."""
    return LocatedModel(spec, architecture)
