"""A synthetic patient: the vertebral column, what is wrong with it, and the truth about its shape.

Everything hangs on sha256(seed, name), so that the film, the CT and the MR of one patient show the same anatomy.
Millimetres; x runs forward, y to the left, z upward. Sizes follow the usual adult ranges (body depth 29–34, width
34–50, height 23–28, disc 5–11); the heights lost follow Genant: grade 1 20–25 %, grade 2 25–40 %, grade 3 over 40 %.
Genant et al., J Bone Miner Res 8:1137–1148, 1993.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.phantoms.fractures import (
    GENANT_LOSS,
    LEVEL_SHARES,
    Fracture,
    Implant,
    Lesion,
    Mimic,
    Wanted,
    make_focus,
    make_fracture,
    make_further,
    make_implants,
    make_mimic,
)

__all__ = [
    "GENANT_LOSS", "LEVELS", "Corners", "Disc", "Fracture", "Heights", "Implant", "Lesion", "Mimic", "Patient",
    "Vertebra", "Wanted", "chance_for", "corners_of", "heights_of", "make_patient",
]  # fmt: skip

LEVELS = ("T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
THORACIC, LUMBAR = ("T8", "T9", "T10", "T11", "T12"), ("L1", "L2", "L3", "L4", "L5")
# Columns with a vertebra more or less; what stands above the sacrum then does not tell the level.
VARIANTS = {
    "usual": THORACIC + LUMBAR,
    "T13": (*THORACIC, "T13", *LUMBAR),
    "L6": (*THORACIC, *LUMBAR, "L6"),
    "four lumbar": THORACIC + LUMBAR[:4],
}
# How far each body leans forward, degrees, from the sacrum up: lordosis below, the beginning of the kyphosis above.
TILTS = (21.0, 10.0, 0.0, -7.0, -9.5, -8.0, -4.5, -0.5, 3.5, 7.0, 9.5)
# Share of the lost height at the upper end-plate: fractures break that one, ordinary hollows lie a little below.
UPPER_BROKEN, UPPER_ORDINARY = 0.78, 0.45
WAIST = 0.07

Floats = NDArray[np.floating]


class Corners(NamedTuple):
    """Corners of a body in its sagittal mid-plane, each (x, y, z) in mm."""

    anterior_superior: tuple[float, float, float]
    posterior_superior: tuple[float, float, float]
    posterior_inferior: tuple[float, float, float]
    anterior_inferior: tuple[float, float, float]


class Heights(NamedTuple):
    """Genant's three heights in the sagittal mid-plane, mm."""

    ha: float
    hm: float
    hp: float


@dataclass(frozen=True)
class Disc:
    """The disc under a body: height (mm) in its middle, water 0…1 (bright on T2), bulge (mm) backwards, gas in it."""

    height: float
    water: float
    bulge: float
    vacuum: bool


@dataclass(frozen=True)
class Vertebra:
    """One body: centre (x, y, z), tilt (degrees), depth, heights, width; ``parallax`` parts its near from its far side.

    ``step`` counts from the sacrum up, 0 the lowest; ``ribs`` says whether it bears a pair; ``upper`` is the share of
    its lost height that the upper end-plate has; ``spurs`` are the osteophytes (mm) at the upper and lower front.
    """

    level: str
    x: float
    z: float
    tilt: float
    depth: float
    posterior: float
    middle: float
    anterior: float
    width: float
    parallax: float
    y: float
    step: int
    ribs: bool
    upper: float
    spurs: tuple[float, float]
    disc: Disc

    @property
    def full(self) -> float:
        """The greatest of the three heights; the centre lies in the middle of it."""
        return max(self.posterior, self.middle, self.anterior)

    def height_at(self, u: Floats | float) -> Floats:
        """Height at the relative depth u (−1 back … 1 front): the parabola through hp, hm and ha."""
        u = np.clip(np.asarray(u), -1.15, 1.15)
        slope = (self.anterior - self.posterior) / 2
        curve = (self.anterior + self.posterior) / 2 - self.middle
        height: Floats = self.middle + slope * u + curve * np.square(u)
        return height

    def endplates(self, u: Floats | float) -> tuple[Floats, Floats]:
        """Upper and lower end-plate over the centre (mm along the body's own axis) at the relative depth u."""
        lost = self.full - self.height_at(u)
        return self.full / 2 - self.upper * lost, -self.full / 2 + (1 - self.upper) * lost

    def local(self, x: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Millimetres forward and upward from the centre, along the axes of the body."""
        c, s = np.float32(np.cos(np.radians(self.tilt))), np.float32(np.sin(np.radians(self.tilt)))
        dx, dz = x - np.float32(self.x), z - np.float32(self.z)
        return dx * c - dz * s, dx * s + dz * c

    def place(self, forward: float, up: float) -> tuple[float, float, float]:
        """The point (x, y, z) that lies so far forward and up from the centre along the axes of the body."""
        c, s = float(np.cos(np.radians(self.tilt))), float(np.sin(np.radians(self.tilt)))
        return self.x + forward * c + up * s, self.y, self.z - forward * s + up * c


@dataclass(frozen=True)
class Patient:
    """Everything the images need. ``osteoporosis`` runs from 0 to 1; ``chance`` seeds what is only texture.

    ``vertebrae`` stand from the sacrum up; ``fractures`` begin with the one the case is about; ``elsewhere`` are
    lesions of other bodies; ``calcium`` 0…1 is that of the aorta; ``variant`` is a key of `VARIANTS`.
    """

    name: str
    age: int
    sex: str
    osteoporosis: float
    thickness: float
    gas: float
    scoliosis: float
    vertebrae: tuple[Vertebra, ...]
    fractures: tuple[Fracture, ...]
    mimic: Mimic | None
    implants: tuple[Implant, ...]
    elsewhere: tuple[tuple[str, Lesion], ...]
    variant: str
    calcium: float
    chance: int

    @property
    def fracture(self) -> Fracture | None:
        """The fracture that the case is about."""
        return self.fractures[0] if self.fractures else None

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the bodies, from above downwards."""
        return VARIANTS[self.variant]

    def vertebra(self, level: str) -> Vertebra:
        """The body of that level."""
        return next(one for one in self.vertebrae if one.level == level)

    def fracture_at(self, level: str) -> Fracture | None:
        """The fracture of that level, if it is broken."""
        return next((fracture for fracture in self.fractures if fracture.level == level), None)

    def change_of(self, level: str) -> Fracture | Mimic | None:
        """What sets this body apart from the others."""
        changes = (*self.fractures, self.mimic)
        return next((change for change in changes if change and change.level == level), None)

    def implants_at(self, level: str) -> tuple[Implant, ...]:
        """What was put into that level."""
        return tuple(implant for implant in self.implants if implant.level == level)


def chance_for(*parts: object) -> np.random.Generator:
    """A generator that hangs on nothing but its parts."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def make_patient(seed: int, name: str, *, fractured: bool, wanted: Wanted | None = None) -> Patient:
    """The patient of that name; the same seed and name give the same patient.

    >>> patient = make_patient(7, "P001", fractured=True, wanted=Wanted(kind="malignant", age="acute"))
    >>> patient.levels[-1], patient.fracture.level, patient.fracture.grade, patient.fracture.kind
    ('L5', 'T12', 2, 'malignant')
    """
    wanted = wanted or Wanted()
    chance = chance_for(seed, name)
    sex = "F" if chance.random() < 0.65 else "M"
    age = int(chance.integers(55, 90))
    osteoporosis = float(
        np.clip(chance.normal(0.45 + (age - 70) * 0.01 + (0.04 if fractured else 0.0), 0.18), 0.05, 0.95)
    )
    rare = str(chance.choice(list(VARIANTS)[1:]))
    variant = rare if chance.random() < wanted.variants else "usual"
    trouble = chance_for(seed, name, "fractures")
    first = make_fracture(trouble, wanted, LEVEL_SHARES) if fractured else None
    fractures = ((first,) if first else ()) + make_further(trouble, first, wanted.several)
    broken = tuple(fracture.level for fracture in fractures)
    mimic = make_mimic(chance_for(seed, name, "mimic"), broken)
    scoliosis = float(chance.uniform(0.0, 0.12))
    sizes = chance_for(seed, name, "column")
    return Patient(
        name=name,
        age=age,
        sex=sex,
        osteoporosis=osteoporosis,
        thickness=float(chance.uniform(250, 350)),
        gas=float(chance.uniform(0.2, 1.0)),
        scoliosis=scoliosis,
        vertebrae=make_column(sizes, age, 0.93 if sex == "F" else 1.04, VARIANTS[variant], scoliosis, fractures, mimic),
        fractures=fractures,
        mimic=mimic,
        implants=make_implants(chance_for(seed, name, "implants"), broken, wanted.implants),
        elsewhere=make_elsewhere(chance_for(seed, name, "elsewhere"), fractures),
        variant=variant,
        calcium=max(0.0, (age - 58) / 30) * float(chance.uniform(0, 1)) ** 1.5,
        chance=int(chance.integers(2**62)),
    )


def make_elsewhere(chance: np.random.Generator, fractures: Sequence[Fracture]) -> tuple[tuple[str, Lesion], ...]:
    """Lesions of two other bodies, where the first fracture shows the sign `other_lesions`."""
    if not fractures or not fractures[0].shows("other_lesions"):
        return ()
    first = LEVELS.index(fractures[0].level)
    near = [LEVELS[place] for place in (first - 2, first - 1, first + 1) if 0 <= place < len(LEVELS) - 1]
    levels = chance.choice(near, size=2, replace=False)
    return tuple((str(level), make_focus(chance, off_midline=False)) for level in levels)


def make_column(
    chance: np.random.Generator,
    age: int,
    scale: float,
    levels: tuple[str, ...],
    scoliosis: float,
    fractures: Sequence[Fracture],
    mimic: Mimic | None,
) -> tuple[Vertebra, ...]:
    """Bodies from the sacrum up, end-plate over end-plate; a wedge tips all above it, less than its angle."""
    posture = Posture.drawn(chance)
    changes: dict[str, Fracture | Mimic] = {change.level: change for change in (*fractures, mimic) if change}
    x, z, kyphosis, lean = 0.0, 0.0, 0.0, 0.0
    bodies: list[Vertebra] = []
    for step, level in enumerate(reversed(levels)):
        size = scale * (1 - 0.022 * step) * float(chance.normal(1, 0.02))
        depth, height = 34.0 * size, 27.5 * size
        change = changes.get(level)
        posterior, middle, anterior = (height * (1 - loss) for loss in body_losses(chance, change))
        upper = UPPER_BROKEN if isinstance(change, Fracture) else UPPER_ORDINARY
        tilt = posture.tilt(step) + kyphosis
        full, front = max(posterior, middle, anterior), (posterior - anterior) / depth
        lost = full - (posterior + anterior) / 2
        disc = make_disc(chance, step, age)
        # The disc stands on the end-plate below it and bears this one's; both slopes count half.
        under_lean = tilt - float(np.degrees(np.arctan((1 - upper) * front)))
        disc = opened(disc, depth, under_lean - lean if bodies else 0.0)
        along = np.radians((lean + under_lean) / 2 if bodies else tilt)
        x, z = x + disc.height * np.sin(along), z + disc.height * np.cos(along)
        own = np.radians(tilt)
        under = full / 2 - (1 - upper) * lost
        x, z = x + under * np.sin(own), z + under * np.cos(own)
        bodies.append(
            Vertebra(
                level=level,
                x=float(x),
                z=float(z),
                tilt=float(tilt),
                depth=depth,
                posterior=posterior,
                middle=middle,
                anterior=anterior,
                width=47.0 * size * float(chance.normal(1, 0.03)),
                # The tube stands over L2–L3: further away, near and far side of a body are seen apart.
                parallax=float(0.018 * (z - 85.0) + posture.turned),
                y=float(55 * scoliosis * np.sin(np.pi * (z - 20) / 170) * posture.side),
                step=step,
                ribs=level.startswith("T"),
                upper=upper,
                spurs=make_spurs(chance, age, change),
                disc=disc,
            )
        )
        over = full / 2 - upper * lost
        x, z = x + over * np.sin(own), z + over * np.cos(own)
        lean = tilt + np.degrees(np.arctan(upper * front))
        kyphosis += float(np.degrees(np.arctan(front))) * 0.4
    return tuple(bodies)


@dataclass(frozen=True)
class Posture:
    """How a back is held: stoop (degrees), sway (share of the lordosis), round back (degrees), turn (mm), side."""

    stoop: float
    round_back: float
    sway: float
    turned: float
    side: float

    @classmethod
    def drawn(cls, chance: np.random.Generator) -> Posture:
        """Round backs are common without a fracture, so that posture alone does not give one away."""
        stoop, round_back, sway, turned = (
            float(chance.normal(mean, deviation)) for mean, deviation in ((0, 5), (2, 5), (0, 0.25), (0, 0.9))
        )
        return cls(stoop, round_back, sway, turned, side=1.0 if chance.random() < 0.5 else -1.0)

    def tilt(self, step: int) -> float:
        return TILTS[step] * (1 + self.sway) + self.stoop + self.round_back * max(0.0, (step - 4) / 3)


def make_disc(chance: np.random.Generator, step: int, age: int) -> Disc:
    """Lower discs are higher; with age they lose water, then height, and some hold gas."""
    worn = float(np.clip(chance.normal(0.35 + (age - 60) / 90 + (0.1 if step < 2 else 0.0), 0.2), 0.0, 1.0))
    ordinary = (10.6 - 0.6 * step) * float(chance.normal(1, 0.08))
    gas, bulge = float(chance.random()), float(chance.uniform(0, 1))
    return Disc(
        height=max(4.2, ordinary * (1 - 0.35 * worn**2)),
        water=1 - worn,
        bulge=3.2 * worn * bulge,
        vacuum=worn > 0.75 and gas < 0.35,
    )


def opened(disc: Disc, depth: float, angle: float) -> Disc:
    """The disc, high enough that end-plates at that angle (degrees) do not meet at its narrow side."""
    needed = 0.48 * depth * float(np.tan(np.radians(abs(angle)))) + 1.2
    return replace(disc, height=max(disc.height, needed))


def make_spurs(chance: np.random.Generator, age: int, change: Fracture | Mimic | None) -> tuple[float, float]:
    """Osteophytes of age at any level; at a broken one as its signs say, no more and no less."""
    upper, lower = chance.uniform(0, 1, 2)
    if isinstance(change, Fracture):
        return (2.0 + 3.5 * float(upper), 1.5 + 3.0 * float(lower)) if change.shows("spurs") else (0.0, 0.0)
    reach = (1.2 + 3.0 * (age - 55) / 35) / 0.55
    return reach * max(0.0, float(upper) - 0.45), reach * max(0.0, float(lower) - 0.45)


def body_losses(chance: np.random.Generator, change: Fracture | Mimic | None) -> tuple[float, float, float]:
    """Relative loss of the posterior, middle and anterior height; some loss is there without a fracture.

    ``change.loss`` is Genant's: of the front or the middle against the height behind, of a crushed body against its
    neighbours.
    """
    ordinary = chance.uniform([0.0, 0.045, 0.0], [0.02, 0.09, 0.07])
    if change is None:
        return float(ordinary[0]), float(ordinary[1]), float(ordinary[2])
    loss = change.loss
    match change.shape:
        case "wedge":
            behind = 0.08 * loss
            return behind, 0.55 * loss, 1 - (1 - behind) * (1 - loss)
        case "worn":
            return 0.0, 0.5 * loss, loss
        case "biconcave":
            behind = 0.08 * loss
            return behind, 1 - (1 - behind) * (1 - loss), 0.35 * loss
        case _:
            return loss, 1 - 0.94 * (1 - loss), 1 - 0.97 * (1 - loss)


def corners_of(vertebra: Vertebra) -> Corners:
    """Truth: where the end-plates meet the front and the back of the body in its mid-plane.

    >>> corners = corners_of(make_patient(7, "P001", fractured=False).vertebra("L3"))
    >>> round(corners.anterior_superior[0] - corners.posterior_superior[0], 1)
    29.5
    """
    half = vertebra.depth / 2
    points = []
    for u, which in ((1.0, 0), (-1.0, 0), (-1.0, 1), (1.0, 1)):
        points.append(vertebra.place(u * half, float(vertebra.endplates(u)[which])))
    return Corners(*points)


def heights_of(vertebra: Vertebra) -> Heights:
    """Truth: anterior, middle and posterior height."""
    return Heights(vertebra.anterior, vertebra.middle, vertebra.posterior)
