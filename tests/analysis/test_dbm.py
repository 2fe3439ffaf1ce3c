"""Pseudovalues: what theory says of them, beside the walk of RJafroc's entries."""

import numpy as np
import pytest

from analysis.dbm import dbm, pseudovalues
from analysis.error_terms import Sampling
from analysis.errors import CannotAnalyse
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Columns, Ratings, table_to_ratings
from tests.analysis.oracle_entries import crossed, oracle_data

ARMS = ("unaided", "aided")


def ratings() -> Ratings:
    return table_to_ratings(crossed(), arms=ARMS)


@pytest.mark.parametrize(("readers", "cases"), [("random", "random"), ("random", "fixed")])
def test_equals_obuchowski_rockette_with_the_jackknife(readers: Sampling, cases: Sampling) -> None:
    found = dbm(ratings(), "auc", readers, cases)
    other = obuchowski_rockette(ratings(), "auc", "jackknife", readers, cases)
    one, two = found.differences[0], other.differences[0]
    assert [one.estimate, one.se, one.df, one.p] == pytest.approx([two.estimate, two.se, two.df, two.p], rel=1e-9)
    for mine, theirs in zip(found.arms, other.arms, strict=True):
        assert [mine.estimate, mine.se, mine.df] == pytest.approx([theirs.estimate, theirs.se, theirs.df], rel=1e-9)


def test_fixed_readers_differ_in_the_distribution_only() -> None:
    found, other = dbm(ratings(), "auc", "fixed"), obuchowski_rockette(ratings(), "auc", "jackknife", "fixed")
    assert found.overall.f == pytest.approx(other.differences[0].statistic ** 2, rel=1e-9)
    assert found.overall.df2 == 79
    assert found.p > other.p
    assert [row.se for row in found.reader_differences] == pytest.approx([row.se for row in other.reader_differences])


def test_components_convert_to_those_of_obuchowski_rockette() -> None:
    other = obuchowski_rockette(ratings(), "auc", "jackknife").components
    found = dbm(ratings()).components.obuchowski_rockette(80)
    assert other is not None
    for name in ("reader", "arm_reader", "error", "cov1", "cov2", "cov3"):
        assert getattr(found, name) == pytest.approx(getattr(other, name), rel=1e-9)


def test_pseudovalues_of_a_mean_are_the_values_themselves() -> None:
    truth = np.array([False, False, True, True])
    values = np.array([[[0.0, 1, 1, 0]]])
    one = Ratings(("R",), ("A",), tuple("1234"), truth, values)
    # Accuracy is the mean of right decisions over all cases.
    np.testing.assert_allclose(pseudovalues(one, "accuracy"), [[[1.0, 0, 1, 0]]], atol=1e-12)


def test_missing_readings_have_no_pseudovalues() -> None:
    table = table_to_ratings(oracle_data("vandyke_missing"), Columns(arm="treatment"))
    with pytest.raises(CannotAnalyse, match="103 readings are missing"):
        dbm(table)


def test_edges() -> None:
    equal = table_to_ratings(oracle_data("edge_mrmc_identical_modalities"), Columns(arm="treatment"))
    found = dbm(equal)
    assert (found.estimate, found.p) == (0.0, 1.0) and found.warnings
    with pytest.raises(CannotAnalyse, match="two arms and two readers"):
        dbm(equal.restricted(readers=["1"]))
    values = np.array([[[1.0, 1, 1, 1], [1, 1, 2, 2]]] * 2)
    perfect = Ratings(("R", "S"), ("A", "B"), tuple("1234"), np.array([False, False, True, True]), values)
    with pytest.raises(CannotAnalyse, match="nothing varies"):
        dbm(perfect)
    with pytest.raises(CannotAnalyse, match="nothing varies"):
        dbm(equal, "auc", "fixed", "fixed")
