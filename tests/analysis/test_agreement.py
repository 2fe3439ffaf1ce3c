"""Agreement: identities between coefficients, closed forms, and what has no answer."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.__main__ import main
from analysis.agreement import cohen_kappa, fleiss_kappa, light_kappa, pairwise_kappa
from analysis.agreement_weights import WEIGHT_NAMES, weight_matrix
from analysis.bland_altman import bland_altman, repeatability
from analysis.chance_corrected import (
    LEVELS,
    Agreement,
    brennan_prediger,
    conger_kappa,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
    scott_pi,
    weighted_fleiss,
)
from analysis.concordance import concordance, kendall_w, mean_correlation
from analysis.errors import CannotAnalyse
from analysis.icc import MODELS, UNITS, icc, icc_forms
from analysis.interval import Refusal
from analysis.ratings import Floats
from analysis.rereads import rereads
from tests.analysis.degenerate import FILES, TABLES, crossed, write
from tests.analysis.oracle_entries import agree, entry
from tests.analysis.test_degenerate_tables import check_answer

COEFFICIENTS = (percent_agreement, gwet_ac1, weighted_fleiss, brennan_prediger, conger_kappa, krippendorff_alpha)
KINDS = ("kappa", "fleiss", "icc", "alpha", "ac1", "bland-altman")


def drawn(seed: int, readers: int = 4, cases: int = 40, categories: int = 4, gaps: float = 0.0) -> Floats:
    generator = np.random.default_rng(seed)
    base = generator.integers(1, categories + 1, cases)
    other = generator.integers(1, categories + 1, (readers, cases))
    values = np.where(generator.random((readers, cases)) < 0.6, base, other).astype(float)
    values[generator.random(values.shape) < gaps] = np.nan
    return values


# Weights ----------------------------------------------------------------------------------------------------------


def test_weights_of_four_categories() -> None:
    # Gwet (2014), table 3.1 and following, for the categories 1, 2, 3, 4.
    values = np.array([1.0, 2, 3, 4])
    assert weight_matrix("linear", values)[0].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert weight_matrix("quadratic", values)[0].tolist() == pytest.approx([1, 8 / 9, 5 / 9, 0])
    assert weight_matrix("ordinal", values)[0].tolist() == pytest.approx([1, 5 / 6, 1 / 2, 0])
    assert weight_matrix("radical", values)[0].tolist() == pytest.approx([1, 1 - np.sqrt(1 / 3), 1 - np.sqrt(2 / 3), 0])
    squares = [(1 / 3) ** 2, (2 / 4) ** 2, (3 / 5) ** 2]
    assert weight_matrix("ratio", values)[0, 1:].tolist() == pytest.approx([1 - s / squares[2] for s in squares])
    # On a circle of four the first and the last are neighbours.
    assert weight_matrix("circular", values)[0].tolist() == pytest.approx([1, 0.5, 0, 0.5])
    bipolar = [1 / 5, 4 / (2 * 4), 1.0]
    assert weight_matrix("bipolar", values)[0, 1:].tolist() == pytest.approx([1 - b / bipolar[2] for b in bipolar])


@pytest.mark.parametrize("name", WEIGHT_NAMES)
def test_every_weight_is_identity_for_two_categories(name: str) -> None:
    assert weight_matrix(name, np.array([1.0, 2.0])).tolist() == [[1, 0], [0, 1]]


def test_weights_that_do_not_exist() -> None:
    with pytest.raises(CannotAnalyse, match="not by cubic"):
        weight_matrix("cubic", np.array([1.0, 2.0]))
    with pytest.raises(CannotAnalyse, match="ascending"):
        weight_matrix("linear", np.array([2.0, 1.0]))
    with pytest.raises(CannotAnalyse, match="one sign"):
        weight_matrix("ratio", np.array([-1.0, 2.0]))
    with pytest.raises(CannotAnalyse, match="symmetric matrix of the 4"):
        gwet_ac1(drawn(1), np.eye(3))
    with pytest.raises(CannotAnalyse, match="another unit"):
        gwet_ac1(drawn(1) * 1e200, "quadratic")
    with pytest.raises(CannotAnalyse, match="every pair of categories"):
        weighted_fleiss(drawn(1), np.ones((4, 4)))


# Coefficients beyond chance -----------------------------------------------------------------------------------------


def test_two_readers_conger_is_cohen_and_fleiss_is_scott() -> None:
    values = drawn(2, readers=2)
    for weights, name in (("none", "identity"), ("linear", "linear"), ("quadratic", "quadratic")):
        cohen, conger = cohen_kappa(values[0], values[1], weights), conger_kappa(values, name)
        assert conger.estimate == pytest.approx(cohen.estimate, rel=1e-12)
        assert conger.se * np.sqrt(39 / 40) == pytest.approx(cohen.se, rel=1e-12)
    assert scott_pi(values[0], values[1]) == weighted_fleiss(values)
    assert light_kappa(values).estimate == pytest.approx(conger_kappa(values).estimate, rel=1e-12)
    assert light_kappa(values).se == pytest.approx(conger_kappa(values).se, rel=1e-12)


def test_alpha_of_complete_data_is_fleiss_with_the_small_sample_term() -> None:
    values = drawn(3)
    for name in WEIGHT_NAMES:
        fleiss, alpha = weighted_fleiss(values, name), krippendorff_alpha(values, weights=name)
        assert 1 - alpha.estimate == pytest.approx((1 - fleiss.estimate) * (1 - 1 / values.size), rel=1e-12)
        assert alpha.se == pytest.approx(fleiss.se, rel=1e-12)


def test_alpha_of_intervals_is_one_minus_a_ratio_of_variances() -> None:
    values = drawn(4)
    within = values.var(axis=0, ddof=1).mean()
    assert krippendorff_alpha(values, "interval").estimate == pytest.approx(1 - within / values.var(ddof=1), rel=1e-12)


def test_krippendorffs_own_example() -> None:
    # Krippendorff (2011), Computing Krippendorff's alpha-reliability, section D: 4 observers, 12 units, with gaps;
    # printed 0.743, 0.815, 0.849, 0.797.
    gap = np.nan
    values = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, gap, gap, gap],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gap, 3],
            [gap, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, gap],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gap],
        ]
    )
    found = [round(krippendorff_alpha(values, level).estimate, 3) for level in LEVELS]
    assert found == [0.743, 0.815, 0.849, 0.797]


@pytest.mark.parametrize("compute", COEFFICIENTS)
def test_standard_errors_are_near_the_jackknife(compute: Callable[[Floats], Agreement]) -> None:
    values = drawn(5, cases=150, gaps=0.15)
    found = compute(values)
    left = np.array([compute(np.delete(values, case, axis=1)).estimate for case in range(150)])
    jackknife = np.sqrt(149 / 150 * ((left - left.mean()) ** 2).sum())
    assert found.se == pytest.approx(jackknife, rel=0.03)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), gaps=st.sampled_from([0.0, 0.2]))
def test_order_of_readers_and_cases_and_names_of_categories_are_immaterial(seed: int, gaps: float) -> None:
    values = drawn(seed, gaps=gaps)
    generator = np.random.default_rng(seed)
    moved = values[generator.permutation(4)][:, generator.permutation(40)]
    renamed = np.choose(np.nan_to_num(values, nan=1).astype(int) - 1, [7.0, 3.0, 9.0, 1.0])
    renamed[np.isnan(values)] = np.nan
    for compute in COEFFICIENTS:
        found = compute(values)
        for other in (compute(moved), compute(renamed)):
            assert (other.estimate, other.se) == pytest.approx((found.estimate, found.se), rel=1e-10)
        assert found.confidence_interval().low <= found.estimate <= found.confidence_interval().high


def test_perfect_agreement_is_one_with_a_warning() -> None:
    values = np.tile([1.0, 2, 3, 1, 2], (3, 1))
    for compute in COEFFICIENTS:
        found = compute(values)
        assert (found.estimate, found.se, found.p, found.unanimous) == (pytest.approx(1), 0, None, 1)
        assert found.warnings and found.confidence_interval().low == pytest.approx(1)
    light = light_kappa(values)
    assert (light.estimate, light.se, light.p) == (1, 0, None)
    assert len(light.warnings) == 1


def test_agreement_that_does_not_exist_is_refused() -> None:
    same = np.ones((3, 5))
    for compute in COEFFICIENTS:
        for values, sentence in ((same, "does not exist"), (same[:1], "two readers"), (same[:, :1], "two cases")):
            with pytest.raises(CannotAnalyse, match=sentence):
                compute(values)
    with pytest.raises(CannotAnalyse, match="judged no case at all"):
        conger_kappa(np.vstack([drawn(1), np.full(40, np.nan)]))
    with pytest.raises(CannotAnalyse, match="level nominal"):
        krippendorff_alpha(drawn(1), "cardinal")
    with pytest.raises(CannotAnalyse, match="1200 different values"):
        gwet_ac1(np.arange(1200.0).reshape(2, 600))


def test_a_hundred_thousand_cases_at_once() -> None:
    values = drawn(6, readers=5, cases=100_000, gaps=0.1)
    assert conger_kappa(values, "quadratic").se < 0.01
    assert krippendorff_alpha(values, "ordinal").n == 100_000 - int(((~np.isnan(values)).sum(axis=0) < 2).sum())


# Kappa --------------------------------------------------------------------------------------------------------------


def test_a_binary_category_has_the_kappa_of_the_whole() -> None:
    values = drawn(7, categories=2)
    found = fleiss_kappa(values)
    for row in found.by_category:
        assert (row.estimate, row.statistic) == pytest.approx((found.estimate, found.statistic), rel=1e-12)
        assert row.confidence_interval().low < row.estimate


def test_fleiss_table_of_1971() -> None:
    # Fleiss (1971), table 2, printed: kappa 0.430, se over cases not given there; categories 0.245 ... 0.566.
    expected = entry("agreement", "fleiss_kappa/irr_diagnoses").values["detail"]["values"]
    from tests.analysis.agreement_data import judged

    found = fleiss_kappa(judged("irr_diagnoses"))
    assert round(found.estimate, 3) == 0.430
    assert [round(row.estimate, 3) for row in found.by_category] == [row[0] for row in expected]


def test_perfect_agreement_has_the_p_of_irr() -> None:
    expected = entry("edge_cases", "kappa/perfect/edge_two_cases").values
    found = cohen_kappa(np.array([1.0, 2, 1, 2]), np.array([1.0, 2, 1, 2]))
    assert (found.estimate, found.se) == (1.0, 0.0)
    assert "agree in every case" in found.warnings[0]
    agree(found.p, expected["p.value"], "p")


def test_kappa_that_does_not_exist_is_refused() -> None:
    same = np.ones(5)
    for compute in (lambda: cohen_kappa(same, same), lambda: fleiss_kappa(np.ones((3, 5)))):
        with pytest.raises(CannotAnalyse, match="does not exist"):
            compute()
    with pytest.raises(CannotAnalyse, match="no judged case in common"):
        cohen_kappa(np.array([1.0, np.nan]), np.array([np.nan, 1.0]))
    with pytest.raises(CannotAnalyse, match="1 judgements are missing"):
        fleiss_kappa(np.array([[1.0, np.nan], [0.0, 1.0]]))
    with pytest.raises(CannotAnalyse, match="at least two readers"):
        pairwise_kappa(("R",), np.ones((1, 4)))
    with pytest.raises(CannotAnalyse, match=r"R and S: All judgements"):
        pairwise_kappa(("R", "S"), np.ones((2, 4)))
    with pytest.raises(CannotAnalyse, match="not by cubic"):
        cohen_kappa(same, same, "cubic")
    with pytest.raises(CannotAnalyse, match="1001 different values"):
        cohen_kappa(np.arange(1001.0), np.arange(1001.0))


def test_a_constant_reader_agrees_by_chance_alone() -> None:
    found = cohen_kappa(np.array([1.0, 1, 1, 1]), np.array([1.0, 2, 1, 2]))
    assert (found.estimate, found.statistic, found.p) == (0.0, None, None)
    assert "same category in all cases" in found.warnings[0]


def test_a_missing_judgement_drops_the_case_of_that_pair_only() -> None:
    values = np.array([[1.0, 0, 1, 0, np.nan], [1.0, 0, 0, 0, 1], [1.0, 1, 1, 0, 1]])
    counts = {(one, two): kappa.n for one, two, kappa in pairwise_kappa(("A", "B", "C"), values)}
    assert counts == {("A", "B"): 4, ("A", "C"): 4, ("B", "C"): 5}
    light = light_kappa(values)
    assert light.n == 4 and "1 cases" in light.warnings[0]


# Measurements -------------------------------------------------------------------------------------------------------


def test_the_six_forms_of_shrout_and_fleiss() -> None:
    # Shrout & Fleiss (1979), table 4: .17, .29, .71 and averages .44, .62, .91.
    values = np.array([[9.0, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])
    assert [round(form.estimate, 2) for form in icc_forms(values)] == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    assert [form.name for form in icc_forms(values)] == [
        "ICC(1)",
        "ICC(A,1)",
        "ICC(C,1)",
        "ICC(k)",
        "ICC(A,k)",
        "ICC(C,k)",
    ]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("unit", UNITS)
def test_interval_of_an_icc_holds_what_its_test_does_not_reject(model: str, unit: str) -> None:
    values = drawn(8, categories=6)
    found = icc(values, model, unit)
    interval = found.confidence_interval(0.9)
    assert interval.low < found.estimate < interval.high
    # Exact where one F carries both; the degrees of freedom of agreement differ between test and interval.
    assert found.test(interval.low).p == pytest.approx(0.05, abs=1e-9 if model != "agreement" else 0.002)
    assert found.test(interval.high).p == pytest.approx(0.95, abs=1e-9 if model != "agreement" else 0.002)


def test_icc_is_moved_by_no_unit_and_consistency_by_no_level() -> None:
    values = drawn(9, categories=6)
    for form, other in zip(icc_forms(values), icc_forms(1e6 + values * 12), strict=True):
        assert other.estimate == pytest.approx(form.estimate, rel=1e-8)
    shifted = values + np.arange(4)[:, None]
    assert icc(shifted, "consistency").estimate == pytest.approx(icc(values, "consistency").estimate, rel=1e-12)
    assert icc(shifted).estimate < icc(values).estimate


def test_quadratic_kappa_is_nearly_the_icc_of_agreement() -> None:
    # Fleiss & Cohen (1973): equal up to terms of 1/n.
    values = drawn(10, readers=2, cases=5000, categories=5)
    kappa = cohen_kappa(values[0], values[1], "quadratic").estimate
    assert icc(values).estimate == pytest.approx(kappa, abs=1e-3)


def test_icc_where_nothing_varies() -> None:
    perfect = np.tile([1.0, 2, 3], (2, 1))
    for form in icc_forms(perfect):
        assert (form.estimate, form.p) == (1.0, None)
        assert (form.confidence_interval().low, form.warnings != ()) == (1.0, True)
        with pytest.raises(CannotAnalyse, match="do not differ within any case"):
            form.test(0.5 if form.model != "agreement" else 0.0)
    level = icc(perfect + np.array([[0.0], [1.0]]))
    assert 0 < level.confidence_interval().low < level.estimate < level.confidence_interval().high <= 1
    with pytest.raises(CannotAnalyse, match="All ratings are the same"):
        icc(np.full((3, 4), 3.0))
    with pytest.raises(CannotAnalyse, match="has no lower limit"):
        icc(np.array([[5.0, 4, 5], [3, 4, 5], [4, 4, 3]]), "agreement", "average").confidence_interval()
    with pytest.raises(CannotAnalyse, match="mean ratings of the cases do not differ"):
        icc(np.array([[1.0, 2.0], [2.0, 1.0]]), "consistency", "average")
    with pytest.raises(CannotAnalyse, match="at least 2 cases"):
        icc(np.array([[1.0, np.nan], [np.nan, 2.0]]))
    with pytest.raises(CannotAnalyse, match="from 0 to below 1"):
        icc(drawn(1)).test(1.0)
    with pytest.raises(CannotAnalyse, match="one-way"):
        icc(drawn(1), "two-way")
    with pytest.raises(CannotAnalyse, match="another unit"):
        icc(drawn(1) * 1e300)


def test_kendall_is_friedman() -> None:
    values = drawn(11, categories=6)
    found = kendall_w(values)
    friedman = stats.friedmanchisquare(*values.T)
    assert (found.statistic, found.p) == pytest.approx((friedman.statistic, friedman.pvalue), rel=1e-10)
    assert kendall_w(np.tile(np.arange(5.0), (3, 1))).estimate == pytest.approx(1)
    with pytest.raises(CannotAnalyse, match="no order"):
        kendall_w(np.ones((2, 4)))


def test_mean_correlation_of_two_readers_is_fishers_test() -> None:
    values = drawn(12, readers=2, categories=6)
    found = mean_correlation(values)
    r = float(np.corrcoef(values)[0, 1])
    assert found.estimate == pytest.approx(r, rel=1e-12)
    assert found.statistic == pytest.approx(np.arctanh(r) * np.sqrt(37), rel=1e-12)
    twins = mean_correlation(np.vstack([values, 2 * values[:1]]))
    assert twins.pairs == 2 and "1 pairs" in twins.warnings[0]
    with pytest.raises(CannotAnalyse, match="correlates with nothing"):
        mean_correlation(np.vstack([values, np.ones((1, 40))]))
    with pytest.raises(CannotAnalyse, match="correlate perfectly"):
        mean_correlation(np.vstack([values[:1], values[:1]]))


def test_concordance_is_symmetric_and_refuses() -> None:
    one, two = drawn(13, readers=2, categories=6)
    there, back = concordance(one, two), concordance(two, one)
    assert (there.estimate, there.se) == pytest.approx((back.estimate, back.se), rel=1e-12)
    assert there.location_shift == pytest.approx(-back.location_shift)
    assert there.estimate == pytest.approx(there.correlation * there.accuracy)
    same = concordance(one, one)
    assert same.estimate == pytest.approx(1) and same.p is None and same.warnings
    assert same.confidence_interval().high == pytest.approx(1)
    with pytest.raises(CannotAnalyse, match="same in all cases"):
        concordance(one, np.ones(40))
    with pytest.raises(CannotAnalyse, match="do not correlate"):
        concordance(np.array([1.0, -1, 1, -1]), np.array([1.0, 1, -1, -1]))


# Limits -------------------------------------------------------------------------------------------------------------


def test_swapping_two_readers_turns_the_limits_round() -> None:
    one, two = drawn(14, readers=2, categories=9)
    there, back = bland_altman(one, two), bland_altman(two, one)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.p == pytest.approx(stats.ttest_rel(two, one).pvalue)
    for method in ("exact", "1999", "1986"):
        lower, upper = there.limit_intervals(0.95, method)
        other_upper = back.limit_intervals(0.95, method)[1]
        assert (lower.low, lower.high) == pytest.approx((-other_upper.high, -other_upper.low))
        assert lower.low < there.low < lower.high < upper.low < there.high < upper.high
    assert there.limit_intervals()[0] != there.limit_intervals(method="1999")[0]
    with pytest.raises(CannotAnalyse, match="not 2010"):
        there.limit_intervals(method="2010")


def test_exact_interval_of_a_limit_covers_what_it_says() -> None:
    generator = np.random.default_rng(20260101)
    inside = 0
    for _ in range(2000):
        found = bland_altman(np.zeros(12), generator.normal(0.3, 2.0, 12))
        inside += found.limit_intervals()[1].low <= 0.3 + 1.96 * 2.0 <= found.limit_intervals()[1].high
    # 4 standard errors of a share of 0.95 in 2000.
    assert inside / 2000 == pytest.approx(0.95, abs=0.0195)


def test_limits_without_spread_and_without_cases() -> None:
    found = bland_altman(np.arange(4.0), np.arange(4.0) + 2)
    assert (found.estimate, found.low, found.high, found.p) == (2, 2, 2, None)
    assert found.warnings and found.confidence_interval().low == 2
    assert found.limit_intervals()[0].low == 2
    with pytest.raises(CannotAnalyse, match="at least two cases"):
        bland_altman(np.array([1.0, np.nan]), np.array([1.0, 2.0]))
    with pytest.raises(CannotAnalyse, match="same cases"):
        bland_altman(np.ones(2), np.ones(3))
    with pytest.raises(CannotAnalyse, match="positive multiple"):
        bland_altman(np.ones(2), np.ones(2), 0.0)


def test_repeatability_of_two_readings_is_the_spread_of_their_differences() -> None:
    one, two = drawn(15, readers=2, categories=9)
    found = repeatability(np.stack([one, two]))
    assert found.estimate == pytest.approx(np.sqrt(((one - two) ** 2).mean() / 2))
    assert found.coefficient == pytest.approx(1.96 * np.sqrt(((one - two) ** 2).mean()))
    interval = found.confidence_interval()
    assert interval.low < found.estimate < interval.high
    three = repeatability(np.array([[1.0, 4], [2.0, np.nan], [3.0, np.nan]]))
    assert (three.n, three.df, three.estimate) == (1, 2, pytest.approx(1))
    assert repeatability(np.ones((2, 3))).warnings
    with pytest.raises(CannotAnalyse, match="No case was read twice"):
        repeatability(np.array([[1.0, np.nan], [np.nan, 1.0]]))


def test_readers_read_again() -> None:
    first, second = drawn(16, readers=3), drawn(16, readers=3)
    second[0, :10] = 5 - second[0, :10]
    second[1, :4] = np.nan
    found = rereads(("A", "B", "C"), first, second)
    assert found.by_reader[0].changed > 0 and found.by_reader[1].n == 36
    kappas = [row.kappa.estimate for row in found.by_reader if not isinstance(row.kappa, Refusal)]
    assert found.estimate == pytest.approx(np.mean(kappas))
    assert found.p == pytest.approx(stats.ttest_1samp(kappas, 0).pvalue)
    alone = rereads(("A", "B"), np.vstack([first[0], np.ones(40)]), np.vstack([second[0], np.ones(40)]))
    assert alone.df is None and "B: All judgements" in alone.warnings[0]
    assert alone.confidence_interval().low < alone.estimate
    equal = rereads(("A", "B"), first[:2], first[:2])
    assert (equal.estimate, equal.se, equal.p) == (1, 0, None)
    with pytest.raises(CannotAnalyse, match="No reader has"):
        rereads(("A",), np.ones((1, 3)), np.ones((1, 3)))
    with pytest.raises(CannotAnalyse, match="same readers"):
        rereads(("A",), np.ones((2, 3)), np.ones((2, 3)))


# The command --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*TABLES, *FILES])
def test_a_right_result_or_one_sentence(
    name: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["agreement", str(write(name, tmp_path)), "--kind", kind, "--format", "json"])
    said = capsys.readouterr()
    if status == 0:
        check_answer(json.loads(said.out))
        return
    assert status == 2 and said.out == "" and said.err.count("\n") == 1 and said.err.endswith(".\n")
    assert not any(word in said.err for word in ("Traceback", "nan", "NaN", "None", "dtype", "Error"))


def rows_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], dict[str, float]]:
    assert main(["agreement", *words, "--format", "json"]) == 0
    return {(row["reader"], row["arm"]): row for row in json.loads(capsys.readouterr().out)["estimates"]}


def test_the_command_answers_what_the_functions_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = crossed()
    path = str(write("crossed", tmp_path))
    table = frame.pivot(index=["arm", "reader"], columns="case", values=["rating", "decision"])
    decisions, ratings = (table.loc["A0", name].to_numpy(dtype=float) for name in ("decision", "rating"))
    for kind, weights, expected in (
        ("fleiss", [], weighted_fleiss(decisions)),
        ("ac1", [], gwet_ac1(decisions)),
        ("alpha", [], krippendorff_alpha(decisions)),
        ("ac1", ["--weights", "linear", "--rating", "rating"], gwet_ac1(ratings, "linear")),
        ("alpha", ["--weights", "quadratic", "--rating", "rating"], krippendorff_alpha(ratings, "interval")),
    ):
        row = rows_of([path, "--kind", kind, *weights], capsys)["all", "A0"]
        assert (row["estimate"], row["se"]) == pytest.approx((expected.estimate, expected.se), rel=1e-12)
    row = rows_of([path], capsys)["R0, R2", "A0"]
    assert row["estimate"] == pytest.approx(cohen_kappa(decisions[0], decisions[2]).estimate, rel=1e-12)
    rows = rows_of([path, "--kind", "icc"], capsys)
    assert len(rows) == 12
    assert rows["ICC(A,1)", "A0"]["estimate"] == pytest.approx(icc(ratings).estimate, rel=1e-12)
    rows = rows_of([path, "--kind", "bland-altman"], capsys)
    limits = bland_altman(ratings[0], ratings[1])
    assert rows["R0, R1: lower limit", "A0"]["estimate"] == pytest.approx(limits.low)
    assert rows["R0, R1: upper limit", "A0"]["high"] == pytest.approx(limits.limit_intervals()[1].high)


def test_words_about_categories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = crossed().drop(columns="decision")
    frame["rating"] = frame["rating"].map({1.0: "no", 2.0: "maybe", 3.0: "may be", 4.0: "likely", 5.0: "yes"})
    path = tmp_path / "words.csv"
    frame.to_csv(path, index=False)
    assert main(["agreement", str(path), "--weights", "linear", "--format", "json"]) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert "alphabetical order: likely, may be, maybe, no, yes." in warnings[0]
    assert main(["agreement", str(path), "--kind", "icc"]) == 2
    assert capsys.readouterr().err == "The column rating holds text, and icc needs numbers.\n"
    assert main(["agreement", str(path), "--kind", "bland-altman", "--weights", "linear"]) == 2
    assert "--weights belongs to kappa" in capsys.readouterr().err
    frame["rating"] = np.arange(len(frame)) % 30
    frame.to_csv(path, index=False)
    assert main(["agreement", str(path), "--format", "json"]) == 0
    assert "30 different values" in json.loads(capsys.readouterr().out)["warnings"][0]
