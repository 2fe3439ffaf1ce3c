"""NIfTI volumes: cut into the slices in which they were taken, shown as a radiologist expects them."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.openers import Opener
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from .geometry import Directions, Geometry, Point
from .pictures import (
    HOUNSFIELD_PRESETS,
    Facts,
    Opened,
    Picture,
    Pixels,
    Unreadable,
    Window,
    check_size,
    percentile_window,
)

# Slices this much thicker than the pixels are wide are the slices in which the volume was taken; otherwise axial.
ANISOTROPY = 1.5
SAGITTAL, CORONAL, AXIAL = 0, 1, 2
# The least value of a CT is air, or what scanners fill up with; one with no wider a span than this was scaled to greys.
AIR = (-3100, -900)
NARROW = 256
_ROUNDED = "The volume's values were scaled to 16 bits; shown values are within {step:.2g} of the file's."

UNKNOWN_PLACE = "The volume does not say how it lies in the patient; left and right may be exchanged."
TWO_PLACES = "The volume gives two places that contradict each other (qform and sform); the sform is used."
SHEARED = "The volume's axes are not at right angles; measurements across slices are not exact."
SKEW = 0.01

Volume = NDArray[np.generic]
# What the library lets through where a header or its data make no sense.
_DAMAGE = (
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


@dataclass(frozen=True)
class _Stored:
    """Unsigned 16-bit values with the line that leads back to the file's values."""

    pixels: Pixels
    slope: float
    intercept: float
    bits: int
    note: str = ""


def read(path: Path, modality: str = "") -> Opened:
    values, affine, slope, intercept, place = _load(path)
    left_posterior, affine = _towards_left_posterior_superior(values, affine)
    stored = _as_unsigned(left_posterior, slope, intercept)
    across = _slice_axis(left_posterior.shape, np.linalg.norm(affine[:3, :3], axis=0))
    facts = Facts(
        kind="nifti",
        modality=modality,
        notes=tuple(filter(None, (*place, stored.note))),
    )
    return Opened(facts=facts, count=left_posterior.shape[across], pictures=_slices(stored, affine, across, modality))


def _load(path: Path) -> tuple[Volume, NDArray[np.float64], float, float, tuple[str, ...]]:
    try:
        image = nib.Nifti2Image.from_filename(path) if _is_second(path) else nib.Nifti1Image.from_filename(path)
        shape = image.shape
        while len(shape) > 3 and shape[-1] == 1:
            shape = shape[:-1]
        if len(shape) != 3:
            raise Unreadable(
                f"The volume has {len(shape)} dimensions; give one file for each three-dimensional volume."
            )
        check_size(shape[0], shape[1], shape[2])
        kind = image.get_data_dtype()
        if kind.fields is not None or kind.kind not in "iuf":
            raise Unreadable("The volume's values are colours or complex numbers; one number for each voxel is needed.")
        proxy = image.dataobj
        assert isinstance(proxy, ArrayProxy)
        values = np.asarray(proxy.get_unscaled()).reshape(shape)
        slope, intercept = proxy.slope, proxy.inter
    except Unreadable:
        raise
    except _DAMAGE as error:
        raise Unreadable("The NIfTI file is damaged or cut off.") from error
    if image.affine is None or not np.all(np.isfinite(image.affine)) or abs(np.linalg.det(image.affine[:3, :3])) < 1e-9:
        raise Unreadable("The NIfTI file does not say where its voxels lie (its affine is empty).")
    return values, np.asarray(image.affine, dtype=float), float(slope), float(intercept), tuple(_contradictions(image))


def _contradictions(image: nib.Nifti1Image) -> Iterator[str]:
    by_quaternion, by_matrix = image.get_qform(coded=True)[0], image.get_sform(coded=True)[0]
    if by_quaternion is None and by_matrix is None:
        yield UNKNOWN_PLACE
    elif by_quaternion is not None and by_matrix is not None and not np.allclose(by_quaternion, by_matrix, atol=1e-2):
        yield TWO_PLACES
    axes = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > SKEW:
        yield SHEARED


def _is_second(path: Path) -> bool:
    opener = Opener(str(path))
    with opener as file:
        return bool(int.from_bytes(file.read(4), "little") in (540, 0x1C020000))


def _towards_left_posterior_superior(values: Volume, affine: NDArray[np.float64]) -> tuple[Volume, NDArray[np.float64]]:
    try:
        change = ornt_transform(io_orientation(affine), axcodes2ornt(("L", "P", "S")))
    except (np.linalg.LinAlgError, ValueError) as error:
        raise Unreadable("The NIfTI file does not say where its voxels lie (its affine makes no sense).") from error
    turned = affine @ inv_ornt_aff(change, values.shape)
    to_patient = np.diag([-1.0, -1.0, 1.0, 1.0])
    return apply_orientation(values, change), to_patient @ turned


def _slice_axis(shape: tuple[int, ...], sizes: NDArray[np.float64]) -> int:
    if 1 in shape:
        return shape.index(1)
    thickest = int(np.argmax(sizes))
    others = [sizes[axis] for axis in range(3) if axis != thickest]
    return thickest if sizes[thickest] > ANISOTROPY * max(others) else AXIAL


def _as_unsigned(values: Volume, slope: float, intercept: float) -> _Stored:
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.any():
            raise Unreadable("The volume holds no finite value.")
        if not finite.all():
            values = np.where(finite, values, values[finite].min())
    lowest, highest = values.min(), values.max()
    whole = values.dtype.kind in "iu" or bool(np.all(values == np.rint(values)))
    if whole and int(highest) - min(int(lowest), 0) <= 65535:
        offset = min(int(lowest), 0)
        # Subtracting modulo 2^16 is exact for every integer width, and needs no wider copy of the volume.
        pixels = values.astype(np.int64 if values.dtype.kind == "f" else values.dtype).astype(np.uint16)
        pixels -= np.uint16(offset & 0xFFFF)
        bits = max(1, (int(highest) - offset).bit_length())
        return _Stored(pixels, slope, intercept + offset * slope, bits)
    first, last = float(lowest), float(highest)
    step = (last - first) / 65535 or 1.0
    scaled = np.rint((values.astype(np.float64) - first) / step).astype(np.uint16)
    return _Stored(scaled, slope * step, intercept + first * slope, 16, _ROUNDED.format(step=abs(slope * step) / 2))


def _slices(stored: _Stored, affine: NDArray[np.float64], across: int, modality: str) -> Iterator[Picture]:
    """Rows run to the left (sagittal: to the back), columns to the back (sagittal and coronal: to the feet)."""
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    axes = affine[:3, :3] / sizes
    along_row, down = {AXIAL: (0, 1), SAGITTAL: (1, 2), CORONAL: (0, 2)}[across]
    down_sign = 1.0 if across == AXIAL else -1.0
    orientation = _six(axes[:, along_row], down_sign * axes[:, down])
    window = _window(stored, across, modality)
    order: list[int] = list(range(stored.pixels.shape[across]))
    if np.cross(axes[:, along_row], down_sign * axes[:, down]) @ axes[:, across] < 0:
        order.reverse()
    for index in order:
        corner = np.zeros(4)
        corner[3], corner[across] = 1.0, index
        corner[down] = 0 if down_sign > 0 else stored.pixels.shape[down] - 1
        cut = np.take(stored.pixels, index, axis=across).T
        yield Picture(
            pixels=np.ascontiguousarray(cut if down_sign > 0 else cut[::-1]),
            bits=stored.bits,
            slope=stored.slope,
            intercept=stored.intercept,
            window=window,
            slice_thickness=float(sizes[across]),
            geometry=Geometry(
                position=_three((affine @ corner)[:3]),
                orientation=orientation,
                spacing=(float(sizes[down]), float(sizes[along_row])),
                calibrated=True,
            ),
        )


def _window(stored: _Stored, across: int, modality: str) -> Window:
    """Of a CT, by declaration or by its values, the first of its usual windows; else one by the values."""
    ends = stored.pixels.min(), stored.pixels.max()
    lowest, highest = (int(end) * stored.slope + stored.intercept for end in ends)
    declared = modality == "CT" and highest - lowest > NARROW
    if declared or (not modality and AIR[0] <= lowest <= AIR[1] and highest > NARROW):
        return Window(center=HOUNSFIELD_PRESETS[0].center, width=HOUNSFIELD_PRESETS[0].width)
    middle = np.take(stored.pixels, stored.pixels.shape[across] // 2, axis=across)
    return percentile_window(middle, stored.slope, stored.intercept)


def _three(values: NDArray[np.float64]) -> Point:
    return float(values[0]), float(values[1]), float(values[2])


def _six(row: NDArray[np.float64], column: NDArray[np.float64]) -> Directions:
    return (*_three(row), *_three(column))
