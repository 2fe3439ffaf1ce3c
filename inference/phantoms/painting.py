"""A patient painted on a grid: from the trunk inwards to marrow and implants, with the truth on the same voxels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.cohorts.levels import CODES
from inference.phantoms import lesions
from inference.phantoms.anatomy import (
    Body,
    Piece,
    body_of,
    distance_of,
    joined,
    paint_discs,
    pieces_of,
    rib_of,
    sacrum_of,
)
from inference.phantoms.column import Patient, Vertebra, chance_for
from inference.phantoms.contrast import AIR, FATTY_FOCUS, FLUID, METAL, ROOT, TUMOUR, cortex, marrow
from inference.phantoms.fractures import Fracture
from inference.phantoms.surroundings import course_of, paint_canal, paint_trunk
from inference.phantoms.volume import NONE, Canvas, Grid, Volume, Window, bump, field, inside, within

Labels = NDArray[np.uint8]
SACRUM = CODES["S1"]


@dataclass(frozen=True, eq=False)
class Painted:
    """Channels over the grid, shape (channels, y, z, x), and label images, shape (y, z, x)."""

    values: Volume
    levels: Labels
    bodies: Labels
    lesions: Labels


def paint(patient: Patient, grid: Grid, channels: tuple[str, ...]) -> Painted:
    """Everything that the grid meets, in the channels named (of `contrast.CHANNELS`)."""
    canvas = Canvas(grid, channels, AIR)
    course = course_of(patient, grid)
    paint_trunk(canvas, patient, course)
    paint_canal(canvas, patient, course)
    paint_discs(canvas, patient)
    truth = Truth(grid)
    skeleton = [(one, body_of(grid, one, patient)) for one in patient.vertebrae]
    for one, body in skeleton:
        fracture = patient.fracture_at(one.level)
        if body and fracture:
            mass = lesions.paint_masses(canvas, body.window, fracture, body.frame, body.wall)
            truth.lesion(body.window, mass)
    sacral = [(one, body_of(grid, one, patient, taper=0.22)) for one in sacrum_of(patient)]
    paint_roots(canvas, patient)
    paint_posterior(canvas, patient, truth)
    for one, body in (*sacral, *skeleton):
        if body:
            paint_body(canvas, patient, one, body, truth)
    paint_screws(canvas, patient)
    return Painted(canvas.values, truth.levels, truth.bodies, truth.lesions)


class Truth:
    """Label images under way."""

    def __init__(self, grid: Grid) -> None:
        self.levels, self.bodies, self.lesions = (np.zeros(grid.shape, np.uint8) for _ in range(3))

    def bone(self, window: Window, distance: Volume, one: Vertebra) -> None:
        self.levels[window][distance > 0] = SACRUM if one.step < 0 else CODES[one.level]

    def body(self, window: Window, distance: Volume, one: Vertebra) -> None:
        if one.step >= 0:
            self.bodies[window][distance > 0] = CODES[one.level]

    def lesion(self, window: Window, share: Volume) -> None:
        if share.ndim:
            self.lesions[window][share > 0.5] = 1


def paint_posterior(canvas: Canvas, patient: Patient, truth: Truth) -> None:
    """Arches with all their processes, ribs, the lateral masses of the sacrum; then tumour in an arch."""
    for one in patient.vertebrae:
        paint_bone(canvas, patient, one, pieces_of(one), truth)
        if one.ribs:
            for side in (-1.0, 1.0):
                paint_bone(canvas, patient, one, rib_of(one, side), None)
    for one, size in zip(sacrum_of(patient)[:3], (1.0, 0.85, 0.66), strict=True):
        paint_bone(canvas, patient, one, sacral_pieces(one, size), truth)
    for fracture in patient.fractures:
        paint_element(canvas, patient.vertebra(fracture.level), fracture, truth)


def paint_bone(canvas: Canvas, patient: Patient, one: Vertebra, pieces: Iterable[Piece], truth: Truth | None) -> None:
    """Cortex around marrow; ribs are no part of the labels."""
    place = joined(canvas.grid, one, pieces)
    if place is None:
        return
    window, distance = place
    thin = patient.osteoporosis
    chance = chance_for(patient.chance, one.level, "arch")
    grain = field(chance, canvas.grid.part(window), (one.x, one.y, one.z), (3.0, 3.0))
    canvas.cover(window, distance, cortex(thin))
    depth = np.float32(1.15 - 0.35 * thin) * (1 + np.float32(0.25) * grain)
    canvas.cover(window, distance - depth, textured(canvas.channels, thin, grain, grain))
    if truth:
        truth.bone(window, distance, one)


def paint_roots(canvas: Canvas, patient: Patient) -> None:
    """The nerve roots on their way out under each pedicle, grey in the fat of the foramen."""
    for one in patient.vertebrae:
        back, h = -one.depth / 2, one.full
        for side in (-1.0, 1.0):
            root = Piece((back - 6, 9.0 * side, 0.05 * h), (back + 1, 24.0 * side, -0.42 * h), 2.4)
            place = distance_of(canvas.grid, one, root)
            if place:
                canvas.cover(place[0], place[1], ROOT)


def sacral_pieces(one: Vertebra, size: float) -> Iterator[Piece]:
    """Lateral masses and the roof of the canal of a sacral segment."""
    back = -one.depth / 2
    yield Piece((back - 14, 0.0, 9.0), (back - 15, 0.0, -9.0), 3.0, 1.0)
    for side in (-1.0, 1.0):
        yield Piece((-2.0, side * 17.0 * size, 0.0), (back + 2, side * 40.0 * size, -6.0 * size), 10.5 * size, 1.15)


def paint_element(canvas: Canvas, one: Vertebra, fracture: Fracture, truth: Truth) -> None:
    """Tumour in the pedicle of its side, swollen and without cortex; near the middle also in arch and process."""
    if not lesions.seen(fracture, "posterior_element", canvas.channels):
        return
    side, back, h = fracture.focus.side, -one.depth / 2, one.full
    pieces = [Piece((back + 2, 13.0 * side, 0.2 * h), (back - 11, 14.5 * side, 0.15 * h), 6.4, 1.3)]
    if abs(fracture.focus.across) <= 0.5:
        pieces.append(Piece((back - 18, 8.0 * side, -0.15 * h), (back - 30, 0.0, -0.32 * h), 4.8, 1.9))
    for place in (distance_of(canvas.grid, one, piece) for piece in pieces):
        if place:
            canvas.cover(place[0], place[1], TUMOUR)
            truth.lesion(place[0], inside(place[1], 1.0))


def paint_body(canvas: Canvas, patient: Patient, one: Vertebra, body: Body, truth: Truth) -> None:
    """Cortex, then marrow with its texture, its vein and whatever a fracture or an operation has changed."""
    channels, thin = canvas.channels, patient.osteoporosis
    chance = chance_for(patient.chance, one.level, "marrow")
    centre = (one.x, one.y, one.z)
    fine, coarse = field(chance, body.part, centre, (1.4, 1.4 + 2.4 * thin), smooth=False), body.coarse
    values = textured(channels, thin, fine, coarse)
    if "HU" in channels:
        # Trabeculae are denser near the end-plates.
        near = np.minimum(body.frame.below, body.frame.h - body.frame.below)
        values[channels.index("HU")] += np.float32(70 - 40 * thin) * bump(np.maximum(near, 0), 3.5)
    extra = chance.random(4)
    if one.step >= 0:
        vein(values, channels, body, coarse)
    if extra[0] < 0.10 and not patient.change_of(one.level):
        fatty_focus(values, channels, body, extra, coarse)
    gone, abnormal = change(values, channels, patient, one, body, fine, coarse)
    canvas.paint(body.window, inside(body.distance, canvas.grid.softness) * (1 - gone), cortex(thin))
    # End-plates are thicker than walls; where the cortex is destroyed the marrow's values reach the surface.
    plate = np.float32(0.5) + np.float32(0.5) * np.square(np.square(within(body.frame.share, -1, 1)))
    depth = np.float32(1.3 - 0.4 * thin) * plate * within(1 + np.float32(0.3) * coarse, 0.5, 1.6) * (1 - gone)
    core = inside(body.distance - depth, canvas.grid.softness)
    canvas.paint(body.window, core, values)
    truth.bone(body.window, body.distance, one)
    truth.body(body.window, body.ideal, one)
    if abnormal.ndim:
        truth.lesion(body.window, np.where(body.distance > 0, abnormal, 0))


def textured(channels: tuple[str, ...], thin: float, fine: Volume, coarse: Volume) -> list[Volume]:
    """Marrow of one body: trabeculae on CT, islands of red marrow on MR."""
    values = []
    for channel, value in zip(channels, marrow(thin).of(channels), strict=True):
        if channel == "HU":
            values.append(value + np.float32(52) * fine + np.float32(14) * coarse)
        else:
            values.append(value * (1 + np.float32(0.055) * fine + np.float32(0.06) * coarse))
    return values


def vein(values: list[Volume], channels: tuple[str, ...], body: Body, coarse: Volume) -> None:
    """The basivertebral vein: from the middle of the posterior wall a tapering cleft forwards."""
    frame = body.frame
    depth = frame.forward + np.float32(frame.a)
    width = np.clip(np.float32(2.1) - np.float32(0.16) * depth + np.float32(0.25) * coarse, 0, 2.6)
    across = np.sqrt(np.square(frame.up - 0.9 * coarse) + np.square(frame.left * np.float32(0.35)))
    share = inside(width - across, 1.5) * inside(depth + 3, 2.0) * (width > 0) * np.float32(0.65)
    lesions.blend(values, share, FLUID._replace(hu=25, t1w=0.35, t2w=0.85).of(channels))


def fatty_focus(values: list[Volume], channels: tuple[str, ...], body: Body, extra: Volume, coarse: Volume) -> None:
    """A haemangioma or island of fat: bright on both weightings, of no meaning."""
    place = ((extra[1] - 0.5) * body.frame.a, (extra[2] - 0.5) * body.frame.b, (extra[3] - 0.5) * 0.5 * body.frame.h)
    share = inside(body.frame.ellipsoid(place, (5.0, 5.0, 4.5)) + coarse, 2.0) * np.float32(0.8)
    lesions.blend(values, share, FATTY_FOCUS.of(channels))


def change(
    values: list[Volume],
    channels: tuple[str, ...],
    patient: Patient,
    one: Vertebra,
    body: Body,
    fine: Volume,
    coarse: Volume,
) -> tuple[Volume, Volume]:
    """Fracture, mimic, lesion, cement; returns the shares of destroyed cortex and of abnormal marrow."""
    gone = abnormal = NONE
    fracture = patient.fracture_at(one.level)
    if fracture:
        abnormal = lesions.change_marrow(fracture, body.frame, values, channels, fine, coarse)
        gone = lesions.eaten(fracture, body.frame, coarse)
    elif patient.mimic and patient.mimic.level == one.level and patient.mimic.impaction and "HU" in channels:
        worn = bump(body.frame.below - 2.6, 2.0)
        values[channels.index("HU")] += np.float32(150 * patient.mimic.impaction) * worn
    for level, focus in patient.elsewhere:
        if level == one.level and not fracture:
            abnormal = lesions.focus_in(values, channels, body.frame, focus, coarse)
    for implant in patient.implants_at(one.level):
        if implant.kind == "cement":
            lesions.fill_with_cement(values, channels, body.frame, implant.amount, implant.across, coarse)
    return gone, abnormal


def paint_screws(canvas: Canvas, patient: Patient) -> None:
    """A screw through each pedicle into the body, its head, and a rod on either side from screw to screw."""
    # Metal blots out more of an MR than it fills.
    bloom = np.float32(0.0 if "HU" in canvas.channels else 2.5)
    held = [patient.vertebra(implant.level) for implant in patient.implants if implant.kind == "screws"]
    for one in held:
        back, h = -one.depth / 2, one.full
        for side in (-1.0, 1.0):
            shaft = Piece((-back * 0.35, 8.0 * side, 0.08 * h), (back - 20, 15.0 * side, 0.24 * h), 2.6)
            head = Piece((back - 20, 15.0 * side, 0.24 * h), (back - 25, 15.5 * side, 0.25 * h), 5.0)
            rod = Piece((back - 24, 15.5 * side, 0.95 * h), (back - 24, 15.5 * side, -0.75 * h), 2.7)
            for place in (distance_of(canvas.grid, one, piece) for piece in (shaft, head, rod)):
                if place:
                    canvas.cover(place[0], place[1] + bloom, METAL)
