"""By settings alone: the same code on the system's PostgreSQL and Redis, with two workers."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import psycopg
import pytest
from celery import Celery

from readerstudy.embedded.places import REPOSITORY
from tests.outside import OutsideServices
from tests.servers import WEB, WORKER, Server

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def outside() -> Iterator[dict[str, str]]:
    """The environment of a migrated site on outside servers."""
    with OutsideServices() as services:
        order = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        done = subprocess.run(
            order, cwd=REPOSITORY, env=services.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        yield services.environment


def test_the_servers_are_not_ours(outside: dict[str, str]) -> None:
    with psycopg.connect(outside["DATABASE_URL"]) as connection:
        assert connection.info.server_version // 10000 != 18
        assert connection.execute("SELECT count(*) > 0 FROM django_migrations").fetchone() == (True,)


def test_web_and_two_workers_answer_from_the_environment_alone(outside: dict[str, str]) -> None:
    with Server(outside, parts=(WEB, WORKER)) as first, Server(outside, parts=(WORKER,)):
        with Celery(broker=outside["BROKER_URL"], set_as_current=False) as asking:
            assert len(asking.control.ping(timeout=5, limit=2)) == 2
        with urllib.request.urlopen(first.address) as page:
            assert page.status == 200
            assert 'name="password"' in page.read().decode()
