"""Obuchowski-Rockette: designs, edges and identities beside the walk of MRMCaov's entries."""

import numpy as np
import pytest
from scipy import stats

from analysis.covariance import Covariance, covariance, figures_of_merit
from analysis.errors import CannotAnalyse
from analysis.merits import Custom
from analysis.mrmc import ONE_POINT, Estimates, analyse, obuchowski_rockette
from analysis.ratings import Bools, Columns, Floats, Ratings, table_to_ratings
from tests.analysis.oracle_entries import agree, entry, oracle_data


def vandyke() -> Ratings:
    return table_to_ratings(oracle_data("vandyke"), Columns(arm="treatment"))


def decided() -> Ratings:
    frame = oracle_data("vandyke")
    frame["rating"] = (frame["rating"] >= 3).astype(float)
    return table_to_ratings(frame, Columns(arm="treatment"))


def nested() -> Ratings:
    frame = oracle_data("vandyke")
    frame["reader"] = frame["treatment"].astype(str) + "." + frame["reader"].astype(str)
    return table_to_ratings(frame, Columns(arm="treatment"))


def test_a_design_that_mrmcaov_refuses_is_refused_with_the_gap() -> None:
    assert "error" in entry("mrmc_or_mrmcaov", "auc/unbiased/RRRC/prostate_colorscale").values
    ratings = table_to_ratings(oracle_data("prostate_colorscale"), Columns(arm="treatment"))
    with pytest.raises(CannotAnalyse, match="High3 read nothing in arm HotGSDF"):
        obuchowski_rockette(ratings, covariance_method="unbiased")


def test_delong_covariance_is_refused_where_readings_are_missing() -> None:
    ratings = table_to_ratings(oracle_data("vandyke_missing"), Columns(arm="treatment"))
    with pytest.raises(CannotAnalyse, match="use the jackknife or the unbiased covariance"):
        obuchowski_rockette(ratings)


@pytest.mark.parametrize("name", ["edge_mrmc_all_ties", "edge_mrmc_perfect", "edge_mrmc_identical_modalities"])
@pytest.mark.parametrize("covariance", ["delong", "jackknife", "unbiased", "bootstrap"])
def test_equal_arms_give_no_difference_and_a_warning(name: str, covariance: Covariance) -> None:
    # MRMCaov reports F = 1 from rounding noise here, RJafroc NaN (oracles/README.md, disagreement 8).
    found = obuchowski_rockette(table_to_ratings(oracle_data(name), Columns(arm="treatment")), "auc", covariance)
    assert (found.estimate, found.p) == (0.0, 1.0)
    assert found.warnings
    assert all(np.isfinite([mean.estimate, mean.se]).all() for mean in found.arms)


def test_one_reader_must_be_fixed() -> None:
    ratings = table_to_ratings(oracle_data("edge_mrmc_one_reader"), Columns(arm="treatment"))
    with pytest.raises(CannotAnalyse, match="only one reader"):
        obuchowski_rockette(ratings)
    expected = entry("edge_cases", "MRMCaov/DeLong_fixed_readers/edge_mrmc_one_reader").values["test_diffs"]
    found = obuchowski_rockette(ratings, readers="fixed")
    agree(-found.estimate, expected["Estimate"][0], "estimate")
    agree(found.se, expected["StdErr"][0], "se")
    agree(found.p, expected["p-value"][0], "p")


@pytest.mark.parametrize(("name", "method"), [("DeLong", "delong"), ("jackknife",) * 2, ("unbiased",) * 2])
def test_two_readers(name: str, method: Covariance) -> None:
    values = entry("edge_cases", f"MRMCaov/{name}/edge_mrmc_two_readers").values
    ratings = table_to_ratings(oracle_data("edge_mrmc_two_readers"), Columns(arm="treatment"))
    found = obuchowski_rockette(ratings, "auc", method)
    agree(found.p, values["test_equality"]["p-value"][0], name)


def test_a_reader_without_diseased_cases_in_an_arm_is_named() -> None:
    # MRMCaov answers NaN here.
    ratings = table_to_ratings(oracle_data("edge_mrmc_missing_class_cell"), Columns(arm="treatment"))
    methods: tuple[Covariance, ...] = ("delong", "jackknife", "unbiased")
    for method in methods:
        with pytest.raises(CannotAnalyse, match="Reader 2 in arm 2: There is no diseased case"):
            obuchowski_rockette(ratings, "auc", method)


def small(*cells: list[float]) -> Ratings:
    values = np.array(cells).reshape(-1, 2, len(cells[0]))
    names = tuple(f"R{place}" for place in range(len(values)))
    cases = tuple(str(place) for place in range(len(cells[0])))
    truth = np.arange(len(cells[0])) >= len(cells[0]) // 2
    return Ratings(names, ("A", "B"), cases, truth, values)


def test_fixed_readers_and_fixed_cases_leave_nothing_to_vary() -> None:
    ratings = small([1, 2, 2, 3], [1, 2, 3, 4], [1, 1, 2, 1], [1, 2, 1, 2])
    with pytest.raises(CannotAnalyse, match="nothing varies"):
        obuchowski_rockette(ratings, readers="fixed", cases="fixed")


def test_a_difference_without_variation_is_refused() -> None:
    perfect, useless = [1.0, 1, 2, 2], [1.0, 1, 1, 1]
    with pytest.raises(CannotAnalyse, match="error term of their difference is estimated as 0"):
        obuchowski_rockette(small(useless, perfect, useless, perfect))


def test_sensitivity_needs_decisions() -> None:
    with pytest.raises(CannotAnalyse, match="decisions of 0 or 1"):
        obuchowski_rockette(small([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]), "sensitivity")


def test_one_arm_has_a_mean_but_no_difference() -> None:
    ratings = small([1, 2, 2, 3], [1, 2, 3, 4], [1, 1, 2, 1], [1, 2, 1, 2]).restricted(arms=["A"])
    found = obuchowski_rockette(ratings)
    assert found.overall is None
    assert found.differences == ()
    assert found.arms[0].estimate == pytest.approx(found.figures.mean())


def test_readers_nested_in_arms_have_hillis_denominator() -> None:
    # MRMCaov 0.3.0 prints 0.0018647 from (n - sum n_i²), which is negative; oracles/README.md, item 7, with the square.
    found = obuchowski_rockette(nested(), covariance_method="unbiased")
    assert found.error_term.denominator == pytest.approx(0.0026048, abs=5e-8)
    assert found.error_term.size == pytest.approx(5.0)
    assert found.se == pytest.approx(np.sqrt(2 * found.error_term.denominator / 5))
    assert found.components is not None and found.components.reader is None


def test_unequal_numbers_of_nested_readers() -> None:
    ratings = nested()
    found = obuchowski_rockette(ratings.restricted(readers=ratings.readers[1:]), covariance_method="jackknife")
    r1, r2 = found.error_term.readers
    assert (r1, r2) == (4, 5)
    assert found.overall is not None
    # Both ways to the same test: F over all arms, and the square of t of the one difference.
    assert found.differences[0].statistic ** 2 == pytest.approx(found.overall.f)
    assert found.error_term.size == pytest.approx(2 / (1 / r1 + 1 / r2))


def test_fixed_nested_readers_have_the_plain_variance_of_their_contrast() -> None:
    found = obuchowski_rockette(nested(), readers="fixed")
    read = ~np.isnan(found.figures)
    weights = np.where(read, [[-0.2, 0.2]], 0.0).ravel()
    assert found.covariance is not None
    used = read.ravel()
    variance = weights[used] @ found.covariance[np.ix_(used, used)] @ weights[used]
    assert found.se**2 == pytest.approx(float(variance), rel=1e-9)


def test_arms_of_one_nested_reader_each_cannot_be_told_from_readers() -> None:
    values = np.full((2, 2, 4), np.nan)
    values[0, 0], values[1, 1] = [1, 2, 2, 3], [1, 2, 1, 3]
    truth = np.array([False, False, True, True])
    ratings = Ratings(("R", "S"), ("A", "B"), tuple("1234"), truth, values)
    with pytest.raises(CannotAnalyse, match="one reader of its own"):
        obuchowski_rockette(ratings)
    assert obuchowski_rockette(ratings, readers="fixed").estimate == pytest.approx(-0.25)


def test_an_arm_without_readers_is_named() -> None:
    values = np.full((2, 2, 4), np.nan)
    values[:, 0] = [1, 2, 2, 3]
    ratings = Ratings(("R", "S"), ("A", "B"), tuple("1234"), np.array([False, False, True, True]), values)
    with pytest.raises(CannotAnalyse, match="Nobody read in arm B"):
        obuchowski_rockette(ratings)


def test_a_negative_variance_is_refused() -> None:
    matrix = np.array([[1.0, 2.0], [2.0, 1.0]]) * 1e-3
    given = Estimates("dice", ("R",), ("A", "B"), np.array([[0.5, 0.6]]), matrix)
    with pytest.raises(CannotAnalyse, match="is negative"):
        analyse(given, readers="fixed")


def test_a_negative_variance_of_one_reader_is_told() -> None:
    matrix = np.diag([1e-3, 1e-3, 1e-3, -1e-4])
    given = Estimates("dice", ("R", "S"), ("A", "B"), np.array([[0.5, 0.6], [0.5, 0.7]]), matrix)
    found = analyse(given)
    assert len(found.cells) == 3
    assert "The estimated variance of reader S in arm B is negative." in found.warnings


def test_a_fixed_reader_without_variation_is_told() -> None:
    matrix = np.zeros((4, 4))
    matrix[:2, :2] = np.eye(2) * 1e-3
    given = Estimates("dice", ("R", "S"), ("A", "B"), np.array([[0.5, 0.6], [0.5, 0.7]]), matrix)
    found = analyse(given, readers="fixed")
    assert [row.reader for row in found.reader_differences] == ["R"]
    assert any("reader S differ without variation" in text for text in found.warnings)


def test_a_figure_of_ones_own_by_jackknife_is_the_auc() -> None:
    def area(truth: Bools, values: Floats) -> float:
        pairs = values[truth][:, None] - values[~truth][None, :]
        return float((np.sign(pairs).mean() + 1) / 2)

    ratings = vandyke()
    own = obuchowski_rockette(ratings, Custom("area", area), "jackknife")
    built_in = obuchowski_rockette(ratings, "auc", "jackknife")
    assert own.p == pytest.approx(built_in.p, rel=1e-9)
    assert own.covariance is not None and built_in.covariance is not None
    np.testing.assert_allclose(own.covariance, built_in.covariance, atol=1e-15)


def test_accuracy_is_the_mean_of_right_decisions() -> None:
    ratings = decided()
    found = obuchowski_rockette(ratings, "accuracy")
    right = ratings.values == ratings.truth
    np.testing.assert_allclose(found.figures, right.mean(axis=2))
    flat = right.reshape(-1, 114).astype(float)
    assert found.covariance is not None
    np.testing.assert_allclose(found.covariance, np.cov(flat) / 114, atol=1e-15)


def test_bootstrap_covariance_is_seeded_and_near_the_jackknife() -> None:
    figures = figures_of_merit(vandyke())
    first, again, other = (covariance(figures, "bootstrap", 2000, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_allclose(first, covariance(figures, "delong"), atol=1.5e-4)
    assert obuchowski_rockette(vandyke(), covariance_method="bootstrap", seed=7).seed == 7
    assert obuchowski_rockette(vandyke()).seed is None


@pytest.mark.parametrize("figure", ["pauc:specificity:0.8:1", "eu:1", "sensitivity-at:0.9"])
@pytest.mark.parametrize("method", ["delong", "unbiased"])
def test_a_figure_without_placements_names_what_it_has(figure: str, method: Covariance) -> None:
    with pytest.raises(CannotAnalyse, match="use the jackknife or the bootstrap"):
        obuchowski_rockette(vandyke(), figure, method)


def test_a_result_says_what_it_was_asked() -> None:
    found = obuchowski_rockette(vandyke(), "auc", "bootstrap", replicates=50, seed=7)
    assert (found.figure, found.covariance_method, found.seed) == ("auc", "bootstrap", 7)
    assert found.design is not None and found.design.kind == "fully crossed"
    again, other = (obuchowski_rockette(vandyke(), "auc", "bootstrap", replicates=50, seed=seed) for seed in (7, 8))
    assert found.covariance is not None and again.covariance is not None and other.covariance is not None
    np.testing.assert_array_equal(found.covariance, again.covariance)
    assert not np.array_equal(found.covariance, other.covariance)
    fixed = obuchowski_rockette(vandyke(), "auc", "bootstrap", cases="fixed")
    assert (fixed.seed, fixed.covariance) == (None, None)


def test_the_mean_of_an_arm_is_held_against_chance() -> None:
    arm = obuchowski_rockette(vandyke()).arms[0]
    assert arm.p == pytest.approx(2 * stats.t.sf((arm.estimate - 0.5) / arm.se, arm.df))
    right = obuchowski_rockette(decided(), "accuracy").arms[0]
    assert right.p is None


def test_one_point_of_the_curve_is_told_to_have_no_consistent_jackknife() -> None:
    told = obuchowski_rockette(vandyke(), "sensitivity-at:0.9", "jackknife").warnings
    assert told[-1] == ONE_POINT
    for figure, method, cases in (
        ("sensitivity-at:0.9", "bootstrap", "random"),
        ("sensitivity-at:0.9", "jackknife", "fixed"),
        ("auc", "jackknife", "random"),
    ):
        found = obuchowski_rockette(vandyke(), figure, method, cases=cases, replicates=50)  # type: ignore[arg-type]
        assert ONE_POINT not in found.warnings
