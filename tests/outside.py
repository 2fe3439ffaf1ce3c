"""The system's own PostgreSQL and Redis, as a hospital would run them, started as plain processes of the test."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from readerstudy.embedded import processes
from readerstudy.embedded.places import LOOPBACK, free_port
from tests.equipment import outside_broker, outside_postgres

DATABASE = "hospital"


@dataclass
class OutsideServices:
    """Start with `with`; `environment` then points at both."""

    def __enter__(self) -> "OutsideServices":
        self.folder = Path(tempfile.mkdtemp(prefix="readerstudy-outside-"))
        self.folder.chmod(0o755)
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.password = secrets.token_hex(12)
        self.database_port, self.broker_port = free_port(), free_port()
        self.children = [self._start_postgres(), self._start_redis()]
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.children:
            processes.end([psutil.Process(child.pid)], signal.SIGINT, 20)
            child.wait(20)
        shutil.rmtree(self.folder)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": f"postgres://owner:{self.password}@{LOOPBACK}:{self.database_port}/{DATABASE}",
            "BROKER_URL": f"redis://:{self.password}@{LOOPBACK}:{self.broker_port}/0",
            "STORAGE_URL": (self.folder / "storage").as_uri(),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": LOOPBACK,
            "SECURE": "false",
            "STATIC_MANIFEST": "false",
        }

    def _start_postgres(self) -> subprocess.Popen[bytes]:
        programs = outside_postgres()
        if programs is None:
            pytest.fail("The system has no PostgreSQL server; `make test` as root installs Debian's postgresql.")
        data, log, secret = self.folder / "postgres", self.folder / "postgres.log", self.folder / "password"
        secret.write_text(self.password)
        data.mkdir()
        if self.account is not None:
            for path in (data, secret):
                os.chown(path, self.account.pw_uid, self.account.pw_gid)
        make = [f"{programs}/initdb", "-D", f"{data}", "-U", "owner", "--pwfile", f"{secret}", "-A", "scram-sha-256"]
        assert processes.launch([*make, "-E", "UTF8", "--locale", "C.UTF-8"], log, account=self.account).wait() == 0
        options = {
            "listen_addresses": LOOPBACK,
            "port": self.database_port,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        child = processes.launch([f"{programs}/postgres", "-D", f"{data}", *words], log, account=self.account)
        address = self.environment["DATABASE_URL"].replace(f"/{DATABASE}", "/postgres")
        processes.wait_for_answer("PostgreSQL", lambda: answers(address), child, log)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        return child

    def _start_redis(self) -> subprocess.Popen[bytes]:
        program = outside_broker()
        if program is None:
            pytest.fail("The system has no Redis server; `make test` as root installs Debian's redis-server.")
        log = self.folder / "redis.log"
        command = [program, "--bind", LOOPBACK, "--port", f"{self.broker_port}", "--requirepass", self.password]
        child = processes.launch([*command, "--save", "", "--dir", f"{self.folder}"], log)
        processes.wait_for_answer("Redis", self._redis_answers, child, log)
        return child

    def _redis_answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.environment["BROKER_URL"]) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def answers(address: str) -> bool:
    try:
        psycopg.connect(address, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True
