"""The lateral film of a synthetic patient: everything that a ray meets, added up, exposed and marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inference.phantoms import bones, implants
from inference.phantoms.column import Patient, Vertebra, chance_for
from inference.phantoms.exposure import C_ARM, DEPTH, SITES, detected, developed
from inference.phantoms.markers import stamp
from inference.phantoms.shapes import Plane, Point, line, resized
from inference.phantoms.tissue import SOFT, aorta, soft_tissue
from inference.phantoms.truth import FilmTruth, truth_of
from inference.phantoms.views import Framing, View, Window, make_view

# How far forward the lowest ribs reach, mm.
LONGEST_RIBS = {"T13": 24.0, "T12": 52.0, "T11": 96.0, "T10": 140.0}


@dataclass(frozen=True)
class Film:
    """Pixels (12 bits, bone bright, shape (rows, columns)), how they were taken, and what they show."""

    pixels: Plane
    view: View
    truth: FilmTruth


def make_film(
    patient: Patient,
    site: str,
    *,
    number: int = 1,
    framing: Framing | None = None,
    hold: str = "",
    operation: bool = False,
) -> Film:
    """One film of a patient.

    Parameters
    ----------
    patient : Patient
    site : str
        Key of ``SITES``.
    number : int
        Another number is another exposure of the same patient: other view, noise and bowel gas.
    framing : Framing, optional
    hold : str
        Level that must lie on the film; by default that of the fracture, or L1.
    operation : bool
        A round C-arm image with instruments instead of a film.

    Returns
    -------
    Film

    Examples
    --------
    >>> from inference.phantoms.column import make_patient
    >>> film = make_film(make_patient(7, "P001", fractured=True), "A")
    >>> [body.vertebra.level for body in film.truth.broken(lambda fracture: True)]
    ['T12']
    """
    chance = chance_for(patient.chance, "film", number, site)
    look = C_ARM if operation else SITES[site]
    framing = framing or Framing()
    if operation:
        framing = Framing(slimness=1.0, round=float(chance.uniform(150, 190)), scale=framing.scale)
    hold = hold or (patient.fracture.level if patient.fracture else "L1")
    view = make_view(patient, chance, framing, pixel=look.pixel, margin=look.margin, hold=hold)
    soft, hard = lengths_of(patient, view, chance)
    metal = operated(patient, view, hold, chance) if operation else 0.0
    lengths = soft + look.kvp * hard + metal
    opened = view.open()
    grey = developed(detected(lengths, look, view.pixel, chance), look, view.pixel, opened) * opened
    stamp(grey, chance, operation=operation)
    return Film(np.round(grey * DEPTH), view, truth_of(patient, view))


def lengths_of(patient: Patient, view: View, chance: np.random.Generator) -> tuple[Plane, Plane]:
    """Line integrals of attenuation of soft tissue, and of bone with what was put into it; shape (rows, columns)."""
    # Soft tissue has no detail below two pixels of a film of full size.
    step = 2 if view.pixel < 0.6 else 1
    x, z = view.grid(step)
    soft = soft_tissue(patient, x, z, chance, step * view.pixel)
    hard = cage(patient, view, step, chance)
    if step > 1:
        soft, hard = (resized(plane, (view.rows, view.columns)) for plane in (soft, hard))
        x, z = view.grid()
    hard = hard + aorta(patient, x, z, chance, view.pixel)
    for one in patient.vertebrae:
        look = bones.look_of(patient, one)
        if look.swelling:
            u, v = one.local(x, z)
            soft = soft + SOFT * 17 * look.swelling * line(u - one.depth / 2 - 4, 7) * line(v, 18)
        window = near(view, one, -one.depth / 2 - 6, one.depth / 2 + 9, 28)
        if hard[window].size:
            u, v = one.local(x[window], z[window])
            hard[window] += bones.body(one, look, view.parallax(one), u, v, chance)
            hard[window] += in_the_body(patient, one, u, v, chance)
        window = near(view, one, -72, 0.3 * one.depth, 42)
        if hard[window].size:
            u, v = one.local(x[window], z[window])
            hard[window] += bones.posterior_elements(one, look, view.parallax(one), u, v)
            if any(implant.kind == "screws" for implant in patient.implants_at(one.level)):
                hard[window] += implants.screw(one, view.parallax(one), u, v)
    return soft, hard + rods(patient, x, z)


def in_the_body(patient: Patient, one: Vertebra, u: Plane, v: Plane, chance: np.random.Generator) -> Plane:
    total = np.zeros_like(u)
    for implant in patient.implants_at(one.level):
        if implant.kind == "cement":
            total += implants.cement(one, implant, u, v, chance)
    return total


def rods(patient: Patient, x: Plane, z: Plane) -> Plane:
    """The rods over all levels with screws."""
    bodies = [one for one in patient.vertebrae if any(i.kind == "screws" for i in patient.implants_at(one.level))]
    heads = [one.place(-one.depth / 2 - 24.0, 0.20 * one.posterior + 1.0) for one in bodies]
    return implants.rod([(px, pz) for px, _, pz in heads], x, z) if len(heads) > 1 else np.zeros_like(x)


def operated(patient: Patient, view: View, hold: str, chance: np.random.Generator) -> Plane:
    """Instruments of an operation: needles in the level it is about, clamps now and then."""
    x, z = view.grid()
    one = patient.vertebra(hold)
    total = np.zeros_like(x)
    u, v = one.local(x, z)
    for _ in range(int(chance.integers(0, 3))):
        total += implants.needle(one, u, v, chance)
    for _ in range(int(chance.integers(0, 2))):
        middle = (one.x - float(chance.uniform(55, 80)), one.z + float(chance.uniform(-55, 55)))
        total += implants.forceps(middle, x, z, chance)
    return total


def cage(patient: Patient, view: View, step: int, chance: np.random.Generator) -> Plane:
    """Sacrum, iliac wings and ribs on every ``step``-th pixel."""
    x, z = view.grid(step)
    last = patient.vertebrae[0]
    look = bones.look_of(patient, last)
    total = bones.sacrum(last, look, x, z) + bones.wings(last, look, 30 * patient.scoliosis, x, z)
    for one in patient.vertebrae:
        if not one.ribs:
            continue
        longest = LONGEST_RIBS.get(one.level, 165.0)
        for side in (-1.0, 1.0):
            bow = float(chance.normal(0, 1.5)) + side * 2.6
            length = longest * float(chance.uniform(0.85, 1.1))
            joint = (one.x - one.depth / 2 - 2, one.z + one.posterior * 0.36 + bow / 2)
            points = bones.rib_courses(joint, length, bow)
            windows = [around(view, step, 10.0, pair) for pair in pairwise(points)]
            total += bones.rib(points, look, x, z, windows)
    result: Plane = total
    return result


def near(view: View, one: Vertebra, behind: float, before: float, half: float) -> Window:
    """The part of the film between two depths of a body and so far above and below its centre."""
    places = [one.place(along, up) for along in (behind, before) for up in (-half, half)]
    return around(view, 1, 0.0, [(x, z) for x, _, z in places])


def around(view: View, step: int, reach: float, places: Sequence[Point]) -> Window:
    """The part of a film of every ``step``-th pixel that holds the places and ``reach`` mm around them."""
    spots = [view.spot(x, z) for x, z in places]
    rows, columns = [spot.row for spot in spots], [spot.column for spot in spots]
    wide = reach / view.pixel
    return (
        slice(max(0, int((min(rows) - wide) / step)), max(0, int((max(rows) + wide) / step) + 1)),
        slice(max(0, int((min(columns) - wide) / step)), max(0, int((max(columns) + wide) / step) + 1)),
    )
