"""Masks against their reference: brute force over all pairs of surface points, MONAI, and what is empty."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from analysis.errors import CannotAnalyse
from analysis.localisation.overlap import level_identification, overlap, surface_distance

SPACING = (3.0, 0.7, 0.5)
Masks = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


@pytest.fixture(params=range(4))
def masks(request: pytest.FixtureRequest) -> Masks:
    """Two blobs that overlap in part; of the last pair one touches the border of the image."""
    random = np.random.default_rng(request.param)
    grid = np.indices((9, 20, 24)).transpose(1, 2, 3, 0) * SPACING
    centre = np.array((0.0, 4, 5)) if request.param == 3 else np.array((12.0, 7, 6))
    one, two = (((grid - centre - random.normal(0, 1.5, 3)) ** 2).sum(-1) for _ in range(2))
    return one < random.uniform(20, 40), two < random.uniform(20, 40)


def surface_points(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Voxels with one of the six neighbours outside, in mm, found without morphology."""
    padded = np.pad(mask, 1)
    inner = mask.copy()
    for axis in range(3):
        for step in (-1, 1):
            inner &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return np.asarray(np.argwhere(mask & ~inner) * np.array(SPACING))


def test_distances_are_those_of_all_pairs_of_surface_points(masks: Masks) -> None:
    pairs = cdist(*(surface_points(mask) for mask in masks))
    there, back = pairs.min(axis=1), pairs.min(axis=0)
    found = surface_distance(*masks, SPACING)
    assert found.points == len(there) and found.reference_points == len(back)
    assert found.hausdorff == pytest.approx(max(there.max(), back.max()), rel=1e-12)
    assert found.hausdorff_95 == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)), rel=1e-12)
    assert found.estimate == pytest.approx((there.sum() + back.sum()) / (len(there) + len(back)), rel=1e-12)
    assert (found.mean_to_reference, found.mean_from_reference) == pytest.approx((there.mean(), back.mean()), rel=1e-12)


def test_values_are_those_of_monai(masks: Masks) -> None:
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    one, two = (torch.tensor(mask[None, None].astype(np.float32)) for mask in masks)
    space: dict[str, Any] = {"include_background": True, "spacing": SPACING}
    found, shared = surface_distance(*masks, SPACING), overlap(*masks, SPACING)
    # MONAI works in single precision.
    assert float(metrics.compute_hausdorff_distance(one, two, **space)) == pytest.approx(found.hausdorff, rel=1e-6)
    assert float(metrics.compute_hausdorff_distance(one, two, percentile=95, **space)) == pytest.approx(
        found.hausdorff_95, rel=1e-6
    )
    assert float(metrics.compute_average_surface_distance(one, two, symmetric=True, **space)) == pytest.approx(
        found.estimate, rel=1e-6
    )
    assert float(metrics.compute_dice(one, two)) == pytest.approx(shared.estimate, rel=1e-6)
    assert float(metrics.compute_iou(one, two)) == pytest.approx(shared.iou, rel=1e-6)


def test_dice_iou_and_volumes_hang_together(masks: Masks) -> None:
    found = overlap(*masks, SPACING)
    assert found.estimate == pytest.approx(2 * found.iou / (1 + found.iou), rel=1e-14)
    assert found.volume == pytest.approx(masks[0].sum() * 3 * 0.7 * 0.5, rel=1e-14)
    assert found.volume_difference == pytest.approx((int(masks[0].sum()) - int(masks[1].sum())) * 1.05, rel=1e-12)
    assert found.relative_volume_difference == pytest.approx(masks[0].sum() / masks[1].sum() - 1, rel=1e-12)


def test_exchange_and_scale(masks: Masks) -> None:
    one, two = masks
    found, swapped = surface_distance(one, two, SPACING), surface_distance(two, one, SPACING)
    assert (found.estimate, found.hausdorff, found.hausdorff_95) == pytest.approx(
        (swapped.estimate, swapped.hausdorff, swapped.hausdorff_95), rel=1e-14
    )
    assert found.mean_to_reference == swapped.mean_from_reference
    doubled = surface_distance(one, two, tuple(2 * size for size in SPACING))
    assert doubled.estimate == pytest.approx(2 * found.estimate, rel=1e-14)
    assert overlap(one, two).estimate == overlap(two, one, SPACING).estimate


def test_a_mask_equals_itself(masks: Masks) -> None:
    assert overlap(masks[0], masks[0]).estimate == overlap(masks[0], masks[0]).iou == 1.0
    assert surface_distance(masks[0], masks[0]).hausdorff == 0.0


def test_the_position_within_the_image_does_not_matter(masks: Masks) -> None:
    one, two = (np.pad(mask, ((3, 1), (0, 5), (2, 2))) for mask in masks)
    assert surface_distance(one, two, SPACING).estimate == pytest.approx(
        surface_distance(*masks, SPACING).estimate, rel=1e-14
    )


def test_one_voxel_of_a_line() -> None:
    found = surface_distance(np.array([1, 0, 0, 0]), np.array([0, 0, 0, 1]), (2.5,))
    assert (found.estimate, found.hausdorff, found.points) == (7.5, 7.5, 1)


def test_both_empty_agree_with_a_warning() -> None:
    nothing = np.zeros((3, 3))
    assert (overlap(nothing, nothing).estimate, overlap(nothing, nothing).iou) == (1.0, 1.0)
    assert overlap(nothing, nothing).relative_volume_difference == 0.0
    assert "empty" in overlap(nothing, nothing).warnings[0]
    assert surface_distance(nothing, nothing).hausdorff == 0.0
    assert surface_distance(nothing, nothing).warnings


def test_one_empty_shares_nothing_and_has_no_distance() -> None:
    nothing, one = np.zeros((3, 3)), np.eye(3)
    assert overlap(one, nothing).estimate == overlap(one, nothing).iou == 0.0
    assert overlap(one, nothing).warnings == ("The reference is empty, so nothing is shared.",)
    with pytest.raises(CannotAnalyse, match="The mask is empty"):
        surface_distance(nothing, one)
    with pytest.raises(CannotAnalyse, match="relative difference"):
        _ = overlap(one, nothing).relative_volume_difference


@pytest.mark.parametrize(
    ("mask", "reference", "spacing", "sentence"),
    [
        (np.ones((2, 2)), np.ones((2, 3)), None, "one shape"),
        (np.full((2, 2), 2), np.ones((2, 2)), None, "other than 0 and 1"),
        (np.full((2, 2), np.nan), np.ones((2, 2)), None, "other than 0 and 1"),
        (np.ones((2, 2)), np.ones((2, 2)), (1.0,), "needs 2 numbers"),
        (np.ones((2, 2)), np.ones((2, 2)), (1.0, 0.0), "above 0"),
        (np.ones((0, 2)), np.ones((0, 2)), None, "no voxel"),
    ],
)
def test_what_is_no_pair_of_masks_is_refused(mask: Any, reference: Any, spacing: Any, sentence: str) -> None:
    for compute in (overlap, surface_distance):
        with pytest.raises(CannotAnalyse, match=sentence):
            compute(mask, reference, spacing)


def spine(levels: int) -> npt.NDArray[np.float64]:
    return np.column_stack((np.zeros(levels), np.zeros(levels), 30.0 * np.arange(levels)))


def test_a_shift_by_one_level_identifies_none() -> None:
    truth = spine(5)
    found = level_identification(truth + (0, 0, 30), truth)
    assert (found.identified, found.error, found.named) == (0, 30.0, 5)


def test_a_point_nearer_to_the_next_level_is_not_identified_within_the_limit() -> None:
    truth = spine(3)
    found = level_identification(truth + (0, 0, 16), truth, limit=20)
    # The last level has no neighbour above that could be nearer.
    assert found.identified == 1
    assert level_identification(truth + (0, 0, 14), truth, limit=20).identified == 3


def test_levels_of_other_cases_do_not_compete() -> None:
    truth = np.vstack((spine(2), spine(2) + (0, 0, 4)))
    points = truth + np.array([[0, 0, 3.0]])
    assert level_identification(points, truth, ["a", "a", "b", "b"]).identified == 4
    assert level_identification(points, truth).identified == 2


def test_interval_is_wilsons_and_the_error_has_students() -> None:
    truth = spine(10)
    points = truth + (3, 4, 0)
    points[0] = np.nan
    points[1] += (0, 0, 25)
    found = level_identification(points, truth)
    assert (found.identified, found.named, found.n) == (8, 9, 10)
    # Wilson (1927): the shares p0 whose test statistic (0.8 - p0) / sqrt(p0 (1 - p0) / 10) is +-z.
    interval = found.confidence_interval()
    for limit in (interval.low, interval.high):
        assert abs(0.8 - limit) / np.sqrt(limit * (1 - limit) / 10) == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)
    assert found.error == pytest.approx((8 * 5 + np.sqrt(25**2 + 25)) / 9, rel=1e-14)
    errors = np.array([np.sqrt(25**2 + 25), *[5.0] * 8])
    low, high = stats.t.interval(0.95, 8, errors.mean(), errors.std(ddof=1) / 3)
    assert (found.error_interval().low, found.error_interval().high) == pytest.approx((low, high), rel=1e-12)
    assert any("not named" in text for text in found.warnings) and any("independent" in text for text in found.warnings)


def test_nothing_named() -> None:
    found = level_identification(np.full((4, 3), np.nan), spine(4), list("abcd"))
    assert (found.estimate, found.error, found.largest_error) == (0.0, None, None)
    assert found.confidence_interval().low == 0.0
    with pytest.raises(CannotAnalyse, match="at least two"):
        found.error_interval()


def test_many_cases_at_once() -> None:
    random = np.random.default_rng(3)
    truth = random.normal(0, 100, (100_000, 3))
    found = level_identification(truth + 1, truth, range(100_000))
    assert found.identified == 100_000


@pytest.mark.parametrize(
    ("found", "truth", "case", "limit"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3)), None, 20),
        (np.zeros((2, 3)), np.zeros((3, 3)), None, 20),
        (np.zeros((2, 3)), np.full((2, 3), np.nan), None, 20),
        (np.full((2, 3), np.inf), np.zeros((2, 3)), None, 20),
        (np.zeros((2, 3)), np.zeros((2, 3)), ["a"], 20),
        (np.zeros((2, 3)), np.zeros((2, 3)), None, 0),
    ],
)
def test_what_are_no_levels_is_refused(found: Any, truth: Any, case: Any, limit: float) -> None:
    with pytest.raises(CannotAnalyse):
        level_identification(found, truth, case, limit)
