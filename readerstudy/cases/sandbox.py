"""The parent's side of the decoder processes: gives orders, waits within limits, starts a new one where one died."""

import json
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .decoded import Outcome, Refusal, from_json
from .pictures import Scale, Unreadable

# Without what stands at the start of the site's package: Celery alone takes as long to load as the decoding libraries.
_START = """
import sys, types
site = sys.modules["readerstudy"] = types.ModuleType("readerstudy")
site.__path__ = [sys.argv.pop(1)]
from readerstudy.cases.decoding import main
main()
"""
_SITE = Path(__file__).resolve().parents[1]
# The decoder knows no secrets: only these variables are handed on.
_HANDED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "HOME")
# One thread for each library: address space is limited, and several decoders share the machine. Memory of one frame
# is kept for the next (glibc): to have pages of the system anew costs as much as to decode what is not compressed.
_TUNED = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
_LONGEST_ANSWER = 64 << 20
# The next order lies ready while one is worked on, so that no decoder waits for its parent.
_ORDERS_AHEAD = 2
BROKEN = "Decoding was stopped: the file needs more memory or time than one file may, or breaks the decoder."


@dataclass(frozen=True)
class Limits:
    """For one order. Address space is counted, of which the libraries alone take about 1 GiB."""

    memory: int = 4 << 30
    seconds: int = 60
    seconds_a_file: float = 2.0
    # Waiting is no work: a busy machine may take this many times the processor time that is allowed.
    patience: float = 10.0


@dataclass(frozen=True)
class Order:
    """Files of one series to be decoded into the target; `alone` where one file is the whole series, `scale` where that
    of the series is known."""

    paths: tuple[Path, ...]
    target: Path
    modality: str = ""
    alone: bool = False
    # What the caller wants to know it by.
    of: Any = None
    scale: Scale | None = None

    def words(self) -> dict[str, Any]:
        return {
            "order": "decode",
            "paths": list(map(str, self.paths)),
            "target": str(self.target),
            "modality": self.modality,
            "alone": self.alone,
            "scale": self.scale,
        }


@dataclass
class _Reply:
    received: bytearray = field(default_factory=bytearray)
    until: float = 0.0


class Sandbox:
    """One decoder process; it starts with the first order and serves many."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.waiting: deque[tuple[Order | None, dict[str, Any], int]] = deque()
        self._reply = _Reply()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def send(self, words: dict[str, Any], files: int, order: Order | None = None) -> None:
        self.waiting.append((order, words, files))
        self._write(words, files)
        if len(self.waiting) == 1:
            self._wait_anew()

    def _seconds(self, files: int) -> int:
        return int(self.limits.seconds + self.limits.seconds_a_file * files)

    def _write(self, words: dict[str, Any], files: int) -> None:
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps({**words, "seconds": self._seconds(files)}).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            # The end of its answers tells the same a moment later.
            return

    def _wait_anew(self) -> None:
        self._reply = _Reply()
        if self.waiting:
            self._reply.until = time.monotonic() + self._seconds(self.waiting[0][2]) * self.limits.patience

    def fileno(self) -> int:
        assert self._process is not None and self._process.stdout is not None
        return self._process.stdout.fileno()

    def is_late(self) -> bool:
        return bool(self.waiting) and time.monotonic() > self._reply.until

    def receive(self) -> bool:
        """Take what is there; True when the oldest order is answered, or its process has ended."""
        chunk = os.read(self.fileno(), 1 << 20)
        self._reply.received += chunk
        return not chunk or b"\n" in chunk or len(self._reply.received) > _LONGEST_ANSWER

    def answer(self) -> tuple[Order | None, dict[str, Any] | None]:
        """The oldest order with its answer; None where the process died, hung or talked without end."""
        order, _, _ = self.waiting.popleft()
        line, end, rest = bytes(self._reply.received).partition(b"\n")
        self._wait_anew()
        if not end:
            self._again()
            return order, None
        self._reply.received += rest
        found: dict[str, Any] = json.loads(line)
        return order, found

    def _again(self) -> None:
        """A new process gets what the dead one left."""
        self.close()
        for _, words, files in self.waiting:
            self._write(words, files)

    def has_answer(self) -> bool:
        return b"\n" in self._reply.received

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            environment = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, str(_SITE), str(self.limits.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**environment, **_TUNED},
                start_new_session=True,
            )
        return self._process


class Decoders:
    """As many decoder processes as there are processors. Use as a context."""

    def __init__(
        self, limits: Limits | None = None, *, count: int | None = None, beat: Callable[[], None] = lambda: None
    ) -> None:
        """`beat` is called about once a second while an answer is waited for."""
        self._beat = beat
        count = count or len(os.sched_getaffinity(0))
        self.sandboxes = [Sandbox(limits or Limits()) for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sandbox in self.sandboxes:
            sandbox.close()

    def decode(self, orders: Iterable[Order]) -> Iterator[tuple[Order, list[Outcome]]]:
        """Each order with what became of its files, in the order in which they are done."""
        source = iter(orders)
        while True:
            yield from self._hand_out(source)
            if not any(sandbox.waiting for sandbox in self.sandboxes):
                return
            for sandbox in self._ready():
                order, found = sandbox.answer()
                assert order is not None
                yield order, self._outcomes(sandbox, order, found)

    def _hand_out(self, source: Iterator[Order]) -> Iterator[tuple[Order, list[Outcome]]]:
        for ahead in range(_ORDERS_AHEAD):
            for sandbox in self.sandboxes:
                while len(sandbox.waiting) <= ahead:
                    order = next(source, None)
                    if order is None:
                        return
                    if order.paths:
                        sandbox.send(order.words(), len(order.paths), order)
                    else:
                        yield order, []

    def _outcomes(self, sandbox: Sandbox, order: Order, found: dict[str, Any] | None) -> list[Outcome]:
        if found is not None and "done" in found:
            return _read(found["done"]["files"], len(order.paths))
        if found is not None and len(order.paths) == 1:
            return [Refusal("", found["refused"])]
        # One of them broke it, or somebody ended the process: each is tried by itself, in a new one.
        return [self._alone(order, path) for path in order.paths]

    def _alone(self, order: Order, path: Path) -> Outcome:
        single = replace(order, paths=(path,))
        try:
            return _read(self._ask(single.words(), 1)["files"], 1)[0]
        except Unreadable as error:
            return Refusal("", str(error))

    def unpack(self, archive: Path, target: Path) -> list[str]:
        megabytes = archive.stat().st_size >> 20
        words = {"order": "unpack", "archive": str(archive), "target": str(target)}
        return list(self._ask(words, 1 + megabytes)["names"])

    def listed_files(self, directory: Path) -> list[str]:
        return list(self._ask({"order": "directory", "path": str(directory)}, 1)["names"])

    def _ask(self, words: dict[str, Any], files: int) -> dict[str, Any]:
        """One order in a process of its own, waited for."""
        sandbox = Sandbox(self.sandboxes[0].limits)
        try:
            sandbox.send(words, files)
            while not list(self._answered([sandbox])):
                pass
            _, found = sandbox.answer()
        finally:
            sandbox.close()
        if found is None:
            raise Unreadable(BROKEN)
        if "refused" in found:
            raise Unreadable(found["refused"])
        done: dict[str, Any] = found["done"]
        return done

    def _ready(self) -> list[Sandbox]:
        while True:
            ready = list(self._answered([sandbox for sandbox in self.sandboxes if sandbox.waiting]))
            if ready:
                return ready

    def _answered(self, sandboxes: Sequence[Sandbox]) -> Iterator[Sandbox]:
        """Those that have answered, died or are late; waits a second at most."""
        before = [sandbox for sandbox in sandboxes if sandbox.has_answer()]
        if before:
            yield from before
            return
        readable, _, _ = select.select(sandboxes, [], [], 1.0)
        self._beat()
        for sandbox in sandboxes:
            if (sandbox in readable and sandbox.receive()) or sandbox.is_late():
                yield sandbox


def _read(files: list[dict[str, Any]], count: int) -> list[Outcome]:
    """The decoder may have been turned by what it read: its answers are checked as any other input."""
    try:
        found = [from_json(file) for file in files]
    except (KeyError, TypeError, ValueError, AttributeError):
        found = []
    return found if len(found) == count else [Refusal("", BROKEN) for _ in range(count)]
