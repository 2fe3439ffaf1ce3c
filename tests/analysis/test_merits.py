"""Figures of merit: value, values without each case, values under weights; each against the plain way to it."""

import warnings

import numpy as np
import pytest

from analysis import case_bootstrap
from analysis.case_bootstrap import bootstrap_covariance, drawn
from analysis.delong import delong_auc
from analysis.errors import CannotAnalyse
from analysis.merit_names import merit_named
from analysis.merits import Auc, Custom, Merit, weighted_steps
from analysis.ratings import Bools, Floats, Ratings
from analysis.roc import partial_area, roc_curve, sensitivity_at, specificity_at

RATED = (
    "auc", "pauc:specificity:0.8:1", "pauc:specificity:0.3:0.7", "pauc:sensitivity:0.8:1:mcclish",
    "pauc:sensitivity:0.25:0.5", "eu:1", "eu:0.5", "sensitivity-at:0.9", "sensitivity-at:0.5", "sensitivity-at:1",
    "sensitivity-at:0", "specificity-at:0.9", "specificity-at:0.2",
)  # fmt: skip
DECIDED = ("sensitivity", "specificity", "accuracy")


def data(name: str, seed: int) -> tuple[Bools, Floats]:
    """Continuous, coarse and five-point ratings in turn; decisions where the figure needs them."""
    generator = np.random.default_rng(seed)
    size = int(generator.integers(8, 50))
    truth = generator.random(size) < 0.5
    truth[:3], truth[3:6] = True, False
    values = generator.normal(size=size) + truth
    if name in DECIDED:
        return truth, (values > 0.5).astype(float)
    return truth, [values, np.round(values, 1), np.round(values)][seed % 3]


@pytest.mark.parametrize("seed", range(9))
@pytest.mark.parametrize("name", RATED + DECIDED)
def test_without_each_case_as_if_it_had_not_been_there(name: str, seed: int) -> None:
    truth, values = data(name, seed)
    merit = merit_named(name)
    plain = [merit.value(np.delete(truth, i), np.delete(values, i)) for i in range(len(truth))]
    np.testing.assert_allclose(merit.without_each(truth, values), plain, atol=1e-12)
    np.testing.assert_allclose(Custom("plain", merit.value).without_each(truth, values), plain, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", RATED + DECIDED)
def test_weights_count_cases_as_often_as_copies_would(name: str, seed: int) -> None:
    truth, values = data(name, seed)
    merit = merit_named(name)
    weights = np.random.default_rng(seed).integers(1, 4, size=(len(truth), 5))
    plain = [merit.value(np.repeat(truth, column), np.repeat(values, column)) for column in weights.T]
    np.testing.assert_allclose(merit.weighted(truth, values, weights.astype(float)), plain, atol=1e-12)
    own = Custom("plain", merit.value).weighted(truth, values, weights.astype(float))
    np.testing.assert_allclose(own, plain, atol=1e-12)


def test_many_distinct_ratings_are_weighted_alike() -> None:
    truth = np.arange(300) % 2 == 0
    values = np.random.default_rng(1).normal(size=300) + truth
    weights = np.random.default_rng(2).integers(0, 3, size=(300, 4))
    merit = merit_named("pauc:specificity:0.6:0.9")
    plain = [merit.value(np.repeat(truth, column), np.repeat(values, column)) for column in weights.T]
    np.testing.assert_allclose(merit.weighted(truth, values, weights.astype(float)), plain, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_values_are_those_of_the_curve(seed: int) -> None:
    truth, values = data("auc", seed)
    curve = roc_curve(truth, values)
    for name, expected in (
        ("auc", curve.area),
        ("pauc:specificity:0.8:1", partial_area(curve, "specificity", 0.8, 1)),
        ("pauc:sensitivity:0.6:0.9:mcclish", partial_area(curve, "sensitivity", 0.6, 0.9, corrected=True)),
        ("sensitivity-at:0.85", sensitivity_at(curve, 0.85)),
        ("specificity-at:0.7", specificity_at(curve, 0.7)),
        ("eu:2", float((curve.tpr - 2 * curve.fpr).max())),
    ):
        assert merit_named(name).value(truth, values) == pytest.approx(expected, abs=1e-12), name


@pytest.mark.parametrize("name", RATED)
def test_perfect_and_useless_ratings_stay_within_the_limits(name: str) -> None:
    merit = merit_named(name)
    truth = np.arange(12) % 2 == 0
    low, high = merit.limits
    for values in (truth.astype(float), 1.0 - truth, np.zeros(12)):
        assert low - 1e-12 <= merit.value(truth, values) <= high + 1e-12
    assert merit.value(truth, truth.astype(float)) == pytest.approx(high)


@pytest.mark.parametrize("name", ["auc", "pauc:specificity:0.8:1", "sensitivity-at:0.75", "pauc:sensitivity:0.5:1"])
def test_chance_is_what_all_ties_give(name: str) -> None:
    merit = merit_named(name)
    assert merit.value(np.arange(12) % 2 == 0, np.zeros(12)) == pytest.approx(merit.chance)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("area", "The figure of merit is one of auc, sensitivity"),
        ("pauc", "pauc:specificity:0.8:1"),
        ("pauc:specificity:0.8", "pauc:specificity:0.8:1"),
        ("pauc:fpr:0:0.2", "pauc:specificity:0.8:1"),
        ("pauc:specificity:0.9:0.8", "0 <= low < high <= 1"),
        ("pauc:specificity:low:1", "not a number"),
        ("eu:0", "is positive"),
        ("eu:1:2", "eu:SLOPE"),
        ("sensitivity-at:1.2", "between 0 and 1"),
        ("sensitivity-at", "sensitivity-at:0.9"),
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        merit_named(name)


@pytest.mark.parametrize("name", ["auc", "pauc:specificity:0.8:1", "eu:1", "sensitivity-at:0.9"])
def test_a_class_of_one_case_has_no_jackknife(name: str) -> None:
    truth = np.array([True, False, False, False])
    with pytest.raises(CannotAnalyse, match="at least two"):
        merit_named(name).without_each(truth, np.arange(4.0))


def test_the_bootstrap_converges_to_the_plain_variance_of_one_area() -> None:
    generator = np.random.default_rng(3)
    truth = np.arange(400) % 2 == 0
    values = generator.normal(size=400) + truth
    ratings = Ratings(("R",), ("A",), tuple(map(str, range(400))), truth, values[None, None])
    found = bootstrap_covariance(ratings, Auc(), 4000, seed=5)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(delong_auc(truth, values).se, rel=0.05)
    assert (found.dropped, found.seed) == (0, 5)


def bootstrapped(truth: list[bool], rows: list[list[float]], merit: Merit) -> None:
    names = tuple(f"R{place}" for place in range(len(rows)))
    values = np.array(rows)[:, None, :]
    bootstrap_covariance(Ratings(names, ("A",), tuple(map(str, truth)), np.array(truth), values), merit, 200)


def test_a_reader_whose_class_is_mostly_not_drawn_is_refused() -> None:
    nan = np.nan
    truth = [True, True, True, True, False, False]
    with pytest.raises(CannotAnalyse, match="In most bootstrap draws"):
        bootstrapped(truth, [[1, nan, nan, nan, 1, 2], [nan, 1, nan, nan, 1, 2], [nan, nan, 1, nan, 2, 1]], Auc())
    with pytest.raises(CannotAnalyse, match="diseased and non-diseased"):
        bootstrapped([True, True], [[1, 2]], Auc())


@pytest.mark.parametrize("name", ["auc", *DECIDED])
def test_two_cases_of_a_class_are_enough_for_the_jackknife(name: str) -> None:
    truth = np.array([True, True, False, False])
    values = np.array([1.0, 0, 0, 1])
    merit = merit_named(name)
    plain = [merit.value(np.delete(truth, i), np.delete(values, i)) for i in range(4)]
    np.testing.assert_allclose(merit.without_each(truth, values), plain, atol=1e-15)


def two_readers() -> Ratings:
    generator = np.random.default_rng(12)
    truth = np.arange(14) < 6
    values = generator.normal(size=(3, 1, 14)) + truth
    values[1] = np.nan
    values[2, 0, [0, 9]] = np.nan
    return Ratings(("R", "S", "T"), ("A",), tuple(map(str, range(14))), truth, values)


def test_every_case_is_drawn_alike_and_as_many_of_each_class_as_there_are() -> None:
    ratings = two_readers()
    weights = drawn(np.random.default_rng(1), ratings, 20000)
    np.testing.assert_array_equal(weights[:6].sum(axis=0), 6)
    np.testing.assert_array_equal(weights[6:].sum(axis=0), 8)
    # Multinomial: mean 1, variance 1 - 1/n, covariance -1/n within a class and none between classes.
    expected = np.zeros((14, 14))
    expected[:6, :6], expected[6:, 6:] = np.eye(6) - 1 / 6, np.eye(8) - 1 / 8
    np.testing.assert_allclose(weights.mean(axis=1), 1, atol=0.03)
    np.testing.assert_allclose(np.cov(weights), expected, atol=0.05)


def test_the_bootstrap_is_the_covariance_of_the_figures_of_what_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    ratings = two_readers()
    weights = drawn(np.random.default_rng(9), ratings, 50)
    figures = []
    for place in (0, 2):
        truth, values = ratings.cell(ratings.readers[place], "A")
        read = ~np.isnan(ratings.values[place, 0])
        figures.append(Auc().weighted(truth, values, weights[read]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = bootstrap_covariance(ratings, Auc(), 50, seed=9)
    assert (found.replicates, found.dropped, found.seed) == (50, 0, 9)
    np.testing.assert_allclose(found.covariance[np.ix_([0, 2], [0, 2])], np.cov(figures), atol=1e-15)
    assert np.isnan(found.covariance[1]).all() and np.isnan(found.covariance[:, 1]).all()
    # Blocks of seven replicates, the last one short, draw other cases but as many replicates.
    monkeypatch.setattr(case_bootstrap, "BLOCK", 7 * 14)
    apart = bootstrap_covariance(ratings, Auc(), 4000, seed=9).covariance[np.ix_([0, 2], [0, 2])]
    monkeypatch.setattr(case_bootstrap, "BLOCK", 1)
    single = bootstrap_covariance(ratings, Auc(), 4000, seed=8).covariance[np.ix_([0, 2], [0, 2])]
    np.testing.assert_allclose(apart, single, rtol=0.2, atol=0.001)


def test_two_replicates_are_the_fewest() -> None:
    found = bootstrap_covariance(two_readers(), Auc(), 2, seed=3)
    assert (found.replicates, np.linalg.matrix_rank(found.covariance[np.ix_([0, 2], [0, 2])])) == (2, 1)


def test_replicates_without_a_class_of_some_reader_are_dropped_and_counted() -> None:
    # The second reader read one of three diseased cases: (2/3)³ = 8/27 of the draws are without it.
    truth = np.array([True, True, True, False, False])
    values = np.array([[[1.0, 2, 3, 1, 2]], [[3.0, np.nan, np.nan, 1, 2]]])
    ratings = Ratings(("R", "S"), ("A",), tuple("12345"), truth, values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = bootstrap_covariance(ratings, Auc(), 3000, seed=1)
    assert found.dropped / 3000 == pytest.approx(8 / 27, abs=0.035)
    weights = drawn(np.random.default_rng(1), ratings, 3000)
    assert found.dropped == (weights[0] == 0).sum()


def holding_both(ratings: Ratings, seed: int) -> int:
    """How many of twenty draws hold both of the first two cases."""
    return int((drawn(np.random.default_rng(seed), ratings, 20)[:2] > 0).all(axis=0).sum())


def test_half_of_the_replicates_are_enough_and_fewer_are_not() -> None:
    # Either reader read one of two diseased cases: half of the draws hold both.
    values = np.array([[[1.0, np.nan, 1, 2]], [[np.nan, 2.0, 2, 1]]])
    ratings = Ratings(("R", "S"), ("A",), tuple("1234"), np.array([True, True, False, False]), values)
    kept = {
        seed: int((drawn(np.random.default_rng(seed), ratings, 20)[:2] == 1).all(axis=0).sum()) for seed in range(99)
    }
    for number in (8, 9, 10, 11):
        seed = next(seed for seed, found in kept.items() if found == number)
        if number < 10:
            with pytest.raises(CannotAnalyse, match="In most bootstrap draws"):
                bootstrap_covariance(ratings, Auc(), 20, seed)
        else:
            assert bootstrap_covariance(ratings, Auc(), 20, seed).dropped == 20 - number


@pytest.mark.parametrize("levels", [31, 32, 33])
def test_steps_are_counted_alike_with_few_and_many_ratings(levels: int) -> None:
    generator = np.random.default_rng(levels)
    values = np.concatenate([np.arange(levels), generator.integers(0, levels, 60)]) + 0.0
    truth, weights = generator.random(len(values)) < 0.5, generator.integers(0, 3, (len(values), 5)).astype(float)
    diseased, healthy = weighted_steps(truth, values, weights)
    for place, level in enumerate(np.arange(levels)[::-1]):
        here = values == level
        np.testing.assert_array_equal(diseased[:, place], weights[here & truth].sum(axis=0))
        np.testing.assert_array_equal(healthy[:, place], weights[here & ~truth].sum(axis=0))
