from contextlib import suppress

from django.db import transaction
from django.db.models import Max
from kombu.exceptions import OperationalError as BrokerError

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.datasets.models import Dataset
from readerstudy.datasets.queries import dataset_of
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import check_analyses

from . import tasks
from .models import AnalysisRun

UNLOCKED = "Results are computed from the locked data set only; this study is not locked yet."


@transaction.atomic
def start_run(*, study: Study, by: User) -> AnalysisRun:
    """Queue a run of the frozen plan on the locked data set."""
    check_analyses(by, study)
    dataset = dataset_of(study)
    if dataset is None:
        raise Refused(UNLOCKED)
    Dataset.objects.select_for_update(of=("self",)).get(pk=dataset.pk)
    runs = AnalysisRun.objects.filter(dataset=dataset)
    if runs.filter(phase__in=(AnalysisRun.Phase.QUEUED, AnalysisRun.Phase.RUNNING)).exists():
        raise Refused("A run is under way; wait for it.")
    run = AnalysisRun.objects.create(
        dataset=dataset,
        number=(runs.aggregate(last=Max("number"))["last"] or 0) + 1,
        plan=dataset.protocol.plan,
        plan_digest=dataset.protocol.plan_digest,
        started_by=by,
    )
    facts = {"number": run.number, "dataset": dataset.digest, "plan": run.plan_digest, "seed": run.seed}
    record(actor=by, verb="results.run_started", target=run, facts=facts, study=study)

    def send() -> None:
        # Only a nudge: the tick of the worker finds the row by itself when the broker is away.
        with suppress(BrokerError):
            tasks.analyse.delay(run.token)

    transaction.on_commit(send)
    return run


def compare_later(*, study: Study) -> None:
    """Asks a worker for what is left; nothing changes that was not so before, so nothing is recorded."""
    with suppress(BrokerError):
        tasks.compare_truthers.delay(study.token)
