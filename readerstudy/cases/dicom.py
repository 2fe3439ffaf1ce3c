"""DICOM files: frames as 16-bit pictures, with the facts that are kept; and the list of files in a DICOMDIR."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.pixels import apply_color_lut, apply_modality_lut, get_decoder, iter_pixels
from pydicom.tag import Tag
from pydicom.uid import UID

from . import dicom_header as headers
from . import dicom_lists as lists
from .dicom_header import FrameFacts, Header
from .pictures import AS_IT_IS, MOST_WINDOWS, Colours, Facts, Opened, Picture, Scale, Unreadable
from .values import is_wide, scale_of, scaled, together, unsigned, within_bits

# Measured: gdcm is the fastest for JPEG 2000; pyjpegls is right where others are not for JPEG-LS.
PLUGINS = ("gdcm", "pylibjpeg", "pillow", "pydicom")
PLUGINS_OF_JPEG_LS = ("pyjpegls", "gdcm")
READ_AT_ONCE = 256 << 20
TAGS = [Tag(keyword) for keyword in (*lists.KEPT, *lists.OFFSETS)]
PIXELS = [Tag(keyword) for keyword in lists.PIXELS]
CUT_OFF = "The DICOM file is damaged or cut off, or cannot be decoded."
NO_PIXELS = "The file holds no picture: its header describes one, but the pixels are missing."
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
RLE = "1.2.840.10008.1.2.5"

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


def read(path: Path, content: bytes | None = None, scale: Scale | None = None) -> Opened:
    """One file: its header judged before a pixel is decoded, then its frames as they stand in it. `content` is that of
    the file, where it was read already; `scale` that of its series, where it is known."""
    with _damage_in_words():
        data = _dataset(path, content)
        header = headers.read(data)
    facts = Facts(
        kind="dicom",
        modality=header.modality,
        body_part=header.body_part,
        laterality=header.laterality,
        view=header.view,
        notes=header.notes,
        quarantine=header.quarantine,
        words=header.words,
    )
    return Opened(
        facts=facts,
        count=len(header.frames),
        pictures=_pictures(path, data, header, scale),
        series=header.series,
        series_number=header.series_number,
        instance=header.instance_uid,
        number=header.number,
        frame_of_reference=header.frame_of_reference,
    )


def listed_files(path: Path) -> list[str]:
    """The paths that a DICOMDIR gives for its pictures, in its order."""
    with _damage_in_words():
        directory = pydicom.dcmread(path, specific_tags=["DirectoryRecordSequence"])
        records = directory.get("DirectoryRecordSequence") or []
        patients = sum(record.get("DirectoryRecordType") == "PATIENT" for record in records)
        found = [_file_id(record) for record in records if record.get("DirectoryRecordType") == "IMAGE"]
    if patients > 1:
        raise Unreadable(
            f"The DICOMDIR lists {patients} patients; give each case a row of its own with the folder of its files."
        )
    if not any(found):
        raise Unreadable("The DICOMDIR lists no pictures.")
    return [name for name in found if name]


def _file_id(record: Dataset) -> str:
    parts = record.get("ReferencedFileID") or []
    return "/".join([parts] if isinstance(parts, str) else map(str, parts))


def _dataset(path: Path, content: bytes | None) -> Dataset:
    """Only what is on the list. The pixels of a very large file stay in it until they are asked for."""
    if content is not None:
        return pydicom.dcmread(io.BytesIO(content), specific_tags=[*TAGS, *PIXELS])
    if _stays_in_file(path):
        return pydicom.dcmread(path, specific_tags=TAGS, stop_before_pixels=True)
    return pydicom.dcmread(path, specific_tags=[*TAGS, *PIXELS])


def _stays_in_file(path: Path) -> bool:
    if path.stat().st_size <= READ_AT_ONCE:
        return False
    return not UID(str(read_file_meta_info(path).get("TransferSyntaxUID", ""))).is_deflated


def _pictures(path: Path, data: Dataset, header: Header, scale: Scale | None) -> Iterator[Picture]:
    with _damage_in_words():
        if scale is None and int(data.BitsAllocated) > 16 and header.photometric in lists.GREY:
            scale = together(map(scale_of, _decoded(path, data, header)))
        for frame, values in zip(header.frames, _decoded(path, data, header), strict=True):
            yield _picture(header, frame, values, scale)


def _decoded(path: Path, data: Dataset, header: Header) -> Iterator[NDArray[np.generic]]:
    at_hand = any(data.get(keyword) for keyword in lists.PIXELS)
    if not at_hand and not _stays_in_file(path):
        raise Unreadable(NO_PIXELS)
    source = data if at_hand else path
    syntax = UID(header.transfer_syntax)
    if syntax == lists.JPEG_EXTENDED and header.bits_stored > 8:
        yield from _twelve_bits(path, header)
        return
    # What stands in bits that are not used is taken away here where it must be, for it hardly ever must.
    if header.photometric in lists.GREY and (not syntax.is_encapsulated or syntax in (RLE, *JPEG_LOSSLESS)):
        options = {"view_only": True, "correct_unused_bits": False}
        alone = _of_jpeg_lossless(path, data, header) if syntax in JPEG_LOSSLESS else None
        frames = iter([alone]) if alone is not None else _frames(source, syntax, options)
        yield from (within_bits(frame, header.bits_stored) for frame in frames)
    else:
        yield from _frames(source, syntax, {})


def _of_jpeg_lossless(path: Path, data: Dataset, header: Header) -> NDArray[np.generic] | None:
    """A frame by gdcm itself: pydicom has it from there too, but as a text, which takes as long again. None where
    gdcm does not make of the file what its header says; pydicom then says why."""
    if len(header.frames) > 1 or data.get("BitsAllocated") != 16 or not str(path).isprintable():
        return None
    room = bytearray(2 * header.rows * header.columns)
    reader = gdcm.ImageRegionReader()
    reader.SetFileName(str(path))
    if not reader.ReadInformation() or reader.ComputeBufferLength() != len(room) or not reader.ReadIntoBuffer(room):
        return None
    kind = np.int16 if data.get("PixelRepresentation") == 1 else np.uint16
    return np.frombuffer(room, dtype=kind).reshape(header.rows, header.columns)


def _frames(source: Dataset | Path, syntax: UID, options: dict[str, Any]) -> Iterator[NDArray[np.generic]]:
    if not syntax.is_encapsulated:
        yield from iter_pixels(source, **options)
        return
    usable = get_decoder(syntax).available_plugins
    order = PLUGINS_OF_JPEG_LS if syntax in JPEG_LS else PLUGINS
    failure: Exception | None = None
    for plugin in (name for name in order if name in usable):
        frames = iter_pixels(source, decoding_plugin=plugin, **options)
        try:
            first = next(frames)
        except _DAMAGE as error:
            failure = error
            continue
        yield first
        yield from frames
        return
    raise failure or Unreadable(f"The transfer syntax {syntax.name} cannot be decoded here.")


def _twelve_bits(path: Path, header: Header) -> Iterator[NDArray[np.generic]]:
    """JPEG Extended by gdcm itself: pydicom does not let it, though it gives the pixels of libjpeg-turbo bit by bit."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    if not reader.Read():
        raise Unreadable(CUT_OFF)
    image = reader.GetImage()
    signed = image.GetPixelFormat().GetPixelRepresentation() == 1
    content = image.GetBuffer().encode("utf-8", "surrogateescape")
    frames = np.frombuffer(content, dtype=np.int16 if signed else np.uint16)
    if frames.size != len(header.frames) * header.rows * header.columns:
        raise Unreadable(CUT_OFF)
    yield from frames.reshape(len(header.frames), header.rows, header.columns)


def _picture(header: Header, frame: FrameFacts, values: NDArray[np.generic], scale: Scale | None) -> Picture:
    if values.shape[:2] != (header.rows, header.columns):
        raise Unreadable("The decoded picture is not as large as the header says.")
    if header.photometric in lists.COLOUR:
        return _in_colour(header, frame, values)
    slope, intercept, bits = frame.slope, frame.intercept, header.bits_stored
    if header.modality_table is not None:
        values, slope, intercept, bits = apply_modality_lut(values, header.modality_table), 1.0, 0.0, 16
        scale = scale_of(values)
    wide = is_wide(values)
    stored = scaled(values, scale) if wide else unsigned(values, bits)
    return Picture(
        pixels=stored.pixels,
        bits=stored.bits,
        geometry=frame.geometry,
        slope=slope * stored.step,
        intercept=intercept + slope * stored.first,
        inverted=header.inverted,
        window=frame.windows[0] if frame.windows else None,
        more_windows=frame.windows[1:MOST_WINDOWS],
        slice_thickness=frame.slice_thickness,
        scale=scale if wide else None,
    )


def _in_colour(header: Header, frame: FrameFacts, values: NDArray[np.generic]) -> Picture:
    bits = header.bits_stored
    if header.photometric == "PALETTE COLOR":
        values, bits = apply_color_lut(values, header.palette), 8 + header.palette_shift
    if values.ndim != 3 or values.shape[2] != 3 or values.dtype.kind != "u":
        raise Unreadable("The picture says to be in colour and does not hold red, green and blue.")
    # Tables and deep colours are made of 8 bits by multiplying with 256 or 257: either way these are the upper ones.
    colours: Colours = np.minimum(np.right_shift(values, max(0, bits - 8)), 255).astype(np.uint8)
    return Picture(colours, 8, frame.geometry, window=AS_IT_IS, slice_thickness=frame.slice_thickness)
