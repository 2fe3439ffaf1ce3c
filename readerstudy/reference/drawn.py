"""What was drawn, out of the database: planes of a case, marks of an opinion, what the page of a truther gets."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from django.utils.crypto import salted_hmac

from readerstudy.cases.geometry import Geometry
from readerstudy.cases.models import Case, Image, Series
from readerstudy.studies.models import Enrolment

from .marks import Mark, Shapes, marks_in
from .matching import compared
from .measuring import Plane, Planes, in_patient, measures_of
from .models import Annotation, AnnotationDraft, Opinion, Proposal

# What the server adds to the marks it keeps.
WORKED_OUT = ("millimetres", "measure")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Other:
    """Another truther's work as the adjudicator sees it: by a letter, not by name or seniority."""

    name: str
    verdict: str
    note: str
    marks: list[dict[str, Any]]


@dataclass(frozen=True)
class Desk:
    """All that the page of one truther and one case begins with."""

    keep: str
    """Under what the browser keeps this person's steps of undo; it tells nobody who that is."""
    revision: int
    work: dict[str, Any]
    proposal: dict[str, Any] | None
    others: list[Other]
    differences: list[str]

    def to_document(self) -> dict[str, Any]:
        return asdict(self)


def planes_of(case: Case) -> tuple[tuple[Plane, ...], ...]:
    """In the order in which the viewer has the series of a case and their frames."""
    series = Series.objects.filter(case=case).order_by("position").prefetch_related("images")
    return tuple(tuple(plane_of(image) for image in one.images.all()) for one in series)


def plane_of(image: Image) -> Plane:
    geometry = Geometry(
        position=tuple(image.origin) if image.origin else None,
        orientation=tuple(image.orientation) if image.orientation else None,
        spacing=tuple(image.spacing) if image.spacing else None,
        calibrated=image.calibrated,
    )
    return Plane(image.rows, image.columns, geometry)


def shapes_of(planes: Planes) -> Shapes:
    return [[(plane.rows, plane.columns) for plane in series] for series in planes]


def documents_of(marks: Iterable[Mark], planes: Planes) -> list[dict[str, Any]]:
    """The marks with what the server worked out, as they are kept."""
    marks = list(marks)
    measures = measures_of(marks, planes)
    return [
        mark.to_document()
        | {"millimetres": places and [list(place) for place in places], "measure": asdict(measures[mark.key])}
        for mark, places in ((mark, in_patient(mark, planes)) for mark in marks)
    ]


def marks_of(documents: Iterable[dict[str, Any]], planes: Planes) -> tuple[Mark, ...]:
    """What is kept, read by the same rules as what comes in."""
    plain = [{name: value for name, value in entry.items() if name not in WORKED_OUT} for entry in documents]
    return marks_in(plain, shapes_of(planes))


def proposal_for(case: Case) -> Proposal | None:
    return Proposal.objects.filter(case=case).order_by("-pk").first()


def annotation_of(opinion: Opinion) -> Annotation | None:
    return Annotation.objects.filter(opinion=opinion).first()


def differences_in(opinions: Iterable[Opinion], names: Mapping[int, str] | None = None) -> dict[int, tuple[str, ...]]:
    """By case, where two opinions come with marks that differ; cases that nobody drew in are left out.

    Truthers go by the names under their primary keys; without names by letters.
    """
    by_case: dict[int, list[Opinion]] = defaultdict(list)
    for opinion in opinions:
        by_case[opinion.case_id].append(opinion)
    several = {pk: given for pk, given in by_case.items() if len(given) > 1}
    drawn = Annotation.objects.filter(opinion__in=[opinion for given in several.values() for opinion in given])
    marks = dict(drawn.values_list("opinion_id", "marks"))
    found: dict[int, tuple[str, ...]] = {}
    for pk, given in several.items():
        given = sorted(given, key=lambda opinion: opinion.truther_id)
        works = [marks.get(opinion.pk, []) for opinion in given]
        if any(works):
            called = [names[opinion.truther_id] for opinion in given] if names else list(LETTERS)
            found[pk] = _differences(works, called, planes_of(given[0].case))
    return {pk: sentences for pk, sentences in found.items() if sentences}


def _differences(works: list[list[dict[str, Any]]], names: Iterable[str], planes: Planes) -> tuple[str, ...]:
    read = [(name, marks_of(work, planes)) for name, work in zip(names, works, strict=False)]
    return tuple(
        difference.sentence
        for (a, first), (b, second) in combinations(read, 2)
        for difference in compared(first, second, planes, (a, b)).differences
    )


def desk_of(truther: Enrolment, case: Case, own: Opinion | None, others: Iterable[Opinion]) -> Desk:
    """`others` is empty for everybody but the adjudicator."""
    others = list(others)
    draft = AnnotationDraft.objects.filter(truther=truther, case=case).first()
    proposal = proposal_for(case)
    return Desk(
        keep=f"{salted_hmac('reference.desk', truther.token).hexdigest()[:16]}:{case.token}",
        revision=draft.revision if draft else 0,
        work=draft.work if draft else _work_of(own),
        proposal=None if proposal is None else {"source": proposal.source, "marks": proposal.marks},
        others=[
            Other(letter, opinion.verdict, opinion.note, _marks(opinion))
            for letter, opinion in zip(LETTERS, others, strict=False)
        ],
        differences=list(differences_in(others).get(case.pk, ())),
    )


def _work_of(own: Opinion | None) -> dict[str, Any]:
    """Who comes back to a case goes on from the opinion that stands."""
    if own is None:
        return {"marks": [], "rejected": [], "verdict": "", "note": "", "place": None}
    decided = Annotation.objects.filter(opinion=own).values_list("decisions__key", "decisions__verdict")
    rejected = [key for key, verdict in decided if verdict == "rejected"]
    return {"marks": _marks(own), "rejected": rejected, "verdict": own.verdict, "note": own.note, "place": None}


def _marks(opinion: Opinion) -> list[dict[str, Any]]:
    annotation = annotation_of(opinion)
    kept: list[dict[str, Any]] = annotation.marks if annotation else []
    return [{name: value for name, value in entry.items() if name not in WORKED_OUT} for entry in kept]
