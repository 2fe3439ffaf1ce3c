"""DICOM: one file, many frames or a series of files, in the order in which the slices lie in the patient."""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels import apply_color_lut, apply_modality_lut, get_decoder, iter_pixels
from pydicom.uid import UID, JPEGExtended12Bit

from inference.imaging.pixels import Pixels, Scan, UnreadableInput, luminance, shown
from inference.imaging.stacking import depth, is_one, stacked

# gdcm is the fastest for JPEG 2000; pyjpegls is right where others are not for JPEG-LS.
PLUGINS = ("gdcm", "pylibjpeg", "pillow", "pydicom")
PLUGINS_OF_JPEG_LS = ("pyjpegls", "gdcm")
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
MOST_PIXELS = 1_000_000_000
DAMAGE = (
    BytesLengthException,
    InvalidDicomError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    ArithmeticError,
    OSError,
    EOFError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Slice:
    """One frame of one file and where it lies."""

    file: int
    index: int
    number: int
    position: NDArray[np.float64] | None
    # Directions of a row and of a column in the patient, six numbers.
    orientation: NDArray[np.float64] | None
    spacing: tuple[float, float] | None
    slope: float
    intercept: float


def read(paths: Sequence[Path], name: str) -> Scan:
    """All frames of one series, whatever the files are called.

    Raises
    ------
    UnreadableInput
        Naming the file or folder.
    """
    if not paths:
        raise UnreadableInput(f"{name} holds no DICOM files.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            files = [pydicom.dcmread(path) for path in paths]
            _check_one_series(files, name)
            slices = _sorted([one for number, file in enumerate(files) for one in _slices(number, file)])
            values = _values(files, slices, name)
    except UnreadableInput:
        raise
    except DAMAGE as error:
        # A library's own words may quote the header, and so a name: only the kind of error is told.
        raise UnreadableInput(f"{name} holds no DICOM pixels that can be read ({type(error).__name__}).") from error
    places, directions = [one.position for one in slices], [one.orientation for one in slices]
    return Scan(values, *stacked(places, directions, slices[0].spacing))


def _check_one_series(files: Sequence[Any], name: str) -> None:
    for file in files:
        missing = [tag for tag in ("Rows", "Columns", "BitsStored", "PhotometricInterpretation") if tag not in file]
        if missing:
            raise UnreadableInput(f"{name} holds no picture: its header lacks {', '.join(missing)}.")
    if len({str(file.get("SeriesInstanceUID") or "") for file in files}) > 1:
        raise UnreadableInput(f"The files of {name} belong to several series; a folder holds one.")
    identities = [str(file.get("SOPInstanceUID") or number) for number, file in enumerate(files)]
    if len(set(identities)) < len(files):
        raise UnreadableInput(f"{name} holds the same image twice (two files have one SOP Instance UID).")
    if len({(int(file.Rows), int(file.Columns)) for file in files}) > 1:
        raise UnreadableInput(f"The slices of {name} differ in size.")
    if sum(int(file.Rows) * int(file.Columns) * _frames_of(file) for file in files) > MOST_PIXELS:
        raise UnreadableInput(f"{name} claims more than {MOST_PIXELS:,} pixels.")


def _frames_of(file: Any) -> int:
    return int(file.get("NumberOfFrames") or 1)


def _slices(number: int, file: Any) -> Iterator[Slice]:
    for index in range(_frames_of(file)):
        sources = _sources(file, index)
        spacing = _numbers(sources, "PixelSpacing", 2)
        spacing = _numbers(sources, "ImagerPixelSpacing", 2) if spacing is None else spacing
        slope, intercept = _numbers(sources, "RescaleSlope", 1), _numbers(sources, "RescaleIntercept", 1)
        instance = str(file.get("InstanceNumber") or "").strip()
        yield Slice(
            file=number,
            index=index,
            number=int(instance) if instance.lstrip("-").isdigit() else 0,
            position=_numbers(sources, "ImagePositionPatient", 3),
            orientation=_directions(_numbers(sources, "ImageOrientationPatient", 6)),
            spacing=None if spacing is None or spacing.min() <= 0 else (float(spacing[0]), float(spacing[1])),
            slope=float(slope[0]) if slope is not None and slope[0] != 0 else 1.0,
            intercept=float(intercept[0]) if intercept is not None else 0.0,
        )


def _sources(file: Any, index: int) -> list[Any]:
    """Where a frame's attribute may stand: its own functional groups, the shared ones, the file."""
    own, shared = file.get("PerFrameFunctionalGroupsSequence") or [], file.get("SharedFunctionalGroupsSequence") or []
    groups = ([own[index]] if index < len(own) else []) + list(shared[:1])
    return [element.value[0] for group in groups for element in group if element.VR == "SQ" and element.value] + [file]


def _numbers(sources: Sequence[Any], keyword: str, count: int) -> NDArray[np.float64] | None:
    value = next((found for source in sources if (found := source.get(keyword)) not in (None, "")), None)
    if value is None:
        return None
    values = np.atleast_1d(np.asarray(value, dtype=float))
    return values if values.shape == (count,) and np.isfinite(values).all() else None


def _directions(values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Two unit vectors at right angles, within the rounding that files carry; None where they are not."""
    if values is None:
        return None
    row, column = values[:3], values[3:]
    unit = abs(math.hypot(*row) - 1) < 1e-2 and abs(math.hypot(*column) - 1) < 1e-2
    return values if unit and abs(row @ column) < 1e-2 else None


def _sorted(slices: Sequence[Slice]) -> list[Slice]:
    """Along the normal of the stack; by instance number where the slices do not lie in one stack."""
    by_number = sorted(slices, key=lambda one: (one.number, one.index))
    along = by_number[0].orientation
    corners = [one.position for one in by_number]
    if along is None or len(slices) == 1 or not is_one(corners, [one.orientation for one in by_number]):
        return by_number
    depths = [round(depth(corner, along), 3) for corner in corners if corner is not None]
    return [by_number[place] for place in np.argsort(depths, kind="stable")]


def _values(files: Sequence[Any], slices: Sequence[Slice], name: str) -> Pixels:
    values = np.empty((len(slices), int(files[0].Rows), int(files[0].Columns)), np.float32)
    at = {(one.file, one.index): (place, one) for place, one in enumerate(slices)}
    for number, file in enumerate(files):
        for index, frame in enumerate(_decoded(file)):
            place, one = at[number, index]
            if frame.shape[:2] != values.shape[1:]:
                raise UnreadableInput(f"A picture of {name} is not as large as its header says.")
            _show(file, one, frame, values[place])
        # The compressed or 16-bit pixels of a long series need not stay beside the decoded ones.
        file.pop("PixelData", None)
    return values


def _decoded(file: Any) -> Iterator[NDArray[Any]]:
    syntax = UID(file.file_meta.TransferSyntaxUID)
    if syntax == JPEGExtended12Bit and int(file.BitsStored) == 12:
        yield from _twelve_bits(file)
        return
    if not syntax.is_encapsulated:
        yield from iter_pixels(file)
        return
    usable = get_decoder(syntax).available_plugins
    failure: Exception | None = None
    for plugin in (one for one in (PLUGINS_OF_JPEG_LS if syntax in JPEG_LS else PLUGINS) if one in usable):
        frames = iter_pixels(file, decoding_plugin=plugin)
        try:
            first = next(frames)
        except DAMAGE as error:
            failure = error
            continue
        yield first
        yield from frames
        return
    raise failure or UnreadableInput(f"The transfer syntax {syntax.name} cannot be decoded here.")


def _twelve_bits(file: Any) -> Iterator[NDArray[Any]]:
    """JPEG Extended by gdcm itself: pydicom does not let it, though it gives the pixels of libjpeg-turbo bit by bit."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(file.filename))
    if not reader.Read():
        raise UnreadableInput(f"{Path(file.filename).name} is damaged or cut off.")
    image = reader.GetImage()
    signed = image.GetPixelFormat().GetPixelRepresentation() == 1
    content = image.GetBuffer().encode("utf-8", "surrogateescape")
    yield from np.frombuffer(content, np.int16 if signed else np.uint16).reshape(-1, file.Rows, file.Columns)


def _show(file: Any, one: Slice, frame: NDArray[Any], out: Pixels) -> None:
    slope, intercept, bits = one.slope, one.intercept, int(file.BitsStored)
    if file.PhotometricInterpretation == "PALETTE COLOR":
        frame, bits = apply_color_lut(frame, file), int(file.RedPaletteColorLookupTableDescriptor[2])
    if frame.ndim == 3:
        # The upper 8 bits, as a site stores colours.
        frame, bits = luminance((frame >> max(0, bits - 8)).astype(np.uint8)), 8
    if file.get("ModalityLUTSequence"):
        frame, slope, intercept = apply_modality_lut(frame, file), 1.0, 0.0
    stored, slope, intercept = _unsigned(frame, bits, slope, intercept)
    shown(stored, slope, intercept, inverted=file.PhotometricInterpretation == "MONOCHROME1", out=out)


def _unsigned(
    values: NDArray[Any], bits_stored: int, slope: float, intercept: float
) -> tuple[NDArray[np.uint16], float, float]:
    """As a site stores it: the offset comes from the representation, not from the values."""
    if values.dtype.kind == "f":
        return _scaled(values, slope, intercept)
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        return values.astype(np.uint16, copy=False), slope, intercept
    lowest, highest = int(values.min()), int(values.max())
    bits = min(16, bits_stored)
    offset = 0
    if values.dtype.kind == "i":
        if lowest < -(1 << (bits - 1)) or highest >= 1 << (bits - 1):
            bits = 16
        offset = 1 << (bits - 1)
    if lowest + offset < 0 or highest + offset > 65535:
        if highest - lowest > 65535:
            return _scaled(values, slope, intercept)
        offset = -lowest
        return (values.astype(np.int64) + offset).astype(np.uint16), slope, intercept - offset * slope
    return (values.astype(np.int32) + offset).astype(np.uint16), slope, intercept - offset * slope


def _scaled(values: NDArray[Any], slope: float, intercept: float) -> tuple[NDArray[np.uint16], float, float]:
    """The range of the values over 16 bits; what is not finite becomes the lowest value."""
    finite = np.isfinite(values)
    if not finite.any():
        raise UnreadableInput("The picture holds no finite value.")
    numbers = values.astype(np.float64)
    first, last = float(numbers[finite].min()), float(numbers[finite].max())
    step = (last - first) / 65535 or 1.0
    pixels = np.rint((np.where(finite, numbers, first) - first) / step).astype(np.uint16)
    return pixels, slope * step, intercept + slope * first
