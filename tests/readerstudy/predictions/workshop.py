"""Registering the small model, and the messages of a worker."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from django.utils import timezone

from inference.prediction import Plane
from inference.prediction import Prediction as Outcome
from readerstudy.accounts.models import User
from readerstudy.predictions.actions import register_algorithm
from readerstudy.predictions.models import Algorithm, Prediction, PredictionRun
from readerstudy.predictions.queries import predictions_in
from tests.models import trained_model
from tests.planes import spot


def registered(by: User) -> Algorithm:
    model = trained_model()
    with (model / "card.json").open("rb") as card, (model / "weights.safetensors").open("rb") as weights:
        return register_algorithm(card=card, weights=weights, by=by)


def rows_of(run: PredictionRun) -> list[Prediction]:
    return [row.prediction for row in predictions_in(run)]


def outcome_for(row: Prediction, probability: float = 0.75, **changes: Any) -> dict[str, Any]:
    """What a worker says of this case."""
    threshold = row.algorithm.card["spec"]["decision"]["threshold"]
    answer = Outcome(
        probability=probability,
        positive=probability >= threshold,
        operating_point=threshold,
        card_digest=row.algorithm.digest,
        input_digest=row.input_digest,
        heatmaps=(Plane.of(spot()),),
        seconds={"forward": 0.01},
    )
    return answer.to_message() | changes


def lapse(*rows: Prediction) -> None:
    """The time of the lease goes by."""
    past = timezone.now() - timedelta(seconds=1)
    Prediction.objects.filter(pk__in=[row.pk for row in rows]).update(lease_until=past)


def empty_queue() -> None:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        broker.delete("inference")


def requests_sent() -> list[dict[str, Any]]:
    """The messages on the workers' queue, oldest first, as they lie in the broker."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        messages = [json.loads(text) for text in broker.lrange("inference", 0, -1)[::-1]]
    return [json.loads(base64.b64decode(message["body"]))[1]["request"] for message in messages]


def leased_beyond(run: PredictionRun, moment: datetime) -> set[str]:
    """Tokens of the rows whose lease lasts longer."""
    return {row.token for row in rows_of(run) if row.lease_until is not None and row.lease_until > moment}
