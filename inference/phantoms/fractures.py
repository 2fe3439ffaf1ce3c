"""What can be wrong with a vertebra: fractures with all that they show, mimics, cement and screws.

A fracture has a true age and kind and an *appearance*: with the probability `ambiguity` the appearance is drawn from
the other class, which sets a known ceiling for every reader and model (`ceilings`). What is drawn into images hangs on
the truth through `signs` alone; places and sizes are drawn alike for all classes.
Heights lost: Genant et al., J Bone Miner Res 8:1137–1148, 1993.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from inference.phantoms.features import draw_signs

Age = Literal["acute", "old"]
Kind = Literal["osteoporotic", "malignant"]

GENANT_LOSS = {1: (0.20, 0.25), 2: (0.25, 0.40), 3: (0.40, 0.58)}
GRADE_SHARES = {1: 0.25, 2: 0.45, 3: 0.30}
SHAPE_SHARES = {"wedge": 0.6, "biconcave": 0.25, "crush": 0.15}
LEVEL_SHARES = {"T11": 0.12, "T12": 0.27, "L1": 0.30, "L2": 0.14, "L3": 0.10, "L4": 0.07}
OTHER_AGE: Mapping[Age, Age] = {"acute": "old", "old": "acute"}
OTHER_KIND: Mapping[Kind, Kind] = {"malignant": "osteoporotic", "osteoporotic": "malignant"}
# Signs that need a focus where marrow is replaced.
OF_A_LESION = frozenset(
    {"complete_replacement", "cortical_destruction", "posterior_element", "paraspinal_mass", "epidural_mass"}
)


@dataclass(frozen=True)
class Lesion:
    """A focus in a body. Relative to the body's half depth, half width, half height: ``along`` (forward), ``across``
    (left, −1…1), ``up``; ``radius`` in mm."""

    along: float
    across: float
    up: float
    radius: float

    @property
    def side(self) -> float:
        return 1.0 if self.across >= 0 else -1.0


@dataclass(frozen=True)
class Fracture:
    """One compression fracture: the truth (``age``, ``kind``), what it looks like, and by which signs.

    ``loss`` of height is relative (Genant's bands); ``impaction`` is the strength 0…1 of the dense band, 0 where there
    is none; ``signs`` are names in the table `kind` of `features`, ``freshness`` names in its table `age`;
    ``step`` (mm) is how far the anterior-superior cortex stands out, ``extent`` (0…1) how much of the body the oedema
    takes, ``focus`` where a lesion lies if there is one.
    """

    level: str
    grade: int
    shape: str
    loss: float
    impaction: float
    age: Age
    kind: Kind
    drawn_age: Age
    drawn_kind: Kind
    signs: frozenset[str]
    freshness: frozenset[str]
    step: float
    extent: float
    focus: Lesion

    def shows(self, sign: str) -> bool:
        """Whether the sign of that name is drawn."""
        return sign in self.signs or sign in self.freshness

    @property
    def lesion(self) -> Lesion | None:
        """The focus of replaced marrow, where the appearance has one."""
        return self.focus if self.signs & OF_A_LESION else None

    @property
    def convex_posterior_wall(self) -> bool:
        return "convex_posterior_border" in self.signs

    @property
    def pedicle(self) -> bool:
        return "posterior_element" in self.signs

    @property
    def paraspinal_mass(self) -> bool:
        return "paraspinal_mass" in self.signs

    @property
    def cortical_destruction(self) -> bool:
        return "cortical_destruction" in self.signs


@dataclass(frozen=True)
class Mimic:
    """What is no fracture and may be taken for one: a body of short front by birth, or a worn, dense endplate."""

    level: str
    shape: str
    loss: float
    impaction: float


@dataclass(frozen=True)
class Implant:
    """Cement in a body, or a pair of pedicle screws with their piece of rod. ``amount`` 0…1; ``across`` −1…1."""

    kind: Literal["cement", "screws"]
    level: str
    amount: float
    across: float


@dataclass(frozen=True)
class Wanted:
    """What a cohort asks of its patients; None leaves it to chance.

    ``age``, ``kind``, ``grade``, ``level``: of the fracture that the case is about.
    ``acute``: share of fresh fractures where ``age`` is None; ``malignant``: share where ``kind`` is None.
    ``several``: chance of further, old fractures; ``variants``: share of columns with a vertebra more or less;
    ``implants``: share of patients with cement or screws; ``ambiguity``: share of appearances from the other class,
    by age and by kind; ``off_midline``: lesions at 0.5–0.85 of the half width, hardly met by the middle slice.
    """

    age: Age | None = None
    kind: Kind | None = "osteoporotic"
    grade: int | None = None
    level: str | None = None
    acute: float = 0.6
    malignant: float = 0.3
    several: float = 0.0
    variants: float = 0.0
    implants: float = 0.0
    ambiguity_of_age: float = 0.0
    ambiguity_of_kind: float = 0.0
    off_midline: bool = False


def pick(chance: np.random.Generator, shares: Mapping[str, float]) -> str:
    return str(chance.choice(list(shares), p=list(shares.values())))


def make_fracture(chance: np.random.Generator, wanted: Wanted, levels: Mapping[str, float]) -> Fracture:
    """Every number is drawn whether it is used or not, so that asking for one thing changes no other."""
    age: Age = "acute" if chance.random() < wanted.acute else "old"
    kind: Kind = "malignant" if chance.random() < wanted.malignant else "osteoporotic"
    age, kind = wanted.age or age, wanted.kind or kind
    grade = int(chance.choice(list(GRADE_SHARES), p=list(GRADE_SHARES.values())))
    grade = wanted.grade or grade
    level = pick(chance, levels)
    shape = pick(chance, SHAPE_SHARES)
    loss = float(chance.uniform(*GENANT_LOSS[grade]))
    drawn_age = OTHER_AGE[age] if chance.random() < wanted.ambiguity_of_age else age
    drawn_kind = OTHER_KIND[kind] if chance.random() < wanted.ambiguity_of_kind else kind
    freshness = draw_signs(chance, "age", drawn_age)
    band = float(chance.uniform(0.45, 1.0))
    return Fracture(
        level=wanted.level or level,
        grade=grade,
        shape=shape,
        loss=loss,
        impaction=band if "impaction" in freshness else 0.0,
        age=age,
        kind=kind,
        drawn_age=drawn_age,
        drawn_kind=drawn_kind,
        freshness=freshness,
        step=float(chance.uniform(1.2, 3.2)),
        extent=float(chance.uniform(0.45, 1.0)),
        focus=make_focus(chance, off_midline=wanted.off_midline),
        signs=draw_signs(chance, "kind", "malignant" if drawn_kind == "malignant" else "benign"),
    )


def make_focus(chance: np.random.Generator, *, off_midline: bool) -> Lesion:
    side = 1.0 if chance.random() < 0.5 else -1.0
    middle, aside = float(chance.uniform(0.0, 0.45)), float(chance.uniform(0.5, 0.85))
    return Lesion(
        along=float(chance.uniform(-0.55, 0.25)),
        across=side * (aside if off_midline else middle),
        up=float(chance.uniform(-0.35, 0.35)),
        radius=float(chance.uniform(7.0, 10.0)),
    )


def make_mimic(chance: np.random.Generator, broken: tuple[str, ...]) -> Mimic | None:
    """In six of ten patients, at a level that is not broken."""
    there = chance.random() < 0.6
    level = str(chance.choice([level for level in LEVEL_SHARES if level not in broken]))
    worn = chance.random() < 0.4
    loss, impaction = float(chance.uniform(0.09, 0.19)), float(chance.uniform(0.2, 0.8))
    if not there:
        return None
    return Mimic(level, "worn" if worn else "wedge", 0.06 if worn else loss, impaction if worn else 0.0)


def make_further(chance: np.random.Generator, first: Fracture | None, several: float) -> tuple[Fracture, ...]:
    """Old osteoporotic fractures of other levels: one with the chance ``several``, a second with its square."""
    taken = {first.level} if first else set()
    further: list[Fracture] = []
    count = int(chance.random() < several) * (1 + int(chance.random() < several))
    for _ in range(count):
        free = {level: share for level, share in LEVEL_SHARES.items() if level not in taken}
        total = sum(free.values())
        shares = {level: share / total for level, share in free.items()}
        further.append(make_fracture(chance, Wanted(age="old", kind="osteoporotic"), shares))
        taken.add(further[-1].level)
    return tuple(further)


def make_implants(chance: np.random.Generator, broken: tuple[str, ...], share: float) -> tuple[Implant, ...]:
    """Cement in a body, or screws in two neighbours; away from the broken levels, as after an earlier operation."""
    there, cement = chance.random() < share, chance.random() < 0.6
    names = list(LEVEL_SHARES)
    free = [index for index in range(len(names) - 1) if not {names[index], names[index + 1]} & set(broken)]
    amount, across = float(chance.uniform(0.3, 1.0)), float(chance.uniform(-0.4, 0.4))
    place = int(chance.choice(free)) if free else -1
    if not there or place < 0:
        return ()
    if cement:
        return (Implant("cement", names[place], amount, across),)
    return tuple(Implant("screws", names[place + step], amount, 0.0) for step in (0, 1))
