"""Simulated studies: the model against its closed form, and how frequencies are counted."""

import numpy as np
import pytest

from analysis.commands.simulate import questions
from analysis.coverage import Question, Worlds, frequency
from analysis.errors import CannotAnalyse
from analysis.mrmc import obuchowski_rockette
from analysis.simulation import Clusters, RoeMetz, Variances, structure
from tests.analysis.oracle_entries import entry


def test_areas_and_components_are_those_of_the_closed_form() -> None:
    # MRMCaov's RMH_to_OR integrates the model: 50 + 50 cases, separation 0.75, structure HL.
    expected = entry("mrmc_or_mrmcaov", "RMH_to_OR/example").values
    model = RoeMetz((expected["AUC1"], expected["AUC2"]), structure("HL"), 8, 50, 50)
    assert model.mu[0] == pytest.approx(0.75, abs=1e-12)
    generator = np.random.default_rng(7)
    found = [obuchowski_rockette(model.draw(generator).ratings, covariance_method="unbiased") for _ in range(1500)]
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
    question = next(item for item in questions(Worlds.of(), "mrmc") if item.kind == "coverage")
    first, again, other = frequency(question, 40, 1), frequency(question, 40, 1), frequency(question, 40, 2)
    assert first == again
    assert first.studies == other.studies == 40


def test_obuchowski_rockette_keeps_its_promise_and_pooling_does_not() -> None:
    # statistics.md, section 1: 5 % against 22-36 % pooled.
    worlds = Worlds.of()
    found = {
        (item.method, item.kind): frequency(item, 400)
        for name in ("mrmc", "pooled")
        for item in questions(worlds, name)
    }
    kept = found["Obuchowski-Rockette, auc, delong", "type-I error"]
    assert abs(kept.estimate - 0.05) < 3 * kept.error
    assert found["DeLong pooled over readers", "type-I error"].estimate > 0.25
    assert found["McNemar pooled over readers", "type-I error"].estimate > 0.15
