"""Images at other sizes: linear interpolation, and means over what falls together where they become smaller."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Values = NDArray[np.float32]


def weights(positions: NDArray[np.float64], count: int, step: float) -> csr_array:
    """Matrix that reads a line of ``count`` values at ``positions``.

    A triangle as wide as a step either way, one at least: linear interpolation, without aliasing where the line is
    thinned out. At the ends what does not exist weighs nothing, as Pillow has it.

    Returns
    -------
    csr_array, shape (len(positions), count)

    Examples
    --------
    >>> weights(np.array([0.25, 2.0]), 3, 1.0).toarray().tolist()
    [[0.75, 0.25, 0.0], [0.0, 0.0, 1.0]]
    """
    reach = max(1.0, step)
    first = np.ceil(positions - reach).astype(int)
    taps = first[:, None] + np.arange(int(np.floor(2 * reach)) + 1)
    share = np.clip(1 - np.abs(taps - positions[:, None]) / reach, 0, None)
    share[(taps < 0) | (taps >= count)] = 0
    share /= share.sum(axis=1, keepdims=True)
    kept = share > 0
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return csr_array((share[kept].astype(np.float32), taps[kept], starts), shape=(len(positions), count))


def read_along(values: Values, axis: int, start: float, step: float, count: int) -> Values:
    """Values of (slices, rows, columns) at ``start``, ``start + step``, … of one axis, ``count`` of them.

    Where they are values of the image themselves they are cut out, not computed.
    """
    held = values.shape[axis]
    if step == 1.0 and start == int(start) and start >= 0 and start + count <= held:
        return values[(slice(None),) * axis + (slice(int(start), int(start) + count),)]
    matrix = weights(start + step * np.arange(count, dtype=np.float64), held, step)
    if axis == 0:
        flat = matrix @ values.reshape(held, -1)
        return np.asarray(flat, np.float32).reshape(count, *values.shape[1:])
    shape = list(values.shape)
    shape[axis] = count
    read = np.empty(shape, np.float32)
    for number, plane in enumerate(values):
        read[number] = matrix @ plane if axis == 1 else (matrix @ np.ascontiguousarray(plane.T)).T
    return read
