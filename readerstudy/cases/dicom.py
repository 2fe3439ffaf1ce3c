"""DICOM series: the frames in the order in which they lie in the patient, with the facts that are kept."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels import apply_color_lut, apply_modality_lut, get_decoder, iter_pixels
from pydicom.uid import UID

from . import dicom_header as headers
from .dicom_header import FrameFacts, Header
from .geometry import depth, plane_of, same_orientation
from .pictures import (
    Facts,
    Picture,
    Pixels,
    Stack,
    Unreadable,
    check_size,
    unit_of,
)

# Measured: gdcm is the fastest for JPEG 2000; pyjpegls is right where others are not for JPEG-LS.
PLUGINS = ("gdcm", "pylibjpeg", "pillow", "pydicom")
PLUGINS_OF_JPEG_LS = ("pyjpegls", "gdcm")
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")

_DAMAGE = (
    BytesLengthException,
    InvalidDicomError,
    ArithmeticError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    RecursionError,
    OSError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class _Place:
    """One frame of one file."""

    source: int
    path: Path
    header: Header
    index: int
    frame: FrameFacts


@contextmanager
def _damage_in_words() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Unreadable:
        raise
    except MemoryError as error:
        raise Unreadable(
            "The file needs more memory than one file may use; it is much larger than its header says."
        ) from error
    except _DAMAGE as error:
        # The library's own message may quote the header, and so a name: only the kind of error is told.
        raise Unreadable(
            f"The DICOM file is damaged or cut off, or cannot be decoded ({type(error).__name__})."
        ) from error


def read(paths: list[Path]) -> Stack:
    """All frames of one series, whatever the files are called."""
    with _damage_in_words():
        found = [(path, headers.read(path)) for path in paths]
        first = found[0][1]
        _check_one_series([header for _, header in found])
        places, order_note = _sorted(list(_places(found)))
        notes = dict.fromkeys(chain((note for _, header in found for note in header.notes), order_note))
        quarantine = dict.fromkeys(reason for _, header in found for reason in header.quarantine)
        facts = Facts(
            kind="dicom",
            modality=first.modality,
            body_part=first.body_part,
            laterality=first.laterality,
            view=first.view,
            plane=plane_of(first.frames[0].geometry.orientation),
            unit=unit_of(first.modality),
            slice_thickness=first.frames[0].slice_thickness,
            notes=tuple(notes),
            quarantine=tuple(quarantine),
        )
    return Stack(facts=facts, count=len(places), pictures=_pictures(places))


def _places(found: list[tuple[Path, Header]]) -> Iterator[_Place]:
    for source, (path, header) in enumerate(found):
        for index, frame in enumerate(header.frames):
            yield _Place(source, path, header, index, frame)


def _check_one_series(found: list[Header]) -> None:
    series = {header.series for header in found}
    if len(series) > 1:
        raise Unreadable(f"The files belong to {len(series)} series; give each series its own folder and row.")
    if len({header.instance_uid for header in found}) < len(found):
        raise Unreadable("The same image is there twice (two files have one SOP Instance UID).")
    total = sum(header.rows * header.columns * len(header.frames) for header in found)
    check_size(1, 1, max(1, total // max(1, found[0].rows * found[0].columns)))


def _sorted(places: list[_Place]) -> tuple[list[_Place], list[str]]:
    """Along the normal of the stack; by instance number where the files do not lie in one stack."""
    by_number = sorted(places, key=lambda place: (place.header.number, place.index))
    along = by_number[0].frame.geometry.orientation
    if along is None or len(places) == 1:
        return by_number, []
    depths: dict[int, float] = {}
    for place in places:
        own = place.frame.geometry.orientation
        at = depth(place.frame.geometry, along)
        if own is None or at is None or not same_orientation(own, along):
            return by_number, [
                "The slices do not lie in one stack; they are shown in the order of their instance numbers."
            ]
        depths[id(place)] = round(at, 3)
    note = [] if len(set(depths.values())) == len(places) else ["Several slices lie at one position (echoes or times)."]
    return sorted(by_number, key=lambda place: depths[id(place)]), note


def _pictures(places: list[_Place]) -> Iterator[Picture]:
    with _damage_in_words():
        for run in _runs(places):
            header = run[0].header
            frames = _decoded(run[0].path, header, [place.index for place in run])
            for place, values in zip(run, frames, strict=True):
                yield replace(_picture(header, place.frame, values), source=place.source)


def _runs(places: list[_Place]) -> Iterator[list[_Place]]:
    """Neighbouring frames of one file, so that a multi-frame file is opened once."""
    run: list[_Place] = []
    for place in places:
        if run and place.path != run[0].path:
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _decoded(path: Path, header: Header, indices: list[int]) -> Iterator[NDArray[np.generic]]:
    syntax = UID(header.transfer_syntax)
    if not syntax.is_encapsulated:
        # A deflated file has to be unpacked as a whole; of any other only the pixels are read.
        yield from iter_pixels(pydicom.dcmread(path) if syntax.is_deflated else path, indices=indices)
        return
    usable = get_decoder(syntax).available_plugins
    order = PLUGINS_OF_JPEG_LS if syntax in JPEG_LS else PLUGINS
    failure: Exception | None = None
    for plugin in (name for name in order if name in usable):
        frames = iter_pixels(path, indices=indices, decoding_plugin=plugin)
        try:
            first = next(frames)
        except _DAMAGE as error:
            failure = error
            continue
        yield first
        yield from frames
        return
    raise failure or Unreadable(f"The transfer syntax {syntax.name} cannot be decoded here.")


def _picture(header: Header, frame: FrameFacts, values: NDArray[np.generic]) -> Picture:
    if values.shape[:2] != (header.rows, header.columns):
        raise Unreadable("The decoded picture is not as large as the header says.")
    slope, intercept = frame.slope, frame.intercept
    if header.photometric == "PALETTE COLOR":
        values = (apply_color_lut(values, header.palette) >> header.palette_shift).astype(np.uint8)
    if values.ndim == 3:
        values = luminance(values)
    if header.modality_table is not None:
        values, slope, intercept = apply_modality_lut(values, header.modality_table), 1.0, 0.0
    if values.dtype.kind == "f":
        return _scaled(header, frame, values)
    pixels, bits, offset = unsigned(values, header.bits_stored)
    intercept = intercept - offset * slope
    window = frame.windows[0] if frame.windows else None
    return Picture(pixels, bits, frame.geometry, slope, intercept, header.inverted, window)


def _scaled(header: Header, frame: FrameFacts, values: NDArray[np.generic]) -> Picture:
    numbers = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    first, last = float(numbers.min()), float(numbers.max())
    step = (last - first) / 65535 or 1.0
    pixels: Pixels = np.rint((numbers - first) / step).astype(np.uint16)
    return Picture(pixels, 16, frame.geometry, step, first, header.inverted)


def luminance(colour: NDArray[np.generic]) -> NDArray[np.uint8]:
    """ITU-R 601 luma of 8-bit red, green, blue, rounded as Pillow does."""
    if colour.dtype != np.uint8:
        raise Unreadable("Colour deeper than 8 bits cannot be read.")
    red, green, blue = (colour[..., channel].astype(np.uint32) for channel in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)


def unsigned(values: NDArray[np.generic], bits_stored: int) -> tuple[Pixels, int, int]:
    """Stored value + offset as unsigned 16 bit; the offset comes from the representation, not from the values."""
    lowest, highest = int(values.min()), int(values.max())
    bits = min(16, bits_stored)
    offset = 0
    if values.dtype.kind == "i":
        if lowest < -(1 << (bits - 1)) or highest >= 1 << (bits - 1):
            bits = 16
        offset = 1 << (bits - 1)
    elif highest >= 1 << bits:
        bits = 16
    if lowest + offset < 0 or highest + offset > 65535:
        raise Unreadable("The pixels need more than 16 bits; only pictures of up to 16 bits can be read.")
    return (values.astype(np.int32) + offset).astype(np.uint16), bits, offset
