"""What a model found as the viewer draws it: on frames, each named by its address. Free of Django.

The names of the fields are those that the browser reads, on the coordinator's page and on the aided reader's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .findings import Box, Findings, StoredPlane, Vertebra, corners_of_box, corners_of_vertebra

# Of each frame of each series of the case.
Addresses = Sequence[Sequence[str]]
# Of a plane of a kind, by the plane and its number among those of its kind, from 1.
PlaneAddress = Callable[[str, StoredPlane, int], str]


@dataclass(frozen=True)
class Overlay:
    """A heat map or mask that covers one frame; the frame is named by its address."""

    frame: str
    url: str
    storage_key: str


@dataclass(frozen=True)
class Marked:
    """Something found on one frame: its corners as x and y from the corner of the first pixel, clockwise or not."""

    frame: str
    label: str
    points: tuple[tuple[float, float], ...]
    probability: float | None
    positive: bool | None


@dataclass(frozen=True)
class Output:
    """None where it is not shown or the model does not say it; empty where the model marks nothing."""

    algorithm: str
    probability: float | None
    operating_point: float | None
    positive: bool | None
    abstain: tuple[float, float] | None
    uncertain: bool | None
    heatmaps: tuple[Overlay, ...] | None
    masks: tuple[Overlay, ...] | None
    boxes: tuple[Marked, ...] | None
    levels: tuple[Marked, ...] | None

    def to_document(self) -> dict[str, Any]:
        """What goes to the browser."""
        return asdict(self, dict_factory=without_places)


def without_places(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """All but the places of the files in the storage."""
    return {name: value for name, value in pairs if not name.endswith("storage_key")}


@dataclass(frozen=True)
class Placed:
    """Findings on the frames of a case, by the addresses of one page; without figures levels and boxes are names."""

    frames: Addresses
    address: PlaneAddress
    figures: bool = True

    def overlays(self, kind: str, found: Findings) -> tuple[Overlay, ...] | None:
        """The planes of ``heatmap`` or ``mask``."""
        planes = {"heatmap": found.heatmaps, "mask": found.masks}[kind]
        if planes is None:
            return None
        return tuple(
            Overlay(self.frames[plane.series][plane.slice], self.address(kind, plane, number), plane.key)
            for number, plane in enumerate(planes, start=1)
        )

    def boxes(self, found: Findings) -> tuple[Marked, ...] | None:
        return None if found.boxes is None else tuple(map(self._box, found.boxes))

    def levels(self, found: Findings) -> tuple[Marked, ...] | None:
        return None if found.vertebrae is None else tuple(map(self._level, found.vertebrae))

    def _box(self, box: Box) -> Marked:
        probability = box.probability if self.figures else None
        return Marked(self.frames[box.series][box.slice], box.label, corners_of_box(box), probability, None)

    def _level(self, vertebra: Vertebra) -> Marked:
        return Marked(
            frame=self.frames[vertebra.series][vertebra.slice],
            label=vertebra.level,
            points=corners_of_vertebra(vertebra),
            probability=vertebra.probability if self.figures else None,
            positive=vertebra.positive if self.figures else None,
        )
