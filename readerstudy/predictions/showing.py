"""All that a model said of a case, for the coordinator's viewer."""

from __future__ import annotations

from collections.abc import Callable

from .findings import StoredPlane, findings_in
from .models import RunCase
from .overlays import Addresses, Output, Placed


def shown(row: RunCase, frames: Addresses, plane_url: Callable[[str, int], str]) -> Output:
    """All of a finished prediction.

    Parameters
    ----------
    row : RunCase
    frames : addresses of the case's frames
    plane_url : callable
        Address of a heat map or mask by its kind and its number, from 1.
    """

    def address(kind: str, _plane: StoredPlane, number: int) -> str:
        return plane_url(kind, number)

    said, found = row.prediction, findings_in(row.prediction.findings)
    placed = Placed(frames, address)
    return Output(
        algorithm=str(said.algorithm),
        probability=said.probability,
        operating_point=found.operating_point,
        positive=said.positive,
        abstain=found.abstain,
        uncertain=said.uncertain,
        heatmaps=placed.overlays("heatmap", found),
        masks=placed.overlays("mask", found),
        boxes=placed.boxes(found),
        levels=placed.levels(found),
    )
