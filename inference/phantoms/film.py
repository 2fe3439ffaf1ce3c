"""The lateral film of a synthetic patient: line integrals, Beer–Lambert, scatter, blur, quantum noise, a site's look.

What a ray meets adds up, and its intensity is N·exp(−Σ μ·length).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from inference.phantoms import bones
from inference.phantoms.column import Patient, Vertebra, chance_for
from inference.phantoms.shapes import Plane, broad, resized
from inference.phantoms.tissue import aorta, soft_tissue

PIXEL = 0.42
ROWS, COLUMNS = 704, 480
WORDS = "SYNTHETIC"
Bone = Callable[[Patient, Vertebra, Plane, Plane, np.random.Generator], Plane]


@dataclass(frozen=True)
class Site:
    """How a hospital's films look: photons per pixel, scatter, blur (mm), gamma, equalisation, collimation (pixels)."""

    photons: float
    scatter: float
    blur: float
    gamma: float
    levelled: float
    border: int


SITES = {
    "North": Site(photons=5.0e4, scatter=0.22, blur=0.32, gamma=1.10, levelled=0.55, border=0),
    "South": Site(photons=2.4e4, scatter=0.34, blur=0.48, gamma=0.95, levelled=0.5, border=18),
}


@dataclass(frozen=True)
class View:
    """Where the film lies: every pixel's position in the patient, millimetres."""

    x: Plane
    z: Plane

    def windows_of(self, one: Vertebra) -> list[tuple[tuple[slice, slice], Bone]]:
        """The parts of the film that the body and what is behind it can reach, each with what draws it."""
        front = self.window(one, -one.depth / 2 - 6, one.depth / 2 + 6, 26)
        return [(front, bones.body), (self.window(one, -70, -one.depth / 2 + 9, 40), bones.posterior_elements)]

    def window(self, one: Vertebra, behind: float, before: float, half: float) -> tuple[slice, slice]:
        """The part of the film between two depths of a body and so far above and below its centre."""
        x, v = self.local(one, np.s_[::4, ::4])
        near = (x > behind) & (x < before) & (np.abs(v) < half)
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        if rows.size < 2 or columns.size < 2:
            return slice(0, 0), slice(0, 0)
        return slice(4 * rows[0], 4 * rows[-1] + 4), slice(4 * columns[0], 4 * columns[-1] + 4)

    def local(self, one: Vertebra, window: tuple[slice, slice]) -> tuple[Plane, Plane]:
        """Pixels of a window in the frame of a vertebra: millimetres forward and upward from its centre."""
        lean = np.radians(one.tilt)
        dx, dz = self.x[window] - np.float32(one.x), self.z[window] - np.float32(one.z)
        c, s = np.float32(np.cos(lean)), np.float32(np.sin(lean))
        return dx * c - dz * s, dx * s + dz * c


def make_film(patient: Patient, site: Site) -> Plane:
    """The film as stored: 12-bit values, bone bright, shape (704, 480) at 0.42 mm."""
    chance = chance_for(patient.chance)
    view = make_view(patient, chance)
    # These have no detail below two pixels.
    x, z = view.x[::2, ::2], view.z[::2, ::2]
    coarse = (
        soft_tissue(patient, x, z, chance, 2 * PIXEL) + bones.sacrum(patient, x, z) + bones.ribs(patient, x, z, chance)
    )
    lengths = resized(coarse, view.x.shape) + aorta(patient, view.x, view.z, chance)
    for one in patient.vertebrae:
        for window, bone in view.windows_of(one):
            if lengths[window].size:
                x, v = view.local(one, window)
                lengths[window] += bone(patient, one, x, v, chance)
    return labelled(expose(lengths, site, chance), site)


def make_view(patient: Patient, chance: np.random.Generator) -> View:
    """Random field of view around L1–L2, with a slight turn of the film."""
    centre = next(one for one in patient.vertebrae if one.level == "L2")
    turn = np.radians(chance.normal(0, 2.5))
    column, row = np.meshgrid(np.arange(COLUMNS, dtype=np.float32), np.arange(ROWS, dtype=np.float32))
    x = (column - np.float32(COLUMNS * 0.45)) * PIXEL + np.float32(chance.normal(0, 7))
    z = (np.float32(ROWS * 0.5) - row) * PIXEL + np.float32(chance.normal(0, 11))
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return View(np.float32(centre.x) + x * c - z * s, np.float32(centre.z - 4) + x * s + z * c)


def place_of(patient: Patient, level: str) -> tuple[int, int]:
    """Row and column of the centre of a vertebra on its film (it may lie beyond the border)."""
    view = make_view(patient, chance_for(patient.chance))
    one = next(body for body in patient.vertebrae if body.level == level)
    far = np.hypot(view.x - one.x, view.z - one.z)
    row, column = np.unravel_index(int(far.argmin()), far.shape)
    return int(row), int(column)


def expose(lengths: Plane, site: Site, chance: np.random.Generator) -> Plane:
    """From line integrals to grey values in 0…1: quanta, scatter, blur, logarithm, the site's window."""
    primary = np.exp(-lengths)
    primary /= np.median(primary)
    ceiling = np.float32(60.0)
    primary = np.minimum(primary, ceiling)
    scattered = broad(np.minimum(primary, 6), 22 / PIXEL) * site.scatter + 0.05
    blurred = gaussian_filter(primary, site.blur / PIXEL) + scattered
    # The noise of a flat panel is a little blurred too: light spreads in the scintillator.
    noise = gaussian_filter(chance.standard_normal(lengths.shape, dtype=np.float32), 0.55) * 1.9
    quanta = blurred + np.sqrt(blurred * 1000 / site.photons) * noise * 0.11
    film = -np.log(np.clip(quanta, 1e-3, None))
    film = film - site.levelled * broad(film, 30 / PIXEL)
    film = film + 0.55 * (film - gaussian_filter(film, 2.4 / PIXEL))
    anatomy = film[ROWS // 8 : -ROWS // 8, COLUMNS // 4 : -COLUMNS // 6]
    low, high = np.percentile(anatomy, [0.5, 99.7])
    margin = 0.10 * (high - low)
    result: Plane = np.clip((film - low + margin) / (high - low + 2 * margin), 0, 1) ** site.gamma
    return result


def labelled(grey: Plane, site: Site) -> Plane:
    """Collimation, and the word that nobody can overlook, as a lead marker would lie on the film."""
    if site.border:
        grey[: site.border] = grey[-site.border :] = 0
        grey[:, : site.border] = grey[:, -site.border :] = 0
    stamp = Image.new("L", (COLUMNS, ROWS))
    drawing = ImageDraw.Draw(stamp)
    font = ImageFont.load_default(15)
    place = (site.border + 10, ROWS - site.border - 28)
    box = drawing.textbbox(place, WORDS, font)
    drawing.text(place, WORDS, fill=255, font=font)
    strip = np.s_[int(box[1]) - 4 : int(box[3]) + 5, int(box[0]) - 5 : int(box[2]) + 6]
    marked = grey.copy()
    marked[strip] = np.asarray(stamp, dtype=np.float32)[strip] / 255
    result: Plane = np.round(marked * 4095)
    return result
