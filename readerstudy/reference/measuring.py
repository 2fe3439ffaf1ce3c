"""What the server works out of marks: where they lie in the patient, how long, how large, how high. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from readerstudy.cases.geometry import Geometry, patient_millimetres
from readerstudy.cases.geometry import Point as PatientPoint

from .marks import Mark
from .morphometry import LEVELS, Morphometry, Point, grade_of, heights_of
from .outlines import enclosed
from .runs import set_pixels

# Not everybody has them: the chain goes on from T12 to L1, from L5 to S1 where nobody named them.
RARE = ("T13", "L6")


@dataclass(frozen=True)
class Plane:
    """One image of a case."""

    rows: int
    columns: int
    geometry: Geometry

    @property
    def spacing(self) -> tuple[float, float] | None:
        """Row and column spacing in the patient; none where only the detector's is known."""
        return self.geometry.spacing if self.geometry.calibrated else None


Planes = Sequence[Sequence[Plane]]


@dataclass(frozen=True)
class Measure:
    """None where the kind of mark has no such thing; in mm, mm² where calibrated, else in pixels."""

    unit: str
    length: float | None = None
    area: float | None = None
    degrees: float | None = None
    morphometry: Morphometry | None = None


def in_patient(mark: Mark, planes: Planes) -> tuple[PatientPoint, ...] | None:
    geometry = planes[mark.series][mark.slice].geometry
    places = [patient_millimetres(geometry, x, y) for x, y in mark.points]
    known = [place for place in places if place is not None]
    return tuple(known) if known and len(known) == len(places) else None


def measures_of(marks: Sequence[Mark], planes: Planes) -> dict[str, Measure]:
    """By the key of the mark."""
    behind = _posterior_heights(marks, planes)
    return {mark.key: _measure(mark, planes[mark.series][mark.slice], behind) for mark in marks}


def _measure(mark: Mark, plane: Plane, behind: Mapping[int, Mapping[str, float]]) -> Measure:
    scale = plane.spacing or (1.0, 1.0)
    unit = "mm" if plane.spacing else "px"
    if mark.kind == "line":
        return Measure(unit, length=_length(mark.points, scale))
    if mark.kind == "angle":
        return Measure(unit, degrees=_degrees(mark.points, scale))
    if mark.kind == "morphometry":
        neighbours = neighbours_of(mark.label, behind.get(mark.series, {}))
        return Measure(unit, morphometry=grade_of(heights_of(mark.points, scale), neighbours))
    area = area_of(mark)
    return Measure(unit, area=None if area is None else area * scale[0] * scale[1])


def area_of(mark: Mark) -> float | None:
    """In pixels; None for kinds that have none."""
    if mark.kind == "mask":
        return float(set_pixels(mark.runs))
    if mark.kind in ("polygon", "freehand", "vertebra"):
        return enclosed(mark.points)
    if mark.kind in ("box", "ellipse"):
        (x, y), (u, v) = mark.points
        return abs((u - x) * (v - y)) * (math.pi / 4 if mark.kind == "ellipse" else 1.0)
    return None


def _length(points: Sequence[Point], scale: tuple[float, float]) -> float:
    (x, y), (u, v) = points
    return math.hypot((u - x) * scale[1], (v - y) * scale[0])


def _degrees(points: Sequence[Point], scale: tuple[float, float]) -> float | None:
    """Between the arms from the second point; None where an arm has no length."""
    (x, y), (u, v), (p, q) = ((point[0] * scale[1], point[1] * scale[0]) for point in points)
    first, second = (x - u, y - v), (p - u, q - v)
    if math.hypot(*first) == 0 or math.hypot(*second) == 0:
        return None
    turned = math.atan2(first[0] * second[1] - first[1] * second[0], first[0] * second[0] + first[1] * second[1])
    return abs(math.degrees(turned))


def _posterior_heights(marks: Sequence[Mark], planes: Planes) -> dict[int, dict[str, float]]:
    """By series and level; of a level that was measured on several slices the mean."""
    found: dict[int, dict[str, list[float]]] = {}
    for mark in marks:
        if mark.kind == "morphometry" and mark.label:
            heights = heights_of(mark.points, planes[mark.series][mark.slice].spacing or (1.0, 1.0))
            found.setdefault(mark.series, {}).setdefault(mark.label, []).append(heights.posterior)
    return {
        series: {level: sum(heights) / len(heights) for level, heights in levels.items()}
        for series, levels in found.items()
    }


def neighbours_of(level: str, heights: Mapping[str, float]) -> float | None:
    """The mean posterior height of the bodies above and below; None where neither is measured."""
    chain = [name for name in LEVELS if name not in RARE or name in heights]
    if level not in chain:
        return None
    at = chain.index(level)
    beside = [heights[name] for name in (*chain[max(0, at - 1) : at], *chain[at + 1 : at + 2]) if name in heights]
    return sum(beside) / len(beside) if beside else None
