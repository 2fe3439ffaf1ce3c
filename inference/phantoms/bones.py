"""What each bone adds to the line integrals of a lateral film: path lengths through marrow and cortex times μ.

Along the left–right direction a body of width w with a super-elliptic axial section has the path length
w·(1 − |u|^k)^(1/k) at relative depth u (k = 2.6). Where a ray runs along a sheet of cortex its path is long: rims
are bright.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inference.phantoms.column import Fracture, Patient, Vertebra
from inference.phantoms.shapes import Plane, Point, capsule, course, edge, ellipse, grain, line, meet

SECTION = 2.6
# Attenuation per mm above soft tissue at the mean energy of a lateral lumbar film.
SPONGE, COMPACT = 0.0115, 0.052
# Grains of trabeculae, mm along and across: the load-bearing ones stand upright.
UPRIGHT, CROSSED, PATCHES = (6.0, 0.8), (1.3, 1.3), (9.0, 7.0)


@dataclass(frozen=True)
class Look:
    """What sets a body's appearance apart; numbers from 0 (not there) to 1, ``step`` in mm.

    Attributes
    ----------
    thin : float
        Osteoporosis of the patient.
    impaction, step, swelling : float
        Of a fresh fracture: dense band under the endplate, step of the anterior cortex, soft tissue before it.
    sclerosis, remodelled : float
        Of an old one: dense marrow and endplates, rounded corners; its osteophytes stand in ``Vertebra.spurs``.
    worn : float
        Dense endplates of a worn disc.
    """

    thin: float = 0.4
    impaction: float = 0.0
    step: float = 0.0
    swelling: float = 0.0
    sclerosis: float = 0.0
    remodelled: float = 0.0
    worn: float = 0.0


def look_of(patient: Patient, one: Vertebra) -> Look:
    """How that body of the patient appears; a fracture's age is in it through the drawn signs alone."""
    change = patient.change_of(one.level)
    match change:
        case None:
            return Look(thin=patient.osteoporosis)
        case Fracture():
            return Look(
                thin=patient.osteoporosis,
                impaction=change.impaction,
                step=change.step if change.shows("cortical_step") else 0.0,
                swelling=float(change.shows("swelling")),
                sclerosis=float(change.shows("sclerosis")),
                remodelled=float(change.shows("remodelled")),
            )
        case _:
            return Look(thin=patient.osteoporosis, worn=change.impaction)


def body(one: Vertebra, look: Look, side: float, x: Plane, v: Plane, chance: np.random.Generator) -> Plane:
    """The vertebral body; ``x`` runs forward from its centre, ``v`` upward; ``side`` parts near from far, mm."""
    half = one.depth / 2
    u = x / half
    # The front is hollowed more than the back, less so where it was crushed.
    tall = max(one.posterior, one.anterior)
    hollow = np.clip(1 - np.square(v / (tall / 2)), 0, 1)
    hollow *= np.where(x > 0, np.float32(0.12 * one.anterior / tall), np.float32(0.06))
    waist = 1 - hollow
    top, bottom = (plate.astype(np.float32) for plate in one.endplates(u))
    wavy = 0.45 * grain(x, v, 14.0, 5.0, chance)
    top = top + 0.35 * wavy
    walls = (waist - np.abs(u)) * half
    inside = meet(top - v, v - bottom, walls + 0.3 * wavy, roundness=1.1 + 1.6 * look.remodelled) + 0.5
    path = one.width * np.power(np.clip(1 - np.power(np.abs(u) / waist, SECTION), 0, 1), 1 / SECTION)
    density = (1 - 0.55 * look.thin) * (1 + 0.8 * look.sclerosis)
    marrow = SPONGE * density * path * trabeculae(look, x, v, chance) * edge(inside)
    shell = COMPACT * (1.05 - 0.42 * look.thin)
    uneven = np.clip(1 + 0.22 * grain(x, v, 5.0, 9.0, chance), 0.3, 1.7)
    rim = rims(one, look, side, u, v, (top, bottom)) * edge(inside + 0.8, 0.5)
    bone = marrow + shell * uneven * (rim + 2.6 * line(inside - 0.5, 0.8))
    bone = bone + fresh(one, look, u, v, top, edge(inside) * path) + spurs(one, x, v)
    result: Plane = bone
    return result


def trabeculae(look: Look, x: Plane, v: Plane, chance: np.random.Generator) -> Plane:
    """Grain of the marrow around 1: upright struts, more of them apart in thin bone; the vein's entry behind."""
    upright = grain(x, v, *UPRIGHT, chance)
    fine = grain(x, v, *CROSSED, chance)
    patches = grain(x, v, *PATCHES, chance)
    vein = line(v, 2.2) * line(x + 12, 7.0)
    mixed = 1 + (0.07 + 0.09 * look.thin) * upright + 0.07 * fine + 0.06 * patches - 0.10 * vein
    result: Plane = np.clip(mixed, 0.1, None)
    return result


def rims(one: Vertebra, look: Look, side: float, u: Plane, v: Plane, plates: tuple[Plane, Plane]) -> Plane:
    """Endplates and the rings around them; away from the central ray the near and the far ring stand apart."""
    top, bottom = plates
    within = edge((0.97 - np.abs(u)) * one.depth / 2, 0.7)
    dense = 1 + 0.9 * look.worn + 0.7 * look.sclerosis
    width = 0.75 + 0.9 * look.worn + 0.6 * look.sclerosis
    plate = 0.085 * one.width * dense * (line(v - top + 0.4, width) + line(v - bottom - 0.4, width))
    ring = 1.1 * np.clip(1 - np.square(u), 0, 1)
    near, far = side / 2 + ring, -side / 2 + ring
    sides = sum(line(v - top - one_side, 0.65) + line(v - bottom + one_side, 0.65) for one_side in (near, far - 0.4))
    result: Plane = within * (plate + 0.042 * one.width * sides)
    return result


def fresh(one: Vertebra, look: Look, u: Plane, v: Plane, top: Plane, path: Plane) -> Plane:
    """A dense band of driven-in trabeculae under the upper endplate, and a step of the anterior cortex."""
    band = line(v - top + 4.2, 3.0) * edge((0.94 - np.abs(u)) * one.depth / 2, 0.8)
    result: Plane = COMPACT * 0.28 * look.impaction * path * band
    if look.step:
        # The upper front corner is driven forward and down over the wall below it.
        front, height = one.depth / 2, float(one.endplates(1.0)[0])
        flap = capsule(u * front, v, (front - 2.5, height - 0.3), (front + 0.9 * look.step, height - 4.2), 1.0)
        under = capsule(u * front, v, (front + 0.9 * look.step, height - 4.2), (front - 1.5, height - 6.4), 0.8)
        result = result + COMPACT * 10.0 * (edge(flap, 0.4) + 0.8 * edge(under, 0.4))
    return result


def spurs(one: Vertebra, x: Plane, v: Plane) -> Plane:
    """Osteophytes at the anterior corners, as beaks towards the neighbours."""
    total = np.zeros_like(x)
    for plate, upward, size in zip(one.endplates(0.95), (1.0, -1.0), one.spurs, strict=True):
        if size > 0.6:
            height, front = float(plate), one.depth / 2
            tip = (front + 0.8 * size, height + upward * 0.4 * size)
            beak = capsule(x, v, (front - 2.5, height - upward * 1.6), tip, 1.1 + 0.22 * size)
            total += part(beak, 13.0)
    return total


def posterior_elements(one: Vertebra, look: Look, side: float, x: Plane, v: Plane) -> Plane:
    """Pedicles, joints and their isthmus on both sides, spinous process; the foramina between them stay dark."""
    behind = -x - one.depth / 2
    h, thoracic = one.posterior, one.ribs
    total = np.zeros_like(x)
    for hand in (-1.0, 1.0):
        b, w = behind - 0.9 * hand, v - hand * (0.6 + side / 2)
        pillar = np.zeros_like(x)
        for start, end, radius, depth in pillars(h, thoracic):
            # They are one bone: where two meet, the ray crosses little more than one of them.
            piece = part(capsule(b, w, start, end, radius), depth)
            pillar = np.maximum(pillar, piece) + 0.25 * np.minimum(pillar, piece)
        total += pillar
        wing = ellipse(b, w, (-2.0 if thoracic else 1.5, 0.20 * h), (4.6, 5.8), 0.2)
        total += 0.55 * part(wing, 9.0)
    drop = (-0.30 * h, -1.05 * h) if thoracic else (-0.14 * h, -0.30 * h)
    reach = 38.0 if thoracic else 42.0
    blade = capsule(behind, v, (23.0, drop[0]), (reach, drop[1]), 0.16 * h if thoracic else 0.30 * h)
    total += part(blade, 6.0)
    result: Plane = 1.4 * (1 - 0.4 * look.thin) * total
    return result


def pillars(h: float, thoracic: bool) -> Iterable[tuple[Point, Point, float, float]]:
    """Pedicle, upper joint process, isthmus with the lower one, lamina: start, end, radius, depth along the ray."""
    yield (-1.0, 0.20 * h), (9.0, 0.22 * h), (0.17 if thoracic else 0.19) * h, 8.5
    yield (11.0, 0.24 * h), (14.5, 0.68 * h), 3.8, 9.5
    yield (12.0, 0.22 * h), (18.5, -0.52 * h), 4.3, 9.0
    yield (18.0, -0.10 * h), (24.0, -0.34 * h), 4.8, 6.0


def part(distance: Plane, depth: float) -> Plane:
    """A small bone: marrow inside, cortex around it; ``depth`` is its thickness along the ray."""
    marrow = SPONGE * 0.85 * depth * np.sqrt(np.clip(distance / 4, 0, 1)) * edge(distance)
    result: Plane = marrow + COMPACT * (0.15 * depth * edge(distance, 0.9) + 0.085 * depth * line(distance - 1.0, 1.1))
    return result


def sacrum(last: Vertebra, look: Look, x: Plane, z: Plane) -> Plane:
    """Three tapering segments that curve backwards under the last lumbar body."""
    lean = math.radians(last.tilt + 9)
    reach = (last.posterior + last.anterior) / 4 + 8.0
    px, pz = last.x - reach * math.sin(lean), last.z - reach * math.cos(lean)
    total = np.zeros_like(x)
    depth, height, angle = last.depth * 0.97, 27.0, last.tilt + 17
    for _ in range(3):
        turn = math.radians(angle)
        cx, cz = px - height / 2 * math.sin(turn), pz - height / 2 * math.cos(turn)
        a = (x - cx) * math.cos(turn) - (z - cz) * math.sin(turn)
        b = (x - cx) * math.sin(turn) + (z - cz) * math.cos(turn)
        taper = depth / 2 * (0.86 + 0.14 * np.clip(b / (height / 2), -1, 1))
        inside = meet(height / 2 - b, b + height / 2 + 1, taper - np.abs(a), roundness=2.4)
        behind = capsule(-a, b, (depth / 2 + 2, 0.0), (depth / 2 + 13, -3.0), 8.0)
        total += SPONGE * 32 * edge(inside, 1.2) + COMPACT * 2.4 * line(inside - 0.8, 1.2) + part(behind, 12.0)
        px, pz = px - (height - 0.5) * math.sin(turn), pz - (height - 0.5) * math.cos(turn)
        depth, height, angle = depth * 0.74, height * 0.86, angle + 13
    result: Plane = (1 - 0.45 * look.thin) * total
    return result


def wings(last: Vertebra, look: Look, shift: float, x: Plane, z: Plane) -> Plane:
    """Iliac wings: two broad sheets whose crests cross L4 and L5, not quite over each other."""
    total = np.zeros_like(x)
    for side in (0.0, 4.0 + shift):
        u, v = (x - last.x + 6 - side / 2) / 62, (z - last.z + 60 - side) / 64
        inside = (1 - np.sqrt(np.square(u) + np.square(v) + 0.35 * u * v)) * 56
        total += SPONGE * 14 * edge(inside, 2.0) + COMPACT * 2.8 * line(inside - 1.6, 1.6)
    result: Plane = (1 - 0.35 * look.thin) * total
    return result


def rib_courses(joint: Point, length: float, bow: float) -> list[Point]:
    """A rib from its joint behind the body: backwards and down, round its angle, then forwards and down."""
    x, z = joint
    points = [(x, z), (x - 20, z + 1 + 0.3 * bow), (x - 42, z - 7 + 0.6 * bow), (x - 54, z - 17 + bow)]
    points.append((x - 50, z - 29 + bow))
    reach, start = 0.0, points[-1]
    while reach < length:
        reach = min(reach + 20.0, length)
        points.append((start[0] + reach, start[1] - (0.34 + 0.02 * bow) * reach - 0.0011 * reach**2))
    return points


def rib(points: list[Point], look: Look, x: Plane, z: Plane, windows: Sequence[tuple[slice, slice]]) -> Plane:
    """One rib: a flat tube, its upper and lower cortex brighter than what lies between them."""
    far, along = course(x, z, points, windows)
    drawn_on = far < 9
    far, along = far[drawn_on], along[drawn_on]
    whole = float(sum(np.hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)))
    # The joint lies over other bones, the end is cartilage: both fade.
    ends = np.clip(0.35 + along / 70, 0, 1) * edge(whole - 6 - along, 5.0)
    inside = 5.2 - 0.9 * line(along, 25.0) - far
    shaft = 0.34 * edge(inside, 0.8) + 0.55 * line(inside - 0.9, 0.9)
    result = np.zeros_like(x)
    result[drawn_on] = COMPACT * (1 - 0.35 * look.thin) * 3.2 * shaft * ends
    return result
