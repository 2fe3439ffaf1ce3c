"""One vertebral body on a sagittal picture: four corners, two middles of end-plates, three heights, Genant's grade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Side = Literal["left", "right"]
Kind = Literal["", "wedge", "biconcave", "crush"]
# Shares of a body at each end that take no part: rounded corners in its end-plates, more of it while the frame is
# turned, since a tilted body has slivers there, and both end-plates in its walls.
ENDS, SLIVERS, WAIST = 0.04, 0.2, 0.22
TURNS = 4
LEAST_PIXELS, LEAST_CHORDS = 12, 4
# Sub-pixel points that a body is sampled with, so that a chord is known better than to a pixel.
SAMPLES, FINEST = 4000, 5
GENANT = (0.20, 0.25, 0.40)
POINTS = (
    "anterior_superior", "middle_superior", "posterior_superior",
    "posterior_inferior", "middle_inferior", "anterior_inferior",
)  # fmt: skip
CORNERS = ("anterior_superior", "posterior_superior", "posterior_inferior", "anterior_inferior")


class Heights(NamedTuple):
    """Distances between the end-plates in front, in the middle and behind; mm, or pixels where no spacing is known."""

    ha: float
    hm: float
    hp: float

    def at(self, share: float) -> float:
        """Height at that share of the way from front to back, on the parabola through the three.

        Examples
        --------
        >>> Heights(20.0, 22.0, 28.0).at(0.85)
        25.78
        """
        bow = 2 * (self.ha + self.hp) - 4 * self.hm
        return round(self.ha + (self.hp - self.ha - bow) * share + bow * share**2, 9)


class Genant(NamedTuple):
    """Loss of height as a share, its grade 0 to 3, and the shape of the fracture ("" for grade 0)."""

    loss: float
    grade: int
    kind: Kind


@dataclass(frozen=True)
class Outline:
    """Six points of a body, each (row, column) in pixels, in the order of `POINTS`."""

    points: tuple[tuple[float, float], ...]

    def corner(self, name: str) -> tuple[float, float]:
        """One of the points by its name in `POINTS`."""
        return self.points[POINTS.index(name)]

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """The quadrilateral, in the order of `CORNERS`: around the body, from the front above."""
        return tuple(self.corner(name) for name in CORNERS)

    def heights(self, spacing: tuple[float, float] = (1.0, 1.0)) -> Heights:
        """Distances between opposite points, with mm a row and a column.

        Examples
        --------
        >>> Outline(((0, 0), (2, 5), (0, 10), (20, 10), (18, 5), (20, 0))).heights((0.5, 0.5))
        Heights(ha=10.0, hm=8.0, hp=10.0)
        """
        places = np.asarray(self.points, dtype=float) * spacing
        apart = np.linalg.norm(places[:3] - places[[5, 4, 3]], axis=1)
        return Heights(*(float(value) for value in apart))


def genant(heights: Heights, neighbours: float | None = None) -> Genant:
    """Grade and shape of a fracture after Genant from the three heights.

    The loss in front or in the middle is measured against the height behind; that of a whole body, which is its
    greatest height's, against the heights behind of its neighbours. The greatest loss counts: below 20 % grade 0, to
    25 % grade 1, to 40 % grade 2, above grade 3.

    Parameters
    ----------
    heights : Heights
    neighbours : float, optional
        Mean posterior height of the bodies above and below, in the same unit; without it no crush is seen.

    References
    ----------
    Genant, Wu, van Kuijk and Nevitt, J Bone Miner Res 8:1137–1148, 1993, figure 1.

    Examples
    --------
    >>> genant(Heights(18.0, 22.0, 27.0))
    Genant(loss=0.333333, grade=2, kind='wedge')
    >>> genant(Heights(18.0, 17.5, 18.5), neighbours=27.0)
    Genant(loss=0.314815, grade=2, kind='crush')
    >>> genant(Heights(26.0, 25.0, 27.0)).grade
    0
    """
    front, middle = 1 - heights.ha / heights.hp, 1 - heights.hm / heights.hp
    crushed = 0.0 if neighbours is None else 1 - max(heights) / neighbours
    losses: list[tuple[float, Kind]] = [(front, "wedge"), (middle, "biconcave"), (crushed, "crush")]
    loss, kind = max((round(share, 6), word) for share, word in losses)
    # A body that is low everywhere is crushed, whichever of its heights is the lowest.
    if round(crushed, 6) >= GENANT[0]:
        kind = "crush"
    grade = int(np.searchsorted(GENANT, loss, side="right"))
    return Genant(max(0.0, loss), grade, kind if grade else "")


def outline_of(body: Bools, spacing: tuple[float, float] = (1.0, 1.0), anterior: Side = "left") -> Outline | None:
    """The quadrilateral of a body with the middles of its end-plates.

    In a frame that is turned until the end-plates lean alike to both sides, each end-plate is the parabola and each
    wall the straight line of least squares through the ends of the chords; corners are where they meet. A chord's
    length is area by width of its strip, so it is known to a fraction of a pixel.

    Parameters
    ----------
    body : ndarray of bool, shape (rows, columns)
        One body, posterior elements taken away; rows run from the head down.
    spacing : (float, float)
        mm a row and a column; their ratio matters, the answer is in pixels.
    anterior : {"left", "right"}
        On which side of the picture the patient's front lies.

    Returns
    -------
    Outline or None
        None where fewer than 12 pixels or 4 chords are left to measure.
    """
    points, area = _points(body, spacing)
    if points is None:
        return None
    across = np.array([0.0, 1.0 if anterior == "left" else -1.0])
    down = np.array([1.0, 0.0])
    for _ in range(TURNS):
        places = points @ np.stack([across, down], axis=1)
        plates = _edges(places, area, SLIVERS, 1)
        if plates is None:
            return None
        lean = np.arctan(_lean(plates, places[:, 0]))
        across, down = np.cos(lean) * across + np.sin(lean) * down, np.cos(lean) * down - np.sin(lean) * across
    places = points @ np.stack([across, down], axis=1)
    plates, walls = _edges(places, area, ENDS, 2), _edges(places[:, ::-1], area, WAIST, 1)
    if plates is None or walls is None:
        return None
    found = np.stack([place[0] * across + place[1] * down for place in _met(plates, walls)]) / spacing
    return Outline(tuple((float(row), float(column)) for row, column in found))


class _Pair(NamedTuple):
    """Polynomials of two opposite edges, the one with the lower values first."""

    low: Floats
    high: Floats


def _points(body: Bools, spacing: tuple[float, float]) -> tuple[Floats | None, float]:
    """Points in mm that fill the body evenly, and the area that each stands for."""
    rows, columns = np.nonzero(body)
    if len(rows) < LEAST_PIXELS:
        return None, 0.0
    fine = int(np.clip(np.ceil(np.sqrt(SAMPLES / len(rows))), 1, FINEST))
    steps = (np.arange(fine) + 0.5) / fine - 0.5
    apart = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    places = (np.stack([rows, columns], axis=1)[:, None, :] + apart[None]).reshape(-1, 2)
    return places * spacing, spacing[0] * spacing[1] / fine**2


def _edges(places: Floats, area: float, ends: float, degree: int) -> _Pair | None:
    """Both ends of the chords along the second axis as polynomials in the first."""
    first, last = np.quantile(places[:, 0], (0.005, 0.995))
    low, high = first + ends * (last - first), last - ends * (last - first)
    wanted = max(LEAST_CHORDS, min(24, round((high - low) / (1.2 * np.sqrt(area) * FINEST)) or 1))
    width = (high - low) / wanted
    # Each point counts for the two strips next to it, by its distance; counting it for one makes lengths jump.
    place = (places[:, 0] - low) / width - 0.5
    below = np.floor(place).astype(int)
    count, sums = np.zeros(wanted), np.zeros(wanted)
    for strip, weight in ((below, 1 - (place - below)), (below + 1, place - below)):
        inside = (strip >= 0) & (strip < wanted)
        count += np.bincount(strip[inside], weight[inside], minlength=wanted)
        sums += np.bincount(strip[inside], weight[inside] * places[inside, 1], minlength=wanted)
    kept = count > 0
    if kept.sum() < LEAST_CHORDS:
        return None
    middle, half = sums[kept] / count[kept], count[kept] * area / width / 2
    at = (low + (np.arange(wanted) + 0.5) * width)[kept]
    return _Pair(np.polyfit(at, middle - half, degree), np.polyfit(at, middle + half, degree))


def _lean(plates: _Pair, across: Floats) -> float:
    """Mean rise of both end-plates from front to back."""
    front, back = np.quantile(across, (0.05, 0.95))
    rises = [np.polyval(plate, back) - np.polyval(plate, front) for plate in plates]
    return float(np.mean(rises) / (back - front))


def _met(plates: _Pair, walls: _Pair) -> list[tuple[float, float]]:
    """The six points in the order of `POINTS`: (from front to back, from head down)."""
    found: dict[str, tuple[float, float]] = {}
    for side, plate in (("superior", plates.low), ("inferior", plates.high)):
        for face, wall in (("anterior", walls.low), ("posterior", walls.high)):
            across = float(np.polyval(wall, np.polyval(plate, wall[-1])))
            for _ in range(4):
                across = float(np.polyval(wall, np.polyval(plate, across)))
            found[f"{face}_{side}"] = (across, float(np.polyval(plate, across)))
        middle = (found[f"anterior_{side}"][0] + found[f"posterior_{side}"][0]) / 2
        found[f"middle_{side}"] = (middle, float(np.polyval(plate, middle)))
    return [found[name] for name in POINTS]
