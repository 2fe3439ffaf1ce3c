"""EfficientNet, MobileNet and MnasNet: inverted bottlenecks with depthwise convolutions, from one builder.

Tan and Le, "EfficientNet", ICML 2019, table 1 (B0). Howard et al., "Searching for MobileNetV3", ICCV 2019, table 1
(large). Tan et al., "MnasNet", CVPR 2019, in the form without squeeze-and-excitation (B1). With one grey channel and
one logit they have 4.01, 4.20 and 3.10 million parameters.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from inference.declared import Within
from inference.models.contract import POOLED, Answer, Model, Pool, pooled
from inference.models.registry import Architecture, cam_layer, register
from inference.outputs import Heatmap, Mask, Probability
from inference.spec import ModelSpec
from inference.steps import Share


class Row(NamedTuple):
    """A line of the tables: ``repeats`` blocks, the first with the stride."""

    kernel: int
    expand: float
    channels: int
    repeats: int
    stride: int
    squeeze: bool
    act: type[nn.Module]


class Plan(NamedTuple):
    """A network of the tables.

    ``hidden`` is the width of a linear layer before the last one, 0 for none; ``squeeze_inside`` says whether
    squeeze-and-excitation has a quarter of the block's inner channels or of those that enter it.
    """

    stem: int
    stem_act: type[nn.Module]
    rows: tuple[Row, ...]
    last: int
    last_act: type[nn.Module]
    hidden: int
    squeeze_inside: bool
    squeeze_act: type[nn.Module]
    gate: type[nn.Module]


STEM, RARELY = 2, -3.0
SWISH, HARD, RELU = nn.SiLU, nn.Hardswish, nn.ReLU
PLANS = {
    "efficientnet_b0": Plan(
        stem=32,
        stem_act=SWISH,
        rows=(
            Row(3, 1, 16, 1, 1, True, SWISH),
            Row(3, 6, 24, 2, 2, True, SWISH),
            Row(5, 6, 40, 2, 2, True, SWISH),
            Row(3, 6, 80, 3, 2, True, SWISH),
            Row(5, 6, 112, 3, 1, True, SWISH),
            Row(5, 6, 192, 4, 2, True, SWISH),
            Row(3, 6, 320, 1, 1, True, SWISH),
        ),
        last=1280,
        last_act=SWISH,
        hidden=0,
        squeeze_inside=False,
        squeeze_act=SWISH,
        gate=nn.Sigmoid,
    ),
    "mobilenet_v3_large": Plan(
        stem=16,
        stem_act=HARD,
        rows=(
            Row(3, 1, 16, 1, 1, False, RELU),
            Row(3, 4, 24, 1, 2, False, RELU),
            Row(3, 3, 24, 1, 1, False, RELU),
            Row(5, 3, 40, 3, 2, True, RELU),
            Row(3, 6, 80, 1, 2, False, HARD),
            Row(3, 2.5, 80, 1, 1, False, HARD),
            Row(3, 2.3, 80, 2, 1, False, HARD),
            Row(3, 6, 112, 2, 1, True, HARD),
            Row(5, 6, 160, 3, 2, True, HARD),
        ),
        last=960,
        last_act=HARD,
        hidden=1280,
        squeeze_inside=True,
        squeeze_act=RELU,
        gate=nn.Hardsigmoid,
    ),
    "mnasnet_1_0": Plan(
        stem=32,
        stem_act=RELU,
        rows=(
            Row(3, 1, 16, 1, 1, False, RELU),
            Row(3, 3, 24, 3, 2, False, RELU),
            Row(5, 3, 40, 3, 2, False, RELU),
            Row(5, 6, 80, 3, 2, False, RELU),
            Row(3, 6, 96, 2, 1, False, RELU),
            Row(5, 6, 192, 4, 2, False, RELU),
            Row(3, 6, 320, 1, 1, False, RELU),
        ),
        last=1280,
        last_act=RELU,
        hidden=0,
        squeeze_inside=False,
        squeeze_act=RELU,
        gate=nn.Sigmoid,
    ),
}


@dataclass(frozen=True)
class MBConvArchitecture(Architecture):
    """What may be chosen.

    Attributes
    ----------
    width, depth : float
        Multiply all channels and the repeats of all blocks (Tan and Le, equation 3).
    dropout : float
    output_stride : int
        By how much the last maps are smaller than the input; less than 32 leaves out later strides.
    pool : {"mean", "mean_max"}
        Over places; findings that are small beside the image are lost in a mean.
    """

    variant: Literal["efficientnet_b0", "mobilenet_v3_large", "mnasnet_1_0"]
    width: Annotated[float, Within(0.05, 4.0)] = 1.0
    depth: Annotated[float, Within(0.1, 4.0)] = 1.0
    dropout: Share = 0.2
    output_stride: Literal[4, 8, 16, 32] = 32
    pool: Pool = "mean"

    def stages(self) -> Mapping[str, str]:
        rows = [f"stage{number}" for number in range(1, len(PLANS[self.variant].rows) + 1)]
        return {name: f"trunk.{name}" for name in ["stem", *rows, "last"]}


def in_eights(channels: float) -> int:
    """The nearest multiple of 8, never less than nine tenths of what was asked for (MobileNetV3's rule)."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near if near >= 0.9 * channels else near + 8


def convolved(
    before: int, after: int, kernel: int, stride: int, act: type[nn.Module], groups: int = 1
) -> nn.Sequential:
    """(b, before, r, c) → (b, after, ⌈r/stride⌉, ⌈c/stride⌉): convolution, batch normalisation, activation."""
    convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), act())


class Squeeze(nn.Module):
    """Every channel times a gate in [0, 1] that its mean over places and those of the others decide."""

    def __init__(self, channels: int, inner: int, act: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, inner, 1), act, nn.Conv2d(inner, channels, 1), gate
        )

    def forward(self, x: Tensor) -> Tensor:
        weighed: Tensor = x * self.weigh(x)
        return weighed


class MBConv(nn.Module):
    """Widen, convolve each channel alone, squeeze and excite, narrow; added to the input where shapes allow."""

    def __init__(self, before: int, after: int, row: Row, stride: int, plan: Plan) -> None:
        super().__init__()
        inner = in_eights(before * row.expand)
        steps: list[nn.Module] = [convolved(before, inner, 1, 1, row.act)] if inner != before else []
        steps.append(convolved(inner, inner, row.kernel, stride, row.act, groups=inner))
        if row.squeeze:
            quarter = in_eights(inner / 4) if plan.squeeze_inside else max(1, before // 4)
            steps.append(Squeeze(inner, quarter, plan.squeeze_act(), plan.gate()))
        steps.append(convolved(inner, after, 1, 1, nn.Identity))
        self.steps = nn.Sequential(*steps)
        self.adds = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        through: Tensor = self.steps(x)
        return x + through if self.adds else through


def trunk(plan: Plan, channels: int, architecture: MBConvArchitecture) -> tuple[nn.Sequential, int]:
    """All up to the last maps, by the names of its stages, and the number of those maps."""
    width = architecture.width
    before = in_eights(plan.stem * width)
    left = architecture.output_stride // STEM
    stages = OrderedDict[str, nn.Module](stem=convolved(channels, before, 3, STEM, plan.stem_act))
    for number, row in enumerate(plan.rows, start=1):
        after = in_eights(row.channels * width)
        blocks = []
        for repeat in range(math.ceil(row.repeats * architecture.depth)):
            stride = min(row.stride, left) if repeat == 0 else 1
            left //= stride
            blocks.append(MBConv(before, after, row, stride, plan))
            before = after
        stages[f"stage{number}"] = nn.Sequential(*blocks)
    last = in_eights(plan.last * width)
    stages["last"] = convolved(before, last, 1, 1, plan.last_act)
    return nn.Sequential(stages), last


class MBConvNet(Model):
    """(b, channels, rows, columns) → (b, last, rows/32, columns/32) → pooled over places → (b,).

    A mask, where asked for, is one logit at each of these places, drawn on to (b, 1, rows, columns)."""

    channels_last = True

    def __init__(self, spec: ModelSpec, architecture: MBConvArchitecture) -> None:
        super().__init__(spec, cam_layer(spec, architecture))
        plan = PLANS[architecture.variant]
        self.trunk, before = trunk(plan, spec.channels, architecture)
        self.place = nn.Conv2d(before, 1, 1) if spec.output(Mask) is not None else None
        if self.place is not None and self.place.bias is not None:
            # A place is rarely the one: the training begins from there.
            nn.init.constant_(self.place.bias, RARELY)
        self.pool = architecture.pool
        before *= POOLED[self.pool]
        steps: list[nn.Module] = []
        if plan.hidden:
            after = in_eights(plan.hidden * architecture.width)
            steps, before = [nn.Linear(before, after), plan.last_act()], after
        self.head = nn.Sequential(*steps, nn.Dropout(architecture.dropout), nn.Linear(before, 1))

    def forward_features(self, images: Tensor) -> Tensor:
        maps: Tensor = self.trunk(images)
        return maps

    def answer(self, images: Tensor) -> Answer:
        maps = self.forward_features(images)
        logit = self.head(pooled(maps, self.pool))[:, 0]
        if self.place is None:
            return Answer(logit=logit)
        places = self.place(maps)
        return Answer(logit, F.interpolate(places, images.shape[2:], mode="bilinear", align_corners=False))


@register("mbconv", architecture=MBConvArchitecture, outputs=(Probability, Mask, Heatmap))
def build(spec: ModelSpec, architecture: MBConvArchitecture) -> Model:
    """EfficientNet-B0, MobileNetV3-Large or MnasNet-1.0, e.g. ``{"variant": "efficientnet_b0", "width": 1.0}``."""
    return MBConvNet(spec, architecture)
