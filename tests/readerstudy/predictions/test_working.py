"""The queue of record: the row decides, whatever becomes of the messages."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from inference.declared import document_of
from inference.predict import answers_to
from inference.prediction import Plane, Request
from inference.prediction import Prediction as Outcome
from readerstudy.audit.models import Event
from readerstudy.predictions import working
from readerstudy.predictions.findings import findings_in
from readerstudy.predictions.models import Prediction, PredictionRun
from readerstudy.predictions.queries import progress_of, storage
from tests.planes import spot
from tests.readerstudy.predictions.workshop import (
    empty_queue,
    lapse,
    leased_beyond,
    outcome_for,
    requests_sent,
    rows_of,
)


@pytest.fixture(autouse=True)
def queue(db: None) -> None:
    empty_queue()


def finished_events() -> int:
    return Event.objects.filter(verb="prediction.finished").count()


def test_what_is_sent_can_be_answered_and_the_answer_stored(run: PredictionRun) -> None:
    assert working.dispatch() == 4
    (request,) = requests_sent()
    for item, answer in answers_to(Request.from_message(request)):
        assert isinstance(answer, Outcome), answer
        assert working.record(item.prediction, item.lease, answer.to_message())
    assert progress_of(run).complete
    for row in rows_of(run):
        threshold = row.algorithm.card["spec"]["decision"]["threshold"]
        assert row.positive == (row.probability >= threshold)
        (heatmap,) = findings_in(row.findings).heatmaps or ()
        assert (heatmap.series, heatmap.slice) == (0, 0)
        assert storage().size(heatmap.key) > 0
        assert set(row.seconds) == {"load", "preprocess", "forward", "post", "explain"}
    assert finished_events() == 4


def test_rows_are_leased_once_and_a_second_tick_finds_nothing(run: PredictionRun) -> None:
    assert working.dispatch() == 4
    rows = rows_of(run)
    assert {row.phase for row in rows} == {"leased"}
    assert len({row.lease for row in rows}) == 1
    assert len(leased_beyond(run, timezone.now())) == 4
    assert working.dispatch() == 0
    assert len(requests_sent()) == 1


def test_batches_have_a_size_and_what_is_in_flight_a_limit(run: PredictionRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "BATCH", 2)
    monkeypatch.setattr(working, "IN_FLIGHT", 3)
    assert working.dispatch() == 3
    assert [len(request["items"]) for request in requests_sent()] == [2, 1]
    leased = [row for row in rows_of(run) if row.lease]
    assert len({row.lease for row in leased}) == 2
    assert working.dispatch() == 0
    working.record(leased[0].token, leased[0].lease, outcome_for(leased[0]))
    assert working.dispatch() == 0, "there is room for one, and a batch has two"
    working.record(leased[1].token, leased[1].lease, outcome_for(leased[1]))
    assert working.dispatch() == 1


def test_an_outcome_is_stored_once_however_often_it_comes(run: PredictionRun) -> None:
    working.dispatch()
    row = rows_of(run)[0]
    assert working.record(row.token, row.lease, outcome_for(row, 0.75))
    assert not working.record(row.token, row.lease, outcome_for(row, 0.75))
    assert not working.record(row.token, row.lease, outcome_for(row, 0.25))
    assert not working.record(row.token, row.lease, {"error": "too late"})
    assert not working.record("nothing", "", outcome_for(row))
    row.refresh_from_db()
    assert (row.phase, row.probability, row.error) == ("done", 0.75, "")
    assert finished_events() == 1


def test_a_late_outcome_counts_as_long_as_nobody_else_was_faster(run: PredictionRun) -> None:
    working.dispatch()
    row = rows_of(run)[0]
    lapse(row)
    assert working.dispatch() == 1
    assert working.record(row.token, row.lease, outcome_for(row, 0.75))
    row.refresh_from_db()
    assert (row.phase, row.probability) == ("done", 0.75)
    lapse(*rows_of(run)[1:])
    assert working.dispatch() == 3


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"card_digest": "0" * 64}, "another model or another input"),
        ({"input_digest": "0" * 64}, "another model or another input"),
        ({"probability": 1.5}, "cannot be read"),
        ({"probability": "nan"}, "cannot be read"),
        ({"probability": None}, "cannot be read"),
        ({"positive": False}, "cannot be read"),
        ({"heatmaps": [{"series": 0, "slice": 0, "png": "§"}]}, "is not base64"),
        ({"seconds": 3}, "cannot be read"),
    ],
)
def test_an_answer_that_does_not_fit_fails_with_a_sentence(
    run: PredictionRun, changes: dict[str, object], sentence: str
) -> None:
    row = rows_of(run)[0]
    assert working.record(row.token, "", outcome_for(row, 0.99) | changes)
    row.refresh_from_db()
    assert row.phase == "failed"
    assert sentence in row.error
    assert row.probability is None
    assert Event.objects.get(verb="prediction.failed").facts["error"] == row.error


def test_an_answer_without_its_fields_fails_too(run: PredictionRun) -> None:
    row = rows_of(run)[0]
    assert working.record(row.token, "", {})
    row.refresh_from_db()
    assert "cannot be read" in row.error


def test_long_errors_are_kept_to_a_length(run: PredictionRun) -> None:
    row = rows_of(run)[0]
    working.record(row.token, "", {"error": "x" * 5000})
    row.refresh_from_db()
    assert len(row.error) == 1000


def test_waiting_in_the_queue_is_no_attempt(run: PredictionRun) -> None:
    for _ in range(6):
        assert working.dispatch() == 4
        lapse(*rows_of(run))
    assert {row.attempts for row in rows_of(run)} == {0}
    assert progress_of(run).failed == 0


def test_what_a_worker_begins_three_times_without_an_answer_is_stopped_alone(run: PredictionRun) -> None:
    first, *others = rows_of(run)
    for attempt in range(3):
        assert working.dispatch() == 4
        first.refresh_from_db()
        # Twice: a doubled message is no second attempt.
        working.heartbeat(first.token, first.lease)
        working.heartbeat(first.token, first.lease)
        first.refresh_from_db()
        assert first.attempts == attempt + 1
        lapse(*rows_of(run))
    assert working.dispatch() == 3
    first.refresh_from_db()
    assert first.phase == "failed"
    assert "Stopped after 3 attempts" in first.error
    assert {row.attempts for row in rows_of(run)[1:]} == {0}
    lapse(*others)
    assert working.dispatch() == 3
    assert Event.objects.filter(verb="prediction.failed").count() == 1


def test_what_was_in_the_hands_of_a_dead_worker_is_asked_alone(run: PredictionRun) -> None:
    """A batch is read before any of it is answered: two innocent cases have been begun with it, and are not stopped."""
    first, second, poison, fourth = rows_of(run)
    assert working.dispatch() == 4
    first.refresh_from_db()
    for row in (first, second, poison):
        working.heartbeat(row.token, first.lease)
    lapse(*rows_of(run))
    empty_queue()
    assert working.dispatch() == 4
    assert [len(request["items"]) for request in requests_sent()] == [1, 1, 1, 1]
    for row in (first, second, fourth):
        row.refresh_from_db()
        working.heartbeat(row.token, row.lease)
        assert working.record(row.token, row.lease, outcome_for(row))
    for _ in range(2):
        poison.refresh_from_db()
        working.heartbeat(poison.token, poison.lease)
        lapse(poison)
        working.dispatch()
    assert [row.phase for row in rows_of(run)] == ["done", "done", "failed", "done"]
    assert [row.attempts for row in rows_of(run)] == [2, 2, 3, 1]


def test_alone_in_a_batch_and_twice_at_once_a_case_has_one_record(run: PredictionRun) -> None:
    """Whoever answers first is kept; what the others would have said differs by less than a hundred-thousandth."""
    working.dispatch()
    (message,) = requests_sent()
    request = Request.from_message(message)
    alone = [replace(request, items=(item,)) for item in request.items]
    with ThreadPoolExecutor(2) as workers:
        rounds = list(workers.map(lambda asked: list(answers_to(asked)), [request, request, *alone]))
    kept: dict[str, float] = {}
    for item, answer in (pair for answers in rounds for pair in answers):
        assert isinstance(answer, Outcome), answer
        assert working.record(item.prediction, item.lease, answer.to_message()) == (item.prediction not in kept)
        assert abs(kept.setdefault(item.prediction, answer.probability) - answer.probability) < 1e-5
    assert {row.token: row.probability for row in rows_of(run)} == kept
    assert finished_events() == len(kept) == 4


def test_what_a_worker_did_not_survive_waits_behind_the_others(
    run: PredictionRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "BATCH", 2)
    monkeypatch.setattr(working, "IN_FLIGHT", 2)
    first, second, third, _ = rows_of(run)
    assert working.dispatch() == 2
    first.refresh_from_db()
    working.heartbeat(first.token, first.lease)
    lapse(*rows_of(run))
    assert working.dispatch() == 2
    assert [row.attempts for row in rows_of(run)] == [1, 0, 0, 0]
    leased = [row.pk for row in rows_of(run) if row.lease_until and row.lease_until > timezone.now()]
    assert leased == [second.pk, third.pk]


def test_a_heartbeat_prolongs_the_whole_batch_and_nothing_else(
    run: PredictionRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "BATCH", 2)
    working.dispatch()
    soon = timezone.now() + timedelta(seconds=1)
    Prediction.objects.update(lease_until=soon)
    first, second, third, _ = rows_of(run)
    working.heartbeat(first.token, first.lease)
    later = leased_beyond(run, soon + timedelta(seconds=10))
    assert later == {row.token for row in rows_of(run) if row.lease == first.lease}
    assert len(later) == 2
    for prediction, lease in ((second.token, "old"), (third.token, ""), ("nothing", "nothing")):
        working.heartbeat(prediction, lease)
    assert leased_beyond(run, soon) == later
    assert sum(row.attempts for row in rows_of(run)) == 1


def test_a_heartbeat_after_the_end_changes_nothing(run: PredictionRun) -> None:
    working.dispatch()
    row = rows_of(run)[0]
    working.record(row.token, row.lease, outcome_for(row))
    working.heartbeat(row.token, row.lease)
    row.refresh_from_db()
    assert (row.phase, row.attempts) == ("done", 0)


def test_heat_maps_are_kept_under_their_digest(run: PredictionRun) -> None:
    one, two, three = rows_of(run)[:3]
    other = [document_of(Plane.of(spot(200)))]
    working.record(one.token, "", outcome_for(one))
    working.record(two.token, "", outcome_for(two))
    working.record(three.token, "", outcome_for(three, heatmaps=other))
    keys = [findings_in(row.findings).planes("heatmap")[0].key for row in rows_of(run)[:3]]
    assert keys[0] == keys[1] != keys[2]
