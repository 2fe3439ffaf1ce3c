"""Soft-edged shapes on the film plane. All distances are millimetres, positive inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

Plane = NDArray[np.floating[Any]]


def edge(distance: Plane, softness: float = 0.35) -> Plane:
    """1 inside (distance > 0), 0 outside, smooth over the thickness of a partial voxel."""
    result: Plane = 1 / (1 + np.exp(-np.clip(distance / softness, -30, 30)))
    return result


def line(distance: Plane, width: float) -> Plane:
    """1 where the distance is 0, falling off as a Gaussian of that width."""
    result: Plane = np.exp(-np.square(distance / width))
    return result


def meet(*distances: Plane, roundness: float = 1.6) -> Plane:
    """Distance of the intersection, its corners rounded."""
    least = np.minimum.reduce(distances)
    total = sum(np.exp(-np.clip((distance - least) / roundness, 0, 30)) for distance in distances)
    result: Plane = least - roundness * np.log(total)
    return result


def capsule(x: Plane, y: Plane, start: tuple[float, float], end: tuple[float, float], radius: float) -> Plane:
    """Distance inside a line from start to end with round ends of that radius."""
    along = np.array(end) - np.array(start)
    share = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / float(along @ along), 0, 1)
    result: Plane = radius - np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1])
    return result


def texture(chance: np.random.Generator, grain: float, shape: tuple[int, ...]) -> Plane:
    """Smooth random field with mean 0 and deviation 1; ``grain`` is its size in pixels."""
    rows, columns = shape
    small = chance.standard_normal((int(rows / grain) + 4, int(columns / grain) + 4), dtype=np.float32)
    field = resized(small, (round(small.shape[0] * grain), round(small.shape[1] * grain)))[:rows, :columns]
    result: Plane = (field - field.mean()) / field.std()
    return result


def resized(plane: Plane, shape: tuple[int, ...]) -> Plane:
    """The plane with that many rows and columns, bicubic."""
    image = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def broad(plane: Plane, deviation: float) -> Plane:
    """A Gaussian of that width in pixels, computed on fewer of them where it is wide: it has nothing finer."""
    step = int(np.clip(deviation / 3, 1, 8))
    small = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32)).reduce(step)
    return resized(gaussian_filter(np.asarray(small), deviation / step, mode="nearest"), plane.shape)
