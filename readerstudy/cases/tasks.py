from celery import current_app, shared_task

from . import importing


@shared_task(name="cases.import_cases", ignore_result=True)
def import_cases(token: str) -> None:
    if importing.work(token):
        # Truth belongs to the next stage, which this one does not know: it is only told to look.
        current_app.send_task("reference.take_truths")


@shared_task(name="cases.resume_imports", ignore_result=True)
def resume_imports() -> None:
    """The tick: what a dead worker left, and what no message ever came for."""
    for token in importing.due():
        import_cases(token)
