"""How well the truthers agree: opinions and grades beyond chance, areas and points as they were compared by case."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from analysis.agreement import CohenKappa, cohen_kappa
from analysis.errors import CannotAnalyse
from readerstudy.reference.matching import KINDS
from readerstudy.reference.models import Opinion
from readerstudy.studies.models import Enrolment, Study

from .comparing import Two, compared_already, opinions_of, pairs_in

VERDICTS = {"positive": 1.0, "negative": 0.0, "undecided": np.nan}


@dataclass(frozen=True)
class Kappa:
    """Either the estimate or the sentence why there is none."""

    found: CohenKappa | None
    refused: str = ""

    @property
    def interval(self) -> tuple[float, float] | None:
        if self.found is None:
            return None
        interval = self.found.confidence_interval()
        return interval.low, interval.high


@dataclass(frozen=True)
class Area:
    """One named area of one case; distances are None where one truther drew nothing, so that there is no surface, and
    where slices lie unevenly."""

    case: str
    name: str
    unit: str
    dice: float
    iou: float
    distance: float | None
    hausdorff: float | None

    @property
    def shown(self) -> str:
        """What has no name goes by its kind."""
        return gettext(KINDS[self.name]) if self.name in KINDS else self.name


@dataclass(frozen=True)
class Points:
    """A mark that both set, and how far apart its points lie on average."""

    case: str
    kind: str
    label: str
    unit: str
    distance: float

    @property
    def name(self) -> str:
        return f"{gettext(KINDS[self.kind])} {self.label}".strip()


@dataclass(frozen=True)
class Agreement:
    first: Enrolment
    second: Enrolment
    cases: int
    verdicts: Kappa
    grades: Kappa
    areas: tuple[Area, ...]
    points: tuple[Points, ...]

    @property
    def mean_dice(self) -> float | None:
        return mean(area.dice for area in self.areas)

    @property
    def mean_iou(self) -> float | None:
        return mean(area.iou for area in self.areas)

    @property
    def in_millimetres(self) -> tuple[Points, ...]:
        return tuple(one for one in self.points if one.unit == "mm")

    @property
    def mean_apart(self) -> float | None:
        return mean(one.distance for one in self.in_millimetres)


def mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None


def agreements_of(study: Study) -> tuple[Agreement, ...]:
    """Of the cases that have been compared; `comparing.waiting_in` says which have not."""
    opinions = opinions_of(study)
    pairs = pairs_in(study, opinions)
    found = compared_already(two for pair in pairs.values() for two in pair)
    return tuple(_agreement(*names, opinions, pair, found) for names, pair in pairs.items())


def _agreement(
    first: Enrolment,
    second: Enrolment,
    opinions: dict[int, dict[int, Opinion]],
    drawn: Sequence[Two],
    found: dict[str, dict[str, Any]],
) -> Agreement:
    ours, theirs = opinions.get(first.pk, {}), opinions.get(second.pk, {})
    common = sorted(ours.keys() & theirs.keys())
    compared = [(two.case.label, found[two.digest]) for two in drawn if two.digest in found]
    return Agreement(
        first,
        second,
        len(common),
        verdicts=kappa([(VERDICTS[ours[pk].verdict], VERDICTS[theirs[pk].verdict]) for pk in common]),
        grades=kappa([(one, other) for _label, case in compared for one, other in case["grades"]], weighted=True),
        areas=tuple(Area(label, **area) for label, case in compared for area in case["areas"]),
        points=tuple(Points(label, **point) for label, case in compared for point in case["points"]),
    )


def kappa(pairs: Sequence[tuple[float, float]], *, weighted: bool = False) -> Kappa:
    if not pairs:
        return Kappa(None, _("Nothing was judged by both."))
    first, second = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    try:
        return Kappa(cohen_kappa(first, second, "quadratic" if weighted else "none"))
    except CannotAnalyse as error:
        return Kappa(None, str(error))
