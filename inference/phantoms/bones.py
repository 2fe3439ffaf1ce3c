"""What each bone adds to the line integrals of a lateral film: path lengths through marrow and cortex times μ.

Along the left–right direction a body of width w with a super-elliptic axial section has the path length
w·(1 − |u|^k)^(1/k) at relative depth u (k = 2.6). Where a ray runs along a sheet of cortex its path is long: rims
are bright.
"""

from __future__ import annotations

import numpy as np

from inference.phantoms.column import LEVELS, Fracture, Mimic, Patient, Vertebra
from inference.phantoms.shapes import Plane, capsule, edge, line, meet, texture

SECTION = 2.6
# Attenuation per mm above soft tissue at the mean energy of a lateral lumbar film.
SPONGE, COMPACT = 0.0135, 0.058
LOWEST_RIB = LEVELS.index("T12")


def body(patient: Patient, one: Vertebra, x: Plane, v: Plane, chance: np.random.Generator) -> Plane:
    """The vertebral body; ``x`` runs forward from its centre, ``v`` upward."""
    half = one.depth / 2
    u = x / half
    waist = 1 - 0.085 * np.clip(1 - np.square(v / (one.posterior / 2)), 0, 1)
    top, bottom = endplates(one, u)
    walls = (waist - np.abs(u)) * half
    inside = meet(top - v, v - bottom, walls, roundness=2.4) + 0.9
    path = one.width * np.power(np.clip(1 - np.power(np.abs(u) / waist, SECTION), 0, 1), 1 / SECTION)
    thin = patient.osteoporosis
    density = 1 - 0.55 * thin
    vertical = np.repeat(texture(chance, 2.5, (1, x.shape[1])), x.shape[0], axis=0)
    grain = 1 + 0.07 * texture(chance, 2.2, x.shape) + 0.05 * texture(chance, 7, x.shape) + 0.10 * thin * vertical
    marrow = SPONGE * density * path * grain * edge(inside)
    shell = COMPACT * (1.1 - 0.4 * thin)
    bone = marrow + shell * (rims(one, u, v, top, bottom) * edge(inside + 0.6, 0.5) + 3.6 * line(inside - 0.5, 0.9))
    change = patient.change_of(one.level)
    if change is not None:
        bone = bone + impaction(change, one, u, v, top, edge(inside) * path)
    result: Plane = bone
    return result


def endplates(one: Vertebra, u: Plane) -> tuple[Plane, Plane]:
    """Heights of the upper and lower endplate over the centre, parabolas through posterior, middle, anterior."""
    full = max(one.posterior, one.middle, one.anterior)
    lost = [full - height for height in (one.posterior, one.middle, one.anterior)]
    clipped = np.clip(u, -1.1, 1.1)
    parabola = lost[1] + (lost[2] - lost[0]) / 2 * clipped + ((lost[2] + lost[0]) / 2 - lost[1]) * np.square(clipped)
    hollow = 1.5 * np.clip(1 - np.square(clipped), 0, 1)
    return full / 2 - 0.78 * parabola - hollow, -full / 2 + 0.22 * parabola + 0.8 * hollow


def rims(one: Vertebra, u: Plane, v: Plane, top: Plane, bottom: Plane) -> Plane:
    """Endplates and the rings around them; away from the central ray the near and the far ring stand apart."""
    within = edge((0.97 - np.abs(u)) * one.depth / 2, 0.7)
    plate = 0.13 * one.width * (line(v - top + 0.3, 0.7) + line(v - bottom - 0.3, 0.7))
    ring = 1.1 * np.clip(1 - np.square(u), 0, 1)
    near, far = one.parallax / 2 + ring, -one.parallax / 2 + ring
    sides = sum(line(v - top - side, 0.6) + line(v - bottom + side, 0.6) for side in (near, far - 0.4))
    result: Plane = within * (plate + 0.05 * one.width * sides)
    return result


def impaction(change: Fracture | Mimic, one: Vertebra, u: Plane, v: Plane, top: Plane, path: Plane) -> Plane:
    """A dense band under the upper endplate; in a fresh fracture also a step of the anterior cortex."""
    strength = change.impaction
    band = line(v - top + 3.4, 1.9) * edge((0.94 - np.abs(u)) * one.depth / 2, 0.8)
    step = line((u - 1.03) * one.depth / 2, 1.4) * line(v - top + 4.5, 2.2)
    result: Plane = COMPACT * strength * (0.11 * path * band + 7.0 * step * isinstance(change, Fracture))
    return result


def posterior_elements(patient: Patient, one: Vertebra, x: Plane, v: Plane, _: np.random.Generator) -> Plane:
    """Pedicles, joints and their isthmus on both sides, spinous process; the foramina between them stay dark."""
    behind = -x - one.depth / 2
    h = one.posterior
    thoracic = LEVELS.index(one.level) <= LOWEST_RIB
    total = np.zeros_like(x)
    for side in (-1.0, 1.0):
        b, w = behind - 0.9 * side, v - side * (0.8 + one.parallax)
        for start, end, radius, depth in (
            ((0.5, 0.18 * h), (11.0, 0.22 * h), 0.19 * h, 8.5),
            ((11.5, 0.55 * h), (16.5, 0.05 * h), 4.8, 10.0),
            ((15.5, 0.10 * h), (21.0, -0.60 * h), 5.2, 10.0),
        ):
            total += part(capsule(b, w, start, end, radius), depth)
    drop = (-0.25 * h, -0.95 * h) if thoracic else (-0.16 * h, -0.34 * h)
    reach = 40.0 if thoracic else 43.0
    spine = capsule(behind, v, (24.0, drop[0]), (reach, drop[1]), 0.17 * h if thoracic else 0.31 * h)
    total += part(spine, 6.5)
    return (1 - 0.35 * patient.osteoporosis) * total


def part(distance: Plane, depth: float) -> Plane:
    """A small bone: marrow inside, cortex around it; ``depth`` is its thickness along the ray."""
    marrow = SPONGE * 0.9 * depth * np.sqrt(np.clip(distance / 4, 0, 1)) * edge(distance)
    result: Plane = marrow + COMPACT * (0.16 * depth * edge(distance, 0.9) + 0.09 * depth * line(distance - 1.0, 1.2))
    return result


def sacrum(patient: Patient, x: Plane, z: Plane) -> Plane:
    """Three tapering segments that curve backwards under L5, and the iliac wings over them."""
    last = patient.vertebrae[0]
    lean = np.radians(last.tilt + 9)
    reach = (last.posterior + last.anterior) / 4 + 8.0
    px, pz = last.x - reach * np.sin(lean), last.z - reach * np.cos(lean)
    total = np.zeros_like(x)
    depth, height, angle = last.depth * 0.94, 26.0, last.tilt + 17
    for _ in range(3):
        turn = np.radians(angle)
        cx, cz = px - height / 2 * np.sin(turn), pz - height / 2 * np.cos(turn)
        a = (x - cx) * np.cos(turn) - (z - cz) * np.sin(turn)
        b = (x - cx) * np.sin(turn) + (z - cz) * np.cos(turn)
        taper = depth / 2 * (0.86 + 0.14 * np.clip(b / (height / 2), -1, 1))
        inside = meet(height / 2 - b, b + height / 2 + 1, taper - np.abs(a), roundness=2.4)
        behind = capsule(-a, b, (depth / 2 + 2, 0.0), (depth / 2 + 13, -3.0), 8.0)
        total += SPONGE * 30 * edge(inside, 1.2) + COMPACT * 2.6 * line(inside - 0.8, 1.3) + part(behind, 12.0)
        px, pz = px - (height - 0.5) * np.sin(turn), pz - (height - 0.5) * np.cos(turn)
        depth, height, angle = depth * 0.74, height * 0.86, angle + 13
    return (1 - 0.45 * patient.osteoporosis) * (total + wings(patient, x, z))


def wings(patient: Patient, x: Plane, z: Plane) -> Plane:
    """Iliac wings: two broad sheets whose crests cross L4 and L5, not quite over each other."""
    last = patient.vertebrae[0]
    total = np.zeros_like(x)
    for shift in (0.0, 5.0 + 30 * patient.scoliosis):
        u, v = (x - last.x + 8 - shift / 2) / 56, (z - last.z + 52 - shift) / 60
        inside = (1 - np.sqrt(np.square(u) + np.square(v) + 0.5 * u * v)) * 52
        total += SPONGE * 15 * edge(inside, 3.0) + COMPACT * 1.7 * line(inside - 1.6, 2.2)
    result: Plane = total
    return result


def ribs(patient: Patient, x: Plane, z: Plane, chance: np.random.Generator) -> Plane:
    """Lower ribs of both sides: from the joint behind the body backwards, then in an arc forwards and downwards."""
    total = np.zeros_like(x)
    for one in patient.vertebrae[len(LEVELS) - 1 - LOWEST_RIB :]:
        length = {"T12": 48.0, "T11": 84.0, "T10": 120.0}.get(one.level, 150.0)
        for side in (-1.0, 1.0):
            bow = chance.normal(0, 1.2) + side * (2.2 + one.parallax)
            along = x - (one.x - one.depth / 2 - 10)
            course = one.z + one.posterior * 0.30 + bow - 0.24 * along - 0.0021 * np.square(along)
            slope = 1 / np.sqrt(1 + np.square(0.24 + 0.0042 * along))
            shaft = 4.6 - np.abs((z - course) * slope)
            ends = edge(along, 3.0) * edge(length - along, 5.0)
            total += ends * (0.70 * edge(shaft, 0.7) + 0.75 * line(shaft - 0.7, 0.8))
    result: Plane = COMPACT * total
    return result
