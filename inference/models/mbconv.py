"""EfficientNet, MobileNet and MnasNet: inverted bottlenecks with depthwise convolutions, from one builder.

Tan and Le, "EfficientNet", ICML 2019, table 1 (B0). Howard et al., "Searching for MobileNetV3", ICCV 2019, table 1
(large). Tan et al., "MnasNet", CVPR 2019, in the form without squeeze-and-excitation (B1). With one grey channel and
one logit they have 4.01, 4.20 and 3.10 million parameters.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from torch import Tensor, nn

from inference.declared import Within
from inference.models.contract import Answer, Model
from inference.models.registry import Architecture, cam_layer, register
from inference.outputs import Heatmap, Probability
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
    """``width`` multiplies all channels; ``stem_stride`` 1 keeps the resolution of small inputs."""

    variant: Literal["efficientnet_b0", "mobilenet_v3_large", "mnasnet_1_0"]
    width: Annotated[float, Within(0.05, 4.0)] = 1.0
    dropout: Share = 0.2
    stem_stride: Literal[1, 2] = 2

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


def trunk(plan: Plan, channels: int, width: float, stem_stride: int) -> tuple[nn.Sequential, int]:
    """All up to the last maps, by the names of its stages, and the number of those maps."""
    before = in_eights(plan.stem * width)
    stages = OrderedDict[str, nn.Module](stem=convolved(channels, before, 3, stem_stride, plan.stem_act))
    for number, row in enumerate(plan.rows, start=1):
        after = in_eights(row.channels * width)
        blocks = []
        for repeat in range(row.repeats):
            blocks.append(MBConv(before, after, row, row.stride if repeat == 0 else 1, plan))
            before = after
        stages[f"stage{number}"] = nn.Sequential(*blocks)
    last = in_eights(plan.last * width)
    stages["last"] = convolved(before, last, 1, 1, plan.last_act)
    return nn.Sequential(stages), last


class MBConvNet(Model):
    """(b, channels, rows, columns) → (b, last, rows/32, columns/32) → mean over places → (b,)."""

    def __init__(self, spec: ModelSpec, architecture: MBConvArchitecture) -> None:
        super().__init__(spec, cam_layer(spec, architecture))
        plan = PLANS[architecture.variant]
        self.trunk, before = trunk(plan, spec.channels, architecture.width, architecture.stem_stride)
        self.pool = nn.AdaptiveAvgPool2d(1)
        steps: list[nn.Module] = []
        if plan.hidden:
            after = in_eights(plan.hidden * architecture.width)
            steps, before = [nn.Linear(before, after), plan.last_act()], after
        self.head = nn.Sequential(*steps, nn.Dropout(architecture.dropout), nn.Linear(before, 1))

    def forward_features(self, images: Tensor) -> Tensor:
        maps: Tensor = self.trunk(images)
        return maps

    def answer(self, images: Tensor) -> Answer:
        pooled = self.pool(self.forward_features(images)).flatten(1)
        return Answer(logit=self.head(pooled)[:, 0])


@register("mbconv", architecture=MBConvArchitecture, outputs=(Probability, Heatmap))
def build(spec: ModelSpec, architecture: MBConvArchitecture) -> Model:
    """EfficientNet-B0, MobileNetV3-Large or MnasNet-1.0, e.g. ``{"variant": "efficientnet_b0", "width": 1.0}``."""
    return MBConvNet(spec, architecture)
