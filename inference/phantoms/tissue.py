"""Everything that is not bone: trunk, lung, bowel gas, aorta. Thicknesses are millimetres of soft tissue."""

from __future__ import annotations

import numpy as np

from inference.phantoms.column import Patient
from inference.phantoms.shapes import Plane, edge, line, texture

SOFT, CALCIUM = 0.0205, 0.05


def soft_tissue(patient: Patient, x: Plane, z: Plane, chance: np.random.Generator, pixel: float) -> Plane:
    """Line integrals of the trunk without its bones."""
    behind = x - skin_line(patient, z)
    depth = np.clip(behind / 255, 0, 1)
    trunk = patient.thickness * np.power(np.clip(1 - np.power(np.abs(2 * depth - 1), 3), 0, 1), 0.6)
    shape = x.shape
    trunk *= 1 + 0.018 * texture(chance, 36 / pixel, shape) + 0.007 * texture(chance, 13 / pixel, shape)
    trunk += 9 * texture(chance, 60 / pixel, shape) + 1.2 * texture(chance, 5 / pixel, shape)
    lung, below = lungs(patient, x, z, chance, pixel)
    trunk = trunk * (1 - lung) + psoas(patient, x, z)
    trunk = trunk - gas(patient, x, z, chance, pixel) * below
    trunk = np.clip(trunk, 0, None) * edge(behind, 2.0)
    result: Plane = SOFT * trunk
    return result


def skin_line(patient: Patient, z: Plane) -> Plane:
    """The back follows the spine, smoothly, some 70 mm behind the bodies."""
    places = [body.z for body in patient.vertebrae]
    line_of_walls = np.polyfit(places, [body.x - body.depth / 2 for body in patient.vertebrae], 3)
    lowest, highest = patient.vertebrae[0].z - 45, patient.vertebrae[-1].z
    result: Plane = np.polyval(line_of_walls, np.clip(z, lowest, highest)).astype(np.float32) - 71
    return result


def lungs(patient: Patient, x: Plane, z: Plane, chance: np.random.Generator, pixel: float) -> tuple[Plane, Plane]:
    """Share of the trunk that is air above the two domes of the diaphragm, and the part of the film below both."""
    anchor = next(body for body in patient.vertebrae if body.level == "T12")
    ahead = (x - anchor.x) / 100
    vessels = np.clip(texture(chance, 4 / pixel, x.shape), 0, 3) * 0.035
    share = np.zeros_like(x)
    lowest = np.full_like(x, np.inf)
    for _ in range(2):
        height = anchor.z + chance.normal(2, 5)
        dome = height + 42 * np.sin(np.clip(ahead, -0.25, 1.4)) ** 2 * np.sign(ahead)
        share += 0.16 * edge(z - dome, 1.6) * edge(x - skin_line(patient, z) - 42, 10)
        lowest = np.minimum(lowest, dome)
    return share * (1 - vessels), edge(lowest - z, 4)


def psoas(patient: Patient, x: Plane, z: Plane) -> Plane:
    """A soft bulge over the front of the lumbar bodies."""
    bodies = patient.vertebrae[:5]
    front = np.interp(z, [body.z for body in bodies], [body.x for body in bodies]).astype(np.float32)
    reach = edge(bodies[-1].z - z, 12)
    result: Plane = 9 * reach * line(x - front - 6, 24)
    return result


def gas(patient: Patient, x: Plane, z: Plane, chance: np.random.Generator, pixel: float) -> Plane:
    """Bowel gas before the spine: loops of a wandering outline, some over each other."""
    warp_x, warp_z = (6 * texture(chance, 14 / pixel, x.shape) for _ in range(2))
    ripple = 2.0 * texture(chance, 5 / pixel, x.shape)
    front = patient.vertebrae[2].x
    total = np.zeros_like(x)
    cx, cz = front + chance.uniform(45, 90), chance.uniform(20, 120)
    for _ in range(int(4 + 12 * patient.gas)):
        if chance.random() < 0.35:
            cx, cz = front + chance.uniform(38, 130), chance.uniform(0, 130)
        cx, cz = max(cx + chance.normal(0, 17), front + 33), cz + chance.normal(0, 17)
        a, b = chance.uniform(6, 17), chance.uniform(5, 11)
        turn = chance.uniform(0, np.pi)
        dx, dz = x + warp_x - cx, z + warp_z - cz
        p, q = dx * np.cos(turn) + dz * np.sin(turn), dz * np.cos(turn) - dx * np.sin(turn)
        inside = (1 - np.hypot(p / a, q / b)) * min(a, b) + ripple
        total = np.maximum(total, 0.5 * total + edge(inside, 1.3) * chance.uniform(8, 26))
    result: Plane = total
    return result


def aorta(patient: Patient, x: Plane, z: Plane, chance: np.random.Generator) -> Plane:
    """Calcified plaques of the old in both walls of the aorta, before the bodies."""
    strength = max(0.0, (patient.age - 62) / 25) * chance.uniform(0, 1) ** 2
    bodies = patient.vertebrae[1:7]
    fronts = [body.x + body.depth / 2 for body in bodies]
    front = np.interp(z, [body.z for body in bodies], fronts).astype(np.float32)
    within = edge(bodies[-1].z - z, 10) * edge(z - bodies[0].z, 6)
    patches = np.clip(texture(chance, 9, x.shape) - 0.7, 0, 1.2)
    walls = line(x - front - 9 - chance.uniform(0, 4), 0.9) + 0.8 * line(x - front - 29, 0.9)
    result: Plane = CALCIUM * 9 * strength * within * walls * patches
    return result
