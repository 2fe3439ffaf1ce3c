"""Sizes changed as Pillow changes them; equal numbers stay equal, a ramp stays a ramp."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from inference.imaging.sampling import read_along, weights

chance = np.random.default_rng(2)


@pytest.mark.parametrize("size", [(40, 30), (17, 11), (200, 90), (41, 200), (1, 1)])
def test_pillow_makes_the_same_of_it(size: tuple[int, int]) -> None:
    plane = chance.normal(size=(64, 48)).astype(np.float32)
    values = plane[np.newaxis]
    for axis, count in enumerate(size, start=1):
        step = values.shape[axis] / count
        values = read_along(values, axis, 0.5 * step - 0.5, step, count)
    expected = Picture.fromarray(plane).resize(size[::-1], Picture.Resampling.BILINEAR)
    assert values[0] == pytest.approx(np.asarray(expected), abs=1e-5)


@given(st.integers(2, 30), st.floats(0.2, 5.0), st.integers(1, 12))
def test_means_of_equal_numbers_are_that_number(count: int, step: float, wanted: int) -> None:
    positions = np.clip(step * np.arange(wanted), -0.5, count - 0.5)
    assert np.asarray(weights(positions, count, step).sum(axis=1)).ravel() == pytest.approx(1.0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_ramp_is_read_where_it_lies(axis: int) -> None:
    ramp = np.moveaxis(np.broadcast_to(np.arange(20, dtype=np.float32), (4, 5, 20)), 2, axis)
    read = np.moveaxis(read_along(np.ascontiguousarray(ramp), axis, 3.0, 0.75, 4), axis, 2)
    assert read[2, 3] == pytest.approx([3.0, 3.75, 4.5, 5.25])


def test_nothing_is_computed_where_nothing_changes() -> None:
    volume = chance.normal(size=(3, 8, 9)).astype(np.float32)
    assert np.shares_memory(read_along(volume, 1, 2.0, 1.0, 4), volume)
