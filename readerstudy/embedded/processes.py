"""Finding, starting and stopping server processes by their command line; a zombie never counts as running."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from pwd import struct_passwd

import psutil

from .places import CannotStart

POLL_SECONDS = 0.05
LINES_OF_LOG = 15
LETTERS_OF_A_LINE = 300


def marked(mark: str) -> list[psutil.Process]:
    """Live processes whose command line carries the mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(mark in word for word in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            continue
    return found


def is_live(pid: int, mark: str) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and any(mark in word for word in process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return False


def launch(
    command: list[str],
    log: Path,
    *,
    account: struct_passwd | None = None,
    environment: dict[str, str] | None = None,
    folder: Path = Path("/"),
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Its own session: Ctrl-C at the terminal reaches the launcher alone, which stops the servers in order.
            start_new_session=True,
            cwd=folder,
            env=environment,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def wait_for_answer(
    name: str, answers: Callable[[], bool], child: subprocess.Popen[bytes], log: Path, seconds: float = 60
) -> None:
    wait_until(lambda: child.poll() is not None or answers(), seconds)
    if child.poll() is not None or not answers():
        raise CannotStart(f"{name} did not start. The end of {log} says:\n{tail(log)}")


def tail(log: Path, lines: int = LINES_OF_LOG) -> str:
    if not log.exists():
        return "(no log)"
    # A traceback in one line of JSON is long, and its end says what happened.
    return "\n".join(line[-LETTERS_OF_A_LINE:] for line in log.read_text(errors="replace").splitlines()[-lines:])


def end(processes: list[psutil.Process], how: signal.Signals, seconds: float) -> bool:
    """Send the signal and wait; whether all are gone."""
    for process in processes:
        try:
            process.send_signal(how)
        except psutil.NoSuchProcess:
            continue
    return wait_until(lambda: not any(_still_there(process) for process in processes), seconds)


def _still_there(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
