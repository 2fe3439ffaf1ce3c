"""Truth of a film: outlines, corners and levels of what it shows, projected from the patient through its view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.cohorts.levels import CODES
from inference.phantoms.column import Fracture, Patient, Vertebra, corners_of, heights_of
from inference.phantoms.views import Spot, View

# A body counts as shown when so much of its outline lies in the field.
SHOWN = 0.85

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class BodyTruth:
    """One body on one film.

    Attributes
    ----------
    vertebra, fracture
        Of the patient; None where it is not broken.
    corners : tuple of Spot
        Anterior superior, posterior superior, posterior inferior, anterior inferior; pixels.
    visible : bool
        Whether at least 85 % of the outline lies in the field; less keeps its level and shows no fracture.
    """

    vertebra: Vertebra
    fracture: Fracture | None
    corners: tuple[Spot, Spot, Spot, Spot]
    visible: bool

    @property
    def middle(self) -> Spot:
        """Centre of the four corners."""
        rows, columns = zip(*self.corners, strict=True)
        return Spot(float(np.mean(rows)), float(np.mean(columns)))

    @property
    def box(self) -> tuple[float, float]:
        """Height and width of the upright box around the corners, pixels."""
        rows, columns = zip(*self.corners, strict=True)
        return float(np.ptp(rows)), float(np.ptp(columns))

    @property
    def heights(self) -> tuple[float, float, float]:
        """Anterior, middle, posterior, mm."""
        return heights_of(self.vertebra)


@dataclass(frozen=True)
class FilmTruth:
    """All bodies that a film shows at least in part, from above downwards, and their level labels."""

    bodies: tuple[BodyTruth, ...]
    levels: Labels

    def mask(self, wanted: Callable[[Fracture], bool]) -> Labels:
        """255 in the outlines of visible bodies with such a fracture, shape (rows, columns)."""
        codes = [CODES[one.vertebra.level] for one in self.broken(wanted)]
        return np.where(np.isin(self.levels, codes), 255, 0).astype(np.uint8)

    def broken(self, wanted: Callable[[Fracture], bool]) -> tuple[BodyTruth, ...]:
        """Visible bodies with such a fracture."""
        return tuple(one for one in self.bodies if one.visible and one.fracture and wanted(one.fracture))


def truth_of(patient: Patient, view: View) -> FilmTruth:
    """What a film of that view shows.

    The outline of a body is the quadrilateral of its four corners (Ryu et al. 2023: "4-point trapezoidal shape").
    """
    opened = view.open() > 0.5
    levels = np.zeros((view.rows, view.columns), np.uint8)
    bodies = []
    for vertebra in reversed(patient.vertebrae):
        corners = [(x, z) for x, _, z in corners_of(vertebra)]
        inside = view.quadrilateral(corners) & opened
        if not inside.any():
            continue
        levels[inside] = CODES[vertebra.level]
        first, second, third, fourth = (view.spot(x, z) for x, z in corners)
        spots = (first, second, third, fourth)
        visible = bool(inside.sum() >= SHOWN * area(spots))
        bodies.append(BodyTruth(vertebra, patient.fracture_at(vertebra.level), spots, visible))
    return FilmTruth(tuple(bodies), levels)


def area(spots: tuple[Spot, ...]) -> float:
    """Of the polygon, pixels (shoelace).

    >>> area((Spot(0, 0), Spot(0, 4), Spot(3, 4), Spot(3, 0)))
    12.0
    """
    rows, columns = np.array([spot.row for spot in spots]), np.array([spot.column for spot in spots])
    return float(abs(np.sum(rows * np.roll(columns, -1) - columns * np.roll(rows, -1))) / 2)
