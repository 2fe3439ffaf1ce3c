"""Bones of the column at any grid: bodies, discs, posterior elements, ribs, sacrum.

A body is bounded by its end-plates, the parabolas through hp, hm and ha (`column.Vertebra.endplates`), and by walls of
super-elliptic axial section |x/a|^k + |y/b|^k = 1, k = 2.6, with a waist. Distances are mm, positive inside. Cortex is
laid first, marrow into it, so that bones that meet have no wall between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from inference.phantoms import lesions
from inference.phantoms.column import WAIST, Disc, Patient, Vertebra, chance_for
from inference.phantoms.contrast import ANNULUS, DRY_NUCLEUS, GAS, NUCLEUS, Signal
from inference.phantoms.lesions import Frame
from inference.phantoms.volume import Canvas, Grid, Point, Volume, Window, bump, field, rounded

SECTION = np.float32(2.6)


@dataclass(frozen=True, eq=False)
class Body:
    """A body over its window: ``distance`` inside its surface, ``wall`` inside its side walls alone; ``ideal`` that
    of the body alone, without osteophytes, bulges and roughness; ``coarse`` is a texture of deviation about 1 that its
    surface and its marrow share."""

    one: Vertebra
    window: Window
    part: Grid
    frame: Frame
    distance: Volume
    wall: Volume
    ideal: Volume
    coarse: Volume


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of the posterior elements: a capsule, flattened by ``tall`` along the body's axis."""

    start: Point
    end: Point
    radius: float
    tall: float = 1.0


def body_of(grid: Grid, one: Vertebra, patient: Patient, taper: float = 0.0) -> Body | None:
    """The body over the part of the grid that it and what is around it can reach; None where that is empty."""
    reach = one.depth / 2 + 22
    window = grid.window(
        (one.x - reach, one.x + reach),
        (one.y - one.width / 2 - 22, one.y + one.width / 2 + 22),
        (one.z - one.full / 2 - 14, one.z + one.full / 2 + 14),
    )
    part = grid.part(window)
    if not part:
        return None
    x, v = (plane[None] for plane in one.local(part.x[None, :], part.z[:, None]))
    left = part.across - np.float32(one.y)
    a, b = one.depth / 2, one.width / 2
    below, above = endplate_depths(one, x / np.float32(a), left / np.float32(b), v)
    # Nothing grown is smooth; the corners of the truth are those of the mean surface.
    coarse = field(chance_for(patient.chance, one.level, "coarse"), part, (one.x, one.y, one.z), (5.0, 5.0))
    ideal = np.minimum(np.minimum(below, above), plain_wall(x, left, a, b, waist_of(below, above, taper)))
    below, above = below + np.float32(0.3) * coarse, above + np.float32(0.3) * coarse[:, ::-1]
    share = np.clip((above - below) / (above + below), -1.2, 1.2)
    frame = Frame(x, left, v, below, share, a, b, one.full)
    wall = side_wall(one, frame, above, patient, taper) + np.float32(0.3) * coarse[..., ::-1]
    fracture = patient.fracture_at(one.level)
    roundness = 6.5 if fracture and fracture.shows("remodelled") else 2.4
    return Body(one, window, part, frame, rounded(np.minimum(below, above), wall, roundness), wall, ideal, coarse)


def endplate_depths(one: Vertebra, u: Volume, t: Volume, v: Volume) -> tuple[Volume, Volume]:
    """Distance (mm) under the upper and over the lower end-plate; beside the mid-plane the hollow is shallower."""
    near = np.clip(u, -1.15, 1.15)
    chord = (one.anterior + one.posterior) / 2 + (one.anterior - one.posterior) / 2 * near
    hollow = (chord - one.height_at(near)).astype(np.float32)
    lost = (one.full - chord).astype(np.float32) + hollow * (1 - np.float32(0.7) * np.clip(np.square(t), 0, 1.2))
    upper = np.float32(one.upper)
    return one.full / 2 - upper * lost - v, v + one.full / 2 - (1 - upper) * lost


def waist_of(below: Volume, above: Volume, taper: float) -> Volume:
    """Half axes relative to those at the end-plates; ``taper`` is how much narrower the lower end is."""
    share = np.clip((above - below) / (above + below), -1.2, 1.2)
    waist = 1 - np.float32(WAIST) * np.clip(1 - np.square(share), 0, 1)
    result: Volume = waist * (1 - np.float32(taper / 2) * (1 - share))
    return result


def plain_wall(forward: Volume, left: Volume, a: Volume | float, b: float, waist: Volume) -> Volume:
    """Distance inside the super-elliptic walls of half axes a·waist and b·waist."""
    radius = (np.abs(forward / (a * waist)) ** SECTION + np.abs(left / (b * waist)) ** SECTION) ** (1 / SECTION)
    length = np.sqrt(np.square(forward) + np.square(left))
    result: Volume = (1 - radius) * np.maximum(length, 1) / np.maximum(radius, np.float32(1 / b))
    return result


def side_wall(one: Vertebra, frame: Frame, above: Volume, patient: Patient, taper: float) -> Volume:
    """Distance inside the walls with the hollow of the canal, osteophytes, bulges of a fracture."""
    waist = waist_of(frame.below, above, taper)
    front: Volume = np.full((), frame.a, np.float32)
    # The wall of the canal is hollow: beside the mid-plane it lies further back.
    back = front * (1 + np.float32(0.07) * np.clip(np.square(frame.left / np.float32(0.6 * frame.b)), 0, 1))
    for spur, depth in zip(one.spurs, (frame.below, above), strict=True):
        if spur:
            front = front + np.float32(spur) * bump(depth - 0.6, 2.4)
    fracture = patient.fracture_at(one.level)
    if fracture:
        ahead, behind = lesions.bulges(fracture, frame.left, frame.below, frame.share, frame.b)
        front, back = front + ahead, back + behind
    return plain_wall(frame.forward, frame.left, np.where(frame.forward > 0, front, back), frame.b, waist)


def paint_discs(canvas: Canvas, patient: Patient) -> None:
    """Discs between neighbours: a ring of fibres around a nucleus that holds more or less water."""
    below = sacrum_of(patient)[0]
    for one in patient.vertebrae:
        paint_disc(canvas, patient, below, one, one.disc)
        below = one


def paint_disc(canvas: Canvas, patient: Patient, below: Vertebra, above: Vertebra, disc: Disc) -> None:
    x, z, y = (below.x + above.x) / 2, (below.z + above.z) / 2, (below.y + above.y) / 2
    high = (above.z - below.z) / 2
    window = canvas.grid.window((x - 27, x + 27), (y - 32, y + 32), (z - high, z + high))
    part = canvas.grid.part(window)
    if not part:
        return
    depths, forward = [], []
    a, b = (below.depth + above.depth) / 4, (below.width + above.width) / 4
    left = part.across - np.float32(y)
    for one, upper in ((below, True), (above, False)):
        along, v = (plane[None] for plane in one.local(part.x[None, :], part.z[:, None]))
        inner = endplate_depths(one, along / np.float32(a), left / np.float32(b), v)
        depths.append(-inner[0] if upper else -inner[1])
        forward.append(along)
    middle = (forward[0] + forward[1]) / 2
    # It bulges half-way between the end-plates.
    arch = np.clip(4 * depths[0] * depths[1] / np.square(np.maximum(depths[0] + depths[1], 1)), 0, 1)
    reach = np.where(middle > 0, a + 0.8 * arch, a - 0.4 + np.float32(0.9 + disc.bulge) * arch)
    radius = (np.abs(middle / reach) ** SECTION + np.abs(left / np.float32(b + 1)) ** SECTION) ** (1 / SECTION)
    wall = (1 - radius) * np.float32(a)
    distance = np.minimum(np.minimum(depths[0], depths[1]), wall)
    canvas.cover(window, distance + 0.8, ANNULUS)
    wet = Signal(*(dry + disc.water * (full - dry) for dry, full in zip(DRY_NUCLEUS, NUCLEUS, strict=True)))
    grain = field(chance_for(patient.chance, above.level, "disc"), part, (x, y, z), (2.5, 2.0))
    # The cleft of an adult nucleus is a dark line in its middle.
    cleft = 1 - np.float32(0.35 * disc.water) * bump(depths[0] - depths[1], 1.6)
    values = [
        np.float32(value) * (1 + np.float32(0.08) * grain) * (cleft if channel in ("T2W", "STIR") else 1)
        for value, channel in zip(wet.of(canvas.channels), canvas.channels, strict=True)
    ]
    core = np.minimum(np.minimum(depths[0], depths[1]) * 2 - 1.0, wall - np.float32(0.30 * a))
    canvas.cover(window, core, values, 2.2)
    if disc.vacuum:
        gas = np.minimum(1.0 - np.abs(depths[0] - depths[1]) / 2 + 0.5 * grain, wall - np.float32(0.35 * a))
        canvas.cover(window, gas, GAS, 1.2)


def sacrum_of(patient: Patient) -> tuple[Vertebra, ...]:
    """The first four sacral segments, as tapering bodies that curve backwards under the lowest disc."""
    last = patient.vertebrae[0]
    tilt = last.tilt + 8
    x, z = 0.0, 0.0
    segments = []
    for number, (depth, height, width, turn) in enumerate(
        ((0.94, 29.0, 1.02, 6.0), (0.66, 23.0, 0.74, 12.0), (0.50, 19.0, 0.6, 16.0), (0.40, 16.0, 0.5, 18.0))
    ):
        tilt += turn
        lean = np.radians(tilt)
        x, z = x - height / 2 * np.sin(lean), z - height / 2 * np.cos(lean)
        segments.append(
            replace(
                last,
                level=f"S{number + 1}",
                x=float(x),
                y=0.0,
                z=float(z),
                tilt=float(tilt),
                depth=last.depth * depth,
                width=last.width * width,
                posterior=height - 1.2,
                middle=height - 1.2,
                anterior=height - 1.2,
                spurs=(0.0, 0.0),
                step=-1 - number,
                ribs=False,
            )
        )
        x, z = x - height / 2 * np.sin(lean), z - height / 2 * np.cos(lean)
    return tuple(segments)


def pieces_of(one: Vertebra) -> Iterator[Piece]:
    """Pedicles, joints, laminae, spinous and transverse processes of both sides, in the frame of the body."""
    back, h, k = -one.depth / 2, 27.0 * one.depth / 34, one.width / 47
    high = one.ribs and one.level not in ("T12", "T13")
    for side in (-1.0, 1.0):
        wide = (9.5 if high else 13.0) * k * side
        yield Piece((back + 3, wide, 0.22 * h), (back - 9, wide * 1.1, 0.20 * h), 3.6 * k if high else 4.1 * k, 1.65)
        yield Piece((back - 9, wide * 1.15, 0.2 * h), (back - 12.5, wide * 1.3, 0.70 * h), 4.2)
        yield Piece((back - 10, wide * 1.1, 0.15 * h), (back - 17, wide * 0.85, -0.35 * h), 4.0, 1.3)
        yield Piece((back - 17, wide * 0.85, -0.35 * h), (back - 19.5, wide * 0.92, -0.82 * h), 4.0)
        yield Piece((back - 15, wide * 0.8, -0.05 * h), (back - 25, 1.2 * side, -0.2 * h), 2.7, 2.6)
        if high:
            yield Piece((back - 10, wide * 1.2, 0.2 * h), (back - 22, wide + 19 * side, 0.35 * h), 3.8)
        else:
            yield Piece((back - 8, wide * 1.2, 0.15 * h), (back - 15, wide + 24 * side * k, 0.22 * h), 2.7, 1.5)
    if high:
        yield Piece((back - 21, 0.0, -0.10 * h), (back - 40, 0.0, -1.00 * h), 2.9, 1.7)
        yield Piece((back - 21, 0.0, -0.35 * h), (back - 37, 0.0, -0.95 * h), 2.8, 1.5)
    else:
        yield Piece((back - 22, 0.0, -0.18 * h), (back - 45, 0.0, -0.36 * h), 3.0, 1.2)
        yield Piece((back - 23, 0.0, -0.32 * h), (back - 47, 0.0, -0.56 * h), 3.3, 1.5)
        yield Piece((back - 25, 0.0, -0.42 * h), (back - 46, 0.0, -0.72 * h), 2.9, 1.3)


def rib_of(one: Vertebra, side: float) -> Iterator[Piece]:
    """A rib as a chain of capsules: from the joint beside the body outwards, then forwards and down."""
    back, b, h = -one.depth / 2, one.width / 2, one.full
    points = [
        (back + 3.0, b - 1.0, 0.42 * h),
        (back - 14.0, b + 13.0, 0.30 * h),
        (back - 30.0, b + 34.0, -0.05 * h),
        (back - 30.0, b + 62.0, -0.8 * h),
        (back - 8.0, b + 88.0, -1.7 * h),
        (back + 40.0, b + 98.0, -2.9 * h),
    ]
    last = {"T13": 3, "T12": 3, "T11": 5}.get(one.level, 6)
    for (x0, y0, z0), (x1, y1, z1) in pairwise(points[:last]):
        yield Piece((x0, side * y0, z0), (x1, side * y1, z1), 2.8, 1.9)


def distance_of(grid: Grid, one: Vertebra, piece: Piece) -> tuple[Window, Volume] | None:
    """The piece over its window; None where the grid does not meet it."""
    ends = [one.place(point[0], point[2]) for point in (piece.start, piece.end)]
    margin = piece.radius * max(1.0, piece.tall) + 2.5
    x, z = ([end[axis] for end in ends] for axis in (0, 2))
    y = [one.y + piece.start[1], one.y + piece.end[1]]
    window = grid.window(*((min(spots) - margin, max(spots) + margin) for spots in (x, y, z)))
    part = grid.part(window)
    if not part:
        return None
    forward, up = (plane[None] for plane in one.local(part.x[None, :], part.z[:, None]))
    stretch = np.float32(1 / piece.tall)
    at = (
        forward - np.float32(piece.start[0]),
        part.across - np.float32(y[0]),
        (up - np.float32(piece.start[2])) * stretch,
    )
    along = np.array(piece.end) - np.array(piece.start)
    along[2] /= piece.tall
    length = float(along @ along)
    share = np.clip(sum(place * np.float32(step / length) for place, step in zip(at, along, strict=True)), 0, 1)
    squares = sum(np.square(place - share * np.float32(step)) for place, step in zip(at, along, strict=True))
    return window, np.float32(piece.radius) - np.sqrt(squares)


def joined(grid: Grid, one: Vertebra, pieces: Iterable[Piece], roundness: float = 2.2) -> tuple[Window, Volume] | None:
    """Pieces that grow into each other, over the window of all; None where the grid meets none."""
    found = [place for place in (distance_of(grid, one, piece) for piece in pieces) if place]
    if not found:
        return None
    bounds = [(min(w[axis].start for w, _ in found), max(w[axis].stop for w, _ in found)) for axis in range(3)]
    whole = np.full([stop - start for start, stop in bounds], -9, np.float32)
    for window, distance in found:
        y, z, x = (slice(cut.start - low, cut.stop - low) for cut, (low, _) in zip(window, bounds, strict=True))
        whole[y, z, x] = -rounded(-whole[y, z, x], -distance, roundness)
    y, z, x = (slice(start, stop) for start, stop in bounds)
    return (y, z, x), whole
