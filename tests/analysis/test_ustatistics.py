"""U- and V-statistics: identities, any design, edges, size, and the command."""

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.components import bck, bdg, crossed, dbm, mean_squares, obuchowski
from analysis.errors import CannotAnalyse
from analysis.moments import METRICS, Moments, moments
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Columns, Ratings, table_to_ratings
from analysis.success import both, successes
from analysis.unbiased import success_sums
from analysis.ustatistics import difference_of_arms, mean_of_arm, u_statistics
from tests.analysis.oracle_entries import crossed as crossed_frame
from tests.shared_data import shared

VANDYKE = Columns(arm="treatment")


def example(
    seed: int, readers: int = 4, arms: int = 2, cases: int = 24, missing: float = 0.0, levels: int = 5
) -> Ratings:
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % 3 == 0
    values = rng.integers(0, levels, (readers, arms, cases)) + 1.0 * truth
    values[rng.random(values.shape) < missing] = np.nan
    return Ratings(
        tuple(f"R{i}" for i in range(readers)), tuple("ABCDE"[:arms]), tuple(map(str, range(cases))), truth, values
    )


def decided(ratings: Ratings) -> Ratings:
    called = np.where(np.isnan(ratings.values), np.nan, (ratings.values > 2).astype(float))
    return Ratings(ratings.readers, ratings.arms, ratings.cases, ratings.truth, called)


def changed(ratings: Ratings, values: Any, truth: Any = None) -> Ratings:
    return Ratings(ratings.readers, ratings.arms, ratings.cases, ratings.truth if truth is None else truth, values)


def by_definition(ratings: Ratings, first: int, second: int) -> list[float]:
    """M1 to M8 as their definition has them: means of s s' over all quadruples that differ so."""
    readers = range(len(ratings.readers))
    positives, negatives = (np.flatnonzero(kind).tolist() for kind in (ratings.truth, ~ratings.truth))

    def score(reader: int, arm: int, i: int, j: int) -> float:
        one, two = ratings.values[reader, arm, [i, j]]
        return float("nan") if np.isnan(one + two) else float(one > two) + 0.5 * float(one == two)

    table = {
        arm: {
            (r, i, j): s for r, i, j in product(readers, positives, negatives) if not np.isnan(s := score(r, arm, i, j))
        }
        for arm in {first, second}
    }
    sums, counts = np.zeros(8), np.zeros(8)
    for (r, i, j), one in table[first].items():
        for (s, k, m), two in table[second].items():
            place = (j != m) + 2 * (i != k) + 4 * (r != s)
            sums[place] += one * two
            counts[place] += 1
    return list(np.divide(sums, counts, out=np.zeros(8), where=counts > 0))


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_moments_are_what_their_definition_says(missing: float) -> None:
    ratings = example(3, readers=3, cases=12, missing=missing)
    found = moments(ratings)
    for first, second in ((0, 0), (1, 1), (0, 1)):
        np.testing.assert_allclose(found.unbiased[first, second], by_definition(ratings, first, second), rtol=1e-12)


@pytest.mark.parametrize(("metric", "figure"), [("auc", "auc"), ("sensitivity",) * 2, ("specificity",) * 2])
def test_u_variance_is_the_square_of_the_unbiased_error_where_complete(metric: Any, figure: Any) -> None:
    ratings = table_to_ratings(pd.read_csv(shared("oracles/data/vandyke.csv")), VANDYKE)
    ratings = ratings if metric == "auc" else decided(ratings)
    ours = moments(ratings, metric)
    model = obuchowski_rockette(ratings, figure, "unbiased")
    assert ours.variance_of_difference(0, 1) == pytest.approx(model.se**2, rel=1e-9)
    difference = difference_of_arms(ours, 0, 1)
    assert difference.df_hillis == pytest.approx(model.differences[0].df, rel=1e-9)
    assert difference.p_hillis() == pytest.approx(model.p, rel=1e-9)
    assert difference.estimate == pytest.approx(model.estimate)


@given(seed=st.integers(0, 10_000), readers=st.integers(2, 5), levels=st.sampled_from([2, 5, 1000]))
@settings(max_examples=40, deadline=None)
def test_v_statistic_is_never_negative_and_both_add_up(seed: int, readers: int, levels: int) -> None:
    found = moments(example(seed, readers, levels=levels))
    assert found.covariance(0, 0, biased=True) >= -1e-14
    assert found.variance_of_difference(0, 1, biased=True) >= -1e-14
    np.testing.assert_allclose(found.coefficients.sum(axis=-1), 0, atol=1e-12)
    # The variance is the product of the means less the mean product of scores that share nothing.
    assert found.covariance(0, 1) == pytest.approx(found.means[0] * found.means[1] - found.unbiased[0, 1, 7], abs=1e-12)


@given(seed=st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.2]))
@settings(max_examples=25, deadline=None)
def test_what_does_not_matter(seed: int, missing: float) -> None:
    ratings = example(seed, missing=missing)
    found = moments(ratings)
    monotone = moments(changed(ratings, np.exp(ratings.values / 2)))
    np.testing.assert_allclose(monotone.unbiased, found.unbiased, rtol=1e-12)
    flipped = moments(changed(ratings, -ratings.values, ~ratings.truth))
    np.testing.assert_allclose(flipped.means, found.means, rtol=1e-12)
    assert flipped.variance_of_difference(0, 1) == pytest.approx(found.variance_of_difference(0, 1), abs=1e-13)
    order = np.random.default_rng(seed).permutation(len(ratings.cases))
    shuffled = Ratings(
        ratings.readers[::-1], ratings.arms, ratings.cases, ratings.truth[order], ratings.values[::-1][:, :, order]
    )
    np.testing.assert_allclose(moments(shuffled).unbiased, found.unbiased, rtol=1e-9)
    turned = moments(ratings.restricted(arms=ratings.arms[::-1]))
    assert turned.variance_of_difference(0, 1) == pytest.approx(found.variance_of_difference(0, 1), abs=1e-13)


def test_swapping_arms_turns_the_sign_and_keeps_p() -> None:
    ratings = table_to_ratings(crossed_frame(), Columns(), ("unaided", "aided"))
    one, two = u_statistics(ratings), u_statistics(ratings.restricted(arms=("aided", "unaided")))
    assert one.estimate == pytest.approx(-two.estimate) and one.p == pytest.approx(two.p)
    assert one.confidence_interval().low == pytest.approx(-two.confidence_interval().high)


def test_one_minus_the_scale_of_the_truth_is_one_minus_the_area() -> None:
    ratings = example(5)
    upside = moments(changed(ratings, -ratings.values))
    np.testing.assert_allclose(upside.means, 1 - moments(ratings).means, rtol=1e-12)
    assert upside.covariance(0, 0) == pytest.approx(moments(ratings).covariance(0, 0), rel=1e-9)


def test_every_reader_twice_halves_only_what_readers_bring() -> None:
    """With each reader doubled the V-statistic stays: the same empirical distribution."""
    ratings = example(7)
    names = tuple(f"{name} again" for name in ratings.readers)
    twice = Ratings(
        (*ratings.readers, *names), ratings.arms, ratings.cases, ratings.truth,
        np.concatenate([ratings.values, ratings.values]),
    )  # fmt: skip
    one, two = moments(ratings), moments(twice)
    np.testing.assert_allclose(two.means, one.means, rtol=1e-12)
    np.testing.assert_allclose(two.biased, one.biased, rtol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_five_representations_are_one_variance(metric: Any) -> None:
    ratings = example(11)
    found = moments(ratings if metric == "auc" else decided(ratings), metric)
    for biased, second in product((False, True), (None, 1)):
        total = found.covariance(0, 0, biased) if second is None else found.variance_of_difference(0, 1, biased)
        parts = crossed(found, 0, second, biased)
        whole = [bdg(found, 0, second, biased), bck(found, 0, second, biased)]
        whole += [dbm(parts), obuchowski(parts), mean_squares(parts)]
        assert [item.variance for item in whole] == pytest.approx([total] * 5, rel=1e-9)


def test_accuracy_is_the_share_of_right_decisions_of_all_cases() -> None:
    ratings = decided(example(13, missing=0.1))
    found = moments(ratings, "accuracy")
    right = np.where(ratings.truth, ratings.values, 1 - ratings.values)
    np.testing.assert_allclose(found.means, np.nanmean(right.transpose(1, 0, 2).reshape(2, -1), axis=1))
    np.testing.assert_allclose(found.figures, np.nanmean(right, axis=2))


def test_conditional_and_joint_are_one_on_complete_data() -> None:
    ratings = decided(example(17))
    one, two = moments(ratings, "accuracy"), moments(ratings, "accuracy", "conditional")
    np.testing.assert_allclose(one.unbiased, two.unbiased, rtol=1e-12)
    np.testing.assert_allclose(one.coefficients, two.coefficients, atol=1e-14)


def split(ratings: Ratings, kept: Sequence[tuple[Any, Any, Any]]) -> Ratings:
    values = np.full(ratings.values.shape, np.nan)
    for place in kept:
        values[place] = ratings.values[place]
    return changed(ratings, values)


def test_split_plot_adds_the_variances_of_its_blocks() -> None:
    """Two blocks of readers and cases that share nothing: the mean of two independent studies."""
    ratings = example(19, readers=6, cases=48)
    front, back = slice(0, 24), slice(24, 48)
    blocks = [split(ratings, [(slice(0, 3), slice(None), front)]), split(ratings, [(slice(3, 6), slice(None), back)])]
    whole = moments(split(ratings, [(slice(0, 3), slice(None), front), (slice(3, 6), slice(None), back)]))
    parts = [moments(block) for block in blocks]
    np.testing.assert_allclose(whole.means, (parts[0].means + parts[1].means) / 2, rtol=1e-12)
    assert whole.unbiased[0, 1, 7] != 0 and not whole.crossed
    # Products within blocks average those of the blocks; scores of different blocks are among M8.
    np.testing.assert_allclose(
        whole.unbiased[0, 1, :7], (parts[0].unbiased + parts[1].unbiased)[0, 1, :7] / 2, rtol=1e-12
    )


def test_readers_or_cases_nested_in_arms_have_no_covariance_from_them() -> None:
    ratings = example(23, readers=6)
    nested = moments(split(ratings, [(slice(0, 3), 0, slice(None)), (slice(3, 6), 1, slice(None))]))
    assert nested.coefficients[0, 1, :4].tolist() == [0, 0, 0, 0]
    difference = difference_of_arms(nested, 0, 1, "mle")
    assert difference.df >= 2 and difference.df_hillis is None
    apart = moments(split(ratings, [(slice(None), 0, slice(0, 12)), (slice(None), 1, slice(12, 24))]))
    assert apart.coefficients[0, 1, [0, 1, 2, 4, 5, 6]].tolist() == [0] * 6


def test_readers_and_cases_without_a_reading_count_nowhere() -> None:
    ratings = example(29)
    padded = Ratings(
        (*ratings.readers, "absent"), ratings.arms, (*ratings.cases, "unread"), np.append(ratings.truth, True),
        np.pad(ratings.values, ((0, 1), (0, 0), (0, 1)), constant_values=np.nan),
    )  # fmt: skip
    one, two = moments(ratings), moments(padded)
    assert two.crossed and two.sizes == one.sizes
    np.testing.assert_array_equal(one.unbiased, two.unbiased)


def test_degenerate_studies() -> None:
    ratings = example(31)
    flat = u_statistics(changed(ratings, np.ones_like(ratings.values)))
    assert (flat.estimate, flat.se, flat.p) == (0.0, 0.0, 1.0)
    assert [mean.p for mean in flat.arms] == [1.0, 1.0] and len(flat.warnings) == 3
    twins = ratings.values.copy()
    twins[:, 1] = twins[:, 0]
    same = u_statistics(changed(ratings, twins), variance="mle")
    assert (same.estimate, same.p) == (0.0, 1.0)
    certain = np.stack([np.broadcast_to(ratings.truth, (4, 24)), np.broadcast_to(~ratings.truth, (4, 24))], axis=1)
    with pytest.raises(CannotAnalyse, match="Nothing varies"):
        u_statistics(changed(ratings, certain.astype(float)))
    perfect = mean_of_arm(moments(changed(ratings, certain.astype(float))), 0)
    assert (perfect.estimate, perfect.se, perfect.p) == (1.0, 0.0, None)
    assert (perfect.confidence_interval().low, perfect.confidence_interval().high) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda r: r.restricted(readers=("R0",)), "one reader"),
        (lambda r: changed(r, r.values, np.zeros(24, dtype=bool)), "0 diseased cases"),
        (lambda r: changed(r, r.values, np.arange(24) == 3), "1 diseased cases"),
        (lambda r: changed(r, r.values, np.arange(24) != 3), "1 non-diseased cases"),
        (lambda r: changed(r, np.full_like(r.values, np.nan)), "no reading"),
        (lambda r: split(r, [(0, 0, slice(None)), (slice(None), 1, slice(None))]), "Arm A has one reader"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_missing_is_named(make: Any, sentence: str) -> None:
    with pytest.raises(CannotAnalyse, match=sentence):
        u_statistics(make(example(37)))


def test_words_that_do_not_exist() -> None:
    ratings: Any = example(41)
    with pytest.raises(CannotAnalyse, match="not youden"):
        moments(ratings, "youden")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="not jackknife"):
        u_statistics(ratings, variance="jackknife")  # type: ignore[arg-type]
    with pytest.raises(CannotAnalyse, match="decisions of 0 or 1"):
        moments(ratings, "accuracy")
    with pytest.raises(CannotAnalyse, match="weight every score alike"):
        moments(ratings, "auc", "conditional")


@given(seed=st.integers(0, 10_000), levels=st.sampled_from([2, 4, 1000]))
@settings(max_examples=30, deadline=None)
def test_counting_by_ranks_is_comparing_every_pair(seed: int, levels: int) -> None:
    ratings = example(seed, readers=2, cases=30, missing=0.15, levels=levels)
    tests = ratings.values.reshape(-1, 30)
    _, _, together = success_sums(tests[:, ratings.truth], tests[:, ~ratings.truth])
    counted = [[both(one, two, ratings.truth) for two in tests] for one in tests]
    np.testing.assert_allclose(counted, together, rtol=1e-12)


def test_a_hundred_thousand_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    truth = np.arange(100_000) % 2 == 0
    values = rng.normal(size=(2, 2, 100_000)) + truth
    ratings = Ratings(("R", "S"), ("A", "B"), tuple(map(str, range(100_000))), truth, values)
    found = u_statistics(ratings, variance="mle")
    assert 0 < found.se < 0.01 and found.p is not None
    small = ratings.restricted()
    part = Ratings(small.readers, small.arms, small.cases[:400], truth[:400], values[:, :, :400])
    expected = successes(part.values.reshape(4, -1), part.truth)
    monkeypatch.setattr("analysis.success.COMPARED", 0)
    counted = successes(part.values.reshape(4, -1), part.truth)
    for name in ("rows", "columns", "together"):
        np.testing.assert_allclose(getattr(counted, name), getattr(expected, name), rtol=1e-12)


def content(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--format", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_command_answers_as_imrmc(capsys: pytest.CaptureFixture[str]) -> None:
    """iMRMC 2.1.2 on VanDyke: difference -0.0438003220611916 (first minus second), variance, df of the difference."""
    table = str(shared("oracles/data/vandyke.csv"))
    found = content(capsys, "ustat", table, "--arm", "treatment", "--arms", "1,2")
    row = found["differences"][0]
    assert row["estimate"] == pytest.approx(0.0438003220611916, rel=1e-9)
    assert row["se"] ** 2 == pytest.approx(0.000427312516744969, rel=1e-9)
    assert row["df"] == pytest.approx(12.8134110059817, rel=1e-9)
    assert row["p"] == pytest.approx(0.054230, abs=1e-6) and (row["first"], row["second"]) == ("1", "2")
    assert [mean["arm"] for mean in found["arms"]] == ["1", "2"] and len(found["estimates"]) == 10
    assert found["components"]["cov2"] == pytest.approx(0.000339065, rel=1e-5)
    larger = content(capsys, "ustat", table, "--arm", "treatment", "--arms", "1,2", "--variance", "mle")
    assert larger["differences"][0]["se"] ** 2 == pytest.approx(0.00062613272590508, rel=1e-9)
    alone = content(capsys, "ustat", table, "--arm", "treatment", "--arms", "2")
    assert alone["differences"] == [] and alone["components"]["arm_reader"] is None
    assert alone["arms"][0]["df"] == pytest.approx(11.5233462269153, rel=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_the_command_on_every_metric(metric: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "a table.csv"
    crossed_frame().to_csv(table, index=False)
    found = content(capsys, "ustat", str(table), "--arms", "unaided,aided", "--metric", metric)
    assert 0 <= found["differences"][0]["p"] <= 1 and found["method"].startswith(f"U-statistics, {metric}")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("edge_mrmc_one_reader", "one reader"),
        ("edge_mrmc_two_readers", "V-statistic"),
        ("edge_mrmc_missing_class_cell", "V-statistic"),
    ],
)
def test_the_command_refuses_in_one_sentence(name: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ustat", str(shared(f"oracles/data/{name}.csv")), "--arm", "treatment"]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


@pytest.mark.parametrize("name", ["edge_mrmc_all_ties", "edge_mrmc_perfect", "edge_mrmc_identical_modalities"])
def test_the_command_answers_without_variation(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = content(capsys, "ustat", str(shared(f"oracles/data/{name}.csv")), "--arm", "treatment")
    assert (found["differences"][0]["estimate"], found["differences"][0]["p"]) == (0, 1) and found["warnings"]


def test_where_pairs_of_several_arms_have_no_test_the_others_stay(capsys: pytest.CaptureFixture[str]) -> None:
    found = content(capsys, "ustat", str(shared("oracles/data/prostate_colorscale.csv")), "--arm", "treatment")
    assert len(found["differences"]) == 6 and found["components"] is None
    assert sum("is negative" in warning for warning in found["warnings"]) == 4


def test_the_mean_of_one_arm_by_hand() -> None:
    found: Moments = moments(example(43))
    mean = mean_of_arm(found, 0)
    assert mean.estimate == pytest.approx(found.figures[:, 0].mean())
    assert mean.se**2 == pytest.approx(found.covariance(0, 0))
    interval = mean.confidence_interval(0.9)
    assert interval.low < mean.estimate < interval.high and interval.level == 0.9
