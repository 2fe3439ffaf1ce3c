from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import Storage, storages
from django.db.models import Count, Q, QuerySet
from django.http import Http404

from readerstudy.audit.chain import digest_of
from readerstudy.cases.models import Case, Image
from readerstudy.studies.models import Study

from .models import Algorithm, Prediction, PredictionRun, RunCase


@dataclass(frozen=True)
class Progress:
    total: int
    done: int
    failed: int
    leased: int

    @property
    def waiting(self) -> int:
        return self.total - self.done - self.failed - self.leased

    @property
    def finished(self) -> bool:
        return self.total > 0 and self.done + self.failed == self.total

    @property
    def complete(self) -> bool:
        return self.total > 0 and self.done == self.total


def storage() -> Storage:
    return storages["default"]


def algorithm_for(token: str) -> Algorithm:
    algorithm = Algorithm.objects.filter(token=token).first()
    if algorithm is None:
        raise Http404
    return algorithm


def runs_of(study: Study) -> QuerySet[PredictionRun]:
    return PredictionRun.objects.filter(study=study).select_related("algorithm", "started_by")


def run_for(study: Study, token: str) -> PredictionRun:
    run = runs_of(study).filter(token=token).first()
    if run is None:
        raise Http404
    return run


def progress_of(run: PredictionRun) -> Progress:
    phases = Prediction.Phase
    counts = RunCase.objects.filter(run=run).aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(prediction__phase=phases.DONE)),
        failed=Count("pk", filter=Q(prediction__phase=phases.FAILED)),
        leased=Count("pk", filter=Q(prediction__phase=phases.LEASED)),
    )
    return Progress(**counts)


def predictions_in(run: PredictionRun) -> QuerySet[RunCase]:
    return RunCase.objects.filter(run=run).select_related("case", "prediction").order_by("case__label")


def assisting_run(study: Study) -> PredictionRun | None:
    return runs_of(study).filter(assists=True).first()


def prediction_for_reader(study: Study, case: Case) -> Prediction | None:
    """The frozen output that the aided arm shows for a case."""
    return Prediction.objects.filter(
        run_cases__case=case,
        run_cases__run__study=study,
        run_cases__run__assists=True,
        run_cases__run__frozen_at__isnull=False,
        phase=Prediction.Phase.DONE,
    ).first()


def cases_with_images(study: Study) -> QuerySet[Case]:
    return Case.objects.filter(study=study, series__images__isnull=False).distinct()


def images_for(case: Case) -> list[Image]:
    """What an algorithm gets: the frames of the first series, in order."""
    first = case.series.order_by("position").first()
    return list(first.images.order_by("position")) if first is not None else []


def geometry_of(image: Image) -> dict[str, Any]:
    return {
        "sha256": image.frame_digest,
        "rows": image.rows,
        "columns": image.columns,
        "slope": image.slope,
        "intercept": image.intercept,
        "inverted": image.inverted,
    }


def input_digest_of(images: Iterable[Image]) -> str:
    return digest_of([geometry_of(image) for image in images])


def address_of(key: str) -> str:
    """Where a worker on any machine reads a stored file: a signed address, or the path on a shared disk."""
    place = storage()
    try:
        return "file://" + place.path(key)
    except NotImplementedError:
        return place.url(key)


def request_item(prediction: Prediction) -> dict[str, Any]:
    run_case = prediction.run_cases.select_related("case").first()
    images = images_for(run_case.case) if run_case else []
    return {
        "prediction": prediction.token,
        "lease": prediction.lease,
        "input_digest": prediction.input_digest,
        "frames": [{"uri": address_of(image.frame_key), **geometry_of(image)} for image in images],
    }
