"""The door to the workers: requests come in by name, heartbeats and outcomes go out by name."""

from typing import Any

from inference.worker import app


@app.task(name="inference.predict", acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]
def predict(request: dict[str, Any]) -> int:
    """Answer a request case by case; returns how many cases were answered."""
    # Here and not above: a fork after torch has run hangs the child, and the web side reads no torch.
    from inference.predict import answers_to
    from inference.prediction import Prediction, Request

    asked = Request.from_message(request)
    if asked.items:
        beat(asked.items[0].prediction, asked.items[0].lease)
    for item, answer in answers_to(asked):
        outcome = answer.to_message() if isinstance(answer, Prediction) else {"error": answer}
        message = {"prediction": item.prediction, "lease": item.lease, "outcome": outcome}
        app.send_task("predictions.record", kwargs=message, queue="readerstudy")
        beat(item.prediction, item.lease)
    return len(asked.items)


def beat(prediction: str, lease: str) -> None:
    app.send_task("predictions.heartbeat", kwargs={"prediction": prediction, "lease": lease}, queue="readerstudy")
