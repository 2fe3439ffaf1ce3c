"""How the slices of one series lie in the patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Spacing = tuple[float, float, float]
UNKNOWN: Spacing = (1.0, 1.0, 1.0)
# Of the median gap; what lies closer together than that lies evenly.
UNEVEN = 0.02


class Stack(NamedTuple):
    """Spacing, affine and depths as ``inference.imaging.images.Image`` has them."""

    spacing: Spacing = UNKNOWN
    affine: NDArray[np.float64] | None = None
    depths: tuple[float, ...] = ()


def depth(corner: Vector, orientation: Vector) -> float:
    """Of a slice along the normal, from the middle of its first pixel and its six direction cosines, in mm."""
    return float(corner @ np.cross(orientation[:3], orientation[3:]))


def is_one(corners: Sequence[Vector | None], orientations: Sequence[Vector | None]) -> bool:
    """Whether all slices say where they lie and lie in parallel."""
    first = orientations[0]
    return first is not None and all(
        corner is not None and own is not None and (own is first or np.allclose(own, first, atol=1e-3))
        for corner, own in zip(corners, orientations, strict=True)
    )


def stacked(
    corners: Sequence[Vector | None], orientations: Sequence[Vector | None], between: tuple[float, float] | None
) -> Stack:
    """How slices in this order lie.

    Parameters
    ----------
    corners : sequence of ndarray, shape (3,), or None
        Where the middle of the first pixel of each slice lies, in mm.
    orientations : sequence of ndarray, shape (6,), or None
        Directions of a row and of a column.
    between : tuple of float or None
        Distances of rows and of columns in mm.

    Examples
    --------
    >>> axial = np.array([1.0, 0, 0, 0, 1, 0])
    >>> stacked([np.array([0, 0, z]) for z in (0.0, 3.0, 6.0)], [axial] * 3, (0.5, 0.5)).spacing
    (3.0, 0.5, 0.5)
    """
    rows, columns = between if between and min(between) > 0 else (1.0, 1.0)
    if not is_one(corners, orientations):
        return Stack((1.0, rows, columns))
    along, places = orientations[0], [corner for corner in corners if corner is not None]
    assert along is not None
    normal = np.cross(along[:3], along[3:])
    depths = [float(corner @ normal) for corner in places]
    gaps = np.abs(np.diff(depths))
    # Rounded, so that what was read from a file and what was stored of it give the same number.
    gap = round(float(np.median(gaps)), 4) if len(gaps) else 0.0
    affine = np.eye(4)
    affine[:3, 0] = normal if gap == 0 else (places[-1] - places[0]) / len(gaps)
    affine[:3, 1], affine[:3, 2], affine[:3, 3] = along[3:] * rows, along[:3] * columns, places[0]
    even = not len(gaps) or bool(np.ptp(gaps) <= UNEVEN * gap)
    # A stack that stands still, of echoes or of times, has no third direction.
    turned = affine if abs(np.linalg.det(affine[:3, :3])) > 1e-9 else None
    return Stack((gap or 1.0, rows, columns), turned, () if even else tuple(round(one, 6) for one in depths))
