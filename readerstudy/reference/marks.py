"""What a truther draws, read from JSON and checked against the images it claims to lie on. Pure.

Points are x and y in image pixels from the corner of the first pixel, whose centre is (0.5, 0.5), as DICOM's SCOORD has
them. Series and slice are places among the series of the case and the frames of that series, from 0.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import outlines
from .morphometry import LEVELS, Point
from .runs import Runs, fault_of, set_pixels

# How many points each kind has, at least and at most.
POINTS = {
    "point": (1, 1),
    "line": (2, 2),
    "box": (2, 2),
    "ellipse": (2, 2),
    "angle": (3, 3),
    "vertebra": (4, 4),
    "morphometry": (6, 6),
    "polygon": (3, 2000),
    "freehand": (3, 2000),
    "mask": (0, 0),
}
KINDS = tuple(POINTS)
# Kinds that surround an area, and those that stand for one vertebra.
AREAS = ("box", "ellipse", "polygon", "freehand", "vertebra", "morphometry", "mask")
VERTEBRAE = ("vertebra", "morphometry")
LARGEST_BODY = 5 << 20
MOST_MARKS, MOST_RUNS, MOST_REJECTED = 2000, 500_000, 2000
LONGEST_LABEL, LONGEST_NOTE = 40, 2000
# A corner at the edge of an image may be drawn a little beyond it.
BEYOND = 0.5
_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")
_VERDICTS = ("", "positive", "negative", "undecided")
_FIELDS = {"key", "kind", "series", "slice", "label", "points", "runs", "proposed"}
# Rows and columns of every frame of every series.
Shapes = Sequence[Sequence[tuple[int, int]]]


class MarksError(ValueError):
    """What was sent is not what the page sends; the text says what is wrong."""


@dataclass(frozen=True)
class Mark:
    key: str
    kind: str
    series: int
    slice: int
    label: str = ""
    points: tuple[Point, ...] = ()
    runs: Runs = ()
    proposed: str = ""
    """Key of the mark of a model that it came from."""

    @property
    def place(self) -> tuple[int, int]:
        return self.series, self.slice

    def same_geometry(self, other: "Mark") -> bool:
        return (self.kind, self.place, self.points, self.runs) == (other.kind, other.place, other.points, other.runs)

    def to_document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"key": self.key, "kind": self.kind, "series": self.series, "slice": self.slice}
        document |= {"label": self.label, "points": [list(point) for point in self.points]}
        if self.kind == "mask":
            document["runs"] = list(self.runs)
        return document | ({"proposed": self.proposed} if self.proposed else {})


@dataclass(frozen=True)
class Place:
    """Which image the truther had open, so that the page comes back as it was left."""

    series: int = 0
    slice: int = 0


@dataclass(frozen=True)
class Work:
    """A truther's work on one case as the page keeps it."""

    marks: tuple[Mark, ...] = ()
    rejected: tuple[str, ...] = ()
    """Keys of the model's marks that the truther took away."""
    verdict: str = ""
    note: str = ""
    place: Place | None = None

    def to_document(self) -> dict[str, Any]:
        place = None if self.place is None else {"series": self.place.series, "slice": self.place.slice}
        return {
            "marks": [mark.to_document() for mark in self.marks],
            "rejected": list(self.rejected),
            "verdict": self.verdict,
            "note": self.note,
            "place": place,
        }


def document_in(body: bytes) -> dict[str, Any]:
    if len(body) > LARGEST_BODY:
        raise MarksError(f"The work on one case takes more than {LARGEST_BODY >> 20} MB; simplify the masks.")
    try:
        read = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MarksError("What was sent is not JSON.") from error
    if not isinstance(read, dict):
        raise MarksError("What was sent is not a JSON object.")
    return read


def work_in(document: Mapping[str, Any], shapes: Shapes) -> Work:
    """Checked to the last number; raises MarksError with one sentence."""
    verdict = document.get("verdict", "")
    if verdict not in _VERDICTS:
        raise MarksError("The opinion is positive, negative or cannot decide.")
    rejected = _list(document.get("rejected", []), "rejected", MOST_REJECTED)
    if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in rejected):
        raise MarksError("A rejected mark is named by its key.")
    place = document.get("place")
    return Work(
        marks=marks_in(document.get("marks", []), shapes),
        rejected=tuple(dict.fromkeys(rejected)),
        verdict=verdict,
        note=_words(document.get("note", ""), "note", LONGEST_NOTE),
        place=None if place is None else Place(*_place(_object(place, "place"), shapes)),
    )


def marks_in(found: object, shapes: Shapes) -> tuple[Mark, ...]:
    marks = tuple(_mark(_object(entry, "mark"), shapes) for entry in _list(found, "marks", MOST_MARKS))
    _check_once((mark.key for mark in marks), "Two marks have the same key.")
    _check_once(
        ((mark.series, mark.slice, mark.label) for mark in marks if mark.kind == "mask"),
        "One image holds two masks of the same name.",
    )
    _check_once(
        ((mark.series, mark.slice, mark.kind, mark.label) for mark in marks if mark.kind in VERTEBRAE and mark.label),
        "Two vertebrae of one image have the same level.",
    )
    return marks


def _check_once(keys: Iterable[object], sentence: str) -> None:
    if any(count > 1 for count in Counter(keys).values()):
        raise MarksError(sentence)


def _mark(entry: Mapping[str, Any], shapes: Shapes) -> Mark:
    key, kind = entry.get("key"), entry.get("kind")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise MarksError("A mark has no key of at most 40 letters, digits and hyphens.")
    if kind not in KINDS:
        raise MarksError("A mark is of a kind that does not exist.")
    if unknown := set(entry) - _FIELDS:
        raise MarksError(f"A mark says something that is not asked: {', '.join(sorted(unknown))[:80]}.")
    series, slice = _place(entry, shapes)
    label = _words(entry.get("label", ""), "label", LONGEST_LABEL)
    if kind in VERTEBRAE and label and label not in LEVELS:
        raise MarksError(f"“{label}” is no level of the spine.")
    proposed = entry.get("proposed", "")
    if not isinstance(proposed, str) or (proposed and not _KEY.fullmatch(proposed)):
        raise MarksError("A mark names the proposal it came from by its key.")
    mark = Mark(key, kind, series, slice, label, proposed=proposed)
    rows, columns = shapes[series][slice]
    if kind == "mask":
        return replace(mark, runs=_runs(entry.get("runs"), rows, columns))
    points = _points(kind, entry.get("points"), rows, columns)
    if sentence := outlines.fault_of(kind, points):
        raise MarksError(sentence)
    return replace(mark, points=points)


def _place(entry: Mapping[str, Any], shapes: Shapes) -> tuple[int, int]:
    series, slice = entry.get("series"), entry.get("slice")
    if not _is_count(series) or not _is_count(slice):
        raise MarksError("A mark lies on a series and a slice, counted from 0.")
    assert isinstance(series, int)
    assert isinstance(slice, int)
    if series >= len(shapes) or slice >= len(shapes[series]):
        raise MarksError(f"The case has no image {slice + 1} in a series {series + 1}.")
    return series, slice


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 20


def _points(kind: str, found: object, rows: int, columns: int) -> tuple[Point, ...]:
    least, most = POINTS[kind]
    points = _list(found, "points", most)
    if len(points) < least:
        raise MarksError(f"A {kind} has {least} points; {len(points)} were sent.")
    return tuple(_point(point, rows, columns) for point in points)


def _point(found: object, rows: int, columns: int) -> Point:
    pair = _list(found, "point", 2)
    if len(pair) != 2 or not all(isinstance(value, int | float) and not isinstance(value, bool) for value in pair):
        raise MarksError("A point is two numbers, x and y.")
    if not all(abs(value) < 1e6 and math.isfinite(value) for value in pair):
        raise MarksError("A point lies nowhere near its image.")
    x, y = (round(float(value), 4) for value in pair)
    if not (-BEYOND <= x <= columns + BEYOND and -BEYOND <= y <= rows + BEYOND):
        raise MarksError(f"A point lies outside its image of {rows} × {columns} pixels.")
    return x, y


def _runs(found: object, rows: int, columns: int) -> Runs:
    runs = _list(found, "runs", MOST_RUNS)
    if sentence := fault_of(runs, rows, columns):
        raise MarksError(sentence)
    if not set_pixels(tuple(runs)):
        raise MarksError("A mask is empty.")
    return tuple(runs)


def _list(found: object, name: str, most: int) -> list[Any]:
    if not isinstance(found, list):
        raise MarksError(f"“{name}” is not a list.")
    if len(found) > most:
        raise MarksError(f"“{name}” has more than {most} entries.")
    return found


def _object(found: object, name: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise MarksError(f"“{name}” is not a JSON object.")
    return found


def _words(found: object, name: str, most: int) -> str:
    if not isinstance(found, str) or len(found) > most:
        raise MarksError(f"“{name}” is not a text of at most {most} characters.")
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise MarksError(f"“{name}” holds a character that cannot be stored.") from error
    if "\x00" in found:
        raise MarksError(f"“{name}” holds a character that cannot be stored.")
    return found.strip()
