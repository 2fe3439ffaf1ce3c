"""Areas as NIfTI masks: files for each series and name, in the space of the images.

NIfTI knows one step between slices. A stack whose slices lie unevenly, turn or change their size is cut into parts, in
which every slice lies where its file says; nothing is resampled.
"""

import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from readerstudy.cases.geometry import normal
from readerstudy.reference.marks import AREAS, Mark
from readerstudy.reference.measuring import Plane

from .filling import filled
from .gathering import Drawn, Stack
from .pictures import is_placed

Affine = NDArray[np.float64]
Places = NDArray[np.float64]
# No voxel lies further from its true place than this, in millimetres, nor than a quarter of a step.
CLOSE = 0.1
# Slices nearer to each other than this lie at one place.
SAME = 1e-3


@dataclass(frozen=True)
class Part:
    """What one file can hold of a series: images next to each other, counted from 0; `why` it is not all of them."""

    images: range
    why: str = ""


def masks_zip(cases: Iterable[Drawn]) -> bytes:
    target = io.BytesIO()
    names: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, case in enumerate(cases, start=1):
            for (series, name), marks in areas_of(case).items():
                stack = case.stacks[series]
                for part in parts_with(stack, marks):
                    path = _path(f"case-{number}/series-{series + 1}-{_file_name(name)}", part, names)
                    names[path] = {"case": case.label, "series": stack.name, "name": name} | _told(part)
                    archive.writestr(path, mask_file(stack, marks, part.images))
        archive.writestr("masks.json", json.dumps(names, indent=1, ensure_ascii=False))
    return target.getvalue()


def areas_of(case: Drawn) -> dict[tuple[int, str], list[Mark]]:
    """By series and name; what has no name goes by its kind."""
    found: dict[tuple[int, str], list[Mark]] = {}
    for mark in case.marks:
        if mark.kind in AREAS:
            found.setdefault((mark.series, mark.label or mark.kind), []).append(mark)
    return found


def _told(part: Part) -> dict[str, Any]:
    images = {"images": [part.images.start + 1, part.images.stop]}
    return images | ({"note": part.why} if part.why else {})


def _path(begun: str, part: Part, taken: Iterable[str]) -> str:
    """Names that differ in other letters than these have files of their own all the same."""
    images = f"-images-{part.images.start + 1}-{part.images.stop}" if part.why else ""
    path, number = f"{begun}{images}.nii.gz", 1
    while path in taken:
        number += 1
        path = f"{begun}-{number}{images}.nii.gz"
    return path


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "mask"


def parts_with(stack: Stack, marks: Iterable[Mark]) -> list[Part]:
    """The parts in which something is marked; an even stack is one part, with all its images."""
    planes = [picture.plane for picture in stack.pictures]
    ranges = parts_of(planes)
    marked = {mark.slice for mark in marks}
    return [
        Part(images, _why(stack.name, planes, f"images {images.start + 1} to {images.stop}") if len(ranges) > 1 else "")
        for images in ranges
        if marked.intersection(images)
    ]


def _why(name: str, planes: Sequence[Plane], images: str) -> str:
    held = f"which no NIfTI file can say; this file holds {images}."
    if not all(are_alike(planes[0], plane) for plane in planes):
        return f"The slices of {name} differ in size, spacing or direction, {held} COCO holds the series whole."
    gaps = np.linalg.norm(np.diff(_places(planes), axis=0), axis=1)
    apart = f"{gaps.min():.4g} to {gaps.max():.4g} mm"
    return f"The slices of {name} lie {apart} apart, {held} The DICOM segmentation and COCO hold the series whole."


def parts_of(planes: Sequence[Plane]) -> list[range]:
    """The longest runs of images that are alike and lie in even steps along one line."""
    found: list[range] = []
    while not found or found[-1].stop < len(planes):
        first = found[-1].stop if found else 0
        found.append(range(first, first + _length_of_run(planes[first:])))
    return found


def _length_of_run(planes: Sequence[Plane]) -> int:
    alike = next((n for n, plane in enumerate(planes) if not are_alike(planes[0], plane)), len(planes))
    if planes[0].geometry.position is None:
        return alike
    places = _places(planes[:alike])
    if is_even(places, planes[0]):
        return alike
    return next(n for n in range(1, alike) if not is_even(places[: n + 1], planes[0]))


def are_alike(one: Plane, other: Plane) -> bool:
    """In all but the place along the stack."""
    here, there = one.geometry, other.geometry
    if (one.rows, one.columns, here.position is None) != (other.rows, other.columns, there.position is None):
        return False
    both = (here.spacing, there.spacing), (here.orientation, there.orientation)
    return all((a is None) == (b is None) and (a is None or np.allclose(a, b or (), atol=1e-4)) for a, b in both)


def _places(planes: Sequence[Plane]) -> Places:
    return np.array([plane.geometry.position or (0.0, 0.0, 0.0) for plane in planes])


def is_even(places: Places, plane: Plane) -> bool:
    """Whether places are those of equal steps across the plane, each within `CLOSE`."""
    if len(places) < 2:
        return True
    step = (places[-1] - places[0]) / (len(places) - 1)
    across = step if plane.geometry.orientation is None else step @ normal(plane.geometry.orientation)
    if np.linalg.norm(across) < SAME:
        return False
    apart = np.linalg.norm(places - places[0] - np.arange(len(places))[:, None] * step, axis=1)
    return bool(apart.max() <= min(CLOSE, np.linalg.norm(step) / 4))


def mask_file(stack: Stack, marks: Iterable[Mark], images: range) -> bytes:
    import nibabel

    planes = [stack.pictures[n].plane for n in images]
    image: Any = nibabel.Nifti1Image(volume(planes, marks, images), affine_of(planes, stack.thickness))
    if not is_placed(planes[0]):
        image.set_sform(None)
    image.header.set_xyzt_units("mm" if planes[0].spacing else "unknown")
    content: bytes = image.to_bytes()
    return gzip.compress(content, mtime=0)


def volume(planes: Sequence[Plane], marks: Iterable[Mark], images: range) -> NDArray[np.uint8]:
    """Indexed by column, row, slice."""
    rows, columns = planes[0].rows, planes[0].columns
    found = np.zeros((columns, rows, len(images)), dtype=np.uint8)
    for mark in marks:
        if mark.slice in images:
            found[:, :, mark.slice - images.start] |= filled(mark, rows, columns).T
    return found


def affine_of(planes: Sequence[Plane], thickness: float | None = None) -> Affine:
    """From (column, row, slice) to millimetres to the right, front and head, as NIfTI counts them."""
    geometry = planes[0].geometry
    between_rows, between_columns = geometry.spacing or (1.0, 1.0)
    affine = np.diag([between_columns, between_rows, thickness or 1.0, 1.0])
    if geometry.position is None or geometry.orientation is None:
        return affine
    affine[:3, 0] = np.array(geometry.orientation[:3]) * between_columns
    affine[:3, 1] = np.array(geometry.orientation[3:]) * between_rows
    affine[:3, 2] = normal(geometry.orientation) * (thickness or 1.0)
    if len(planes) > 1:
        places = _places(planes)
        affine[:3, 2] = (places[-1] - places[0]) / (len(planes) - 1)
    affine[:3, 3] = geometry.position
    # DICOM's first two axes run to the left and to the back.
    affine[:2] *= -1
    return affine
