"""What a model found in a case: checked against the case before it is kept, and read back from the database."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

from inference.declared import document_of, parsed
from inference.prediction import Box, Point, Prediction, Vertebra

LARGEST_SIDE = 4096
# A corner that was fitted at the edge of an image may lie a little beyond it.
BEYOND = 1.0
Shape = tuple[int, int]
# Rows and columns of every frame of every series.
Shapes = Sequence[Sequence[Shape]]


class Unfitting(ValueError):
    """What was found does not fit the case; the text says why."""


@dataclass(frozen=True)
class StoredPlane:
    """A heat map or mask of one slice: places of series and frame, from 0, and of the file in the storage."""

    series: int
    slice: int
    key: str


@dataclass(frozen=True)
class Findings:
    """None where the model has no such output; empty where it marks nothing in this case."""

    operating_point: float
    abstain: tuple[float, float] | None = None
    heatmaps: tuple[StoredPlane, ...] | None = None
    masks: tuple[StoredPlane, ...] | None = None
    vertebrae: tuple[Vertebra, ...] | None = None
    boxes: tuple[Box, ...] | None = None

    def planes(self, kind: str) -> tuple[StoredPlane, ...]:
        return {"heatmap": self.heatmaps, "mask": self.masks}.get(kind) or ()

    def to_document(self) -> dict[str, Any]:
        return dict(document_of(self))


NOTHING = Findings(operating_point=0.5)


def findings_in(document: Mapping[str, Any]) -> Findings:
    return parsed(Findings, document, "findings") if document else NOTHING


def kept(answer: Prediction, shapes: Shapes, keep: Callable[[bytes], str]) -> Findings:
    """The findings of an answer with their planes in the storage; raises Unfitting before anything is stored."""
    planes = {kind: tuple(found or ()) for kind, found in (("heatmaps", answer.heatmaps), ("masks", answer.masks))}
    for plane in (*planes["heatmaps"], *planes["masks"]):
        shape_of(plane.series, plane.slice, shapes)
    check_vertebrae(answer.vertebrae or (), shapes)
    check_boxes(answer.boxes or (), shapes)
    cleaned = {kind: [(plane, clean_png(plane.content)) for plane in found] for kind, found in planes.items()}
    stored = {
        kind: tuple(StoredPlane(plane.series, plane.slice, keep(png)) for plane, png in found)
        for kind, found in cleaned.items()
    }
    return Findings(
        operating_point=answer.operating_point,
        abstain=answer.abstain,
        heatmaps=None if answer.heatmaps is None else stored["heatmaps"],
        masks=None if answer.masks is None else stored["masks"],
        vertebrae=answer.vertebrae,
        boxes=answer.boxes,
    )


def corners_of_box(box: Box) -> tuple[Point, ...]:
    """As x and y from the corner of the first pixel, while a box names the centres of pixels as whole numbers."""
    left, top, right, bottom = box.column, box.row, box.column + box.width, box.row + box.height
    return (left, top), (right, top), (right, bottom), (left, bottom)


def corners_of_vertebra(vertebra: Vertebra) -> tuple[Point, ...]:
    """As x and y from the corner of the first pixel; none where the model gives none."""
    return tuple((column + 0.5, row + 0.5) for row, column in vertebra.corners or ())


def shape_of(series: int, slice: int, shapes: Shapes) -> Shape:
    if series >= len(shapes) or slice >= len(shapes[series]):
        raise Unfitting(f"The case has no image {slice + 1} in a series {series + 1}.")
    return shapes[series][slice]


def check_vertebrae(vertebrae: Iterable[Vertebra], shapes: Shapes) -> None:
    for vertebra in vertebrae:
        shape = shape_of(vertebra.series, vertebra.slice, shapes)
        if vertebra.corners is not None:
            check_points(vertebra.corners, shape, vertebra.level)


def check_boxes(boxes: Iterable[Box], shapes: Shapes) -> None:
    for box in boxes:
        shape = shape_of(box.series, box.slice, shapes)
        last = (box.row + max(box.height - 1, 0.0), box.column + max(box.width - 1, 0.0))
        check_points([(box.row, box.column), last], shape, box.label or "a box")


def check_points(points: Iterable[Point], shape: Shape, what: str) -> None:
    for point in points:
        if not all(-0.5 - BEYOND <= at <= size - 0.5 + BEYOND for at, size in zip(point, shape, strict=True)):
            raise Unfitting(f"A corner of {what} lies outside its image of {shape[0]} × {shape[1]} pixels.")


def clean_png(content: bytes) -> bytes:
    """The same picture in grey and nothing else of the file; refused by its header where it is no such picture."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if max(image.size) > LARGEST_SIDE:
                raise Unfitting(f"A heat map or mask has more than {LARGEST_SIDE} pixels along a side.")
            if image.mode not in ("1", "L"):
                raise Unfitting(f"A heat map or mask is grey, not {image.mode}.")
            grey = image.convert("L")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, Unfitting):
            raise
        raise Unfitting("A heat map or mask is a PNG file that cannot be read.") from error
    target = io.BytesIO()
    Image.frombytes("L", grey.size, grey.tobytes()).save(target, "PNG")
    return target.getvalue()
