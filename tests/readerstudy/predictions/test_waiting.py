"""Waiting for models: as long as workers give signs of life, and how far they are is told."""

import pytest

from readerstudy.dashboard.waiting import WorkersAway, sign_of, told, unserved, wait_for_run
from readerstudy.predictions import working
from readerstudy.predictions.models import PredictionRun
from readerstudy.predictions.queries import progress_of
from tests.readerstudy.predictions.workshop import empty_queue, outcome_for, rows_of


def test_without_workers_it_ends_with_a_sentence_that_names_them(run: PredictionRun) -> None:
    said: list[str] = []
    with pytest.raises(WorkersAway) as ended:
        wait_for_run(run, said.append, silence=1.0)
    empty_queue()
    assert said == [f"{run.algorithm}: 0 of 4 cases answered"]
    assert str(ended.value) == (
        f"{run.algorithm}: 0 of 4 cases answered, and nothing moves: no worker of the queue readerstudy nor of "
        "inference answers; start the workers (`make demo` does), then load again."
    )
    assert unserved() == ["readerstudy", "inference"]


def test_a_heartbeat_is_a_sign_of_life_and_a_lease_is_none(run: PredictionRun) -> None:
    signs = [sign_of(progress_of(run))]
    assert working.dispatch() == 4
    signs.append(sign_of(progress_of(run)))
    # Sent is not begun: nobody may be there to begin it.
    assert signs[0] == signs[1] == (0, None)
    first = rows_of(run)[0]
    for _ in range(3):
        working.heartbeat(first.token, first.lease)
        signs.append(sign_of(progress_of(run)))
    working.record(first.token, first.lease, outcome_for(first))
    signs.append(sign_of(progress_of(run)))
    assert len(set(signs[1:])) == 5
    empty_queue()


def test_a_finished_run_is_not_waited_for(run: PredictionRun) -> None:
    *answered, last = rows_of(run)
    for row in answered:
        working.record(row.token, "", outcome_for(row))
    working.record(last.token, "", {"error": "No such frame."})
    said: list[str] = []
    wait_for_run(run, said.append)
    assert said == [f"{run.algorithm}: 3 of 4 cases answered, 1 failed"] == [told(run, progress_of(run))]
