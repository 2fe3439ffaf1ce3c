"""Waits for the answers of models for as long as their workers give signs of life, and tells how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from kombu.exceptions import OperationalError as BrokerError

from readerstudy.audit.errors import Refused
from readerstudy.celery import app
from readerstudy.predictions.models import PredictionRun
from readerstudy.predictions.queries import Progress, last_heartbeat, progress_of
from readerstudy.predictions.working import dispatch

Tell = Callable[[str], None]
QUEUES = ("readerstudy", "inference")
# Twice a lease; a worker says every quarter of a lease that it is alive, and is silent only while it wakes up.
SILENCE_SECONDS = 120.0
TOLD_EVERY_SECONDS = 5.0
POLL_SECONDS = 0.3
ANSWER_SECONDS = 2


class WorkersAway(Refused):
    """The models have not answered for a while."""


def wait_for_run(run: PredictionRun, tell: Tell, *, silence: float = SILENCE_SECONDS) -> None:
    """Until every case of the run is answered or failed.

    ``silence``: seconds without an answer or a heartbeat of any worker after which waiting ends; a quarter of it where
    there was no worker to begin with.

    Raises
    ------
    WorkersAway
        With how far the run is and which worker is missing.
    """
    progress = progress_of(run)
    tell(told(run, progress))
    if progress.finished:
        return
    patience = silence if len(unserved()) < len(QUEUES) else silence / 4
    moved = said = time.monotonic()
    sign, last_told = sign_of(progress), progress
    while not progress.finished:
        dispatch()
        time.sleep(POLL_SECONDS)
        progress, now = progress_of(run), time.monotonic()
        if sign_of(progress) != sign:
            sign, moved = sign_of(progress), now
        elif now - moved > patience:
            raise WorkersAway(silent(run, progress, patience))
        if progress.finished or (told(run, progress) != told(run, last_told) and now - said > TOLD_EVERY_SECONDS):
            tell(told(run, progress))
            last_told, said = progress, now


def sign_of(progress: Progress) -> tuple[int, datetime | None]:
    """Changes with every answer to the run and with every heartbeat; of other runs too, which workers may do first."""
    return progress.done + progress.failed, last_heartbeat()


def told(run: PredictionRun, progress: Progress) -> str:
    failed = f", {progress.failed} failed" if progress.failed else ""
    return f"{run.algorithm}: {progress.done} of {progress.total} cases answered{failed}"


def silent(run: PredictionRun, progress: Progress, seconds: float) -> str:
    missing = unserved()
    why = (
        f"no worker of the queue {' nor of '.join(missing)} answers; start the workers (`make demo` does)"
        if missing
        else f"the workers gave no sign for {seconds:.0f} seconds; their logs say why"
    )
    return f"{told(run, progress)}, and nothing moves: {why}, then load again."


def unserved() -> list[str]:
    """Queues for which no worker answers; one that computes with a pool of its own process does not answer either."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS)
            answers = app.control.inspect(timeout=ANSWER_SECONDS, connection=connection).active_queues() or {}
    except BrokerError:
        return list(QUEUES)
    served = {queue["name"] for queues in answers.values() for queue in queues}
    return [queue for queue in QUEUES if queue not in served]
