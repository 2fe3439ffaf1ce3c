"""Values of a file as unsigned 16-bit pixels, with the line that leads back to them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .pictures import Pixels, Unreadable

SCALED = "Floating-point pixels were scaled to 16 bits."
DEEP = "Pixels of more than 16 bits were scaled to 16."
UPPER_8 = "Of colours of more than 8 bits the upper 8 were kept."


class Stored(NamedTuple):
    """The file's value = pixel × step + first."""

    pixels: Pixels
    bits: int
    step: float = 1.0
    first: float = 0.0
    note: str = ""


def scaled(values: NDArray[np.generic]) -> Stored:
    """The range of the values over 16 bits; what is not finite becomes the lowest value."""
    finite = np.isfinite(values)
    if not finite.any():
        raise Unreadable("The picture holds no finite value.")
    numbers = values.astype(np.float64)
    first, last = float(numbers[finite].min()), float(numbers[finite].max())
    step = (last - first) / 65535 or 1.0
    pixels: Pixels = np.rint((np.where(finite, numbers, first) - first) / step).astype(np.uint16)
    return Stored(pixels, 16, step, first, SCALED if values.dtype.kind == "f" else DEEP)


def unsigned(values: NDArray[np.generic], bits_stored: int) -> Stored:
    """Stored value less an offset as unsigned 16 bit; the offset comes from the representation, not from the values."""
    highest = int(values.max())
    lowest = int(values.min()) if values.dtype.kind == "i" or highest > 65535 else 0
    bits = min(16, bits_stored)
    offset = 0
    if values.dtype.kind == "i":
        if lowest < -(1 << (bits - 1)) or highest >= 1 << (bits - 1):
            bits = 16
        offset = 1 << (bits - 1)
    elif highest >= 1 << bits:
        bits = 16
    if lowest + offset < 0 or highest + offset > 65535:
        # More than 16 bits were allocated; the values may fit all the same.
        if highest - lowest > 65535:
            return scaled(values)
        offset = -lowest
    # Adding modulo 2^16 is exact whatever the width, and needs no wider copy.
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
