"""Cement, pedicle screws with their rods, and the instruments of an operation, as line integrals on a lateral film."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from inference.phantoms.column import Implant, Vertebra
from inference.phantoms.shapes import Plane, Point, capsule, edge, ellipse, grain, line

# Per mm above soft tissue: titanium, and bone cement with its barium.
TITANIUM, CEMENT = 0.40, 0.050


def cement(one: Vertebra, implant: Implant, x: Plane, v: Plane, chance: np.random.Generator) -> Plane:
    """A lobed cast in the front two thirds of the body; it fills more of it the larger its amount."""
    reach = 0.55 + 0.45 * implant.amount
    rough = 1.5 * grain(x, v, 5.0, 4.0, chance) + 0.7 * grain(x, v, 2.0, 2.0, chance)
    half = min(one.anterior, one.middle) / 2 - 1.5
    depth = np.zeros_like(x)
    for along, up in ((0.12, -0.05), (0.42, 0.15), (-0.15, 0.10)):
        lobe = ellipse(x, v, (along * one.depth / 2, up * half), (0.44 * one.depth / 2 * reach, 0.80 * half * reach))
        depth = np.maximum(depth, edge(lobe + rough, 0.7) * (0.6 + 0.4 * np.sqrt(np.clip(lobe / 6, 0, 1))))
    result: Plane = CEMENT * 24 * reach * depth
    return result


def screw(one: Vertebra, parallax: float, x: Plane, v: Plane) -> Plane:
    """Both screws of a level, one almost over the other: thread in pedicle and body, head behind it."""
    total = np.zeros_like(x)
    for hand in (-1.0, 1.0):
        lift = 0.20 * one.posterior + hand * (0.9 + parallax / 2)
        tip, head = (0.26 * one.depth, lift - 1.5), (-one.depth / 2 - 19.0, lift + 1.0)
        shaft = capsule(x, v, head, tip, 2.5)
        thread = shaft + 0.45 * np.cos(2 * np.pi * x / 2.2)
        total += rod_like(np.where(x > head[0] + 6, thread, shaft), 2.9)
        total += rod_like(capsule(x, v, (head[0] - 5, head[1] - 3.6), (head[0] - 5, head[1] + 3.6), 4.4), 6.0)
    return total


def rod(points: list[Point], x: Plane, z: Plane) -> Plane:
    """The rods that join the heads of the screws, one behind the other."""
    total = np.zeros_like(x)
    for shift in (-1.0, 1.4):
        for start, end in pairwise(points):
            (ax, az), (bx, bz) = start, end
            longer = (bx + 0.25 * (bx - ax), bz + 0.25 * (bz - az))
            begin = (ax - 0.25 * (bx - ax), az - 0.25 * (bz - az))
            total += rod_like(capsule(x + shift, z, begin, longer, 2.7), 2.7)
    return total


def rod_like(distance: Plane, radius: float) -> Plane:
    """Metal of round section: the path is a chord."""
    chord = 2 * np.sqrt(np.clip(radius**2 - np.square(np.clip(radius - distance, 0, radius)), 0, None))
    result: Plane = TITANIUM * np.minimum(chord, 6.0) * edge(distance, 0.3)
    return result


def needle(one: Vertebra, x: Plane, v: Plane, chance: np.random.Generator) -> Plane:
    """A trocar through the pedicle into the body, its handle behind the skin."""
    lift = float(chance.uniform(0.12, 0.30)) * one.posterior
    tip = (float(chance.uniform(-0.1, 0.35)) * one.depth, lift - float(chance.uniform(1, 6)))
    back = -one.depth / 2 - float(chance.uniform(75, 95))
    entry = (back, lift + float(chance.uniform(0, 14)))
    total = rod_like(capsule(x, v, entry, tip, 1.5), 1.5)
    grip = ((back, entry[1] - 9), (back, entry[1] + 9))
    result: Plane = total + 0.3 * rod_like(capsule(x, v, *grip, 3.0), 3.0)
    return result


def forceps(middle: Point, x: Plane, z: Plane, chance: np.random.Generator) -> Plane:
    """A clamp on the back of the patient, or a wire across the field."""
    cx, cz = middle
    turn = float(chance.uniform(0, np.pi))
    c, s = math.cos(turn), math.sin(turn)
    p, q = (x - cx) * c + (z - cz) * s, (z - cz) * c - (x - cx) * s
    total = np.zeros_like(x)
    for hand in (-1.0, 1.0):
        total += rod_like(capsule(p, q, (0.0, 0.0), (42.0, hand * 5.0), 1.7), 1.7)
        total += rod_like(capsule(p, q, (0.0, 0.0), (-20.0, hand * 4.0), 1.3), 1.3)
        ring = ellipse(p, q, (50.0, hand * 9.5), (9.0, 7.5), 0.3 * hand)
        total += TITANIUM * 2.0 * line(ring - 1.4, 1.1)
    return total
