"""One PostgreSQL and one broker for all tests; every test process gets a database and a broker number of its own."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import psycopg
import pytest
import redis
from filelock import FileLock
from psycopg import sql

from readerstudy.embedded.postgres import SUPERUSER
from readerstudy.embedded.servers import Servers
from readerstudy.embedded.valkey import DATABASES
from tests.once import FOLDER as RUN_FOLDER
from tests.once import folder_of_run

TESTS = Path(__file__).resolve().parent
FOLDER = TESTS.parent / "var" / "test"
SERVERS = Servers(FOLDER, durable=False)
STORAGE = Path(tempfile.mkdtemp(prefix="readerstudy-storage-"))
STARTED_THE_RUN = RUN_FOLDER not in os.environ
RUN = folder_of_run()
DATABASE_PREFIX = "test_run_"
# Folders of tests that take a minute each: they begin first, or one process would be left alone with them at the end.
# One of each in turn: drills mostly wait, for a lease to run out, while networks are taught and browsers draw.
LONGEST = ("journeys", "drills", "inference")


def enter() -> int:
    """Start the servers and note, by a shared lock, that this process uses them."""
    users = os.open(FOLDER / "users", os.O_RDWR | os.O_CREAT)
    fcntl.flock(users, fcntl.LOCK_SH)
    SERVERS.start()
    os.environ.update(SERVERS.environment())
    os.environ["BROKER_URL"] = SERVERS.valkey.url(1 + os.getpid() % (DATABASES - 1))
    os.environ["STORAGE_URL"] = STORAGE.as_uri()
    os.environ["INFERENCE_CACHE"] = str(STORAGE / "models")
    os.environ["STATIC_MANIFEST"] = "false"
    os.environ["DATABASE_POOL"] = "0"
    os.environ["LOG_LEVEL"] = "WARNING"
    os.environ["DJANGO_SETTINGS_MODULE"] = "readerstudy.settings"
    with redis.Redis.from_url(os.environ["BROKER_URL"]) as broker:
        broker.flushdb()
    return users


USERS = enter()
django.setup()
# Inherited, it would make pytest-django read the settings in a process of pytest-xdist before that process has a broker
# and a storage of its own.
del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    settings.DATABASES["default"]["TEST"]["NAME"] = f"{DATABASE_PREFIX}{os.getpid()}"
    # Argon2 is slow on purpose; tests log in a thousand times.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    # Every client of a test makes its middleware anew, which would look through all static files each time.
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which files are given to processes: `-n 3 --dist loadfile --no-loadscope-reorder`."""
    tests_of = Counter(item.path for item in items)
    turn: dict[Path, tuple[int, int]] = {}
    for number, folder in enumerate(LONGEST):
        own = sorted(path for path in tests_of if path.is_relative_to(TESTS / folder))
        turn |= {path: (place, number) for place, path in enumerate(own)}
    last = len(turn)
    items.sort(key=lambda item: (*turn.get(item.path, (last, -tests_of[item.path])), str(item.path)))


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(STORAGE, ignore_errors=True)
    if STARTED_THE_RUN:
        shutil.rmtree(RUN, ignore_errors=True)
    try:
        fcntl.flock(USERS, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another test process still uses the servers
    SERVERS.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The name already differs by process, also between two runs at the same time; what dead runs left goes."""
    with psycopg.connect(SERVERS.postgres.url(), autocommit=True) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [DATABASE_PREFIX])
        for (name,) in rows.fetchall():
            pid = int(name.removeprefix(DATABASE_PREFIX).split("_")[0])
            if pid == os.getpid() or not Path(f"/proc/{pid}").exists():
                drop_database(name)


def drop_database(name: str) -> None:
    """By the superuser, for nobody else may end the server's own cleaning (autovacuum) where it is at work there."""
    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as superuser:
        superuser.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, django_db_modify_db_settings: None
) -> Iterator[None]:
    """pytest-django's own makes no database where no test carries its mark; `committed` needs one all the same."""
    from django.test.utils import setup_databases, teardown_databases

    with django_db_blocker.unblock(), migrated_once() as there:
        made = setup_databases(verbosity=0, interactive=False, keepdb=there)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@contextmanager
def migrated_once() -> Iterator[bool]:
    """Whether this process found a copy of the database that another one of the run has migrated."""
    from django.conf import settings
    from django.db import connections

    own = settings.DATABASES["default"]["TEST"]["NAME"]
    # Of the process that started the others: it lives as long as they do.
    template = f"{DATABASE_PREFIX}{os.getppid()}_migrated"
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield False
        return
    done = RUN / "migrated"
    with FileLock(RUN / "migrated.lock"), psycopg.connect(SERVERS.postgres.url(), autocommit=True) as maintenance:
        there = done.exists()
        if there:
            copy_database(maintenance, template, own)
        yield there
        if not there:
            connections.close_all()
            copy_database(maintenance, own, template)
            done.touch()


def copy_database(connection: psycopg.Connection, original: str, copy: str) -> None:
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(copy), sql.Identifier(original)))


@contextmanager
def copied_database(django_db_blocker: Any) -> Iterator[str]:
    """A fresh copy of the migrated database in which commits are real, for threads, servers and browsers.

    Django's own way back is TRUNCATE, which append-only tables refuse; so the copy is dropped instead.
    """
    from django.db import connection, connections

    original = str(connection.settings_dict["NAME"])
    copy = f"{original}_{secrets.token_hex(3)}"
    with django_db_blocker.unblock():
        connections.close_all()
        with psycopg.connect(SERVERS.postgres.url(), autocommit=True) as maintenance:
            copy_database(maintenance, original, copy)
            connection.settings_dict["NAME"] = copy
            try:
                yield SERVERS.postgres.url(database=copy)
            finally:
                connections.close_all()
                connection.settings_dict["NAME"] = original
                drop_database(copy)


def environment_of(database: str) -> dict[str, str]:
    """The environment that points web servers and workers of `tests.servers` at a committed copy."""
    return {
        name: os.environ[name]
        for name in (
            *("BROKER_URL", "STORAGE_URL", "SECRET_KEY", "ALLOWED_HOSTS", "SECURE", "STATIC_MANIFEST"),
            "INFERENCE_CACHE",
        )
    } | {"DATABASE_URL": database, "LOG_LEVEL": "INFO", "WEB_THREADS": "4"}


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The address of a committed copy for one test."""
    with copied_database(django_db_blocker) as address:
        yield address


@pytest.fixture
def committed_as_superuser(committed: str) -> str:
    """The same database through a role that no trigger holds back for long: whoever tampers with history."""
    return SERVERS.postgres.url(SUPERUSER, committed.rsplit("/", 1)[1])


@pytest.fixture
def server_environment(committed: str) -> dict[str, str]:
    return environment_of(committed)


@pytest.fixture(scope="module")
def lasting_environment(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    """The same for a whole module: a journey whose stages are looked at one by one."""
    with copied_database(django_db_blocker) as address:
        yield environment_of(address)
