"""The door to the workers: requests come in by name, heartbeats and outcomes go out by name."""

from itertools import zip_longest
from typing import Any

from inference.prediction import Item
from inference.worker import app


@app.task(name="inference.predict", acks_late=True, ignore_result=True)
def predict(request: dict[str, Any]) -> int:
    """Answer a request case by case; returns how many cases were answered."""
    # Here and not above: a fork after torch has run hangs the child, and the web side reads no torch.
    # Before the first heartbeat: a worker killed while it wakes up is no attempt at a case.
    import torch  # noqa: F401

    from inference.predict import answers_to
    from inference.prediction import Prediction, Request

    asked = Request.from_message(request)
    for item in asked.items[:1]:
        beat(item)
    for (item, answer), following in zip_longest(answers_to(asked), asked.items[1:]):
        outcome = answer.to_message() if isinstance(answer, Prediction) else {"error": answer}
        message = {"prediction": item.prediction, "lease": item.lease, "outcome": outcome}
        app.send_task("predictions.record", kwargs=message, queue="readerstudy")
        if following is not None:
            beat(following)
    return len(asked.items)


def beat(begun: Item) -> None:
    """Say that work on a case begins: its lease runs anew, and a case that kills its workers is known by it."""
    names = {"prediction": begun.prediction, "lease": begun.lease}
    app.send_task("predictions.heartbeat", kwargs=names, queue="readerstudy")
