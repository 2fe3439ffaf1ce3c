"""What lies around the bones: skin, fat, muscle, vessels, organs, and the canal with its sac.

Everything follows the line of the posterior walls, so that it bends with the column. Sizes are those of adults.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from inference.phantoms.anatomy import sacrum_of
from inference.phantoms.column import Patient, chance_for, corners_of
from inference.phantoms.contrast import (
    BOWEL,
    CALCIUM,
    CORD,
    EPIDURAL_FAT,
    FAT,
    FLUID,
    GAS,
    KIDNEY,
    LIGAMENT,
    LIVER,
    LUNG,
    MUSCLE,
    ORGAN,
    ROOT,
    VESSEL,
    Signal,
)
from inference.phantoms.volume import Canvas, Grid, Point, Span, Volume, field, inside

# How far behind the posterior walls the skin lies, and the half axes of the sac and of the canal, mm.
SKIN, SAC, CANAL = 76.0, (6.6, 8.8), (9.2, 11.5)


@dataclass(frozen=True, eq=False)
class Course:
    """The column as a line over the planes of a grid, shape (1, len(z), 1): ``back`` and ``front`` of the bodies,
    the smoothed ``canal`` side, ``left`` of the middle, and the smooth line ``trend`` that the trunk follows."""

    back: Volume
    front: Volume
    canal: Volume
    left: Volume
    trend: Volume


def course_of(patient: Patient, grid: Grid) -> Course:
    bodies = sorted((*sacrum_of(patient), *patient.vertebrae), key=lambda one: one.z)
    corners = [corners_of(one) for one in bodies]
    heights = [corner[2] for four in corners for corner in (four.posterior_inferior, four.posterior_superior)]
    walls = [corner[0] for four in corners for corner in (four.posterior_inferior, four.posterior_superior)]
    fine = np.arange(heights[0] - 20, heights[-1] + 30, 1.0)
    order = np.argsort(heights)
    wall = gaussian_filter1d(np.interp(fine, np.array(heights)[order], np.array(walls)[order]), 5.0)
    middles = [one.z for one in bodies]

    def over(places: list[float], values: list[float]) -> Volume:
        return np.interp(grid.z, places, values).astype(np.float32)[None, :, None]

    trend = np.polyval(np.polyfit(fine, wall, 3), np.clip(grid.z, fine[0], fine[-1]))
    return Course(
        back=over(middles, [one.x - one.depth / 2 for one in bodies]),
        front=over(middles, [one.x + one.depth / 2 for one in bodies]),
        canal=over(list(fine), list(wall)),
        left=over(middles, [one.y for one in bodies]),
        trend=trend.astype(np.float32)[None, :, None],
    )


def ellipse(grid: Grid, x: Volume | float, y: Volume | float, axes: Span) -> Volume:
    """Distance inside a tube of elliptic section, about right near its surface."""
    squares = np.square((grid.forward - x) / np.float32(axes[0])) + np.square((grid.across - y) / np.float32(axes[1]))
    result: Volume = (1 - np.sqrt(squares)) * np.float32(min(axes))
    return result


def oval(grid: Grid, x: Volume | float, y: Volume | float, axes: Span) -> Volume:
    """As `ellipse`, of a squarer section (exponent 3)."""
    cubes = np.abs((grid.forward - x) / np.float32(axes[0])) ** 3 + np.abs((grid.across - y) / np.float32(axes[1])) ** 3
    result: Volume = (1 - np.cbrt(cubes)) * np.float32(min(axes))
    return result


def height_of(patient: Patient, level: str, otherwise: float) -> float:
    """Height z of a body, where the column has it."""
    return next((one.z for one in patient.vertebrae if one.level == level), otherwise)


def paint_trunk(canvas: Canvas, patient: Patient, course: Course) -> None:
    """Skin, fat, belly, muscles, organs, lungs."""
    grid = canvas.grid
    whole = grid.window((-1e4, 1e4), (-1e4, 1e4), (-1e4, 1e4))
    chance = chance_for(patient.chance, "trunk")
    middle = (patient.vertebrae[2].x, 0.0, patient.vertebrae[2].z)
    rough = field(chance, grid, middle, (9.0, 12.0))
    streaks = field(chance, grid, middle, (3.0, 24.0))
    skin = course.trend - np.float32(SKIN)
    depth = np.float32(0.37 * patient.thickness)
    outline = ellipse(grid, skin + depth, 0.0, (float(depth), patient.thickness / 2))
    lobules = [value * (1 + np.float32(0.035) * streaks) for value in FAT.of(canvas.channels)]
    canvas.cover(whole, outline, lobules)
    canvas.paint(whole, inside(1.6 - np.abs(outline), 1.2) * np.float32(0.8), MUSCLE)
    belly(canvas, patient, course, rough)
    muscles(canvas, patient, course, streaks)
    lungs(canvas, patient, course, rough)
    vessels(canvas, patient, course)


def belly(canvas: Canvas, patient: Patient, course: Course, rough: Volume) -> None:
    """Bowel in its fat before the spine, heart and liver above, kidneys beside it."""
    grid, chance = canvas.grid, chance_for(patient.chance, "belly")
    window = grid.window((float(course.front.min()) + 20, 1e4), (-125, 125), (-1e4, 1e4))
    part = grid.part(window)
    middle = height_of(patient, "L1", 130.0)
    if part:
        loops = field(chance, part, (60.0, 0.0, 60.0), (15.0, 15.0))
        ahead = part.forward - course.front[:, window[1]] - 30 + 2 * rough[window]
        grain = 1 + np.float32(0.12) * rough[window]
        shell = np.minimum(ahead, 9 * (loops + np.float32(0.25)))
        canvas.cover(window, shell, [value * grain for value in BOWEL.of(canvas.channels)], 3.5)
        canvas.cover(window, np.minimum(ahead - 14, 8 * (loops - np.float32(1.9 - 0.6 * patient.gas))), GAS, 2.0)
        roof = part.up - np.float32(middle + 8) - np.float32(0.35) * (part.forward - course.front[:, window[1]])
        organs = [value * grain for value in ORGAN.of(canvas.channels)]
        canvas.cover(window, np.minimum(roof, ahead + 4), organs, 5.0)
    for side in (-1.0, 1.0):
        place = (float(chance.normal(-4, 4)) + patient.vertebrae[4].x, side * 64.0, middle + float(chance.normal(6, 8)))
        ball(canvas, place, (25.0, 24.0, 52.0), KIDNEY, rough)
        ball(canvas, (place[0] + 4, place[1] - 9 * side, place[2]), (11.0, 10.0, 24.0), FAT, 2 * rough)
    ball(canvas, (62.0, -88.0, middle + 62), (82.0, 62.0, 62.0), LIVER, rough)


def ball(canvas: Canvas, centre: Point, axes: Point, tissue: Signal, rough: Volume) -> None:
    grid = canvas.grid
    x, y, z = ((middle - half - 2, middle + half + 2) for middle, half in zip(centre, axes, strict=True))
    window = grid.window(x, y, z)
    part = grid.part(window)
    if part:
        squares = sum(
            np.square((place - np.float32(middle)) / np.float32(half))
            for place, middle, half in zip((part.forward, part.across, part.up), centre, axes, strict=True)
        )
        canvas.cover(window, (1 - np.sqrt(squares)) * np.float32(min(axes)) + rough[window], tissue, 2.0)


def muscles(canvas: Canvas, patient: Patient, course: Course, streaks: Volume) -> None:
    """Erector spinae with fat between its bundles, psoas from L1 down, quadratus lumborum."""
    grid = canvas.grid
    thin = np.float32(0.30 + 0.65 * patient.osteoporosis)
    bundles = [
        muscle + (fat - muscle) * np.clip(np.float32(0.33) * streaks - 0.42 + thin / 2, 0.02, 0.85)
        for muscle, fat in zip(MUSCLE.of(canvas.channels), FAT.of(canvas.channels), strict=True)
    ]
    plain = [value * (1 + np.float32(0.06) * streaks) for value in MUSCLE.of(canvas.channels)]
    whole = grid.window((-1e4, 1e4), (-1e4, 1e4), (-1e4, 1e4))
    for side in (-1.0, 1.0):
        centre = course.left + np.float32(side * 27.0)
        shape = oval(grid, course.trend - 36, centre, (24.0, 27.0))
        canvas.cover(whole, shape + 0.8, LIGAMENT)
        canvas.cover(whole, np.minimum(shape, np.abs(grid.across - course.left) - 3.4 + 0.5 * streaks), bundles)
        low, high = height_of(patient, "L5", 20.0), height_of(patient, "L1", 140.0)
        grown = np.clip((high - grid.up) / np.float32(high - low), 0, 1.25)
        swell = np.sqrt(grown)
        beside = course.left + np.float32(side) * (24 + 13 * swell)
        psoas = 1 - np.sqrt(
            np.square((grid.forward - (course.back + course.front) / 2 + 3) / (4 + 15 * swell))
            + np.square((grid.across - beside) / (3 + 13 * swell))
        )
        canvas.cover(whole, np.where(grown > 0, psoas * 13, -5), plain)
        quadratus = ellipse(grid, course.back - 12, course.left + np.float32(side * 62), (8.0, 18.0))
        canvas.cover(whole, np.where(grown > 0, quadratus, -5), plain)


def lungs(canvas: Canvas, patient: Patient, course: Course, rough: Volume) -> None:
    """The recesses behind the diaphragm, beside the thoracic bodies."""
    grid = canvas.grid
    dome = np.float32(height_of(patient, "T12", 160.0) - 4)
    window = grid.window((-1e4, 1e4), (-1e4, 1e4), (float(dome), 1e4))
    part = grid.part(window)
    if not part:
        return
    ahead = part.forward - course.trend[:, window[1]]
    chest = ellipse(part, course.trend[:, window[1]] + 34, 0.0, (74.0, 116.0))
    # The column with the mediastinum before it.
    spine = ellipse(part, course.back[:, window[1]] + 82, course.left[:, window[1]], (105.0, 36.0))
    low = np.float32(0.55) * np.clip(ahead + 20, 0, 60) - np.float32(0.35) * (np.abs(part.across) - 45)
    # Behind the bodies the muscles of the back keep it aside.
    side = np.maximum(part.forward - course.back[:, window[1]] + 6, np.abs(part.across) - 42)
    shape = np.minimum(np.minimum(chest, -spine), np.minimum(part.up - dome - low, side))
    canvas.cover(window, shape + rough[window], LUNG, 2.0)


def vessels(canvas: Canvas, patient: Patient, course: Course) -> None:
    """Aorta before the column a little to the left, its calcified plaques, the vena cava to the right."""
    grid = canvas.grid
    fork = height_of(patient, "L4", 50.0)
    window = grid.window((-1e4, 1e4), (-48, 48), (fork, 1e4))
    part = grid.part(window)
    if not part:
        return
    front, left = course.front[:, window[1]], course.left[:, window[1]]
    chance = chance_for(patient.chance, "aorta")
    width = float(chance.uniform(8.5, 11.5))
    # Both end where they divide.
    end = np.clip((fork + 22 - part.up) / np.float32(2.4), 0, None)
    aorta = ellipse(part, front + np.float32(width + 3.5), left + 8, (width, width)) - end
    cava = ellipse(part, front + 10, left - 18, (8.0, 11.0)) - end
    canvas.cover(window, cava, VESSEL)
    canvas.cover(window, aorta + 1.4, LIGAMENT._replace(hu=46))
    canvas.cover(window, aorta, VESSEL)
    plaques = field(chance, part, (30.0, 0.0, 80.0), (4.5, 6.0))
    here = np.minimum(1.1 - np.abs(aorta), 1.3 * (plaques - np.float32(2.2 - 1.9 * patient.calcium)))
    canvas.cover(window, here, CALCIUM, 1.0)


def paint_canal(canvas: Canvas, patient: Patient, course: Course) -> None:
    """Ligaments, epidural fat, the sac with cord above L1 and roots below, all behind the posterior walls."""
    grid = canvas.grid
    back, left = float(course.canal.max()), float(np.abs(course.left).max())
    window = grid.window((float(course.canal.min()) - 24, back + 3), (-left - 15, left + 15), (-1e4, 1e4))
    part = grid.part(window)
    if not part:
        return
    canal, middle = course.canal[:, window[1]], course.left[:, window[1]]
    chance = chance_for(patient.chance, "canal")
    # Fat gathers behind the sac, more of it between the arches.
    canvas.cover(window, ellipse(part, canal - 9.4, middle, (CANAL[0] + 1.5, CANAL[1] + 1.2)), LIGAMENT)
    canvas.cover(window, ellipse(part, canal - 9.9, middle, CANAL), EPIDURAL_FAT)
    sac = ellipse(part, canal - 8.0, middle, SAC)
    canvas.cover(window, sac + 0.9, LIGAMENT)
    canvas.cover(window, sac, FLUID)
    cone = height_of(patient, "L1", 130.0) + float(chance.normal(2, 8))
    taper = np.clip((part.up - np.float32(cone - 22)) / 30, 0, 1)
    cord = ellipse(part, canal - 8.8, middle, (4.3, 5.2)) - 4.3 * (1 - taper)
    threads = field(chance, part, (-20.0, 0.0, 60.0), (1.7, 45.0))
    # Roots sink to the back of the sac.
    sunk = np.clip((canal - 7.2 - part.forward) / 5, 0, 1) * (1 - taper) * inside(sac - 1, 1.0)
    canvas.paint(window, np.clip(np.float32(0.55) * threads + 0.18, 0, 0.8) * sunk, ROOT)
    canvas.cover(window, cord, CORD)
