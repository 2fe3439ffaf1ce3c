"""Values of a file as unsigned 16-bit pixels, with the line that leads back to them."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .pictures import Pixels, Scale, Unreadable

UPPER_8 = "Of colours of more than 8 bits the upper 8 were kept."
NOTHING_FINITE = "The picture holds no finite value."
# Whole numbers up to here are exact as floats.
MOST_EXACT = float(1 << 53)


class Stored(NamedTuple):
    """The file's value = pixel × step + first."""

    pixels: Pixels
    bits: int
    step: float = 1.0
    first: float = 0.0


def is_wide(values: NDArray[np.generic]) -> bool:
    """Floats, and integers of more than 16 bits: what must be measured before it is stored."""
    return values.dtype.kind == "f" or (values.dtype.kind in "iu" and values.itemsize > 2)


def scale_of(values: NDArray[np.generic]) -> Scale | None:
    """None where no value is finite."""
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
        if not values.size:
            return None
    first, last = float(values.min()), float(values.max())
    whole = values.dtype.kind != "f" or bool(np.all(values == np.rint(values)))
    return Scale(first, last, whole and max(abs(first), abs(last)) <= MOST_EXACT)


def together(scales: Iterable[Scale | None]) -> Scale | None:
    """One for all pictures of a file, or all files of a series."""
    found = [scale for scale in scales if scale is not None]
    if not found:
        return None
    return Scale(min(one.first for one in found), max(one.last for one in found), all(one.whole for one in found))


def scaled(values: NDArray[np.generic], scale: Scale | None) -> Stored:
    """Exact where the scale is, else within half a step; what is not finite becomes the scale's lowest value."""
    if scale is None:
        raise Unreadable(NOTHING_FINITE)
    step, first = scale.line
    numbers = values.astype(np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, scale.first)
    pixels: Pixels = np.rint((numbers - first) / step).astype(np.uint16)
    bits = max(1, int(scale.last - first).bit_length()) if scale.is_exact else 16
    return Stored(pixels, bits, step, first)


def unsigned(values: NDArray[np.generic], bits_stored: int) -> Stored:
    """Values of 16 bits at most, less an offset; the offset comes from the representation, not from the values."""
    highest = int(values.max())
    bits = min(16, bits_stored)
    offset = 0
    if values.dtype.kind == "i":
        if int(values.min()) < -(1 << (bits - 1)) or highest >= 1 << (bits - 1):
            bits = 16
        offset = 1 << (bits - 1)
    elif highest >= 1 << bits:
        bits = 16
    # Adding modulo 2^16 is exact, and needs no wider copy.
    pixels = values.astype(np.uint16, copy=False)
    if offset:
        pixels = pixels + np.uint16(offset & 0xFFFF)
    return Stored(pixels, bits, 1.0, float(-offset))


def within_bits(values: NDArray[np.generic], bits: int) -> NDArray[np.generic]:
    """Without what stands in bits beyond those that are stored."""
    unused = 8 * values.itemsize - bits
    if unused <= 0 or values.dtype.kind not in "iu":
        return values
    first, last = (-(1 << (bits - 1)), 1 << (bits - 1)) if values.dtype.kind == "i" else (0, 1 << bits)
    if values.max() < last and (first == 0 or values.min() >= first):
        return values
    kept: NDArray[np.generic] = np.right_shift(np.left_shift(values, unused), unused)
    return kept
