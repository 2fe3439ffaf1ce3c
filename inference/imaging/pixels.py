"""Bytes of stored frames, and the shown values in them: float32, bright = dense. Free of torch."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from inference.imaging.stacking import UNKNOWN, Spacing
from inference.reasons import why

Pixels = NDArray[np.float32]
LARGEST_FRAME = 512 << 20
# Seconds before a storage that did not answer is asked again.
PAUSES = (0.3, 1.5)


class UnreadableInput(ValueError):
    """The pixels of a case cannot be read; the text says why."""


def told(error: Exception) -> str:
    """What a library said, on one line and without its full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


class Scan(NamedTuple):
    """What a reader of files hands over; the fields are those of ``inference.imaging.images.Image``."""

    values: Pixels
    spacing: Spacing = UNKNOWN
    affine: NDArray[np.float64] | None = None
    depths: tuple[float, ...] = ()


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
    low, high = _planes(content, 2, rows, columns).astype(np.uint16)
    zigzag = low | (high << 8)
    difference = (zigzag >> 1) ^ (0 - (zigzag & 1)).astype(np.uint16)
    return np.cumsum(difference, axis=1, dtype=np.uint16)


def decode_colour_frame(content: bytes, rows: int, columns: int) -> NDArray[np.uint16]:
    """Luminance of a stored frame in colour: gzip of the row differences of all red, all green, all blue, modulo 2^8.

    Examples
    --------
    >>> import gzip
    >>> decode_colour_frame(gzip.compress(bytes([255, 0, 255, 1, 0, 0])), 1, 2).tolist()
    [[226, 76]]
    """
    colours = np.cumsum(_planes(content, 3, rows, columns), axis=2, dtype=np.uint8)
    return luminance(np.moveaxis(colours, 0, 2)).astype(np.uint16)


def _planes(content: bytes, count: int, rows: int, columns: int) -> NDArray[np.uint8]:
    needed = count * rows * columns
    unpacker = zlib.decompressobj(wbits=31)
    try:
        # Never more than one byte beyond what the geometry says, whatever the file would unpack to.
        unpacked = unpacker.decompress(content, needed + 1)
    except zlib.error as error:
        raise UnreadableInput(f"A stored frame cannot be unpacked: {error}.") from error
    planes = np.frombuffer(unpacked, dtype=np.uint8)
    if planes.size != needed:
        raise UnreadableInput(f"A stored frame does not hold the {rows} × {columns} pixels of its record.")
    return planes.reshape(count, rows, columns)


def luminance(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """ITU-R 601 luma of red, green and blue in 8 bits, rounded as Pillow does."""
    red, green, blue = (colours[..., channel].astype(np.uint32) for channel in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> np.uint32(16)).astype(np.uint8)


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


def fetch(uri: str) -> bytes:
    """Bytes behind ``file://`` or ``http(s)://``; other schemes are refused.

    A storage that does not answer, or says that it is busy, is asked three times; what it has not is told at once.
    """
    scheme = urlsplit(uri).scheme
    if scheme not in ("file", "http", "https"):
        raise UnreadableInput(f"Stored files are read from file, http or https addresses, not from {scheme!r}.")
    for pause in (*PAUSES, None):
        try:
            return fetched_once(uri)
        except OSError as error:
            if pause is None or not may_pass(error):
                raise UnreadableInput(f"A stored file cannot be fetched: {why(error)}.") from error
            time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def fetched_once(uri: str) -> bytes:
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).read_bytes()
    with urllib.request.urlopen(uri, timeout=60) as answer:
        content: bytes = answer.read(LARGEST_FRAME)
        return content


def may_pass(error: OSError) -> bool:
    """Whether the same request may be answered a moment later."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= 500 or error.code in (408, 429)
    if isinstance(error, urllib.error.URLError):
        return True
    return isinstance(error, TimeoutError | ConnectionError | InterruptedError)
