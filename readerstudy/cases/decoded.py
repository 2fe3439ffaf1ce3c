"""What the decoder process answers about a file, as the parent keeps it until the case is in."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from .geometry import Geometry
from .pictures import MOST_STEPS, MOST_WINDOWS, Facts, Scale, Window


@dataclass(frozen=True)
class Frame:
    """A frame file that was written, with all that is stored about it; files by their SHA-256."""

    digest: str
    preview: str
    rows: int
    columns: int
    samples: int
    bits: int
    inverted: bool
    slope: float
    intercept: float
    window: Window | None
    geometry: Geometry
    slice_thickness: float | None = None
    thumbnail: str = ""
    more_windows: tuple[Window, ...] = ()


@dataclass(frozen=True)
class File:
    """A file that was decoded. Its series and instance are named by hashes, so that nothing identifies."""

    digest: str
    facts: Facts
    series: str
    series_number: int
    instance: str
    number: int
    frames: tuple[Frame, ...]
    frame_of_reference: str = ""
    # Over which wide values were put into 16 bits.
    scale: Scale | None = None


@dataclass(frozen=True)
class Refusal:
    """A file that cannot be used, or that is `no_picture` and may be passed over."""

    digest: str
    sentence: str
    no_picture: bool = False


_SIDES = re.compile("[LRAPHF]{1,3}")
_DIGEST = re.compile("[0-9a-f]{64}|")
Outcome = File | Refusal


def as_json(found: Any) -> str:
    """Of outcomes, and of what holds them."""
    return json.dumps(found, default=vars)


def from_json(found: dict[str, Any]) -> Outcome:
    if "sentence" in found:
        return Refusal(**found)
    facts = {
        **found["facts"],
        "notes": tuple(found["facts"]["notes"]),
        "quarantine": tuple(found["facts"]["quarantine"]),
    }
    scale = _scale(found["scale"]) if found.get("scale") else None
    return File(**{**found, "facts": Facts(**facts), "frames": tuple(map(_frame, found["frames"])), "scale": scale})


def _scale(found: list[Any]) -> Scale:
    scale = Scale(*found)
    if not (math.isfinite(scale.first) and math.isfinite(scale.last) and scale.first <= scale.last):
        raise ValueError("scale")
    return scale


def _window(found: dict[str, Any]) -> Window:
    steps = tuple(found["steps"])
    if len(steps) > 2 * MOST_STEPS or not all(type(step) is int for step in steps):
        raise ValueError("steps")
    if not (math.isfinite(found["center"]) and 0 < found["width"] < math.inf):
        raise ValueError("window")
    return Window(**{**found, "steps": steps})


def _frame(found: dict[str, Any]) -> Frame:
    # Files are fetched under these names, so a name is nothing but a digest.
    for name in ("digest", "preview", "thumbnail"):
        if not _DIGEST.fullmatch(found[name]):
            raise ValueError(name)
    if not all(map(math.isfinite, (found["slope"], found["intercept"]))):
        raise ValueError("slope")
    window = _window(found["window"]) if found["window"] else None
    more = tuple(map(_window, found["more_windows"][:MOST_WINDOWS]))
    geometry = found["geometry"]
    several = {
        name: tuple(geometry[name]) if geometry[name] is not None else None
        for name in ("position", "orientation", "spacing", "letters")
    }
    letters = several["letters"]
    if letters is not None and not (len(letters) == 2 and all(_SIDES.fullmatch(str(side)) for side in letters)):
        raise ValueError("letters")
    place = Geometry(**several, calibrated=geometry["calibrated"])
    return Frame(**{**found, "window": window, "more_windows": more, "geometry": place})
