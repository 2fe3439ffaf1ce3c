"""The whole way by settings alone: outside PostgreSQL, Redis and object storage, two workers of a kind."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from celery import Celery

from readerstudy.embedded.places import REPOSITORY
from tests.object_storage import ObjectStorage
from tests.outside import OutsideServices
from tests.servers import INFERENCE, WORKER, Server

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], ObjectStorage]]:
    with OutsideServices() as services, ObjectStorage() as storage:
        work = tmp_path_factory.mktemp("work")
        environment = services.environment | storage.environment | {"WORK_FOLDER": str(work)}
        manage(environment, "migrate", "--verbosity", "0")
        yield environment, storage


def manage(environment: dict[str, str], *words: str) -> str:
    order = [sys.executable, "manage.py", *words]
    done = subprocess.run(order, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_whole_way(outside: tuple[dict[str, str], ObjectStorage], tmp_path: Path) -> None:
    environment, storage = outside
    with Server(environment) as first, Server(environment, parts=(WORKER, INFERENCE)) as second:
        with Celery(broker=environment["BROKER_URL"], set_as_current=False) as asking:
            assert len(asking.control.ping(timeout=5, limit=4)) == 4
        manage(environment, "load_demo_study", "--password", "correct-horse-battery", "--folder", str(tmp_path))
        with psycopg.connect(environment["DATABASE_URL"]) as connection:
            wait_for_results(connection)
            done = connection.execute(
                "SELECT count(*), count(distinct id) FROM predictions_prediction WHERE phase = 'done'"
            )
            assert done.fetchone() == (60, 60)
            events = "SELECT count(*), count(distinct target) FROM audit_event WHERE verb = 'prediction.finished'"
            told = connection.execute(events).fetchone()
            assert told is not None
            assert told[1] == 60
            results = connection.execute("SELECT results FROM results_analysisrun").fetchone()
        assert results is not None
        found = results[0]["results"] if not isinstance(results[0], str) else json.loads(results[0])["results"]
        assert found["design"]["kind"] == "fully crossed"
        assert found["study"]["auc"]["differences"][0]["se"] > 0
        worked = [part.log(INFERENCE).count("inference.predict") for part in (first, second)]
        assert all(worked), f"one of the two inference workers had nothing to do: {worked}"
    assert "Unbroken" in manage(environment, "verify_audit")
    kinds = {key.split("/")[1] for key in storage.stored()}
    assert {"frames", "algorithms", "planes", "datasets"} <= kinds


def wait_for_results(connection: psycopg.Connection) -> None:
    import time

    for _ in range(300):
        row = connection.execute("SELECT phase FROM results_analysisrun").fetchone()
        connection.rollback()
        if row in (("done",), ("failed",)):
            break
        time.sleep(0.2)
    assert row == ("done",)
