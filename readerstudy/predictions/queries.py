import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.http import Http404

from inference.declared import document_of
from inference.prediction import Frame, Item, Place, Request, Series
from readerstudy.audit.chain import digest_of
from readerstudy.cases.models import Case, Image
from readerstudy.cases.models import Series as CaseSeries
from readerstudy.studies.models import Study

from .findings import findings_in
from .models import Algorithm, Prediction, PredictionRun, RunCase

# Columns of a manifest that say where the finding lies, in pixels of the first series.
PLACE = ("slice", "row", "column", "height", "width")


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


def last_heartbeat() -> datetime | None:
    """The latest end of a lease that a worker has begun to use: every sign of life moves it. None where none works."""
    begun = Prediction.objects.filter(phase=Prediction.Phase.LEASED, begun=True)
    until: datetime | None = begun.aggregate(until=Max("lease_until"))["until"]
    return until


def predictions_in(run: PredictionRun) -> QuerySet[RunCase]:
    return RunCase.objects.filter(run=run).select_related("case", "prediction").order_by("case__label")


def finished_in(run: PredictionRun) -> QuerySet[RunCase]:
    return predictions_in(run).filter(prediction__phase=Prediction.Phase.DONE)


def output_for(run: PredictionRun, token: str) -> RunCase:
    """One case of a run with its finished prediction."""
    row = predictions_in(run).filter(prediction__token=token, prediction__phase=Prediction.Phase.DONE).first()
    if row is None:
        raise Http404
    return row


def plane_bytes(row: RunCase, kind: str, number: int) -> bytes:
    """The heat map or mask with that number among those of the case, from 1."""
    planes = findings_in(row.prediction.findings).planes(kind)
    if not 1 <= number <= len(planes) or not storage().exists(planes[number - 1].key):
        raise Http404
    with storage().open(planes[number - 1].key) as stream:
        content: bytes = stream.read()
    return content


def assisting_run(study: Study) -> PredictionRun | None:
    return runs_of(study).filter(assists=True).first()


def prediction_for_reader(study: Study, case: Case) -> Prediction | None:
    """The frozen output that the aided arm shows for a case."""
    shown = Prediction.objects.filter(
        run_cases__case=case,
        run_cases__run__study=study,
        run_cases__run__assists=True,
        run_cases__run__frozen_at__isnull=False,
        phase=Prediction.Phase.DONE,
    )
    return shown.select_related("algorithm").first()


def cases_with_images(study: Study) -> QuerySet[Case]:
    return Case.objects.filter(study=study, series__images__isnull=False).distinct()


def cases_with_pixels(pks: Iterable[int]) -> list[Case]:
    """With all series and frames, in three queries however many cases there are."""
    images = Prefetch("images", queryset=Image.objects.order_by("position"))
    series = Prefetch("series", queryset=CaseSeries.objects.order_by("position").prefetch_related(images))
    return list(Case.objects.filter(pk__in=pks).prefetch_related(series))


def shapes_of(case: Case) -> list[list[tuple[int, int]]]:
    """Rows and columns of every frame of every series."""
    return [[(image.rows, image.columns) for image in one.images.all()] for one in case.series.all()]


def series_of(case: Case, address: Callable[[str], str] = lambda key: "") -> tuple[Series, ...]:
    """What an algorithm gets: every series of a case by its name, its frames in order."""
    return tuple(
        Series(
            name=one.label,
            modality=one.modality,
            view=one.view,
            frames=tuple(frame_of(image, address(image.frame_key)) for image in one.images.all()),
        )
        for one in case.series.all()
    )


def frame_of(image: Image, uri: str) -> Frame:
    between = tuple(image.spacing) if image.spacing else None
    return Frame(
        uri=uri,
        sha256=image.frame_digest,
        rows=image.rows,
        columns=image.columns,
        samples=image.samples,
        slope=image.slope,
        intercept=image.intercept,
        inverted=image.inverted,
        spacing=between,
        origin=tuple(image.origin) if image.origin else None,
        orientation=tuple(image.orientation) if image.orientation else None,
    )


def place_of(case: Case) -> Place | None:
    """Where the finding lies, from the columns that the manifest had for it; None where it does not say."""
    given = {name: number_in(case.covariates.get(name)) for name in PLACE}
    if given["row"] is None or given["column"] is None:
        return None
    return Place(**{name: max(0.0, value or 0.0) for name, value in given.items()})


def number_in(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def input_digest_of(case: Case) -> str:
    """Of pixels, geometry, names of the series and place of the finding: of all that an algorithm reads."""
    return digest_of(document_of((series_of(case), place_of(case))))


def address_of(key: str) -> str:
    """Where a worker on any machine reads a stored file: a signed address, or the path on a shared disk."""
    place = storage()
    try:
        return "file://" + place.path(key)
    except NotImplementedError:
        return place.url(key)


def request_for(algorithm: Algorithm, batch: Sequence[Prediction]) -> Request:
    """What a worker is asked: a constant number of queries for a batch of any size."""
    pairs = RunCase.objects.filter(prediction__in=batch).values_list("prediction_id", "case_id")
    of_prediction = dict(pairs)
    cases = {case.pk: case for case in cases_with_pixels(set(of_prediction.values()))}
    return Request(
        card=address_of(f"{algorithm.folder_key}/card.json"),
        weights=address_of(f"{algorithm.folder_key}/weights.safetensors"),
        card_digest=algorithm.digest,
        heatmap=True,
        items=tuple(item_for(prediction, cases[of_prediction[prediction.pk]]) for prediction in batch),
        lease_seconds=settings.PREDICTION_LEASE.total_seconds(),
    )


def frames_of(predictions: Iterable[Prediction]) -> dict[int, int]:
    """How many frames the case of each prediction has."""
    of_prediction = "series__case__run_cases__prediction"
    counts = Image.objects.filter(**{f"{of_prediction}__in": list(predictions)}).values_list(
        of_prediction, "series__case"
    )
    return {prediction: count for prediction, _, count in counts.annotate(count=Count("pk")).order_by()}


def item_for(prediction: Prediction, case: Case) -> Item:
    return Item(
        prediction=prediction.token,
        lease=prediction.lease,
        input_digest=prediction.input_digest,
        series=series_of(case, address_of),
        place=place_of(case),
    )


def case_of(prediction: Prediction) -> Case | None:
    """Any of the cases that have this input; they are the same to an algorithm."""
    pk = RunCase.objects.filter(prediction=prediction).values_list("case_id", flat=True).first()
    return next(iter(cases_with_pixels([pk])), None) if pk is not None else None
