"""What a decoder hands over: one stack of 16-bit pictures with the few facts that are kept about them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .geometry import Geometry

# Rows and columns; of a picture in colour also red, green and blue.
Pixels = NDArray[np.uint16]
Colours = NDArray[np.uint8]

GREYS = 65535
MOST_PIXELS_OF_A_FRAME = 100_000_000
MOST_PIXELS_OF_A_STACK = 1_000_000_000
MOST_FRAMES = 20_000
MOST_STEPS = 4096
MOST_WINDOWS = 8


class Unreadable(ValueError):
    """The file cannot be used; the text says why, without anything read from the file that may identify."""


class NoPicture(Unreadable):
    """A sound file of a study that is no picture: passed over in a folder, refused where a row names it."""


@dataclass(frozen=True)
class Window:
    """`shape`: linear, exact, sigmoid as DICOM has them; or table, whose grey from a shown value on stands in `steps`,
    the two in turns. Centre and width are then those of a line over the same range."""

    center: float
    width: float
    shape: str = "linear"
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Preset:
    label: str
    center: float
    width: float


class Scale(NamedTuple):
    """The range of values that need not fit 16 bits, and whether all of them are whole numbers."""

    first: float
    last: float
    whole: bool

    @property
    def is_exact(self) -> bool:
        return self.whole and self.last - self.first <= GREYS

    @property
    def line(self) -> tuple[float, float]:
        """The file's value = pixel × the one + the other; equal for as many slices as can be."""
        if not self.is_exact:
            return self.last / GREYS - self.first / GREYS or 1.0, self.first
        if self.first >= 0 and self.last <= GREYS:
            return 1.0, 0.0
        return 1.0, -32768.0 if self.first >= -32768 and self.last <= 32767 else self.first


@dataclass(frozen=True)
class Picture:
    """Shown value = stored pixel × slope + intercept; `inverted` where low values are bright."""

    pixels: Pixels | Colours
    bits: int
    geometry: Geometry
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False
    window: Window | None = None
    # The others that the file offers.
    more_windows: tuple[Window, ...] = ()
    slice_thickness: float | None = None
    # What was lost on the way, beside what the scale says; empty where nothing was.
    note: str = ""
    # Over which its values were put into 16 bits, where they are wider: one for all pictures of the file.
    scale: Scale | None = None

    @property
    def samples(self) -> int:
        return 3 if self.pixels.ndim == 3 else 1


@dataclass(frozen=True)
class Facts:
    """The allow-list of what is kept about a file or series."""

    kind: str
    modality: str = ""
    body_part: str = ""
    laterality: str = ""
    view: str = ""
    # What kind of series it is, in words of a list.
    words: str = ""
    notes: tuple[str, ...] = ()
    # Why a person must look at the pictures before anybody else does; empty where no reason is known.
    quarantine: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """One file: what its header says, then its frames one by one as they are decoded."""

    facts: Facts
    count: int
    pictures: Iterator[Picture] = field(repr=False)
    # Which series it belongs to, which instance it is, and its place by number; empty where the format has none.
    series: str = ""
    series_number: int = 0
    instance: str = ""
    number: int = 0
    # In one frame of reference places of several series can be compared.
    frame_of_reference: str = ""


# Of colours of 8 bits: each is shown as it is.
AS_IT_IS = Window(center=128, width=256)

HOUNSFIELD_PRESETS = (
    Preset("Bone", 400, 1800),
    Preset("Soft tissue", 50, 400),
    Preset("Lung", -600, 1500),
    Preset("Marrow", 100, 350),
)


def unit_of(modality: str) -> str:
    return "HU" if modality == "CT" else ""


def presets_of(modality: str) -> tuple[Preset, ...]:
    return HOUNSFIELD_PRESETS if modality == "CT" else ()


def check_size(rows: int, columns: int, frames: int) -> None:
    """Judge the header's sizes before anything is decoded."""
    if min(rows, columns, frames) < 1:
        raise Unreadable(
            f"The header gives {rows} rows, {columns} columns and {frames} frames; each must be 1 or more."
        )
    if rows * columns > MOST_PIXELS_OF_A_FRAME:
        raise Unreadable(
            f"The header claims {rows} × {columns} pixels; more than {MOST_PIXELS_OF_A_FRAME:,} are refused."
        )
    if frames > MOST_FRAMES:
        raise Unreadable(f"The header claims {frames:,} frames; more than {MOST_FRAMES:,} in one file are refused.")
    if rows * columns * frames > MOST_PIXELS_OF_A_STACK:
        raise Unreadable(
            f"The header claims {rows} × {columns} × {frames} pixels; more than {MOST_PIXELS_OF_A_STACK:,} are refused."
        )


def _between(ordered: Pixels, place: float) -> float:
    before = int(place)
    after = min(before + 1, ordered.size - 1)
    return float(ordered[before]) + (place - before) * (float(ordered[after]) - float(ordered[before]))


def percentile_window(pixels: Pixels, slope: float, intercept: float) -> Window:
    """A first window from the pixels themselves, in shown values, where the file gives none."""
    # Whole numbers are sorted sooner than they are parted at four places.
    some = np.sort(pixels[:: max(1, pixels.shape[0] // 256), :: max(1, pixels.shape[1] // 256)], axis=None)
    low, high = (_between(some, share * (some.size - 1)) for share in (0.01, 0.99))
    if high <= low:
        low, high = float(pixels.min()), float(pixels.max())
    first, last = sorted((float(low) * slope + intercept, float(high) * slope + intercept))
    return Window(center=(first + last) / 2, width=max(last - first, abs(slope), 1e-6))
