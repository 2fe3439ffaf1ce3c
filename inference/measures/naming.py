"""Bodies of a level map and their names: pieces of one body joined, then named together from the head down.

A network that is sure of the bodies but not of the count answers one body in two levels, above all beside a
supernumerary vertebra. Joined, such a body has votes for both, and the neighbours decide.

>>> import numpy as np
>>> levels = np.zeros((80, 40), int)
>>> levels[5:20, 8:30], levels[25:40, 8:22], levels[25:40, 22:30], levels[45:60, 8:30] = 1, 3, 2, 3
>>> named, dropped = named_bodies(levels, ("L1", "L2", "L3"))
>>> [(one.level, one.pixels, one.votes) for one in named]
[(1, 330, (330, 0, 0)), (2, 330, (0, 120, 210)), (3, 330, (0, 0, 330))]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.measures.bodies import Bools

# A body smaller than this share of the median body is a speck.
SPECK = 0.15
# Two touching pieces are one body up to this multiple of the usual height, unless each could be a (crushed) body.
TALLEST, BODILY, STACKED = 1.6, 0.4, 0.3
# What leaving a level out costs, as a share of the median body, and what a place in the row without a vote is worth.
SKIP, UNVOTED = 0.25, 0.01
# Most columns lack these.
SUPERNUMERARY = ("T13", "L6")
NEIGHBOURS = ((0, 1), (1, -1), (1, 0), (1, 1))


class Part(NamedTuple):
    """One body: its level (the i-th name is i, 0 before it is named), mask, pixels, middle, pixels of each level."""

    level: int
    mask: Bools
    pixels: int
    row: float
    column: float
    votes: tuple[int, ...]

    @property
    def favourite(self) -> int:
        return int(np.argmax(self.votes)) + 1


def named_bodies(levels: NDArray[np.integer], names: Sequence[str]) -> tuple[list[Part], list[tuple[Part, str]]]:
    """The bodies of a level map with their names from the head down, and those left out with the reason.

    Parameters
    ----------
    levels : ndarray of int, shape (rows, columns)
        0 background, i the i-th of ``names``.
    names : sequence of str
        Levels from the head down.

    Notes
    -----
    Of all ways to name the bodies with levels that rise from the head down the one with the most votes, in pixels, is
    taken (dynamic programming); leaving a level out costs a quarter of the median body, except T13 and L6, leaving a
    body out between two others costs its pixels. A body without a vote for its place is named only between two others.
    """
    bodies = bodies_of(np.asarray(levels), len(names))
    if not bodies:
        return [], []
    chain = _trimmed(_best_chain(bodies, names), bodies)
    named = [bodies[place]._replace(level=level) for place, level in chain]
    once, places = {level for _, level in chain}, {place for place, _ in chain}
    left = [body._replace(level=body.favourite) for place, body in enumerate(bodies) if place not in places]
    return named, [
        (one, "the level stands elsewhere already" if one.level in once else "out of order from the head down")
        for one in left
    ]


def bodies_of(levels: NDArray[np.integer], classes: int) -> list[Part]:
    """Every body of a level map from the head down, not yet named; specks left out."""
    pieces, owners = _pieces(levels)
    if not owners:
        return []
    groups = _joined(pieces, owners)
    bodies = []
    for group in groups:
        mask = np.isin(pieces, group)
        rows, columns = np.nonzero(mask)
        votes = np.bincount(levels[mask], minlength=classes + 1)[1:]
        middle = float(rows.mean()), float(columns.mean())
        bodies.append(Part(0, mask, len(rows), *middle, tuple(int(one) for one in votes)))
    largest: dict[int, int] = {}
    for body in bodies:
        largest[body.favourite] = max(body.pixels, largest.get(body.favourite, 0))
    least = SPECK * float(np.median(list(largest.values())))
    return sorted((one for one in bodies if one.pixels >= least), key=lambda one: (one.row, one.favourite))


def _pieces(levels: NDArray[np.integer]) -> tuple[NDArray[np.int32], list[int]]:
    """Every component of every level (8-connected) numbered from 1, and which level each has."""
    from scipy import ndimage

    pieces, owners = np.zeros(levels.shape, np.int32), [0]
    for level in np.unique(levels[levels > 0]):
        labelled, number = ndimage.label(levels == level, structure=np.ones((3, 3)))
        pieces[labelled > 0] = labelled[labelled > 0] + len(owners) - 1
        owners.extend([int(level)] * number)
    return pieces, owners if len(owners) > 1 else []


def _joined(pieces: NDArray[np.int32], owners: list[int]) -> list[list[int]]:
    """Which pieces are one body, the longest contact first."""
    from scipy import ndimage

    boxes = ndimage.find_objects(pieces)
    spans = {place: (box[0].start, box[0].stop) for place, box in enumerate(boxes, start=1)}
    pixels = dict(enumerate(np.bincount(pieces.ravel()).tolist()))
    largest = {level: max((pixels[i], i) for i in spans if owners[i] == level)[1] for level in set(owners[1:])}
    height = float(np.median([spans[i][1] - spans[i][0] for i in largest.values()]))
    area = float(np.median([pixels[i] for i in largest.values()]))
    group = {place: place for place in spans}
    for one, other in _contacts(pieces):
        a, b = group[one], group[other]
        if a == b or not _one_body(spans[a], spans[b], min(pixels[a], pixels[b]) / area, height):
            continue
        spans[a] = min(spans[a][0], spans[b][0]), max(spans[a][1], spans[b][1])
        pixels[a] += pixels[b]
        group = {place: a if of == b else of for place, of in group.items()}
    return [[place for place, of in group.items() if of == leader] for leader in sorted(set(group.values()))]


def _one_body(one: tuple[int, int], other: tuple[int, int], smaller: float, height: float) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    stacked = shared < STACKED * min(one[1] - one[0], other[1] - other[0])
    if stacked and smaller >= BODILY:
        return False
    return max(one[1], other[1]) - min(one[0], other[0]) <= TALLEST * height


def _contacts(pieces: NDArray[np.int32]) -> list[tuple[int, int]]:
    """Pairs of pieces that touch, those with the longest contact first."""
    counted: dict[tuple[int, int], int] = {}
    padded = np.pad(pieces, 1)
    rows, columns = pieces.shape
    for down, right in NEIGHBOURS:
        beside = padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
        touching = (pieces > 0) & (beside > 0) & (pieces != beside)
        for a, b in zip(pieces[touching].tolist(), beside[touching].tolist(), strict=True):
            pair = (min(a, b), max(a, b))
            counted[pair] = counted.get(pair, 0) + 1
    return sorted(counted, key=lambda pair: (-counted[pair], pair))


def _best_chain(bodies: Sequence[Part], names: Sequence[str]) -> list[tuple[int, int]]:
    """(place of the body, level) of the heaviest row with rising levels."""
    usual = float(np.median([body.pixels for body in bodies]))
    # What lies above each name if every level is there: the difference of two is what stepping from one leaves out.
    depth = np.cumsum([0.0, *(0.0 if name in SUPERNUMERARY else SKIP * usual for name in names)])
    # Leaving a body out between two others costs its pixels; at the ends (sacrum, what the film cuts) nothing.
    above_it = np.cumsum([0, *(body.pixels for body in bodies)])
    best = np.full((len(bodies), len(names)), -np.inf)
    before: list[list[tuple[int, int] | None]] = []
    for place, body in enumerate(bodies):
        steps: list[tuple[int, int] | None] = []
        for level in range(len(names)):
            # Ends of chains: earlier bodies by higher names, less what stepping over names and bodies costs.
            skipped = above_it[place] - above_it[1 : place + 1]
            ends = best[:place, :level] - (depth[level] - depth[1 : level + 1]) - skipped[:, None]
            own = body.votes[level] or UNVOTED * body.pixels
            found = divmod(int(ends.argmax()), level) if ends.size else (0, 0)
            taken = bool(ends.size) and ends[found] > 0
            best[place, level] = own + ends[found] if taken else own
            steps.append(found if taken else None)
        before.append(steps)
    step: tuple[int, int] | None = divmod(int(best.argmax()), len(names))
    chain = []
    while step is not None:
        chain.append((step[0], step[1] + 1))
        step = before[step[0]][step[1]]
    return chain[::-1]


def _trimmed(chain: list[tuple[int, int]], bodies: Sequence[Part]) -> list[tuple[int, int]]:
    """Without the ends that no vote holds, where any name would do."""
    voted = [i for i, (place, level) in enumerate(chain) if bodies[place].votes[level - 1]]
    return chain[voted[0] : voted[-1] + 1] if voted else []
