"""Mean ROC curves: what they keep of the curves they are the mean of."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import CannotAnalyse
from analysis.mean_roc import DIRECTIONS, mean_curve
from analysis.roc import RocCurve, roc_curve


def curves(seed: int, readers: int = 4, levels: int = 5) -> list[RocCurve]:
    rng = np.random.default_rng(seed)
    truth = np.arange(40) % 3 == 0
    return [roc_curve(truth, rng.integers(0, levels, 40) + 1.0 * truth) for _ in range(readers)]


@given(seed=st.integers(0, 10_000), levels=st.sampled_from([2, 5, 500]), direction=st.sampled_from(DIRECTIONS))
@settings(max_examples=40, deadline=None)
def test_the_area_is_the_mean_of_the_areas(seed: int, levels: int, direction: Any) -> None:
    drawn = curves(seed, levels=levels)
    found = mean_curve(drawn, direction)
    assert found.area == pytest.approx(np.mean([curve.area for curve in drawn]), abs=1e-12)
    assert (found.fpr[0], found.tpr[0]) == pytest.approx((0, 0))
    assert (found.fpr[-1], found.tpr[-1]) == pytest.approx((1, 1))
    assert (np.diff(found.fpr) >= -1e-12).all() and (np.diff(found.tpr) >= -1e-12).all()


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_mean_of_one_curve_is_the_curve(direction: Any) -> None:
    curve = curves(1, readers=1)[0]
    found = mean_curve([curve, curve], direction)
    for x, y in zip(curve.fpr, curve.tpr, strict=True):
        assert np.hypot(found.fpr - x, found.tpr - y).min() < 1e-12


def test_turning_the_truth_turns_vertical_into_horizontal() -> None:
    drawn = curves(2)
    turned = [RocCurve(1 - c.tpr[::-1], 1 - c.fpr[::-1], c.thresholds, c.negatives, c.positives) for c in drawn]
    one, two = mean_curve(drawn, "vertical"), mean_curve(turned, "horizontal")
    np.testing.assert_allclose(one.fpr, 1 - two.tpr[::-1], atol=1e-12)
    np.testing.assert_allclose(one.tpr, 1 - two.fpr[::-1], atol=1e-12)


def test_nothing_to_average() -> None:
    with pytest.raises(CannotAnalyse, match="no ROC curve"):
        mean_curve([])
    with pytest.raises(CannotAnalyse, match="not pooled"):
        mean_curve(curves(1), "pooled")  # type: ignore[arg-type]
