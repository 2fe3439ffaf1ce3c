"""Permutation and bootstrap tests of whole curves and of single points: all permutations by hand, identities, edges."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from analysis.bootstrapped import Part, bootstrap_test
from analysis.errors import CannotAnalyse
from analysis.operating_tests import bootstrap_test_unpaired, sensitivity_test, specificity_test
from analysis.ratings import Bools, Floats
from analysis.roc import roc_curve, sensitivity_at, specificity_at
from analysis.venkatraman import venkatraman_test, venkatraman_test_unpaired


def two_ratings(seed: int, n: int = 60, ties: bool = True) -> tuple[Bools, Floats, Floats]:
    generator = np.random.default_rng(seed)
    truth = generator.random(n) < 0.4
    one, two = truth + generator.normal(size=(2, n))
    return (truth, np.round(one), np.round(2 * two)) if ties else (truth, one, two)


def plain_distance(truth: Bools, first: Floats, second: Floats) -> float:
    """The paper's sum over cut points, for ratings without ties."""
    total = 0
    for k in range(1, len(truth) + 1):
        wrong = [
            int((rank[truth] <= k).sum() + (rank[~truth] > k).sum()) for rank in map(stats.rankdata, (first, second))
        ]
        total += abs(wrong[1] - wrong[0])
    return float(total)


def test_the_statistic_is_the_papers_where_nothing_ties() -> None:
    for seed in range(5):
        truth, one, two = two_ratings(seed, ties=False)
        assert venkatraman_test(truth, one, two, 1).statistic == plain_distance(truth, one, two)


def test_p_is_that_of_all_exchanges() -> None:
    truth = np.array([0, 1, 0, 1, 1, 0, 1, 0], dtype=bool)
    one, two = np.array([1.0, 2, 3, 4, 5, 6, 7, 8]), np.array([2.0, 8, 1, 3, 7, 4, 6, 5])
    observed = venkatraman_test(truth, one, two, 1).statistic
    ranks = np.stack([one, two])
    larger = 0
    for swap in product([0, 1], repeat=8):
        chosen = np.array(swap)
        moved = [np.where(chosen, ranks[1], ranks[0]), np.where(chosen, ranks[0], ranks[1])]
        larger += venkatraman_test(truth, moved[0], moved[1], 1).statistic >= observed - 1e-9
    exact = larger / 2**8
    found = venkatraman_test(truth, one, two, 20_000)
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-4)


def test_ties_are_the_mean_over_their_orders() -> None:
    # Error counts within a tie are averaged before the distance is taken, so a tie of one class costs nothing.
    truth = np.array([False, False, True, True])
    tied = venkatraman_test(truth, np.array([1.0, 1, 2, 2]), np.array([1.0, 2, 3, 4]), 9)
    assert (tied.statistic, tied.p) == (0.0, 1.0)
    assert tied.warnings


def test_order_of_cases_arms_and_scale_are_immaterial() -> None:
    truth, one, two = two_ratings(3)
    found = venkatraman_test(truth, one, two, 500)
    order = np.random.default_rng(1).permutation(len(truth))
    assert venkatraman_test(truth[order], one[order], two[order], 1).statistic == pytest.approx(found.statistic)
    assert venkatraman_test(truth, two, one, 1).statistic == pytest.approx(found.statistic)
    assert venkatraman_test(truth, np.exp(one), two**3, 500).p == found.p


def test_blocks_of_permutations_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, one, two = two_ratings(4)
    whole = venkatraman_test(truth, one, two, 300)
    monkeypatch.setattr("analysis.venkatraman.BLOCK", 7 * len(truth))
    assert venkatraman_test(truth, one, two, 300) == whole


def test_unpaired_curves_of_the_same_cases_are_the_same() -> None:
    truth, one, two = two_ratings(5)
    same = venkatraman_test_unpaired(truth, one, truth, np.exp(one), 20)
    assert (same.statistic, same.p) == (0.0, 1.0)
    other = venkatraman_test_unpaired(truth, one, truth, two, 20)
    assert other.statistic == pytest.approx(venkatraman_test_unpaired(truth, two, truth, one, 20).statistic)


def test_unpaired_curves_of_unequal_groups_keep_the_level() -> None:
    # 200 studies of equal curves, 100 + 20 against 15 + 15 cases, 39 permutations: 5 % +- 4 x 1.54 %.
    generator = np.random.default_rng(11)
    first, second = np.arange(120) < 20, np.arange(30) < 15
    rejected = 0
    for seed in range(200):
        one, two = generator.normal(size=120) + first, np.exp(generator.normal(size=30) + second)
        rejected += venkatraman_test_unpaired(first, one, second, two, 39, seed).p <= 0.05
    assert 0 < rejected / 200 < 0.05 + 4 * 0.0154


def test_a_point_of_the_curve_is_read_from_the_curve() -> None:
    truth, one, two = two_ratings(6)
    at = [roc_curve(truth, rating) for rating in (one, two)]
    found = sensitivity_test(truth, one, two, 0.8, 50)
    assert found.estimate == pytest.approx(sensitivity_at(at[1], 0.8) - sensitivity_at(at[0], 0.8))
    back = specificity_test(truth, one, two, 0.8, 50)
    assert back.estimate == pytest.approx(specificity_at(at[1], 0.8) - specificity_at(at[0], 0.8))
    assert sensitivity_test(truth, two, one, 0.8, 50).estimate == pytest.approx(-found.estimate)
    assert sensitivity_test(truth, one, two, 0.8, 50).p == found.p


def test_unpaired_bootstrap_has_the_error_of_both_groups() -> None:
    truth, one, two = two_ratings(7, n=200)
    paired, apart = (
        bootstrap_test(truth, one, two, replicates=4000),
        bootstrap_test_unpaired(truth, one, truth, two, replicates=4000),
    )
    assert apart.estimate == pytest.approx(paired.estimate)
    # The two ratings share nothing but the truth, so pairing hardly matters.
    assert apart.se == pytest.approx(paired.se, rel=0.15)
    part = bootstrap_test_unpaired(truth, one, truth, two, Part("specificity", 0.8, 1.0), 200)
    assert abs(part.estimate) < 0.2


def test_refusals_and_equal_curves() -> None:
    truth, one, two = two_ratings(8)
    classes = np.ones(len(truth), dtype=bool)
    for compute in (
        lambda: venkatraman_test(classes, one, two),
        lambda: venkatraman_test_unpaired(truth, one, classes, two),
        lambda: sensitivity_test(classes, one, two, 0.9),
        lambda: bootstrap_test_unpaired(truth, one, classes, two),
    ):
        with pytest.raises(CannotAnalyse, match="no non-diseased"):
            compute()
    with pytest.raises(CannotAnalyse, match="at least one permutation"):
        venkatraman_test(truth, one, two, 0)
    with pytest.raises(CannotAnalyse, match="between 0 and 1"):
        venkatraman_test_unpaired(truth, one, truth, two, share=1.0)
    with pytest.raises(CannotAnalyse, match="between 0 and 1"):
        sensitivity_test(truth, one, two, 1.5)
    assert sensitivity_test(truth, one, one, 0.9, 50).p == 1.0
    perfect = np.where(truth, 1.0, 0.0)
    with pytest.raises(CannotAnalyse, match="without any variation"):
        bootstrap_test_unpaired(truth, perfect, truth, 1 - perfect, replicates=20)
