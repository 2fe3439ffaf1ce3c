"""Reliance, complementarity and order effects: counts by hand, identities, scipy's own tests, what has no answer."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.complementarity import METRICS, complementarity
from analysis.errors import CannotAnalyse
from analysis.interval import Refusal
from analysis.order_effects import crossover, position_difference, position_effect
from analysis.paired import PairedTable
from analysis.proportions import Proportion
from analysis.ratings import Bools, Floats
from analysis.reliance import RATES, SwitchTable, rates_of, reliance, switch_table

Study = tuple[tuple[str, ...], Floats, Floats, Floats, Bools]


def study(seed: int, readers: int = 5, cases: int = 80, pull: float = 0.5) -> Study:
    """Readers and a model that are right in 70 and 80 of 100 cases; aided they take the advice with this chance."""
    generator = np.random.default_rng(seed)
    truth = generator.random(cases) < 0.5
    unaided = np.where(generator.random((readers, cases)) < 0.7, truth, ~truth).astype(float)
    model = np.where(generator.random(cases) < 0.8, truth, ~truth).astype(float)
    aided = np.where(generator.random((readers, cases)) < pull, model, unaided)
    return tuple(f"R{place}" for place in range(readers)), unaided, aided, model, truth


def by_hand(unaided: Floats, aided: Floats, model: Floats, truth: Bools) -> "pd.Series[int]":
    frame = pd.DataFrame({"before": unaided == truth, "after": aided == truth, "advice": model == truth})
    found: pd.Series[int] = frame.value_counts()
    return found


def test_switch_table_counts_every_case_once() -> None:
    readers, unaided, aided, model, truth = study(1)
    counts = by_hand(unaided[0], aided[0], model, truth)
    table = switch_table(unaided[0], aided[0], model, truth)
    for part, advice in ((table.model_right, True), (table.model_wrong, False)):
        assert part.both == counts.get((True, True, advice), 0)
        assert part.first_only == counts.get((True, False, advice), 0)
        assert part.second_only == counts.get((False, True, advice), 0)
        assert part.neither == counts.get((False, False, advice), 0)
    assert table.n == 80 and len(readers) == 5
    gained = (aided[0] == truth).sum() - (unaided[0] == truth).sum()
    assert table.beneficial - table.harmful == gained


def test_who_takes_all_advice_and_who_takes_none() -> None:
    readers, unaided, aided, model, truth = study(2, pull=1.0)
    found = reliance(readers, unaided, aided, model, truth)
    assert [found.mean(name).estimate for name in ("over_reliance", "under_reliance")] == [1, 0]
    assert [found.mean(name).estimate for name in ("follows_wrong", "refuses_right")] == [1, 0]
    none = reliance(readers, unaided, unaided, model, truth)
    assert [none.mean(name).estimate for name in ("over_reliance", "under_reliance")] == [0, 1]
    assert [none.mean(name).estimate for name in ("beneficial", "harmful")] == [0, 0]
    assert all(row.table.harmful == 0 for row in none.by_reader)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), pull=st.floats(0.1, 0.9))
def test_relative_reliance_is_what_is_lacking_and_labels_are_immaterial(seed: int, pull: float) -> None:
    readers, unaided, aided, model, truth = study(seed, pull=pull)
    found = reliance(readers, unaided, aided, model, truth)
    for one, other in (("over_reliance", "relative_self_reliance"), ("under_reliance", "relative_ai_reliance")):
        assert found.mean(one).estimate + found.mean(other).estimate == pytest.approx(1)
    turned = reliance(readers, 1 - unaided, 1 - aided, 1 - model, ~truth)
    order = np.random.default_rng(seed).permutation(80)
    moved = reliance(readers, unaided[:, order], aided[:, order], model[order], truth[order])
    assert turned == found == moved
    for row in found.by_reader:
        for name in RATES:
            rate = getattr(row.rates, name)
            assert isinstance(rate, Proportion)
            interval = rate.confidence_interval()
            assert interval.low - 1e-15 <= rate.estimate <= interval.high + 1e-15


def test_mean_over_readers_is_students() -> None:
    readers, unaided, aided, model, truth = study(3)
    found = reliance(readers, unaided, aided, model, truth)
    mean = found.mean("harmful")
    values = [row.rates.harmful.estimate for row in found.by_reader]
    expected = stats.ttest_1samp(values, 0)
    limits = expected.confidence_interval()
    assert mean.p == pytest.approx(expected.pvalue)
    assert mean.confidence_interval().high == pytest.approx(limits.high)
    assert mean.confidence_interval().low == pytest.approx(max(limits.low, 0))


def test_missing_decisions_advice_per_reader_and_perfect_model() -> None:
    readers, unaided, aided, model, truth = study(4)
    advice = np.tile(model, (5, 1))
    advice[1] = np.nan
    aided[0, :5] = np.nan
    found = reliance(readers, unaided, aided, advice, truth)
    assert [row.reader for row in found.by_reader] == ["R0", "R2", "R3", "R4"]
    assert found.by_reader[0].table.n == 75 and "R1 is left out." in found.warnings[0]
    perfect = reliance(readers, unaided, truth * np.ones((5, 1)), truth.astype(float), truth)
    assert perfect.mean("over_reliance") == Refusal(
        "There is no case in which the reader was right and the model wrong."
    )
    assert rates_of(SwitchTable(PairedTable(1, 0, 0, 0), PairedTable(0, 0, 0, 1))).follows_wrong.estimate == 1
    alone = reliance(readers[:1], unaided[:1], aided[:1], model, truth)
    with pytest.raises(CannotAnalyse, match="one reader has no interval"):
        alone.mean("harmful").confidence_interval()


def test_reliance_that_does_not_exist() -> None:
    readers, unaided, aided, model, truth = study(5)
    with pytest.raises(CannotAnalyse, match="No reader decided"):
        reliance(readers, unaided, np.full_like(aided, np.nan), model, truth)
    with pytest.raises(CannotAnalyse, match="same readers and cases"):
        reliance(readers[:2], unaided, aided, model, truth)
    with pytest.raises(CannotAnalyse, match="0 or 1"):
        switch_table(unaided[0] + 1, aided[0], model, truth)
    with pytest.raises(CannotAnalyse, match="same cases"):
        switch_table(unaided[0], aided[0, 1:], model, truth)
    with pytest.raises(CannotAnalyse, match="shares over_reliance"):
        reliance(readers, unaided, aided, model, truth).mean("trust")


# Complementarity ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_complementarity_by_hand(metric: str) -> None:
    readers, unaided, aided, model, truth = study(6)
    found = complementarity(readers, unaided, aided, model, truth, metric, replicates=200)
    over = {"accuracy": [truth | ~truth], "sensitivity": [truth], "specificity": [~truth]}.get(metric, [truth, ~truth])
    for place, row in enumerate(found.by_reader):
        numbers = [
            np.mean([(decision[cases] == truth[cases]).mean() for cases in over])
            for decision in (unaided[place], aided[place], model)
        ]
        assert (row.unaided, row.aided, row.model) == pytest.approx(numbers)
        assert row.estimate == pytest.approx(numbers[1] - max(numbers[0], numbers[2]))
    assert found.estimate == pytest.approx(np.mean([row.estimate for row in found.by_reader]))
    assert found.estimate <= min(found.over_reader, found.over_model) + 1e-12
    interval = found.confidence_interval()
    assert interval.low < found.estimate < interval.high and 0 < found.p <= 1


def test_bootstrap_error_of_one_reader_against_a_useless_model_is_the_paired_one() -> None:
    # A model that is always wrong leaves aided minus unaided, whose standard error has a closed form by class.
    generator = np.random.default_rng(7)
    truth = np.arange(400) % 2 == 0
    unaided = np.where(generator.random((1, 400)) < 0.7, truth, ~truth).astype(float)
    aided = np.where(generator.random((1, 400)) < 0.85, truth, ~truth).astype(float)
    found = complementarity(("R",), unaided, aided, (~truth).astype(float), truth, replicates=4000)
    change = (aided[0] == truth).astype(float) - (unaided[0] == truth)
    closed = np.sqrt(sum(change[part].var() / 200 for part in (truth, ~truth)) / 4)
    # The error of a standard deviation from 4000 draws is 1.1 %.
    assert found.se == pytest.approx(closed, rel=0.045)
    assert found.estimate == pytest.approx(change.mean())


def test_complementarity_of_nothing_new_and_what_has_no_answer() -> None:
    readers, unaided, aided, model, truth = study(8)
    same = complementarity(readers, np.tile(model, (5, 1)), np.tile(model, (5, 1)), model, truth, replicates=50)
    assert (same.estimate, same.se, same.p) == (0, 0, 1)
    assert "no width" in same.warnings[-1]
    again = [complementarity(readers, unaided, aided, model, truth, replicates=150, seed=3).se for _ in range(2)]
    assert again[0] == again[1]
    part = unaided.copy()
    part[2, truth] = np.nan
    assert (
        "R2 has no cases of one class" in complementarity(readers, part, aided, model, truth, replicates=20).warnings[0]
    )
    for change, sentence in (
        ({"metric": "auc"}, "accuracy, sensitivity"),
        ({"replicates": 1}, "two replicates"),
        ({"unaided": unaided + 1}, "0 or 1"),
        ({"readers": readers[:3]}, "same readers"),
        ({"truth": np.ones(80, dtype=bool)}, "No reader decided diseased and non-diseased"),
    ):
        words = {"readers": readers, "unaided": unaided, "aided": aided, "model": model, "truth": truth, **change}
        with pytest.raises(CannotAnalyse, match=sentence):
            complementarity(**words)


# Order --------------------------------------------------------------------------------------------------------------


def two_periods(seed: int, readers: int, within: bool) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(readers, 2, 12))
    begins = np.tile(np.arange(12) % 2, (readers, 1)) if within else np.tile(np.arange(readers)[:, None] % 2, (1, 12))
    period = np.stack([begins + 1, 2 - begins], axis=1).astype(float)
    return values, period


def test_crossover_between_readers_is_hills_and_armitages_t() -> None:
    values, period = two_periods(1, 7, within=False)
    found = crossover(values, period)
    means = values.mean(axis=2)
    first = np.arange(7) % 2 == 0
    # Period differences d = period 1 - period 2 of each reader; Hills & Armitage (1979).
    change = np.where(first, means[:, 0] - means[:, 1], means[:, 1] - means[:, 0])
    arm = stats.ttest_ind(change[~first], change[first])
    assert (found.arm.estimate, found.arm.p) == (
        pytest.approx((change[~first].mean() - change[first].mean()) / 2),
        pytest.approx(arm.pvalue),
    )
    assert found.period.p == pytest.approx(stats.ttest_ind(-change[first], change[~first]).pvalue)
    total = means.sum(axis=1)
    carried = stats.ttest_ind(total[first], total[~first])
    assert (found.carry_over.p, found.carry_over.df) == (pytest.approx(carried.pvalue), 5)
    assert found.sequences == "between readers" and found.n == 84


def test_crossover_within_readers_is_a_paired_t() -> None:
    values, period = two_periods(2, 6, within=True)
    found = crossover(values, period)
    gain = values[:, 1] - values[:, 0]
    first, second = gain[:, ::2].mean(axis=1), gain[:, 1::2].mean(axis=1)
    assert found.sequences == "within readers"
    assert found.arm.p == pytest.approx(stats.ttest_1samp((first + second) / 2, 0).pvalue)
    assert found.period.p == pytest.approx(stats.ttest_rel(first, second).pvalue)
    assert found.period.estimate == pytest.approx((first - second).mean() / 2)
    swapped = crossover(values[:, ::-1], period[:, ::-1])
    assert swapped.arm.estimate == pytest.approx(-found.arm.estimate)
    assert swapped.period.estimate == pytest.approx(found.period.estimate)


@pytest.mark.parametrize("within", [True, False])
def test_effects_of_known_size_are_found(within: bool) -> None:
    values, period = two_periods(3, 6, within)
    clean = np.zeros_like(values) + np.array([0.0, 2.0])[None, :, None] + 0.5 * (period - 1)
    found = crossover(clean, period)
    assert (found.arm.estimate, found.period.estimate) == pytest.approx((2, 0.5))
    assert found.carry_over.estimate == pytest.approx(0) and found.carry_over.p == 1
    assert found.arm.p is None and found.arm.warnings


def test_crossover_that_does_not_exist() -> None:
    values, period = two_periods(4, 4, within=False)
    with pytest.raises(CannotAnalyse, match="two readers of each sequence"):
        crossover(values, np.stack([np.ones((4, 12)), np.full((4, 12), 2.0)], axis=1))
    with pytest.raises(CannotAnalyse, match="period must be 1 or 2"):
        crossover(values, period + 1)
    with pytest.raises(CannotAnalyse, match="two arms"):
        crossover(values[:, 0], period[:, 0])
    same = period.copy()
    same[:, :, :2] = 1
    assert "8 readings of both arms in the same period" in crossover(values, same).warnings[0]


def test_position_effect_is_the_mean_of_regressions() -> None:
    generator = np.random.default_rng(5)
    values, position = generator.normal(size=(4, 2, 20)), np.tile(np.arange(1.0, 21), (4, 2, 1))
    values[0, 0, 3] = np.nan
    slopes = [
        [
            stats.linregress(position[r, a][~np.isnan(values[r, a])], values[r, a][~np.isnan(values[r, a])]).slope
            for a in (0, 1)
        ]
        for r in range(4)
    ]
    found = position_effect(values[:, 0], position[:, 0])
    assert found.estimate == pytest.approx(np.mean(slopes, axis=0)[0])
    assert found.p == pytest.approx(stats.ttest_1samp([row[0] for row in slopes], 0).pvalue)
    both = position_difference(values, position)
    assert both.p == pytest.approx(stats.ttest_1samp([row[1] - row[0] for row in slopes], 0).pvalue)
    lost = position_effect(np.vstack([values[:, 0], np.full((1, 20), np.nan)]), np.tile(position[0, 0], (5, 1)))
    assert "1 readers without two positions" in lost.warnings[0]
    with pytest.raises(CannotAnalyse, match="two readers"):
        position_effect(values[:1, 0], position[:1, 0])
    with pytest.raises(CannotAnalyse, match="two readers"):
        position_difference(values[:1], position[:1])
    with pytest.raises(CannotAnalyse, match="position in the session"):
        position_effect(values[:, 0], position)
    with pytest.raises(CannotAnalyse, match="both arms"):
        position_difference(values[:, 0], position[:, 0])
