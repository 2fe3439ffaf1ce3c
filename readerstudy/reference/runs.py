"""Masks as run lengths: pixels in rows from the first one on, clear and set in turns, beginning with clear. Pure."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Runs = tuple[int, ...]


def encode(mask: Mask) -> Runs:
    """The shortest list: only the first run may be empty.

    >>> encode(np.array([[True, True, False], [False, True, False]]))
    (0, 2, 2, 1, 1)
    """
    flat = mask.ravel()
    edges = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]))
    runs = tuple(int(run) for run in np.diff(edges))
    return (0, *runs) if flat[0] else runs


def decode(runs: Runs, rows: int, columns: int) -> Mask:
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(rows, columns)


def set_pixels(runs: Runs) -> int:
    return sum(runs[1::2])


def common_pixels(first: Runs, second: Runs) -> int:
    """How many pixels are set in both."""
    here, there = _intervals(first), _intervals(second)
    shared = n = m = 0
    while n < len(here) and m < len(there):
        shared += max(0, min(here[n][1], there[m][1]) - max(here[n][0], there[m][0]))
        if here[n][1] < there[m][1]:
            n += 1
        else:
            m += 1
    return shared


def _intervals(runs: Runs) -> list[tuple[int, int]]:
    edges = list(accumulate(runs))
    return list(zip(edges[0::2], edges[1::2], strict=False))


def fault_of(runs: Sequence[object], rows: int, columns: int) -> str:
    """The sentence why this is no mask of that size; empty where it is one."""
    if not all(isinstance(run, int) and not isinstance(run, bool) and run >= 0 for run in runs):
        return "A mask is a list of run lengths."
    lengths = [run for run in runs if isinstance(run, int)]
    if any(run == 0 for run in lengths[1:]):
        return "Only the first run of a mask may be empty."
    if sum(lengths) != rows * columns:
        return f"A mask covers {sum(lengths)} pixels; its image has {rows} × {columns}."
    return ""
