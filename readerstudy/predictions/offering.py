"""What a model found as marks that truthers accept, edit or reject."""

import io
from collections.abc import Iterator

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image

from readerstudy.accounts.models import User
from readerstudy.audit.errors import Refused
from readerstudy.reference.actions import offer_marks
from readerstudy.reference.marks import LONGEST_LABEL, Mark
from readerstudy.reference.morphometry import LEVELS
from readerstudy.reference.runs import Mask as Bitmap
from readerstudy.reference.runs import encode, set_pixels

from .findings import Findings, Shape, Shapes, StoredPlane, findings_in, shape_of
from .models import PredictionRun
from .queries import cases_with_pixels, finished_in, shapes_of, storage

# Of a mask all above belongs to the target.
THRESHOLD = 127


@transaction.atomic
def offer(*, run: PredictionRun, by: User) -> int:
    """The marks of every finished case of a run; how many cases have new ones."""
    rows = list(finished_in(run))
    if not rows:
        raise Refused(_("No case of this run is finished; there is nothing to offer."))
    cases = {case.pk: case for case in cases_with_pixels(row.case_id for row in rows)}
    source = str(run.algorithm)[:200]
    offered = [
        offer_marks(
            case=cases[row.case_id],
            source=source,
            source_digest=run.algorithm.digest,
            marks=marks_of(findings_in(row.prediction.findings), shapes_of(cases[row.case_id])),
            by=by,
        )
        for row in rows
    ]
    return sum(proposal is not None for proposal in offered)


def marks_of(findings: Findings, shapes: Shapes) -> list[Mark]:
    """A finding's points are row and column from the centre of the first pixel; a mark's x and y from its corner."""
    found: list[Mark] = [*_vertebrae(findings), *_boxes(findings, shapes), *_masks(findings, shapes)]
    return [Mark(f"m{n}", m.kind, m.series, m.slice, m.label, m.points, m.runs) for n, m in enumerate(found, start=1)]


def _vertebrae(findings: Findings) -> Iterator[Mark]:
    for vertebra in findings.vertebrae or ():
        if vertebra.corners is not None:
            points = tuple((round(column + 0.5, 4), round(row + 0.5, 4)) for row, column in vertebra.corners)
            label = vertebra.level if vertebra.level in LEVELS else ""
            yield Mark("", "vertebra", vertebra.series, vertebra.slice, label, points)


def _boxes(findings: Findings, shapes: Shapes) -> Iterator[Mark]:
    for box in findings.boxes or ():
        rows, columns = shape_of(box.series, box.slice, shapes)
        first = (_within(box.column, columns), _within(box.row, rows))
        last = (_within(box.column + box.width, columns), _within(box.row + box.height, rows))
        yield Mark("", "box", box.series, box.slice, box.label[:LONGEST_LABEL], (first, last))


def _within(value: float, size: int) -> float:
    return round(min(max(value, 0.0), float(size)), 4)


def _masks(findings: Findings, shapes: Shapes) -> Iterator[Mark]:
    taken: set[tuple[int, int]] = set()
    for plane in findings.planes("mask"):
        shape = shape_of(plane.series, plane.slice, shapes)
        runs = encode(_pixels(plane, shape))
        # One mask of a name stands on an image; a model has one target.
        if set_pixels(runs) and (plane.series, plane.slice) not in taken:
            taken.add((plane.series, plane.slice))
            yield Mark("", "mask", plane.series, plane.slice, "", (), runs)


def _pixels(plane: StoredPlane, shape: Shape) -> Bitmap:
    with storage().open(plane.key) as stream, Image.open(io.BytesIO(stream.read()), formats=["PNG"]) as image:
        sized = image.convert("L").resize((shape[1], shape[0]), Image.Resampling.NEAREST)
        grey: Bitmap = np.asarray(sized) > THRESHOLD
    return grey
