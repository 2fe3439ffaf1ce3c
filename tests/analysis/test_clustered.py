"""Clustered units: the tests of McNemar, AUCs, the bootstrap of patients, estimating equations, Cochran's Q."""

import math
from typing import get_args

import numpy as np
import pytest

from analysis.cluster_bootstrap import cluster_bootstrap, cluster_bootstrap_test
from analysis.clustered import TESTS, ClusteredTest, cluster_counts, clustered_mcnemar
from analysis.clustered_auc import clustered_auc, clustered_auc_test, clustered_covariance
from analysis.cochran import cochran_q
from analysis.delong import delong_auc, delong_covariance, delong_test, placements
from analysis.errors import CannotAnalyse
from analysis.gee import gee
from analysis.interval import wald
from analysis.paired import mcnemar, paired_table
from analysis.ratings import Bools, Floats


def drawn(seed: int, clusters: int = 40, shared: float = 1.0) -> tuple[Bools, Floats, np.ndarray]:
    """Truth, two ratings (2, unit) and clusters of one to six units that share an effect of this size."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(clusters), generator.integers(1, 7, clusters))
    truth = generator.random(len(labels)) < 0.4
    effect = generator.normal(scale=shared, size=(2, clusters))[:, labels]
    ratings = np.round(2 * (truth + effect + generator.normal(size=(2, len(labels)))))
    return truth, ratings, labels


def decided(seed: int, clusters: int = 40) -> tuple[Floats, Floats, np.ndarray]:
    _, ratings, labels = drawn(seed, clusters)
    return (ratings[0] > 1).astype(float), (ratings[1] > 0).astype(float), labels


def test_without_clusters_the_tests_are_mcnemars() -> None:
    one, two, _ = decided(1)
    alone = cluster_counts(one, two, np.arange(len(one)))
    plain = mcnemar(paired_table(one, two), "asymptotic")
    for test in ("durkalski", "eliasziw"):
        assert clustered_mcnemar(alone, test).statistic == pytest.approx(plain.statistic, rel=1e-12)
    n = len(one)
    found = clustered_mcnemar(alone)
    assert found.statistic == pytest.approx((n - 1) / n * plain.statistic, rel=1e-12)
    assert (found.estimate, found.se) == (
        pytest.approx(plain.estimate),
        pytest.approx(plain.se * math.sqrt(n / (n - 1)), rel=1e-12),
    )


def test_a_copy_of_every_unit_in_its_cluster_changes_nothing_for_equal_clusters() -> None:
    one, two, labels = decided(2)
    once = cluster_counts(one, two, labels)
    twice = cluster_counts(np.tile(one, 2), np.tile(two, 2), np.tile(labels, 2))
    for test in ("obuchowski", "durkalski", "yang"):
        found, doubled = clustered_mcnemar(once, test), clustered_mcnemar(twice, test)
        assert (doubled.statistic, doubled.se) == (pytest.approx(found.statistic), pytest.approx(found.se))
    plain = mcnemar(once.table, "asymptotic").statistic
    assert mcnemar(twice.table, "asymptotic").statistic == pytest.approx(2 * plain)


@pytest.mark.parametrize("test", TESTS)
def test_swapping_the_arms_and_the_order_of_units(test: ClusteredTest) -> None:
    one, two, labels = decided(3)
    found = clustered_mcnemar(cluster_counts(one, two, labels), test)
    swapped = clustered_mcnemar(cluster_counts(two, one, labels), test)
    assert (swapped.estimate, swapped.statistic, swapped.se) == (
        pytest.approx(-found.estimate),
        pytest.approx(found.statistic),
        pytest.approx(found.se),
    )
    order = np.random.default_rng(4).permutation(len(one))
    again = clustered_mcnemar(cluster_counts(one[order], two[order], [f"P{k}" for k in labels[order]]), test)
    assert again.statistic == pytest.approx(found.statistic)
    limits = found.confidence_interval()
    assert limits.low < found.estimate < limits.high


def test_degenerate_clusters() -> None:
    same = clustered_mcnemar(cluster_counts(np.array([1.0, 0, 1]), np.array([1.0, 0, 1]), [1, 1, 2]))
    assert (same.estimate, same.p, same.statistic) == (0.0, 1.0, None)
    assert len(same.warnings) == 2
    balanced = cluster_counts(np.array([1.0, 0, 0, 1]), np.array([0.0, 1, 1, 0]), [1, 1, 2, 2])
    assert clustered_mcnemar(balanced).p == 1.0
    assert get_args(ClusteredTest) == TESTS
    one, two, labels = decided(5)
    for compute, sentence in (
        (lambda: clustered_mcnemar(cluster_counts(one, two, np.zeros(len(one)))), "at least two clusters"),
        (lambda: clustered_mcnemar(cluster_counts(one, two, labels), "mcnemar"), "not mcnemar"),
        (lambda: cluster_counts(one, two, labels[:-1]), "needs its cluster"),
        (lambda: cluster_counts(one + 1, two, labels), "0 or 1"),
        (lambda: clustered_mcnemar(cluster_counts(*np.eye(2)[[0, 1]], [1, 1]), "yang"), "at least two"),
        (
            lambda: clustered_mcnemar(cluster_counts(np.ones(4), np.zeros(4), [1, 1, 2, 2]), "eliasziw"),
            "came out alike",
        ),
        (
            lambda: clustered_mcnemar(cluster_counts(np.ones(4), np.array([1.0, 0, 1, 1]), [1, 1, 2, 2]), "eliasziw"),
            "decided differently",
        ),
    ):
        with pytest.raises(CannotAnalyse, match=sentence):
            compute()


def test_areas_of_single_units_are_delongs() -> None:
    truth, ratings, _ = drawn(6)
    alone = np.arange(len(truth))
    areas, covariance = clustered_covariance(truth, ratings, alone)
    expected, delong = delong_covariance(truth, ratings)
    assert areas == pytest.approx(expected)
    assert covariance == pytest.approx(delong, rel=1e-12)
    assert clustered_auc(truth, ratings[0], alone).se == pytest.approx(delong_auc(truth, ratings[0]).se)
    assert clustered_auc_test(truth, *ratings, alone).p == pytest.approx(delong_test(truth, *ratings).p)


def test_every_unit_twice_leaves_the_clustered_error_and_shrinks_delongs() -> None:
    truth, ratings, labels = drawn(7)
    twice = clustered_covariance(np.tile(truth, 2), np.tile(ratings, 2), np.tile(labels, 2))[1]
    assert twice == pytest.approx(clustered_covariance(truth, ratings, labels)[1])
    assert delong_auc(np.tile(truth, 2), np.tile(ratings[0], 2)).se < 0.8 * delong_auc(truth, ratings[0]).se


def test_the_clustered_error_is_that_of_the_bootstrap_of_patients() -> None:
    truth, ratings, labels = drawn(8, clusters=120)
    found = clustered_auc_test(truth, *ratings, labels)

    def difference(drawn_truth: Bools, values: Floats) -> float:
        one, two = (placements(drawn_truth, rating)[drawn_truth].mean() for rating in values)
        return float(two - one)

    bootstrapped = cluster_bootstrap(truth, ratings, labels, difference, replicates=1000)
    # A bootstrap error of 1,000 draws varies by 2.2 % of itself; the estimator of 120 clusters by a few more.
    assert found.se == pytest.approx(bootstrapped.se, rel=0.12)
    assert found.estimate == pytest.approx(bootstrapped.estimate)
    assert found.clusters == 120
    weighed = cluster_bootstrap_test(truth, *ratings, labels, replicates=1000)
    assert weighed.estimate == pytest.approx(found.estimate)
    # Two bootstraps of 1,000 draws: 3.2 % of the error is one standard deviation between them.
    assert weighed.se == pytest.approx(bootstrapped.se, rel=4 * 0.032)


def test_areas_at_their_edges() -> None:
    truth = np.array([0, 1, 0, 1], dtype=bool)
    same = clustered_auc_test(truth, np.array([1.0, 2, 3, 2]), np.array([1.0, 2, 3, 2]), [1, 1, 2, 2])
    assert (same.estimate, same.p) == (0.0, 1.0)
    assert same.warnings
    perfect = clustered_auc(truth, np.array([1.0, 2, 1, 2]), [1, 1, 2, 2])
    assert (perfect.estimate, perfect.se) == (1.0, 0.0)
    assert perfect.warnings
    with pytest.raises(CannotAnalyse, match="only one cluster with diseased"):
        clustered_auc(truth, np.array([1.0, 2, 3, 2]), [1, 2, 3, 2])
    with pytest.raises(CannotAnalyse, match="needs its cluster"):
        clustered_auc(truth, np.array([1.0, 2, 3, 2]), [1, 2])
    with pytest.raises(CannotAnalyse, match="no diseased case"):
        clustered_auc(np.zeros(4, dtype=bool), np.array([1.0, 2, 3, 2]), [1, 1, 2, 2])


def test_the_bootstrap_draws_whole_patients() -> None:
    labels = np.repeat(np.arange(6), [1, 2, 3, 1, 2, 3])
    truth = np.arange(12) % 2 == 0

    def whole(_: Bools, ratings: Floats) -> float:
        sizes = np.bincount(labels)
        counts = np.bincount(ratings[0].astype(int), minlength=6)
        assert (counts % sizes == 0).all()
        assert (counts / sizes).sum() == 6
        return float(counts[0])

    found = cluster_bootstrap(truth, labels[None, :].astype(float), labels, whole, replicates=40)
    again = cluster_bootstrap(truth, labels[None, :].astype(float), labels, whole, replicates=40)
    assert (found.replicates == again.replicates).all()
    assert found.seed == 20260101


def test_the_bootstrap_of_patients_at_its_edges() -> None:
    def share(truth: Bools, _: Floats) -> float:
        return float(truth.mean())

    truth, ratings = np.array([True, False, False, False]), np.ones((1, 4))
    found = cluster_bootstrap(truth, ratings, [1, 2, 3, 4], share, replicates=50)
    assert "drawn again" in found.warnings[0]
    assert found.replicates.min() > 0
    mixed = cluster_bootstrap(np.array([True, False, True, False]), ratings, [1, 1, 2, 2], share, 0.5, 20)
    assert (mixed.se, mixed.p) == (0.0, 1.0)
    for wrong, labels, replicates, sentence in (
        (truth, [1, 1, 1, 1], 20, "at least two clusters"),
        (truth, [1, 2], 20, "needs its cluster"),
        (truth, [1, 2, 3, 4], 1, "at least two replicates"),
        (np.ones(4, dtype=bool), [1, 2, 3, 4], 20, "diseased and non-diseased"),
    ):
        with pytest.raises(CannotAnalyse, match=sentence):
            cluster_bootstrap(wrong, ratings, labels, share, replicates=replicates)


def test_the_bootstrap_of_areas_at_its_edges() -> None:
    truth, rating = np.array([True, False, True, False]), np.array([2.0, 1, 3, 2])
    same = cluster_bootstrap_test(truth, rating, rating, [1, 1, 2, 2], 20)
    assert (same.estimate, same.p) == (0.0, 1.0)
    lost = cluster_bootstrap_test(truth, rating, -rating, [1, 2, 3, 4], 200)
    assert "left out" in lost.warnings[0]
    assert len(lost.replicates) < 200
    for wrong, labels, sentence in (
        (truth, [1, 1, 1, 1], "at least two clusters"),
        (truth, [1, 2], "needs its cluster"),
        (np.ones(4, dtype=bool), [1, 2, 3, 4], "no non-diseased"),
    ):
        with pytest.raises(CannotAnalyse, match=sentence):
            cluster_bootstrap_test(wrong, rating, rating, labels)
    with pytest.raises(CannotAnalyse, match="without any variation"):
        cluster_bootstrap_test(truth, np.array([2.0, 1, 2, 1]), np.array([1.0, 2, 1, 2]), [1, 1, 2, 2], 20)


def test_intervals_between_clusters_rest_on_as_many_spreads_less_one() -> None:
    one, two, labels = decided(12)
    found = clustered_mcnemar(cluster_counts(one, two, labels))
    assert found.confidence_interval() == wald(found.estimate, found.se, 0.95, len(set(labels)) - 1)
    truth = np.arange(len(labels)) % 3 == 0
    area = clustered_auc(truth, one + np.arange(len(labels)) % 5, labels)
    assert area.confidence_interval() == wald(area.estimate, area.se, 0.95, len(set(labels)) - 1)


def test_gee_of_shares_is_the_clustered_difference() -> None:
    # The sandwich of the identity link is Obuchowski's variance without K/(K - 1).
    one, two, labels = decided(9)
    counts = cluster_counts(one, two, labels)
    found = clustered_mcnemar(counts)
    outcome, second = np.concatenate([one, two]), np.repeat([False, True], len(one))
    fitted = gee(outcome, second, np.tile(labels, 2), "identity", "independence")
    clusters = len(counts.sizes)
    assert fitted.estimate == pytest.approx(found.estimate)
    assert fitted.se == pytest.approx(found.se * math.sqrt((clusters - 1) / clusters))
    limits = fitted.confidence_interval()
    assert limits.low < fitted.estimate < limits.high


def test_gee_swaps_its_sign_with_the_arms() -> None:
    one, two, labels = decided(10)
    outcome, second, groups = np.concatenate([one, two]), np.repeat([False, True], len(one)), np.tile(labels, 2)
    found, swapped = gee(outcome, second, groups), gee(outcome, ~second, groups)
    assert (swapped.estimate, swapped.p) == (pytest.approx(-found.estimate), pytest.approx(found.p))


@pytest.mark.parametrize(
    ("outcome", "second", "clusters", "sentence"),
    [
        ([1.0, 1, 0, 1], [0, 1, 0, 1], [1, 1, 2, 2], "came out alike"),
        ([1.0, 1, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1], "at least two clusters"),
        ([1.0, 1, 0, 0], [1, 1, 1, 1], [1, 1, 2, 2], "all decisions are of one"),
        ([1.0, 2, 0, 0], [0, 1, 0, 1], [1, 1, 2, 2], "0 or 1"),
        ([1.0, 1, 0, 0], [0, 1, 0, 1], [1, 1, 2], "same decisions"),
    ],
)
def test_gee_refuses_in_a_sentence(outcome: list[float], second: list[int], clusters: list[int], sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        gee(np.array(outcome), np.array(second) == 1, clusters)


def test_gee_names_its_links() -> None:
    with pytest.raises(CannotAnalyse, match="links logit, identity"):
        gee(np.array([1.0, 0]), np.array([True, False]), [1, 2], "probit")


def test_cochran_of_two_columns_is_mcnemar() -> None:
    one, two, _ = decided(11)
    found = cochran_q(np.stack([one, two], axis=1))
    plain = mcnemar(paired_table(one, two), "asymptotic")
    assert (found.statistic, found.p) == (pytest.approx(plain.statistic), pytest.approx(plain.p))
    assert found.successes == (int(one.sum()), int(two.sum()))


def test_cochran_at_its_edges() -> None:
    same = cochran_q(np.array([[1.0, 1, 1], [0, 0, 0]]))
    assert (same.statistic, same.p, same.df) == (0.0, 1.0, 2)
    assert same.warnings
    for outcomes, sentence in (
        (np.ones((3, 1)), "at least two tests"),
        (np.ones((0, 2)), "no cases"),
        (np.array([[1.0, np.nan]]), "0 or 1"),
    ):
        with pytest.raises(CannotAnalyse, match=sentence):
            cochran_q(outcomes)
