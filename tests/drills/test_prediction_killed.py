"""kill -9 of the workers while they predict: every case is answered once, none is lost, the chain holds."""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from readerstudy.audit.models import Event
from readerstudy.audit.queries import all_faults
from readerstudy.cases.models import Case, Image
from readerstudy.predictions.actions import start_run
from readerstudy.predictions.findings import findings_in
from readerstudy.predictions.models import Prediction, PredictionRun
from readerstudy.predictions.queries import predictions_in, progress_of, storage
from readerstudy.studies.models import Study
from tests.models import write_films
from tests.readerstudy.predictions.workshop import registered
from tests.servers import INFERENCE, WORKER, Server
from tests.world import People, client_of, make_study, with_films

CASES, ROUNDS = 48, 10
# Large films take a while each, so that a kill meets a worker at work.
MAGNIFIED = 25
Phase = Prediction.Phase


def study_with_films(people: People, folder: Path) -> Study:
    study = make_study(people)
    with_films(study, write_films(folder, CASES, magnified=MAGNIFIED), by=people.alice)
    return study


def wait_for(run: PredictionRun, done: int, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while progress_of(run).done < done:
        assert time.monotonic() < until, f"{progress_of(run)} after {seconds} seconds"
        time.sleep(0.02)


def kill(server: Server, part: str) -> None:
    """And start it anew at once, as whoever watches over processes does; the next kill may meet it half awake."""
    server.kill(part)
    server.application.launch(part)


@pytest.mark.drill
def test_workers_killed_again_and_again_answer_every_case_once(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    people = People()
    study, algorithm = study_with_films(people, tmp_path / "films"), registered(people.dev)
    chance = random.Random(20)
    environment = server_environment | {"PREDICTION_LEASE_SECONDS": "4"}
    with (
        Server(environment, parts=(WORKER, INFERENCE)) as first,
        Server(environment, parts=(INFERENCE,)) as second,
    ):
        run = start_run(study=study, algorithm=algorithm, assists=True, by=people.alice)
        rounds = 0
        for number in range(ROUNDS):
            wait_for(run, 3 * number + 1)
            if progress_of(run).finished:
                break
            rounds += 1
            for server in (first, second):
                kill(server, INFERENCE)
            time.sleep(chance.uniform(0, 0.4))
            if number % 3 == 1:
                kill(first, WORKER)
        wait_for(run, CASES)

    assert rounds > ROUNDS / 2, "the kills came too late to meet workers at work"
    assert Prediction.objects.filter(phase=Phase.DONE, probability__isnull=False).count() == CASES
    assert Prediction.objects.count() == CASES
    told = Counter(event.facts["case"] for event in Event.objects.filter(verb="prediction.finished"))
    assert set(told) == set(study.cases.values_list("token", flat=True))
    assert set(told.values()) == {1}
    for row in Prediction.objects.all():
        found = findings_in(row.findings)
        assert found.heatmaps is not None
        assert all(storage().size(plane.key) > 0 for plane in found.heatmaps)
    assert not list(all_faults())


def frame_of(case: Case) -> Path:
    """The file in the storage that holds the case's only image."""
    return Path(storage().path(Image.objects.get(series__case=case).frame_key))


@pytest.mark.drill
def test_a_case_that_no_worker_survives_stops_after_three_and_damaged_ones_say_why(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    people = People()
    study = make_study(people)
    with_films(study, write_films(tmp_path / "films", 6, films_per_patient=1), by=people.alice)
    algorithm = registered(people.dev)
    hanging, cut, missing = [frame_of(case) for case in study.cases.order_by("label")[:3]]
    # A file that nobody ever writes to: whoever reads it hangs, until it is killed.
    hanging.unlink()
    os.mkfifo(hanging)
    cut.write_bytes(cut.read_bytes()[:-9])
    missing.unlink()
    # Long enough for a worker to wake up within: a case that it begins later is no longer its own.
    environment = server_environment | {"PREDICTION_LEASE_SECONDS": "15"}
    with (
        Server(environment, parts=(WORKER, INFERENCE)) as first,
        Server(environment, parts=(INFERENCE,)) as second,
    ):
        run = start_run(study=study, algorithm=algorithm, assists=True, by=people.alice)
        poison, damaged, gone, *others = [row.prediction for row in predictions_in(run)]
        until = time.monotonic() + 240
        killed = 0
        while poison.phase != Phase.FAILED:
            assert time.monotonic() < until, f"attempt {poison.attempts}, {killed} kills"
            poison.refresh_from_db()
            if poison.attempts > killed:
                killed = poison.attempts
                for server in (first, second):
                    kill(server, INFERENCE)
            time.sleep(0.05)
        wait_for(run, len(others))

    assert killed == poison.attempts == 3
    assert poison.error == "Stopped after 3 attempts: the worker did not survive this case."
    for row in (damaged, gone, *others):
        row.refresh_from_db()
    assert damaged.error == "A stored frame is damaged: its SHA-256 differs from the one recorded at import."
    assert gone.error.startswith("A stored file cannot be fetched")
    assert {row.phase for row in others} == {Phase.DONE}
    told = Counter((event.verb, event.facts["case"]) for event in Event.objects.filter(verb__startswith="prediction."))
    assert set(told.values()) == {1}
    assert len(told) == 6
    page = client_of(people.alice).get(f"/studies/{study.token}/predictions/{run.token}/").text
    for sentence in ("Stopped after 3 attempts", "A stored frame is damaged", "A stored file cannot be fetched"):
        assert sentence in page
    assert not list(all_faults())
