"""How well the truthers agree: opinions and grades beyond chance, areas by overlap and distance, points by distance."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from analysis.agreement import CohenKappa, cohen_kappa
from analysis.errors import CannotAnalyse
from analysis.localisation.overlap import overlap, surface_distance
from readerstudy.cases.geometry import spacing_between
from readerstudy.reference.drawn import marks_of, planes_of
from readerstudy.reference.exporting.filling import filled
from readerstudy.reference.marks import AREAS, Mark
from readerstudy.reference.matching import pairs_of
from readerstudy.reference.measuring import Plane, Planes, in_patient, measures_of
from readerstudy.reference.models import Annotation, Opinion
from readerstudy.reference.queries import newest_opinions, truthers_of
from readerstudy.studies.models import Enrolment, Study

VERDICTS = {"positive": 1.0, "negative": 0.0, "undecided": np.nan}


@dataclass(frozen=True)
class Kappa:
    """Either the estimate or the sentence why there is none."""

    found: CohenKappa | None
    refused: str = ""

    @property
    def interval(self) -> tuple[float, float] | None:
        if self.found is None:
            return None
        interval = self.found.confidence_interval()
        return interval.low, interval.high


@dataclass(frozen=True)
class Area:
    """One named area of one case; distances are None where one truther drew nothing, so that there is no surface."""

    case: str
    name: str
    unit: str
    dice: float
    iou: float
    distance: float | None
    hausdorff: float | None


@dataclass(frozen=True)
class Points:
    """A mark that both set, and how far apart its points lie on average."""

    case: str
    name: str
    unit: str
    distance: float


@dataclass(frozen=True)
class Agreement:
    first: Enrolment
    second: Enrolment
    cases: int
    verdicts: Kappa
    grades: Kappa
    areas: tuple[Area, ...]
    points: tuple[Points, ...]

    @property
    def mean_dice(self) -> float | None:
        return mean(area.dice for area in self.areas)

    @property
    def mean_iou(self) -> float | None:
        return mean(area.iou for area in self.areas)


def mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None


@dataclass(frozen=True)
class Both:
    """Two truthers on one case."""

    label: str
    planes: Planes
    first: tuple[Mark, ...]
    second: tuple[Mark, ...]


def agreements_of(study: Study) -> tuple[Agreement, ...]:
    opinions: dict[int, dict[int, Opinion]] = {}
    for opinion in newest_opinions(study).select_related("case"):
        opinions.setdefault(opinion.truther_id, {})[opinion.case_id] = opinion
    pairs = combinations(truthers_of(study), 2)
    return tuple(_agreement(*pair, opinions.get(pair[0].pk, {}), opinions.get(pair[1].pk, {})) for pair in pairs)


def _agreement(first: Enrolment, second: Enrolment, ours: dict[int, Opinion], theirs: dict[int, Opinion]) -> Agreement:
    common = sorted(ours.keys() & theirs.keys())
    both = list(_drawn([(ours[pk], theirs[pk]) for pk in common]))
    graded = [pair for one in both for pair in _grades(one)]
    return Agreement(
        first,
        second,
        len(common),
        verdicts=kappa([(VERDICTS[ours[pk].verdict], VERDICTS[theirs[pk].verdict]) for pk in common]),
        grades=kappa(graded, weighted=True),
        areas=tuple(area for one in both for area in _areas(one)),
        points=tuple(point for one in both for point in _points(one)),
    )


def _drawn(opinions: Sequence[tuple[Opinion, Opinion]]) -> Iterator[Both]:
    found = Annotation.objects.filter(opinion__in=[one for pair in opinions for one in pair])
    marks = dict(found.values_list("opinion_id", "marks"))
    for first, second in opinions:
        kept = marks.get(first.pk, []), marks.get(second.pk, [])
        if any(kept):
            planes = planes_of(first.case)
            yield Both(first.case.label, planes, marks_of(kept[0], planes), marks_of(kept[1], planes))


def kappa(pairs: Sequence[tuple[float, float]], *, weighted: bool = False) -> Kappa:
    if not pairs:
        return Kappa(None, _("Nothing was judged by both."))
    first, second = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    try:
        return Kappa(cohen_kappa(first, second, "quadratic" if weighted else "none"))
    except CannotAnalyse as error:
        return Kappa(None, str(error))


def _grades(both: Both) -> Iterator[tuple[float, float]]:
    ours, theirs = measures_of(both.first, both.planes), measures_of(both.second, both.planes)
    for one, other in pairs_of(both.first, both.second, both.planes):
        here, there = ours[one.key].morphometry, theirs[other.key].morphometry
        if here is not None and there is not None:
            yield float(here.grade), float(there.grade)


def _areas(both: Both) -> Iterator[Area]:
    """By series and name, over all slices at once: whoever drew nothing under a name shares nothing."""
    names = sorted({_name(mark) for mark in (*both.first, *both.second) if mark.kind in AREAS})
    for series, name in names:
        sides = [[mark for mark in marks if _name(mark) == (series, name)] for marks in (both.first, both.second)]
        slices = sorted({mark.slice for side in sides for mark in side})
        stack = both.planes[series]
        if len({(stack[n].rows, stack[n].columns) for n in slices}) > 1:
            continue
        masks = [_volume(side, slices, stack[slices[0]]) for side in sides]
        spacing = _spacing(both.planes, series, slices)
        shared = overlap(masks[0], masks[1], spacing)
        apart = surface_distance(masks[0], masks[1], spacing) if masks[0].any() and masks[1].any() else None
        yield Area(
            both.label,
            name,
            "mm" if stack[slices[0]].spacing else "px",
            shared.estimate,
            shared.iou,
            apart.estimate if apart else None,
            apart.hausdorff_95 if apart else None,
        )


def _name(mark: Mark) -> tuple[int, str]:
    return mark.series, mark.label or mark.kind


def _volume(marks: Sequence[Mark], slices: Sequence[int], plane: Plane) -> NDArray[np.bool_]:
    """Slice, row, column, from the first slice to the last on which either truther drew anything."""
    found = np.zeros((slices[-1] - slices[0] + 1, plane.rows, plane.columns), dtype=bool)
    for mark in marks:
        found[mark.slice - slices[0]] |= filled(mark, plane.rows, plane.columns)
    return found


def _spacing(planes: Planes, series: int, slices: Sequence[int]) -> tuple[float, float, float]:
    stack = planes[series]
    within = stack[slices[0]].spacing or (1.0, 1.0)
    return spacing_between([plane.geometry for plane in stack]) or 1.0, *within


def _points(both: Both) -> Iterator[Points]:
    for one, other in pairs_of(both.first, both.second, both.planes):
        if not one.points or len(one.points) != len(other.points) or one.kind in ("polygon", "freehand"):
            continue
        here, there = in_patient(one, both.planes), in_patient(other, both.planes)
        if here is not None and there is not None:
            unit, apart = "mm", [math.dist(a, b) for a, b in zip(here, there, strict=True)]
        else:
            unit, apart = "px", [math.dist(a, b) for a, b in zip(one.points, other.points, strict=True)]
        yield Points(both.label, f"{one.kind} {one.label}".strip(), unit, sum(apart) / len(apart))
