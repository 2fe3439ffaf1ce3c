"""Web server and workers as their own processes, with a clock that a test can move."""

import atexit
import shutil
import signal
import subprocess
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from readerstudy.embedded.application import INFERENCE, WEB, WORKER, Application
from readerstudy.embedded.places import free_port
from tests.equipment import compiler

__all__ = ["INFERENCE", "WEB", "WORKER", "Server"]


class Server:
    """`with Server(environment, clock_offset=timedelta(days=29)) as server: browse(server.address)`"""

    def __init__(
        self,
        environment: dict[str, str],
        clock_offset: timedelta | None = None,
        *,
        parts: tuple[str, ...] = (WEB, WORKER, INFERENCE),
        web_workers: int = 1,
    ) -> None:
        self.logs = Path(tempfile.mkdtemp(prefix="readerstudy-server-"))
        clock = moved_clock(clock_offset) if clock_offset else {}
        self.application = Application(environment | clock, free_port(), self.logs, parts, web_workers)

    @property
    def address(self) -> str:
        return self.application.address

    def __enter__(self) -> Self:
        try:
            self.application.start()
        except BaseException:
            self.application.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.application.stop()
        # The logs of a server under which a test failed stay for whoever looks into it.
        if error is None:
            shutil.rmtree(self.logs)

    def kill(self, part: str) -> None:
        """kill -9 of a part and all its children."""
        self.application.kill(part)

    def signal(self, part: str, number: signal.Signals) -> None:
        self.application.running[part].send_signal(number)

    def restart(self, part: str) -> None:
        self.application.launch(part)
        self.application.wait_for(part)

    def log(self, part: str) -> str:
        return self.application.log(part).read_text(errors="replace")


def moved_clock(offset: timedelta) -> dict[str, str]:
    """The operating system's clock as these processes see it; monotonic time, which timeouts use, stays true."""
    return {"LD_PRELOAD": str(clock_library()), "CLOCK_OFFSET": f"{offset.total_seconds():.0f}"}


@cache
def clock_library() -> Path:
    command = compiler()
    if command is None:
        pytest.fail("Tests that move the clock need a C compiler; `make test` as root installs Debian's gcc.")
    library = Path(tempfile.mkdtemp(prefix="readerstudy-clock-")) / "clock.so"
    atexit.register(shutil.rmtree, library.parent)
    source = Path(__file__).with_name("clock.c")
    subprocess.run([command, "-shared", "-fPIC", "-O2", "-o", str(library), str(source)], check=True)
    return library
