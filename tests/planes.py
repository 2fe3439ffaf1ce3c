"""Heat maps and masks as a model sends them: small grey PNG files."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def png_of(grey: NDArray[np.uint8]) -> bytes:
    target = io.BytesIO()
    Image.fromarray(grey).save(target, "PNG")
    return target.getvalue()


def spot(value: int = 255, shape: tuple[int, int] = (12, 10)) -> bytes:
    """Dark, with a rectangle of that value in the middle."""
    grey = np.zeros(shape, np.uint8)
    grey[shape[0] // 4 : shape[0] // 2, shape[1] // 4 : shape[1] // 2] = value
    return png_of(grey)
