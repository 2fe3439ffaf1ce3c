"""Names and numbers of what is done to an image: preprocessing in training and serving, augmentation in training only.

Declarations alone; nothing here touches a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from inference.declared import Variant, Within

Share = Annotated[float, Within(0.0, 1.0)]
Small = Annotated[float, Within(0.0, 0.49)]
NotNegative = Annotated[float, Within(0.0)]
Positive = Annotated[float, Within(1e-9)]
Count = Annotated[int, Within(1)]
Percent = Annotated[float, Within(0.0, 100.0)]


class Step(Variant):
    """One operation, named by ``op``."""

    key: ClassVar[str] = "op"


@dataclass(frozen=True)
class CropBorder(Step):
    """Cut a share of the width or height from every side: burnt-in markers, collimation."""

    tag: ClassVar[str] = "crop_border"
    share: Small


@dataclass(frozen=True)
class Resample(Step):
    """To a spacing in mm: (row, column) or (slice, row, column)."""

    tag: ClassVar[str] = "resample"
    mm: tuple[Positive, ...]


@dataclass(frozen=True)
class Window(Step):
    """HU from ``low`` to ``high`` become 0 to 1; beyond them values are clipped."""

    tag: ClassVar[str] = "window"
    low: float
    high: float


@dataclass(frozen=True)
class Percentile(Step):
    """Values between two percentiles of the image become 0 to 1; beyond them they are clipped."""

    tag: ClassVar[str] = "percentile"
    low: Percent = 1.0
    high: Percent = 99.0


@dataclass(frozen=True)
class Equalise(Step):
    """Histogram equalisation of the whole image, in [0, 1]."""

    tag: ClassVar[str] = "equalise"


@dataclass(frozen=True)
class Clahe(Step):
    """Contrast-limited adaptive histogram equalisation; ``tiles`` along each side."""

    tag: ClassVar[str] = "clahe"
    clip: Share = 0.01
    tiles: Count = 8


@dataclass(frozen=True)
class ZScore(Step):
    """Mean 0 and standard deviation 1 over the image."""

    tag: ClassVar[str] = "zscore"


@dataclass(frozen=True)
class Standardise(Step):
    """(value − mean) / deviation with fixed numbers, such as those of the starting weights."""

    tag: ClassVar[str] = "standardise"
    mean: float
    deviation: Positive


@dataclass(frozen=True)
class ResizePad(Step):
    """To the input of the network, proportions kept, the rest padded: (rows, columns) or (slices, rows, columns)."""

    tag: ClassVar[str] = "resize_pad"
    size: tuple[Count, ...]


Preprocess = CropBorder | Resample | Window | Percentile | Equalise | Clahe | ZScore | Standardise | ResizePad


@dataclass(frozen=True)
class Rotate(Step):
    """By up to that many degrees either way."""

    tag: ClassVar[str] = "rotate"
    degrees: Annotated[float, Within(0.0, 180.0)]


@dataclass(frozen=True)
class Scale(Step):
    """Larger or smaller by up to that share."""

    tag: ClassVar[str] = "scale"
    share: Small


@dataclass(frozen=True)
class Shift(Step):
    """Along each axis by up to that share of the size."""

    tag: ClassVar[str] = "shift"
    share: Small


@dataclass(frozen=True)
class Contrast(Step):
    """Times 1 ± up to that share."""

    tag: ClassVar[str] = "contrast"
    share: Share


@dataclass(frozen=True)
class Brightness(Step):
    """Plus or minus up to that much of the range of values."""

    tag: ClassVar[str] = "brightness"
    share: Share


@dataclass(frozen=True)
class Noise(Step):
    """Gaussian, of that standard deviation at most."""

    tag: ClassVar[str] = "noise"
    deviation: Share


@dataclass(frozen=True)
class Flip(Step):
    """Left and right exchanged in every second image."""

    tag: ClassVar[str] = "flip"


Augment = Rotate | Scale | Shift | Contrast | Brightness | Noise | Flip
