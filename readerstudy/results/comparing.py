"""Two truthers' marks on one case, compared once and kept under the digests of both."""

import hashlib
import math
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.localisation.overlap import overlap, surface_distance
from readerstudy.cases.geometry import spacing_between
from readerstudy.cases.models import Case
from readerstudy.reference.drawn import marks_of, planes_of
from readerstudy.reference.exporting.filling import filled
from readerstudy.reference.exporting.volumes import is_placed, parts_of
from readerstudy.reference.marks import AREAS, Mark
from readerstudy.reference.matching import pairs_of
from readerstudy.reference.measuring import Plane, Planes, in_patient, measures_of
from readerstudy.reference.models import Annotation, Opinion
from readerstudy.reference.morphometry import LEVELS
from readerstudy.reference.queries import newest_opinions, truthers_of
from readerstudy.studies.models import Enrolment, Study

from .models import CaseAgreement

# What is kept was computed so; another way of computing is another number.
WAY = "3"
# Pixels between the first and the last slice of all areas: more is left to a worker.
AT_ONCE = 20_000_000
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Two:
    """What two truthers drew on one case; one of them may have drawn nothing."""

    case: Case
    first: Opinion
    second: Opinion
    digest: str


@dataclass(frozen=True)
class Both:
    """The same, read."""

    planes: Planes
    first: tuple[Mark, ...]
    second: tuple[Mark, ...]


def opinions_of(study: Study) -> dict[int, dict[int, Opinion]]:
    """The newest ones by truther and case."""
    found: dict[int, dict[int, Opinion]] = {}
    for opinion in newest_opinions(study).select_related("case"):
        found.setdefault(opinion.truther_id, {})[opinion.case_id] = opinion
    return found


def pairs_in(
    study: Study, opinions: Mapping[int, Mapping[int, Opinion]]
) -> dict[tuple[Enrolment, Enrolment], tuple[Two, ...]]:
    """By pair of truthers, the cases that both judged and at least one drew in."""
    drawn = Annotation.objects.filter(opinion__case__study=study).exclude(marks=[])
    digests = dict(drawn.values_list("opinion_id", "digest"))
    found = {}
    for first, second in combinations(truthers_of(study), 2):
        ours, theirs = opinions.get(first.pk, {}), opinions.get(second.pk, {})
        both = [(ours[pk], theirs[pk]) for pk in sorted(ours.keys() & theirs.keys())]
        found[first, second] = tuple(
            _two(one, other, digests.get(one.pk, ""), digests.get(other.pk, ""))
            for one, other in both
            if one.pk in digests or other.pk in digests
        )
    return found


def _two(first: Opinion, second: Opinion, *digests: str) -> Two:
    words = " ".join((WAY, first.case.token, *(digest or "-" for digest in digests)))
    return Two(first.case, first, second, hashlib.sha256(words.encode()).hexdigest())


def compared_already(wanted: Iterable[Two]) -> dict[str, dict[str, Any]]:
    rows = CaseAgreement.objects.filter(digest__in=[two.digest for two in wanted])
    return dict(rows.values_list("digest", "found"))


def waiting_in(study: Study) -> list[Two]:
    wanted = [two for pair in pairs_in(study, opinions_of(study)).values() for two in pair]
    done = set(CaseAgreement.objects.filter(digest__in=[two.digest for two in wanted]).values_list("digest", flat=True))
    return [two for two in wanted if two.digest not in done]


def compare(study: Study) -> None:
    """All that is not compared yet; in any order, so that two workers at it seldom do the same."""
    waiting = waiting_in(study)
    random.shuffle(waiting)
    for two in waiting:
        if not CaseAgreement.objects.filter(digest=two.digest).exists():
            keep(two, found_in(read(two)))


def compare_for(study: Study, seconds: float) -> tuple[int, int]:
    """What can be compared while somebody waits, the large cases aside; how many still wait, and of how many."""
    opinions = opinions_of(study)
    total = sum(map(len, pairs_in(study, opinions).values()))
    waiting, until = waiting_in(study), time.monotonic() + seconds
    left = 0
    for two in waiting:
        both = read(two) if time.monotonic() < until else None
        if both is None or size_of(both) > AT_ONCE:
            left += 1
        else:
            keep(two, found_in(both))
    return left, total


def keep(two: Two, found: dict[str, Any]) -> None:
    CaseAgreement.objects.get_or_create(digest=two.digest, defaults={"case": two.case, "found": found})


def read(two: Two) -> Both:
    marks = dict(Annotation.objects.filter(opinion__in=[two.first, two.second]).values_list("opinion_id", "marks"))
    planes = planes_of(two.case)
    first, second = (marks_of(marks.get(opinion.pk, []), planes) for opinion in (two.first, two.second))
    return Both(planes, first, second)


def size_of(both: Both) -> int:
    return sum(_size(both, series, name) for series, name in names_in(both))


def _size(both: Both, series: int, name: str) -> int:
    slices = [mark.slice for mark in (*both.first, *both.second) if _name(mark) == (series, name)]
    plane = both.planes[series][min(slices)]
    return (max(slices) - min(slices) + 1) * plane.rows * plane.columns


def found_in(both: Both) -> dict[str, Any]:
    """As a document: `areas` and `points` with what `truthing` calls so, the case aside, and pairs of `grades`."""
    ours, theirs = measures_of(both.first, both.planes), measures_of(both.second, both.planes)
    pairs = pairs_of(both.first, both.second, both.planes)
    graded = [(ours[one.key].morphometry, theirs[other.key].morphometry) for one, other in pairs]
    return {
        "areas": list(_areas(both)),
        "points": list(_points(both, pairs)),
        "grades": [[here.grade, there.grade] for here, there in graded if here is not None and there is not None],
    }


def _name(mark: Mark) -> tuple[int, str]:
    return mark.series, mark.label or mark.kind


def names_in(both: Both) -> list[tuple[int, str]]:
    named = {_name(mark) for mark in (*both.first, *both.second) if mark.kind in AREAS}
    return sorted(named, key=lambda entry: (entry[0], rank_of(entry[1])))


def rank_of(name: str) -> tuple[int, str]:
    """Levels from the head down, then the other names."""
    return (LEVELS.index(name) if name in LEVELS else len(LEVELS)), name


def _areas(both: Both) -> Iterator[dict[str, Any]]:
    """By series and name, over all slices at once: whoever drew nothing under a name shares nothing."""
    for series, name in names_in(both):
        sides = [
            [mark for mark in marks if mark.kind in AREAS and _name(mark) == (series, name)]
            for marks in (both.first, both.second)
        ]
        slices = sorted({mark.slice for side in sides for mark in side})
        stack = both.planes[series]
        plane = stack[slices[0]]
        if any((stack[n].rows, stack[n].columns) != (plane.rows, plane.columns) for n in slices):
            continue
        masks = _volumes(sides, plane)
        spacing = _spacing(both.planes, series, slices)
        shared = overlap(masks[0], masks[1], spacing)
        known = spacing is not None and masks[0].any() and masks[1].any()
        apart = surface_distance(masks[0], masks[1], spacing) if known else None
        yield {
            "name": name,
            "unit": "mm" if plane.spacing else "px",
            "dice": shared.estimate,
            "iou": shared.iou,
            "distance": apart.estimate if apart else None,
            "hausdorff": apart.hausdorff_95 if apart else None,
        }


def _volumes(sides: Sequence[Sequence[Mark]], plane: Plane) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Slice, row, column of both sides, no larger than what either drew: the rest of the images says nothing."""
    drawn = [[(mark.slice, *_cut(filled(mark, plane.rows, plane.columns))) for mark in side] for side in sides]
    slices = [slice for side in drawn for slice, _box, _part in side]
    boxes = np.array([box for side in drawn for _slice, box, _part in side])
    top, left = boxes[:, :2].min(axis=0)
    bottom, right = boxes[:, 2:].max(axis=0)
    first = min(slices)
    shape = (max(slices) - first + 1, max(1, bottom - top), max(1, right - left))
    found = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for volume, side in zip(found, drawn, strict=True):
        for slice, (up, before, down, after), part in side:
            volume[slice - first, up - top : down - top, before - left : after - left] |= part
    return found


def _cut(mask: NDArray[np.bool_]) -> tuple[Box, NDArray[np.bool_]]:
    """The box around what is set (top, left, bottom, right) and what is in it; an empty one at no place of its own."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return (mask.shape[0], mask.shape[1], 0, 0), mask[:0, :0]
    box = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    return box, mask[box[0] : box[2], box[1] : box[3]].copy()


def _spacing(planes: Planes, series: int, slices: Sequence[int]) -> tuple[float, float, float] | None:
    """Between slices, rows and columns; None where slices lie unevenly or nobody knows where."""
    between = planes[series][slices[0] : slices[-1] + 1]
    within = between[0].spacing or (1.0, 1.0)
    if len(between) == 1:
        return 1.0, *within
    if len(parts_of(between)) > 1 or not is_placed(between[0]):
        return None
    return spacing_between([plane.geometry for plane in between]) or 1.0, *within


def _points(both: Both, pairs: Sequence[tuple[Mark, Mark]]) -> Iterator[dict[str, Any]]:
    for one, other in sorted(pairs, key=lambda pair: (pair[0].series, pair[0].kind, rank_of(pair[0].label))):
        if not one.points or len(one.points) != len(other.points) or one.kind in ("polygon", "freehand"):
            continue
        here, there = in_patient(one, both.planes), in_patient(other, both.planes)
        if here is not None and there is not None:
            unit, apart = "mm", [math.dist(a, b) for a, b in zip(here, there, strict=True)]
        else:
            unit, apart = "px", [math.dist(a, b) for a, b in zip(one.points, other.points, strict=True)]
        yield {"kind": one.kind, "label": one.label, "unit": unit, "distance": sum(apart) / len(apart)}
