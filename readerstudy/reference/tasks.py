from celery import shared_task

from . import importing


@shared_task(name="reference.take_truths", ignore_result=True)
def take_truths() -> int:
    return importing.take_truths()
