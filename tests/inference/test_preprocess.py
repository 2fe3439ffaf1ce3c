"""Aspect kept, percentiles stretched, padding cut away again from heat maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.pixels import UnreadableInput
from inference.preprocess import Preprocessing


@given(st.integers(2, 90), st.integers(2, 90))
def test_any_shape_fits_and_touches_two_borders(rows: int, columns: int) -> None:
    preprocessing = Preprocessing(rows=40, columns=30)
    height, width = preprocessing.fitted(rows, columns)
    assert height <= 40
    assert width <= 30
    assert height == 40 or width == 30
    image = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    assert preprocessing(image).shape == (40, 30)


def test_what_is_added_is_black_and_centred() -> None:
    image = np.full((20, 10), 500, dtype=np.float32)
    image[0] = 100
    prepared = Preprocessing(rows=20, columns=20, low=0, high=100)(image)
    assert (prepared[:, :5] == 0).all()
    assert (prepared[:, 15:] == 0).all()
    assert (prepared[1:, 5:15] == 1).all()


def test_the_scale_of_the_grey_values_does_not_matter() -> None:
    image = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    preprocessing = Preprocessing(rows=32, columns=32)
    assert np.allclose(preprocessing(image), preprocessing(image * 16 - 1000), atol=1e-4)


def test_clipped_at_the_percentiles_of_numpy() -> None:
    image = np.random.default_rng(1).normal(size=(64, 64)).astype(np.float32)
    scaled = Preprocessing(rows=64, columns=64, low=5, high=90).scaled(image)
    low, high = np.percentile(image, [5, 90])
    assert (scaled == 0).mean() == pytest.approx(0.05, abs=0.01)
    assert (scaled == 1).mean() == pytest.approx(0.10, abs=0.01)
    inside = (image > low) & (image < high)
    assert np.allclose(scaled[inside], ((image - low) / (high - low))[inside], atol=1e-5)


def test_a_film_of_one_grey_value_is_refused() -> None:
    with pytest.raises(UnreadableInput, match="one grey value only"):
        Preprocessing(rows=8, columns=8)(np.full((9, 9), 7, dtype=np.float32))


@pytest.mark.parametrize(("rows", "columns", "spot"), [(100, 50, (80, 10)), (60, 120, (15, 100)), (64, 64, (5, 60))])
def test_a_heat_map_lies_over_what_it_explains(rows: int, columns: int, spot: tuple[int, int]) -> None:
    preprocessing = Preprocessing(rows=64, columns=64, low=0, high=100)
    image = np.zeros((rows, columns), dtype=np.float32)
    image[spot[0] - 3 : spot[0] + 4, spot[1] - 3 : spot[1] + 4] = 1
    back = preprocessing.back(preprocessing(image), rows, columns)
    row, column = np.unravel_index(int(back.argmax()), back.shape)
    assert back.shape == preprocessing.fitted(rows, columns)
    assert row / back.shape[0] == pytest.approx(spot[0] / rows, abs=0.06)
    assert column / back.shape[1] == pytest.approx(spot[1] / columns, abs=0.06)
