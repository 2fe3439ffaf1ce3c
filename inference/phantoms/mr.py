"""Magnetic resonance of a synthetic patient: sagittal T1W, T2W, STIR; slice profile, coil, Rician noise, by site.

Signal is painted from the table of tissues (`contrast`), averaged over the slice, blurred by the sampling, weighted by
the spine coil, and becomes the length of a complex number with Gaussian noise (Gudbjartsson and Patz, Magn Reson Med
34:910, 1995, eq. 1). Values have no unit: they are scaled by site, and comparable within one series only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.ndimage import gaussian_filter

from inference.phantoms.column import Patient, chance_for
from inference.phantoms.ct import coarser, thinner
from inference.phantoms.painting import paint
from inference.phantoms.surroundings import SKIN, course_of
from inference.phantoms.volume import Grid, Scan, Volume, displayed

# Points painted across a slice, whose signal is averaged.
FINER = 3


@dataclass(frozen=True)
class Scanner:
    """How a site scans: ``blur`` of the sampling (mm, sigma), ``noise`` relative to fat, ``coil`` 0…1 how much of the
    coil's fall-off is left, ``bias`` of the rest, ``gamma`` by which its contrast differs, ``scale`` of its numbers,
    ``saturation`` 0…1 of the band before the column."""

    blur: float
    noise: float
    coil: float
    bias: float
    gamma: float
    scale: float
    saturation: float


SITES: Mapping[str, Scanner] = MappingProxyType(
    {
        "A": Scanner(blur=0.45, noise=0.030, coil=0.35, bias=0.06, gamma=1.00, scale=620.0, saturation=0.75),
        "B": Scanner(blur=0.50, noise=0.040, coil=0.55, bias=0.10, gamma=0.92, scale=1100.0, saturation=0.60),
        "C": Scanner(blur=0.62, noise=0.060, coil=0.80, bias=0.16, gamma=1.15, scale=310.0, saturation=0.0),
        "D": Scanner(blur=0.40, noise=0.025, coil=0.20, bias=0.05, gamma=0.85, scale=2000.0, saturation=0.85),
        "E": Scanner(blur=0.70, noise=0.075, coil=0.65, bias=0.20, gamma=1.05, scale=480.0, saturation=0.3),
    }
)


def around(
    patient: Patient,
    site: str,
    level: str,
    *,
    sequences: tuple[str, ...] = ("T1W", "T2W"),
    slices: int = 3,
    apart: float = 5.0,
    size: float = 96.0,
    pixel: float = 1.0,
    shift: float = 6.0,
) -> dict[str, Scan]:
    """Sagittal slices around a level, by sequence: the middle one through the middle of the body.

    Three slices lie at −5, 0 and +5 mm. The body lies near the middle of the field of ``size`` mm, off by at most
    ``shift`` mm along each side.

    >>> from inference.phantoms.column import make_patient
    >>> series = around(make_patient(7, "P001", fractured=True), "A", "L1")
    >>> sorted(series), series["T1W"].values.shape, series["T1W"].spacing
    (['T1W', 'T2W'], (3, 96, 96), (5.0, 1.0, 1.0))
    """
    one = patient.vertebra(level)
    forward, up = chance_for(patient.chance, "MR", level).uniform(-shift, shift, 2)
    half, beside = (size - pixel) / 2, apart * (slices - 1) / 2
    grid = Grid.spanning(
        (one.x + forward - half - 6, one.x + forward + half - 6),
        (one.y - beside, one.y + beside),
        (one.z + up - half, one.z + up + half),
        (pixel, apart, pixel),
    )
    return acquire(patient, site, grid, apart, sequences)


def whole(
    patient: Patient,
    site: str,
    *,
    sequences: tuple[str, ...] = ("T1W", "T2W"),
    slices: int = 13,
    apart: float = 4.5,
    size: float = 290.0,
    pixel: float = 0.75,
) -> dict[str, Scan]:
    """A sagittal stack of the whole column as a hospital takes it, by sequence."""
    xs, zs = [one.x for one in patient.vertebrae], [one.z for one in patient.vertebrae]
    middle, height = (min(xs) + max(xs)) / 2 - 12, (min(zs) + max(zs)) / 2 - 32
    half, beside = size / 2, apart * (slices - 1) / 2
    grid = Grid.spanning(
        (middle - half, middle + half), (-beside, beside), (height - half, height + half), (pixel, apart, pixel)
    )
    return acquire(patient, site, grid, apart, sequences)


def acquire(patient: Patient, site: str, grid: Grid, apart: float, sequences: tuple[str, ...]) -> dict[str, Scan]:
    """All sequences over one grid of slices ``apart`` mm; the patient lies still between them."""
    thin = thinner(grid, FINER) if len(grid.y) > 1 else Grid(grid.x, thin_one(grid, apart), grid.z)
    painted = paint(patient, thin, sequences)
    levels, bodies, lesions = (
        displayed(one[FINER // 2 :: FINER], "sagittal") for one in (painted.levels, painted.bodies, painted.lesions)
    )
    series = {}
    for sequence, values in zip(sequences, painted.values, strict=True):
        chance = chance_for(patient.chance, "MR", site, sequence)
        image = received(coarser(values, FINER), patient, SITES[site], grid, chance)
        series[sequence] = Scan(np.rint(displayed(image, "sagittal")), levels, bodies, lesions, grid, "sagittal")
    return series


def thin_one(grid: Grid, apart: float) -> Volume:
    """The points across a single slice."""
    places: Volume = grid.y[0] + ((np.arange(FINER) - (FINER - 1) / 2) * apart / FINER).astype(np.float32)
    return places


def received(signal: Volume, patient: Patient, scanner: Scanner, grid: Grid, chance: np.random.Generator) -> Volume:
    """Contrast, sampling, coil, noise; the magnitude, scaled."""
    forward, _, up = grid.steps
    contrast = np.clip(signal, 0, None) ** np.float32(scanner.gamma)
    blurred = gaussian_filter(contrast, (0, scanner.blur / up, scanner.blur / forward))
    weighted = blurred * sensitivity(patient, scanner, grid, chance)
    noise = np.float32(scanner.noise) * chance.standard_normal((2, *signal.shape), dtype=np.float32)
    result: Volume = np.float32(scanner.scale) * np.hypot(weighted + noise[0], noise[1])
    return result


def sensitivity(patient: Patient, scanner: Scanner, grid: Grid, chance: np.random.Generator) -> Volume:
    """The spine coil sees best what lies near the back; a slow wave is left over, and the band before the column."""
    course = course_of(patient, grid)
    behind = np.clip(grid.forward - (course.trend - np.float32(SKIN)), 0, None)
    near = np.float32(1.9) / (1 + np.square(behind / 85)) + np.float32(0.12)
    fall = near ** np.float32(scanner.coil)
    waves, turns = chance.uniform(-1, 1, 3), chance.uniform(0, 2 * np.pi, 3)
    wave = sum(
        np.float32(wave) * np.cos(place / np.float32(size) + np.float32(turn))
        for wave, turn, place, size in zip(
            waves, turns, (grid.up, grid.forward, grid.up + grid.forward), (70, 60, 95), strict=True
        )
    )
    ahead = np.clip((grid.forward - course.front - 24) / 14, 0, 1)
    result: Volume = fall * (1 + np.float32(scanner.bias) * wave) * (1 - np.float32(scanner.saturation) * ahead)
    return result
