"""Heat maps as pictures: grey by themselves, or in warm colours over the image they explain. Numpy and Pillow alone."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

# Below this a map colours nothing, at 1 it hides the image by this share.
FAINT, MOST = 0.15, 0.65


def grey_png(plane: NDArray[np.float32]) -> bytes:
    """A plane in [0, 1] as 8-bit grey PNG of the same size; 255 is the strongest support."""
    return _png(Picture.fromarray((np.clip(plane, 0, 1) * 255).round().astype(np.uint8)))


def over_png(image: NDArray[np.float32], plane: NDArray[np.float32]) -> bytes:
    """The plane in colours from yellow to red over the image, as PNG.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
        Shown values; what lies between their 1st and 99th percentile is shown from black to white.
    plane : ndarray, shape (rows, columns)
        In [0, 1]. Below 0.15 the image stays as it is.
    """
    low, high = np.percentile(image, [1, 99])
    grey = np.clip((image - low) / max(float(high - low), 1e-12), 0, 1)[..., None]
    support = np.clip(plane, 0, 1)[..., None]
    # Yellow, then orange, then red; the stronger the support, the less of the image shows through.
    colour = np.concatenate([np.ones_like(support), 0.9 - 0.8 * support, np.zeros_like(support)], axis=-1)
    share = MOST * np.clip((support - FAINT) / (1 - FAINT), 0, 1) ** 0.5
    mixed = (1 - share) * grey + share * colour
    return _png(Picture.fromarray((mixed * 255).round().astype(np.uint8)))


def strongest_slice(volume: NDArray[np.float32]) -> int:
    """Number of the slice that holds the highest value; the first of several.

    Examples
    --------
    >>> strongest_slice(np.array([[[0.1]], [[0.9]], [[0.2]]], np.float32))
    1
    """
    return int(volume.reshape(len(volume), -1).max(axis=1).argmax())


def _png(picture: Picture.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
