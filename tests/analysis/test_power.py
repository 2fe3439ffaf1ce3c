"""Plans: identities, edges, a simulation, and the command."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.__main__ import main
from analysis.commands.power import numbers
from analysis.error_terms import Components
from analysis.errors import CannotAnalyse
from analysis.power import (
    GENERALISED,
    Generalised,
    Variation,
    mrmc_power,
    mrmc_sample_size,
    pilot_variation,
    power_grid,
    variation,
)
from analysis.power_auc import (
    Spread,
    auc_power,
    auc_sample_size,
    binormal_covariance,
    binormal_spread,
    delong_spread,
    derivatives,
    paired_auc_power,
    paired_auc_sample_size,
)
from analysis.power_models import (
    PairedTest,
    conjectured_precision,
    conjectured_study,
    exact_power,
    expected_maximum,
    mcnemar_power,
    mcnemar_sample_size,
    two_means_sample_size,
    two_proportions_power,
    two_proportions_sample_size,
)
from analysis.ratings import Ratings, table_to_ratings
from tests.analysis.oracle_entries import crossed

SPREAD = Variation(0.0002, 0.012, 0.04)


def pilot() -> Ratings:
    return table_to_ratings(crossed())


@pytest.mark.parametrize(("auc", "ratio"), [(0.6, 1.0), (0.8, 1.7), (0.95, 0.5), (0.3, 2.0)])
def test_the_cases_for_a_power_have_that_power(auc: float, ratio: float) -> None:
    plan = auc_sample_size(auc, 0.9, ratio)
    assert plan.negatives == pytest.approx(ratio * plan.positives)
    assert auc_power(auc, plan.positives, plan.negatives).estimate == pytest.approx(0.9)
    positives, negatives = plan.cases
    assert auc_power(auc, positives, negatives).estimate >= 0.9


def test_an_auc_of_one_half_is_found_by_chance_only() -> None:
    found = auc_power(0.5, 50, 50)
    assert found.estimate == pytest.approx(0.025, rel=1e-6) and found.warnings
    with pytest.raises(CannotAnalyse, match="effect of 0"):
        auc_sample_size(0.5)


def test_one_side_needs_fewer_cases() -> None:
    assert auc_sample_size(0.7, sides=1).positives == pytest.approx(auc_sample_size(0.7, alpha=0.1).positives)


def test_paired_plan_inverts_itself_and_scales_with_the_effect() -> None:
    spread = binormal_spread((1.2, 1.1), (1.6, 0.9), 0.6, 0.4, 2.0)
    plan = paired_auc_sample_size(spread, 0.85)
    assert paired_auc_power(spread, plan.positives).estimate == pytest.approx(0.85)
    half = paired_auc_sample_size(spread, 0.85, spread.difference / 2)
    assert half.positives == pytest.approx(4 * plan.positives)


def test_the_spread_of_a_pilot_holds_the_variance_of_delong() -> None:
    from analysis.delong import delong_test

    ratings = pilot()
    truth, one, two = ratings.pair(ratings.readers[0], *ratings.arms[:2])
    test, spread = delong_test(truth, one, two), delong_spread(truth, one, two)
    assert spread.difference == pytest.approx(test.estimate)
    assert spread.under_difference / truth.sum() == pytest.approx(test.se**2)


def test_derivatives_of_the_binormal_area() -> None:
    def area(a: float, b: float) -> float:
        return float(stats.norm.cdf(a / math.hypot(1, b)))

    step = 1e-6
    f, g = derivatives(1.3, 0.8)
    assert f == pytest.approx((area(1.3 + step, 0.8) - area(1.3 - step, 0.8)) / (2 * step), rel=1e-8)
    assert g == pytest.approx((area(1.3, 0.8 + step) - area(1.3, 0.8 - step)) / (2 * step), rel=1e-8)


def test_binormal_covariance_is_that_of_simulated_parameters() -> None:
    # Intercepts and slopes from sample means and deviations of correlated normal ratings, Obuchowski & McClish's model.
    generator, n, m, studies = np.random.default_rng(4), 120, 240, 4000
    (a1, b1), (a2, b2), ra, rn = (1.2, 1.0), (1.6, 0.8), 0.6, 0.4
    sick = generator.multivariate_normal([a1, a2], [[1, ra], [ra, 1]], (studies, n))
    well = generator.multivariate_normal([0, 0], [[b1**2, rn * b1 * b2], [rn * b1 * b2, b2**2]], (studies, m))
    a = (sick.mean(axis=1) - well.mean(axis=1)) / sick.std(axis=1, ddof=1)
    b = well.std(axis=1, ddof=1) / sick.std(axis=1, ddof=1)
    areas = stats.norm.cdf(a / np.sqrt(1 + b**2))
    found = np.cov(areas.T)[0, 1] * n
    # The standard error of a covariance of 4000 pairs is about 2 % of the variance.
    assert binormal_covariance((a1, b1), (a2, b2), ra, rn, m / n) == pytest.approx(found, rel=0.08)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: auc_power(1.0, 10, 10), "between 0 and 1"),
        (lambda: auc_power(0.8, 0, 10), "diseased and non-diseased"),
        (lambda: auc_power(0.8, 10, 10, sides=3), "one or two sides"),
        (lambda: auc_power(0.8, 10, 10, alpha=0), "level of a test"),
        (lambda: auc_sample_size(0.8, 0.01), "lies between alpha"),
        (lambda: auc_sample_size(0.8, ratio=-1), "ratio"),
        (lambda: paired_auc_power(Spread(0.1, 1, 1, 1, 1), 10), "vary exactly together"),
        (lambda: paired_auc_sample_size(Spread(0.0, 1, 1, 0, 1)), "effect of 0"),
        (lambda: binormal_spread((1, 0), (1, 1), 0.5, 0.5), "slope"),
        (lambda: binormal_spread((1, 1), (1, 1), 1.5, 0.5), "correlation"),
    ],
)
def test_an_area_that_cannot_be_planned(call: object, sentence: str) -> None:
    assert callable(call)
    with pytest.raises(CannotAnalyse, match=sentence):
        call()


def test_components_of_both_schools_say_the_same() -> None:
    parts = Components(None, 0.0002, 0.0008, 0.00035, 0.00034, 0.00024)
    one = variation(parts, 114)
    assert one.arm_case / 114 == pytest.approx(0.0001)
    assert one.error / 114 == pytest.approx(0.0008 - 0.00035 - 0.0001)
    assert mrmc_power(one, 6, 114, 0.05) == mrmc_power(Variation(0.0002, one.arm_case, one.error), 6, 114, 0.05)


def test_more_readers_more_cases_larger_effects_have_more_power() -> None:
    base = mrmc_power(SPREAD, 6, 120, 0.05).estimate
    assert mrmc_power(SPREAD, 8, 120, 0.05).estimate > base
    assert mrmc_power(SPREAD, 6, 180, 0.05).estimate > base
    assert mrmc_power(SPREAD, 6, 120, 0.06).estimate > base
    assert mrmc_power(SPREAD, 6, 120, -0.05).estimate == base


def test_fixed_readers_or_cases_have_more_power_where_they_vary() -> None:
    both = mrmc_power(SPREAD, 12, 120, 0.05).estimate
    assert mrmc_power(SPREAD, 12, 120, 0.05, generalised="cases").estimate > both
    assert mrmc_power(SPREAD, 12, 120, 0.05, generalised="readers").estimate > both


@pytest.mark.parametrize("generalised", GENERALISED)
def test_no_effect_has_the_power_alpha(generalised: Generalised) -> None:
    found = mrmc_power(SPREAD, 6, 120, 0.0, 0.03, generalised)
    assert found.estimate == pytest.approx(0.03) and found.warnings


def test_the_number_of_cases_is_the_smallest() -> None:
    found = mrmc_sample_size(SPREAD, 8, 0.05, 0.85)
    assert found.estimate >= 0.85 > mrmc_power(SPREAD, 8, found.cases - 1, 0.05).estimate
    with pytest.raises(CannotAnalyse, match="do not reach a power"):
        mrmc_sample_size(Variation(0.01, 0.01, 0.04), 3, 0.02)


def test_power_of_the_model_is_met_by_simulation() -> None:
    # Figures of merit drawn from the Obuchowski-Rockette model with known cov2 - cov3: arm x reader, arm x case, error.
    readers, cases, effect, studies = 6, 100, 0.06, 40_000
    spread = Variation(0.0004, 0.006, 0.05)
    generator = np.random.default_rng(8)
    own = math.sqrt(spread.arm_reader + spread.error / cases)
    theta = own * generator.standard_normal((studies, readers, 2))
    theta += math.sqrt(spread.arm_case / cases) * generator.standard_normal((studies, 1, 2)) + [0.0, effect]
    change = theta[:, :, 1] - theta[:, :, 0]
    interaction = change.var(axis=1, ddof=1) / 2
    denominator = interaction + readers * spread.arm_case / cases
    f = readers * change.mean(axis=1) ** 2 / 2 / denominator
    df = (readers - 1) * (denominator / interaction) ** 2
    rejected = float((stats.f.sf(f, 1, df) < 0.05).mean())
    assert rejected == pytest.approx(mrmc_power(spread, readers, cases, effect).estimate, abs=0.015)


def test_a_ratio_like_that_of_the_pilot_changes_nothing() -> None:
    ratings = pilot()
    plain = pilot_variation(ratings, covariance_method="delong")
    same = pilot_variation(ratings, covariance_method="delong", ratio=ratings.negatives / ratings.positives)
    assert same.arm_case == pytest.approx(plain.arm_case) and same.error == pytest.approx(plain.error)
    doubled = Ratings(
        ratings.readers,
        ratings.arms,
        tuple(f"{case}{copy}" for copy in "ab" for case in ratings.cases),
        np.tile(ratings.truth, 2),
        np.tile(ratings.values, (1, 1, 2)),
    )
    assert pilot_variation(doubled, covariance_method="delong", ratio=3).error == pytest.approx(
        pilot_variation(ratings, covariance_method="delong", ratio=3).error, rel=0.05
    )


def test_components_without_variation_or_sense_are_refused() -> None:
    with pytest.raises(CannotAnalyse, match="Nothing varies"):
        mrmc_power(Variation(0.0, 0.0, 0.0), 5, 100, 0.05)
    with pytest.raises(CannotAnalyse, match="exceed the error"):
        variation(Components(None, 0.0, 0.001, 0.002, 0, 0), 100)
    with pytest.raises(CannotAnalyse, match="arm_reader"):
        variation(Components(None, None, 0.001, 0, 0, 0), 100)
    with pytest.raises(CannotAnalyse, match="finite"):
        variation(Components(None, math.nan, 0.001, 0, 0, 0), 100)
    with pytest.raises(CannotAnalyse, match="belong to a number of cases"):
        variation(Components(None, 0.0, 0.001, 0, 0, 0), 0)
    with pytest.raises(CannotAnalyse, match="at least two readers"):
        mrmc_power(SPREAD, 1, 100, 0.05)
    with pytest.raises(CannotAnalyse, match="two readers and two arms"):
        pilot_variation(pilot().restricted(arms=pilot().arms[:1]))


def test_a_grid_names_what_suffices_and_what_is_reached() -> None:
    grid = power_grid(SPREAD, (4, 8, 12), (60, 120), 0.05)
    assert [(plan.readers, plan.cases) for plan in grid.plans] == [(j, k) for j in (4, 8, 12) for k in (60, 120)]
    assert all(plan.estimate >= 0.8 and plan.cases <= 120 for plan in grid.sufficient)
    poor = power_grid(SPREAD, (4,), (20,), 0.02)
    assert poor.sufficient == () and "highest is" in poor.warnings[-1]


def test_exact_power_of_mcnemar_by_enumeration() -> None:
    # Every table of 8 pairs by its multinomial probability.
    first, second, pairs = 0.1, 0.4, 8
    total = 0.0
    for b in range(pairs + 1):
        for c in range(pairs + 1 - b):
            if b + c and stats.binomtest(min(b, c), b + c).pvalue <= 0.05:
                total += stats.multinomial.pmf([b, c, pairs - b - c], pairs, [first, second, 1 - first - second])
    assert exact_power(first, second, pairs, 0.05) == pytest.approx(total, rel=1e-10)


def test_plans_of_mcnemar() -> None:
    tests: tuple[PairedTest, ...] = ("connor", "miettinen")
    for test in tests:
        pairs = mcnemar_sample_size(0.06, 0.14, 0.9, test=test).pairs
        low, high = mcnemar_power(0.06, 0.14, math.floor(pairs), test=test), mcnemar_power(0.06, 0.14, 400, test=test)
        assert low.estimate < 0.9 < high.estimate
        assert mcnemar_sample_size(0.14, 0.06, 0.9, test=test).pairs == pytest.approx(pairs)
    exact = mcnemar_sample_size(0.06, 0.14, 0.9, test="exact")
    assert exact.estimate >= 0.9 and exact.pairs > mcnemar_sample_size(0.06, 0.14, 0.9).pairs
    assert mcnemar_power(0.1, 0.1, 100).warnings
    assert mcnemar_power(0.0, 1.0, 100).estimate == 1.0


@pytest.mark.parametrize(
    ("first", "second", "sentence"), [(0, 0, "discordant"), (0.6, 0.6, "at most 1"), (0.1, 0.1, "difference of 0")]
)
def test_pairs_that_cannot_be_planned(first: float, second: float, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        mcnemar_sample_size(first, second)


def test_groups() -> None:
    n = two_proportions_sample_size(0.7, 0.85, 0.9).n
    assert two_proportions_power(0.7, 0.85, n).estimate == pytest.approx(0.9, abs=1e-6)
    assert two_proportions_power(0.7, 0.7, 50).estimate == pytest.approx(0.05)
    assert two_means_sample_size(-0.5, 1.0).n == pytest.approx(two_means_sample_size(1.0, 2.0).n)
    with pytest.raises(CannotAnalyse, match="difference of 0"):
        two_proportions_sample_size(0.7, 0.7)
    with pytest.raises(CannotAnalyse, match="effect other than 0"):
        two_means_sample_size(0.0)


def test_conjectures() -> None:
    # Range of two normal values: 2/sqrt(pi) standard deviations.
    assert 2 * expected_maximum(2) == pytest.approx(2 / math.sqrt(math.pi))
    plan = conjectured_study("auc", 10, 0.1, 0.75, 0.1, 0.05, 0.47, lesions_per_case=1.25, intracluster=0.5)
    assert plan.design_effect == 1.125 and plan.units == 25 and plan.diseased == math.ceil(29 / 1.25)
    assert conjectured_study("auc", 10, 0.2, 0.75, 0.1, 0.05, 0.47).warnings
    with pytest.raises(CannotAnalyse, match="never reach"):
        conjectured_study("auc", 5, 0.02, 0.75, 0.3, 0.05, 0.47)
    with pytest.raises(CannotAnalyse, match="endpoint"):
        conjectured_precision("f1", 0.9, 0.05)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("8", (8,)), ("5:8", (5, 6, 7, 8)), ("10:20:4", (10, 14, 18, 20)), ("9,3", (3, 9)), ("2:90", None)],
)
def test_ranges(text: str, expected: tuple[int, ...] | None) -> None:
    found = numbers(text, "--readers", 30)
    assert found == expected if expected else (found[0], found[-1]) == (2, 90) and len(found) <= 31


@pytest.mark.parametrize("text", ["", "a", "5:", "8:5", "5:8:0", "1.5", "-3", "5:8:1:2"])
def test_ranges_that_are_none(text: str) -> None:
    with pytest.raises(CannotAnalyse, match="is written as"):
        numbers(text, "--readers", 30)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "pilot.csv"
    crossed().to_csv(path, index=False)
    return path


def test_command_with_a_pilot(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["power", "--pilot", str(table), "--readers", "5:7", "--cases", "50:150", "--effect", "0.05"]
    assert main([*words, "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [set(row) for row in answer["estimates"]] == [{"reader", "arm", "estimate", "se", "low", "high"}] * 18
    row = answer["estimates"][0]
    expected = mrmc_power(pilot_variation(pilot()), 5, 50, 0.05).estimate
    assert (row["reader"], row["arm"], row["se"]) == ("5 readers", "50 cases", None)
    assert row["estimate"] == expected
    assert set(answer["components"]) == {"reader", "arm_reader", "error", "cov1", "cov2", "cov3"}


def test_command_with_components(tmp_path: Path, table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mrmc", str(table), "--covariance", "jackknife", "--format", "json"]) == 0
    saved = tmp_path / "mrmc.json"
    saved.write_text(capsys.readouterr().out)
    toml = tmp_path / "parts.toml"
    toml.write_text("arm_reader = 0.0002\narm_case = 0.012\nerror = 0.04\n")
    words = ["--readers", "8", "--cases", "120", "--effect", "0.05", "--format", "json"]
    found = []
    for source in (["--pilot", str(table)], ["--components", str(saved)], ["--components", str(toml)]):
        assert main(["power", *source, *words]) == 0
        found.append(json.loads(capsys.readouterr().out)["estimates"][0]["estimate"])
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[2] == mrmc_power(SPREAD, 8, 120, 0.05).estimate


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "does not name arm_reader"),
        ("arm_reader = 1\nerror = 1\ncov1 = 0\ncov2 = 0\ncov3 = 0", "does not name cases"),
        ("arm_reader = 1\narm_case = 1\nerror = 1\ncov1 = 0", "names cov1"),
        ("arm_reader = true\narm_case = 1\nerror = 1", "not a number"),
        ("arm_reader", "neither TOML nor JSON"),
        ("{", "neither TOML nor JSON"),
        ("arm_reader = 0.1\nerror = 1\ncov1 = 0\ncov2 = 0\ncov3 = 0\ncases = 0", "whole number"),
        ("arm_reader = nan\nerror = 1\ncov1 = 0\ncov2 = 0\ncov3 = 0\ncases = 9", "finite"),
        ("arm_reader = 0\narm_case = 0\nerror = 0", "Nothing varies"),
    ],
)
def test_components_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str) -> None:
    path = tmp_path / "parts.toml"
    path.write_text(text)
    assert main(["power", "--components", str(path), "--readers", "5", "--cases", "50", "--effect", "0.05"]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err and captured.out == "" and captured.err.count("\n") == 1


DEGENERATE: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "one class": lambda frame: frame.assign(truth=1),
    "all ties": lambda frame: frame.assign(rating=3),
    "perfect": lambda frame: frame.assign(rating=frame["truth"]),
    "one reader": lambda frame: frame.loc[frame["reader"] == frame["reader"].iloc[0]],
    "one arm": lambda frame: frame.loc[frame["arm"] == frame["arm"].iloc[0]],
    "twice": lambda frame: pd.concat([frame, frame]),
    "no truth": lambda frame: frame.assign(truth=math.nan),
    "text": lambda frame: frame.assign(rating="high"),
    "empty": lambda frame: frame.iloc[:0],
    "nested": lambda frame: frame.assign(reader=frame["reader"].astype(str) + frame["arm"].astype(str)),
    "no column": lambda frame: frame.drop(columns="rating"),
}


@pytest.mark.parametrize("kind", list(DEGENERATE))
def test_pilots_that_say_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    path = tmp_path / "pilot table.csv"
    DEGENERATE[kind](crossed()).to_csv(path, index=False)
    assert main(["power", "--pilot", str(path), "--readers", "5", "--cases", "50", "--effect", "0.05"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and "nan" not in captured.err


def test_missing_readings_are_no_obstacle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pilot.csv"
    crossed().iloc[3:].to_csv(path, index=False)
    words = ["--pilot", str(path), "--readers", "5", "--cases", "50", "--effect", "0.05"]
    assert main(["power", *words]) == 0
    assert main(["power", *words, "--ratio", "2"]) == 2
    assert "missing" in capsys.readouterr().err
