"""The files in which the marks of a version of the standard leave the site."""

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.reference.models import Standard

from .coco import coco_json
from .gathering import Drawn, drawn_cases
from .pictures import header_of, with_pixels
from .report import report_of
from .segmentation import Segmented, segmentations_of
from .sheet import marks_csv
from .volumes import masks_zip


@dataclass(frozen=True)
class Export:
    content: bytes
    content_type: str


def export(standard: Standard, name: str) -> Export:
    """Raises KeyError for a name that is none of `NAMES`, Refused where the version has no marks."""
    content_type, made = _MAKERS[name]
    return Export(made(standard, drawn_cases(standard)), content_type)


def dicom_zip(standard: Standard, cases: Iterable[Drawn]) -> bytes:
    """Segmentations and reports with the images they refer to; files.json says what each segmentation holds."""
    target = io.BytesIO()
    listed: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, case in enumerate(cases, start=1):
            folder = f"case-{number}"
            archive.writestr(f"{folder}/report.dcm", written(report_of(case, standard.token)))
            listed[f"{folder}/report.dcm"] = {"case": case.label}
            for series, stack in enumerate(case.stacks):
                within = f"{folder}/series-{series + 1}"
                for path, found in _named(within, list(segmentations_of(case, series, standard.token))):
                    archive.writestr(path, written(found.dataset))
                    listed[path] = {"case": case.label, "series": stack.name} | _told(found)
                for slice in sorted({mark.slice for mark in case.marks if mark.series == series}):
                    image = with_pixels(header_of(case, stack, slice), stack.pictures[slice])
                    archive.writestr(f"{within}/image-{slice + 1:04}.dcm", written(image))
        archive.writestr("files.json", json.dumps(listed, indent=1, ensure_ascii=False))
    return target.getvalue()


def _named(folder: str, found: list[Segmented]) -> Iterable[tuple[str, Segmented]]:
    for number, one in enumerate(found, start=1):
        yield f"{folder}/segmentation{f'-{number}' if len(found) > 1 else ''}.dcm", one


def _told(found: Segmented) -> dict[str, Any]:
    held = {"names": list(found.names), "images": [n + 1 for n in found.images]}
    return held | ({"note": found.why} if found.why else {})


def written(dataset: Any) -> bytes:
    target = io.BytesIO()
    dataset.save_as(target, enforce_file_format=True)
    return target.getvalue()


Maker = Callable[[Standard, list[Drawn]], bytes]
_MAKERS: dict[str, tuple[str, Maker]] = {
    "marks.csv": ("text/csv; charset=utf-8", lambda standard, cases: marks_csv(cases).encode()),
    "marks.coco.json": ("application/json", lambda standard, cases: coco_json(cases, str(standard)).encode()),
    "masks.nifti.zip": ("application/zip", lambda standard, cases: masks_zip(cases)),
    "dicom.zip": ("application/zip", dicom_zip),
}
NAMES = tuple(_MAKERS)
