"""Where in an image a model looks: the slices, and the box around the finding. All in voxels of that image.

The middle of the first voxel is 0 along every axis, its edges are −0.5 and 0.5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.imaging.images import Image
from inference.imaging.pixels import UnreadableInput
from inference.prediction import Place
from inference.spec import Input, Roi, SquareBox, VertebraCrop


class Box(NamedTuple):
    """Edges along (slices, rows, columns); they may lie beyond the image."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]


def whole(image: Image) -> Box:
    """The edges of the image itself."""
    slices, rows, columns = image.shape
    return Box((-0.5, -0.5, -0.5), (slices - 0.5, rows - 0.5, columns - 0.5))


def place_in(place: Place, first: Image, other: Image) -> Place:
    """The same place in another image of the case.

    Through the patient, where both images say how they lie in it; otherwise both are taken to show the same field.

    Raises
    ------
    UnreadableInput
        Where the two images were taken in different planes.
    """
    if other is first or (other.shape == first.shape and (first.affine is None or other.affine is None)):
        return place
    at = np.array([place.slice, place.row, place.column])
    if first.affine is not None and other.affine is not None:
        if not _one_plane(first.affine, other.affine):
            raise UnreadableInput("The images of the case were taken in different planes.")
        there = np.linalg.solve(other.affine, first.affine @ np.append(at, 1.0))[:3]
        ratio = np.array(first.spacing) / np.array(other.spacing)
    else:
        ratio = np.array(other.shape) / np.array(first.shape)
        there = (at + 0.5) * ratio - 0.5
    # Rounded, so that what was read from a file and what was stored of it begin at the same voxel.
    found = (*there, place.height * ratio[1], place.width * ratio[2])
    return Place(*(round(float(number), 6) for number in found))


def slices_of(image: Image, place: Place | None, one: Input) -> tuple[int, ...]:
    """Numbers of the slices that an input reads.

    Around the slice of the finding, or the middle one where no place is known. With a distance in mm the slice that
    lies nearest to it is taken; beyond the volume its last slice stands again.

    Examples
    --------
    >>> volume = Image(np.zeros((9, 4, 4), np.float32), (4.0, 1.0, 1.0))
    >>> slices_of(volume, Place(1.0, 2.0, 2.0), Input("CT", slices=(-1, 0, 1), apart=10.0))
    (0, 1, 3)
    """
    count = image.shape[0]
    at = (count - 1) // 2 if place is None else int(np.floor(place.slice + 0.5))
    if not 0 <= at < count:
        raise UnreadableInput(f"The finding lies in slice {at}, and the image has {count}, counted from 0.")
    if one.apart == 0:
        return tuple(min(max(at + offset, 0), count - 1) for offset in one.slices)
    depths = np.array(image.depths or np.arange(count) * image.spacing[0], dtype=np.float64)
    towards = 1.0 if depths[-1] >= depths[0] else -1.0
    return tuple(_nearest(depths, depths[at] + towards * offset * one.apart, at) for offset in one.slices)


def on_each_slice(image: Image, place: Place | None, one: Input) -> tuple[Place, ...]:
    """The place of the finding, or the middle where none is known, on every slice that an input reads, in their order.

    Examples
    --------
    >>> volume = Image(np.zeros((9, 4, 4), np.float32))
    >>> [at.slice for at in on_each_slice(volume, Place(0.0, 2.0, 2.0), Input("CT", slices=(-1, 0, 1)))]
    [0.0, 1.0]
    """
    at = place or Place((image.shape[0] - 1) // 2, (image.shape[1] - 1) / 2, (image.shape[2] - 1) / 2)
    return tuple(replace(at, slice=float(number)) for number in sorted(set(slices_of(image, at, one))))


def beside(image: Image, place: Place | None, one: Input) -> tuple[Place, ...]:
    """The same without the slice of the finding itself."""
    (own,) = slices_of(image, place, replace(one, slices=(0,)))
    return tuple(at for at in on_each_slice(image, place, one) if at.slice != own)


def _nearest(depths: NDArray[np.float64], wanted: float, at: int) -> int:
    """Number of the slice at that depth; of two as near, within what files round, the one nearer to the finding."""
    far = np.abs(depths - wanted)
    as_near = np.flatnonzero(far <= far.min() + 1e-3)
    return int(as_near[np.argmin(np.abs(as_near - at))])


def box_of(roi: Roi, image: Image, place: Place | None, dimensions: int) -> Box:
    """The region of interest of an image.

    Parameters
    ----------
    roi : Roi
    image : Image
    place : Place or None
        In voxels of this image.
    dimensions : int
        2 leaves the slices as they are.

    Raises
    ------
    UnreadableInput
        Where the region needs a place, or its size, that the case does not have; where it lies beyond the image.

    Examples
    --------
    >>> film = Image(np.zeros((1, 100, 80), np.float32))
    >>> box_of(SquareBox(0.5), film, Place(0, 49.5, 39.5, 20, 10), 2).low[1:]
    (29.5, 19.5)
    """
    all_of_it = whole(image)
    if not isinstance(roi, SquareBox | VertebraCrop):
        return all_of_it
    if place is None:
        raise UnreadableInput("The model reads a box around the finding, and the place of the finding is not known.")
    millimetres = _side(roi, image, place) if isinstance(roi, SquareBox) else np.array(roi.mm)
    sizes = np.array(image.spacing)
    extent = (np.full(3, millimetres) if millimetres.ndim == 0 else np.append(sizes[:1], millimetres)[-3:]) / sizes
    middle = np.array([place.slice, place.row, place.column])
    if isinstance(roi, SquareBox):
        extent = np.maximum(np.round(extent), 1)
    # Beginning at the edge of a voxel, nothing is interpolated that need not be.
    low = np.floor(middle - extent / 2) + 0.5
    high = low + extent
    if dimensions == 2:
        low[0], high[0] = all_of_it.low[0], all_of_it.high[0]
    if np.any(high <= all_of_it.low) or np.any(low >= all_of_it.high):
        raise UnreadableInput("The place of the finding lies outside the image.")
    return Box(_three(low), _three(high))


def _side(roi: SquareBox, image: Image, place: Place) -> NDArray[np.float64]:
    if place.height <= 0 or place.width <= 0:
        raise UnreadableInput("The model reads a box around the finding, and the size of the finding is not known.")
    side = max(place.height * image.spacing[1], place.width * image.spacing[2])
    return np.array(side * (1 + 2 * roi.margin))


def _one_plane(first: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether every axis of the one runs along the same axis of the other, within some 25 degrees."""
    units = [affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) for affine in (first, other)]
    return bool(np.all(np.sum(units[0] * units[1], axis=0) > 0.9))


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
