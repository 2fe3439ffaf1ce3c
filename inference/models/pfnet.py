"""PFNet: where is it (positioning), then what was wrongly taken and what was missed (focus), from coarse to fine.

Mei et al., "Camouflaged object segmentation with distraction mining", CVPR 2021, sections 3.2 to 3.5; used for acute
fractures by Zhang et al., Insights Imaging 2024. Written from the equations. The backbone is a residual network; each
of four depths gives a mask, and each is supervised (`inference.learning.losses.depth_losses`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.models.contract import Answer, Model, case_logit
from inference.models.registry import Architecture, cam_layer, needs_mask, register
from inference.models.resnet import LAYERS, Depth, Width, maps_of, trunk
from inference.outputs import Heatmap, Mask, Probability
from inference.spec import ModelSpec

REDUCED = (64, 128, 256, 512)


@dataclass(frozen=True)
class PFNetArchitecture(Architecture):
    """``depth`` layers of the backbone; ``width`` multiplies its channels and those of all modules.

    ``stem_stride`` 1 keeps the resolution of small inputs: the finest mask has half of theirs, else a quarter.
    """

    depth: Depth = 50
    width: Width = 1.0
    stem_stride: Literal[1, 2] = 2

    def stages(self) -> Mapping[str, str]:
        focuses = {f"focus{number}": f"focuses.{3 - number}" for number in (3, 2, 1)}
        return {layer: f"trunk.{layer}" for layer in LAYERS} | {"positioning": "positioning"} | focuses

    def multiple(self) -> int:
        return 32

    def check(self, spec: ModelSpec) -> None:
        needs_mask(spec)


def normalised(before: int, after: int, kernel: int, dilation: int = 1) -> nn.Sequential:
    """(b, before, r, c) → (b, after, r, c): convolution, batch normalisation, ReLU."""
    padding = dilation * (kernel // 2)
    convolution = nn.Conv2d(before, after, kernel, padding=padding, dilation=dilation)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())


class ChannelAttention(nn.Module):
    """(b, C, r, c) → same: y = γ·A·V + x with Q = K = V = x as C × rc and A = softmax(Q·Kᵀ), C × C."""

    def __init__(self) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(2)
        attention = torch.softmax(rows @ rows.transpose(1, 2), dim=-1)
        weighed: Tensor = self.share * (attention @ rows).reshape(x.shape)
        return weighed + x


class SpatialAttention(nn.Module):
    """(b, C, r, c) → same: y = γ·V·Aᵀ + x, A = softmax(Qᵀ·K) over places, rc × rc; Q and K have C/8 channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 8)
        self.query, self.key = nn.Conv2d(channels, inner, 1), nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.share = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (part(x).flatten(2) for part in (self.query, self.key, self.value))
        attention = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        weighed: Tensor = self.share * (value @ attention.transpose(1, 2)).reshape(x.shape)
        return weighed + x


class ContextExploration(nn.Module):
    """(b, C, r, c) → same: four branches of C/4 channels with growing view, each fed by the one before."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        quarter = channels // 4
        self.narrow = nn.ModuleList(normalised(channels, quarter, 1) for _ in range(4))
        self.look = nn.ModuleList(
            nn.Sequential(normalised(quarter, quarter, kernel), normalised(quarter, quarter, 3, dilation))
            for kernel, dilation in ((1, 1), (3, 2), (5, 4), (7, 8))
        )
        self.fuse = normalised(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen: list[Tensor] = []
        for narrow, look in zip(self.narrow, self.look, strict=True):
            narrowed = narrow(x)
            seen.append(look(narrowed + seen[-1] if seen else narrowed))
        fused: Tensor = self.fuse(torch.cat(seen, dim=1))
        return fused


class Focus(nn.Module):
    """Refine: take off what the coarser mask took wrongly, add what it missed.

    Maps of this depth (b, C, r, c), maps of the coarser one (b, 2C, r/2, c/2) and its logits (b, 1, r/2, c/2)
    → (b, C, r, c). With g = sigmoid of the coarser logits: r = ReLU(BN(up − α·context(x·g))), then
    ReLU(BN(r + β·context(x·(1 − g)))); α and β are learnt from 1.
    """

    def __init__(self, channels: int, coarser: int) -> None:
        super().__init__()
        self.up = normalised(coarser, channels, 7)
        self.taken, self.missed = ContextExploration(channels), ContextExploration(channels)
        self.alpha, self.beta = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
        self.first, self.second = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor, coarser: Tensor, logits: Tensor) -> Tensor:
        up = F.interpolate(self.up(coarser), x.shape[2:], mode="bilinear", align_corners=False)
        gate = torch.sigmoid(F.interpolate(logits, x.shape[2:], mode="bilinear", align_corners=False))
        refined = torch.relu(self.first(up - self.alpha * self.taken(x * gate)))
        return torch.relu(self.second(refined + self.beta * self.missed(x * (1 - gate))))


class PFNet(Model):
    """(b, channels, rows, columns) → masks of four depths, each (b, 1, rows, columns)."""

    def __init__(self, spec: ModelSpec, architecture: PFNetArchitecture) -> None:
        super().__init__(spec, cam_layer(spec, architecture))
        self.trunk, before = trunk(architecture.depth, 2, spec.channels, architecture.width, architecture.stem_stride)
        after = [max(8, round(number * architecture.width / 8) * 8) for number in REDUCED]
        self.reduce = nn.ModuleList(normalised(*pair, 3) for pair in zip(before, after, strict=True))
        self.positioning = nn.Sequential(ChannelAttention(), SpatialAttention(after[-1]))
        # From coarse to fine, as the data run.
        self.focuses = nn.ModuleList(Focus(after[depth], after[depth + 1]) for depth in (2, 1, 0))
        self.masks = nn.ModuleList(nn.Conv2d(channels, 1, 7, padding=3) for channels in reversed(after))
        self.says_probability = spec.output(Probability) is not None

    def forward_features(self, images: Tensor) -> Tensor:
        return maps_of(self.trunk, images)[-1]

    def answer(self, images: Tensor) -> Answer:
        reduced = [reduce(maps) for reduce, maps in zip(self.reduce, maps_of(self.trunk, images), strict=True)]
        # (b, 512w, r/32, c/32), then (b, 256w, r/16, c/16), (b, 128w, r/8, c/8), (b, 64w, r/4, c/4)
        refined = self.positioning(reduced[-1])
        logits = [self.masks[0](refined)]
        for focus, head, maps in zip(self.focuses, self.masks[1:], reduced[-2::-1], strict=True):
            refined = focus(maps, refined, logits[-1])
            logits.append(head(refined))
        depths = tuple(F.interpolate(x, images.shape[2:], mode="bilinear", align_corners=False) for x in logits)
        return Answer(case_logit(depths[-1]) if self.says_probability else None, depths[-1], None, depths)


@register("pfnet", architecture=PFNetArchitecture, outputs=(Probability, Mask, Heatmap))
def build(spec: ModelSpec, architecture: PFNetArchitecture) -> Model:
    """PFNet, e.g. ``{"depth": 50, "width": 1.0}``."""
    return PFNet(spec, architecture)
