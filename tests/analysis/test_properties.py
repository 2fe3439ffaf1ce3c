"""Identities that hold for any data: monotone maps, truth flips, swaps, order, duplication."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.covariance import COVARIANCES, covariance, figures_of_merit
from analysis.delong import delong_auc, delong_covariance, delong_test, placements
from analysis.errors import CannotAnalyse
from analysis.mrmc import Mrmc, Sampling, obuchowski_rockette
from analysis.paired import PairedTable, mcnemar, newcombe, tango
from analysis.ratings import Bools, Floats, Ratings
from analysis.roc import roc_curve

Seeds = st.integers(0, 2**32 - 1)
Few = settings(max_examples=40, deadline=None)
COUNTS = st.integers(0, 30)


def scores(seed: int, rows: int = 2, ties: bool = True) -> tuple[Bools, Floats]:
    """Random truth with at least two of each class, and correlated ratings with or without ties."""
    generator = np.random.default_rng(seed)
    n = int(generator.integers(6, 60))
    truth = generator.permutation(np.arange(n) < int(generator.integers(2, n - 1)))
    ratings = generator.normal(size=(rows, n)) + truth + generator.normal(size=n)
    return truth, np.round(ratings, 1) if ties else ratings


def study(seed: int, readers: int = 4, arms: int = 2) -> Ratings:
    truth, values = scores(seed, readers * arms)
    cases = tuple(f"C{place}" for place in range(len(truth)))
    names = tuple(f"R{place}" for place in range(readers))
    return Ratings(names, tuple("ABCDE"[:arms]), cases, truth, values.reshape(readers, arms, -1))


def analysed(ratings: Ratings, readers: Sampling = "random") -> Mrmc:
    """The analysis, or an assumption that the random data allow it."""
    try:
        return obuchowski_rockette(ratings, readers=readers)
    except CannotAnalyse:
        assume(False)
        raise


@Few
@given(Seeds, st.booleans())
def test_placements_of_either_class_average_to_the_area_of_the_curve(seed: int, ties: bool) -> None:
    truth, ratings = scores(seed, 1, ties)
    place, area = placements(truth, ratings[0]), roc_curve(truth, ratings[0]).area
    assert place[truth].mean() == pytest.approx(area, abs=1e-12)
    assert place[~truth].mean() == pytest.approx(area, abs=1e-12)


@Few
@given(Seeds)
def test_placements_count_every_pair(seed: int) -> None:
    truth, ratings = scores(seed, 1)
    positive, negative = ratings[0][truth][:, None], ratings[0][~truth][None, :]
    wins = (positive > negative) + (positive == negative) / 2
    place = placements(truth, ratings[0])
    np.testing.assert_allclose(place[truth], wins.mean(axis=1), atol=1e-13)
    np.testing.assert_allclose(place[~truth], wins.mean(axis=0), atol=1e-13)


@Few
@given(Seeds)
def test_a_monotone_map_of_the_ratings_changes_nothing(seed: int) -> None:
    truth, ratings = scores(seed)
    areas, matrix = delong_covariance(truth, ratings)
    mapped, mapped_matrix = delong_covariance(truth, np.exp(ratings / 3) * 7 - 2)
    np.testing.assert_allclose(areas, mapped, atol=1e-13)
    np.testing.assert_allclose(matrix, mapped_matrix, atol=1e-13)


@Few
@given(Seeds)
def test_flipping_the_truth_mirrors_the_auc_and_keeps_its_error(seed: int) -> None:
    truth, ratings = scores(seed, 1)
    one, two = delong_auc(truth, ratings[0]), delong_auc(~truth, ratings[0])
    assert one.estimate == pytest.approx(1 - two.estimate, abs=1e-12)
    assert one.se == pytest.approx(two.se, abs=1e-12)


@Few
@given(Seeds)
def test_swapping_the_ratings_negates_z_and_keeps_p(seed: int) -> None:
    truth, ratings = scores(seed)
    try:
        one, two = delong_test(truth, ratings[0], ratings[1]), delong_test(truth, ratings[1], ratings[0])
    except CannotAnalyse:
        assume(False)
    assert one.statistic == pytest.approx(-two.statistic, abs=1e-9)
    assert one.p == pytest.approx(two.p, abs=1e-9)


@Few
@given(Seeds)
def test_swapping_the_arms_mirrors_the_many_reader_analysis(seed: int) -> None:
    ratings = study(seed)
    one, two = analysed(ratings), analysed(ratings.restricted(arms=["B", "A"]))
    assert one.estimate == pytest.approx(-two.estimate, abs=1e-12)
    assert one.se == pytest.approx(two.se, rel=1e-9)
    assert one.p == pytest.approx(two.p, rel=1e-8)


@Few
@given(Seeds)
def test_the_order_of_readers_and_cases_is_immaterial(seed: int) -> None:
    ratings = study(seed)
    order = np.random.default_rng(seed).permutation(len(ratings.cases))
    mixed = Ratings(
        ratings.readers[::-1],
        ratings.arms,
        tuple(ratings.cases[place] for place in order),
        ratings.truth[order],
        ratings.values[::-1][:, :, order],
    )
    one, two = analysed(ratings), analysed(mixed)
    assert one.se == pytest.approx(two.se, rel=1e-9)
    assert one.p == pytest.approx(two.p, rel=1e-8)


@Few
@given(Seeds)
def test_duplicating_every_reader_leaves_the_fixed_reader_answer(seed: int) -> None:
    # Fixed readers ask about the mean of exactly these readers, and counting each twice is the same mean.
    ratings = study(seed)
    twice = Ratings(
        ratings.readers + tuple(f"{name} again" for name in ratings.readers),
        ratings.arms,
        ratings.cases,
        ratings.truth,
        np.concatenate([ratings.values, ratings.values]),
    )
    one, two = analysed(ratings, "fixed"), analysed(twice, "fixed")
    assert one.estimate == pytest.approx(two.estimate, abs=1e-12)
    assert one.se == pytest.approx(two.se, rel=1e-7)


@Few
@given(Seeds)
def test_fixed_readers_are_the_delong_test_of_their_mean(seed: int) -> None:
    # With t = 2 the fixed-reader error is the variance of the contrast of means under the full covariance matrix.
    ratings = study(seed)
    found = analysed(ratings, "fixed")
    readers = len(ratings.readers)
    contrast = np.tile([-1.0, 1.0], readers) / readers
    assert found.covariance is not None
    assert found.se**2 == pytest.approx(float(contrast @ found.covariance @ contrast), rel=1e-8, abs=1e-15)


@Few
@given(Seeds)
def test_three_covariances_are_close_and_symmetric(seed: int) -> None:
    ratings = study(seed)
    figures = figures_of_merit(ratings)
    for method in COVARIANCES:
        matrix = covariance(figures, method)
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-14)


@Few
@given(Seeds)
def test_the_unbiased_covariance_counts_every_quadruple(seed: int) -> None:
    ratings = study(seed, readers=2).restricted(arms=["A"])
    truth, values = ratings.truth, ratings.values[:, 0]
    wins = [(row[truth][:, None] > row[~truth]) + (row[truth][:, None] == row[~truth]) / 2 for row in values]
    n1, n0 = wins[0].shape
    apart = (
        [
            wins[0][i, j] * wins[1][k, m]
            for i in range(n1)
            for j in range(n0)
            for k in range(n1)
            for m in range(n0)
            if i != k and j != m
        ]
        if n1 * n0 <= 120
        else []
    )
    assume(apart)
    expected = wins[0].mean() * wins[1].mean() - np.mean(apart)
    found = covariance(figures_of_merit(ratings), "unbiased")[0, 1]
    assert found == pytest.approx(expected, abs=1e-12)


@Few
@given(Seeds)
def test_the_jackknife_is_what_leaving_each_case_out_gives(seed: int) -> None:
    ratings = study(seed, readers=2)
    assume(min(ratings.positives, ratings.negatives) > 2)
    left = []
    for case in range(len(ratings.cases)):
        keep = np.arange(len(ratings.cases)) != case
        areas, _ = delong_covariance(ratings.truth[keep], ratings.values.reshape(4, -1)[:, keep])
        left.append(areas)
    deviations = np.array(left) - np.mean(left, axis=0)
    n = len(left)
    expected = (n - 1) / n * deviations.T @ deviations
    np.testing.assert_allclose(covariance(figures_of_merit(ratings), "jackknife", ratings), expected, atol=1e-12)


@Few
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_paired_intervals_hold_the_difference_within_bounds(a: int, b: int, c: int, d: int) -> None:
    assume(a + b + c + d > 0)
    table = PairedTable(a, b, c, d)
    found = mcnemar(table)
    for interval in (newcombe(table), tango(table)):
        assert -1 <= interval.low <= found.estimate + 1e-12
        assert found.estimate - 1e-12 <= interval.high <= 1
    assert 0 <= found.p <= 1
    assert mcnemar(PairedTable(a, c, b, d)).p == found.p
