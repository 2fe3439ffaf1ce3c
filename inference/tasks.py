"""The door to the workers: requests come in by name, heartbeats and outcomes go out by name."""

import time
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from inference.prediction import Item
from inference.worker import app

# A case that takes longer than this is given up by silence.
PATIENCE_SECONDS = 900.0


@app.task(name="inference.predict", acks_late=True, ignore_result=True)
def predict(request: dict[str, Any]) -> int:
    """Answer a request of one case or many; returns how many were answered."""
    # Here and not above: a fork after torch has run hangs the child, and the web side reads no torch.
    # Before the first heartbeat: a worker killed while it wakes up is no attempt at a case.
    import torch  # noqa: F401

    from inference.predict import answers_to
    from inference.prediction import Prediction, Request

    asked = Request.from_message(request)
    with Pulse(every=asked.lease_seconds / 4) as pulse:
        for item in asked.items[:1]:
            # The lease runs anew before the model is fetched and opened.
            pulse.begin(item)
        for item, answer in answers_to(asked, pulse.begin):
            outcome = answer.to_message() if isinstance(answer, Prediction) else {"error": answer}
            message = {"prediction": item.prediction, "lease": item.lease, "outcome": outcome}
            app.send_task("predictions.record", kwargs=message, queue="readerstudy")
    return len(asked.items)


class Pulse:
    """Says that work on a case begins or goes on, and goes on saying so: its lease runs anew, and a case that kills its
    workers is known by it. A case that never ends falls silent, so that its lease lapses."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._item: Item | None = None
        self._began = 0.0
        self._ended = Event()
        self._thread = Thread(target=self._go_on, name="pulse", daemon=True)

    def begin(self, item: Item) -> None:
        self._item, self._began = item, time.monotonic()
        beat(item)

    def _go_on(self) -> None:
        while not self._ended.wait(self._every):
            if self._item is not None and time.monotonic() - self._began < PATIENCE_SECONDS:
                beat(self._item)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()


def beat(begun: Item) -> None:
    names = {"prediction": begun.prediction, "lease": begun.lease}
    app.send_task("predictions.heartbeat", kwargs=names, queue="readerstudy")
