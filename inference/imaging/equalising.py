"""Histogram equalisation, of a whole image and contrast-limited by tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.imaging.pixels import UnreadableInput

Values = NDArray[np.float32]
BINS = 256


def binned(values: Values) -> NDArray[np.uint8]:
    """Grey values in 256 equal steps between the lowest and the highest."""
    low, high = float(values.min()), float(values.max())
    if not high > low:
        raise UnreadableInput("The image has one grey value only.")
    steps = (values - np.float32(low)) * np.float32(BINS / (high - low))
    np.minimum(steps, BINS - 1, out=steps)
    return steps.astype(np.uint8)


def equalised(values: Values) -> Values:
    """The share of pixels that are at most as bright, so that all shares are equally frequent; in (0, 1].

    Gonzalez & Woods, Digital Image Processing, 3rd edition, equation 3.3-8, with 256 steps.

    Examples
    --------
    >>> equalised(np.array([[[0.0, 1.0], [1.0, 50.0]]], np.float32)).tolist()
    [[[0.25, 0.75], [0.75, 1.0]]]
    """
    steps = binned(values)
    counts = np.bincount(steps.ravel(), minlength=BINS)
    return (np.cumsum(counts) / values.size).astype(np.float32)[steps]


def clahe(values: Values, clip: float, tiles: int) -> Values:
    """Contrast-limited adaptive histogram equalisation of every slice, in [0, 1].

    Zuiderveld, Graphics Gems IV (1994), VIII.5. Each tile has its own equalisation, whose histogram is cut at ``clip``
    of the tile's pixels and the excess dealt out evenly below that; a pixel takes the mean of its four nearest tiles,
    weighed by distance.

    Parameters
    ----------
    values : ndarray of float32, shape (slices, rows, columns)
    clip : float
        Share of a tile's pixels that one of 256 grey steps may hold: 1 sets no limit, 1/256 leaves the greys alone.
    tiles : int
        Along each side.
    """
    steps = binned(values)
    _, rows, columns = values.shape
    down, across = np.linspace(0, rows, min(tiles, rows) + 1), np.linspace(0, columns, min(tiles, columns) + 1)
    (above, below, lower), (left, right, later) = _neighbours(down), _neighbours(across)
    changed = np.empty(values.shape, np.float32)
    for number, plane in enumerate(steps):
        maps = _maps(plane, down.astype(int), across.astype(int), clip)
        upper_row = (1 - later) * maps[above[:, None], left, plane] + later * maps[above[:, None], right, plane]
        lower_row = (1 - later) * maps[below[:, None], left, plane] + later * maps[below[:, None], right, plane]
        changed[number] = upper_row + lower[:, None] * (lower_row - upper_row)
    return changed


def _maps(plane: NDArray[np.uint8], down: NDArray[np.int64], across: NDArray[np.int64], clip: float) -> Values:
    """The equalisation of every tile, shape (tiles, tiles, 256)."""
    maps = np.empty((len(down) - 1, len(across) - 1, BINS), np.float32)
    for row, column in np.ndindex(maps.shape[:2]):
        tile = plane[down[row] : down[row + 1], across[column] : across[column + 1]]
        shares = np.bincount(tile.ravel(), minlength=BINS) / tile.size
        maps[row, column] = np.cumsum(_limited(shares, max(clip, 1 / BINS)))
    return maps


def _limited(shares: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    """The histogram under the limit, what lay above dealt out evenly to the steps that have room."""
    kept = np.minimum(shares, limit)
    while (excess := 1 - kept.sum()) > 1e-9 and (room := kept < limit).any():
        kept[room] = np.minimum(kept[room] + excess / room.sum(), limit)
    return kept


def _neighbours(edges: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64], Values]:
    """For every pixel of a line the tiles before and after it and the weight of the later one."""
    middles = (edges[:-1] + edges[1:]) / 2 - 0.5
    at = np.interp(np.arange(int(edges[-1])), middles, np.arange(len(middles)))
    before = np.floor(at).astype(np.int64)
    return before, np.minimum(before + 1, len(middles) - 1), (at - before).astype(np.float32)
