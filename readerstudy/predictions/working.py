"""Works off the queue of record: leases rows, sends them to the workers, stores what comes back.

The rows decide. A message that is lost, late or doubled changes nothing: what is not answered when its
lease ends is leased again, and a finished row never changes. What a worker began three times without
an answer is stopped; waiting in a queue is no attempt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from inference.prediction import Prediction as Outcome
from readerstudy.audit.actions import record as record_event
from readerstudy.audit.chain import digest_of
from readerstudy.audit.tokens import new_token
from readerstudy.cases.delivery import keep_at
from readerstudy.celery import app

from .findings import Findings, Unfitting, kept
from .models import Algorithm, Prediction, RunCase
from .queries import case_of, frames_of, request_for, shapes_of

ATTEMPTS = 3
BATCH = 16
IN_FLIGHT = 4 * BATCH
MOST_FRAMES = 2048
Phase = Prediction.Phase


def dispatch() -> int:
    """Lease what is due and send it; returns how many predictions were sent."""
    stop_the_poisonous()
    return sum(send(batch[0].algorithm, batch) for batch in lease_due())


def stop_the_poisonous() -> None:
    """What took its worker down three times is not tried again."""
    spent = Prediction.objects.filter(phase=Phase.LEASED, lease_until__lt=timezone.now(), attempts__gte=ATTEMPTS)
    for prediction in spent:
        fail(prediction, f"Stopped after {ATTEMPTS} attempts: the worker did not survive this case.")


@transaction.atomic
def lease_due() -> list[list[Prediction]]:
    now = timezone.now()
    room = IN_FLIGHT - Prediction.objects.filter(phase=Phase.LEASED, lease_until__gte=now).count()
    # Whole batches, not one case for each answer that comes in: opening a model costs more than a case.
    if room < BATCH:
        return []
    due = (
        Prediction.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("algorithm")
        .filter(Q(phase=Phase.QUEUED) | Q(phase=Phase.LEASED, lease_until__lt=now))
        .filter(attempts__lt=ATTEMPTS, run_cases__isnull=False)
        # What a worker did not survive waits behind the others, so that one bad case cannot hold up the rest.
        .order_by("algorithm_id", "attempts", "pk")
    )
    # `distinct` and row locks exclude each other, so doubles from the join are dropped here.
    rows = list({row.pk: row for row in due[:room]}.values())
    leased = list(in_batches(rows, frames_of(rows)))
    for batch in leased:
        lease = new_token()
        for prediction in batch:
            prediction.lease = lease
        Prediction.objects.filter(pk__in=[row.pk for row in batch]).update(
            phase=Phase.LEASED, lease=lease, lease_until=now + settings.PREDICTION_LEASE, begun=False
        )
    return leased


def in_batches(rows: Iterable[Prediction], frames: Mapping[int, int]) -> Iterator[list[Prediction]]:
    """Of one algorithm each, with a limit to cases and to frames, so that no message grows large.

    A worker that dies takes with it all that it had read of a batch. What was in its hands is asked alone the next
    time, so that the one case which kills workers is known by it, and the others are answered.
    """
    batch: list[Prediction] = []
    held = 0
    for row in rows:
        count = frames.get(row.pk, 0)
        full = len(batch) == BATCH or held + count > MOST_FRAMES
        alone = any(one.attempts for one in (*batch[-1:], row))
        if batch and (full or alone or row.algorithm_id != batch[0].algorithm_id):
            yield batch
            batch, held = [], 0
        batch.append(row)
        held += count
    if batch:
        yield batch


def send(algorithm: Algorithm, batch: list[Prediction]) -> int:
    request = request_for(algorithm, batch).to_message()
    try:
        # A request that waited longer than its lease is dropped unread: its cases were sent again.
        expires = settings.PREDICTION_LEASE.total_seconds()
        app.send_task("inference.predict", kwargs={"request": request}, queue="inference", expires=expires)
    except BrokerError:
        # The broker is away: the rows go back, and the next tick sends them.
        Prediction.objects.filter(pk__in=[row.pk for row in batch], phase=Phase.LEASED, lease=batch[0].lease).update(
            phase=Phase.QUEUED, lease="", lease_until=None
        )
        return 0
    return len(batch)


def heartbeat(prediction: str, lease: str) -> None:
    """A worker begins this case: an attempt, once a lease; and the lease of its whole batch runs anew."""
    if lease:
        leased = Prediction.objects.filter(phase=Phase.LEASED, lease=lease)
        leased.filter(token=prediction, begun=False).update(begun=True, attempts=F("attempts") + 1)
        leased.update(lease_until=timezone.now() + settings.PREDICTION_LEASE)


def record(prediction: str, lease: str, outcome: dict[str, Any]) -> bool:
    """Store one outcome once; a late or doubled message finds the row finished and changes nothing."""
    row = Prediction.objects.select_related("algorithm").filter(token=prediction).first()
    if row is None or row.phase in (Phase.DONE, Phase.FAILED):
        return False
    if "error" in outcome:
        return fail(row, str(outcome["error"])[:1000])
    try:
        result = Outcome.from_message(outcome)
    except ValueError as error:
        return fail(row, f"The worker's answer cannot be read: {error}")
    if (result.card_digest, result.input_digest) != (row.algorithm.digest, row.input_digest):
        return fail(row, "The worker answered for another model or another input.")
    case = case_of(row)
    try:
        findings = kept(result, shapes_of(case) if case else [], keep_plane)
    except Unfitting as error:
        return fail(row, f"The worker's answer cannot be read: {error}")
    return finish(row, result, findings)


def finish(row: Prediction, result: Outcome, findings: Findings) -> bool:
    document = findings.to_document()
    with transaction.atomic():
        changed = Prediction.objects.filter(pk=row.pk, phase__in=(Phase.QUEUED, Phase.LEASED)).update(
            phase=Phase.DONE,
            probability=result.probability,
            positive=result.positive,
            uncertain=result.uncertain,
            findings=document,
            seconds=dict(result.seconds),
            device=result.device,
            runtime=result.runtime,
            versions=dict(result.versions),
            error="",
            finished_at=timezone.now(),
        )
        if changed:
            facts = {
                "probability": result.probability,
                "positive": result.positive,
                "uncertain": result.uncertain,
                "findings": digest_of(document),
            }
            tell(row, "prediction.finished", facts)
    return bool(changed)


@transaction.atomic
def fail(row: Prediction, sentence: str) -> bool:
    changed = Prediction.objects.filter(pk=row.pk, phase__in=(Phase.QUEUED, Phase.LEASED)).update(
        phase=Phase.FAILED, error=sentence, finished_at=timezone.now()
    )
    if changed:
        tell(row, "prediction.failed", {"error": sentence})
    return bool(changed)


def tell(row: Prediction, verb: str, facts: dict[str, Any]) -> None:
    waiting = RunCase.objects.filter(prediction=row, run__frozen_at__isnull=True).select_related("run__study", "case")
    for run_case in waiting:
        record_event(
            actor=None,
            verb=verb,
            target=row,
            facts={"run": run_case.run.token, "case": run_case.case.token, **facts},
            study=run_case.run.study,
        )


def keep_plane(png: bytes) -> str:
    digest = hashlib.sha256(png).hexdigest()
    return keep_at(f"planes/{digest[:2]}/{digest}.png", png)
