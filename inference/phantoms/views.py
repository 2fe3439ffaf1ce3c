"""Where a film lies over the patient: pixels to millimetres and back, collimation, what part of a body is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.phantoms.column import Patient, Vertebra
from inference.phantoms.shapes import Plane, edge, meet

Window = tuple[slice, slice]


class Spot(NamedTuple):
    """A place on the film, pixels; pixel centres are whole numbers."""

    row: float
    column: float


@dataclass(frozen=True)
class Field:
    """What the collimator lets through: margins in pixels (top, right, bottom, left), or a circle."""

    margins: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    radius: float = 0.0
    softness: float = 0.8


@dataclass(frozen=True)
class View:
    """One exposure's geometry.

    Attributes
    ----------
    rows, columns : int
    pixel : float
        Millimetres of the patient's sagittal plane per pixel; magnification is in it.
    x, z : float
        The place of the patient in the middle of the film, mm.
    turn : float
        Of the film against the patient, radians.
    tube : float
        Height over which the tube stands: bodies away from it show their near and far side apart.
    turned : float
        How far the patient is turned about the long axis, as mm between near and far side.
    """

    rows: int
    columns: int
    pixel: float
    x: float
    z: float
    turn: float = 0.0
    tube: float = 0.0
    turned: float = 0.0
    field: Field = Field()

    def grid(self, step: int = 1) -> tuple[Plane, Plane]:
        """Millimetres forward and upward of every ``step``-th pixel, shape (rows, columns)."""
        columns = (np.arange(0, self.columns, step, dtype=np.float32) - (self.columns - 1) / 2) * self.pixel
        rows = ((self.rows - 1) / 2 - np.arange(0, self.rows, step, dtype=np.float32)) * self.pixel
        right, up = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
        c, s = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        return np.float32(self.x) + right * c - up * s, np.float32(self.z) + right * s + up * c

    def spot(self, x: float, z: float) -> Spot:
        """Row and column of a place of the patient; the inverse of ``grid``.

        >>> view = View(101, 51, 0.5, x=10.0, z=20.0, turn=0.1)
        >>> row, column = view.spot(float(view.grid()[0][7, 9]), float(view.grid()[1][7, 9]))
        >>> round(row, 3), round(column, 3)
        (7.0, 9.0)
        """
        c, s = np.cos(self.turn), np.sin(self.turn)
        dx, dz = x - self.x, z - self.z
        right, up = dx * c + dz * s, dz * c - dx * s
        return Spot(float((self.rows - 1) / 2 - up / self.pixel), float((self.columns - 1) / 2 + right / self.pixel))

    def parallax(self, one: Vertebra) -> float:
        """Millimetres between the near and the far side of a body, upwards."""
        return 0.018 * (one.z - self.tube) + self.turned

    def open(self) -> Plane:
        """1 where the collimator lets rays through, 0 behind it."""
        row, column = (
            axis.astype(np.float32)
            for axis in np.meshgrid(np.arange(self.rows), np.arange(self.columns), indexing="ij", sparse=True)
        )
        field = self.field
        if field.radius:
            off = np.hypot(row - (self.rows - 1) / 2, column - (self.columns - 1) / 2)
            return edge(field.radius - off, field.softness)
        top, right, bottom, left = field.margins
        if not any(field.margins):
            return np.ones((self.rows, self.columns), np.float32)
        down = np.minimum(row - top, self.rows - 1 - bottom - row) + 0.5
        across = np.minimum(column - left, self.columns - 1 - right - column) + 0.5
        return edge(meet(*np.broadcast_arrays(down, across), roundness=0.8), field.softness)

    def quadrilateral(self, corners: Iterable[tuple[float, float]]) -> NDArray[np.bool_]:
        """The pixels whose centre lies between four places of the patient (x, z), given in turn around it."""
        spots = np.array([self.spot(x, z) for x, z in corners])
        # A picture library's polygon takes in the pixels that its border touches: half a pixel too far up and left.
        row, column = np.ogrid[: self.rows, : self.columns]
        inside = np.ones((self.rows, self.columns), bool)
        after = np.roll(spots, -1, axis=0)
        turning = np.sign(np.sum(spots[:, 0] * after[:, 1] - spots[:, 1] * after[:, 0]))
        for (r0, c0), (r1, c1) in zip(spots, after, strict=True):
            inside &= turning * ((r1 - r0) * (column - c0) - (c1 - c0) * (row - r0)) >= 0
        return inside


@dataclass(frozen=True)
class Framing:
    """How a film is framed; lengths in mm of the patient.

    Attributes
    ----------
    heights : (float, float)
        Least and greatest height of the field; what it cuts off above and below follows from it.
    slimness : float
        Width over height, about.
    scale : float
        Pixel over the site's own: 1 for films of full size.
    round : float
        Diameter of a round field; 0 for films.
    """

    heights: tuple[float, float] = (250.0, 292.0)
    slimness: float = 0.60
    scale: float = 2.0
    round: float = 0.0


def make_view(
    patient: Patient, chance: np.random.Generator, framing: Framing, *, pixel: float, margin: float, hold: str
) -> View:
    """A film somewhere over the column that shows the body ``hold`` and the sacrum or the last ribs.

    Parameters
    ----------
    pixel, margin : float
        The site's: mm per pixel at full size, widest collimation in mm.
    hold : str
        Level that must lie on the film with its neighbours' end-plates.
    """
    height = framing.round or float(chance.uniform(*framing.heights))
    width = framing.round or float(np.clip(height * framing.slimness * chance.uniform(0.92, 1.08), 105, 210))
    middle = vertical(patient, chance, height, hold, anchored=not framing.round)
    lean, x = course_of(patient, middle, height)
    pixel = pixel * framing.scale * float(chance.uniform(0.97, 1.03))
    turn = -0.75 * lean + float(chance.normal(0, 0.035))
    shift = float(chance.uniform(-0.03, 0.12)) * width if not framing.round else float(chance.normal(0, 6))
    rows, columns = round(height / pixel), round(width / pixel)
    top, right, bottom, left = (float(side) for side in chance.uniform(0.2, 1.0, 4) * (chance.random(4) < 0.75))
    edge_of_film = margin / pixel
    margins = (top * edge_of_film, right * edge_of_film, bottom * edge_of_film, left * edge_of_film)
    field = Field(radius=0.49 * min(rows, columns)) if framing.round else Field(margins=margins)
    tube = middle + float(chance.normal(0, 12))
    return View(rows, columns, pixel, x + shift, middle, turn, tube, float(chance.normal(0, 0.9)), field)


def vertical(patient: Patient, chance: np.random.Generator, height: float, hold: str, *, anchored: bool) -> float:
    """Height over the lowest body where the middle of the film lies."""
    bodies = patient.vertebrae
    kept = patient.vertebra(hold)
    reach = height / 2 - kept.full / 2 - 14
    lowest = max(kept.z - reach, bodies[0].z - 42 + height / 2)
    highest = min(kept.z + reach, bodies[-1].z + 12 - height / 2)
    if anchored:
        # The sacrum from below or the last pair of ribs from above: without either no level can be told.
        last_rib = min(body.z for body in bodies if body.ribs)
        sacrum, ribs = bodies[0].z - 30 + height / 2, last_rib - height / 2
        if sacrum < ribs:
            low = sacrum >= lowest and (ribs > highest or chance.random() < 0.5)
            lowest, highest = (lowest, min(highest, sacrum)) if low else (max(lowest, ribs), highest)
    if lowest > highest:
        return float(np.clip((lowest + highest) / 2, kept.z - reach, kept.z + reach))
    return float(chance.uniform(lowest, highest))


def course_of(patient: Patient, middle: float, height: float) -> tuple[float, float]:
    """How far the column leans forward there (radians), and where its middle runs (mm)."""
    shown = [body for body in patient.vertebrae if abs(body.z - middle) < height / 2 + 10]
    slope, at_zero = np.polyfit([body.z for body in shown], [body.x for body in shown], 1)
    return float(np.arctan(slope)), float(at_zero + slope * middle)
