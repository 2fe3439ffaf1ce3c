"""From a fracture map and a level map to one row a vertebra: level, probability, corners, heights, grade.

>>> import numpy as np
>>> levels = np.zeros((60, 40), int)
>>> levels[5:20, 8:30], levels[25:40, 8:30] = 1, 2
>>> fracture = np.where(levels == 2, 0.9, 0.1)
>>> found = find(levels, ("L1", "L2"), fracture)
>>> [(one.level, round(one.probability, 3)) for one in found.vertebrae], round(found.score, 3)
([('L1', 0.1), ('L2', 0.9)], 0.9)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.measures.bodies import Bools, Floats, Genant, Heights, Outline, Side, genant, outline_of
from inference.measures.naming import Part, named_bodies

if TYPE_CHECKING:
    from inference.imaging.preparing import Geometry

# The share of a body's pixels with the highest values that its probability is the mean of.
TOP = 0.5
# A found body is the true one next to it where their middles lie nearer than this share of a body's height.
NEAR = 0.6
LUMBAR = ("L1", "L2", "L3", "L4", "L5")
# Degrees from one lumbar body to the next, below which the lordosis says nothing.
LEAST_TURN = 0.5


@dataclass(frozen=True)
class Vertebra:
    """One vertebra that was found.

    Attributes
    ----------
    level : str
    probability : float or None
        Of a fracture, in [0, 1]; None where there was no fracture map.
    pixels : int
        Of its body in the level map.
    middle : (float, float)
        (row, column) in pixels of the image.
    outline : Outline or None
        Six points in pixels of the image; None where the body is too small to measure.
    heights : Heights or None
        mm where the spacing is known.
    genant : Genant or None
    """

    level: str
    probability: float | None
    pixels: int
    middle: tuple[float, float]
    outline: Outline | None = None
    heights: Heights | None = None
    genant: Genant | None = None


@dataclass(frozen=True)
class Found:
    """All vertebrae of an image from the head down, and what was taken out of the level map, in words."""

    vertebrae: tuple[Vertebra, ...]
    dropped: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """Of the patient: the highest probability of a vertebra; 0 where none was found."""
        return max((one.probability or 0.0 for one in self.vertebrae), default=0.0)


class TrueBody(NamedTuple):
    """One vertebra of the reference: level, whether fractured, middle (row, column), height behind in pixels, front."""

    level: str
    fractured: bool
    middle: tuple[float, float]
    height: float
    front: Side | None = None


@dataclass(frozen=True)
class Matched:
    """A true and a found vertebra that are the same body; either is None where the other has no partner."""

    truth: TrueBody | None
    found: Vertebra | None


def find(
    levels: NDArray[np.integer],
    names: Sequence[str],
    fracture: Floats | None = None,
    *,
    spacing: tuple[float, float] = (1.0, 1.0),
    anterior: Side | None = None,
    otherwise: Side = "left",
    geometry: Geometry | None = None,
) -> Found:
    """The vertebrae of one sagittal picture.

    Parameters
    ----------
    levels : ndarray of int, shape (rows, columns)
        0 background, i the i-th of ``names``; what a network answers (the class of the highest logit) or a label
        image.
    names : sequence of str
        Levels from the head down.
    fracture : ndarray of float in [0, 1], shape (rows, columns), optional
        Probability of each pixel to lie in a fractured body.
    spacing : (float, float)
        mm a row and a column of the image (of the map itself where no geometry is given).
    anterior : {"left", "right"}, optional
        Where the patient's front lies; judged from the column itself where it is not told (`front_of`).
    otherwise : {"left", "right"}
        Where it is taken to lie where the column does not tell.
    geometry : Geometry, optional
        Leads from the network's input back to the image; corners and middles are then pixels of the image.

    Notes
    -----
    Bodies and their names come from `inference.measures.naming.named_bodies`: each level stands once and none above
    an earlier one; what found no place is told in ``dropped``. The probability of a body is the mean of the upper half
    of its pixels: a fracture that the map shows in one half of the body counts in full, while the rim of a fractured
    neighbour, which covers less than half, is thinned out; the highest pixel alone would take such a rim for a
    fracture, the mean of all would halve a small one.
    """
    kept, dropped = named_bodies(np.asarray(levels), names)
    side = anterior or front_of({names[part.level - 1]: part.mask for part in kept}) or otherwise
    vertebrae = [_vertebra(part, names, fracture, spacing, side, geometry) for part in kept]
    told = tuple(f"{names[part.level - 1]} at row {part.row:.0f}, {part.pixels} pixels: {why}" for part, why in dropped)
    return Found(_graded(vertebrae, list(names)), told)


def front_of(bodies: Mapping[str, Bools]) -> Side | None:
    """On which side of a sagittal picture the patient's front lies, from the lumbar lordosis.

    Downwards from L1 the end-plates turn so that the discs open to the front; in the thoracic spine they turn the
    other way, so it takes no part.

    Parameters
    ----------
    bodies : mapping of str to ndarray of bool
        Level to its mask, all of one picture.

    Returns
    -------
    {"left", "right"} or None
        None where fewer than three lumbar bodies can be measured, or they hardly turn.
    """
    places, leans = [], []
    for level, mask in bodies.items():
        outline = outline_of(mask) if level in LUMBAR else None
        if outline is not None:
            upper, lower = (
                np.subtract(outline.corner(f"posterior_{plate}"), outline.corner(f"anterior_{plate}"))
                for plate in ("superior", "inferior")
            )
            places.append(LUMBAR.index(level))
            leans.append(np.degrees(np.arctan2(upper[0] + lower[0], upper[1] + lower[1])))
    if len(places) < 3:
        return None
    # Degrees a level by which the right end of a body sinks on the way down.
    turn = float(np.polyfit(places, leans, 1)[0])
    return None if abs(turn) < LEAST_TURN else "right" if turn > 0 else "left"


def body_probability(values: Floats, share: float = TOP) -> float:
    """Mean of the highest ``share`` of the values of a body, in [0, 1].

    Examples
    --------
    >>> body_probability(np.array([0.0, 0.2, 0.6, 1.0]))
    0.8
    """
    count = max(1, round(values.size * share))
    return float(np.sort(values, axis=None)[-count:].mean())


def body_logit(probability: float) -> float:
    """What is calibrated as the logit of a case is: both come from the same logits of pixels. Within ±13.8.

    Examples
    --------
    >>> body_logit(0.5)
    0.0
    """
    share = min(max(probability, 1e-6), 1 - 1e-6)
    return float(np.log(share / (1 - share)))


def match(found: Sequence[Vertebra], truths: Sequence[TrueBody]) -> tuple[Matched, ...]:
    """Which found vertebra is which true one, by place alone and never by name.

    The assignment with the smallest sum of distances (Kuhn 1955); a pair farther apart than 0.6 posterior heights
    is none. True vertebrae come first in their order, then found ones without a partner.
    """
    from scipy.optimize import linear_sum_assignment

    far = 1e6
    cost = np.full((len(truths), len(found)), far)
    for i, truth in enumerate(truths):
        for j, one in enumerate(found):
            apart = float(np.hypot(one.middle[0] - truth.middle[0], one.middle[1] - truth.middle[1]))
            cost[i, j] = apart if apart <= NEAR * truth.height else far
    rows, columns = linear_sum_assignment(cost)
    partner = {int(i): int(j) for i, j in zip(rows, columns, strict=True) if cost[i, j] < far}
    pairs = [Matched(truth, found[partner[i]] if i in partner else None) for i, truth in enumerate(truths)]
    taken = set(partner.values())
    return (*pairs, *(Matched(None, one) for j, one in enumerate(found) if j not in taken))


def as_row(pair: Matched, threshold: float | None = None) -> Mapping[str, object]:
    """The columns of ``vertebrae_predictions.csv`` that belong to one vertebra.

    ``level`` is what was found ("" where the vertebra was missed; its probability is then 0), ``true_level`` what it
    is ("" where there is no such vertebra). Corners are in pixels of the image, heights in mm where known.
    """
    truth, found = pair.truth, pair.found
    probability = 0.0 if found is None or found.probability is None else round(found.probability, 6)
    row: dict[str, object] = {
        "level": "" if found is None else found.level,
        "truth": "" if truth is None else int(truth.fractured),
        "probability": probability,
        "positive": "" if threshold is None else int(probability >= threshold),
        "true_level": "" if truth is None else truth.level,
    }
    outline = None if found is None else found.outline
    for name in ("anterior_superior", "posterior_superior", "posterior_inferior", "anterior_inferior"):
        place = ("", "") if outline is None else tuple(round(value, 2) for value in outline.corner(name))
        row[f"{name}_row"], row[f"{name}_column"] = place
    heights = None if found is None else found.heights
    for name in Heights._fields:
        row[name] = "" if heights is None else round(float(getattr(heights, name)), 3)
    return row


def _vertebra(
    part: Part,
    names: Sequence[str],
    fracture: Floats | None,
    spacing: tuple[float, float],
    anterior: Side,
    geometry: Geometry | None,
) -> Vertebra:
    probability = None if fracture is None else body_probability(np.asarray(fracture)[part.mask])
    # Within the network's input proportions are those of the image, so only the scale differs.
    outline = outline_of(part.mask, (1.0, 1.0) if geometry is not None else spacing, anterior)
    middle = (part.row, part.column)
    if geometry is not None:
        middle = _back([middle], geometry)[0]
        outline = None if outline is None else Outline(tuple(_back(outline.points, geometry)))
    heights = None if outline is None else outline.heights(spacing)
    return Vertebra(names[part.level - 1], probability, part.pixels, middle, outline, heights)


def _back(points: Sequence[tuple[float, float]], geometry: Geometry) -> list[tuple[float, float]]:
    return [(float(row), float(column)) for row, column in geometry.points_back(np.asarray(points, dtype=float))]


def _graded(vertebrae: list[Vertebra], names: list[str]) -> tuple[Vertebra, ...]:
    """With Genant's grade, crushes being seen against the bodies above and below."""
    behind = {names.index(one.level): one.heights.hp for one in vertebrae if one.heights is not None}
    graded = []
    for one in vertebrae:
        place = names.index(one.level)
        near = [behind[beside] for beside in (place - 1, place + 1) if beside in behind]
        grade = None
        if one.heights is not None and min(one.heights) > 0:
            grade = genant(one.heights, float(np.mean(near)) if near else None)
        graded.append(replace(one, genant=grade))
    return tuple(graded)
