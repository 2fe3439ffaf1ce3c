"""What the model found, in the addresses and coordinates of one reader's page."""

from dataclasses import dataclass

from django.urls import reverse

from readerstudy.predictions.findings import Box, StoredPlane, Vertebra, corners_of_box, corners_of_vertebra

from . import sight


@dataclass(frozen=True)
class Placed:
    """Findings on the frames of a case as this reader's addresses name them."""

    slot: str
    frames: tuple[tuple[str, ...], ...]
    figures: bool

    def frame(self, series: int, slice: int) -> str:
        return self.frames[series][slice]

    def number(self, series: int, slice: int) -> int:
        """Of the frame, counted through all series of the case."""
        return sum(len(before) for before in self.frames[:series]) + slice + 1

    def overlays(self, kind: str, planes: tuple[StoredPlane, ...] | None) -> tuple[sight.Overlay, ...] | None:
        if planes is None:
            return None
        return tuple(
            sight.Overlay(
                frame=self.frame(plane.series, plane.slice),
                url=reverse(f"reading:{kind}", args=[self.slot, self.number(plane.series, plane.slice)]),
                storage_key=plane.key,
            )
            for plane in planes
        )

    def boxes(self, boxes: tuple[Box, ...] | None) -> tuple[sight.Marked, ...] | None:
        return None if boxes is None else tuple(self.marked_box(box) for box in boxes)

    def marked_box(self, box: Box) -> sight.Marked:
        probability = box.probability if self.figures else None
        return sight.Marked(self.frame(box.series, box.slice), box.label, corners_of_box(box), probability, None)

    def levels(self, vertebrae: tuple[Vertebra, ...] | None) -> tuple[sight.Marked, ...] | None:
        return None if vertebrae is None else tuple(self.marked_level(vertebra) for vertebra in vertebrae)

    def marked_level(self, vertebra: Vertebra) -> sight.Marked:
        return sight.Marked(
            frame=self.frame(vertebra.series, vertebra.slice),
            label=vertebra.level,
            points=corners_of_vertebra(vertebra),
            probability=vertebra.probability if self.figures else None,
            positive=vertebra.positive if self.figures else None,
        )
