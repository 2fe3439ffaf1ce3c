"""What the model found, at the addresses of one reader's page."""

from django.urls import reverse

from readerstudy.predictions.findings import StoredPlane
from readerstudy.predictions.overlays import Addresses, Placed


def placed_for(slot: str, frames: Addresses, *, figures: bool) -> Placed:
    """A reader's overlay has the number of its frame, counted through all series of the case."""

    def address(kind: str, plane: StoredPlane, _number: int) -> str:
        frame = sum(len(before) for before in frames[: plane.series]) + plane.slice + 1
        return reverse(f"reading:{kind}", args=[slot, frame])

    return Placed(frames, address, figures)
