"""What each of the five studies holds. Numbers that a study must reach stand in `inference.studies.criteria`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from inference.cohorts.cases import BadCohort


@dataclass(frozen=True)
class StudyPlan:
    """One study.

    Attributes
    ----------
    key, title : str
    models : tuple of str
        Names of recipes; the first is the study's own.
    crossvalidated : bool
        Whether every case is answered by a model that was taught without its patient.
    read : str
        Role of the cases that readers read; "" where the study has no readers. The panel has the study's name.
    """

    key: str
    title: str
    models: tuple[str, ...]
    crossvalidated: bool = False
    read: str = ""


PLANS: Mapping[str, StudyPlan] = MappingProxyType(
    {
        plan.key: plan
        for plan in (
            StudyPlan(
                "s0",
                "Fresh vertebral fractures on lateral radiographs: three networks and two surgeons",
                ("s0-mobilenet", "s0-efficientnet", "s0-mnasnet"),
                read="control",
            ),
            StudyPlan(
                "s1",
                "Benign or malignant vertebral fractures on MRI: tenfold cross-validation and three radiologists",
                ("s1-resnet50",),
                crossvalidated=True,
                read="develop",
            ),
            StudyPlan(
                "s2",
                "Osteoporotic fractures and vertebral levels on radiographs: one network for both tasks",
                ("s2-multitask", "s2-single"),
            ),
            StudyPlan(
                "s3",
                "Acute vertebral fractures outlined on radiographs of five hospitals: four networks",
                ("s3-pfnet", "s3-attention-unet", "s3-basic-unet", "s3-segresnet"),
            ),
            StudyPlan(
                "s4",
                "Malignant or osteoporotic vertebral fractures on CT: two rounds of reading, unaided and aided",
                ("s4-25d", "s4-2d", "s4-3d"),
                read="external",
            ),
        )
    }
)


def plan_of(key: str) -> StudyPlan:
    """The study of that name.

    Raises
    ------
    BadCohort
        Where there is none.

    Examples
    --------
    >>> plan_of("s1").models
    ('s1-resnet50',)
    """
    if key not in PLANS:
        raise BadCohort(f"There is no study {key!r}; there are {', '.join(PLANS)}.")
    return PLANS[key]
