"""Power from the moments of a pilot: identities and refusals."""

import math

import numpy as np
import pytest

from analysis.errors import CannotAnalyse
from analysis.moments import Moments, moments
from analysis.ratings import Columns, Ratings, table_to_ratings
from analysis.sizing import StudySize, power_from_moments
from analysis.ustatistics import difference_of_arms
from tests.analysis.oracle_entries import crossed


def pilot(metric: str = "auc") -> Moments:
    columns = Columns() if metric == "auc" else Columns(value="decision")
    ratings = table_to_ratings(crossed(), columns, ("unaided", "aided"))
    return moments(ratings, "auc" if metric == "auc" else "accuracy")


def test_the_size_of_the_pilot_gives_its_own_error() -> None:
    found, own = power_from_moments(pilot(), 0, 1, StudySize(5, (40, 40)), 0.05), difference_of_arms(pilot(), 0, 1)
    assert found.se == pytest.approx(own.se) and found.df == pytest.approx(own.df)
    assert found.hillis is not None
    assert found.hillis.df == pytest.approx(own.df_hillis) and found.hillis.variance == pytest.approx(own.se**2)


def test_shares_are_sized_by_readers_and_cases() -> None:
    found, own = (
        power_from_moments(pilot("accuracy"), 0, 1, StudySize(5, (80,)), 0.05),
        difference_of_arms(pilot("accuracy"), 0, 1),
    )
    assert found.se == pytest.approx(own.se)


def test_power_grows_with_readers_cases_and_effect() -> None:
    def power(readers: int, cases: int, effect: float) -> float:
        return power_from_moments(pilot(), 0, 1, StudySize(readers, (cases, cases)), effect).power

    assert power(5, 40, 0.05) < power(10, 40, 0.05) < power(10, 80, 0.05) < power(10, 80, 0.08)
    assert power(6, 60, -0.05) == pytest.approx(power(6, 60, 0.05))


def test_unpaired_cases_cost_power_and_have_no_hillis() -> None:
    paired = power_from_moments(pilot(), 0, 1, StudySize(8, (60, 60)), 0.05)
    apart = power_from_moments(pilot(), 0, 1, StudySize(8, (60, 60), paired_cases=(False, False)), 0.05)
    assert apart.se > paired.se and apart.hillis is None and paired.hillis is not None


def test_a_tiny_effect_is_found_as_often_as_the_level() -> None:
    found = power_from_moments(pilot(), 0, 1, StudySize(8, (60, 60)), 1e-9, alpha=0.1)
    assert found.power == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        (StudySize(7, (60, 60), groups=2), "7 readers cannot be shared"),
        (StudySize(1, (60, 60)), "1 readers"),
        (StudySize(8, (61, 60), paired_cases=(False, True)), "61 non-diseased cases"),
        (StudySize(8, (60, 1)), "1 diseased cases"),
        (StudySize(8, (60,)), "non-diseased and diseased"),
    ],
    ids=str,
)
def test_sizes_that_do_not_divide(size: StudySize, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        power_from_moments(pilot(), 0, 1, size, 0.05)


def test_effect_level_and_variance() -> None:
    with pytest.raises(CannotAnalyse, match="effect of zero"):
        power_from_moments(pilot(), 0, 1, StudySize(8, (60, 60)), 0.0)
    with pytest.raises(CannotAnalyse, match="between 0 and 1"):
        power_from_moments(pilot(), 0, 1, StudySize(8, (60, 60)), 0.05, alpha=5)
    values = np.repeat(np.random.default_rng(1).normal(size=(3, 1, 20)), 2, axis=1)
    names = ("R", "S", "T"), ("A", "B"), tuple(map(str, range(20)))
    same = moments(Ratings(*names, np.arange(20) % 2 == 0, values))
    with pytest.raises(CannotAnalyse, match="not positive"):
        power_from_moments(same, 0, 1, StudySize(8, (60, 60)), 0.05)
    assert math.isclose(same.variance_of_difference(0, 1), 0, abs_tol=1e-15)
