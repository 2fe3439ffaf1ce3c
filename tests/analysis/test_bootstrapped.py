"""Partial areas, and the bootstrap of curves: its draws, its edges, a comparison of pROC within Monte-Carlo error."""

import numpy as np
import pytest

from analysis.bootstrapped import Part, area_measure, bootstrap_area, bootstrap_test, kinds_of, measured
from analysis.delong import delong_auc
from analysis.errors import CannotAnalyse
from analysis.resampling import bootstrap, drawn_counts
from analysis.roc import roc_curve
from tests.analysis.oracle_entries import entry
from tests.analysis.test_delong import asah


def test_curves_from_counts_are_the_curve() -> None:
    generator = np.random.default_rng(3)
    for rating in (generator.normal(size=60), generator.integers(0, 5, 60).astype(float)):
        truth = np.arange(60) % 3 == 0
        curve = roc_curve(truth, rating)
        kinds = kinds_of(truth, np.stack([rating, -rating]))
        positive, negative = kinds.steps[0]
        np.testing.assert_allclose(positive.shares(kinds.positive[None, :])[0], curve.tpr, atol=1e-14)
        np.testing.assert_allclose(negative.shares(kinds.negative[None, :])[0], curve.fpr, atol=1e-14)


def test_drawn_curves_are_those_of_the_drawn_cases() -> None:
    generator = np.random.default_rng(4)
    truth = np.arange(50) % 2 == 0
    ratings = np.stack([generator.integers(0, 5, 50), generator.integers(0, 30, 50)]).astype(float)
    kinds = kinds_of(truth, ratings)
    cases = generator.integers(0, 25, 25) * 2, generator.integers(0, 25, 25) * 2 + 1
    counts = tuple(
        np.array([(kind == ratings[:, drawn].T).all(axis=1).sum() for kind in np.unique(ratings[:, of].T, axis=0)])
        for drawn, of in zip(cases, (truth, ~truth), strict=True)
    )
    found = measured(kinds, (counts[0][None, :], counts[1][None, :]), area_measure(None))[0]
    both = np.concatenate(cases)
    expected = [roc_curve(truth[both], rating[both]).area for rating in ratings]
    assert found == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("sizes", [[400, 600], [1, 2, 3, 1, 1]])
def test_counts_of_drawn_cases_have_the_moments_of_the_multinomial(sizes: list[int]) -> None:
    expected = np.array(sizes)
    n, share = expected.sum(), expected / expected.sum()
    counts = drawn_counts(expected, 20_000, np.random.default_rng(5))
    assert (counts.sum(axis=1) == n).all()
    assert counts.mean(axis=0) == pytest.approx(expected, abs=5 * np.sqrt(n * share.max() / 20_000))
    assert counts.var(axis=0) == pytest.approx(n * share * (1 - share), rel=0.06)


def test_samples_of_one_class_are_left_out_and_counted() -> None:
    found = bootstrap_area(np.array([True, False, False]), np.array([2.0, 1, 3]), replicates=200, stratified=False)
    assert 0 < len(found.replicates) < 200
    assert f"{200 - len(found.replicates)} of 200" in found.warnings[0]


def test_a_corrected_part_below_chance_is_told() -> None:
    truth, rating = np.arange(20) % 2 == 0, np.tile([1.0, 2.0], 10)
    found = bootstrap_area(truth, rating, Part("specificity", 0.8, 1, corrected=True), replicates=20)
    assert found.estimate < 0.5
    assert any("below that of chance" in text for text in found.warnings)


def test_bootstrap_comparison_of_proc_within_monte_carlo_error() -> None:
    truth, (one, two) = asah("s100b", "wfns")
    expected = entry("roc_compare", "bootstrap_paired_s100b_wfns/asah").values
    found = bootstrap_test(truth, one, two)
    assert found.se > 0
    # The standard deviation of 2000 replicates has a relative error of 1/sqrt(4000); three of them.
    assert -found.estimate / found.se == pytest.approx(expected["statistic"]["D"], rel=0.05)
    assert found.p == pytest.approx(expected["p.value"], abs=0.012)


def test_the_bootstrap_error_is_near_delongs_and_its_seed_repeats_it() -> None:
    truth, (rating,) = asah("wfns")
    found, again = bootstrap_area(truth, rating, seed=4), bootstrap_area(truth, rating, seed=4)
    assert found.se == pytest.approx(delong_auc(truth, rating).se, rel=0.1)
    np.testing.assert_array_equal(found.replicates, again.replicates)
    assert found.seed == 4


def test_edges_of_the_bootstrap() -> None:
    truth = np.array([False, False, True, True])
    found = bootstrap_area(truth, np.array([1.0, 2, 3, 4]), replicates=20)
    assert (found.estimate, found.se, found.p) == (1.0, 0.0, None)
    assert found.warnings
    same = bootstrap_test(truth, np.array([1.0, 3, 2, 4]), np.array([1.0, 3, 2, 4]), replicates=20)
    assert (same.estimate, same.p) == (0.0, 1.0)
    with pytest.raises(CannotAnalyse, match="without any variation"):
        bootstrap_test(truth, np.array([1.0, 1, 1, 1]), np.array([1.0, 1, 2, 2]), replicates=20)
    with pytest.raises(CannotAnalyse, match="no diseased case"):
        bootstrap_area(np.zeros(4, dtype=bool), np.arange(4.0))
    with pytest.raises(CannotAnalyse, match="at least two replicates"):
        bootstrap(truth, np.ones((1, 4)), lambda t, r: 0.0, replicates=1)
    with pytest.raises(CannotAnalyse, match="needs diseased and non-diseased"):
        bootstrap(np.ones(4, dtype=bool), np.ones((1, 4)), lambda t, r: 0.0)
