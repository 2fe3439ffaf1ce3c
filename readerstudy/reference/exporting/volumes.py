"""Areas as NIfTI masks: one file for each series and name, in the space of the images."""

import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from readerstudy.reference.marks import AREAS, Mark

from .filling import filled
from .gathering import Drawn, Picture, Stack

Affine = NDArray[np.float64]


def masks_zip(cases: Iterable[Drawn]) -> bytes:
    target = io.BytesIO()
    names: dict[str, dict[str, str]] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, case in enumerate(cases, start=1):
            for (series, name), marks in areas_of(case).items():
                stack = case.stacks[series]
                path = f"case-{number}/series-{series + 1}-{_file_name(name)}.nii.gz"
                names[path] = {"case": case.label, "series": stack.name, "name": name}
                archive.writestr(path, mask_file(stack, marks))
        archive.writestr("masks.json", json.dumps(names, indent=1, ensure_ascii=False))
    return target.getvalue()


def areas_of(case: Drawn) -> dict[tuple[int, str], list[Mark]]:
    """By series and name; what has no name goes by its kind."""
    found: dict[tuple[int, str], list[Mark]] = {}
    for mark in case.marks:
        if mark.kind in AREAS:
            found.setdefault((mark.series, mark.label or mark.kind), []).append(mark)
    return found


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "mask"


def mask_file(stack: Stack, marks: Iterable[Mark]) -> bytes:
    import nibabel

    image: Any = nibabel.Nifti1Image(volume(stack, marks), affine_of(stack.pictures))
    image.header.set_xyzt_units("mm")
    content: bytes = image.to_bytes()
    return gzip.compress(content, mtime=0)


def volume(stack: Stack, marks: Iterable[Mark]) -> NDArray[np.uint8]:
    """Indexed by column, row, slice."""
    first = stack.pictures[0].plane
    found = np.zeros((first.columns, first.rows, len(stack.pictures)), dtype=np.uint8)
    for mark in marks:
        plane = stack.pictures[mark.slice].plane
        if (plane.rows, plane.columns) == (first.rows, first.columns):
            found[:, :, mark.slice] |= filled(mark, plane.rows, plane.columns).T
    return found


def affine_of(pictures: tuple[Picture, ...]) -> Affine:
    """From (column, row, slice) to millimetres to the right, front and head, as NIfTI counts them."""
    geometry = pictures[0].plane.geometry
    between_rows, between_columns = geometry.spacing or (1.0, 1.0)
    affine = np.diag([between_columns, between_rows, 1.0, 1.0])
    if geometry.position is None or geometry.orientation is None:
        return affine
    along, down = np.array(geometry.orientation[:3]), np.array(geometry.orientation[3:])
    affine[:3, 0], affine[:3, 1] = along * between_columns, down * between_rows
    affine[:3, 2] = np.cross(along, down)
    last = pictures[-1].plane.geometry.position
    if len(pictures) > 1 and last is not None:
        affine[:3, 2] = (np.array(last) - np.array(geometry.position)) / (len(pictures) - 1)
    affine[:3, 3] = geometry.position
    # DICOM's first two axes run to the left and to the back.
    affine[:2] *= -1
    return affine
