"""The web server and the two workers of one environment, as child processes."""

import os
import secrets
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from celery import Celery

from . import processes
from .places import LOOPBACK, REPOSITORY, CannotStart

WEB, WORKER, INFERENCE = "web", "worker", "inference"
STOP_SECONDS = 40


@dataclass
class Application:
    environment: dict[str, str]
    port: int
    logs: Path
    parts: tuple[str, ...] = (WEB, WORKER, INFERENCE)
    web_workers: int = 2
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    node: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        for part in self.parts:
            self.launch(part)
        for part in self.parts:
            self.wait_for(part)

    def launch(self, part: str) -> None:
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}
        environment |= self.environment | {"BIND": f"{LOOPBACK}:{self.port}", "WEB_WORKERS": str(self.web_workers)}
        self.running[part] = processes.launch(
            [sys.executable, "-m", *self._words(part)], self.log(part), environment=environment, folder=REPOSITORY
        )

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def tail(self, part: str) -> str:
        return processes.tail(self.log(part))

    def wait_for(self, part: str) -> None:
        processes.wait_for_answer(f"The {part} process", lambda: self.answers(part), self.running[part], self.log(part))

    def answers(self, part: str) -> bool:
        return self._web_answers() if part == WEB else self._worker_answers(part)

    def dead(self) -> list[str]:
        return [part for part, process in self.running.items() if process.poll() is not None]

    def stop(self) -> None:
        """Ask all to finish what they hold, and wait."""
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        for process in self.running.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running.clear()

    def kill(self, part: str) -> None:
        """kill -9 of the part with its children, as a power cut would."""
        os.killpg(self.running[part].pid, signal.SIGKILL)
        self.running.pop(part).wait()

    def _words(self, part: str) -> list[str]:
        worker = ["worker", "--loglevel", "INFO", "--hostname", self._name(part)]
        match part:
            case "web":
                return ["gunicorn", "-c", "python:readerstudy.serving", "--name", self._name(part)]
            case "worker":
                return ["celery", "-A", "readerstudy", *worker, "-B", "--queues", "readerstudy", "--concurrency", "2"]
            case "inference":
                return ["celery", "-A", "inference.worker", *worker, "--queues", "inference", "--pool", "solo"]
        raise CannotStart(f"There is no part called {part}.")

    def _name(self, part: str) -> str:
        return f"{part}-{self.node}@{LOOPBACK}"

    def _web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.address, timeout=5):
                return True
        except urllib.error.HTTPError as answer:
            if answer.code == 500:
                raise CannotStart(
                    f"The first page fails. The end of {self.log(WEB)} says:\n{self.tail(WEB)}"
                ) from answer
            return answer.code < 500
        except OSError:
            return False

    def _worker_answers(self, part: str) -> bool:
        name = self._name(part)
        with Celery(broker=self.environment["BROKER_URL"], set_as_current=False) as asking:
            return bool(asking.control.ping(destination=[name], timeout=1, limit=1))
