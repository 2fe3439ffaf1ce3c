import gzip
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from readerstudy.cases import frames
from readerstudy.cases.geometry import Geometry
from readerstudy.cases.pictures import Picture, Pixels, Unreadable, Window, percentile_window

SIDES = st.tuples(st.integers(1, 17), st.integers(1, 23))


@given(arrays.arrays(np.uint16, SIDES))
@settings(deadline=None)
def test_every_picture_comes_back_exactly(pixels: Pixels) -> None:
    assert np.array_equal(frames.decode(frames.encode(pixels), *pixels.shape), pixels)


def test_the_largest_steps_wrap_around() -> None:
    pixels = np.array([[0, 65535, 0, 32768, 32767], [65535, 0, 1, 65534, 2]], dtype=np.uint16)

    assert np.array_equal(frames.decode(frames.encode(pixels), 2, 5), pixels)


def test_the_bytes_are_those_that_the_viewer_expects() -> None:
    # By hand: row 7, 5, 300 has differences 7, -2, 295; zig-zag 14, 3, 590 = 0x024E; low bytes, then high bytes.
    pixels = np.array([[7, 5, 300]], dtype=np.uint16)

    assert gzip.decompress(frames.encode(pixels)) == bytes([14, 3, 0x4E, 0, 0, 2])


def test_the_viewers_own_arithmetic_undoes_it() -> None:
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 65536, (9, 11), dtype=np.uint16)
    planes = gzip.decompress(frames.encode(pixels))
    count = pixels.size

    undone = []
    for row in range(9):
        value = 0
        for at in range(row * 11, row * 11 + 11):
            zigzag = planes[at] | planes[count + at] << 8
            value = (value + ((zigzag >> 1) ^ -(zigzag & 1))) & 65535
            undone.append(value)

    assert undone == pixels.ravel().tolist()


def test_the_same_picture_always_has_the_same_digest() -> None:
    pixels = np.arange(600, dtype=np.uint16).reshape(20, 30)

    assert frames.digest_of(frames.encode(pixels)) == frames.digest_of(frames.encode(np.asfortranarray(pixels)))


@pytest.mark.parametrize("sides", [(20, 29), (20, 31), (1, 1)])
def test_a_frame_of_another_size_is_refused(sides: tuple[int, int]) -> None:
    packed = frames.encode(np.zeros((20, 30), dtype=np.uint16))

    with pytest.raises(Unreadable, match="does not hold"):
        frames.decode(packed, *sides)


def test_the_preview_is_a_quarter_with_means_of_sixteen_pixels() -> None:
    pixels = np.zeros((1002, 1003), dtype=np.uint16)
    pixels[:4, :4] = np.arange(16).reshape(4, 4) * 4000  # mean 30,000

    preview = frames.quarter(pixels, 16)

    assert preview is not None
    assert preview.shape == (250, 250)
    assert preview[0, 0] == 30_000


@pytest.mark.parametrize("highest", [4095, 4096, 65535])
def test_the_preview_of_one_value_has_that_value(highest: int) -> None:
    preview = frames.quarter(np.full((1000, 1001), highest, dtype=np.uint16), highest.bit_length())

    assert preview is not None
    assert (preview == highest).all()


def test_a_small_picture_needs_no_preview() -> None:
    assert frames.quarter(np.zeros((512, 512), dtype=np.uint16), 16) is None


def test_the_window_maps_its_ends_to_black_and_white() -> None:
    picture = Picture(np.array([[0, 100, 150, 200, 400]], dtype=np.uint16), 16, Geometry())

    assert frames.shown(picture, Window(150, 100)).tolist() == [[0, 0, 128, 255, 255]]


def test_monochrome1_is_shown_inverted_after_the_window() -> None:
    picture = Picture(np.array([[0, 150, 400]], dtype=np.uint16), 16, Geometry(), inverted=True)

    assert frames.shown(picture, Window(150, 100)).tolist() == [[255, 128, 0]]


def test_slope_and_intercept_come_before_the_window() -> None:
    picture = Picture(np.array([[1024]], dtype=np.uint16), 12, Geometry(), slope=1.0, intercept=-1024.0)

    assert frames.shown(picture, Window(0, 100)).tolist() == [[128]]


def test_the_thumbnail_keeps_true_proportions_and_carries_no_metadata() -> None:
    tall = Picture(np.full((100, 100), 9, dtype=np.uint16), 8, Geometry(spacing=(2.0, 1.0)))

    image = Image.open(io.BytesIO(frames.thumbnail(tall, Window(0, 100))))

    assert image.size == (96, 192)
    assert image.mode == "L"
    assert len(image.getexif()) == 0
    assert "comment" not in image.info


def test_an_even_picture_still_gets_a_window_with_width() -> None:
    window = percentile_window(np.full((5, 5), 7, dtype=np.uint16), 1.0, -1024.0)

    assert (window.center, window.width) == (-1017.0, 1.0)


def test_a_falling_slope_gives_a_window_in_order() -> None:
    window = percentile_window(np.arange(100, dtype=np.uint16).reshape(10, 10), -1.0, 0.0)

    assert window.width == pytest.approx(97.02)
    assert window.center == pytest.approx(-49.5)


@pytest.mark.parametrize("sides", [(1, 1), (3, 5), (256, 300), (1280, 1024)])
def test_the_first_window_spans_the_percentiles_that_numpy_gives(sides: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 60_000, sides, dtype=np.uint16)
    low, high = np.percentile(pixels[:: max(1, sides[0] // 256), :: max(1, sides[1] // 256)], (1, 99))

    window = percentile_window(pixels, 0.5, -3.0)

    assert window.center == pytest.approx((low + high) / 4 - 3)
    assert window.width == pytest.approx(max((high - low) / 2, 0.5))
