"""The embedded servers survive what happens to processes: kill -9, zombies, taken ports, two starts at once."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from readerstudy.embedded import processes
from readerstudy.embedded.places import LOOPBACK, REPOSITORY, CannotStart, Folder
from readerstudy.embedded.postgres import SUPERUSER
from readerstudy.embedded.servers import Servers


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    root = tmp_path_factory.mktemp("embedded")
    # pytest's folders are private to root; the database's own user must pass through them.
    for folder in [root, *root.parents]:
        if folder.owner() == "root" and os.geteuid() == 0 and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
    servers = Servers(root)
    servers.start()
    yield servers
    servers.stop()
    assert processes.marked(servers.postgres.mark) == []
    assert processes.marked(servers.valkey.mark) == []


def postmaster(servers: Servers) -> int:
    return int((servers.postgres.data / "postmaster.pid").read_text().splitlines()[0])


def test_a_killed_postmaster_is_no_running_one_and_committed_rows_survive(servers: Servers) -> None:
    with psycopg.connect(servers.postgres.url()) as connection:
        connection.execute("CREATE TABLE kept (number int)")
        connection.execute("INSERT INTO kept VALUES (42)")
    killed = postmaster(servers)
    os.kill(killed, signal.SIGKILL)
    # This process started it and never waits for it, so it stays a zombie: the case that misleads kill(pid, 0).
    assert processes.wait_until(lambda: psutil.Process(killed).status() == psutil.STATUS_ZOMBIE, 10)
    assert not servers.postgres.is_running()

    servers.start()

    assert postmaster(servers) != killed
    with psycopg.connect(servers.postgres.url()) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(42,)]


def test_a_killed_broker_still_holds_its_messages(servers: Servers) -> None:
    with redis.Redis.from_url(servers.valkey.url()) as client:
        client.rpush("waiting", "message")
        client.execute_command("WAITAOF", 1, 0, 2000)
        pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGKILL)
    processes.wait_until(lambda: not servers.valkey.is_running(), 10)

    servers.start()

    with redis.Redis.from_url(servers.valkey.url()) as client:
        assert client.lrange("waiting", 0, -1) == [b"message"]


def test_a_stale_lock_file_with_a_strangers_number_does_not_hinder_the_start(servers: Servers) -> None:
    servers.postgres.stop()
    (servers.postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{servers.postgres.data}\n")
    assert not servers.postgres.is_running()
    servers.start()
    assert servers.answer()


def test_starting_from_three_sides_at_once_gives_one_server(servers: Servers) -> None:
    servers.stop()
    threads = [threading.Thread(target=Servers(servers.folder.root).start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    masters = [part for part in processes.marked(servers.postgres.mark) if "-D" in part.cmdline()]
    assert [part.pid for part in masters] == [postmaster(servers)]
    assert len(processes.marked(servers.valkey.mark)) == 1


def test_a_port_that_somebody_took_meanwhile_is_replaced_and_remembered(servers: Servers) -> None:
    before = servers.folder.remembered_port("postgres_port")
    assert before is not None
    servers.postgres.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((LOOPBACK, before))
        squatter.listen()
        servers.postgres.start()
    assert servers.folder.remembered_port("postgres_port") != before
    assert servers.postgres.answers()


@pytest.mark.parametrize("role", ["readerstudy", SUPERUSER])
def test_nobody_gets_in_without_the_password(servers: Servers, role: str) -> None:
    address = servers.postgres.url(role)
    password = servers.folder.secret(f"{role}_password")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(address.replace(password, "guess"))


def test_the_database_keeps_checksums_speaks_utf8_and_its_application_role_is_no_superuser(servers: Servers) -> None:
    def shown(name: str) -> str:
        row = connection.execute(f"SHOW {name}").fetchone()
        assert row is not None
        return str(row[0])

    with psycopg.connect(servers.postgres.url()) as connection:
        assert shown("data_checksums") == "on"
        assert shown("server_encoding") == "UTF8"
        assert shown("listen_addresses") == LOOPBACK
        assert shown("is_superuser") == "off"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE intruder SUPERUSER")


def test_passwords_are_readable_by_their_owner_alone(servers: Servers) -> None:
    for file in (servers.folder.state_file, servers.valkey.configuration):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_unreadable_passwords_stop_the_start_with_a_sentence_and_are_not_replaced(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.state_file.write_text("{half a fi")
    with pytest.raises(CannotStart, match="cannot be read; restore it"):
        folder.secret("postgres_password")
    assert folder.state_file.read_text() == "{half a fi"


def test_the_command_line_prints_an_environment_that_a_shell_can_take(servers: Servers) -> None:
    order = [sys.executable, "-m", "readerstudy.embedded", "env", "--folder", str(servers.folder.root)]
    printed = subprocess.run(order, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    shell = subprocess.run(
        ["sh", "-c", printed + '\nprintf %s "$DATABASE_URL"'], capture_output=True, text=True, check=True
    )
    assert shell.stdout == servers.postgres.url()
    assert json.loads(servers.folder.state_file.read_text())["secret_key"] in printed
