"""U-Net with one decoder or two: a map of the fracture and a map of the vertebral levels over one encoder.

Ronneberger et al., "U-Net", MICCAI 2015, figure 1, with padded convolutions and batch normalisation. Two tasks on one
encoder after Ryu et al., Comput Struct Biotechnol J 2023. Which decoders there are follows from the outputs of the
specification; with the default widths and both it has 10.8 million parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, cat, nn

from inference.declared import SpecError, Within
from inference.models.contract import Answer, Model, case_logit
from inference.models.registry import Architecture, cam_layer, needs_mask, register
from inference.outputs import Heatmap, Level, Mask, Probability
from inference.spec import ModelSpec
from inference.steps import Share


@dataclass(frozen=True)
class UNetArchitecture(Architecture):
    """``widths`` are the channels at full, half, quarter … resolution; ``dropout`` acts on the deepest maps."""

    widths: tuple[Annotated[int, Within(1)], ...] = (32, 64, 128, 256, 512)
    dropout: Share = 0.0

    def stages(self) -> Mapping[str, str]:
        return {f"encoder{number}": f"encoder.{number - 1}" for number in range(1, len(self.widths) + 1)}

    def multiple(self) -> int:
        return int(2 ** (len(self.widths) - 1))

    def check(self, spec: ModelSpec) -> None:
        if len(self.widths) < 2:
            raise SpecError("architecture.widths", "two resolutions at least.")
        if spec.output(Level) is None or spec.output(Probability) is not None:
            needs_mask(spec)


def twice(before: int, after: int) -> nn.Sequential:
    """(b, before, r, c) → (b, after, r, c): two normalised 3 × 3 convolutions."""
    steps: list[nn.Module] = []
    for channels in (before, after):
        steps += [nn.Conv2d(channels, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*steps)


class Decoder(nn.Module):
    """Maps of all resolutions → (b, answers, rows, columns)."""

    def __init__(self, widths: tuple[int, ...], answers: int) -> None:
        super().__init__()
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(deep, fine, 2, stride=2) for deep, fine in pairs)
        self.join = nn.ModuleList(twice(2 * fine, fine) for _, fine in pairs)
        self.last = nn.Conv2d(widths[0], answers, 1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        x = maps[-1]
        for up, join, skipped in zip(self.up, self.join, maps[-2::-1], strict=True):
            # (b, 2w, r/2, c/2) → (b, w, r, c), beside the encoder's (b, w, r, c)
            x = join(cat([skipped, up(x)], dim=1))
        logits: Tensor = self.last(x)
        return logits


class UNet(Model):
    """(b, channels, rows, columns) → mask (b, 1, rows, columns), level (b, 1 + levels, rows, columns)."""

    channels_last = True

    def __init__(self, spec: ModelSpec, architecture: UNetArchitecture) -> None:
        super().__init__(spec, cam_layer(spec, architecture))
        widths = architecture.widths
        self.encoder = nn.ModuleList(twice(*pair) for pair in zip((spec.channels, *widths), widths, strict=False))
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout2d(architecture.dropout)
        level = spec.output(Level)
        self.fracture = Decoder(widths, 1) if spec.output(Mask) is not None else None
        self.levels = Decoder(widths, 1 + len(level.levels)) if level is not None else None
        self.says_probability = spec.output(Probability) is not None

    def encoded(self, images: Tensor) -> list[Tensor]:
        """Maps (b, widths[i], rows/2^i, columns/2^i) for all i."""
        maps: list[Tensor] = []
        for stage in self.encoder:
            images = stage(self.pool(images) if maps else images)
            maps.append(images)
        return [*maps[:-1], self.dropout(maps[-1])]

    def forward_features(self, images: Tensor) -> Tensor:
        return self.encoded(images)[-1]

    def answer(self, images: Tensor) -> Answer:
        maps = self.encoded(images)
        mask = self.fracture(maps) if self.fracture is not None else None
        level = self.levels(maps) if self.levels is not None else None
        return Answer(case_logit(mask) if mask is not None and self.says_probability else None, mask, level)


@register("unet", architecture=UNetArchitecture, outputs=(Probability, Mask, Level, Heatmap))
def build(spec: ModelSpec, architecture: UNetArchitecture) -> Model:
    """U-Net with the decoders that the outputs ask for, e.g. ``{"widths": [8, 16, 32, 64]}``."""
    return UNet(spec, architecture)
