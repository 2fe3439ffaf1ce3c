"""Grids in a patient and what is painted on them: tissues with soft edges, each in its window.

A grid lies along the axes of the patient (x forward, y left, z up, mm), so that whatever is a product of functions of
one coordinate is cheap. Arrays over a grid have the shape (len(y), len(z), len(x)), all ascending.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.phantoms.contrast import Signal

Volume = NDArray[np.floating[Any]]
Window = tuple[slice, slice, slice]
Span = tuple[float, float]
Point = tuple[float, float, float]
Plane = Literal["sagittal", "axial"]
# Points along each side of the block that textures are cut from.
BLOCK = 64
# Nothing of a thing, whatever the grid.
NONE: Volume = np.zeros((), np.float32)
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Grid:
    """Points of a volume: ascending coordinates in mm, evenly spaced."""

    x: Volume
    y: Volume
    z: Volume

    @classmethod
    def spanning(cls, x: Span, y: Span, z: Span, spacing: tuple[float, float, float]) -> Grid:
        """From the first to the last of each span; ``spacing`` in mm along x, y, z."""
        axes = (
            np.arange(low, high + 1e-3 * step, step, dtype=np.float64)
            for (low, high), step in zip((x, y, z), spacing, strict=True)
        )
        return cls(*(axis.astype(np.float32) for axis in axes))

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.y), len(self.z), len(self.x)

    @property
    def steps(self) -> tuple[float, float, float]:
        """Spacing along x, y, z; 1 where there is a single point."""
        x, y, z = (float(axis[1] - axis[0]) if len(axis) > 1 else 1.0 for axis in (self.x, self.y, self.z))
        return x, y, z

    @property
    def softness(self) -> float:
        """Width of an edge in the sagittal plane: one pixel."""
        x, _, z = self.steps
        return max(0.5, (x + z) / 2)

    def window(self, x: Span, y: Span, z: Span) -> Window:
        """The part of the grid inside a box; empty where they do not meet."""
        cut = []
        for axis, (low, high) in ((self.y, y), (self.z, z), (self.x, x)):
            first, last = np.searchsorted(axis, [low, high])
            cut.append(slice(int(first), int(last)))
        return cut[0], cut[1], cut[2]

    def part(self, window: Window) -> Grid:
        """The grid of a window."""
        return Grid(self.x[window[2]], self.y[window[0]], self.z[window[1]])

    def __bool__(self) -> bool:
        return min(self.shape) > 0

    @property
    def across(self) -> Volume:
        """y, of the shape (len(y), 1, 1)."""
        return self.y[:, None, None]

    @property
    def up(self) -> Volume:
        """z, of the shape (1, len(z), 1)."""
        return self.z[None, :, None]

    @property
    def forward(self) -> Volume:
        """x, of the shape (1, 1, len(x))."""
        return self.x[None, None, :]


class Canvas:
    """Channels over a grid; every ``paint`` covers what was there by the share that the new tissue fills."""

    def __init__(self, grid: Grid, channels: tuple[str, ...], ground: Signal) -> None:
        self.grid, self.channels = grid, channels
        self.values = np.empty((len(channels), *grid.shape), np.float32)
        self.values[:] = ground.of(channels)[:, None, None, None]

    def paint(self, window: Window, share: Volume, tissue: Signal | list[Volume]) -> None:
        """``share`` 0…1 over the window (or what broadcasts to it) becomes ``tissue``: one signal, or each channel."""
        values = tissue.of(self.channels) if isinstance(tissue, Signal) else tissue
        for channel, new in enumerate(values):
            old = self.values[channel][window]
            old += share * (new - old)

    def cover(self, window: Window, distance: Volume, tissue: Signal | list[Volume], softness: float = 0.0) -> None:
        """Paint where ``distance`` (mm) is positive, with an edge as wide as a pixel or ``softness``."""
        self.paint(window, inside(distance, softness or self.grid.softness), tissue)


def inside(distance: Volume, width: float) -> Volume:
    """Share of a pixel inside: 0 to 1 over an edge of that width (mm), ½ where the distance is 0."""
    result: Volume = np.clip(distance * np.float32(1 / width) + np.float32(0.5), 0, 1)
    return result


def within(values: Volume, low: float, high: float) -> Volume:
    """Values cut off at both limits."""
    result: Volume = np.clip(values, low, high)
    return result


def bump(distance: Volume, width: float) -> Volume:
    """1 where the distance is 0, falling off as a Gaussian of that width."""
    result: Volume = np.exp(-np.square(distance * np.float32(1 / width)))
    return result


def rounded(first: Volume, second: Volume, roundness: float) -> Volume:
    """Distance of the intersection of two shapes, its edge rounded (polynomial smooth minimum)."""
    share = np.maximum(np.float32(roundness) - np.abs(first - second), 0)
    result: Volume = np.minimum(first, second) - np.square(share) * np.float32(0.25 / roundness)
    return result


@cache
def lattice(*, smooth: bool) -> Volume:
    """A periodic block of random values, deviation 1, from which every texture is cut at its own place."""
    values = np.random.default_rng(20240601).standard_normal((BLOCK, BLOCK, BLOCK), dtype=np.float32)
    if smooth:
        values = gaussian_filter(values, 1.0, mode="wrap")
    result: Volume = values / values.std()
    return result


def field(chance: np.random.Generator, grid: Grid, centre: Point, grain: Span, *, smooth: bool = True) -> Volume:
    """Random values, deviation about 1, that hang on the place in the patient and not on the grid.

    ``grain`` is the size (mm) across and along the body's axis. Smooth ones have no lattice to be seen, the others are
    good for grains near the size of a pixel. Every texture is a piece of one periodic block of random values: what
    ``chance`` draws is where it is cut.
    """
    values = lattice(smooth=smooth)
    sizes = np.array([grain[0], grain[1], grain[0]]) / (2.0 if smooth else 1.0)
    offsets = chance.uniform(0, BLOCK, 3)
    axes = ((grid.y, centre[1]), (grid.z, centre[2]), (grid.x, centre[0]))
    for axis, (places, middle) in enumerate(axes):
        there = (places - np.float32(middle)) / sizes[axis] + offsets[axis]
        low = np.floor(there).astype(np.intp)
        share = (there - low).astype(np.float32).reshape([-1 if other == axis else 1 for other in range(3)])
        near, following = values.take(low % BLOCK, axis), values.take((low + 1) % BLOCK, axis)
        values = near + (following - near) * share
    # Interpolation takes a part of the deviation.
    result: Volume = values * np.float32(1.15 if smooth else 1.75)
    return result


@dataclass(frozen=True, eq=False)
class Scan:
    """One series with its truth.

    ``values``: (slices, rows, columns) as `inference.imaging.images.read_image` gives them from what `write` wrote:
    sagittal slices from left to right, rows downwards, columns to the back; axial from below, rows to the back,
    columns to the left. ``levels`` and ``bodies`` hold VerSe codes (whole vertebrae; bodies alone, without
    osteophytes), ``lesions`` is
    1 where marrow is replaced or broken; all on the same voxels. ``plane`` is "sagittal" or "axial".
    """

    values: Volume
    levels: NDArray[np.uint8]
    bodies: NDArray[np.uint8]
    lesions: NDArray[np.uint8]
    grid: Grid
    plane: Plane

    def voxel(self, point: tuple[float, float, float]) -> tuple[float, float, float]:
        """Slice, row and column of a point (x, y, z) of the patient."""
        forward, left, up = self.grid.steps
        back = (float(self.grid.x[-1]) - point[0]) / forward
        if self.plane == "sagittal":
            return (float(self.grid.y[-1]) - point[1]) / left, (float(self.grid.z[-1]) - point[2]) / up, back
        return (point[2] - float(self.grid.z[0])) / up, back, (point[1] - float(self.grid.y[0])) / left

    @property
    def spacing(self) -> tuple[float, float, float]:
        """mm between slices, rows and columns."""
        forward, left, up = self.grid.steps
        return (left, up, forward) if self.plane == "sagittal" else (up, forward, left)


def displayed(volume: NDArray[Scalar], plane: Plane) -> NDArray[Scalar]:
    """A volume over a grid as slices, rows, columns of the plane."""
    if plane == "sagittal":
        return np.ascontiguousarray(volume[::-1, ::-1, ::-1])
    return np.ascontiguousarray(volume.transpose(1, 2, 0)[:, ::-1, :])


def write(path: Path, shown: NDArray[np.generic], scan: Scan) -> None:
    """Write slices of a scan (its values, or one of its label images) as NIfTI with the true affine (RAS, mm).

    CT and labels as integers; a name that ends in .nii.gz is compressed.
    """
    import nibabel

    if scan.plane == "sagittal":
        over_grid = shown[::-1, ::-1, ::-1]
    else:
        over_grid = shown[:, ::-1, :].transpose(2, 0, 1)
    # Voxels run to the right, forward, up: NIfTI's own axes.
    voxels = np.ascontiguousarray(over_grid[::-1].transpose(0, 2, 1))
    kind = np.uint8 if voxels.dtype == np.uint8 else np.int16
    forward, left, up = scan.grid.steps
    affine = np.diag([left, forward, up, 1.0])
    affine[:3, 3] = -float(scan.grid.y[-1]), float(scan.grid.x[0]), float(scan.grid.z[0])
    image = nibabel.Nifti1Image(np.rint(voxels).astype(kind), affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"SYNTHETIC"
    nibabel.save(image, path)
