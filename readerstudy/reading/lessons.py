"""What is told after a training case: each answer beside the truth as far as it is known, in words. Pure.

Marks of the reference come as they are kept with the standard: kind, series, slice, label, points, runs, measure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.predictions.overlays import Marked

from .sight import Asked, Option, Value

Point = tuple[float, float]
# Kinds that stand for one vertebra, fractured or not; what else is drawn is a finding.
BODIES = ("vertebra", "morphometry")
# Pixels around a reference point within which a reader's mark means it.
NEAR = 10.0


@dataclass(frozen=True)
class Told:
    """One line: what was answered and what is right; None where it cannot be said. A line without both is a heading."""

    name: str
    given: str = ""
    reference: str = ""
    right: bool | None = None


@dataclass(frozen=True)
class Region:
    """A mark of the reference, as an outline on an image that is counted through all series from 1."""

    image: int
    label: str
    points: tuple[Point, ...]
    body: bool = False
    grade: int | None = None

    @property
    def finding(self) -> bool:
        return bool(self.grade) if self.body else True

    def holds(self, x: float, y: float) -> bool:
        """By the even-odd rule; a point or a line holds what lies near it."""
        if len(self.points) < 3:
            return any(math.dist((x, y), point) <= NEAR for point in self.points)
        sides = zip(self.points, (*self.points[1:], self.points[0]), strict=True)
        crossed = [a + (c - a) * (y - b) / (d - b) for (a, b), (c, d) in sides if (b > y) != (d > y)]
        return sum(x < at for at in crossed) % 2 == 1


@dataclass(frozen=True)
class Known:
    """What the reference standard says of a case: of the whole, by the name of a unit, and where."""

    positive: bool
    label: str = ""
    units: Mapping[str, tuple[bool, str]] | None = None
    regions: tuple[Region, ...] = ()

    @property
    def grades(self) -> dict[str, int]:
        """By vertebra, the highest of those measured."""
        found: dict[str, int] = {}
        for region in self.regions:
            if region.grade is not None and region.label:
                found[region.label] = max(region.grade, found.get(region.label, 0))
        return found


def told(questions: Iterable[Asked], answers: Mapping[str, Value], known: Known) -> tuple[Told, ...]:
    """One line for each question that has a truth, for a grid one for each of its rows that has."""
    lines: list[Told] = []
    for question in questions:
        if question.kind == "grid":
            lines += rows_told(question, answers.get(question.key), known)
        elif (line := line_told(question, answers.get(question.key), known)) is not None:
            lines.append(line)
    return tuple(lines)


def line_told(question: Asked, given: Value | None, known: Known) -> Told | None:
    match question.kind:
        case "decision":
            reference = word_of(known.positive, question.choices)
            return Told(question.text, word_of(given, question.choices), reference, given == known.positive)
        case "confidence":
            return confidence_told(question, given, known)
        case "marks":
            return marks_told(question, given, known)
        case "level" | "choice" | "choices":
            return choice_told(question, given, known)
    return None


def word_of(value: Value | None, options: Sequence[Option]) -> str:
    """As the protocol words an answer; of several all, of none a dash."""
    given = value if isinstance(value, list) else [value]
    return ", ".join(option.label for option in options if option.value in given) or "–"


def confidence_told(question: Asked, given: Value | None, known: Known) -> Told:
    """The side of the scale that agrees with the truth."""
    least = threshold_of(question)
    if known.positive:
        reference = _("%(least)s or more") % {"least": f"{least:g}"}
    else:
        reference = _("below %(least)s") % {"least": f"{least:g}"}
    if isinstance(given, bool) or not isinstance(given, int | float):
        return Told(question.text, "–", reference, right=False)
    return Told(question.text, f"{given:g}", reference, right=(given >= least) == known.positive)


def threshold_of(question: Asked) -> float:
    if question.threshold is not None:
        return question.threshold
    return ((question.minimum or 0) + (question.maximum or 0)) / 2


def marks_told(question: Asked, given: Value | None, known: Known) -> Told | None:
    findings = [region for region in known.regions if region.finding]
    if not findings and known.positive:
        return None
    marks = given if isinstance(given, list) else []
    found = sum(any(holds(region, mark) for mark in marks) for region in findings)
    stray = sum(not any(holds(region, mark) for region in findings) for mark in marks)
    said = _("%(count)d marked") % {"count": len(marks)}
    reference = _("%(found)d of %(count)d found") % {"found": found, "count": len(findings)} if findings else _("none")
    return Told(question.text, said, reference, right=found == len(findings) and not stray)


def holds(region: Region, mark: Mapping[str, Any]) -> bool:
    return bool(mark["image"] == region.image and region.holds(mark["x"], mark["y"]))


def choice_told(question: Asked, given: Value | None, known: Known) -> Told | None:
    """The class of the case, or the levels at which a finding is marked."""
    right = [option for option in question.choices if known.label and same(option, known.label)]
    if not right:
        right = [option for option in question.choices if any(same(option, level) for level in levels_of(known))]
    if not right:
        return None
    values = [option.value for option in right]
    agrees = set(given) == set(values) if isinstance(given, list) else given in values
    return Told(question.text, word_of(given, question.choices), ", ".join(option.label for option in right), agrees)


def levels_of(known: Known) -> set[str]:
    """Where the worst is measured; where nothing is, what bears a name of its own."""
    worst = max(known.grades.values(), default=0)
    if known.grades:
        return {level for level, grade in known.grades.items() if worst and grade == worst}
    return {region.label for region in known.regions if region.label and not region.body}


def rows_told(question: Asked, given: Value | None, known: Known) -> list[Told]:
    answers = given if isinstance(given, dict) else {}
    rows = []
    for item in question.items:
        truth = truth_of_row(item, question.choices, known)
        if truth is not None:
            answer = answers.get(str(item.value))
            right = None if isinstance(truth, str) else answer == truth.value
            reference = truth if isinstance(truth, str) else truth.label
            rows.append(Told(item.label, word_of(answer, question.choices), reference, right))
    return [Told(question.text), *rows] if rows else []


def truth_of_row(item: Option, choices: Sequence[Option], known: Known) -> Option | str | None:
    """One of the choices, or in words where the standard says it otherwise; None where it says nothing of the row."""
    names = {str(item.value).casefold(), item.label.casefold()}
    for name, grade in known.grades.items():
        if name.casefold() in names:
            return next(
                (choice for choice in choices if same(choice, str(grade))), _("grade %(grade)d") % {"grade": grade}
            )
    for name, (positive, label) in (known.units or {}).items():
        if name.casefold() in names:
            words = _("positive") if positive else _("negative")
            return next((choice for choice in choices if label and same(choice, label)), label or words)
    return None


def same(option: Option, word: str) -> bool:
    return word.casefold() in (str(option.value).casefold(), option.label.casefold())


# Where


def regions_in(documents: Iterable[Mapping[str, Any]], shapes: Sequence[Sequence[tuple[int, int]]]) -> Iterator[Region]:
    """`shapes`: rows and columns of every image of every series."""
    for document in documents:
        series, place = document["series"], document["slice"]
        image = sum(len(before) for before in shapes[:series]) + place + 1
        measured = (document.get("measure") or {}).get("morphometry")
        grade = measured["grade"] if measured else None
        body = document["kind"] in BODIES
        for points in outlines_of(document, *shapes[series][place]):
            yield Region(image, document["label"], points, body, grade)


def outlines_of(document: Mapping[str, Any], rows: int, columns: int) -> list[tuple[Point, ...]]:
    if document["kind"] == "mask":
        flat = np.repeat(np.arange(len(document["runs"])) % 2 == 1, document["runs"])
        return edges_of(flat.reshape(rows, columns))
    points = [(float(x), float(y)) for x, y in document["points"]]
    if document["kind"] == "box":
        (x, y), (u, v) = points
        return [((x, y), (u, y), (u, v), (x, v))]
    if document["kind"] == "ellipse":
        (x, y), (u, v) = points
        turns = [math.tau * n / 48 for n in range(48)]
        return [tuple(((x + u + (u - x) * math.cos(t)) / 2, (y + v + (v - y) * math.sin(t)) / 2) for t in turns)]
    return [tuple(points)]


def edges_of(mask: NDArray[np.bool_]) -> list[tuple[Point, ...]]:
    """Around each part and each hole of a mask, along the edges of its pixels, by their corners alone."""
    padded = np.pad(mask, 1)
    # Every edge runs with the mask at its right hand.
    ways: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for dy, dx, start, end in (
        (-1, 0, (0, 0), (1, 0)),
        (0, 1, (1, 0), (1, 1)),
        (1, 0, (1, 1), (0, 1)),
        (0, -1, (0, 1), (0, 0)),
    ):
        for y, x in np.argwhere(padded & ~np.roll(padded, (-dy, -dx), (0, 1))) - 1:
            ways.setdefault((int(x) + start[0], int(y) + start[1]), []).append((int(x) + end[0], int(y) + end[1]))
    loops = []
    while ways:
        corner = next(iter(ways))
        loop = [corner]
        while (following := ways[corner].pop()) != loop[0]:
            if not ways[corner]:
                del ways[corner]
            loop.append(following)
            corner = following
        if not ways[corner]:
            del ways[corner]
        loops.append(tuple(straightened(loop)))
    return loops


def straightened(loop: Sequence[tuple[int, int]]) -> Iterator[Point]:
    """Without the corners at which nothing turns."""
    for before, (x, y), after in zip((loop[-1], *loop[:-1]), loop, (*loop[1:], loop[0]), strict=True):
        if (x - before[0]) * (after[1] - y) != (y - before[1]) * (after[0] - x):
            yield float(x), float(y)


def marked(regions: Iterable[Region], frames: Sequence[str]) -> tuple[Marked, ...]:
    """On the frames of a page, each named by its address."""
    return tuple(
        Marked(
            frame=frames[region.image - 1],
            label=named(region),
            points=diamond(*region.points[0]) if len(region.points) == 1 else region.points,
            probability=None,
            positive=region.finding if region.body and region.grade is not None else None,
        )
        for region in regions
    )


def named(region: Region) -> str:
    grade = _("grade %(grade)d") % {"grade": region.grade} if region.grade is not None else ""
    return " ".join(filter(None, (region.label, grade)))


def diamond(x: float, y: float) -> tuple[Point, ...]:
    """A point as something that is seen."""
    return (x, y - NEAR / 2), (x + NEAR / 2, y), (x, y + NEAR / 2), (x - NEAR / 2, y)
