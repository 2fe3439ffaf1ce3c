"""The files in which the marks of a version of the standard leave the site."""

import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.reference.models import Standard

from .coco import coco_json
from .gathering import Drawn, drawn_cases
from .pictures import header_of, with_pixels
from .report import report_of
from .segmentation import segmentation_of
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
    """Segmentations and reports with the images they refer to."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, case in enumerate(cases, start=1):
            folder = f"case-{number}"
            archive.writestr(f"{folder}/report.dcm", written(report_of(case, standard.token)))
            for series, stack in enumerate(case.stacks):
                found = segmentation_of(case, series, standard.token)
                if found is not None:
                    archive.writestr(f"{folder}/series-{series + 1}/segmentation.dcm", written(found))
                for slice in sorted({mark.slice for mark in case.marks if mark.series == series}):
                    image = with_pixels(header_of(case, stack, slice), stack.pictures[slice])
                    archive.writestr(f"{folder}/series-{series + 1}/image-{slice + 1:04}.dcm", written(image))
    return target.getvalue()


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
