"""What the cohort of each study holds: groups of patients by role, site and answer, and how they are imaged.

Numbers of the preset ``full`` follow the papers where these give them; ``small`` is for two processor cores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from inference.phantoms.fractures import Fracture, Wanted
from inference.phantoms.views import Framing

Role = Literal["develop", "control", "external"]
Study = Literal["s0", "s2", "s3"]
STUDIES: tuple[Study, ...] = ("s0", "s2", "s3")
PRESETS = ("ci", "small", "full")


@dataclass(frozen=True)
class Group:
    """Patients of one role at one site; ``count`` of images, ``repeats`` the share of them that repeat a patient."""

    role: Role
    site: str
    count: int
    repeats: float = 0.0


@dataclass(frozen=True)
class FilmPlan:
    """A cohort of lateral films.

    Attributes
    ----------
    groups : tuple of Group
    positive : function of a Fracture
        Which fractures the study looks for; the case is positive when its film shows one.
    positives, negatives : Wanted
        Of the patients with such a fracture and of the others.
    broken : float
        Share of the others with a fracture that is not looked for.
    framing : Framing
    operation : float
        Share of round images from the operating theatre, alike with and without the finding.
    prevalence : float
    """

    groups: tuple[Group, ...]
    positive: Callable[[Fracture], bool]
    positives: Wanted
    negatives: Wanted
    broken: float
    framing: Framing
    operation: float = 0.0
    prevalence: float = 0.5


def is_acute(fracture: Fracture) -> bool:
    return fracture.age == "acute"


def is_broken(_: Fracture) -> bool:
    return True


DEVELOP_AND_CONTROL: tuple[tuple[Role, str], ...] = (
    ("develop", "A"),
    ("develop", "B"),
    ("control", "A"),
    ("control", "B"),
)
PLACES: Mapping[Study, tuple[tuple[Role, str], ...]] = MappingProxyType(
    {
        "s0": (*DEVELOP_AND_CONTROL, ("external", "C"), ("external", "D")),
        "s2": (*DEVELOP_AND_CONTROL, ("external", "C")),
        "s3": (*DEVELOP_AND_CONTROL, ("external", "C"), ("external", "D"), ("external", "E")),
    }
)
# Images by preset, in the order of the places.
COUNTS: Mapping[tuple[Study, str], tuple[int, ...]] = MappingProxyType(
    {
        ("s0", "ci"): (130, 130, 50, 50, 60, 60),
        ("s0", "small"): (280, 280, 70, 70, 100, 100),
        ("s0", "full"): (1435, 1435, 78, 77, 200, 200),
        ("s2", "ci"): (130, 130, 50, 50, 60),
        ("s2", "small"): (280, 280, 70, 70, 200),
        ("s2", "full"): (1036, 1037, 99, 99, 94),
        ("s3", "ci"): (130, 130, 40, 40, 30, 30, 30),
        ("s3", "small"): (280, 280, 70, 70, 75, 60, 65),
        ("s3", "full"): (536, 535, 229, 229, 301, 223, 261),
    }
)
# Films of 2,224 patients made 3,025 in S0; the other studies count patients.
REPEATS: Mapping[Study, float] = MappingProxyType({"s0": 0.26, "s2": 0.0, "s3": 0.0})
# Appearances from the other class, by age: they set the ceiling that `phantoms check` prints.
AMBIGUITY = 0.08


def film_plan(study: Study, preset: str) -> FilmPlan:
    """The cohort of films of S0, S2 or S3."""
    groups = tuple(
        Group(role, site, count, REPEATS[study] if role == "develop" else 0.0)
        for (role, site), count in zip(PLACES[study], COUNTS[study, preset], strict=True)
    )
    scale = 1.0 if preset == "full" else 2.0
    whole = Framing(heights=(238.0, 290.0), slimness=0.52, scale=scale)
    varying = Framing(heights=(165.0, 282.0), slimness=0.56, scale=scale)
    acute = Wanted(age="acute", ambiguity_of_age=AMBIGUITY, several=0.25, implants=0.06, variants=0.08)
    match study:
        case "s0":
            return FilmPlan(groups, is_acute, acute, replace(acute, age="old"), 0.5, whole)
        case "s2":
            mixed = Wanted(acute=0.5, several=0.4, variants=0.16, implants=0.05)
            return FilmPlan(groups, is_broken, mixed, mixed, 0.0, varying, prevalence=0.485)
        case "s3":
            scenes = replace(acute, several=0.35, implants=0.12)
            return FilmPlan(groups, is_acute, scenes, replace(scenes, age="old"), 0.5, whole, operation=0.2)
        case _:
            raise ValueError(f"{study} has no films.")
