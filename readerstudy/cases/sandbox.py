"""The parent's side of the decoder process: gives orders, waits within limits, starts a new process where one died."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .pictures import Unreadable

_ROOT = Path(__file__).resolve().parents[2]
# The decoder knows no secrets: only these variables are handed on.
_HANDED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "HOME")
_LONGEST_ANSWER = 64 << 20


@dataclass(frozen=True)
class Limits:
    """For one order. Address space is counted, of which the libraries alone take about 1 GiB."""

    memory: int = 4 << 30
    seconds: int = 60
    seconds_a_file: float = 2.0
    # Waiting is no work: a busy machine may take this many times the processor time that is allowed.
    patience: float = 10.0


class Sandbox:
    """Use as a context; the process starts with the first order and serves many."""

    def __init__(self, limits: Limits | None = None, *, beat: Callable[[], None] = lambda: None) -> None:
        """`beat` is called about once a second while an order is waited for."""
        self.limits = limits or Limits()
        self._beat = beat
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check(self, paths: list[Path], modality: str = "") -> dict[str, Any]:
        return self._order({"order": "check", "paths": list(map(str, paths)), "modality": modality}, len(paths))

    def convert(self, paths: list[Path], target: Path, modality: str = "") -> dict[str, Any]:
        order = {
            "order": "convert",
            "paths": list(map(str, paths)),
            "target": str(target),
            "modality": modality,
        }
        return self._order(order, len(paths))

    def unpack(self, archive: Path, target: Path) -> list[str]:
        megabytes = archive.stat().st_size >> 20
        order = {"order": "unpack", "archive": str(archive), "target": str(target)}
        return list(self._order(order, 1 + megabytes)["names"])

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _order(self, order: dict[str, Any], files: int) -> dict[str, Any]:
        seconds = int(self.limits.seconds + self.limits.seconds_a_file * files)
        line = json.dumps({**order, "seconds": seconds}).encode() + b"\n"
        reply = self._exchange(line, seconds * self.limits.patience)
        if reply is None:
            self.close()
            raise Unreadable(
                "Decoding was stopped: the file needs more memory or time than one file may, or breaks the decoder."
            )
        answer: dict[str, Any] = json.loads(reply)
        if "refused" in answer:
            raise Unreadable(answer["refused"])
        done: dict[str, Any] = answer["done"]
        return done

    def _exchange(self, line: bytes, seconds: float) -> bytes | None:
        """One line for one line; None where the process died, hangs or talks without end."""
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except BrokenPipeError:
            return None
        until = time.monotonic() + seconds
        reply = bytearray()
        while not reply.endswith(b"\n") and len(reply) < _LONGEST_ANSWER:
            ready, _, _ = select.select([process.stdout], [], [], 1.0)
            self._beat()
            if not ready and time.monotonic() < until:
                continue
            chunk = os.read(process.stdout.fileno(), 1 << 20) if ready else b""
            if not chunk:
                return None
            reply += chunk
        return bytes(reply)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            environment = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "readerstudy.cases.decoding", str(self.limits.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # One thread for each library: address space is limited, and several decoders share the machine.
                env={
                    **environment,
                    "PYTHONPATH": str(_ROOT),
                    "OPENBLAS_NUM_THREADS": "1",
                    "OMP_NUM_THREADS": "1",
                },
                start_new_session=True,
            )
        return self._process
