"""Limits of agreement of many readers: identities, missing readings, edges."""

import numpy as np
import pytest

from analysis.errors import CannotAnalyse
from analysis.limits import between_readers, between_readers_within_arm, within_readers
from analysis.ratings import Ratings


def study(seed: int = 1, readers: int = 5, cases: int = 30) -> Ratings:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(readers, 2, cases)) + rng.normal(size=cases) + rng.normal(size=(readers, 1, 1))
    names = tuple(f"R{i}" for i in range(readers)), ("A", "B"), tuple(map(str, range(cases)))
    return Ratings(*names, np.zeros(cases, dtype=bool), values)


def test_swapping_arms_turns_the_limits() -> None:
    for limits in (within_readers, between_readers):
        one, two = limits(study(), "A", "B"), limits(study(), "B", "A")
        assert one.limits().low == pytest.approx(-two.limits().high)
        assert one.spread == pytest.approx(two.spread)
        assert one.se == pytest.approx(two.se)


def test_the_effects_sum_to_the_variance_of_one_difference() -> None:
    found = within_readers(study(), "A", "B")
    parts = {effect.source: effect.variance or 0.0 for effect in found.effects}
    assert found.spread**2 == pytest.approx(sum(parts.values()))
    assert found.se is not None
    assert found.se**2 == pytest.approx(parts["reader"] / 5 + parts["case"] / 30 + parts["error"] / 150)
    between = between_readers(study(), "A", "B")
    sources = {effect.source: effect.variance or 0.0 for effect in between.effects}
    assert between.spread**2 == pytest.approx(2 * (sum(sources.values()) - sources["case"]))
    assert between.se == pytest.approx(found.se)
    sums = sum(effect.sum_of_squares for effect in between.effects)
    values = study().values
    assert sums == pytest.approx(((values - values.mean()) ** 2).sum())


def test_readers_who_agree_leave_only_what_the_arms_bring() -> None:
    """With readers alike, within and between readers are one."""
    ratings = study()
    alike = Ratings(
        ratings.readers, ratings.arms, ratings.cases, ratings.truth, np.repeat(ratings.values[:1], 5, axis=0)
    )
    assert within_readers(alike, "A", "B").spread == pytest.approx(between_readers(alike, "A", "B").spread)
    same = between_readers_within_arm(alike, "A")
    assert same.estimate == 0 and same.spread == pytest.approx(0, abs=1e-7)


def test_missing_readings_have_limits_without_the_table() -> None:
    ratings = study(2)
    whole = within_readers(ratings, "A", "B")
    ratings.values[0, 0, :3] = np.nan
    ratings.values[3, 1, 7] = np.nan
    found = within_readers(ratings, "A", "B")
    assert found.effects == () and found.cases == 30
    assert found.spread == pytest.approx(whole.spread, rel=0.1)
    assert between_readers(ratings, "A", "B").effects == between_readers_within_arm(ratings, "A").effects == ()


def test_what_cannot_be_limited_is_refused() -> None:
    ratings = study()
    with pytest.raises(CannotAnalyse, match="two readers and two cases"):
        within_readers(ratings.restricted(readers=("R0",)), "A", "B")
    with pytest.raises(CannotAnalyse, match="no arm 'C'"):
        between_readers(ratings, "A", "C")
    apart = ratings.values.copy()
    apart[:, 0, :15], apart[:, 1, 15:] = np.nan, np.nan
    with pytest.raises(CannotAnalyse, match="not 0 and 0"):
        within_readers(Ratings(ratings.readers, ratings.arms, ratings.cases, ratings.truth, apart), "A", "B")
    equal = within_readers(
        Ratings(ratings.readers, ratings.arms, ratings.cases, ratings.truth, np.ones_like(apart)), "A", "B"
    )
    assert (equal.spread, equal.se) == (0.0, 0.0) and "no width" in equal.warnings[0]


def test_a_mean_without_a_variance_has_no_interval() -> None:
    """Readers who differ from case to case in opposite ways: the U-statistic of the mean comes out negative."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(2, 2, 4))
        ratings = Ratings(("R", "S"), ("A", "B"), tuple("1234"), np.zeros(4, dtype=bool), values)
        found = within_readers(ratings, "A", "B") if spread_exists(ratings) else None
        if found is not None and found.se is None:
            assert "no interval" in found.warnings[0]
            with pytest.raises(CannotAnalyse, match="no interval"):
                found.confidence_interval()
            return
    raise AssertionError("no such study was drawn")


def spread_exists(ratings: Ratings) -> bool:
    try:
        within_readers(ratings, "A", "B")
    except CannotAnalyse:
        return False
    return True
