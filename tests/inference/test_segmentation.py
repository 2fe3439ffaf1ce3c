"""Measures of masks: MONAI's numbers, hand-computed fixtures, published properties, empty masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.measures.segmentation import (
    Overlap,
    PixelAccuracy,
    e_measure,
    hausdorff95,
    mae,
    overlap,
    pixel_accuracy,
    s_measure,
    score,
    weighted_f,
)

RNG = np.random.default_rng(20260401)


def blob(row: int, column: int, height: int, width: int, size: int = 48) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[row : row + height, column : column + width] = True
    return mask


def test_dice_iou_and_hausdorff_are_monais() -> None:
    import torch
    from monai.metrics import HausdorffDistanceMetric, MeanIoU, compute_dice

    for _ in range(12):
        size = [int(n) for n in RNG.integers(5, 25, 8)]
        one, two = blob(size[0], size[1], size[2], size[3]), blob(size[4], size[5], size[6], size[7])
        one |= RNG.random(one.shape) < 0.004
        tensors = [torch.from_numpy(mask[None, None].astype("float32")) for mask in (one, two)]
        found = overlap(one, two)
        assert found.dice == pytest.approx(float(compute_dice(*tensors)), abs=1e-6)
        assert found.iou == pytest.approx(float(MeanIoU()(*tensors)), abs=1e-6)
        for spacing in (None, (0.7, 1.9)):
            theirs = HausdorffDistanceMetric(percentile=95)(*tensors, spacing=spacing)
            assert hausdorff95(one, two, spacing) == pytest.approx(float(theirs), rel=2e-6)


def test_hausdorff_of_volumes_is_monais() -> None:
    import torch
    from monai.metrics import HausdorffDistanceMetric

    one, two = np.zeros((2, 12, 14, 10), bool)
    one[3:8, 4:9, 2:7] = two[4:10, 4:8, 2:9] = True
    tensors = [torch.from_numpy(mask[None, None].astype("float32")) for mask in (one, two)]
    theirs = float(HausdorffDistanceMetric(percentile=95)(*tensors, spacing=(3.0, 1.0, 1.0)))
    assert hausdorff95(one, two, (3.0, 1.0, 1.0)) == pytest.approx(theirs, abs=1e-5)
    volume = score(one.astype(float), two, spacing=(3.0, 1.0, 1.0))
    assert (volume.s_measure, volume.e_measure, volume.weighted_f) == (None, None, None)
    assert volume.false_area.physical == volume.false_area.pixels * 3.0


def test_counts_by_hand() -> None:
    truth, marked = blob(0, 0, 2, 3, 4), blob(1, 1, 2, 2, 4)
    assert overlap(marked, truth) == Overlap(2 * 2 / 10, 2 / 8, 2 / 4, 2 / 6)
    assert pixel_accuracy(marked, truth) == PixelAccuracy(10 / 16, 10 / 16)
    assert pixel_accuracy(marked, truth).gain == 0.0


def test_enhanced_alignment_by_hand() -> None:
    """Truth [1 1; 0 0], mask [1 0; 0 0]: φ_G = ±1/2, φ_P = 3/4, −1/4; ξ = 12/13, −4/5, 4/5, 4/5."""
    truth, values = np.array([[1, 1], [0, 0]], bool), np.array([[1.0, 0.0], [0.0, 0.0]])
    aligned = [12 / 13, -4 / 5, 4 / 5, 4 / 5]
    assert e_measure(values, truth) == pytest.approx(np.mean([(1 + xi) ** 2 / 4 for xi in aligned]), abs=1e-12)


def test_structure_by_hand() -> None:
    """Truth [1 0], map [.8 .2]: objects .8 and .8; the centroid leaves the left pixel and the right one."""
    truth, values = np.array([[True, False]]), np.array([[0.8, 0.2]])
    of_object = 2 * 0.8 / (0.8**2 + 1)
    # Rectangles of one pixel have no spread: numerator and denominator vanish, so each counts 1.
    assert s_measure(values, truth) == pytest.approx(0.5 * of_object + 0.5 * 1.0, abs=1e-12)


def test_structure_of_regions_by_hand() -> None:
    """One row of four, truth 1 1 0 0, map 1 .5 .5 0: the centroid parts it after the second pixel."""
    truth, values = np.array([[True, True, False, False]]), np.array([[1.0, 0.5, 0.5, 0.0]])
    spread = np.std([1.0, 0.5], ddof=1)
    of_object = 2 * 0.75 / (0.75**2 + 1 + spread)
    # Centroid at column 0.5, rounded to the even 0: the left part is one pixel, the right part three.
    right_values, right_truth = np.array([0.5, 0.5, 0.0]), np.array([1.0, 0.0, 0.0])
    together = np.cov(right_values, right_truth)
    top = 4 * right_values.mean() * right_truth.mean() * together[0, 1]
    bottom = (right_values.mean() ** 2 + right_truth.mean() ** 2) * (together[0, 0] + together[1, 1])
    regions = 1 / 4 * 1.0 + 3 / 4 * top / bottom
    assert s_measure(values, truth) == pytest.approx(0.5 * of_object + 0.5 * regions, abs=1e-9)


def test_weighted_f_by_loops() -> None:
    """The definition, pixel by pixel, on a small image."""
    truth = blob(3, 3, 4, 5, 12)
    values = np.clip(truth * 0.8 + RNG.random(truth.shape) * 0.2, 0, 1)
    error, places = np.abs(values - truth), np.argwhere(truth)
    spread, weight = error.copy(), np.ones_like(error)
    for row, column in np.argwhere(~truth):
        apart = np.hypot(*(places - (row, column)).T)
        same = places[np.isclose(apart, apart.min())]
        weight[row, column] = 2 - np.exp(np.log(0.5) / 5 * apart.min())
        spread[row, column] = error[tuple(same[0])]
    kernel = np.array([[np.exp(-(i * i + j * j) / 50) for j in range(-3, 4)] for i in range(-3, 4)])
    kernel /= kernel.sum()
    padded = np.pad(spread, 3, mode="edge")
    smooth = np.array([[(padded[r : r + 7, c : c + 7] * kernel).sum() for c in range(12)] for r in range(12)])
    weighted = np.where(truth, np.minimum(error, smooth), error) * weight
    recall = 1 - weighted[truth].mean()
    precision = (truth.sum() - weighted[truth].sum()) / (truth.sum() - weighted[truth].sum() + weighted[~truth].sum())
    # Where several target pixels are equally near, another may be taken; that moves the smoothed error a little.
    assert weighted_f(values, truth) == pytest.approx(2 * recall * precision / (recall + precision), abs=2e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 10), st.integers(1, 10))
def test_a_perfect_mask_has_one_everywhere_and_all_measures_stay_within_bounds(seed: int, rows: int, cols: int) -> None:
    truth = blob(3, 4, rows, cols, 24)
    best = score(truth.astype(float), truth)
    assert (best.overlap.dice, best.hd95, best.mae) == (1.0, 0.0, 0.0)
    assert best.e_measure == pytest.approx(1, abs=1e-9)
    assert best.weighted_f == pytest.approx(1, abs=1e-9)
    assert best.s_measure == pytest.approx(1, abs=1e-9)
    values = np.random.default_rng(seed).random(truth.shape)
    found = score(values, truth)
    for value in (found.overlap.dice, found.s_measure, found.e_measure, found.weighted_f, found.mae):
        assert value is not None
        assert 0 <= value <= 1


def test_nothing_to_find() -> None:
    empty, marked = np.zeros((20, 20)), blob(2, 2, 4, 5, 20)
    clean, wrong = score(empty, empty, spacing=(0.5, 2.0)), score(marked * 0.9, empty, spacing=(0.5, 2.0))
    for found in (clean, wrong):
        assert found.overlap == Overlap(None, None, None, None)
        assert (found.hd95, found.weighted_f) == (None, None)
        assert found.pixel_accuracy.all_background == 1.0
    assert (clean.false_area.pixels, clean.s_measure, clean.e_measure) == (0, 1.0, 1.0)
    assert (wrong.false_area.pixels, wrong.false_area.share, wrong.false_area.physical) == (20, 0.05, 20.0)
    assert wrong.s_measure == pytest.approx(1 - 0.9 * 0.05)
    assert wrong.e_measure == pytest.approx(0.95)


def test_something_to_find_and_nothing_marked() -> None:
    truth = blob(2, 2, 3, 3, 30)
    found = score(np.zeros(truth.shape), truth)
    assert found.overlap == Overlap(0.0, 0.0, None, 0.0)
    assert found.hd95 is None
    assert found.weighted_f == pytest.approx(0.0, abs=1e-9)
    assert found.pixel_accuracy == PixelAccuracy(0.99, 0.99)
    assert mae(np.zeros(truth.shape), truth) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("values", "truth", "words"),
    [
        (np.zeros((3, 3)), np.zeros((3, 4)), "one shape"),
        (np.full((3, 3), 1.2), np.zeros((3, 3)), "between 0 and 1"),
        (np.full((3, 3), np.nan), np.zeros((3, 3)), "between 0 and 1"),
    ],
)
def test_refusals(values: np.ndarray, truth: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        score(values, truth)
