"""Areas as pixels: those whose centres lie inside. Pure."""

import numpy as np
from numpy.typing import NDArray

from readerstudy.reference.marks import Mark
from readerstudy.reference.runs import Mask, decode


def filled(mark: Mark, rows: int, columns: int) -> Mask:
    if mark.kind == "mask":
        return decode(mark.runs, rows, columns)
    if mark.kind == "ellipse":
        return _ellipse(mark, rows, columns)
    return polygon(corners_of(mark), rows, columns)


def corners_of(mark: Mark) -> NDArray[np.float64]:
    """Around the area, as x and y."""
    return rectangle(*mark.points[0], *mark.points[1]) if mark.kind == "box" else np.array(mark.points, dtype=float)


def rectangle(x: float, y: float, u: float, v: float) -> NDArray[np.float64]:
    return np.array([(x, y), (u, y), (u, v), (x, v)])


def bounds(mark: Mark, rows: int, columns: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom edge."""
    if mark.kind != "mask":
        (left, top), (right, bottom) = np.min(mark.points, axis=0).tolist(), np.max(mark.points, axis=0).tolist()
        return left, top, right, bottom
    down, across = np.nonzero(decode(mark.runs, rows, columns))
    return float(across.min()), float(down.min()), float(across.max() + 1), float(down.max() + 1)


def polygon(corners: NDArray[np.float64], rows: int, columns: int) -> Mask:
    """By the even-odd rule: a pixel is inside where a ray from its centre crosses the outline an odd number of times.

    >>> polygon(np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0)]), 2, 3).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    inside = np.zeros((rows, columns), dtype=bool)
    y = np.arange(rows) + 0.5
    x = np.arange(columns) + 0.5
    for (a, b), (c, d) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crossed = (b > y) != (d > y)
        if crossed.any():
            at = a + (c - a) * (y[crossed] - b) / (d - b)
            inside[crossed] ^= x[None, :] < at[:, None]
    return inside


def _ellipse(mark: Mark, rows: int, columns: int) -> Mask:
    (x, y), (u, v) = mark.points
    wide, high = abs(u - x) / 2, abs(v - y) / 2
    if not wide or not high:
        return np.zeros((rows, columns), dtype=bool)
    across = (np.arange(columns) + 0.5 - (x + u) / 2) / wide
    down = (np.arange(rows) + 0.5 - (y + v) / 2) / high
    inside: Mask = across[None, :] ** 2 + down[:, None] ** 2 <= 1
    return inside
