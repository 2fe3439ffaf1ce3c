"""The unbiased covariance against the plain sum over quadruples of cases, on every way it is counted."""

import warnings

import numpy as np
import pytest

from analysis import unbiased
from analysis.covariance import covariance, figures_of_merit
from analysis.ratings import Bools, Floats, Ratings
from analysis.unbiased import by_bits, success_sums, unbiased_auc, unbiased_mean

NAN = np.nan


def scores(positives: Floats, negatives: Floats) -> Floats:
    """s (test, i, j): 1, 1/2 or 0, NaN where either was not read."""
    above = (positives[:, :, None] > negatives[:, None, :]) + (positives[:, :, None] == negatives[:, None, :]) / 2
    return np.where(np.isnan(positives[:, :, None] + negatives[:, None, :]), NAN, above)


def by_definition(truth: Bools, values: Floats) -> Floats:
    """theta_x theta_y minus the mean of s_x(i,j) s_y(k,l) over i != k, j != l."""
    s = scores(values[:, truth], values[:, ~truth])
    answer = np.full((len(s), len(s)), NAN)
    for x, one in enumerate(s):
        for y, two in enumerate(s):
            if np.isnan(one).all() or np.isnan(two).all():
                continue
            products = one[:, :, None, None] * two[None, None]
            i, j, k, m = np.indices(products.shape)
            apart = (i != k) & (j != m)
            answer[x, y] = np.nanmean(one) * np.nanmean(two) - np.nanmean(products[apart])
    return answer


def ratings_of(truth: Bools, values: Floats) -> Ratings:
    names = tuple(f"R{place}" for place in range(len(values)))
    return Ratings(names, ("A",), tuple(map(str, range(len(truth)))), truth, values[:, None])


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("kind", ["few levels", "many levels", "no ties"])
def test_every_way_counts_every_quadruple(kind: str, missing: float) -> None:
    generator = np.random.default_rng(len(kind))
    truth = np.arange(33) % 3 == 0
    values = generator.normal(size=(4, 33)) + truth
    values = {"few levels": np.round(values), "many levels": np.round(values, 1), "no ties": values}[kind]
    values[generator.random(values.shape) < missing] = NAN
    np.testing.assert_allclose(unbiased_auc(ratings_of(truth, values)), by_definition(truth, values), atol=1e-12)


def test_a_test_without_readings_has_no_covariance() -> None:
    truth = np.array([True, True, False, False, False])
    values = np.array([[2.0, 3, 1, 2, 4], [NAN] * 5, [1.0, 3, 1, 1, 2]])
    part = values[:, :3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, means = unbiased_auc(ratings_of(truth, values)), unbiased_mean(part)
    assert np.isnan(found[1]).all() and np.isnan(found[:, 1]).all()
    np.testing.assert_allclose(found, by_definition(truth, values), atol=1e-14)
    assert np.isnan(means[1]).all() and not np.isnan(means[np.ix_([0, 2], [0, 2])]).any()


def test_tests_of_separate_cases_do_not_vary_together() -> None:
    generator = np.random.default_rng(8)
    truth = np.arange(24) % 2 == 0
    values = generator.normal(size=(2, 24)) + truth
    values[0, 12:], values[1, :12] = NAN, NAN
    assert unbiased_auc(ratings_of(truth, values))[0, 1] == pytest.approx(0, abs=1e-15)
    assert unbiased_mean((values > 0) + 0 * values)[0, 1] == pytest.approx(0, abs=1e-15)


def test_shares_of_decisions_have_the_plain_covariance_of_means() -> None:
    part = (np.random.default_rng(2).random((3, 17)) < 0.6).astype(float)
    np.testing.assert_allclose(unbiased_mean(part), np.cov(part) / 17, atol=1e-15)


def test_shares_with_gaps_count_every_pair_of_cases() -> None:
    part = (np.random.default_rng(3).random((3, 11)) < 0.6).astype(float)
    part[0, 2], part[1, 5:8], part[2, 2] = NAN, NAN, NAN
    apart = ~np.eye(11, dtype=bool)
    expected = [
        [np.nanmean(one) * np.nanmean(two) - np.nanmean(np.outer(one, two)[apart]) for two in part] for one in part
    ]
    np.testing.assert_allclose(unbiased_mean(part), expected, atol=1e-15)


def test_sums_of_scores_are_plain_sums() -> None:
    generator = np.random.default_rng(5)
    positives = generator.integers(5, 45, (3, 50)).astype(float)
    negatives = generator.integers(0, 40, (3, 30)).astype(float)
    positives[1, 4:9], negatives[0, 3], negatives[2, :7] = NAN, NAN, NAN
    s = np.nan_to_num(scores(positives, negatives))
    rows, columns, both = success_sums(positives, negatives)
    np.testing.assert_allclose(rows, s.sum(axis=2), atol=1e-12)
    np.testing.assert_allclose(columns, s.sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(both, np.einsum("xij,yij->xy", s, s), atol=1e-10)


@pytest.mark.parametrize("negatives", [1, 7, 8, 64, 65, 130])
@pytest.mark.parametrize("block", [1, 200, 1 << 17])
def test_bits_are_counted_whole_in_blocks_of_any_size(
    negatives: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unbiased, "PAIRS", block)
    generator = np.random.default_rng(negatives)
    limit = generator.integers(0, negatives + 1, (3, 21)).astype(np.int32)
    rank = np.stack([generator.permutation(negatives) for _ in range(3)]).astype(np.int32)
    below = (rank[:, None, :] < limit[:, :, None]).astype(float)
    np.testing.assert_array_equal(by_bits(limit, rank), np.einsum("xij,yij->xy", below, below))


def test_more_non_diseased_cases_than_a_short_number_holds() -> None:
    many = np.iinfo(np.int16).max
    for size in (many - 1, many, many + 1):
        limit, rank = np.array([[size, 0, 5]], dtype=np.int32), np.arange(size, dtype=np.int32)[None]
        assert by_bits(limit, rank)[0, 0] == size + 5


def test_both_sides_of_the_number_of_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unbiased, "LEVELS", 3)
    truth = np.arange(30) % 2 == 0
    for levels in (3, 4):
        values = np.random.default_rng(levels).integers(0, levels, (2, 30)).astype(float)
        np.testing.assert_allclose(unbiased_auc(ratings_of(truth, values)), by_definition(truth, values), atol=1e-13)


@pytest.mark.parametrize(("figure", "kind"), [("sensitivity", True), ("specificity", False)])
def test_the_unbiased_covariance_of_decisions_is_that_of_the_cases_they_rest_on(figure: str, kind: bool) -> None:
    generator = np.random.default_rng(6)
    truth = np.arange(21) % 3 == 0
    values = (generator.random((3, 21)) < 0.5).astype(float)
    values[1, [0, 4, 5]] = NAN
    found = covariance(figures_of_merit(ratings_of(truth, values), figure), "unbiased")
    right = values if kind else 1 - values
    part = right[:, truth == kind]
    apart = ~np.eye(part.shape[1], dtype=bool)
    expected = [
        [np.nanmean(one) * np.nanmean(two) - np.nanmean(np.outer(one, two)[apart]) for two in part] for one in part
    ]
    np.testing.assert_allclose(found, expected, atol=1e-15)
