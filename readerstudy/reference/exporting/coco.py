"""COCO's JSON. Its coordinates are ours: from the corner of the first pixel."""

import json
from collections.abc import Iterable
from typing import Any

from readerstudy.reference.marks import AREAS, Mark
from readerstudy.reference.measuring import area_of
from readerstudy.reference.morphometry import SIX_POINTS
from readerstudy.reference.runs import decode, encode

from .filling import bounds, corners_of, filled
from .gathering import Drawn

FOUR_CORNERS = ("anterior superior", "posterior superior", "posterior inferior", "anterior inferior")
NAMES = {
    "point": ("point",),
    "line": ("start", "end"),
    "angle": ("first arm", "corner", "second arm"),
    "vertebra": FOUR_CORNERS,
    "morphometry": SIX_POINTS,
}


def coco_json(cases: Iterable[Drawn], title: str) -> str:
    images: dict[tuple[str, int, int], dict[str, Any]] = {}
    categories: dict[tuple[str, str], dict[str, Any]] = {}
    annotations: list[dict[str, Any]] = []
    for case in cases:
        for mark, document in zip(case.marks, case.documents, strict=True):
            image = images.setdefault((case.token, *mark.place), _image(case, mark, len(images) + 1))
            category = categories.setdefault((mark.kind, mark.label), _category(mark, len(categories) + 1))
            common = {"id": len(annotations) + 1, "image_id": image["id"], "category_id": category["id"]}
            annotations.append(common | _annotation(mark, image["height"], image["width"]))
            if document["millimetres"]:
                annotations[-1]["attributes"]["points_mm"] = document["millimetres"]
            if origin := case.origins.get(mark.key):
                annotations[-1]["attributes"] |= {"model": origin.model, "model_verdict": origin.verdict}
    document = {
        "info": {"description": title},
        "images": list(images.values()),
        "categories": list(categories.values()),
        "annotations": annotations,
    }
    return json.dumps(document, ensure_ascii=False)


def _image(case: Drawn, mark: Mark, number: int) -> dict[str, Any]:
    plane = case.picture(mark).plane
    name = f"{case.label}/{case.stacks[mark.series].name}/{mark.slice + 1}"
    return {"id": number, "file_name": name, "width": plane.columns, "height": plane.rows}


def _category(mark: Mark, number: int) -> dict[str, Any]:
    category: dict[str, Any] = {"id": number, "name": mark.label or mark.kind, "supercategory": mark.kind}
    if mark.kind in NAMES:
        names = NAMES[mark.kind]
        closed = mark.kind in ("vertebra", "morphometry")
        joined = [[n + 1, (n + 1) % len(names) + 1] for n in range(len(names) if closed else len(names) - 1)]
        category |= {"keypoints": list(names), "skeleton": joined}
    return category


def _annotation(mark: Mark, rows: int, columns: int) -> dict[str, Any]:
    found: dict[str, Any] = {"iscrowd": 0, "attributes": {"mark": mark.key, "kind": mark.kind}}
    if mark.kind in ("mask", "ellipse"):
        found["segmentation"] = {"size": [rows, columns], "counts": _by_columns(mark, rows, columns)}
    elif mark.kind in AREAS:
        found["segmentation"] = [corners_of(mark).ravel().tolist()]
    if mark.kind in NAMES:
        found |= {"keypoints": [value for point in mark.points for value in (*point, 2)]}
        found |= {"num_keypoints": len(mark.points)}
    left, top, right, bottom = bounds(mark, rows, columns)
    area = area_of(mark)
    return found | {"bbox": [left, top, right - left, bottom - top], "area": 0.0 if area is None else area}


def _by_columns(mark: Mark, rows: int, columns: int) -> list[int]:
    """COCO counts down the columns."""
    mask = decode(mark.runs, rows, columns) if mark.kind == "mask" else filled(mark, rows, columns)
    return list(encode(mask.T))
