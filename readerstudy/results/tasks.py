from celery import shared_task

from readerstudy.studies.models import Study

from . import analysing


@shared_task(name="results.analyse", ignore_result=True)
def analyse(run: str) -> None:
    analysing.analyse(run)


@shared_task(name="results.take_up", ignore_result=True)
def take_up() -> None:
    """The tick: runs whose message was lost or whose worker died."""
    for token in analysing.waiting():
        analysing.analyse(token)


@shared_task(name="results.compare_truthers", ignore_result=True)
def compare_truthers(study: str) -> None:
    from .comparing import compare

    compare(Study.objects.get(token=study))
