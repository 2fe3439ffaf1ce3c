"""Whether two people drew the same findings: which marks stand for each other, and where they do not agree.

This decides what is put before the adjudicator. How well truthers agree in figures is told with the results.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext as _

from .marks import AREAS, VERTEBRAE, Mark
from .measuring import Planes, in_patient, measures_of
from .runs import common_pixels, set_pixels

# Corners of one finding lie nearer than this; areas share at least this much of what both cover.
NEAR_MM, NEAR_PX = 5.0, 12.0
SHARED = 0.5
# Up to so many times that far two marks are one finding that was drawn differently; areas that share nothing are two.
APART, NOTHING_SHARED = 4.0, 1 / (1 - SHARED)
KINDS = {
    "point": gettext_noop("point"),
    "line": gettext_noop("line"),
    "box": gettext_noop("box"),
    "ellipse": gettext_noop("ellipse"),
    "angle": gettext_noop("angle"),
    "vertebra": gettext_noop("vertebra"),
    "morphometry": gettext_noop("morphometry"),
    "polygon": gettext_noop("polygon"),
    "freehand": gettext_noop("free hand"),
    "mask": gettext_noop("mask"),
}


@dataclass(frozen=True)
class Difference:
    """One of `first` and `second` is None where only the other person marked it."""

    first: Mark | None
    second: Mark | None
    sentence: str


@dataclass(frozen=True)
class Comparison:
    pairs: tuple[tuple[Mark, Mark], ...]
    differences: tuple[Difference, ...]


def compared(
    first: Sequence[Mark], second: Sequence[Mark], planes: Planes, names: tuple[str, str] = ("A", "B")
) -> Comparison:
    pairs = pairs_of(first, second, planes)
    here, there = _without(first, (one for one, _ in pairs)), _without(second, (other for _, other in pairs))
    differing = _nearest(here, there, planes, _may_differ)
    differences = [Difference(one, other, _drawn_apart(names, one, other, planes)) for one, other in differing]
    here, there = _without(here, (one for one, _ in differing)), _without(there, (other for _, other in differing))
    differences += [Difference(mark, None, _only(names[0], mark)) for mark in here]
    differences += [Difference(None, mark, _only(names[1], mark)) for mark in there]
    ours, theirs = measures_of(first, planes), measures_of(second, planes)
    for one, other in pairs:
        graded, regraded = ours[one.key].morphometry, theirs[other.key].morphometry
        if graded is not None and regraded is not None and graded.grade != regraded.grade:
            sentence = _("Of %(what)s %(a)s has grade %(here)d, %(b)s grade %(there)d.")
            facts = {"what": _name(one), "a": names[0], "b": names[1], "here": graded.grade, "there": regraded.grade}
            differences.append(Difference(one, other, sentence % facts))
    return Comparison(tuple(pairs), tuple(differences))


def _without(marks: Iterable[Mark], others: Iterable[Mark]) -> list[Mark]:
    keys = {mark.key for mark in others}
    return [mark for mark in marks if mark.key not in keys]


def _is_area(mark: Mark) -> bool:
    return mark.kind in AREAS and mark.kind not in VERTEBRAE


def _may_differ(mark: Mark, apart: float) -> bool:
    """Whether two marks of one kind and name, further apart than agrees, are still of one finding."""
    if _is_area(mark):
        return apart < NOTHING_SHARED
    return apart <= APART or (mark.kind in VERTEBRAE and mark.label != "" and apart < math.inf)


def _drawn_apart(names: tuple[str, str], one: Mark, other: Mark, planes: Planes) -> str:
    facts: dict[str, object] = {"what": _name(one), "a": names[0], "b": names[1]}
    if _is_area(one):
        facts["share"] = round(100 * iou(one, other))
        return _("Of %(what)s %(a)s and %(b)s share %(share)d %% of what both cover.") % facts
    near, unit = (NEAR_MM, "mm") if _scale(one, other, planes) else (NEAR_PX, "px")
    facts |= {"far": f"{_apart(one, other, planes) * near:.1f} {unit}"}
    return _("Of %(what)s %(a)s and %(b)s have points that lie %(far)s apart.") % facts


def _scale(one: Mark, other: Mark, planes: Planes) -> bool:
    """Whether their distance is known in millimetres."""
    places = in_patient(one, planes), in_patient(other, planes)
    return None not in places or planes[one.series][one.slice].spacing is not None


def _only(who: str, mark: Mark) -> str:
    return _("Only %(who)s marked %(what)s.") % {"who": who, "what": _name(mark)}


def _name(mark: Mark) -> str:
    name = f" “{mark.label}”" if mark.label else ""
    facts = {"kind": gettext(KINDS[mark.kind]), "name": name, "number": mark.slice + 1}
    return _("the %(kind)s%(name)s on image %(number)d") % facts


def pairs_of(first: Sequence[Mark], second: Sequence[Mark], planes: Planes) -> list[tuple[Mark, Mark]]:
    """Nearest first; each mark stands for one of the other person's at most."""
    return _nearest(first, second, planes, lambda _mark, apart: apart <= 1)


def _nearest(
    first: Sequence[Mark], second: Sequence[Mark], planes: Planes, belong: Callable[[Mark, float], bool]
) -> list[tuple[Mark, Mark]]:
    near: list[tuple[float, int, int]] = []
    for n, one in enumerate(first):
        for m, other in enumerate(second):
            if (one.kind, one.label, one.series) == (other.kind, other.label, other.series):
                apart = _apart(one, other, planes)
                if belong(one, apart):
                    near.append((apart, n, m))
    pairs: list[tuple[Mark, Mark]] = []
    taken: tuple[set[int], set[int]] = set(), set()
    for _apart_by, n, m in sorted(near):
        if n not in taken[0] and m not in taken[1]:
            taken[0].add(n)
            taken[1].add(m)
            pairs.append((first[n], second[m]))
    return pairs


def _apart(one: Mark, other: Mark, planes: Planes) -> float:
    """At most 1 where both may be the same finding."""
    if _is_area(one):
        if one.slice != other.slice:
            return math.inf
        shared = iou(one, other)
        return (1 - shared) / (1 - SHARED)
    here, there = in_patient(one, planes), in_patient(other, planes)
    if here is not None and there is not None:
        return max(math.dist(a, b) for a, b in zip(here, there, strict=True)) / NEAR_MM
    if one.slice != other.slice:
        return math.inf
    spacing = planes[one.series][one.slice].spacing
    rows, columns = spacing or (1.0, 1.0)
    far = max(
        math.hypot((a[0] - b[0]) * columns, (a[1] - b[1]) * rows) for a, b in zip(one.points, other.points, strict=True)
    )
    return far / (NEAR_MM if spacing else NEAR_PX)


def iou(one: Mark, other: Mark) -> float:
    """Of masks by their pixels, of other areas by the boxes around them."""
    if one.kind == "mask":
        shared = common_pixels(one.runs, other.runs)
        return shared / (set_pixels(one.runs) + set_pixels(other.runs) - shared)
    (a, b, c, d), (e, f, g, h) = box_of(one), box_of(other)
    shared_area = max(0.0, min(c, g) - max(a, e)) * max(0.0, min(d, h) - max(b, f))
    both = (c - a) * (d - b) + (g - e) * (h - f) - shared_area
    return shared_area / both if both > 0 else 0.0


def box_of(mark: Mark) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the points."""
    across, down = [x for x, _ in mark.points], [y for _, y in mark.points]
    return min(across), min(down), max(across), max(down)
