"""What a model said of a case as the viewer draws it: the names of its fields are those of the aided reader's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .findings import StoredPlane, corners_of_box, corners_of_vertebra, findings_in
from .models import RunCase

# Of each frame of each series of the case.
Addresses = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Overlay:
    """A heat map or mask that covers one frame; the frame is named by its address."""

    frame: str
    url: str


@dataclass(frozen=True)
class Marked:
    """Something found on one frame: its corners as x and y from the corner of the first pixel."""

    frame: str
    label: str
    points: tuple[tuple[float, float], ...]
    probability: float | None
    positive: bool | None


@dataclass(frozen=True)
class Shown:
    """None where the model does not say it; empty where it marks nothing."""

    algorithm: str
    probability: float | None
    operating_point: float
    positive: bool | None
    abstain: tuple[float, float] | None
    uncertain: bool | None
    heatmaps: tuple[Overlay, ...] | None
    masks: tuple[Overlay, ...] | None
    boxes: tuple[Marked, ...] | None
    levels: tuple[Marked, ...] | None

    def to_document(self) -> dict[str, Any]:
        return asdict(self)


def shown(row: RunCase, frames: Addresses, plane_url: Callable[[str, int], str]) -> Shown:
    """All of a finished prediction.

    Parameters
    ----------
    row : RunCase
    frames : addresses of the case's frames
    plane_url : callable
        Address of a heat map or mask by its kind and its number, from 1.
    """
    said, found = row.prediction, findings_in(row.prediction.findings)

    def overlays(kind: str, planes: tuple[StoredPlane, ...] | None) -> tuple[Overlay, ...] | None:
        if planes is None:
            return None
        return tuple(
            Overlay(frames[plane.series][plane.slice], plane_url(kind, number))
            for number, plane in enumerate(planes, start=1)
        )

    boxes = [
        Marked(frames[one.series][one.slice], one.label, corners_of_box(one), one.probability, None)
        for one in found.boxes or ()
    ]
    levels = [
        Marked(frames[one.series][one.slice], one.level, corners_of_vertebra(one), one.probability, one.positive)
        for one in found.vertebrae or ()
    ]
    return Shown(
        algorithm=str(said.algorithm),
        probability=said.probability,
        operating_point=found.operating_point,
        positive=said.positive,
        abstain=found.abstain,
        uncertain=said.uncertain,
        heatmaps=overlays("heatmap", found.heatmaps),
        masks=overlays("mask", found.masks),
        boxes=None if found.boxes is None else tuple(boxes),
        levels=None if found.vertebrae is None else tuple(levels),
    )
