"""Everything that is not bone: trunk, lung, bowel gas, aorta. Thicknesses are millimetres of soft tissue."""

from __future__ import annotations

import math

import numpy as np

from inference.phantoms.column import Patient
from inference.phantoms.shapes import Plane, course, edge, line, texture

# Attenuation of soft tissue and of calcium above it, per mm at the mean energy of a lateral lumbar film.
SOFT, CALCIUM = 0.0205, 0.05


def soft_tissue(patient: Patient, x: Plane, z: Plane, chance: np.random.Generator, pixel: float) -> Plane:
    """Line integrals of the trunk without its bones; ``pixel`` is the distance of the places, mm."""
    behind = x - skin_line(patient, z)
    depth = np.clip(behind / 265, 0, 1)
    trunk = patient.thickness * np.power(np.clip(1 - np.power(np.abs(2 * depth - 1), 3.2), 0, 1), 0.6)
    shape = x.shape
    trunk *= 1 + 0.016 * texture(chance, 38 / pixel, shape) + 0.006 * texture(chance, 13 / pixel, shape)
    trunk += 9 * texture(chance, 70 / pixel, shape) + 1.1 * texture(chance, 6 / pixel, shape)
    trunk += muscles(patient, x, z, behind)
    lung, below = lungs(patient, x, z, chance, pixel)
    trunk = trunk * (1 - lung)
    trunk = trunk - gas(patient, x, z, chance, pixel) * below
    trunk = np.clip(trunk, 0, None) * edge(behind, 1.5)
    result: Plane = SOFT * trunk
    return result


def skin_line(patient: Patient, z: Plane) -> Plane:
    """The back follows the spine, smoothly, some 75 mm behind the bodies."""
    places = [body.z for body in patient.vertebrae]
    line_of_walls = np.polyfit(places, [body.x - body.depth / 2 for body in patient.vertebrae], 2)
    lowest, highest = patient.vertebrae[0].z, patient.vertebrae[-1].z
    buttock = 0.004 * np.square(np.clip(lowest + 5 - z, 0, 90))
    result: Plane = np.polyval(line_of_walls, np.clip(z, lowest, highest)).astype(np.float32) - 74 - buttock
    return result


def fronts(patient: Patient, z: Plane) -> Plane:
    """The anterior walls of the bodies, joined by straight lines."""
    bodies = patient.vertebrae
    ahead = [body.x + body.depth / 2 * np.cos(np.radians(body.tilt)) for body in bodies]
    result: Plane = np.interp(z, [body.z for body in bodies], ahead).astype(np.float32)
    return result


def muscles(patient: Patient, x: Plane, z: Plane, behind: Plane) -> Plane:
    """Psoas over and before the lumbar bodies, long muscles of the back behind them, fat under the skin."""
    front = fronts(patient, z)
    lumbar = edge(place(patient, "L1") - z, 14)
    psoas = 13 * line(x - front + 8, 22) * lumbar
    back = 10 * line(x - front + 62, 15)
    result: Plane = psoas + back - 12 * line(behind - 7, 9)
    return result


def place(patient: Patient, level: str) -> float:
    """Height of a body over the lowest one."""
    return next((body.z for body in patient.vertebrae if body.level == level), patient.vertebrae[-1].z)


def lungs(patient: Patient, x: Plane, z: Plane, chance: np.random.Generator, pixel: float) -> tuple[Plane, Plane]:
    """Share of the trunk that is air above the two domes of the diaphragm, and the part of the film below both.

    Behind, the lung reaches down to about L1; from there each dome rises forward over the bodies and flattens.
    """
    shape = x.shape
    middle = next(body for body in patient.vertebrae if body.level == "T12")
    inspired = chance.normal(0, 9)
    vessels = branches(chance, x, z, pixel)
    # Beside the lungs a ray meets the bodies and discs, which hold no air.
    beside = 1 - 0.30 * line(x - fronts(patient, z) + 17, 24)
    share = np.zeros_like(x)
    lowest = np.full_like(x, np.inf)
    for side in (0.0, 1.0):
        ahead = (x - middle.x) + chance.normal(0, 5)
        rise = chance.uniform(52, 68) * (1 - np.exp(-np.clip(ahead + 42, 0, None) / chance.uniform(48, 62)))
        sulcus = middle.z - 40 + inspired + side * abs(chance.normal(8, 6)) + chance.normal(0, 3)
        dome = sulcus + rise + 0.9 * texture(chance, 30 / pixel, shape)
        posterior = edge(x - skin_line(patient, z) - 34 - 0.10 * np.clip(z - dome, -20, 60), 4.0)
        share += 0.098 * edge(z - dome, 1.1) * posterior
        lowest = np.minimum(lowest, dome)
    return share * beside * (1 - vessels), edge(lowest - z, 4)


def branches(chance: np.random.Generator, x: Plane, z: Plane, pixel: float) -> Plane:
    """Vessels of the lung: thin, mostly running down and backwards; 0 … about 0.15."""
    shape = x.shape
    total = 0.02 * texture(chance, 9 / pixel, shape)
    for heading in (0.5, 0.9, 2.2):
        warp = 9 * texture(chance, 22 / pixel, shape)
        across = x * math.sin(heading) + z * math.cos(heading) + warp
        along = np.clip(texture(chance, 16 / pixel, shape), 0, 2)
        total = total + 0.05 * along * np.clip(np.cos(across / chance.uniform(2.0, 3.4)) - 0.55, 0, 1)
    return total


def gas(patient: Patient, x: Plane, z: Plane, chance: np.random.Generator, pixel: float) -> Plane:
    """Bowel: loops of gas with haustra before the spine, now and then over it, and mottled stool between them."""
    shape = x.shape
    warp_x, warp_z = (4.5 * texture(chance, 16 / pixel, shape) for _ in range(2))
    mottled = np.clip(texture(chance, 3.2 / pixel, shape) + 0.5 * texture(chance, 7 / pixel, shape), 0, 2)
    front = float(np.mean([body.x + body.depth / 2 for body in patient.vertebrae[1:4]]))
    top = place(patient, "L1")
    total = np.zeros_like(x)
    for _ in range(int(1 + 4.2 * patient.gas)):
        cx, cz = front + chance.uniform(18, 105), chance.uniform(-30, top + 5)
        heading = chance.uniform(0, 2 * np.pi)
        points = [(cx, cz)]
        for _ in range(int(chance.integers(2, 6))):
            heading += chance.normal(0, 0.6)
            step = chance.uniform(9, 18)
            points.append((points[-1][0] + step * np.cos(heading), points[-1][1] + step * np.sin(heading)))
        far, along = course(x + warp_x, z + warp_z, points)
        radius = chance.uniform(6, 15) * (0.80 + 0.26 * np.abs(np.sin(along / chance.uniform(5, 8) + heading)))
        inside = radius - far
        filled = np.sqrt(np.clip(inside, 0, None) / 12) * edge(inside, 0.7)
        stool = chance.random() < 0.35
        loop = filled * chance.uniform(11, 34) * (0.25 + 0.55 * mottled if stool else 1.0)
        total = np.maximum(total, 0.55 * total + loop)
    over_spine = edge(x - fronts(patient, z) - 2 + 26 * (chance.random() < 0.3), 6)
    result: Plane = total * over_spine
    return result


def aorta(patient: Patient, x: Plane, z: Plane, chance: np.random.Generator, pixel: float) -> Plane:
    """Calcified plaques of the old in both walls of the aorta, before the bodies down to L4."""
    strength = patient.calcium
    bodies = patient.vertebrae
    front = fronts(patient, z)
    within = edge(bodies[-1].z - z, 10) * edge(z - place(patient, "L4"), 6)
    patches = np.clip(texture(chance, 5 / pixel, x.shape) + 0.5 * texture(chance, 14 / pixel, x.shape) - 0.6, 0, 1.4)
    wander = 1.5 * texture(chance, 40 / pixel, x.shape)
    near = 7 + chance.uniform(0, 5)
    walls = line(x - front - near + wander, 0.8) + 0.7 * line(x - front - near - 19 - wander, 0.9)
    result: Plane = CALCIUM * 8 * strength * within * walls * patches
    return result
