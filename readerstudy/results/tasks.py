from celery import shared_task

from . import analysing


@shared_task(name="results.analyse", ignore_result=True)
def analyse(run: str) -> None:
    analysing.analyse(run)


@shared_task(name="results.take_up", ignore_result=True)
def take_up() -> None:
    """The tick: runs whose message was lost or whose worker died."""
    for token in analysing.waiting():
        analysing.analyse(token)
