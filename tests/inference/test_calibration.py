"""Platt's sigmoid and Youden's threshold against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.deciding.calibration import calibrated, fit_platt, youden_threshold
from inference.deciding.performance import measure
from inference.outputs import Platt


def test_platt_finds_the_sigmoid_that_made_the_labels() -> None:
    chance = np.random.default_rng(0)
    logits = chance.normal(0, 2, 40_000)
    positive = chance.random(40_000) < 1 / (1 + np.exp(-(0.7 * logits - 0.4)))
    found = fit_platt(logits, positive)
    assert found.slope == pytest.approx(0.7, abs=0.03)
    assert found.intercept == pytest.approx(-0.4, abs=0.03)


def test_calibrated_probabilities_have_the_prevalence_of_the_validation_part() -> None:
    """The score equation of the intercept: the mean probability is the share of positives."""
    chance = np.random.default_rng(1)
    positive = chance.random(500) < 0.3
    logits = chance.normal(positive * 1.5, 1)
    assert calibrated(fit_platt(logits, positive), logits).mean() == pytest.approx(positive.mean(), abs=1e-3)


def test_calibration_never_turns_a_ranking_over() -> None:
    logits = np.array([-2.0, -1.0, 1.0, 2.0])
    backwards = fit_platt(logits, np.array([True, True, False, False]))
    assert (np.diff(calibrated(backwards, logits)) > 0).all()
    assert calibrated(Platt(1.0, 0.0), np.array([-1e9, 1e9])) == pytest.approx([0, 1])


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=40))
def test_no_other_threshold_has_a_higher_youden_index(pairs: list[tuple[int, bool]]) -> None:
    probability = np.array([value / 20 for value, _ in pairs])
    positive = np.array([label for _, label in pairs])
    if positive.all() or not positive.any():
        return

    def index(threshold: float) -> float:
        decided = probability >= threshold
        return float(decided[positive].mean() - decided[~positive].mean())

    best = max(index(threshold) for threshold in [*probability, 1.1])
    assert index(youden_threshold(probability, positive)) == pytest.approx(best)


def test_the_interval_is_as_wide_as_areas_scatter() -> None:
    """2,000 simulated readings of 40 and 60 cases with equal variances, area .86."""
    chance = np.random.default_rng(3)
    positive = np.arange(100) < 40
    found = [measure(1 / (1 + np.exp(-chance.normal(positive * 1.53, 1))), positive, 0.5) for _ in range(2000)]
    scatter = np.std([one.auc for one in found])
    half_widths = np.median([(one.auc_high - one.auc_low) / 2 for one in found])
    assert np.mean([one.auc for one in found]) == pytest.approx(0.86, abs=0.005)
    assert half_widths == pytest.approx(1.96 * scatter, rel=0.08)


def test_sensitivity_and_specificity_count_at_the_threshold() -> None:
    found = measure(np.array([0.2, 0.5, 0.5, 0.9]), np.array([False, False, True, True]), 0.5)
    assert (found.sensitivity, found.specificity, found.auc) == (1.0, 0.5, 0.875)
