"""What is written of a case: the columns of manifest, vertebrae and features, and the files beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inference.phantoms.views import Spot

MANIFEST, VERTEBRAE, FEATURES, DIGESTS = "manifest.csv", "vertebrae.csv", "features.csv", "digests.json"
ORACLE = "oracle.csv"
COLUMNS = (
    "case", "patient", "role", "site", "input", "file", "truth", "slice", "row", "column", "height", "width", "mask",
    "levels",
)  # fmt: skip
CORNERS = ("anterior_superior", "posterior_superior", "posterior_inferior", "anterior_inferior")
VERTEBRA_COLUMNS = (
    "case", "level", "fractured", "grade", "kind", "visible",
    *(f"{corner}_{axis}" for corner in CORNERS for axis in ("row", "column")),
    "ha", "hm", "hp",
)  # fmt: skip
Record = Mapping[str, object]


@dataclass(frozen=True)
class Made:
    """Rows and files of one case, files relative to the set's folder.

    ``oracle`` is what the best possible reader answers, who sees every planted sign and knows how often each class
    shows it: the log-odds of the finding. A model that is clearly above it has learnt from a leak.
    """

    rows: tuple[Record, ...]
    vertebrae: tuple[Record, ...] = ()
    files: tuple[str, ...] = ()
    features: tuple[Record, ...] = ()
    oracle: tuple[Record, ...] = ()


def place_fields(middle: Spot, box: tuple[float, float], piece: float | None = None) -> dict[str, object]:
    """Columns of the place of a finding, voxels of the image; ``piece`` is the slice of a volume."""
    return {
        "slice": 0 if piece is None else piece,
        "row": round(middle.row, 1),
        "column": round(middle.column, 1),
        "height": round(box[0], 1),
        "width": round(box[1], 1),
    }
