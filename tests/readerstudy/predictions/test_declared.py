"""A model with a specification, from its registration to its pages; the worker's own function answers."""

import pytest

from inference.predict import answers_to
from inference.prediction import Prediction as Outcome
from inference.prediction import Request
from readerstudy.predictions import working
from readerstudy.predictions.actions import register_algorithm, start_run
from readerstudy.predictions.findings import findings_in
from readerstudy.predictions.models import Algorithm, PredictionRun
from readerstudy.predictions.queries import progress_of, request_for
from readerstudy.studies.models import Study
from tests.declared import declared_model
from tests.readerstudy.predictions.workshop import rows_of
from tests.world import People, client_of


def registered(study: str, people: People) -> Algorithm:
    model = declared_model(study)
    with (model / "card.json").open("rb") as card, (model / "weights.safetensors").open("rb") as weights:
        return register_algorithm(card=card, weights=weights, by=people.dev)


def work_off(run: PredictionRun) -> None:
    """As a worker does, through the message."""
    request = Request.from_message(request_for(run.algorithm, rows_of(run)).to_message())
    for item, answer in answers_to(request):
        outcome = answer.to_message() if isinstance(answer, Outcome) else {"error": answer}
        assert working.record(item.prediction, item.lease, outcome)


def test_films_get_levels_masks_and_heat_maps(study: Study, people: People) -> None:
    run = start_run(study=study, algorithm=registered("s2-multitask", people), assists=True, by=people.alice)
    work_off(run)
    assert progress_of(run).complete
    for row in rows_of(run):
        found = findings_in(row.findings)
        assert (found.operating_point, found.abstain) == (0.4, (0.3, 0.5))
        assert found.masks is not None and found.vertebrae is not None and found.boxes is None
        assert found.heatmaps is not None
        assert {(plane.series, plane.slice) for plane in (*found.heatmaps, *found.masks)} <= {(0, 0)}
        assert row.uncertain == (0.3 <= (row.probability or 0) < 0.5)
        assert set(row.seconds) == {"load", "preprocess", "forward", "post", "explain"}
        assert row.runtime in row.versions
    page = client_of(people.alice).get(f"/studies/{study.token}/predictions/{run.token}/").text
    assert page.count("output for C") == 4


def test_a_missing_sequence_fails_its_case_with_the_reason_on_the_page(study: Study, people: People) -> None:
    run = start_run(study=study, algorithm=registered("s1-resnet50", people), assists=True, by=people.alice)
    first = study.cases.order_by("label")[0]
    first.series.update(label="T1W")
    work_off(run)
    errors = [row.error for row in rows_of(run)]
    assert errors[0] == "The case lacks T2W; the model reads T1W, T2W."
    assert errors[1] == "The case lacks T1W and T2W; the model reads T1W, T2W."
    page = client_of(people.alice).get(f"/studies/{study.token}/predictions/{run.token}/").text
    assert "The case lacks T2W; the model reads T1W, T2W." in page
    assert "Finished with failures" in page


@pytest.mark.parametrize("study_of_model", ["s1-resnet50", "s2-multitask"])
def test_its_card_is_a_page(people: People, study_of_model: str) -> None:
    algorithm = registered(study_of_model, people)
    page = client_of(people.dev).get(f"/algorithms/{algorithm.token}/").text
    for words in ("What it reads", "Preprocessing, in this order", "Threshold", "youden", "Abstains", "0.3", "CC0-1.0"):
        assert words in page
    assert algorithm.digest in page
