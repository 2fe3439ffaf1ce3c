"""Simulated studies: the models against their closed forms, how frequencies are counted, the table of the README."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import analysis
from analysis.__main__ import main
from analysis.coverage import Frequency, Question, frequency
from analysis.coverage_agreement import ALIKE, CLASSES, HABIT, OTHER, UNLIKE, conger, corrected, joint, judged, kappa_of
from analysis.coverage_families import FAMILIES, Setting, answered, frequencies, questions, table_line
from analysis.coverage_further import on_fixed_cases
from analysis.coverage_many import PARTIAL, nested_cases, nested_readers, population, split_plot
from analysis.coverage_marks import Search, identified, levels_of
from analysis.coverage_probabilities import WORTHLESS, expected, net_benefit, uncertain
from analysis.coverage_reading import MODEL, advised
from analysis.designs import study_design
from analysis.errors import CannotAnalyse
from analysis.interval import Refusal
from analysis.localisation.froc import localised_figures
from analysis.merit_names import merit_named
from analysis.mrmc import obuchowski_rockette
from analysis.simulation import Clusters, RoeMetz, Variances, structure
from tests.analysis.oracle_entries import entry


def test_areas_and_components_are_those_of_the_closed_form() -> None:
    # MRMCaov's RMH_to_OR integrates the model: 50 + 50 cases, separation 0.75, structure HL.
    expected = entry("mrmc_or_mrmcaov", "RMH_to_OR/example").values
    model = RoeMetz((expected["AUC1"], expected["AUC2"]), structure("HL"), 8, 50, 50)
    assert model.mu[0] == pytest.approx(0.75, abs=1e-12)
    generator = np.random.default_rng(7)
    found = [obuchowski_rockette(model.draw(generator).ratings, covariance_method="unbiased") for _ in range(400)]
    for name, values in (
        ("AUC1", [item.arms[0].estimate for item in found]),
        ("AUC2", [item.arms[1].estimate for item in found]),
        *((key, [getattr(item.components, key) for item in found]) for key in ("cov1", "cov2", "cov3")),
        ("var_error", [item.components.error for item in found if item.components]),
        ("var_TR", [item.components.arm_reader for item in found if item.components]),
        ("var_R", [item.components.reader for item in found if item.components]),
    ):
        error = np.std(values) / np.sqrt(len(values))
        assert abs(np.mean(values) - expected[name]) < 4 * error, name


def test_the_truth_of_each_reader_is_what_very_many_cases_give() -> None:
    model = RoeMetz((0.75, 0.85), structure("LH", 0.1), 2, 40_000, 40_000)
    study = model.draw(np.random.default_rng(3))
    found = obuchowski_rockette(study.ratings).figures
    assert found == pytest.approx(study.auc, abs=0.01)
    truth, decided = study.decisions.truth, study.decisions.values
    assert decided[:, :, truth].mean(axis=2) == pytest.approx(study.sensitivity, abs=0.012)
    assert 1 - decided[:, :, ~truth].mean(axis=2) == pytest.approx(study.specificity, abs=0.012)


def test_units_of_a_patient_are_alike_and_both_arms_equal() -> None:
    clusters = Clusters(patients=4000, units=5, share=0.7)
    patients, (first, second) = clusters.draw(np.random.default_rng(5))
    assert len(patients) == 20_000 and len(set(patients)) == 4000
    assert first.mean() == pytest.approx(0.7, abs=0.02) and second.mean() == pytest.approx(0.7, abs=0.02)
    by_patient = first.reshape(4000, 5).mean(axis=1)
    assert by_patient.var() > 1.5 * 0.7 * 0.3 / 5


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Variances(0, 0, 0.5, 0.5, 0.5, 0.5), "add up to 1"),
        (lambda: Variances(-1, 0, 0.25, 0.25, 0.25, 0.25), "never negative"),
        (lambda: structure("XX"), "not XX"),
        (lambda: RoeMetz((0.5, 1.0), structure("HL")), "between 0 and 1"),
        (lambda: RoeMetz((0.5, 0.6), structure("HL"), readers=0), "has a reader"),
        (lambda: frequency(Question("x", "coverage", lambda _: [True]), 1), "at least two studies"),
    ],
)
def test_what_cannot_be_simulated(make: object, sentence: str) -> None:
    assert callable(make)
    with pytest.raises(CannotAnalyse, match=sentence):
        make()


def test_refused_studies_are_counted_apart() -> None:
    def ask(generator: np.random.Generator) -> list[bool]:
        if generator.random() < 0.5:
            raise CannotAnalyse("Nothing to see.")
        return [True]

    found = frequency(Question("x", "coverage", ask), 200)
    assert (found.estimate, found.error) == (1.0, 0.0)
    assert found.studies + found.refused == 200 and 60 < found.refused < 140


def test_the_same_seed_gives_the_same_frequency_and_another_does_not() -> None:
    question = next(item for item in questions(Setting(40, 1, only="mrmc")) if item.kind == "coverage")
    first, again, other = frequency(question, 40, 1), frequency(question, 40, 1), frequency(question, 40, 2)
    assert first == again
    assert first.studies == other.studies == 40


def test_obuchowski_rockette_keeps_its_promise_and_pooling_does_not() -> None:
    # statistics.md, section 1: 5 % against 22-36 % pooled.
    kept = asked("mrmc", "Obuchowski-Rockette, auc, delong", "type-I error", 200)
    assert abs(kept.estimate - 0.05) < 3 * kept.error
    assert asked("pooled", "DeLong pooled over readers", "type-I error", 200).estimate > 0.25
    assert asked("pooled", "McNemar pooled over readers", "type-I error", 200).estimate > 0.15


def asked(family: str, method: str, kind: str, studies: int) -> Frequency:
    setting = Setting(studies, SEED, only=family)
    places = [place for place, item in enumerate(questions(setting)) if (item.method, item.kind) == (method, kind)]
    found = answered(setting, places[0])
    assert isinstance(found, Frequency) and len(places) == 1
    return found


def test_every_question_has_a_name_of_its_own_and_all_families_are_asked() -> None:
    asked_of = questions(Setting(2, 1))
    names = [(item.method, item.kind) for item in asked_of]
    assert len(set(names)) == len(names) > 400
    assert len(asked_of) == sum(len(questions(Setting(2, 1, only=name))) for name in FAMILIES)
    with pytest.raises(CannotAnalyse, match="families of questions"):
        questions(Setting(2, 1, only="nobody"))


def test_the_answers_do_not_depend_on_the_number_of_workers() -> None:
    setting = Setting(8, 3, only="planning")
    assert frequencies(setting, 1) == frequencies(setting, 2)
    with pytest.raises(CannotAnalyse, match="at least one worker"):
        frequencies(setting, 0)


def test_a_question_that_cannot_be_asked_is_answered_with_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    # Two readers are no two groups of readers.
    found = frequencies(Setting(3, 1, readers=2, positives=10, negatives=10, only="further"))
    assert any(isinstance(item, Refusal) for item in found) and any(isinstance(item, Frequency) for item in found)
    words = ["simulate", "--studies", "3", "--readers", "2", "--positives", "10", "--negatives", "10"]
    assert main([*words, "--only", "further"]) == 0
    assert "seniority x arm interaction refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [("--only", "nobody"), ("--workers", "0"), ("--studies", "1"), ("--readers", "1"), ("--seed", "-1")],
    ids=" ".join,
)
def test_what_the_command_refuses(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_means_over_readers_are_those_of_very_many() -> None:
    model = RoeMetz((0.75, 0.85), structure("HL", 0.3), 400, 300, 300)
    study = model.draw(np.random.default_rng(11))
    part = merit_named(PARTIAL)
    truth = study.ratings.truth
    found = [part.value(truth, row[0]) for row in study.ratings.values]
    assert np.mean(found) == pytest.approx(population(model, PARTIAL)[0], abs=0.006)
    first, second = population(model, "accuracy")
    right = (study.decisions.values == truth).mean(axis=(0, 2))
    assert right == pytest.approx([first, second], abs=0.02)


def test_arranged_studies_have_the_design_they_are_named_for() -> None:
    model, generator = RoeMetz((0.8, 0.8), structure("HL"), 4, 12, 12), np.random.default_rng(1)
    assert study_design(nested_readers(model, generator)).kind == "readers nested in arms"
    assert study_design(split_plot(model, generator)).kind == "split-plot"
    assert study_design(nested_cases(model, generator)).cases_nested == "in readers"


def test_agreement_of_hidden_classes_is_what_very_many_cases_give() -> None:
    values = judged(UNLIKE, np.random.default_rng(2), 200_000)
    table = np.array([[((values[0] == a) & (values[1] == b)).mean() for b in range(3)] for a in range(3)])
    assert table == pytest.approx(joint(HABIT, OTHER), abs=0.005)
    assert (
        CLASSES.sum() == pytest.approx(1)
        and HABIT.sum(axis=1) == pytest.approx(1)
        and OTHER.sum(axis=1) == pytest.approx(1)
    )
    # Where readers are alike, kappas that differ in their view of chance are one.
    same = np.eye(3)
    fleiss = corrected(same, lambda shares: float(shares @ shares), ALIKE)
    assert fleiss == pytest.approx(kappa_of(HABIT, HABIT, same)) == pytest.approx(conger(ALIKE))


def test_figures_of_marks_are_those_of_the_search_model() -> None:
    search = Search(readers=1, positives=4000, negatives=4000, reader=0.5)
    marks, apart = search.draw(np.random.default_rng(4))
    truth = [search.truth_of(float(value)) for value in apart[0]]
    assert localised_figures(marks, "wafroc").values[0] == pytest.approx(truth, abs=0.015)


def test_probabilities_are_right_and_their_means_known() -> None:
    logits = np.random.default_rng(5).normal(-0.5, 1.2, 400_000)
    p = 1 / (1 + np.exp(-logits))
    assert expected(uncertain) == pytest.approx(float((p * (1 - p)).mean()), abs=0.001)
    called = p >= 0.2
    assert net_benefit(0.2) == pytest.approx(float((called * (p - 0.25 * (1 - p))).mean()), abs=0.002)


def test_advice_is_followed_as_often_as_each_reader_does() -> None:
    study = advised(np.random.default_rng(6), 40_000)
    right = [np.where(study.truth, values, 1 - values) for values in (study.unaided, study.aided)]
    wrong_model = np.where(study.truth, study.model, 1 - study.model) == 0
    for reader, rate in enumerate(study.follows):
        asked_for = (right[0][reader] == 1) & wrong_model
        assert 1 - right[1][reader][asked_for].mean() == pytest.approx(rate, abs=0.03)


def test_aided_readers_may_be_just_as_good_as_the_model() -> None:
    study = advised(np.random.default_rng(7), 100_000, even=True)
    right = study.aided == study.truth
    assert right.mean(axis=1) == pytest.approx(MODEL, abs=0.006)


def test_several_arms_are_alike_on_average() -> None:
    model = RoeMetz((0.75, 0.9), structure("HL", 0.03), 80, 2000, 2000)
    found = obuchowski_rockette(model.draw_alike(np.random.default_rng(8), 3)).figures
    assert found.mean(axis=0) == pytest.approx([0.75] * 3, abs=0.025)
    assert np.ptp(found.mean(axis=0)) > 0


def test_readers_of_fixed_cases_have_the_mean_that_their_cases_give_them() -> None:
    model = RoeMetz((0.8, 0.8), structure("HL", 0.1), 4000, 40, 40)
    found, true = on_fixed_cases(model, np.random.default_rng(9))
    assert found.estimate == pytest.approx(true, abs=0.004)
    assert abs(true) < 0.01 and found.cov2 is None


def test_a_useless_probability_is_worth_as_much_as_its_rival() -> None:
    for rival, (risks, given, threshold) in WORTHLESS.items():
        odds, high = threshold / (1 - threshold), 0.4
        shares = (1 - high, high)
        every = sum(share * (risk - odds * (1 - risk)) for share, risk in zip(shares, risks, strict=True))
        called = sum(
            share * (risk - odds * (1 - risk))
            for share, risk, p in zip(shares, risks, given, strict=True)
            if p >= threshold
        )
        assert called == pytest.approx({"none": 0.0, "all": every}[rival], abs=1e-12)
        assert (every > 0) == (rival == "all")


def test_levels_are_identified_as_often_as_very_many_are() -> None:
    generator = np.random.default_rng(10)
    for levels in (1, 5):
        found = [levels_of(levels, generator) for _ in range(300)]
        shares = [item.estimate for item in found]
        assert np.mean(shares) == pytest.approx(identified(levels), abs=4 * float(np.std(shares)) / math.sqrt(300))


README = Path(analysis.__file__).parent / "README.md"
HEADING = "## Coverage and type-I error, simulated"
SEED, STUDIES = 20260101, 2000
ROWS_RERUN = (
    ("planning", "any false rejection among five, holm", "type-I error"),
    ("agreement", "intraclass correlation, agreement, single", "coverage"),
    ("clusters", "clustered difference, obuchowski", "coverage"),
)


def printed_rows() -> list[list[str]]:
    """Cells of the README's table below its heading."""
    section = README.read_text().split(HEADING)[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_the_readme_has_a_row_for_every_question_and_a_reason_for_every_miss() -> None:
    rows = printed_rows()
    wanted = [(item.method, item.kind, f"{100 * item.promised:.4g}", item.remark) for item in questions(Setting(2, 1))]
    assert [(row[0], row[1], row[2], row[5] if len(row) > 5 else "") for row in rows] == wanted
    for method, _, promised, found, error, *remark in rows:
        assert abs(float(found) - float(promised)) <= 1 + 1e-9 or remark, method
        assert 0 <= float(error) < 1.2, method


@pytest.mark.parametrize(("family", "method", "kind"), ROWS_RERUN, ids=[row[1] for row in ROWS_RERUN])
def test_printed_numbers_come_out_again(family: str, method: str, kind: str) -> None:
    line = table_line(asked(family, method, kind, STUDIES))
    assert line in README.read_text().splitlines()


def test_the_larger_areas_of_the_binormal_curve_are_closed_forms() -> None:
    # The largest index of two normal distributions one apart: both errors are Phi(-1/2).
    a = math.sqrt(2) * float(stats.norm.ppf(0.8))
    cut = np.linspace(-3, 4, 100_001)
    index = stats.norm.cdf(a - cut) - stats.norm.cdf(-cut)
    assert float(index.max()) == pytest.approx(2 * stats.norm.cdf(a / 2) - 1, abs=1e-9)
