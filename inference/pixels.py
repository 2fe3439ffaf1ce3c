"""Reads the pixels of a case, from files while training and from stored frames while serving. Free of torch.

Both ways end in the same thing: a float32 array of shown values, bright = dense, so that one preprocessing serves both.
"""

from __future__ import annotations

import hashlib
import urllib.request
import zlib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from inference.prediction import Frame
from inference.stacking import UNKNOWN, Spacing

Pixels = NDArray[np.float32]
LARGEST_FRAME = 512 << 20


class UnreadableInput(ValueError):
    """The pixels of a case cannot be read; the text says why."""


def told(error: Exception) -> str:
    """What a library said, on one line and without its full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


class Scan(NamedTuple):
    """What a reader of files hands over; the fields are those of ``inference.images.Image``."""

    values: Pixels
    spacing: Spacing = UNKNOWN
    affine: NDArray[np.float64] | None = None
    depths: tuple[float, ...] = ()


def read_file(path: Path) -> Pixels:
    """Shown values of an image file (PNG, JPEG, TIFF, DICOM, or the middle slice of a NIfTI volume).

    Returns
    -------
    ndarray of float32, shape (rows, columns)
        For DICOM after rescale, with MONOCHROME1 turned over.

    Raises
    ------
    UnreadableInput
        With the reason, where the file holds no such pixels.
    """
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return _read_nifti(path)
    if name.endswith((".dcm", ".dicom")) or _is_dicom(path):
        return _read_dicom(path)
    try:
        with Image.open(path) as image:
            grey = image if image.mode in ("I;16", "I", "L", "F") else image.convert("L")
            return np.asarray(grey, dtype=np.float32)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UnreadableInput(f"{path.name} is no image that can be read: {error}.") from error


def decode_frame(content: bytes, rows: int, columns: int) -> NDArray[np.uint16]:
    """Undo the stored frame format: gzip of all low bytes, then all high bytes, of zig-zagged row differences.

    Parameters
    ----------
    content : bytes
        The stored file.
    rows, columns : int

    Returns
    -------
    ndarray of uint16, shape (rows, columns)

    Examples
    --------
    >>> import gzip
    >>> decode_frame(gzip.compress(bytes([14, 3, 0, 0])), 1, 2).tolist()
    [[7, 5]]
    """
    needed = 2 * rows * columns
    unpacker = zlib.decompressobj(wbits=31)
    try:
        # Never more than one byte beyond what the geometry says, whatever the file would unpack to.
        unpacked = unpacker.decompress(content, needed + 1)
    except zlib.error as error:
        raise UnreadableInput(f"A stored frame cannot be unpacked: {error}.") from error
    planes = np.frombuffer(unpacked, dtype=np.uint8)
    if planes.size != needed:
        raise UnreadableInput(f"A stored frame does not hold the {rows} × {columns} pixels of its record.")
    low, high = planes.reshape(2, rows, columns).astype(np.uint16)
    zigzag = low | (high << 8)
    difference = (zigzag >> 1) ^ (0 - (zigzag & 1)).astype(np.uint16)
    return np.cumsum(difference, axis=1, dtype=np.uint16)


def shown(stored: NDArray[np.uint16], slope: float, intercept: float, *, inverted: bool, out: Pixels) -> None:
    """Shown value = slope × stored value + intercept, turned over where low values are bright.

    Reckoned in double precision and rounded once, so that every way of storing the same line gives the same bytes.
    """
    if slope == 1 and float(intercept).is_integer():
        np.add(stored, np.float32(intercept), out=out, casting="unsafe", dtype=np.float32)
    else:
        table = (np.arange(int(stored.max()) + 1) * slope + intercept).astype(np.float32)
        np.take(table, stored, out=out, mode="clip")
    if inverted:
        np.negative(out, out=out)


def read_frame(frame: Frame) -> Pixels:
    """Fetch one stored frame, check its digest, and return its shown values."""
    content = fetch(frame.uri)
    if hashlib.sha256(content).hexdigest() != frame.sha256:
        raise UnreadableInput("A stored frame is damaged: its SHA-256 differs from the one recorded at import.")
    stored = decode_frame(content, frame.rows, frame.columns).astype(np.float32)
    shown = stored * np.float32(frame.slope) + np.float32(frame.intercept)
    return -shown if frame.inverted else shown


def fetch(uri: str) -> bytes:
    """Bytes behind ``file://`` or ``http(s)://``; other schemes are refused."""
    parts = urlsplit(uri)
    try:
        if parts.scheme == "file":
            return Path(unquote(parts.path)).read_bytes()
        if parts.scheme in ("http", "https"):
            with urllib.request.urlopen(uri, timeout=60) as answer:
                content: bytes = answer.read(LARGEST_FRAME)
                return content
    except OSError as error:
        raise UnreadableInput(f"A stored file cannot be fetched: {error}.") from error
    raise UnreadableInput(f"Stored files are read from file, http or https addresses, not from {parts.scheme!r}.")


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(128)
        return stream.read(4) == b"DICM"


def _read_dicom(path: Path) -> Pixels:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        dataset = pydicom.dcmread(path)
        pixels = dataset.pixel_array.astype(np.float32)
    except (InvalidDicomError, AttributeError, RuntimeError, ValueError, NotImplementedError) as error:
        raise UnreadableInput(f"{path.name} holds no DICOM pixels that can be read: {error}.") from error
    if pixels.ndim == 3:
        pixels = pixels[pixels.shape[0] // 2]
    shown = pixels * np.float32(dataset.get("RescaleSlope", 1)) + np.float32(dataset.get("RescaleIntercept", 0))
    return -shown if dataset.get("PhotometricInterpretation") == "MONOCHROME1" else shown


def _read_nifti(path: Path) -> Pixels:
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    try:
        volume = np.asarray(nibabel.load(path).dataobj, dtype=np.float32)  # type: ignore[attr-defined]
    except (ImageFileError, OSError, EOFError) as error:
        raise UnreadableInput(f"{path.name} holds no NIfTI volume that can be read: {error}.") from error
    return np.ascontiguousarray(volume[..., volume.shape[-1] // 2].T)
