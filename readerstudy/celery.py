"""The door to the workers. The database rows are the queue of record; messages only say "look now"."""

import logging
import os

from celery import Celery
from django.db import transaction
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.settings")

app = Celery("readerstudy")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

logger = logging.getLogger(__name__)


def announce(task: str, *arguments: str | int) -> None:
    """Call the task by its name once the open transaction is committed."""
    transaction.on_commit(lambda: send(task, *arguments))


def send(task: str, *arguments: str | int) -> bool:
    """Whether the broker took the message. One that is away costs a delay: the next tick finds the waiting row."""
    try:
        app.send_task(task, args=arguments, retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; %s%r waits in the database.", task, arguments)
        return False
    return True
