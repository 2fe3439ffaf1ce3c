"""Which outlines cannot stand as they are drawn; the browser says the same in the same sentences. Pure."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .morphometry import Point

Places = NDArray[np.float64]
# Pixels, and of areas square pixels: less is nothing.
LEAST = 0.01
NO_AREA = "It has no area; draw it larger."
NO_LENGTH = "The line has no length."
CROSSES = "The outline crosses itself; take back the last corners."
OUT_OF_ORDER = (
    "The sides of the vertebra cross: go along its upper edge from front to back, then along the lower edge back."
)


def fault_of(kind: str, points: Sequence[Point]) -> str:
    """The sentence why a mark of that kind cannot stand; empty where it can.

    >>> fault_of("vertebra", [(0, 0), (9, 0), (0, 9), (9, 9)])
    'The sides of the vertebra cross: go along its upper edge from front to back, then along the lower edge back.'
    """
    if kind in ("box", "ellipse"):
        (x, y), (u, v) = points
        return NO_AREA if min(abs(u - x), abs(v - y)) < LEAST else ""
    if kind == "line":
        return NO_LENGTH if math.dist(*points) < LEAST else ""
    if kind in ("polygon", "freehand", "vertebra", "morphometry"):
        if crosses(points):
            return CROSSES if kind in ("polygon", "freehand") else OUT_OF_ORDER
        return NO_AREA if enclosed(points) < LEAST else ""
    return ""


def enclosed(points: Sequence[Point]) -> float:
    """The area within a closed outline, in square pixels."""
    turned = zip(points, (*points[1:], *points[:1]), strict=True)
    return abs(sum(x * v - u * y for (x, y), (u, v) in turned)) / 2


def crosses(points: Sequence[Point]) -> bool:
    """Whether two sides of a closed outline cross, each truly on both sides of the other; to touch is no crossing."""
    here = np.array(points)
    there = np.roll(here, -1, axis=0)
    for a, b in zip(here, there, strict=True):
        parted = _turn(a, b, here) * _turn(a, b, there) < 0
        if (parted & (_turn(here, there, a) * _turn(here, there, b) < 0)).any():
            return True
    return False


def _turn(a: Places, b: Places, c: Places) -> Places:
    """On which side of the line from a to b the place c lies; 0 on it."""
    found = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    return np.sign(found)
