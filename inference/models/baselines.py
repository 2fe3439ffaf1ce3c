"""Three segmenting networks of MONAI beside which PFNet is measured, in 2D and 3D.

BasicUNet after Falk et al., Nature Methods 2019; Attention U-Net after Oktay et al., MIDL 2018; SegResNet after
Myronenko, BrainLes 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from inference.models.contract import Answer, Model, case_logit
from inference.models.registry import Architecture, cam_layer, needs_mask, register
from inference.models.resnet import Width
from inference.outputs import Heatmap, Mask, Probability
from inference.spec import ModelSpec

STAGES = {
    "basic_unet": {"encoder5": "network.down_4", "decoder1": "network.upcat_1"},
    "attention_unet": {"encoder1": "network.model.0", "decoder1": "network.model.1"},
    "segresnet": {"encoder4": "network.down_layers.3", "decoder1": "network.up_layers.2"},
}


@dataclass(frozen=True)
class BaselineArchitecture(Architecture):
    """``width`` multiplies all channels."""

    variant: Literal["basic_unet", "attention_unet", "segresnet"]
    width: Width = 1.0

    def stages(self) -> Mapping[str, str]:
        return STAGES[self.variant]

    def multiple(self) -> int:
        return 16

    def check(self, spec: ModelSpec) -> None:
        needs_mask(spec)


def network(variant: str, dimensions: int, channels: int, width: float) -> nn.Module:
    """(b, channels, *size) → (b, 1, *size), at MONAI's default widths times ``width``."""
    from monai.networks.nets import AttentionUnet, BasicUNet, SegResNet

    def wide(*numbers: int) -> tuple[int, ...]:
        return tuple(max(8, round(number * width / 8) * 8) for number in numbers)

    if variant == "basic_unet":
        made: nn.Module = BasicUNet(dimensions, channels, 1, features=wide(32, 32, 64, 128, 256, 32))
    elif variant == "attention_unet":
        made = AttentionUnet(dimensions, channels, 1, channels=wide(32, 64, 128, 256, 512), strides=(2, 2, 2, 2))
    else:
        made = SegResNet(dimensions, init_filters=wide(32)[0], in_channels=channels, out_channels=1)
    return made


class Baseline(Model):
    """(b, channels, *size) → mask (b, 1, *size)."""

    def __init__(self, spec: ModelSpec, architecture: BaselineArchitecture) -> None:
        super().__init__(spec, cam_layer(spec, architecture))
        self.network = network(architecture.variant, len(spec.size), spec.channels, architecture.width)
        self.says_probability = spec.output(Probability) is not None

    def forward_features(self, images: Tensor) -> Tensor:
        """Maps of the stage that is explained."""
        caught: list[Tensor] = []
        hook = self.get_submodule(self.cam_layer).register_forward_hook(lambda _m, _i, maps: caught.append(maps))
        self.network(images)
        hook.remove()
        return caught[0]

    def answer(self, images: Tensor) -> Answer:
        mask = self.network(images)
        return Answer(case_logit(mask) if self.says_probability else None, mask)


@register("baseline", architecture=BaselineArchitecture, outputs=(Probability, Mask, Heatmap), dimensions=(2, 3))
def build(spec: ModelSpec, architecture: BaselineArchitecture) -> Model:
    """BasicUNet, Attention U-Net or SegResNet, e.g. ``{"variant": "segresnet", "width": 0.5}``."""
    return Baseline(spec, architecture)
