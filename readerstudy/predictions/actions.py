import io
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from inference.cards import Card, CardError
from inference.outputs import Probability
from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.chain import digest_of
from readerstudy.audit.errors import Refused
from readerstudy.cases.models import Case
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import check_coordinates

from . import tasks
from .models import Algorithm, Prediction, PredictionRun, RunCase
from .permissions import check_registers
from .queries import cases_with_images, cases_with_pixels, input_digest_of, progress_of, storage

LARGEST_CARD = 1 << 20
LARGEST_WEIGHTS = 2 << 30


def register_algorithm(*, card: BinaryIO, weights: BinaryIO, by: User) -> Algorithm:
    """Check card and weights against each other, byte for byte, and keep them under their digest."""
    check_registers(by)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_within(card, folder / "card.json", LARGEST_CARD, "The card")
        copy_within(weights, folder / "weights.safetensors", LARGEST_WEIGHTS, "The weights file")
        try:
            checked = Card.load(folder)
        except CardError as error:
            raise Refused(str(error)) from error
        if checked.spec.output(Probability) is None:
            raise Refused("The model answers no probability; studies compare readers with a model that does.")
        known = Algorithm.objects.filter(digest=checked.digest).first()
        if known is not None:
            raise Refused(f"This model is registered already, as {known}.")
        key = f"algorithms/{checked.digest}"
        for file in ("card.json", "weights.safetensors"):
            if not storage().exists(f"{key}/{file}"):
                with (folder / file).open("rb") as stream:
                    storage().save(f"{key}/{file}", io.BufferedReader(stream))
        document = checked.to_document()
    return keep_algorithm(checked, document, key, by)


@transaction.atomic
def keep_algorithm(card: Card, document: dict[str, Any], key: str, by: User) -> Algorithm:
    algorithm = Algorithm.objects.create(
        name=card.name, version=card.version, digest=card.digest, card=document, folder_key=key, registered_by=by
    )
    record(
        actor=by,
        verb="algorithm.registered",
        target=algorithm,
        facts={"name": card.name, "version": card.version, "digest": card.digest},
    )
    return algorithm


def copy_within(source: BinaryIO, target: Path, limit: int, what: str) -> None:
    left = limit
    with target.open("wb") as out:
        while block := source.read(1 << 20):
            left -= len(block)
            if left < 0:
                raise Refused(f"{what} is larger than {limit >> 20} MiB.")
            out.write(block)


@transaction.atomic
def start_run(*, study: Study, algorithm: Algorithm, assists: bool, by: User) -> PredictionRun:
    """Write one row per case to be predicted; the workers take it from there."""
    check_coordinates(by, study)
    if Study.objects.select_for_update().get(pk=study.pk).phase not in (Study.Phase.DRAFT, Study.Phase.FROZEN):
        raise Refused("Predictions are made before reading opens; this study is open or locked.")
    cases = cases_with_pixels(cases_with_images(study).values_list("pk", flat=True))
    if not cases:
        raise Refused("The study has no cases with images yet. Import cases first.")
    if PredictionRun.objects.filter(study=study, algorithm=algorithm).exists():
        raise Refused(f"{algorithm} has been run over this study already.")
    if assists and PredictionRun.objects.filter(study=study, assists=True).exists():
        raise Refused("Another run assists the readers already; a study shows one algorithm.")
    parameters: dict[str, Any] = {"heatmap": True}
    run = PredictionRun.objects.create(
        study=study, algorithm=algorithm, parameters=parameters, assists=assists, started_by=by
    )
    rows = run_cases(run, cases)
    RunCase.objects.bulk_create(rows)
    record(
        actor=by,
        verb="predictions.started",
        target=run,
        facts={"algorithm": algorithm.digest, "cases": len(rows), "assists": assists},
        study=study,
    )
    transaction.on_commit(wake_the_workers)
    return run


def run_cases(run: PredictionRun, cases: list[Case]) -> list[RunCase]:
    """One row of the queue for each input; the same input of the same algorithm, in whatever study, has one row."""
    digests = {case.pk: input_digest_of(case) for case in cases}
    parameters = digest_of(run.parameters)
    wanted = [
        Prediction(algorithm=run.algorithm, input_digest=digest, parameters_digest=parameters)
        for digest in dict.fromkeys(digests.values())
    ]
    Prediction.objects.bulk_create(wanted, ignore_conflicts=True)
    known = Prediction.objects.filter(
        algorithm=run.algorithm, parameters_digest=parameters, input_digest__in=set(digests.values())
    )
    rows = {row.input_digest: row for row in known}
    return [RunCase(run=run, case=case, prediction=rows[digests[case.pk]]) for case in cases]


def wake_the_workers(send: Callable[[], Any] = tasks.dispatch.delay) -> None:
    """Only a nudge: the tick of the worker finds the rows by itself when the broker is away."""
    with suppress(BrokerError):
        send()


@transaction.atomic
def retry_failed(*, run: PredictionRun, by: User) -> int:
    check_coordinates(by, run.study)
    if PredictionRun.objects.select_for_update().get(pk=run.pk).frozen_at is not None:
        raise Refused("The predictions of this run are frozen.")
    failed = Prediction.objects.filter(run_cases__run=run, phase=Prediction.Phase.FAILED).values_list("pk", flat=True)
    count = Prediction.objects.filter(pk__in=list(failed), phase=Prediction.Phase.FAILED).update(
        phase=Prediction.Phase.QUEUED, attempts=0, begun=False, lease="", lease_until=None, error="", finished_at=None
    )
    record(actor=by, verb="predictions.retried", target=run, facts={"cases": count}, study=run.study)
    transaction.on_commit(wake_the_workers)
    return count


@transaction.atomic
def freeze_run(*, run: PredictionRun, by: User) -> None:
    """After this nothing joins or changes; readers see only frozen output."""
    check_coordinates(by, run.study)
    progress = progress_of(run)
    if not progress.complete:
        raise Refused(
            f"{progress.done} of {progress.total} predictions of {run.algorithm} are done; reading opens with all."
        )
    if PredictionRun.objects.filter(pk=run.pk, frozen_at__isnull=True).update(frozen_at=timezone.now()):
        content = [
            [
                row.case.token,
                row.prediction.probability,
                row.prediction.positive,
                row.prediction.uncertain,
                digest_of(row.prediction.findings),
            ]
            for row in run.run_cases.select_related("case", "prediction").order_by("case__token")
        ]
        facts = {"predictions": len(content), "digest": digest_of(content)}
        record(actor=by, verb="predictions.frozen", target=run, facts=facts, study=run.study)
