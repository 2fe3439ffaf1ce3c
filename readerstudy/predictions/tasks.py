from typing import Any

from celery import shared_task

from . import working


@shared_task(name="predictions.dispatch", ignore_result=True)
def dispatch() -> int:
    return working.dispatch()


@shared_task(name="predictions.heartbeat", ignore_result=True)
def heartbeat(prediction: str, lease: str) -> None:
    working.heartbeat(prediction, lease)


@shared_task(name="predictions.record", ignore_result=True)
def record(prediction: str, lease: str, outcome: dict[str, Any]) -> bool:
    stored = working.record(prediction, lease, outcome)
    working.dispatch()
    return stored
