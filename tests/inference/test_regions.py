"""Slices by millimetres, boxes around findings, one place in two images."""

import numpy as np
import pytest

from inference.cohorts.cases import Place
from inference.imaging.images import Image
from inference.imaging.pixels import UnreadableInput
from inference.imaging.regions import box_of, place_in, slices_of, whole
from inference.spec import Input, SquareBox, VertebraCrop, Whole

VOLUME = Image(np.zeros((11, 40, 30), np.float32), (4.0, 0.5, 0.5))


@pytest.mark.parametrize(
    ("at", "offsets", "apart", "expected"),
    [
        (5, (-1, 0, 1), 0.0, (4, 5, 6)),
        (5, (-1, 0, 1), 8.0, (3, 5, 7)),
        (5, (-1, 0, 1), 9.0, (3, 5, 7)),
        # 10 mm lie in the middle between two slices: the one nearer to the finding.
        (5, (-1, 0, 1), 10.0, (3, 5, 7)),
        (5, (-2, 0, 2), 3.5, (3, 5, 7)),
        (0, (-1, 0, 1), 0.0, (0, 0, 1)),
        (10, (-1, 0, 1), 12.0, (7, 10, 10)),
        (4.6, (0,), 0.0, (5,)),
    ],
)
def test_offsets_find_the_nearest_slice(
    at: float, offsets: tuple[int, ...], apart: float, expected: tuple[int, ...]
) -> None:
    assert slices_of(VOLUME, Place(at, 0, 0), Input("CT", slices=offsets, apart=apart)) == expected


@pytest.mark.parametrize("sign", [1, -1])
def test_uneven_slices_are_found_by_their_places(sign: int) -> None:
    uneven = Image(np.zeros((5, 4, 4), np.float32), (3.0, 1.0, 1.0), depths=tuple(sign * d for d in (0, 3, 6, 20, 30)))
    assert slices_of(uneven, Place(2, 0, 0), Input("CT", slices=(-1, 0, 1), apart=10.0)) == (0, 2, 3)


def test_without_a_place_the_middle_slice_is_read() -> None:
    assert slices_of(VOLUME, None, Input("CT")) == (5,)
    with pytest.raises(UnreadableInput, match="slice 11, and the image has 11"):
        slices_of(VOLUME, Place(11, 0, 0), Input("CT"))


def test_the_box_is_the_smallest_square_and_its_margin() -> None:
    film = Image(np.zeros((1, 100, 80), np.float32))
    box = box_of(SquareBox(), film, Place(0, 49.5, 40, 21, 10), 2)
    assert box.high[1] - box.low[1] == box.high[2] - box.low[2] == 21
    assert abs((box.low[1] + box.high[1]) / 2 - 49.5) <= 0.5
    wide = box_of(SquareBox(0.25), film, Place(0, 50, 40, 10, 20), 2)
    assert wide.high[2] - wide.low[2] == 30


def test_a_square_is_square_in_the_patient() -> None:
    flat = Image(np.zeros((3, 100, 100), np.float32), (5.0, 1.0, 0.5))
    box = box_of(SquareBox(), flat, Place(1, 50, 50, 20, 10), 2)
    assert (box.high[1] - box.low[1], box.high[2] - box.low[2]) == (20, 40)
    assert (box.low[0], box.high[0]) == (-0.5, 2.5)


def test_a_crop_has_its_millimetres_in_every_direction() -> None:
    box = box_of(VertebraCrop((20.0, 10.0, 5.0)), VOLUME, Place(5, 20, 15), 3)
    assert [high - low for low, high in zip(*box, strict=True)] == [5, 20, 10]
    assert [abs((high + low) / 2 - at) <= 0.5 for low, high, at in zip(*box, (5, 20, 15), strict=True)] == [True] * 3
    flat = box_of(VertebraCrop((10.0, 5.0)), VOLUME, Place(5, 20, 15), 2)
    assert [high - low for low, high in zip(*flat, strict=True)] == [11, 20, 10]


def test_a_box_may_begin_before_the_image_but_not_miss_it() -> None:
    assert box_of(VertebraCrop((20.0, 20.0)), VOLUME, Place(5, 0, 0), 2).low[1] < -10
    for place in (Place(5, 70, 10), Place(5, -40, 10)):
        with pytest.raises(UnreadableInput, match="outside the image"):
            box_of(VertebraCrop((20.0, 20.0)), VOLUME, place, 2)


def test_what_a_region_needs_is_said() -> None:
    assert box_of(Whole(), VOLUME, None, 3) == whole(VOLUME)
    with pytest.raises(UnreadableInput, match="place of the finding is not known"):
        box_of(VertebraCrop((20.0, 20.0)), VOLUME, None, 2)
    with pytest.raises(UnreadableInput, match="size of the finding is not known"):
        box_of(SquareBox(), VOLUME, Place(5, 20, 15), 2)


def lying(
    origin: tuple[float, float, float], spacing: tuple[float, float, float], shape: tuple[int, int, int]
) -> Image:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Image(np.zeros(shape, np.float32), spacing, affine)


def test_a_place_is_carried_over_through_the_patient() -> None:
    first = lying((0, 0, 0), (4, 1, 1), (10, 40, 40))
    other = lying((8, -10, 5), (2, 0.5, 0.5), (20, 100, 80))
    there = place_in(Place(4, 20, 15, 6, 8), first, other)
    assert there == Place(4.0, 60.0, 20.0, 12.0, 16.0)
    assert place_in(there, other, first) == Place(4, 20, 15, 6, 8)


def test_images_that_do_not_say_where_they_lie_show_the_same_field() -> None:
    first, other = Image(np.zeros((1, 100, 50), np.float32)), Image(np.zeros((1, 200, 100), np.float32))
    assert place_in(Place(0, 9.5, 9.5, 4, 4), first, other) == Place(0.0, 19.5, 19.5, 8.0, 8.0)
    assert place_in(Place(0, 3, 4), first, Image(np.zeros((1, 100, 50), np.float32))) == Place(0, 3, 4)


def test_two_planes_do_not_share_a_place() -> None:
    first = lying((0, 0, 0), (4, 1, 1), (10, 40, 40))
    turned = Image(first.values, first.spacing, np.diag([1.0, 1, 1, 1])[[1, 0, 2, 3]])
    with pytest.raises(UnreadableInput, match="different planes"):
        place_in(Place(4, 20, 15), first, turned)
