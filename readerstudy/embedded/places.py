"""The folder of an installation: what is remembered between starts, and who may start at a time."""

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_FOLDER = REPOSITORY / "var"
LOOPBACK = "127.0.0.1"


class CannotStart(RuntimeError):
    """A server cannot be started; the text says why and what to do."""


class Folder:
    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.state_file = self.root / "state.json"
        self.logs = self.root / "log"
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotStart(f"The folder {self.root} cannot be written: {error.strerror}.") from error

    def remembered(self) -> dict[str, str | int]:
        if not self.state_file.exists():
            return {}
        try:
            state: dict[str, str | int] = json.loads(self.state_file.read_text())
        except (OSError, ValueError) as error:
            raise CannotStart(f"{self.state_file} cannot be read; restore it, it holds the passwords.") from error
        return state

    def remember(self, **facts: str | int) -> None:
        # Written aside and renamed, so that a crash leaves the old passwords or the new ones, never half a file.
        aside = self.state_file.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self.remembered() | facts, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.state_file)

    def secret(self, name: str, size: int = 32) -> str:
        """A password made at first use and the same ever after."""
        known = self.remembered().get(name)
        if isinstance(known, str):
            return known
        made = secrets.token_urlsafe(size)
        self.remember(**{name: made})
        return made

    def port(self, name: str) -> int:
        """The remembered port; another one is chosen and remembered where somebody else has taken it."""
        known = self.remembered().get(name)
        if isinstance(known, int) and is_free(known):
            return known
        port = free_port()
        self.remember(**{name: port})
        return port

    def remembered_port(self, name: str) -> int | None:
        known = self.remembered().get(name)
        return known if isinstance(known, int) else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Two starts at once take turns; the second finds everything running."""
        with (self.root / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
