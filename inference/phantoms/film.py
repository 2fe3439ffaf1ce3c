"""The lateral film of a synthetic patient: path lengths, Beer–Lambert, scatter, blur, quantum noise, a site's look.

Along the left–right direction a body of width w with a super-elliptic axial section has the path length
w·(1 − |u|^k)^(1/k) at relative depth u (k = 2.6); what a ray meets adds up, and its intensity is N·exp(−Σ μ·length).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from inference.phantoms.column import Patient, Vertebra, chance_for

Plane = NDArray[np.float64]
PIXEL = 0.5
ROWS, COLUMNS = 560, 380
SECTION = 2.6
# Linear attenuation per mm at the mean energy of a lateral lumbar film; bone is what it has above soft tissue.
SOFT, SPONGE, COMPACT = 0.0205, 0.016, 0.058


@dataclass(frozen=True)
class Site:
    """How a hospital's films look: photons per pixel, scatter, blur (mm), gamma, collimation."""

    photons: float
    scatter: float
    blur: float
    gamma: float
    border: int


SITES = {
    "North": Site(photons=6.0e6, scatter=0.20, blur=0.35, gamma=1.15, border=0),
    "South": Site(photons=3.0e6, scatter=0.30, blur=0.50, gamma=1.0, border=14),
}


@dataclass(frozen=True)
class View:
    """Where the film lies: every pixel's position in the patient."""

    x: Plane
    z: Plane

    def window_around(self, body: Vertebra) -> tuple[slice, slice]:
        """The part of the film that a body with its posterior elements can reach."""
        near = (np.abs(self.x - body.x + 15) < 62) & (np.abs(self.z - body.z) < 44)
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        if not rows.size:
            return slice(0, 0), slice(0, 0)
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)

    def cut(self, window: tuple[slice, slice]) -> View:
        return View(self.x[window], self.z[window])

    def local(self, body: Vertebra) -> tuple[Plane, Plane]:
        """Pixels along depth (−1 posterior … 1 anterior) and height (mm above the centre) of a body."""
        lean = np.radians(body.tilt)
        dx, dz = self.x - body.x, self.z - body.z
        return (dx * np.cos(lean) - dz * np.sin(lean)) / (body.depth / 2), dx * np.sin(lean) + dz * np.cos(lean)


def edge(distance: Plane, softness: float = 0.45) -> Plane:
    """1 inside (distance > 0 mm), 0 outside, smooth over the thickness of a partial voxel."""
    result: Plane = 1 / (1 + np.exp(-np.clip(distance / softness, -40, 40)))
    return result


def make_film(patient: Patient, site: Site) -> Plane:
    """The film as stored: 12-bit values, bone bright, shape (560, 380) at 0.5 mm."""
    chance = chance_for(patient.chance)
    view = make_view(patient, chance)
    lengths = soft_tissue(patient, view, chance)
    for body in patient.vertebrae:
        window = view.window_around(body)
        if lengths[window].size:
            lengths[window] += vertebra(patient, body, view.cut(window), chance)
    lengths += sacrum_and_pelvis(patient, view) + ribs(patient, view, chance)
    return expose(lengths, site, chance)


def make_view(patient: Patient, chance: np.random.Generator) -> View:
    """Random field of view around L1–L2, with a slight turn of the film."""
    middle = next(body for body in patient.vertebrae if body.level == "L2")
    turn = np.radians(chance.normal(0, 2))
    column, row = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
    x = (column - COLUMNS * 0.46) * PIXEL + chance.normal(0, 5)
    z = (ROWS * 0.5 - row) * PIXEL + chance.normal(0, 9)
    return View(middle.x + x * np.cos(turn) - z * np.sin(turn), middle.z + 12 + x * np.sin(turn) + z * np.cos(turn))


def texture(chance: np.random.Generator, grain: float, shape: tuple[int, ...]) -> Plane:
    """Smooth random field with mean 0 and deviation 1; ``grain`` is its size in pixels."""
    rows, columns = shape
    small = chance.normal(size=(int(rows / grain) + 3, int(columns / grain) + 3))
    coarse = zoom(small, grain, order=1 if grain > 10 else 3)[:rows, :columns]
    if grain > 10:
        coarse = gaussian_filter(coarse, grain / 3)
    result: Plane = (coarse - coarse.mean()) / coarse.std()
    return result


def soft_tissue(patient: Patient, view: View, chance: np.random.Generator) -> Plane:
    """Trunk, lung above the diaphragm, gas in the bowel before the spine, skin line behind."""
    back = skin_line(patient, view)
    depth = np.clip((view.x - back) / 250, 0, 1)
    trunk = patient.thickness * np.sqrt(np.clip(1 - (2 * depth - 1) ** 4, 0, 1))
    trunk *= edge(view.x - back, 1.5) * 0.12 + 0.88 * edge(view.x - back - 14, 5)
    diaphragm = patient.vertebrae[-3].z + 6 + 26 * np.clip((view.x - patient.vertebrae[-3].x) / 90, -0.3, 1) ** 2
    air = edge(view.z - diaphragm, 3.5) * edge(view.x - back - 34, 9)
    trunk = trunk * (1 - 0.24 * air)
    gas = np.zeros_like(trunk)
    for _ in range(int(3 + 7 * patient.gas)):
        x, z = chance.uniform(46, 150), chance.uniform(-10, 130)
        a, b = chance.uniform(7, 22), chance.uniform(5, 13)
        reach = ((view.x - x) / a) ** 2 + ((view.z - z) / b) ** 2
        gas = np.maximum(gas, edge(1 - reach, 0.12) * chance.uniform(15, 38))
    layers = 1 + 0.012 * texture(chance, 46, view.x.shape) + 0.006 * texture(chance, 17, view.x.shape)
    return SOFT * (trunk * layers - gas * edge(diaphragm - view.z, 4))


def skin_line(patient: Patient, view: View) -> Plane:
    """The back follows the spine, smoothly, some 65 mm behind the bodies."""
    line = np.polyfit(
        [body.z for body in patient.vertebrae], [body.x - body.depth / 2 for body in patient.vertebrae], 3
    )
    lowest, highest = patient.vertebrae[0].z - 45, patient.vertebrae[-1].z + 30
    result: Plane = np.polyval(line, np.clip(view.z, lowest, highest)) - 66
    return result


def vertebra(patient: Patient, body: Vertebra, view: View, chance: np.random.Generator) -> Plane:
    u, v = view.local(body)
    top, bottom = endplates(body, u)
    waist = 1 - 0.06 * (1 - np.clip(np.abs(v) / (body.posterior / 2), 0, 1) ** 2)
    reach = np.clip(np.abs(u) / waist, 0, 1)
    path = body.width * np.clip(1 - reach**SECTION, 0, 1) ** (1 / SECTION)
    inside = edge(top - v) * edge(v - bottom) * edge((1 - np.abs(u) / waist) * body.depth / 2)
    density = 1 - 0.62 * patient.osteoporosis
    # Vertical trabeculae stay when the horizontal ones are lost.
    grain = (
        1 + 0.10 * density * texture(chance, 3, u.shape) + 0.07 * patient.osteoporosis * np.sin(u * body.depth * 1.9)
    )
    sponge = SPONGE * density * path * grain
    shell = COMPACT * (1.15 - 0.45 * patient.osteoporosis)
    plates = np.exp(-(((v - top) / 0.75) ** 2)) + np.exp(-(((v - bottom) / 0.75) ** 2))
    # The endplates' rims stand a little apart where the body is turned.
    spread = np.exp(-(((v - top + patient.scoliosis * 22) / 0.9) ** 2)) * 0.35
    walls = np.exp(-((((1 - np.abs(u) / waist) * body.depth / 2) / 0.7) ** 2))
    rim = (plates + spread) * edge(0.99 - np.abs(u) / waist, 0.02) * 0.30 * path
    wall = walls * edge(top - v + 0.5) * edge(v - bottom + 0.5) * 9.0
    bone = inside * sponge + shell * (rim + wall)
    if patient.fracture is not None and patient.fracture.level == body.level:
        bone = bone + impaction(patient, body, u, v, top, inside * path)
    return bone + posterior_elements(patient, body, u, v)


def endplates(body: Vertebra, u: Plane) -> tuple[Plane, Plane]:
    """Heights of the upper and lower endplate over the centre, parabolas through posterior, middle, anterior."""
    full = max(body.posterior, body.middle, body.anterior)
    lost = [full - height for height in (body.posterior, body.middle, body.anterior)]
    clipped = np.clip(u, -1.1, 1.1)
    parabola = lost[1] + (lost[2] - lost[0]) / 2 * clipped + ((lost[2] + lost[0]) / 2 - lost[1]) * clipped**2
    hollow = 1.3 * (1 - clipped**2)
    return full / 2 - 0.78 * parabola - hollow, -full / 2 + 0.22 * parabola + hollow


def impaction(patient: Patient, body: Vertebra, u: Plane, v: Plane, top: Plane, path: Plane) -> Plane:
    """A fresh fracture: a dense band under the upper endplate and a step of the anterior cortex."""
    assert patient.fracture is not None
    strength = patient.fracture.impaction
    band = np.exp(-(((v - top + 3.6) / 1.9) ** 2)) * edge(0.94 - np.abs(u), 0.04)
    step = np.exp(-(((u - 1.05) * body.depth / 2 / 1.3) ** 2 + ((v - top + 4.5) / 2.4) ** 2))
    return COMPACT * strength * (0.11 * path * band + 6.0 * step)


def posterior_elements(patient: Patient, body: Vertebra, u: Plane, v: Plane) -> Plane:
    """Pedicles, articular pillars and spinous process; between the pedicles the foramina stay dark."""
    behind = (-1 - u) * body.depth / 2
    height = body.posterior
    pedicle = edge(behind + 1) * edge(13 - behind) * np.exp(-(((v - height * 0.16) / (height * 0.20)) ** 2))
    pillar = np.exp(-(((behind - 17 - 0.12 * v) / 5.2) ** 2)) * edge(height * 0.78 - np.abs(v + height * 0.08), 2.2)
    spine = (
        edge(behind - 22, 1.5)
        * edge(47 - behind, 2.0)
        * np.exp(-(((v + height * 0.30 + 0.10 * behind) / (height * 0.30)) ** 4))
    )
    hardness = 1 - 0.4 * patient.osteoporosis
    return hardness * (COMPACT * (15 * pedicle + 17 * pillar) + SPONGE * 24 * spine)


def sacrum_and_pelvis(patient: Patient, view: View) -> Plane:
    """The first sacral segment under L5 and the shadow of the iliac wings over it."""
    last = patient.vertebrae[0]
    lean = np.radians(last.tilt + 15)
    between = np.radians(last.tilt + 8)
    reach = last.anterior / 2 + 9 + 17
    x, z = last.x - reach * np.sin(between), last.z - reach * np.cos(between)
    dx, dz = view.x - x, view.z - z
    u, v = dx * np.cos(lean) - dz * np.sin(lean), dx * np.sin(lean) + dz * np.cos(lean)
    body = edge(15 - v) * edge(v + 40) * edge(17 - 0.16 * (15 - v) - np.abs(u + 0.35 * (15 - v)))
    plate = np.exp(-(((v - 15) / 0.9) ** 2)) * edge(16 - np.abs(u))
    wing = edge(1 - ((view.x - last.x + 6) / 46) ** 2 - ((view.z - last.z + 40) / 47) ** 2, 0.06)
    return (1 - 0.5 * patient.osteoporosis) * (SPONGE * 44 * body + COMPACT * 9 * plate + SPONGE * 30 * wing)


def ribs(patient: Patient, view: View, chance: np.random.Generator) -> Plane:
    """The lower ribs of both sides, thin oblique bands that cross the upper bodies."""
    total = np.zeros_like(view.x)
    for body in patient.vertebrae[-3:]:
        for side in (0.0, chance.uniform(2.5, 6.0)):
            along = np.clip(view.x - body.x + 14, 0, None)
            course = body.z + 9 - side - 0.30 * along - 0.0016 * along**2
            reach = 150 if body.level == "T10" else 95 if body.level == "T11" else 55
            shaft = edge(along - 1, 3) * edge(reach - along, 4)
            distance = view.z - course
            tube = np.exp(-((distance / 4.2) ** 6)) * 3.0 + np.exp(-(((np.abs(distance) - 4) / 0.8) ** 2)) * 3.2
            total += shaft * tube
    return COMPACT * 0.55 * total


def broad(plane: Plane, deviation: float) -> Plane:
    """A wide Gaussian, computed on every fourth pixel: it has nothing finer."""
    small = gaussian_filter(plane[::4, ::4], deviation / 4, mode="nearest")
    result: Plane = zoom(small, 4, order=1, grid_mode=True, mode="nearest")[: plane.shape[0], : plane.shape[1]]
    return result


def expose(lengths: Plane, site: Site, chance: np.random.Generator) -> Plane:
    """From line integrals to the stored film: quanta, scatter, blur, logarithm, the site's window and border."""
    primary = np.exp(-lengths)
    scattered = broad(primary, 24 / PIXEL) * site.scatter + primary.mean() * 0.05
    blurred = gaussian_filter(primary, site.blur / PIXEL) + scattered
    dose = site.photons / 100 * blurred / blurred.mean()
    quanta = chance.poisson(dose) / dose.mean()
    film = -np.log(np.clip(quanta, 1e-4, None))
    # What every radiography system does: most of the large-scale brightness is taken out, edges are lifted a little.
    film = film - 0.62 * broad(film, 26 / PIXEL)
    film = film + 0.7 * (film - gaussian_filter(film, 2.2 / PIXEL))
    anatomy = film[ROWS // 8 : -ROWS // 8, COLUMNS // 5 : -COLUMNS // 5]
    low, high = np.percentile(anatomy, [0.2, 99.8])
    margin = 0.12 * (high - low)
    grey = np.clip((film - low + margin) / (high - low + 2 * margin), 0, 1) ** site.gamma
    if site.border:
        grey[: site.border] = grey[-site.border :] = 0
        grey[:, : site.border] = grey[:, -site.border :] = 0
    result: Plane = np.round(grey * 4095)
    return result
