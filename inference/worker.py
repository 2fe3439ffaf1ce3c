"""The Celery application of the workers that run models. Configured by ``BROKER_URL`` alone; imports no torch.

celery -A inference.worker worker -Q inference --pool solo
"""

import os

from celery import Celery
from kombu import Queue


def broker_url() -> str:
    url = os.environ.get("BROKER_URL", "")
    if not url.startswith(("redis://", "rediss://", "amqp://", "amqps://")):
        raise SystemExit("inference.worker: BROKER_URL is not set; it holds the message broker, redis://… or amqp://….")
    return url


app = Celery("inference", broker=broker_url(), include=["inference.tasks"])
app.conf.update(
    task_queues=[Queue("inference")],
    task_default_queue="inference",
    task_routes={"predictions.*": {"queue": "readerstudy"}},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    # What a dead worker held comes back after ten minutes; the database, which leases rows, does not wait for that.
    broker_transport_options=(
        {"unacked_restore_interval": 5, "unacked_restore_throttle": 1, "visibility_timeout": 600}
        if app.conf.broker_url.startswith("redis")
        else {}
    ),
)
