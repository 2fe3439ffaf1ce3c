"""Computed tomography of a synthetic patient: CT numbers, slice thickness, kernel, correlated noise, by site.

The patient is painted on a grid finer than the slices, blurred by the slice's profile and the kernel, and gets the
noise of a filtered back-projection: little of it in the low frequencies, correlated over a few millimetres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.phantoms.column import Patient, chance_for
from inference.phantoms.painting import paint
from inference.phantoms.volume import Grid, Plane, Scan, Volume, displayed

LOWEST, HIGHEST = -1024, 3071
FWHM = 2.355


@dataclass(frozen=True)
class Scanner:
    """How a site scans: axial slice ``thickness`` (mm), ``blur`` of the kernel (mm, sigma), ``edge`` (how far a sharp
    kernel overshoots), ``noise`` (HU, in soft tissue), its ``grain`` (mm), ``bone``: CT numbers of bone relative to
    120 kV."""

    thickness: float
    blur: float
    edge: float
    noise: float
    grain: float
    bone: float


SITES: Mapping[str, Scanner] = MappingProxyType(
    {
        "A": Scanner(thickness=1.25, blur=0.55, edge=0.35, noise=26.0, grain=0.75, bone=1.00),
        "B": Scanner(thickness=2.0, blur=0.70, edge=0.15, noise=20.0, grain=0.95, bone=0.97),
        "C": Scanner(thickness=3.0, blur=0.85, edge=0.0, noise=17.0, grain=1.20, bone=1.08),
        "D": Scanner(thickness=1.0, blur=0.45, edge=0.80, noise=42.0, grain=0.60, bone=1.04),
        "E": Scanner(thickness=2.5, blur=0.70, edge=0.30, noise=30.0, grain=0.90, bone=0.93),
    }
)


def around(
    patient: Patient,
    site: str,
    level: str,
    *,
    size: float = 96.0,
    pixel: float = 2.0,
    apart: float = 3.2,
    shift: float = 4.0,
) -> Scan:
    """Sagittal reformats around a level: a cube of ``size`` mm, slices ``apart``, pixels of ``pixel`` mm.

    The middle of the body lies near the middle of the cube, off by at most ``shift`` mm in the sagittal plane; the
    middle slice meets the middle of the body. At the size of a training set one scan takes some 50 ms.

    >>> from inference.phantoms.column import make_patient
    >>> around(make_patient(7, "P001", fractured=True), "A", "L1").values.shape
    (31, 48, 48)
    """
    one = patient.vertebra(level)
    forward, up = chance_for(patient.chance, "CT", level).uniform(-shift, shift, 2)
    half, beside = (size - pixel) / 2, apart * int(size / 2 / apart)
    grid = Grid.spanning(
        (one.x + forward - half - 4, one.x + forward + half - 4),
        (one.y - beside, one.y + beside),
        (one.z + up - half, one.z + up + half),
        (pixel, apart, pixel),
    )
    return scan(patient, site, grid, "sagittal", finer=2)


def whole(patient: Patient, site: str, *, pixel: float = 0.8, apart: float = 1.6, width: float = 150.0) -> Scan:
    """Axial slices of the column from the sacrum to the uppermost body, ``apart`` mm, in a field ``width`` mm wide."""
    xs, zs = [one.x for one in patient.vertebrae], [one.z for one in patient.vertebrae]
    middle = (min(xs) + max(xs)) / 2 - 22
    grid = Grid.spanning(
        (middle - width / 2, middle + width / 2),
        (-width / 2, width / 2),
        (min(zs) - 60, max(zs) + 22),
        (pixel, pixel, apart),
    )
    return scan(patient, site, grid, "axial")


def scan(patient: Patient, site: str, grid: Grid, plane: Plane, *, finer: int = 1) -> Scan:
    """The series over the grid; ``finer`` points are painted for each voxel along y and averaged.

    ``values`` are HU in whole numbers, −1024…3071. ``plane`` is "axial", or "sagittal" for a reformat. The noise hangs
    on the patient, the site and the number of voxels, nothing else.
    """
    painted = paint(patient, thinner(grid, finer), ("HU",))
    hu = developed(coarser(painted.values[0], finer), SITES[site], grid, chance_for(patient.chance, "CT", site))
    return Scan(
        values=displayed(np.clip(np.rint(hu), LOWEST, HIGHEST), plane),
        levels=displayed(painted.levels[finer // 2 :: finer], plane),
        bodies=displayed(painted.bodies[finer // 2 :: finer], plane),
        lesions=displayed(painted.lesions[finer // 2 :: finer], plane),
        grid=grid,
        plane=plane,
    )


def developed(hu: Volume, scanner: Scanner, grid: Grid, chance: np.random.Generator) -> Volume:
    """Energy, profile, kernel, noise."""
    forward, left, up = grid.steps
    voxel = np.array([left, up, forward])
    dense = np.maximum(hu - 100, 0) * np.float32(scanner.bone - 1)
    profile = np.array([scanner.blur, max(scanner.blur, scanner.thickness / FWHM), scanner.blur])
    blurred = gaussian_filter(hu + dense, profile / voxel)
    if scanner.edge:
        blurred += np.float32(scanner.edge) * (blurred - gaussian_filter(blurred, 1.0 / voxel))
    grain = np.array([scanner.grain, max(scanner.grain, 0.4 * scanner.thickness), scanner.grain])
    # Fewer quanta come through bone and metal.
    shadow = 1 + np.clip(blurred - 60, 0, 1500) * np.float32(3.5e-4)
    result: Volume = blurred + np.float32(scanner.noise) * shadow * correlated(hu.shape, grain / voxel, chance)
    return result


def correlated(shape: tuple[int, ...], grain: NDArray[np.float64], chance: np.random.Generator) -> Volume:
    """Noise of deviation 1 without its lowest frequencies."""
    white = chance.standard_normal(shape, dtype=np.float32)
    noise = gaussian_filter(white, grain) - np.float32(0.8) * gaussian_filter(white, 2.2 * grain + 0.2)
    result: Volume = noise / noise.std()
    return result


def thinner(grid: Grid, finer: int) -> Grid:
    """The grid with ``finer`` points along y where it had one, around the same middles."""
    if finer == 1:
        return grid
    offsets = ((np.arange(finer) - (finer - 1) / 2) * grid.steps[1] / finer).astype(np.float32)
    return Grid(grid.x, (grid.y[:, None] + offsets).ravel(), grid.z)


def coarser(values: Volume, finer: int) -> Volume:
    """Means of as many neighbours along y."""
    result: Volume = values.reshape(-1, finer, *values.shape[1:]).mean(1)
    return result
