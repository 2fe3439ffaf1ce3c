"""NIfTI volumes: cut into the slices in which they were taken, rows and columns as a radiologist expects them."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.openers import Opener
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from inference.imaging.pixels import Scan, UnreadableInput, shown, told
from inference.imaging.stacking import stacked

MOST_VOXELS = 1_000_000_000
# In mm; nobody lies farther from the scanner.
LONGEST = 1e6
DAMAGE = (
    ImageFileError,
    HeaderDataError,
    WrapStructError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    OSError,
    EOFError,
    zlib.error,
)
# Slices this much thicker than the pixels are wide are the slices in which the volume was taken; otherwise axial.
ANISOTROPY = 1.5
SAGITTAL, CORONAL, AXIAL = 0, 1, 2
# Axes of the patient along a row and down a column of each plane.
IN_PLANE = {AXIAL: (0, 1), SAGITTAL: (1, 2), CORONAL: (0, 2)}


class Stored(NamedTuple):
    """Unsigned 16-bit values with the line that leads back to the file's values."""

    values: NDArray[np.uint16]
    slope: float
    intercept: float


def read(path: Path) -> Scan:
    """The volume as (slices, rows, columns): to the left (sagittal: back), to the back (else: feet), by handedness."""
    try:
        with np.errstate(all="ignore"):
            return _cut(path)
    except UnreadableInput:
        raise
    except DAMAGE as error:
        raise UnreadableInput(f"{path.name} holds no NIfTI volume that can be read: {told(error)}.") from error


def _cut(path: Path) -> Scan:
    raw, affine, slope, intercept = _load(path)
    change = ornt_transform(io_orientation(affine), axcodes2ornt(("L", "P", "S")))
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine @ inv_ornt_aff(change, raw.shape)
    stored = _as_unsigned(apply_orientation(raw, change), slope, intercept, path.name)
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    across = _slice_axis(raw_shape := stored.values.shape, sizes)
    along_row, down = IN_PLANE[across]
    upside_down = across != AXIAL
    axes = affine[:3, :3] / sizes
    backwards = np.cross(axes[:, along_row], (-1 if upside_down else 1) * axes[:, down]) @ axes[:, across] < 0
    order = (across, down, along_row)
    cut = stored.values.transpose(order)[:: -1 if backwards else 1, :: -1 if upside_down else 1]
    values = np.empty(cut.shape, np.float32)
    shown(cut, stored.slope, stored.intercept, inverted=False, out=values)
    turned = affine[:, (*order, 3)].copy()
    for axis, flipped in enumerate((backwards, upside_down)):
        if flipped:
            turned[:, 3] += turned[:, axis] * (raw_shape[order[axis]] - 1)
            turned[:, axis] *= -1
    corners = [turned[:3, 3] + number * turned[:3, 0] for number in range(len(values))]
    rows, columns = float(sizes[down]), float(sizes[along_row])
    directions = np.concatenate([turned[:3, 2] / columns, turned[:3, 1] / rows])
    return Scan(values, *stacked(corners, [directions] * len(corners), (rows, columns)))


def _load(path: Path) -> tuple[NDArray[Any], NDArray[np.float64], float, float]:
    """Values as they are stored, affine, and the line from stored to shown values."""
    image: Any = nib.Nifti2Image.from_filename(path) if _is_second(path) else nib.Nifti1Image.from_filename(path)
    shape = image.shape
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise UnreadableInput(f"{path.name} has {len(shape)} dimensions; one volume a file is wanted.")
    if min(shape) < 1 or math.prod(shape) > MOST_VOXELS:
        raise UnreadableInput(f"{path.name} claims {' × '.join(map(str, shape))} voxels, which cannot be.")
    kind = image.get_data_dtype()
    if kind.fields is not None or kind.kind not in "iuf":
        raise UnreadableInput(f"{path.name} holds colours or complex numbers; one number a voxel is wanted.")
    affine = np.asarray(image.affine, dtype=float)
    if not np.all(np.abs(affine) < LONGEST) or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise UnreadableInput(f"{path.name} does not say where its voxels lie (its affine is empty).")
    values = np.asarray(image.dataobj.get_unscaled()).reshape(shape)
    slope, intercept = float(image.dataobj.slope), float(image.dataobj.inter)
    if not math.isfinite(slope) or not math.isfinite(intercept):
        raise UnreadableInput(f"{path.name} does not say what its values mean (its slope is no number).")
    return values, affine, slope, intercept


def _is_second(path: Path) -> bool:
    with Opener(str(path)) as file:
        return bool(int.from_bytes(file.read(4), "little") in (540, 0x1C020000))


def _slice_axis(shape: tuple[int, ...], sizes: NDArray[np.float64]) -> int:
    if 1 in shape:
        return shape.index(1)
    thickest = int(np.argmax(sizes))
    others = [sizes[axis] for axis in range(3) if axis != thickest]
    return thickest if sizes[thickest] > ANISOTROPY * max(others) else AXIAL


def _as_unsigned(values: NDArray[Any], slope: float, intercept: float, name: str) -> Stored:
    """As a site stores it: exact where 16 bits hold all values, else in 65,535 equal steps."""
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.any():
            raise UnreadableInput(f"{name} holds no finite value.")
        if not finite.all():
            values = np.where(finite, values, values[finite].min())
    lowest, highest = values.min(), values.max()
    whole = values.dtype.kind in "iu" or bool(np.all(values == np.rint(values)))
    if whole and int(highest) - min(int(lowest), 0) <= 65535:
        offset = min(int(lowest), 0)
        # Subtracting modulo 2^16 is exact for every integer width.
        pixels = values.astype(np.int64 if values.dtype.kind == "f" else values.dtype).astype(np.uint16)
        pixels -= np.uint16(offset & 0xFFFF)
        return Stored(pixels, slope, intercept + offset * slope)
    first, last = float(lowest), float(highest)
    step = (last - first) / 65535 or 1.0
    scaled = np.rint((values.astype(np.float64) - first) / step).astype(np.uint16)
    return Stored(scaled, slope * step, intercept + first * slope)
