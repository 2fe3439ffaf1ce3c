"""Residual networks of 10 to 50 layers in 2D, 2.5D (neighbouring slices as channels) and 3D, from MONAI.

He et al., "Deep residual learning for image recognition", CVPR 2016, table 1. Which dimensionality it is follows from
the specification, its size and slices; block counts are the same, so that only this differs.
Six channels of an MRI may be mixed to three by a 1 × 1 convolution, so that starting weights for colour images fit
(Yeh et al., ISMRM 2021, no. 4049).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor, nn

from inference.declared import SpecError, Within
from inference.models.contract import POOLED, Answer, Model, Pool, pooled
from inference.models.registry import Architecture, cam_layer, register
from inference.outputs import Heatmap, Probability
from inference.spec import ModelSpec
from inference.steps import Share

Depth = Literal[10, 18, 34, 50]
Width = Annotated[float, Within(0.05, 4.0)]
BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
PLANES = (64, 128, 256, 512)
LAYERS = ("layer1", "layer2", "layer3", "layer4")


@dataclass(frozen=True)
class ResNetArchitecture(Architecture):
    """What may be chosen.

    Attributes
    ----------
    depth : int
        Number of layers with weights.
    width : float
        Multiplies all channels.
    channels : int
        That the trunk takes; 0 for as many as the inputs have.
    mix : bool
        Whether a 1 × 1 convolution leads from the channels of the inputs to those of the trunk.
    stem_stride : int
        1 keeps the resolution of small inputs.
    dropout : float
    pool : {"mean", "mean_max"}
        Over places; see `contract.pooled`.
    """

    depth: Depth
    width: Width = 1.0
    channels: Annotated[int, Within(0)] = 0
    mix: bool = False
    stem_stride: Literal[1, 2] = 2
    dropout: Share = 0.0
    pool: Pool = "mean"

    def stages(self) -> Mapping[str, str]:
        return {layer: f"trunk.{layer}" for layer in LAYERS}

    def check(self, spec: ModelSpec) -> None:
        if self.mix and not self.channels:
            raise SpecError("architecture.channels", "to how many channels are the inputs mixed?")
        if not self.mix and self.channels not in (0, spec.channels):
            raise SpecError(
                "architecture.channels",
                f"the trunk takes {self.channels} and the inputs have {spec.channels}; mix = true leads from one to "
                "the other.",
            )


def trunk(depth: int, dimensions: int, channels: int, width: float, stem_stride: int) -> tuple[nn.Module, list[int]]:
    """MONAI's network without its last layer, and the channels of its four layers.

    The names of its weights are those of torchvision's networks, so that files of starting weights fit. MONAI's own
    default stride of the stem is 1, which makes every later map twice as large as He's.
    """
    from monai.networks.nets import ResNet

    planes = [max(8, round(number * width / 8) * 8) for number in PLANES]
    kind, factor = ("bottleneck", 4) if depth >= 50 else ("basic", 1)
    network = ResNet(
        block=kind,
        layers=list(BLOCKS[depth]),
        block_inplanes=planes,
        spatial_dims=dimensions,
        n_input_channels=channels,
        conv1_t_stride=stem_stride,
        feed_forward=False,
        bias_downsample=False,
    )
    return network, [number * factor for number in planes]


def maps_of(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Maps of the four layers, at 1/4, 1/8, 1/16 and 1/32 of the input where the stem's stride is 2."""
    maps = []
    for layer in ("conv1", "bn1", "act", "maxpool", *LAYERS):
        images = network.get_submodule(layer)(images)
        maps.append(images)
    return maps[-len(LAYERS) :]


class ResNetClassifier(Model):
    """(b, channels, …) → [1 × 1 mixing] → (b, 512 or 2048, …/32) → pooled over places → (b,)."""

    def __init__(self, spec: ModelSpec, architecture: ResNetArchitecture) -> None:
        super().__init__(spec, cam_layer(spec, architecture))
        dimensions, channels = len(spec.size), architecture.channels or spec.channels
        self.channels_last = dimensions == 3
        convolution = nn.Conv2d if dimensions == 2 else nn.Conv3d
        self.mix = convolution(spec.channels, channels, 1) if architecture.mix else nn.Identity()
        self.trunk, widths = trunk(
            architecture.depth, dimensions, channels, architecture.width, architecture.stem_stride
        )
        self.dropout = nn.Dropout(architecture.dropout)
        self.pool = architecture.pool
        self.head = nn.Linear(widths[-1] * POOLED[self.pool], 1)

    def forward_features(self, images: Tensor) -> Tensor:
        return maps_of(self.trunk, self.mix(images))[-1]

    def answer(self, images: Tensor) -> Answer:
        maps = pooled(self.forward_features(images), self.pool)
        return Answer(logit=self.head(self.dropout(maps))[:, 0])


@register("resnet", architecture=ResNetArchitecture, outputs=(Probability, Heatmap), dimensions=(2, 3))
def build(spec: ModelSpec, architecture: ResNetArchitecture) -> Model:
    """ResNet10, 18, 34 or 50, e.g. ``{"depth": 50, "channels": 3, "mix": true}``."""
    return ResNetClassifier(spec, architecture)
