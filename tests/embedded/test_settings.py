"""Settings come from the environment alone; what cannot be read stops the start with one sentence."""

import os
import subprocess
import sys

import pytest

from readerstudy.embedded.places import REPOSITORY, free_port

GOOD = {
    "DATABASE_URL": "postgres://role:password@127.0.0.1:1/name",
    "BROKER_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "abcdefghij" * 6,
    "STORAGE_URL": "file:///tmp/readerstudy-settings",
    "PATH": os.environ["PATH"],
}


def read_settings(changes: dict[str, str], then: str = "") -> subprocess.CompletedProcess[str]:
    program = f"from readerstudy import settings\n{then}"
    order = [sys.executable, "-c", program]
    return subprocess.run(order, cwd=REPOSITORY, env=GOOD | changes, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set; it holds the PostgreSQL database"),
        ({"DATABASE_URL": "sqlite:///file"}, "DATABASE_URL must begin with postgres://"),
        ({"DATABASE_URL": "postgres://role@host"}, "DATABASE_URL names no database"),
        ({"BROKER_URL": ""}, "BROKER_URL is not set"),
        ({"BROKER_URL": "kafka://host"}, "BROKER_URL must begin with redis://"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is shorter than 50 characters"),
        ({"STORAGE_URL": "ftp://host/folder"}, "STORAGE_URL must look like file:///folder or s3://bucket/prefix"),
        ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps'; it must be true or false"),
        ({"DATABASE_POOL": "-1"}, "DATABASE_POOL is '-1'; it must be a whole number of at least 0"),
        ({"CSRF_TRUSTED_ORIGINS": "reading.example.org"}, "CSRF_TRUSTED_ORIGINS must be a comma-separated list"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'LOUD'"),
    ],
)
def test_a_setting_that_cannot_be_read_stops_the_start_with_a_sentence(changes: dict[str, str], sentence: str) -> None:
    stopped = read_settings(changes)
    assert stopped.returncode == 1
    assert stopped.stderr.startswith("Settings: ")
    assert sentence in stopped.stderr
    assert len(stopped.stderr.strip().splitlines()) == 1


def test_s3_storage_is_a_matter_of_settings_alone() -> None:
    answer = read_settings(
        {"STORAGE_URL": "s3://pixels/study", "S3_ENDPOINT": "http://127.0.0.1:9000", "S3_ACCESS_KEY": "key"},
        "o = settings.STORAGES['default']['OPTIONS']; print(o['bucket_name'], o['location'], o['endpoint_url'])",
    )
    assert answer.stdout.split() == ["pixels", "study", "http://127.0.0.1:9000"]


def test_production_settings_pass_djangos_deployment_check() -> None:
    order = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    checked = subprocess.run(order, cwd=REPOSITORY, env=GOOD, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_away_holds_nobody_up(scheme: str) -> None:
    # Two seconds per attempt are allowed; without limits the clients would try for minutes.
    answer = read_settings(
        {"BROKER_URL": f"{scheme}://127.0.0.1:{free_port()}/0", "DJANGO_SETTINGS_MODULE": "readerstudy.settings"},
        "import time, django; django.setup()\n"
        "from readerstudy.celery import send\n"
        "began = time.monotonic(); sent = send('cases.import_cases', 'token')\n"
        "print(sent, time.monotonic() - began < 6)",
    )
    assert answer.stdout.split() == ["False", "True"], answer.stderr


def test_sending_by_an_action_waits_for_the_commit(committed: str) -> None:
    import redis
    from django.db import transaction

    from readerstudy.celery import announce

    with redis.Redis.from_url(os.environ["BROKER_URL"]) as broker:
        broker.delete("readerstudy")
        with transaction.atomic():
            announce("cases.import_cases", "token")
            assert broker.llen("readerstudy") == 0
        assert broker.llen("readerstudy") == 1
        broker.delete("readerstudy")
