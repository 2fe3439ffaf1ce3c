"""One row for each mark, as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from .gathering import Drawn

COLUMNS = (
    "case", "truth", "series", "image", "mark", "kind", "label", "points_px", "points_mm", "pixels", "unit", "length",
    "area", "degrees", "height_anterior", "height_middle", "height_posterior", "wedge", "biconcave", "crush", "loss",
    "genant_grade", "genant_kind", "model", "model_verdict",
)  # fmt: skip
# A spreadsheet takes text that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def marks_csv(cases: Iterable[Drawn]) -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    for case in cases:
        for document in case.documents:
            writer.writerow(_row(case, document))
    return target.getvalue()


def _row(case: Drawn, document: Mapping[str, Any]) -> list[object]:
    measure: Mapping[str, Any] = document["measure"]
    six: Mapping[str, Any] = measure["morphometry"] or {}
    heights: Mapping[str, Any] = six.get("heights", {})
    origin = case.origins.get(document["key"])
    return [
        plain(case.label),
        "positive" if case.positive else "negative",
        plain(case.stacks[document["series"]].name),
        document["slice"] + 1,
        document["key"],
        document["kind"],
        plain(document["label"]),
        _points(document["points"]),
        _points(document["millimetres"] or ()),
        sum(document.get("runs", [])[1::2]) or "",
        measure["unit"],
        *(measure[name] for name in ("length", "area", "degrees")),
        *(heights.get(name) for name in ("anterior", "middle", "posterior")),
        *(six.get(name) for name in ("wedge", "biconcave", "crush", "loss", "grade", "kind")),
        *((plain(origin.model), origin.verdict) if origin else ("", "")),
    ]


def plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _points(points: Iterable[Iterable[float]]) -> str:
    """Coordinates apart by spaces, points by semicolons."""
    return "; ".join(" ".join(f"{value:.10g}" for value in point) for point in points)
