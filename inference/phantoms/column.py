"""A synthetic patient: the vertebral column in the sagittal plane, and at most one compression fracture.

Lengths are millimetres. Sizes follow the usual adult ranges (body depth 29–34, height 23–28, disc 5–11); the fracture's
height loss follows Genant: grade 1 20–25 %, grade 2 25–40 %, grade 3 over 40 %.
Genant et al., J Bone Miner Res 8:1137–1148, 1993.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

LEVELS = ("T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
GENANT_LOSS = {1: (0.20, 0.25), 2: (0.25, 0.40), 3: (0.40, 0.58)}
GRADE_SHARES = {1: 0.25, 2: 0.45, 3: 0.30}
SHAPE_SHARES = {"wedge": 0.6, "biconcave": 0.25, "crush": 0.15}
LEVEL_SHARES = {"T11": 0.12, "T12": 0.27, "L1": 0.30, "L2": 0.14, "L3": 0.10, "L4": 0.07}
# How far each body leans forward, degrees: lordosis below, the beginning of the kyphosis above.
TILTS = dict(zip(LEVELS, (7.0, 3.5, -0.5, -4.5, -8.0, -9.5, -7.0, 0.0, 10.0, 21.0), strict=True))


@dataclass(frozen=True)
class Fracture:
    level: str
    grade: int
    shape: str
    loss: float
    impaction: float


@dataclass(frozen=True)
class Mimic:
    """What is no fracture and may be taken for one: a body of short front by birth, or a worn, dense endplate."""

    level: str
    shape: str
    loss: float
    impaction: float


@dataclass(frozen=True)
class Vertebra:
    """One body: centre, tilt (degrees), depth, heights, width; ``parallax`` parts its near from its far side."""

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


@dataclass(frozen=True)
class Patient:
    """Everything the film needs. ``osteoporosis`` runs from 0 to 1; ``chance`` seeds what is only texture."""

    name: str
    age: int
    sex: str
    osteoporosis: float
    thickness: float
    gas: float
    scoliosis: float
    vertebrae: tuple[Vertebra, ...]
    fracture: Fracture | None
    mimic: Mimic | None
    chance: int

    def change_of(self, level: str) -> Fracture | Mimic | None:
        """What sets this body apart from the others."""
        return next((change for change in (self.fracture, self.mimic) if change and change.level == level), None)


def chance_for(*parts: object) -> np.random.Generator:
    """A generator that hangs on nothing but its parts."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def make_patient(seed: int, name: str, *, fractured: bool) -> Patient:
    """The patient of that name; the same seed and name give the same patient."""
    chance = chance_for(seed, name)
    sex = "F" if chance.random() < 0.65 else "M"
    age = int(chance.integers(55, 90))
    osteoporosis = float(
        np.clip(chance.normal(0.45 + (age - 70) * 0.01 + (0.04 if fractured else 0.0), 0.18), 0.05, 0.95)
    )
    fracture = make_fracture(chance) if fractured else None
    mimic = make_mimic(chance, fracture)
    return Patient(
        name=name,
        age=age,
        sex=sex,
        osteoporosis=osteoporosis,
        thickness=float(chance.uniform(250, 350)),
        gas=float(chance.uniform(0.2, 1.0)),
        scoliosis=float(chance.uniform(0.0, 0.12)),
        vertebrae=make_column(chance, 0.93 if sex == "F" else 1.04, fracture, mimic),
        fracture=fracture,
        mimic=mimic,
        chance=int(chance.integers(2**62)),
    )


def make_fracture(chance: np.random.Generator) -> Fracture:
    grade = int(chance.choice(list(GRADE_SHARES), p=list(GRADE_SHARES.values())))
    return Fracture(
        level=str(chance.choice(list(LEVEL_SHARES), p=list(LEVEL_SHARES.values()))),
        grade=grade,
        shape=str(chance.choice(list(SHAPE_SHARES), p=list(SHAPE_SHARES.values()))),
        loss=float(chance.uniform(*GENANT_LOSS[grade])),
        # Four of ten fractures are old: their heights are lost, their band is gone.
        impaction=float(chance.uniform(0.3, 1.0)) if chance.random() < 0.6 else 0.0,
    )


def make_mimic(chance: np.random.Generator, fracture: Fracture | None) -> Mimic | None:
    """In six of ten patients, at another level than the fracture's."""
    there = chance.random() < 0.6
    level = str(chance.choice([level for level in LEVEL_SHARES if fracture is None or level != fracture.level]))
    worn = chance.random() < 0.4
    loss, impaction = float(chance.uniform(0.09, 0.19)), float(chance.uniform(0.2, 0.8))
    if not there:
        return None
    return Mimic(level, "worn" if worn else "wedge", 0.06 if worn else loss, impaction if worn else 0.0)


def make_column(chance: np.random.Generator, scale: float, *changes: Fracture | Mimic | None) -> tuple[Vertebra, ...]:
    """Bodies from below upwards; a wedge tips what is above it forward, by less than its angle, for discs make up."""
    stoop = float(chance.normal(0, 5))
    # Round backs are common without a fracture, so that posture alone does not give one away.
    round_back = float(chance.normal(2, 5))
    sway = float(chance.normal(0, 0.25))
    turned = float(chance.normal(0, 0.9))
    x, z, kyphosis = 0.0, 0.0, 0.0
    bodies: list[Vertebra] = []
    for step, level in enumerate(reversed(LEVELS)):
        size = scale * (1 - 0.022 * step) * float(chance.normal(1, 0.02))
        height = 27.5 * size
        disc = (10.0 - 0.65 * step) * float(chance.normal(1, 0.08))
        losses = body_losses(chance, next((change for change in changes if change and change.level == level), None))
        posterior, middle, anterior = (height * (1 - loss) for loss in losses)
        tilt = TILTS[level] * (1 + sway) + stoop + kyphosis + round_back * max(0.0, (step - 4) / 3)
        kyphosis += float(np.degrees(np.arctan2(posterior - anterior, 34 * size))) * 0.25
        lean = np.radians(tilt)
        mean_height = (posterior + anterior) / 2
        z += mean_height / 2 * np.cos(lean)
        x += mean_height / 2 * np.sin(lean)
        bodies.append(
            Vertebra(
                level=level,
                x=x,
                z=z,
                tilt=tilt,
                depth=34.0 * size,
                posterior=posterior,
                middle=middle,
                anterior=anterior,
                width=47.0 * size * float(chance.normal(1, 0.03)),
                # The tube stands over L2–L3: further away, near and far side of a body are seen apart.
                parallax=0.018 * (z - 85.0) + turned,
            )
        )
        z += (mean_height / 2 + disc) * np.cos(lean)
        x += (mean_height / 2 + disc) * np.sin(lean)
    return tuple(bodies)


def body_losses(chance: np.random.Generator, change: Fracture | Mimic | None) -> tuple[float, float, float]:
    """Relative loss of the posterior, middle and anterior height; some loss is there without a fracture."""
    ordinary = chance.uniform(0.0, [0.04, 0.08, 0.09])
    if change is None:
        return float(ordinary[0]), float(ordinary[1]), float(ordinary[2])
    loss = change.loss
    match change.shape:
        case "wedge":
            return 0.10 * loss, 0.55 * loss, loss
        case "worn":
            return 0.0, 0.5 * loss, loss
        case "biconcave":
            return 0.12 * loss, loss, 0.35 * loss
        case _:
            return 0.85 * loss, loss, 0.95 * loss
