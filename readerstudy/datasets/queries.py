from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from django.core.files.storage import Storage, storages
from django.db.models import Count, Q, Sum
from django.http import Http404

from readerstudy.allocation.models import Allocation, Slot
from readerstudy.audit.chain import digest_of
from readerstudy.audit.models import Event
from readerstudy.cases.models import Case
from readerstudy.predictions.findings import findings_in
from readerstudy.predictions.models import RunCase
from readerstudy.reading.activity import Toggled
from readerstudy.reading.models import Answer, Look, Reading
from readerstudy.reference.models import Standard
from readerstudy.reference.queries import cases_without_truth, current_standard, truths_of
from readerstudy.studies.models import ProtocolVersion, Study
from readerstudy.studies.queries import current_version

from . import codebook
from .exposing import IN_SIGHT, exposures_in, exposures_of, output_seconds, seconds, submitted_of, toggled, where
from .models import Dataset
from .tidy import Cell, Table, cells_of, numeric, parts_of

BUNDLE = "bundle.zip"
OUTPUTS = ("probability", "heatmap", "mask", "boxes", "levels")
PLACE = ("reader", "period", "position")


@dataclass(frozen=True)
class Completeness:
    """One reader's readings: how many there should be and how many there are."""

    token: str
    code: str
    seniority: str
    external: bool
    total: int
    done: int

    @property
    def missing(self) -> int:
        return self.total - self.done


@dataclass(frozen=True)
class StoredFile:
    name: str
    key: str
    size: int
    sha256: str


def dataset_of(study: Study) -> Dataset | None:
    return Dataset.objects.filter(study=study).select_related("signed_by", "protocol", "standard").first()


def dataset_for(study: Study) -> Dataset:
    dataset = dataset_of(study)
    if dataset is None:
        raise Http404
    return dataset


def storage() -> Storage:
    return storages["default"]


def files_of(dataset: Dataset) -> list[StoredFile]:
    return [StoredFile(**file) for file in dataset.files]


def file_for(dataset: Dataset, name: str) -> StoredFile:
    for file in files_of(dataset):
        if file.name == name:
            return file
    raise Http404


def content_of(file: StoredFile) -> bytes:
    with storage().open(file.key) as stream:
        content: bytes = stream.read()
    return content


def completeness_of(study: Study) -> list[Completeness]:
    rows = (
        Slot.objects.filter(reader__study=study, training=0)
        .order_by("reader__external", "reader__code")
        .values("reader__token", "reader__code", "reader__seniority", "reader__external")
        .annotate(total=Count("pk"), done=Count("pk", filter=Q(reading__phase=Reading.Phase.SUBMITTED)))
    )
    return [
        Completeness(
            row["reader__token"],
            row["reader__code"],
            row["reader__seniority"],
            row["reader__external"],
            row["total"],
            row["done"],
        )
        for row in rows
    ]


def hindrances(study: Study) -> list[str]:
    """What keeps the study from being locked, whatever reasons are given."""
    if study.phase == Study.Phase.LOCKED:
        return ["The study is locked."]
    if study.phase != Study.Phase.OPEN:
        return ["Reading has not been opened; there is nothing to lock."]
    found = []
    if not submitted_of(study).exists():
        found.append("No reading has been submitted yet.")
    if cases_without_truth(study).exists():
        found.append("The reference standard does not cover all cases.")
    return found


@dataclass(frozen=True)
class Source:
    """What a data set is made from."""

    study: Study
    protocol: ProtocolVersion
    standard: Standard


def source_of(study: Study) -> Source:
    protocol, standard = current_version(study), current_standard(study)
    assert protocol is not None, "an open study has a protocol"
    assert standard is not None, "an open study has a reference standard"
    return Source(study, protocol, standard)


def tables_of(source: Source) -> tuple[Table, ...]:
    cases = case_facts(source)
    answers, by_reading = answers_of(source, cases)
    questions = source.protocol.protocol["questions"]
    readings = readings_of(source, cases, by_reading)
    names = sorted({name for facts in cases.values() for name in facts if name.startswith("covariate_")})
    covariates = codebook.covariate_columns([name.removeprefix("covariate_") for name in names])
    return (
        Table("answers", "one row per answer", codebook.ANSWERS, in_order(answers, *PLACE)),
        Table(
            "readings",
            "one row per reading: a reader, an arm, a case",
            (*codebook.READINGS, *codebook.question_columns(questions)),
            in_order(readings, *PLACE),
        ),
        Table("cases", "one row per case", (*codebook.CASE, *covariates), in_order(cases.values(), "case")),
        Table(
            "predictions",
            "one row per case and algorithm",
            codebook.PREDICTIONS,
            in_order(predictions_of(source), "algorithm", "version", "digest", "case"),
        ),
        Table(
            "vertebrae",
            "one row per case, algorithm and vertebra that it names",
            codebook.VERTEBRAE,
            in_order(vertebrae_of(source), "algorithm", "version", "digest", "case", "series", "image", "level"),
        ),
        Table(
            "exposures",
            "one row per reading, output and image that it lay over on the screen, or that it was switched on",
            codebook.EXPOSURES,
            in_order(exposures_of(source.study, cases), *PLACE, "output", "image_number", "made_plane"),
        ),
    )


def in_order(rows: Iterable[dict[str, Cell]], *keys: str) -> tuple[dict[str, Cell], ...]:
    """By code point, which is the same everywhere; a database sorts text by the collation of its host."""
    return tuple(sorted(rows, key=itemgetter(*keys)))


def case_facts(source: Source) -> dict[int, dict[str, Cell]]:
    truth = dict(truths_of(source.standard).filter(unit=None).values_list("case_id", "positive"))
    return {
        case.pk: {
            "case": case.label,
            "patient": case.patient[:16],
            "site": case.site or None,
            "truth": truth.get(case.pk),
            **{f"covariate_{name}": str(value) for name, value in sorted(case.covariates.items())},
        }
        for case in Case.objects.filter(study=source.study).order_by("label")
    }


def answers_of(
    source: Source, cases: dict[int, dict[str, Cell]]
) -> tuple[tuple[dict[str, Cell], ...], dict[tuple[int, str], dict[str, Any]]]:
    """All current answers in the order of readers, periods and positions, and the same by reading, stage, question."""
    place = (
        *("reading__slot__reader__code", "reading__slot__period__number", "reading__slot__position"),
        *("question__position", "stage"),
    )
    rows = (
        Answer.objects.filter(reading__in=submitted_of(source.study))
        .select_related("question", "reading__slot__reader", "reading__slot__arm", "reading__slot__period")
        .order_by(*place, "-number")
        .distinct(*place)
    )
    table: list[dict[str, Cell]] = []
    by_reading: dict[tuple[int, str], dict[str, Any]] = defaultdict(dict)
    for answer in rows.iterator(chunk_size=5000):
        if answer.value is None:
            # Taken back: what came before led no longer to the question.
            continue
        by_reading[answer.reading_id, answer.stage][answer.question.key] = answer.value
        facts: dict[str, Cell] = {
            "question": answer.question.key,
            "kind": answer.question.kind,
            "stage": answer.stage,
            "version": answer.number,
            "given_at": answer.given_at,
        }
        at = where(answer.reading.slot, cases)
        table.extend(at | facts | part for part in parts_of(answer.value))
    return tuple(table), by_reading


def readings_of(
    source: Source, cases: dict[int, dict[str, Cell]], answers: dict[tuple[int, str], dict[str, Any]]
) -> Iterator[dict[str, Cell]]:
    decision, confidence = source.protocol.plan.get("decision"), source.protocol.plan.get("confidence")
    shown: set[tuple[int, str]] = set()
    toggles: dict[int, list[Toggled]] = defaultdict(list)
    for one in exposures_in(source.study).filter(IN_SIGHT):
        shown |= {(one.reading_id, one.kind)} if one.shown else set()
        toggles[one.reading_id].append(toggled(one))
    own_arm = arm_of_own_answers(source.study)
    looks = Look.objects.filter(reading__slot__reader__study=source.study).order_by().values_list("reading")
    again = dict(looks.annotate(Sum("active_ms")))
    rows = submitted_of(source.study).select_related("slot__reader", "slot__arm", "slot__period", "source")
    rows = rows.order_by("slot__reader__code", "slot__period__number", "slot__position")

    def given_in(answered: dict[str, Any]) -> dict[str, Cell]:
        others = {key: value for key, value in answered.items() if key not in (decision, confidence)}
        columns = {f"answer_{key}": cell for key, value in others.items() for key, cell in cells_of(key, value)}
        return {"decision": answered.get(decision), "rating": numeric(answered.get(confidence))} | columns

    for reading in rows.iterator(chunk_size=5000):
        first = answers.get((reading.pk, Answer.Stage.FIRST), {})
        final = answers.get((reading.pk, Answer.Stage.FINAL), {})
        facts: dict[str, Cell] = {
            "seconds": seconds(reading.active_ms),
            "seconds_again": seconds(again.get(reading.pk)),
            "idle_seconds": seconds(reading.idle_ms),
            "hidden_seconds": seconds(reading.hidden_ms),
            "opened_at": reading.opened_at,
            "submitted_at": reading.submitted_at,
            **{f"{kind}_shown": None if reading.source else (reading.pk, kind) in shown for kind in OUTPUTS},
            **output_seconds(reading, toggles[reading.pk]),
            "not_readable": reading.unreadable_reason or None,
            "source": reading.source.name if reading.source else None,
        }
        at = where(reading.slot, cases) | facts
        if first and own_arm:
            not_shown = {f"{kind}_shown": False for kind in OUTPUTS} | output_seconds(reading, [])
            yield at | not_shown | up_to_own_answer(reading) | {"arm": own_arm} | given_in(first)
        if final or not first or not own_arm:
            yield at | given_in(final or first)


def up_to_own_answer(reading: Reading) -> dict[str, Cell]:
    return {
        "seconds": seconds(reading.first_active_ms),
        "seconds_again": None,
        "idle_seconds": seconds(reading.first_idle_ms),
        "hidden_seconds": seconds(reading.first_hidden_ms),
        "submitted_at": reading.first_at,
    }


def arm_of_own_answers(study: Study) -> str:
    """Where every case is read once, the answers before the output are the readings of the first arm."""
    if not Allocation.objects.filter(study=study, design="sequential").exists():
        return ""
    return study.arms.order_by("position").values_list("code", flat=True)[0]


def finished_of(source: Source) -> Iterator[RunCase]:
    rows = RunCase.objects.filter(run__study=source.study, prediction__phase="done")
    rows = rows.select_related("run__algorithm", "case", "prediction")
    yield from rows.order_by("run__algorithm__name", "run__algorithm__version", "case__label").iterator(chunk_size=1000)


def whose(row: RunCase) -> dict[str, Cell]:
    return {
        "case": row.case.label,
        "algorithm": row.run.algorithm.name,
        "version": row.run.algorithm.version,
        "digest": row.run.algorithm.digest,
        "assists": row.run.assists,
    }


def predictions_of(source: Source) -> Iterator[dict[str, Cell]]:
    for row in finished_of(source):
        said = row.prediction
        found = findings_in(said.findings)
        yield whose(row) | {
            "probability": said.probability,
            "positive": said.positive,
            "uncertain": said.uncertain,
            "masked_images": None if found.masks is None else len(found.masks),
            "input_digest": said.input_digest,
            "findings_digest": digest_of(said.findings),
            "seconds": sum(said.seconds.values()) if said.seconds else None,
            "device": said.device or None,
            "runtime": said.runtime or None,
        }


def vertebrae_of(source: Source) -> Iterator[dict[str, Cell]]:
    for row in finished_of(source):
        for vertebra in findings_in(row.prediction.findings).vertebrae or ():
            corners = dict(zip(codebook.CORNERS, vertebra.corners or (), strict=False))
            heights = dict(zip(codebook.HEIGHTS, vertebra.heights or (), strict=False))
            yield whose(row) | {
                "level": vertebra.level,
                "probability": vertebra.probability,
                "positive": vertebra.positive,
                "series": vertebra.series + 1,
                "image": vertebra.slice + 1,
                **{f"{corner}_row": row_column[0] for corner, row_column in corners.items()},
                **{f"{corner}_column": row_column[1] for corner, row_column in corners.items()},
                **heights,
            }


def allocation_rows(study: Study) -> Iterator[tuple[Cell, ...]]:
    yield "reader", "period", "position", "arm", "case", "external", "withheld", "sham"
    slots = Slot.objects.filter(reader__study=study, training=0)
    rows = slots.values_list(
        *("reader__code", "period__number", "position", "arm__code", "case__label", "external", "withheld", "sham")
    )
    yield from sorted(rows.order_by().iterator(chunk_size=5000))


def chain_lines(study: Study) -> Iterator[dict[str, Any]]:
    for event in Event.objects.filter(chain_id=study.token).order_by("number").iterator(chunk_size=2000):
        yield {"previous": event.previous, "digest": event.digest, "event": event.content()}
