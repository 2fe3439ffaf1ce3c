"""Soft-edged shapes on the film plane. All distances are millimetres, positive inside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

Plane = NDArray[np.floating[Any]]
Point = tuple[float, float]

# Grain comes from sheets made once per process: millimetres per sheet pixel and pixels along a side.
SHEET_STEP, SHEET = 0.35, 512


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


def capsule(x: Plane, y: Plane, start: Point, end: Point, radius: float) -> Plane:
    """Distance inside a line from start to end with round ends of that radius."""
    # Plain numbers keep the planes in single precision.
    ax, ay = float(start[0]), float(start[1])
    sx, sy = float(end[0]) - ax, float(end[1]) - ay
    dx, dy = x - ax, y - ay
    share = np.clip((dx * sx + dy * sy) / (sx * sx + sy * sy), 0, 1)
    result: Plane = radius - np.hypot(dx - share * sx, dy - share * sy)
    return result


def ellipse(x: Plane, y: Plane, centre: Point, half: Point, turn: float = 0.0) -> Plane:
    """About the distance inside an ellipse; ``turn`` in radians, ``half`` its half axes."""
    dx, dy = x - centre[0], y - centre[1]
    c, s = math.cos(turn), math.sin(turn)
    p, q = dx * c + dy * s, dy * c - dx * s
    result: Plane = (1 - np.hypot(p / half[0], q / half[1])) * min(half)
    return result


def course(
    x: Plane, y: Plane, points: Sequence[Point], windows: Sequence[tuple[slice, slice]] | None = None
) -> tuple[Plane, Plane]:
    """Distance from a line through the points, and how far along it (mm) the nearest place lies.

    With a window for every piece of the line only those pixels are looked at; the others keep the distance 1000.
    """
    nearest, along, before = np.full_like(x, 1000), np.zeros_like(x), 0.0
    for place, (start, end) in enumerate(pairwise(points)):
        window = windows[place] if windows is not None else np.s_[:, :]
        sx, sy = end[0] - start[0], end[1] - start[1]
        length = float(np.hypot(sx, sy))
        dx, dy = x[window] - np.float32(start[0]), y[window] - np.float32(start[1])
        share = np.clip((dx * np.float32(sx) + dy * np.float32(sy)) / np.float32(length**2), 0, 1)
        far = np.hypot(dx - share * np.float32(sx), dy - share * np.float32(sy))
        closer = far < nearest[window]
        along[window] = np.where(closer, np.float32(before) + share * np.float32(length), along[window])
        nearest[window] = np.minimum(nearest[window], far)
        before += length
    return nearest, along


def texture(chance: np.random.Generator, grain: float, shape: tuple[int, ...]) -> Plane:
    """Smooth random field with mean 0 and deviation 1; ``grain`` is its size in pixels."""
    rows, columns = shape
    small = chance.standard_normal((int(rows / grain) + 4, int(columns / grain) + 4), dtype=np.float32)
    field = resized(small, (round(small.shape[0] * grain), round(small.shape[1] * grain)))[:rows, :columns]
    result: Plane = (field - field.mean()) / field.std()
    return result


@lru_cache(maxsize=8)
def sheet(along: float, across: float) -> Plane:
    """A periodic random field of deviation 1 with grains that long (second axis of a bone) and that wide, mm."""
    chance = np.random.default_rng([round(100 * along), round(100 * across)])
    noise = chance.standard_normal((SHEET, SHEET), dtype=np.float32)
    field = gaussian_filter(noise, (along / SHEET_STEP / 2.4, across / SHEET_STEP / 2.4), mode="wrap")
    result: Plane = field / field.std()
    return result


def grain(x: Plane, v: Plane, along: float, across: float, chance: np.random.Generator) -> Plane:
    """The field of ``sheet`` in the frame of a bone, from another part of it for every bone."""
    shift = chance.uniform(0, SHEET, 2).astype(np.float32)
    places = np.stack([v / SHEET_STEP + shift[0], x / SHEET_STEP + shift[1]])
    result: Plane = map_coordinates(sheet(along, across), places, order=1, mode="grid-wrap")
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
