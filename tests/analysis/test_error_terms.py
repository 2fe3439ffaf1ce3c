"""Mean squares, components and error terms against analysis of variance and sums by hand."""

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.covariance import covariance, figures_of_merit
from analysis.designs import Nesting
from analysis.error_terms import Components, ErrorTerm, MeanSquares, components, error_term, hillis_df, is_nested
from analysis.errors import CannotAnalyse
from analysis.mrmc import ArmDifference, ArmMean, CellMean, Estimates, Overall, analyse, obuchowski_rockette
from analysis.ratings import Floats, Ratings

NAN = np.nan


def near(expected: Any) -> Any:
    """`pytest.approx` as a field of a result."""
    return pytest.approx(expected)


CROSSED = np.array([[0.70, 0.82], [0.75, 0.79], [0.66, 0.80]])


def exchangeable(r: int, t: int, error: float, cov1: float, cov2: float, cov3: float) -> Floats:
    """Covariance that depends on nothing but what two figures share; (reader x arm, reader x arm)."""
    reader, arm = np.divmod(np.arange(r * t), t)
    same_reader, same_arm = reader[:, None] == reader, arm[:, None] == arm
    return np.where(same_reader & same_arm, error, np.where(same_reader, cov1, np.where(same_arm, cov2, cov3)))


def given(
    values: Floats, matrix: "Floats | None", nesting: Nesting = "crossed", chance: "float | None" = None
) -> Estimates:
    readers, arms = tuple("RSTUVWXYZ"[: values.shape[0]]), tuple("ABC"[: values.shape[1]])
    return Estimates("area", readers, arms, values, matrix, nesting, chance=chance)


MATRIX = exchangeable(3, 2, 8e-3, 3e-3, 4e-3, 1e-3)


@pytest.mark.parametrize("groups", [([0.7, 0.8], [0.9]), ([0.7, 0.8, 0.9], [0.6, 0.65], [0.9, 0.8, 0.85, 0.7])])
def test_readers_nested_in_arms_are_an_analysis_of_variance(groups: tuple[list[float], ...]) -> None:
    theta = np.full((sum(map(len, groups)), len(groups)), NAN)
    row = 0
    for arm, group in enumerate(groups):
        theta[row : row + len(group), arm] = group
        row += len(group)
    assert is_nested(theta)
    squares = MeanSquares.of(theta)
    f, p = stats.f_oneway(*groups)
    assert squares.arms / squares.interaction == near(f)
    assert squares.readers == squares.interaction
    found = analyse(given(theta, None), cases="fixed")
    assert found.overall == Overall(near(f), len(groups) - 1, row - len(groups), near(p))


def test_crossed_readers_are_a_two_way_analysis_of_variance() -> None:
    # With two arms F is the square of the paired t.
    t = stats.ttest_rel(CROSSED[:, 1], CROSSED[:, 0])
    found = analyse(given(CROSSED, None), cases="fixed")
    assert found.overall is not None
    assert found.overall.f == near(t.statistic**2)
    assert (found.p, found.overall.p) == (near(t.pvalue), near(t.pvalue))
    interval, expected = found.confidence_interval(0.9), t.confidence_interval(0.9)
    assert (interval.low, interval.high) == near((expected.low, expected.high))
    # Readers: twice the variance of their means.
    assert found.mean_squares.readers == near(2 * CROSSED.mean(axis=1).var(ddof=1))
    assert (found.covariance, found.components, found.cells, found.estimate) == (None, None, (), near(0.1))


def test_components_are_the_means_of_what_is_shared() -> None:
    squares = MeanSquares.of(CROSSED)
    found = components(CROSSED, MATRIX, given(CROSSED, MATRIX), squares)
    assert [found.error, found.cov1, found.cov2, found.cov3] == near([8e-3, 3e-3, 4e-3, 1e-3])
    assert found.reader == near((squares.readers - squares.interaction) / 2 - 2e-3)
    assert found.arm_reader == near(squares.interaction - 2e-3)


@pytest.mark.parametrize(
    ("nesting", "expected"),
    [
        ("in arms", (8e-3, 0.0, 4e-3, 0.0)),
        ("in readers", (8e-3, 3e-3, 0.0, 0.0)),
        ("crossed", (8e-3, 3e-3, 4e-3, 1e-3)),
    ],
)
def test_what_shares_no_case_does_not_vary_together(nesting: Nesting, expected: tuple[float, ...]) -> None:
    found = analyse(given(CROSSED, MATRIX, nesting), readers="fixed")
    parts = found.components
    assert parts is not None
    error, cov1, cov2, cov3 = expected
    assert (parts.error, parts.cov1, parts.cov2, parts.cov3) == near(expected)
    # The variance of the mean difference of three readers, and of the difference of one.
    assert found.se**2 == near(2 / 3 * (error - cov1 + 2 * (cov2 - cov3)))
    assert [row.se**2 for row in found.reader_differences] == near([2 * (error - cov1)] * 3)
    for arm in found.arms:
        assert arm.se**2 == near((error + 2 * cov2) / 3)
        assert (arm.error, arm.cov2) == near((error, cov2))


@pytest.mark.parametrize("shape", [(1, 2), (3, 1), (1, 1)])
def test_one_reader_or_one_arm_has_no_components_of_readers(shape: tuple[int, int]) -> None:
    values, matrix = np.full(shape, 0.7), exchangeable(*shape, 8e-3, 3e-3, 4e-3, 1e-3)
    found = components(values, matrix, given(values, matrix), MeanSquares.of(values))
    assert (found.reader, found.arm_reader) == (None, None)
    assert found.error == near(8e-3)
    assert found.cov1 == near(3e-3 if shape[1] > 1 else 0)
    assert found.cov2 == near(4e-3 if shape[0] > 1 else 0)
    assert found.cov3 == 0


def test_random_readers_and_cases_by_hand() -> None:
    found = analyse(given(CROSSED, MATRIX, chance=0.5))
    between = np.array([0.12, 0.04, 0.14])
    interaction = between.var(ddof=1) / 2
    denominator = interaction + 3 * 3e-3
    assert found.error_term.denominator == near(denominator)
    df = denominator**2 / (interaction**2 / 2)
    t = 0.1 / math.sqrt(2 / 3 * denominator)
    assert found.differences == (
        ArmDifference(
            "A", "B", None, near(0.1), near(math.sqrt(2 / 3 * denominator)), near(df),
            near(t), near(2 * stats.t.sf(t, df)),
        ),
    )  # fmt: skip
    assert found.overall == Overall(near(t**2), 1, near(df), near(found.p))
    square = CROSSED[:, 0].var(ddof=1)
    spread = square + 3 * 4e-3
    own = spread**2 / (square**2 / 2)
    mean, se = CROSSED[:, 0].mean(), math.sqrt(spread / 3)
    assert found.arms[0] == ArmMean(
        "A", near(mean), near(se), near(own),
        near(2 * stats.t.sf((mean - 0.5) / se, own)), near(square), 8e-3, near(4e-3),
    )  # fmt: skip
    assert found.cells[3] == CellMean("S", "B", 0.79, near(math.sqrt(8e-3)))
    assert len(found.cells) == 6
    assert (found.figure, found.readers_are, found.cases_are, found.readers) == (
        "area",
        "random",
        "random",
        tuple("RST"),
    )
    assert (found.covariance_method, found.design, found.seed, found.warnings) == (None, None, None, ())


def test_fixed_readers_of_three_arms_by_hand() -> None:
    values = np.array([[0.6, 0.7, 0.8], [0.65, 0.7, 0.72]])
    found = analyse(given(values, exchangeable(2, 3, 8e-3, 3e-3, 4e-3, 1e-3)), readers="fixed")
    variance = 2 / 2 * (8e-3 - 3e-3 + 3e-3)
    assert [(row.first, row.second) for row in found.differences] == [("A", "B"), ("A", "C"), ("B", "C")]
    assert [row.se**2 for row in found.differences] == near([variance] * 3)
    assert [row.estimate for row in found.differences] == near([0.075, 0.135, 0.06])
    assert all(math.isinf(row.df) for row in found.differences)
    assert found.differences[1].p == near(2 * stats.norm.sf(0.135 / math.sqrt(variance)))
    # Sum of squares of the arm means times readers over the error, as chi-square on two degrees of freedom.
    chi_square = 2 * ((values.mean(axis=0) - values.mean()) ** 2).sum() / (8e-3 - 3e-3 + 3e-3)
    assert found.overall == Overall(near(chi_square / 2), 2, math.inf, near(stats.chi2.sf(chi_square, 2)))
    within = [(row.reader, row.first, row.second) for row in found.reader_differences]
    assert within == [(reader, *pair) for reader in "RS" for pair in (("A", "B"), ("A", "C"), ("B", "C"))]
    assert [row.se**2 for row in found.reader_differences] == near([2 * 5e-3] * 6)
    assert found.reader_differences[5].estimate == near(0.02)


def test_a_covariance_below_zero_between_readers_is_taken_as_none() -> None:
    matrix = exchangeable(3, 2, 8e-3, 3e-3, -1e-3, 1e-3)
    found = analyse(given(CROSSED, matrix))
    plain = analyse(given(CROSSED, None), cases="fixed")
    assert (found.se, found.error_term.df) == (near(plain.se), near(2.0))
    assert found.arms[0].se == near(CROSSED[:, 0].std(ddof=1) / math.sqrt(3))
    assert found.arms[0].cov2 == near(-1e-3)


def test_a_negative_variance_of_an_arm_is_refused() -> None:
    # The difference has a positive variance, the mean of each arm has not.
    matrix = exchangeable(2, 2, 1e-3, -5e-3, -1e-3, -1e-3)
    matrix[np.ix_([0, 2], [0, 2])] = -1e-3
    with pytest.raises(CannotAnalyse, match="The estimated variance over cases is negative"):
        analyse(given(CROSSED[:2], matrix), readers="fixed")


def test_unequal_numbers_of_nested_readers_by_hand() -> None:
    term = ErrorTerm(2e-3, 1e-3, 3.0, np.array([4.0, 2.0, 3.0]))
    # Nine readers, squares that add up to 29: 81 less 29 over twice nine.
    assert term.size == near(52 / 18)
    assert term.denominator == near(2e-3 + 52 / 18 * 1e-3)
    assert term.variance(0, 2) == near(2e-3 * (1 / 4 + 1 / 3) + 2e-3)


def test_fixed_nested_readers_by_hand() -> None:
    theta = np.array([[0.7, NAN], [0.8, NAN], [NAN, 0.9]])
    parts = Components(None, None, 8e-3, 0.0, 4e-3, 1e-3)
    found = error_term(theta, MeanSquares.of(theta), parts, "fixed", "random")
    # Var(mean of two) + Var(one) - 2 cov3 = (e + c2)/2 + e - 2 c3.
    assert found.variance(0, 1) == near((8e-3 + 4e-3) / 2 + 8e-3 - 2e-3)
    assert math.isinf(found.df)
    random = error_term(theta, MeanSquares.of(theta), parts, "random", "random")
    square = 0.01 / 2
    assert random.variance(0, 1) == near(square * 1.5 + 2 * 3e-3)
    # One degree of freedom; (9 - 5) / 3 readers per arm.
    assert random.df == near((square + 4 / 3 * 3e-3) ** 2 / square**2)


def test_readers_that_do_not_vary_leave_a_normal_distribution() -> None:
    assert math.isinf(hillis_df(0.0, 2.0, 3.0))
    values = np.array([[0.7, 0.8]] * 3)
    found = analyse(given(values, MATRIX))
    assert found.p == near(2 * stats.norm.sf(0.1 / math.sqrt(2 * 3e-3)))


def plain_jackknife(ratings: Ratings, figure: str, classes: tuple[bool, ...]) -> Floats:
    """(N - 1)/N times the sum of squares of the figures computed anew without each case of the classes."""
    left = []
    for case in np.flatnonzero(np.isin(ratings.truth, classes)):
        keep = np.arange(len(ratings.cases)) != case
        cases = tuple(name for name, kept in zip(ratings.cases, keep, strict=True) if kept)
        fewer = Ratings(ratings.readers, ratings.arms, cases, ratings.truth[keep], ratings.values[:, :, keep])
        left.append(figures_of_merit(fewer, figure).values.ravel())
    return np.asarray(np.cov(np.array(left).T) * (len(left) - 1) ** 2 / len(left))


@pytest.mark.parametrize("missing", [0, 7])
@pytest.mark.parametrize("figure", ["auc", "sensitivity", "accuracy", "eu:1", "pauc:specificity:0.5:1"])
def test_the_jackknife_leaves_cases_out_whether_read_by_all_or_not(figure: str, missing: int) -> None:
    generator = np.random.default_rng(31)
    truth = np.arange(26) % 2 == 0
    values = np.round(generator.normal(size=(2, 2, 26)) + truth, 1)
    if figure in ("sensitivity", "accuracy"):
        values = (values > 0.5) * 1.0
    values.reshape(4, -1)[generator.integers(0, 4, missing), generator.permutation(26)[:missing]] = NAN
    ratings = Ratings(("R", "S"), ("A", "B"), tuple(map(str, range(26))), truth, values)
    expected = plain_jackknife(ratings, figure, (True,) if figure == "sensitivity" else (True, False))
    np.testing.assert_allclose(covariance(figures_of_merit(ratings, figure), "jackknife"), expected, atol=1e-14)


def test_a_reader_who_read_nothing_in_an_arm_has_no_covariance_there() -> None:
    generator = np.random.default_rng(32)
    truth = np.arange(20) % 2 == 0
    values = generator.normal(size=(2, 2, 20)) + truth
    values[1, 0] = NAN
    ratings = Ratings(("R", "S"), ("A", "B"), tuple(map(str, range(20))), truth, values)
    for method in ("delong", "jackknife", "unbiased"):
        found = covariance(figures_of_merit(ratings), method)
        kept = np.ix_([0, 1, 3], [0, 1, 3])
        assert found.dtype == float
        assert np.isnan(found[2]).all() and np.isnan(found[:, 2]).all()
        assert np.isfinite(found[kept]).all()
        whole = Ratings(("R", "S", "T"), ("A",), ratings.cases, truth, values.reshape(4, 1, -1)[[0, 1, 3]])
        np.testing.assert_allclose(found[kept], covariance(figures_of_merit(whole), method), atol=1e-15)


def test_no_difference_without_variation_names_its_arms_and_range() -> None:
    values = np.array([[0.7, 0.7], [0.8, 0.8]])
    found = analyse(replace(given(values, np.zeros((4, 4))), limits=(-2.0, 3.0)), readers="fixed")
    assert found.differences == (ArmDifference("A", "B", None, 0.0, 0.0, math.inf, 0.0, 1.0, (-5.0, 5.0)),)
    assert found.reader_differences[1] == ArmDifference("A", "B", "S", 0.0, 0.0, math.inf, 0.0, 1.0, (-5.0, 5.0))
    assert found.overall == Overall(0.0, 1, math.inf, 1.0)
    assert found.cells[1] == CellMean("R", "B", 0.7, 0.0, (-2.0, 3.0))
    assert found.warnings == (
        "The arms do not differ and nothing varies; the difference is 0 and p is 1.",
        "An arm has no variation over readers and cases, so its interval has no width.",
    )


def test_the_range_of_a_figure_is_that_of_all_that_is_said_of_it() -> None:
    found = analyse(replace(given(CROSSED, MATRIX), limits=(-2.0, 3.0)), readers="fixed")
    assert {row.limits for row in found.arms} == {row.limits for row in found.cells} == {(-2.0, 3.0)}
    assert {row.limits for row in (*found.differences, *found.reader_differences)} == {(-5.0, 5.0)}


def test_one_reader_of_an_arm_varies_over_cases_alone() -> None:
    theta = np.array([[0.7, NAN], [0.8, NAN], [NAN, 0.9]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = analyse(given(theta, np.where(np.eye(6) > 0, 4e-3, 0.0), chance=0.5))
        fixed = analyse(given(theta, None), cases="fixed")
    one = found.arms[1]
    assert one == ArmMean(
        "B", 0.9, near(math.sqrt(4e-3)), math.inf, near(2 * stats.norm.sf(0.4 / math.sqrt(4e-3))),
        0.0, 4e-3, 0.0,
    )  # fmt: skip
    assert (fixed.arms[1].se, fixed.arms[1].error, fixed.arms[1].cov2, fixed.arms[1].p) == (0.0, None, None, None)


def test_an_arm_at_chance_without_variation_has_p_one() -> None:
    values = np.array([[0.5, 0.7], [0.5, 0.8]])
    found = analyse(given(values, None, chance=0.5), cases="fixed")
    assert (found.arms[0].se, found.arms[0].p) == (0.0, 1.0)
    assert found.arms[1].p == near(stats.ttest_1samp([0.7, 0.8], 0.5).pvalue)
    assert analyse(given(values, None, chance=0.4), cases="fixed").arms[0].p is None


def test_readers_after_one_that_cannot_be_tested_are_tested() -> None:
    matrix = np.diag([1e-3, 1e-3, 0, 0, 1e-3, -1e-3, 2e-3, 2e-3])
    values = np.array([[0.5, 0.6], [0.5, 0.7], [0.5, 0.6], [0.5, 0.8]])
    found = analyse(given(values, matrix), readers="fixed")
    assert [(row.reader, row.se**2) for row in found.reader_differences] == [
        ("R", near(2e-3)),
        ("U", near(4e-3)),
    ]
    assert [(row.reader, row.arm) for row in found.cells] == [
        *(("R", arm) for arm in "AB"), *(("S", arm) for arm in "AB"), ("T", "A"), *(("U", arm) for arm in "AB")
    ]  # fmt: skip
    assert found.warnings == (
        "The arms A and B of reader S differ without variation over cases, so there is no test.",
        "The arms A and B of reader T differ without variation over cases, so there is no test.",
        "The estimated variance of reader T in arm B is negative.",
    )


def test_equal_arms_of_a_reader_who_cannot_be_tested_otherwise_are_told() -> None:
    matrix = exchangeable(2, 3, 1e-3, 0.0, 0.0, 0.0)
    matrix[:3] = matrix[:, :3] = 0.0
    values = np.array([[0.5, 0.6, 0.5], [0.5, 0.6, 0.8]])
    found = analyse(given(values, matrix), readers="fixed")
    told = [(row.reader, row.first, row.second, row.estimate) for row in found.reader_differences]
    assert told[0] == ("R", "A", "C", 0.0)
    assert [row[:3] for row in told[1:]] == [("S", "A", "B"), ("S", "A", "C"), ("S", "B", "C")]
    assert found.warnings == tuple(
        f"The arms {pair} of reader R differ without variation over cases, so there is no test."
        for pair in ("A and B", "B and C")
    )


def test_fixed_cases_need_no_covariance_over_them() -> None:
    plain, known = analyse(given(CROSSED, None), cases="fixed"), analyse(given(CROSSED, MATRIX), cases="fixed")
    assert known.differences == plain.differences
    assert known.overall == plain.overall


def test_random_readers_are_not_compared_one_by_one() -> None:
    assert analyse(given(CROSSED, MATRIX)).reader_differences == ()
    assert analyse(given(CROSSED, None), readers="fixed").reader_differences == ()


def test_three_arms_of_one_reader_each_are_refused_and_one_more_reader_is_not() -> None:
    theta = np.diag([0.7, 0.8, 0.9])
    theta[theta == 0] = NAN
    with pytest.raises(CannotAnalyse, match="Every arm has one reader of its own"):
        analyse(given(theta, None), cases="fixed")
    found = analyse(given(np.vstack([theta, [0.8, NAN, NAN]]), None), cases="fixed")
    f, p = stats.f_oneway([0.7, 0.8], [0.8], [0.9])
    assert found.overall == Overall(near(f), 2, 1, near(p))


def test_one_arm_is_not_nested() -> None:
    assert not is_nested(np.array([[0.7], [0.8]]))
    assert is_nested(np.array([[0.7, NAN], [NAN, 0.8]]))
    assert not is_nested(np.array([[0.7, 0.6], [NAN, 0.8]]))


def test_the_jackknife_of_a_class_of_two_cases() -> None:
    truth = np.array([True, True, False, False, False])
    values = np.array([[[2.0, 4, 1, 3, 2]], [[1.0, 5, 2, 2, 4]]])
    ratings = Ratings(("R", "S"), ("A",), tuple("12345"), truth, values)
    found = covariance(figures_of_merit(ratings), "jackknife")
    np.testing.assert_allclose(found, plain_jackknife(ratings, "auc", (True, False)), atol=1e-15)
    assert obuchowski_rockette(ratings, covariance_method="jackknife").covariance_method == "jackknife"
