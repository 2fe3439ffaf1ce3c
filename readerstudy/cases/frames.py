"""The frame file: exact pixels in a form that any browser unpacks in a few lines.

Grey: unsigned 16 bit; along each row the difference to the pixel before it modulo 2^16 (the first pixel against 0);
zig-zag, so that small differences of either sign become small numbers; all low bytes, then all high bytes; gzip.
Colour: 8 bits each of red, green and blue; differences along rows modulo 2^8; all red, green, then blue; gzip.
"""

import hashlib
import io
import zlib
from dataclasses import replace

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

from .pictures import AS_IT_IS, Colours, Picture, Pixels, Unreadable, Window, percentile_window

# Measured on CT and radiographs: a quarter to an eighth of the time of zlib's fastest way, files of the same size.
GZIP_LEVEL = 1
# Repeats are looked for in the last 512 bytes: of noise, farther ones are chance. Measured: up to 1.7 times the speed
# of a full window, and always smaller files. The 16 asks for the frame of gzip around it.
WINDOW_BITS = 16 + 9
# Differences are taken over this many pixels at a time, so that they stay in the processor's cache.
PIXELS_AT_ONCE = 1 << 17
LONGEST_THUMBNAIL_SIDE = 192
PREVIEW_STEP = 4
SMALLEST_PREVIEWED_FRAME = 1_000_000


def encode(pixels: Pixels | Colours) -> bytes:
    planes = _colour_planes(pixels) if pixels.ndim == 3 else _planes(pixels)
    packer = isal_zlib.compressobj(level=GZIP_LEVEL, wbits=WINDOW_BITS)
    return bytes(packer.compress(planes) + packer.flush())


def _colour_planes(pixels: Pixels | Colours) -> memoryview:
    colours = np.moveaxis(pixels.astype(np.uint8), 2, 0)
    differences = colours.copy()
    differences[:, :, 1:] -= colours[:, :, :-1]
    return differences.data


def _planes(pixels: Pixels | Colours) -> memoryview:
    source = np.ascontiguousarray(pixels, dtype=np.uint16)
    rows, columns = source.shape
    halves = np.empty((2, rows, columns), dtype=np.uint8)
    at_once = max(1, PIXELS_AT_ONCE // columns)
    steps, signs = np.empty((2, min(at_once, rows), columns), dtype=np.uint16)
    for start in range(0, rows, at_once):
        some = source[start : start + at_once]
        zigzag = _zigzag(some, steps[: len(some)], signs[: len(some)])
        halves[0, start : start + at_once] = zigzag
        np.right_shift(zigzag, 8, out=zigzag)
        halves[1, start : start + at_once] = zigzag
    return halves.data


def _zigzag(source: Pixels, steps: Pixels, signs: Pixels) -> Pixels:
    """Into `steps`; `signs` is room to work in."""
    steps[:, 0] = source[:, 0]
    np.subtract(source[:, 1:], source[:, :-1], out=steps[:, 1:])
    np.right_shift(steps.view(np.int16), 15, out=signs.view(np.int16))
    np.left_shift(steps, 1, out=steps)
    return np.bitwise_xor(steps, signs, out=steps)


def decode(packed: bytes, rows: int, columns: int) -> Pixels:
    count = rows * columns
    halves = np.frombuffer(_unpacked(packed, 2, rows, columns), dtype=np.uint8).reshape(2, count)
    zigzag = halves[0].astype(np.uint16) | (halves[1].astype(np.uint16) << np.uint16(8))
    differences = (zigzag >> np.uint16(1)) ^ (np.uint16(0) - (zigzag & np.uint16(1)))
    return np.cumsum(differences.reshape(rows, columns), axis=1, dtype=np.uint16)


def decode_colour(packed: bytes, rows: int, columns: int) -> Colours:
    planes = np.frombuffer(_unpacked(packed, 3, rows, columns), dtype=np.uint8).reshape(3, rows, columns)
    return np.ascontiguousarray(np.moveaxis(np.cumsum(planes, axis=2, dtype=np.uint8), 0, 2))


def decode_either(packed: bytes, rows: int, columns: int, samples: int) -> Pixels | Colours:
    return decode_colour(packed, rows, columns) if samples == 3 else decode(packed, rows, columns)


def _unpacked(packed: bytes, planes: int, rows: int, columns: int) -> bytes:
    """Never more than a byte beyond what belongs to so many pixels."""
    expected = planes * rows * columns
    unpacker = zlib.decompressobj(wbits=31)
    content = unpacker.decompress(packed, expected)
    if len(content) != expected or (not unpacker.eof and unpacker.decompress(unpacker.unconsumed_tail, 1)):
        raise Unreadable(f"The frame file does not hold {rows} × {columns} pixels.")
    return content


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def quarter(pixels: Pixels | Colours, bits: int) -> Pixels | Colours | None:
    """The picture at a quarter of its size by means over 4 × 4 pixels, none of which has more than so many bits; None
    where the picture is small anyway."""
    if pixels.shape[0] * pixels.shape[1] < SMALLEST_PREVIEWED_FRAME:
        return None
    rows, columns = (side // PREVIEW_STEP for side in pixels.shape[:2])
    whole = pixels[: rows * PREVIEW_STEP, : columns * PREVIEW_STEP]
    # Sums of 12 bits, as most radiographs have, fit 16 bits and take half the time there.
    kind: type[np.uint16 | np.uint32] = np.uint16 if bits <= 12 else np.uint32
    down: NDArray[np.unsignedinteger] = whole[::PREVIEW_STEP].astype(kind)
    for row in range(1, PREVIEW_STEP):
        down += whole[row::PREVIEW_STEP]
    sums = np.full((rows, columns, *pixels.shape[2:]), PREVIEW_STEP**2 // 2, dtype=kind)
    for column in range(PREVIEW_STEP):
        sums += down[:, column::PREVIEW_STEP]
    means = sums // PREVIEW_STEP**2
    return means.astype(np.uint8) if pixels.ndim == 3 else means.astype(np.uint16)


def shown(picture: Picture, window: Window) -> NDArray[np.uint8]:
    """The picture as 8-bit grey through a linear window; one in colour as it is."""
    if picture.samples == 3:
        return picture.pixels.astype(np.uint8)
    grey = picture.pixels * np.float64(picture.slope)
    # In place: memory is dearer than arithmetic.
    grey += picture.intercept - (window.center - window.width / 2)
    grey /= window.width
    np.clip(grey, 0, 1, out=grey)
    grey *= 255
    if picture.inverted:
        np.subtract(255, grey, out=grey)
    return np.rint(grey, out=grey).astype(np.uint8)


def window_of(picture: Picture) -> Window:
    if picture.samples == 3:
        return AS_IT_IS
    return picture.window or percentile_window(
        picture.pixels.astype(np.uint16, copy=False), picture.slope, picture.intercept
    )


def thumbnail(picture: Picture, window: Window) -> bytes:
    """A small JPEG, true in its proportions, with no metadata."""
    step = max(1, max(picture.pixels.shape[:2]) // (2 * LONGEST_THUMBNAIL_SIDE))
    small = replace(picture, pixels=picture.pixels[::step, ::step])
    between_rows, between_columns = picture.geometry.spacing or (1.0, 1.0)
    height, width = picture.pixels.shape[0] * between_rows, picture.pixels.shape[1] * between_columns
    scale = LONGEST_THUMBNAIL_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    target = io.BytesIO()
    Image.fromarray(shown(small, window)).resize(size, Image.Resampling.BILINEAR).save(target, "JPEG", quality=85)
    return target.getvalue()
