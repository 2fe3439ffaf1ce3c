"""What the synthetic patients promise, measured on their images: heights, corners, CT numbers, repeatability, ceilings.

Nothing is read from the parameters that drew an image: heights and corners are measured on rendered label images,
graded as those of real ones are (`inference.measures.bodies`), tissues on rendered CT.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.cohorts.levels import CODES
from inference.measures.bodies import LEAST_PIXELS, Heights, Side, genant
from inference.phantoms import ct, mr
from inference.phantoms.ceilings import ceilings
from inference.phantoms.column import GENANT_LOSS, Patient, Vertebra, Wanted, chance_for, make_patient
from inference.phantoms.film import make_film
from inference.phantoms.plans import film_plan
from inference.phantoms.surroundings import SKIN, course_of
from inference.phantoms.truth import truth_of
from inference.phantoms.views import View, make_view
from inference.phantoms.volume import Grid, Scan

Numbers = NDArray[np.float64]
# Pixel of the slices that heights and corners are measured on, mm.
PIXEL = 0.6
PER_GRADE, COMPARED = 15, 3
# How far a simulated ceiling may lie from the one its table was chosen for.
CEILING_MARGIN = 0.006
POSITION_ALONE = 0.60
HU_RANGES = {
    "subcutaneous fat": (-125.0, -80.0),
    "back muscle": (5.0, 70.0),
    "sac": (-5.0, 30.0),
    "spongy bone, dense": (150.0, 230.0),
    "spongy bone, osteoporotic": (30.0, 110.0),
    "air": (-1024.0, -950.0),
}


@dataclass(frozen=True)
class Check:
    """One promise: its name, what was found, what was wanted, whether it holds."""

    name: str
    found: str
    wanted: str
    holds: bool


def checks(seed: int = 7) -> tuple[Check, ...]:
    """All checks of volumes, columns and ceilings; some twenty seconds."""
    return (
        *height_checks(seed),
        *corner_checks(seed),
        *hu_checks(seed),
        repeatability(seed),
        *ceiling_checks(seed),
        position_alone(seed),
    )


def height_checks(seed: int) -> Iterator[Check]:
    """Mean loss of height by grade lies in Genant's band, and grades measured are those planted."""
    for grade, (low, high) in GENANT_LOSS.items():
        losses = []
        for number in range(PER_GRADE):
            patient = make_patient(seed, f"heights-{grade}-{number}", fractured=True, wanted=Wanted(grade=grade))
            losses.append(measured_loss(patient))
        mean, above = float(np.mean(losses)), "and more" if grade == 3 else f"to {high:.0%}"
        holds = low <= mean <= (high if grade < 3 else 0.6)
        yield Check(f"height loss of grade {grade}, CT", f"{mean:.1%}", f"{low:.0%} {above}", holds)


def measured_loss(patient: Patient) -> float:
    """Loss of height of the fracture on the middle slice of the CT, neighbours measured too."""
    fracture = patient.fracture
    if fracture is None:
        raise ValueError("The patient has no fracture to measure.")
    one = patient.vertebra(fracture.level)
    scan = ct.scan(patient, "A", slice_around(one, one.y, 60.0), "sagittal")
    heights = {}
    for near in patient.vertebrae[max(0, one.step - 1) : one.step + 2]:
        found = measured_in(scan, near.level)
        if found:
            heights[near.level] = found.heights
    own = heights.pop(one.level)
    return genant(own, float(np.mean([other.hp for other in heights.values()]))).loss


def slice_around(one: Vertebra, y: float, reach: float) -> Grid:
    """One sagittal slice around a body."""
    return Grid(
        *(
            np.arange(low, high, PIXEL, dtype=np.float64).astype(np.float32)
            for low, high in ((one.x - 42, one.x + 42), (y, y + PIXEL / 2), (one.z - reach, one.z + reach))
        )
    )


class Measured(NamedTuple):
    """A body on a slice: corners (row, column), shape (4, 2), in the order of `bodies.CORNERS`; heights in mm."""

    corners: Numbers
    heights: Heights


def measured(body: NDArray[np.bool_], spacing: tuple[float, float], anterior: Side = "left") -> Measured | None:
    """Measure a label image of one body; None where the border cuts it or nothing is there.

    In the frame of the smallest rectangle around it, a corner is the pixel that lies farthest out along its diagonal;
    the middle height is a weighted area around the middle over its width.
    """
    if body[[0, -1]].any() or body[:, [0, -1]].any() or body.sum() < LEAST_PIXELS:
        return None
    places = np.argwhere(body).astype(np.float64) * spacing
    across, down = frame_of(places)
    if anterior == "left":
        across = -across
    middle = places.mean(axis=0)
    forward, below = (places - middle) @ across, (places - middle) @ down
    # A corner is the outer one of its pixel.
    half, deep, tall = float(np.mean(spacing)) / 2, float(np.ptp(forward)), float(np.ptp(below))
    found = [
        places[np.argmax(ahead * forward / deep + under * below / tall)] + half * (ahead * across + under * down)
        for ahead, under in ((1, -1), (-1, -1), (-1, 1), (1, 1))
    ]
    ends = np.linalg.norm(found[0] - found[3]), np.linalg.norm(found[1] - found[2])
    centre = float(np.mean((np.array(found) - middle) @ across))
    # Pixels count by their distance from the middle: a strip with edges would gain or lose a column.
    reach = 0.15 * deep
    weight = np.clip(1 - np.abs(forward - centre) / reach, 0, None)
    height = weight.sum() * spacing[0] * spacing[1] / reach
    return Measured(np.array(found) / spacing, Heights(float(ends[0]), float(height), float(ends[1])))


def frame_of(places: Numbers) -> tuple[Numbers, Numbers]:
    """Unit vectors (row, column) to the right and downwards along the sides of the smallest rectangle around points."""
    from scipy.spatial import ConvexHull

    around = places[ConvexHull(places).vertices]
    sides = np.roll(around, -1, axis=0) - around
    turns = np.unique(np.round(np.arctan2(sides[:, 0], sides[:, 1]) % (np.pi / 2), 3))
    areas = []
    for turn in turns:
        right, down = np.array([np.sin(turn), np.cos(turn)]), np.array([np.cos(turn), -np.sin(turn)])
        areas.append(np.ptp(around @ right) * np.ptp(around @ down))
    turn = float(turns[int(np.argmin(areas))])
    # Of the four ways to lay it, the one that leans least.
    turn = turn - np.pi / 2 if turn > np.pi / 4 else turn
    return np.array([np.sin(turn), np.cos(turn)]), np.array([np.cos(turn), -np.sin(turn)])


def measured_in(scan: Scan, level: str) -> Measured | None:
    """A body on the middle slice of a scan."""
    _, row, column = scan.spacing
    return measured(scan.bodies[len(scan.bodies) // 2] == CODES[level], (row, column))


def corner_checks(seed: int) -> Iterator[Check]:
    """Corners measured on MR and on the film's labels lie where those measured on CT lie, in pixels of the coarser."""
    between_scans, between_film = [], []
    for number in range(COMPARED):
        patient = make_patient(seed, f"corners-{number}", fractured=True, wanted=Wanted(kind=None, malignant=0.5))
        film = make_film(patient, "A")
        for one in patient.vertebrae[1:7]:
            slices = slice_around(one, one.y, 32.0)
            on_ct = places(ct.scan(patient, "A", slices, "sagittal"), one)
            grid = Grid(slices.x[::2] + np.float32(0.2), slices.y, slices.z[::2] + np.float32(0.1))
            on_mr = places(mr.acquire(patient, "A", grid, 1.0, ("T1W",))["T1W"], one)
            if on_ct is None or on_mr is None:
                continue
            between_scans.append(np.linalg.norm(on_ct - on_mr, axis=1) / (2 * PIXEL))
            on_film = film_places(film.view, patient, one)
            if on_film is not None:
                seen = [film.view.spot(float(x), float(z)) for x, z in on_ct]
                between_film.append(np.linalg.norm(np.array(seen) - on_film, axis=1))
    for name, apart in (("CT and MR", between_scans), ("CT and film", between_film)):
        far = float(np.median(np.concatenate(apart)))
        yield Check(f"corners on {name}, {len(apart)} bodies", f"{far:.2f} pixels apart", "at most 1", far <= 1.0)


def places(scan: Scan, one: Vertebra) -> Numbers | None:
    """Corners (x, z) in mm, shape (4, 2), measured on the middle slice."""
    found = measured_in(scan, one.level)
    if found is None:
        return None
    _, up, forward = scan.spacing
    rows, columns = found.corners.T
    return np.stack([float(scan.grid.x[-1]) - columns * forward, float(scan.grid.z[-1]) - rows * up], axis=1)


def film_places(view: View, patient: Patient, one: Vertebra) -> Numbers | None:
    """Corners (row, column) measured on the level labels of a film, shape (4, 2); the front lies on the right."""
    truth = truth_of(patient, view)
    shown = any(body.visible and body.vertebra.level == one.level for body in truth.bodies)
    found = measured(truth.levels == CODES[one.level], (1.0, 1.0), "right") if shown else None
    return found.corners if found else None


def hu_checks(seed: int) -> Iterator[Check]:
    """Mean CT numbers of tissues lie in their ranges, over three patients with dense and three with thin bone."""
    found: dict[str, list[float]] = {name: [] for name in HU_RANGES}
    chosen = {"spongy bone, dense": (0.0, 0.25), "spongy bone, osteoporotic": (0.7, 1.0)}
    for name, (low, high) in chosen.items():
        candidates = (make_patient(seed, f"hu-{number}", fractured=False) for number in range(400))
        for patient in islice((one for one in candidates if low <= one.osteoporosis <= high), COMPARED):
            one = patient.vertebra("L3")
            grid = Grid.spanning((one.x - 110, one.x + 20), (-45, 45), (one.z - 5, one.z + 5), (1.0, 1.0, 1.0))
            scan = ct.scan(patient, "A", grid, "axial")
            course = course_of(patient, Grid(grid.x, grid.y, np.array([one.z], np.float32)))
            canal, back = float(course.canal[0, 0, 0]), float(course.trend[0, 0, 0])
            found[name].append(mean_around(scan, (one.x + 2, one.y, one.z), 5))
            found["sac"].append(mean_around(scan, (canal - 7.0, one.y, one.z), 2))
            found["back muscle"].append(mean_around(scan, (back - 37, one.y + 27, one.z), 6))
            found["subcutaneous fat"].append(mean_around(scan, (back - SKIN + 7, 0.0, one.z), 3))
            found["air"].append(mean_around(scan, (back - SKIN - 12, 0.0, one.z), 3))
    for name, (low, high) in HU_RANGES.items():
        hu = float(np.mean(found[name]))
        yield Check(f"CT number of {name}", f"{hu:.0f} HU", f"{low:.0f} to {high:.0f}", low <= hu <= high)


def mean_around(scan: Scan, point: tuple[float, float, float], reach: int) -> float:
    """Mean value in a cube around a point of the patient."""
    middle = (round(place) for place in scan.voxel(point))
    cube = tuple(slice(max(0, place - reach), place + reach + 1) for place in middle)
    return float(scan.values[cube].mean())


def repeatability(seed: int) -> Check:
    """The same seed and name give the same bytes of CT, MR and truth; another seed gives others."""
    first, again, other = (digest_of(number) for number in (seed, seed, seed + 1))
    found = first[:12] if first == again else f"{first[:12]} and {again[:12]}"
    return Check("digest of CT and MR made twice", found, "the same, another for another seed", first == again != other)


def digest_of(seed: int) -> str:
    """SHA-256 over CT, MR and their labels of one patient."""
    patient = make_patient(seed, "digest", fractured=True)
    level = patient.levels[-4]
    digest = hashlib.sha256()
    for scan in (ct.around(patient, "B", level), *mr.around(patient, "B", level).values()):
        for part in (scan.values, scan.levels, scan.bodies, scan.lesions):
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def ceiling_checks(seed: int) -> Iterator[Check]:
    """The best possible AUC of each study, simulated from the tables of signs."""
    for found in ceilings(seed):
        wanted = found.question.wanted
        yield Check(
            f"best possible AUC, {found.question.name} (ambiguity {found.question.ambiguity:.2f})",
            f"{found.auc:.3f}",
            f"{wanted:.3f} ± {CEILING_MARGIN}",
            abs(found.auc - wanted) <= CEILING_MARGIN,
        )


def position_alone(seed: int, patients: int = 400) -> Check:
    """Levels told from nothing but where a body lies on its film: must fail, or a network need not look.

    The films are framed as those of S2; half of the patients teach fifteen nearest neighbours, the others are asked.
    """
    from sklearn.neighbors import KNeighborsClassifier

    plan = film_plan("s2", "small")
    spots, levels, owners = [], [], []
    for number in range(patients):
        wanted = plan.positives if number % 2 else plan.negatives
        patient = make_patient(seed, f"position-{number}", fractured=number % 2 == 1, wanted=wanted)
        hold = patient.fracture.level if patient.fracture else "L1"
        view = make_view(
            patient, chance_for(seed, "position", number), plan.framing, pixel=0.42, margin=20.0, hold=hold
        )
        for one in patient.vertebrae:
            row, column = view.spot(one.x, one.z)
            if 0 <= row < view.rows and 0 <= column < view.columns:
                spots.append((row / view.rows, column / view.columns))
                levels.append(one.level)
                owners.append(number)
    first = np.array(owners) < patients // 2
    told = KNeighborsClassifier(15).fit(np.array(spots)[first], np.array(levels)[first])
    right = float(told.score(np.array(spots)[~first], np.array(levels)[~first]))
    wanted_share = f"at most {POSITION_ALONE:.0%}"
    return Check("levels told from the position alone", f"{right:.0%}", wanted_share, right <= POSITION_ALONE)
