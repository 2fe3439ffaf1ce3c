"""Equal shares of grey after equalisation; the limit on contrast holds (Zuiderveld 1994)."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from inference.imaging.equalising import BINS, clahe, equalised
from inference.imaging.pixels import UnreadableInput

chance = np.random.default_rng(3)


def test_all_shares_become_equally_frequent() -> None:
    skewed = (chance.random((1, 200, 200)) ** 3).astype(np.float32)
    flat = equalised(skewed)
    shares, _ = np.histogram(flat, bins=8, range=(0, 1))
    # The first of 256 grey steps alone holds a sixth of these values.
    assert shares[4:] / flat.size == pytest.approx(1 / 8, abs=0.02)
    order = np.argsort(skewed, axis=None)
    assert (np.diff(flat.ravel()[order]) >= 0).all()


def test_without_limit_and_tiles_it_is_the_plain_equalisation() -> None:
    image = gaussian_filter(chance.normal(size=(2, 40, 30)), 2).astype(np.float32)
    # One scale of grey for both slices, one histogram for each.
    for number, plane in enumerate(clahe(image, 1.0, 1)):
        steps = np.floor((image - image.min()) / np.ptp(image) * BINS).clip(0, BINS - 1)[number]
        assert plane[5, 7] == pytest.approx((steps <= steps[5, 7]).mean(), abs=1e-6)


def test_at_the_lowest_limit_greys_stay_as_they_are() -> None:
    image = gaussian_filter(chance.normal(size=(1, 64, 64)), 3).astype(np.float32)
    assert clahe(image, 1 / BINS, 4) == pytest.approx((image - image.min()) / np.ptp(image), abs=2 / BINS)


@pytest.mark.parametrize("clip", [0.01, 0.05])
def test_contrast_rises_no_more_than_the_limit_allows(clip: float) -> None:
    image = np.zeros((1, 64, 64), np.float32)
    image[0] += chance.normal(0.5, 0.004, (64, 64))
    image[0, 0, :2] = 0, 1
    before, after = image[0, 8:56, 8:56].std(), clahe(image, clip, 1)[0, 8:56, 8:56].std()
    assert before < after <= before * clip * BINS * 1.1


def test_faint_detail_shows_where_a_plain_equalisation_hides_it() -> None:
    image = chance.random((1, 128, 128)).astype(np.float32)
    image[0, :32, :32] = 0.4 + 0.02 * chance.random((32, 32))
    local, whole = clahe(image, 0.2, 4)[0, :12, :12], equalised(image)[0, :12, :12]
    assert local.std() > 5 * whole.std()


@pytest.mark.parametrize("shape", [(1, 3, 5), (2, 8, 8), (1, 9, 100)])
def test_tiles_never_outnumber_the_pixels(shape: tuple[int, int, int]) -> None:
    changed = clahe(chance.random(shape).astype(np.float32), 0.5, 8)
    assert changed.shape == shape
    assert 0 < changed.min() <= changed.max() <= 1 + 1e-6


def test_one_grey_value_is_refused() -> None:
    for step in (equalised, lambda values: clahe(values, 0.01, 4)):
        with pytest.raises(UnreadableInput, match="one grey value only"):
            step(np.full((1, 6, 6), 3, np.float32))
