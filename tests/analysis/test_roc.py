"""The empirical curve: its points, what is read between them, partial areas, and what has none."""

import numpy as np
import pytest

from analysis.errors import CannotAnalyse
from analysis.proportions import ConfusionTable
from analysis.roc import (
    clipped_area,
    heights,
    operating_point,
    partial_area,
    partial_areas,
    roc_curve,
    sensitivity_at,
    specificity_at,
    youden_point,
)
from tests.analysis.test_delong import asah


def test_the_whole_range_is_the_auc_and_parts_add_up() -> None:
    truth, (rating,) = asah("s100b")
    curve = roc_curve(truth, rating)
    for axis in ("specificity", "sensitivity"):
        assert partial_area(curve, axis, 0.0, 1.0) == pytest.approx(curve.area, rel=1e-13)
        halves = partial_area(curve, axis, 0.0, 0.37) + partial_area(curve, axis, 0.37, 1.0)
        assert halves == pytest.approx(curve.area, rel=1e-13)


def test_heights_of_the_curve_at_and_between_its_points() -> None:
    curve = roc_curve(np.array([False, False, True, True, True]), np.array([1.0, 3, 2, 3, 4]))
    # From (0, 1/3) the tie of 3 runs to (1/2, 2/3), then up to (1/2, 1).
    assert sensitivity_at(curve, 1.0) == pytest.approx(1 / 3)
    assert sensitivity_at(curve, 0.75) == pytest.approx(1 / 2)
    assert sensitivity_at(curve, 0.5) == 1.0
    assert specificity_at(curve, 0.5) == pytest.approx(0.75)
    assert specificity_at(curve, 1.0) == pytest.approx(0.5)
    assert specificity_at(curve, 0.0) == 1.0


def test_ranges_that_are_none_are_refused() -> None:
    curve = roc_curve(np.array([False, True]), np.array([1.0, 2.0]))
    for low, high in ((0.8, 0.8), (1.0, 0.8), (-0.1, 0.5), (0.5, 1.5)):
        with pytest.raises(CannotAnalyse, match="needs 0 <= low < high <= 1"):
            partial_area(curve, "specificity", low, high)
    with pytest.raises(CannotAnalyse, match="not over threshold"):
        partial_area(curve, "threshold", 0, 1)  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match=r"not at 1\.2"):
        sensitivity_at(curve, 1.2)


def test_the_higher_threshold_wins_a_tie_of_youden() -> None:
    truth = np.array([False, True, False, True])
    assert youden_point(truth, np.array([1.0, 2, 3, 4])).threshold == 4


def test_one_class_has_no_curve() -> None:
    for truth, missing in (([True, True], "non-diseased"), ([False, False], "diseased"), ([], "no rated cases")):
        with pytest.raises(CannotAnalyse, match=missing):
            roc_curve(np.array(truth, dtype=bool), np.arange(len(truth), dtype=float))


TABLE = ConfusionTable(tp=41, fp=22, tn=47, fn=4)


def test_points_of_a_curve_by_hand() -> None:
    curve = roc_curve(np.array([False, True, True, False, True]), np.array([1.0, 2, 2, 2, 5]))
    assert curve.thresholds.tolist() == [np.inf, 5.0, 2.0, 1.0]
    assert curve.tpr.tolist() == [0.0, 1 / 3, 1.0, 1.0]
    assert curve.fpr.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert (curve.positives, curve.negatives) == (3, 2)
    assert curve.area == pytest.approx(5 / 6)


def test_a_threshold_calls_what_reaches_it() -> None:
    truth, rating = np.array([False, True, True, False, True]), np.array([1.0, 2, 2, 2, 5])
    found = operating_point(truth, rating, 2.0)
    assert found.table == ConfusionTable(tp=3, fp=1, tn=1, fn=0)
    assert (found.threshold, found.sensitivity, found.specificity, found.youden) == (2.0, 1.0, 0.5, 0.5)
    assert operating_point(truth, rating, 2.1).table == ConfusionTable(tp=1, fp=0, tn=2, fn=2)
    with pytest.raises(CannotAnalyse, match="no diseased case"):
        operating_point(np.zeros(2, dtype=bool), np.ones(2), 1.0)


def test_mcclish_is_one_half_for_chance_and_one_for_perfect_separation() -> None:
    truth = np.arange(40) % 2 == 0
    chance, perfect = roc_curve(truth, np.ones(40)), roc_curve(truth, truth.astype(float))
    for axis in ("specificity", "sensitivity"):
        for low, high in ((0.8, 1.0), (0.3, 0.6), (0.0, 1.0)):
            assert partial_area(chance, axis, low, high, corrected=True) == pytest.approx(0.5)
            assert partial_area(perfect, axis, low, high, corrected=True) == pytest.approx(1.0)
            assert partial_area(perfect, axis, low, high) == pytest.approx(high - low)
            assert partial_area(chance, axis, low, high) == pytest.approx(((1 - low) ** 2 - (1 - high) ** 2) / 2)


def test_partial_areas_are_the_mean_height_of_the_curve() -> None:
    truth, (rating,) = asah("s100b")
    curve = roc_curve(truth, rating)
    places = np.linspace(0.6, 0.9, 3001)
    middles = (places[1:] + places[:-1]) / 2
    above = np.mean([sensitivity_at(curve, float(place)) for place in middles]) * 0.3
    beside = np.mean([specificity_at(curve, float(place)) for place in middles]) * 0.3
    assert partial_area(curve, "specificity", 0.6, 0.9) == pytest.approx(above, abs=1e-4)
    assert partial_area(curve, "sensitivity", 0.6, 0.9) == pytest.approx(beside, abs=1e-4)


def test_many_curves_are_read_as_each_by_itself() -> None:
    truth, (one, two) = asah("wfns", "wfns")
    first, second = roc_curve(truth, one), roc_curve(truth, -two)
    fpr, tpr = np.stack([first.fpr, second.fpr]), np.stack([first.tpr, second.tpr])
    for axis in ("specificity", "sensitivity"):
        apart = [partial_area(curve, axis, 0.5, 0.9, corrected=True) for curve in (first, second)]
        assert partial_areas(fpr, tpr, axis, 0.5, 0.9, corrected=True) == pytest.approx(apart, rel=1e-14)
        read = sensitivity_at if axis == "specificity" else specificity_at
        apart = [read(curve, 0.73) for curve in (first, second)]
        assert heights(fpr, tpr, axis, 0.73) == pytest.approx(apart, rel=1e-14)
    assert clipped_area(fpr, tpr, 0.0, 1.0) == pytest.approx([first.area, second.area])


@pytest.mark.parametrize("place", [0.1, 0.2, 0.3, 0.6, 0.7, 0.9])
def test_a_place_beside_a_step_by_rounding_is_on_it(place: float) -> None:
    # Ten non-diseased cases: every tenth of specificity is a vertical step, reached though 1 - 0.9 is not 0.1.
    truth = np.repeat([False, True], 10)
    rating = np.concatenate([np.arange(10.0), np.arange(10.0) + 0.5])
    curve = roc_curve(truth, rating)
    assert sensitivity_at(curve, place) == pytest.approx((10 - round(10 * place) + 1) / 10)
    assert specificity_at(curve, place) == pytest.approx((10 - round(10 * place) + 1) / 10)


def test_the_ends_of_the_axes() -> None:
    truth, (rating,) = asah("wfns")
    curve = roc_curve(truth, rating)
    assert sensitivity_at(curve, 0.0) == 1.0
    assert sensitivity_at(curve, 1.0) == curve.tpr[curve.fpr == 0].max()
    assert specificity_at(curve, 0.0) == 1.0
    assert specificity_at(curve, 1.0) == 1 - curve.fpr[curve.tpr == 1].min()
    for read in (sensitivity_at, specificity_at):
        for place in (-0.2, 1.2):
            with pytest.raises(CannotAnalyse, match=f"not at {place:g}"):
                read(curve, place)


def test_all_ties_are_read_from_the_diagonal() -> None:
    truth = np.array([False, False, True])
    curve = roc_curve(truth, np.ones(3))
    for place in (0.0, 0.25, 0.7, 1.0):
        assert sensitivity_at(curve, place) == pytest.approx(1 - place)
        assert specificity_at(curve, place) == pytest.approx(1 - place)
    assert partial_areas(curve.fpr, curve.tpr, "specificity", 0.5, 1.0) == pytest.approx(1 / 8)
    assert partial_areas(curve.fpr, curve.tpr, "specificity", 0.5, 1.0, corrected=True) == pytest.approx(1 / 2)


def test_a_vertical_step_is_worth_nothing_whatever_memory_held_before() -> None:
    x, y = np.array([0.0, 0, 0.5, 0.5, 1]), np.array([0.0, 0.3, 0.5, 0.8, 1])
    # Freed arrays of the size of the slopes: what numpy does not write, it takes from here.
    left_behind = [np.full(4, np.nan) for _ in range(20)]
    del left_behind
    # From 0.2 to 0.5 the mean height is 0.44, from 0.5 to 0.9 it is 0.88.
    assert clipped_area(x, y, 0.2, 0.9) == pytest.approx(0.3 * 0.44 + 0.4 * 0.88)
