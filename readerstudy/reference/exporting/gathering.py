"""The marks of a version of the standard with the images they lie on, as plain data for every format."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from readerstudy.audit.errors import Refused
from readerstudy.cases.models import Case, Image, Series
from readerstudy.reference.drawn import marks_of, plane_of
from readerstudy.reference.marks import Mark
from readerstudy.reference.measuring import Plane
from readerstudy.reference.models import ProposalDecision, Standard
from readerstudy.reference.queries import annotations_of


@dataclass(frozen=True)
class Picture:
    """One image: its geometry, and what is needed to write its pixels."""

    plane: Plane
    digest: str
    key: str
    samples: int
    bits: int
    inverted: bool
    slope: float
    intercept: float
    window: tuple[float, float]


@dataclass(frozen=True)
class Stack:
    name: str
    modality: str
    token: str
    pictures: tuple[Picture, ...]
    # Its frame of reference among those of the case; 0 where its files do not say.
    reference: int = 0
    # Of a slice, in millimetres; None where the files do not say.
    thickness: float | None = None


@dataclass(frozen=True)
class Origin:
    """The model that had proposed a mark, and whether the truther accepted it as it was or edited it."""

    model: str
    digest: str
    verdict: str

    @property
    def version(self) -> str:
        return self.digest[:12]


@dataclass(frozen=True)
class Drawn:
    """A case with the marks that count; `documents` are the same marks with what the server worked out."""

    label: str
    token: str
    patient: str
    positive: bool
    stacks: tuple[Stack, ...]
    marks: tuple[Mark, ...]
    documents: tuple[dict[str, Any], ...]
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """By the key of the mark; what is not there was drawn by hand."""

    def picture(self, mark: Mark) -> Picture:
        return self.stacks[mark.series].pictures[mark.slice]


def drawn_cases(standard: Standard) -> list[Drawn]:
    truths = dict(standard.truths.filter(unit__isnull=True).values_list("case_id", "positive"))
    found = [
        drawn_case(
            row.case,
            row.annotation.marks,
            positive=truths[row.case_id],
            decisions=row.annotation.decisions.select_related("proposal"),
        )
        for row in annotations_of(standard)
    ]
    if not found:
        raise Refused(_("This version of the standard has no marks."))
    return found


def drawn_case(
    case: Case,
    documents: Iterable[dict[str, Any]],
    *,
    positive: bool,
    decisions: Iterable[ProposalDecision] = (),
) -> Drawn:
    stacks = tuple(stack_of(series) for series in case.series.order_by("position").prefetch_related("images"))
    documents = tuple(documents)
    planes = [[picture.plane for picture in stack.pictures] for stack in stacks]
    marks = marks_of(documents, planes)
    origins = origins_of(marks, decisions)
    return Drawn(case.label, case.token, case.patient, positive, stacks, marks, documents, origins)


def origins_of(marks: Iterable[Mark], decisions: Iterable[ProposalDecision]) -> dict[str, Origin]:
    decided = {decision.key: decision for decision in decisions}
    found = ((mark.key, decided.get(mark.proposed)) for mark in marks if mark.proposed)
    return {
        key: Origin(decision.proposal.source, decision.proposal.source_digest, decision.verdict)
        for key, decision in found
        if decision is not None
    }


def stack_of(series: Series) -> Stack:
    name = series.label or f"series-{series.position}"
    pictures = tuple(picture_of(image) for image in series.images.all())
    return Stack(name, series.modality, series.token, pictures, series.frame_of_reference, series.slice_thickness)


def picture_of(image: Image) -> Picture:
    return Picture(
        plane=plane_of(image),
        digest=image.frame_digest,
        key=image.frame_key,
        samples=image.samples,
        bits=image.bits,
        inverted=image.inverted,
        slope=image.slope,
        intercept=image.intercept,
        window=(image.window_center, image.window_width),
    )
