"""The statistics' command line as one process that answers many commands: their imports are waited for once."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600


class NoStatistics(ValueError):
    """What was asked cannot be computed; the text is the sentence that the statistics gave."""


class Batch:
    """``python -m analysis batch``, from the first question on until nobody holds it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - it lives as long as the process

    def ask(self, words: Sequence[str]) -> str:
        """What one command answers.

        Raises
        ------
        NoStatistics
            With the sentence of the refusal, or the last that a failing process said.
        """
        if self._process is None:
            self._process = self._started()
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise NoStatistics("The statistics were started without pipes.")
        print(json.dumps(list(words)), file=stdin, flush=True)
        ready, _, _ = select.select([stdout], [], [], PATIENCE)
        line = stdout.readline() if ready else ""
        if not line:
            raise NoStatistics(self._ended(ready=bool(ready)))
        told = json.loads(line)
        if told["status"]:
            raise NoStatistics(str(told["said"]))
        return str(told["said"])

    def _started(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "analysis", "batch"],
            cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said,
        )  # fmt: skip
        weakref.finalize(self, end, process)
        return process

    def _ended(self, *, ready: bool) -> str:
        """Why there is no answer; the next question starts a new process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if not ready:
            return f"The statistics did not answer within {PATIENCE} seconds."
        self._said.seek(0)
        lines = self._said.read().strip().splitlines()
        return lines[-1].removeprefix("analysis: ") if lines else "The statistics gave no reason."


def end(process: subprocess.Popen[str]) -> None:
    """The process ends where nothing comes any more."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()
    process.wait()
