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
FilmStudy = Literal["s0", "s2", "s3"]
ScanStudy = Literal["s1", "s4"]
FILM_STUDIES: tuple[FilmStudy, ...] = ("s0", "s2", "s3")
SCAN_STUDIES: tuple[ScanStudy, ...] = ("s1", "s4")
STUDIES = ("s0", "s1", "s2", "s3", "s4")
PRESETS = ("tiny", "ci", "small", "full")


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


@dataclass(frozen=True)
class ScanPlan:
    """A cohort of slices around one broken vertebra.

    Attributes
    ----------
    groups : tuple of Group
    positives, negatives : Wanted
        Of the malignant and of the other fractures.
    prevalence : float
    size, pixel, apart : float
        Field of view, pixel and distance of the slices, mm.
    marked : bool
        Whether the senior's marks of the fifteen signs are written.
    """

    groups: tuple[Group, ...]
    positives: Wanted
    negatives: Wanted
    prevalence: float
    size: float
    pixel: float
    apart: float
    marked: bool


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
PLACES: Mapping[FilmStudy | ScanStudy, tuple[tuple[Role, str], ...]] = MappingProxyType(
    {
        "s0": (*DEVELOP_AND_CONTROL, ("external", "C"), ("external", "D")),
        # The paper had no others; a final model can be asked honestly only about patients who were in no fold.
        "s1": (("develop", "A"), ("control", "A")),
        "s2": (*DEVELOP_AND_CONTROL, ("external", "C")),
        "s3": (*DEVELOP_AND_CONTROL, ("external", "C"), ("external", "D"), ("external", "E")),
        # Two institutions.
        "s4": (("develop", "A"), ("control", "A"), ("external", "B")),
    }
)
# Images by preset, in the order of the places.
COUNTS: Mapping[tuple[FilmStudy | ScanStudy, str], tuple[int, ...]] = MappingProxyType(
    {
        ("s0", "tiny"): (8, 8, 4, 4, 4, 4),
        ("s0", "ci"): (130, 130, 50, 50, 60, 60),
        ("s0", "small"): (280, 280, 70, 70, 100, 100),
        ("s0", "full"): (1435, 1435, 78, 77, 200, 200),
        ("s1", "tiny"): (19, 8),
        ("s1", "ci"): (190, 40),
        ("s1", "small"): (190, 100),
        ("s1", "full"): (190, 100),
        ("s2", "tiny"): (8, 8, 4, 4, 4),
        ("s2", "ci"): (130, 130, 50, 50, 60),
        ("s2", "small"): (280, 280, 70, 70, 200),
        ("s2", "full"): (1036, 1037, 99, 99, 94),
        ("s3", "tiny"): (8, 8, 4, 4, 3, 3, 3),
        ("s3", "ci"): (130, 130, 40, 40, 30, 30, 30),
        ("s3", "small"): (500, 500, 70, 70, 75, 60, 65),
        ("s3", "full"): (536, 535, 229, 229, 301, 223, 261),
        ("s4", "tiny"): (12, 6, 6),
        ("s4", "ci"): (120, 80, 80),
        ("s4", "small"): (200, 180, 200),
        ("s4", "full"): (600, 180, 200),
    }
)
# Films of 2,224 patients made 3,025 in S0; the other studies count patients.
REPEATS: Mapping[FilmStudy, float] = MappingProxyType({"s0": 0.26, "s2": 0.0, "s3": 0.0})
# Appearances from the other class, by age: they set the ceiling that `phantoms check` prints.
AMBIGUITY = 0.08
AMBIGUITY_OF_KIND: Mapping[ScanStudy, float] = MappingProxyType({"s1": 0.02, "s4": 0.06})


def film_plan(study: FilmStudy, preset: str) -> FilmPlan:
    """The cohort of films of S0, S2 or S3."""
    groups = tuple(
        Group(role, site, count, REPEATS[study] if role == "develop" else 0.0)
        for (role, site), count in zip(PLACES[study], COUNTS[study, preset], strict=True)
    )
    scale = 1.0 if preset == "full" else 2.0
    whole = Framing(heights=(185.0, 226.0), slimness=0.52, scale=scale)
    varying = Framing(heights=(165.0, 282.0), slimness=0.56, scale=scale)
    acute = Wanted(age="acute", ambiguity_of_age=AMBIGUITY, several=0.15, implants=0.06, variants=0.08)
    match study:
        case "s0":
            return FilmPlan(groups, is_acute, acute, replace(acute, age="old"), 0.28, whole)
        case "s2":
            mixed = Wanted(acute=0.5, several=0.4, variants=0.16, implants=0.05)
            return FilmPlan(groups, is_broken, mixed, replace(mixed, several=0.0), 0.0, varying, prevalence=0.485)
        case "s3":
            # The paper's controls are healthy. Old fractures among them teach and show what acute ones are not: with a
            # fifth instead of two fifths, acute against old stays below an area of .73.
            scenes = replace(acute, several=0.2, implants=0.12)
            return FilmPlan(groups, is_acute, scenes, replace(scenes, age="old"), 0.4, whole, operation=0.2)


def scan_plan(study: ScanStudy, preset: str) -> ScanPlan:
    """The cohort of slices of S1 or S4; age and level are spread alike over both answers."""
    groups = tuple(
        Group(role, site, count) for (role, site), count in zip(PLACES[study], COUNTS[study, preset], strict=True)
    )
    both = Wanted(acute=0.8, ambiguity_of_kind=AMBIGUITY_OF_KIND[study], variants=0.05, off_midline=study == "s4")
    malignant, benign = replace(both, kind="malignant"), replace(both, kind="osteoporotic")
    if study == "s1":
        pixel = 0.7 if preset == "full" else 1.0
        return ScanPlan(groups, malignant, benign, 50 / 190, size=112.0, pixel=pixel, apart=5.0, marked=True)
    pixel, apart = (1.0, 2.0) if preset == "full" else (2.0, 3.2)
    return ScanPlan(groups, malignant, benign, 0.5, size=104.0, pixel=pixel, apart=apart, marked=False)
