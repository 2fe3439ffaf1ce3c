"""Where the pixels of a picture lie in the patient (millimetres; x to the left, y to the back, z to the head)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
Directions = tuple[float, float, float, float, float, float]
# The sides of the patient towards which rows and columns run: ("A", "F").
Letters = tuple[str, str]

PLANES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True)
class Geometry:
    """As DICOM has it: centre of the first pixel; direction along a row, then down a column; (row, column) spacing."""

    position: Point | None = None
    orientation: Directions | None = None
    spacing: tuple[float, float] | None = None
    calibrated: bool = False
    letters: Letters | None = None


def direction_of_row(orientation: Directions) -> NDArray[np.float64]:
    return np.asarray(orientation[:3], dtype=float)


def direction_of_column(orientation: Directions) -> NDArray[np.float64]:
    return np.asarray(orientation[3:], dtype=float)


def normal(orientation: Directions) -> NDArray[np.float64]:
    across, back, up = orientation[:3]
    other_across, other_back, other_up = orientation[3:]
    return np.array(
        [
            back * other_up - up * other_back,
            up * other_across - across * other_up,
            across * other_back - back * other_across,
        ]
    )


def is_orientation(values: Sequence[float]) -> bool:
    """Two unit vectors at right angles, within the rounding that files carry."""
    if len(values) != 6 or not all(map(math.isfinite, values)):
        return False
    row, column = values[:3], values[3:]
    are_units = abs(math.hypot(*row) - 1) <= 1e-2 and abs(math.hypot(*column) - 1) <= 1e-2
    return are_units and abs(sum(one * other for one, other in zip(row, column, strict=True))) < 1e-2


def names_other_sides(orientation: Directions, letters: Letters) -> bool:
    """Whether rows or columns are said to run to the side that lies opposite to where they chiefly run."""
    for direction, sides in zip(
        (direction_of_row(orientation), direction_of_column(orientation)), letters, strict=True
    ):
        axis = int(np.argmax(np.abs(direction)))
        towards, away = "LPH"[axis], "RAF"[axis]
        if (away if direction[axis] > 0 else towards) in sides:
            return True
    return False


def plane_of(orientation: Directions | None) -> str:
    """The anatomical plane nearest to the picture; empty where the orientation is unknown."""
    if orientation is None:
        return ""
    return PLANES[int(np.argmax(np.abs(normal(orientation))))]


def depth(geometry: Geometry, along: Directions) -> float | None:
    """How far along the stack's normal the picture lies."""
    if geometry.position is None:
        return None
    return float(np.asarray(geometry.position) @ normal(along))


def same_orientation(first: Directions, second: Directions) -> bool:
    return all(abs(one - other) <= 1e-3 for one, other in zip(first, second, strict=True))


def patient_millimetres(geometry: Geometry, x: float, y: float) -> Point | None:
    """Where image point (x, y) lies; its origin is the corner of the first pixel, whose centre is (0.5, 0.5)."""
    if geometry.position is None or geometry.orientation is None or geometry.spacing is None:
        return None
    between_rows, between_columns = geometry.spacing
    point = (
        np.asarray(geometry.position)
        + (x - 0.5) * between_columns * direction_of_row(geometry.orientation)
        + (y - 0.5) * between_rows * direction_of_column(geometry.orientation)
    )
    return float(point[0]), float(point[1]), float(point[2])


def image_point(geometry: Geometry, at: Point) -> tuple[float, float] | None:
    """The inverse of `patient_millimetres` for a point projected onto the picture's plane."""
    if geometry.position is None or geometry.orientation is None or geometry.spacing is None:
        return None
    offset = np.asarray(at) - np.asarray(geometry.position)
    between_rows, between_columns = geometry.spacing
    x = float(offset @ direction_of_row(geometry.orientation)) / between_columns + 0.5
    y = float(offset @ direction_of_column(geometry.orientation)) / between_rows + 0.5
    return x, y


def spacing_between(geometries: Sequence[Geometry]) -> float | None:
    """The median distance between neighbouring slices of a sorted stack."""
    first = geometries[0].orientation if geometries else None
    if first is None or len(geometries) < 2:
        return None
    depths = [depth(geometry, first) for geometry in geometries]
    known = [value for value in depths if value is not None]
    if len(known) != len(geometries):
        return None
    return float(np.median(np.abs(np.diff(known))))
