"""Agreement: identities between coefficients, closed forms, and what has no answer."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.agreement import cohen_kappa, fleiss_kappa, light_kappa, pairwise_kappa
from analysis.agreement_weights import WEIGHT_NAMES, weight_matrix
from analysis.bland_altman import bland_altman
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
from analysis.errors import CannotAnalyse
from analysis.icc import icc
from analysis.ratings import Floats
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
    with pytest.raises(CannotAnalyse, match="1 judgement is missing"):
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
