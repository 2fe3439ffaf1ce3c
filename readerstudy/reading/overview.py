"""What the coordinator sees of the reading: how far it is and what holds it up. Never what was answered or how well,
except in the training.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from readerstudy.allocation.models import Allocation, Slot
from readerstudy.allocation.queries import missing_cases, missing_for_draw, readers_to_draw
from readerstudy.predictions.queries import assisting_run, prediction_for_reader, progress_of
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.queries import readers_of, rules_of

from .models import Answer, ExternalSource, Reading, WashoutOverride
from .queries import Training, due_at, open_slots, training_of


@dataclass(frozen=True)
class PeriodProgress:
    number: int
    done: int
    total: int


@dataclass(frozen=True)
class ReaderProgress:
    reader: Enrolment
    periods: list[PeriodProgress]
    last_submitted_at: datetime | None
    waiting: Slot | None
    due_at: datetime | None
    override: WashoutOverride | None
    training: Training | None = None

    @property
    def done(self) -> int:
        return sum(period.done for period in self.periods)

    @property
    def total(self) -> int:
        return sum(period.total for period in self.periods)


def missing_to_open(study: Study) -> list[str]:
    """Sentences: what must be there before reading can open. Empty when nothing is missing."""
    if study.phase == Study.Phase.DRAFT:
        return [_("The protocol is not frozen yet.")]
    if study.phase != Study.Phase.FROZEN:
        return [_("Reading was opened already.")]
    readers = readers_to_draw(study)
    if not readers.exists():
        # Every reader's answers come from a file: nothing is drawn, shown or predicted here.
        return missing_cases(study)
    missing = missing_for_draw(study)
    if not Allocation.objects.filter(study=study).exists():
        missing.append(_("The allocation is not drawn yet."))
    else:
        without = list(readers.filter(slots=None).values_list("code", flat=True))
        if without:
            told = _("Nothing is drawn for %(readers)s, who joined after the draw; withdraw them.")
            missing.append(told % {"readers": ", ".join(without)})
    return missing + missing_predictions(study)


def missing_predictions(study: Study) -> list[str]:
    if not any(arm.aided for arm in study.arms.all()):
        return []
    run = assisting_run(study)
    if run is None:
        return [_("No algorithm is run whose output the aided arm shows.")]
    progress = progress_of(run)
    predicted = run.run_cases.values("case")
    if not progress.complete:
        told = _("%(done)s of %(total)s predictions of %(algorithm)s are done.")
        return [told % {"done": progress.done, "total": progress.total, "algorithm": run.algorithm}]
    forgotten = study.cases.exclude(pk__in=predicted).count()
    told = _("%(algorithm)s was not run over %(count)s case(s), which were imported later.")
    return [told % {"algorithm": run.algorithm, "count": forgotten}] if forgotten else []


def reader_progress(study: Study) -> list[ReaderProgress]:
    submitted = Q(slots__reading__phase=Reading.Phase.SUBMITTED, slots__training=0)
    readers = readers_of(study)
    newest = Max("slots__reading__submitted_at", filter=submitted)
    last = dict(readers.order_by().annotate(last=newest).values_list("pk", "last"))
    counted, trained = periods_by_reader(study), trainings_of(study)
    return [
        progress_of_reader(study, reader, counted.get(reader.pk, []), last[reader.pk], trained.get(reader.pk))
        for reader in readers
    ]


def periods_by_reader(study: Study) -> dict[int, list[PeriodProgress]]:
    rows = (
        Slot.objects.filter(reader__study=study, training=0)
        .order_by("reader_id", "period__number")
        .values_list("reader_id", "period__number")
        .annotate(total=Count("pk"), done=Count("pk", filter=Q(reading__phase=Reading.Phase.SUBMITTED)))
    )
    found: dict[int, list[PeriodProgress]] = {}
    for reader, number, total, done in rows:
        found.setdefault(reader, []).append(PeriodProgress(number=number, done=done, total=total))
    return found


def progress_of_reader(
    study: Study,
    reader: Enrolment,
    periods: list[PeriodProgress],
    last_submitted_at: datetime | None,
    training: Training | None,
) -> ReaderProgress:
    upcoming = open_slots(reader).first() if study.phase == Study.Phase.OPEN else None
    due = due_at(upcoming) if upcoming else None
    waits = due is not None and due > timezone.now()
    return ReaderProgress(
        reader=reader,
        periods=periods,
        last_submitted_at=last_submitted_at,
        waiting=upcoming if waits else None,
        due_at=due if waits else None,
        override=WashoutOverride.objects.filter(slot=upcoming).select_related("asked_by").first() if waits else None,
        training=training,
    )


def trainings_of(study: Study) -> dict[int, Training]:
    pass_mark = rules_of(study).training_pass_mark or 0
    trained = Enrolment.objects.filter(study=study, slots__training__gt=0).distinct()
    return {reader.pk: training_of(reader, pass_mark) for reader in trained.select_related("study")}


def corrections_of(study: Study) -> QuerySet[Answer]:
    return (
        Answer.objects.filter(reading__slot__reader__study=study, number__gt=1)
        .select_related("reading__slot__reader", "reading__slot__period", "question", "given_by")
        .order_by("-given_at")
    )


def sources_of(study: Study) -> QuerySet[ExternalSource]:
    return ExternalSource.objects.filter(study=study).select_related("imported_by").order_by("-imported_at")


def slot_of_study(study: Study, token: str) -> Slot:
    slot = (
        Slot.objects.filter(token=token, reader__study=study, external=False)
        .select_related("reader__study", "arm", "period", "case")
        .first()
    )
    if slot is None:
        raise Http404
    return slot


def reading_at(study: Study, code: str, period: int, position: int) -> Reading | None:
    """The reading that a reader means who says: my twelfth case of the first period."""
    return (
        Reading.objects.filter(
            slot__reader__study=study,
            slot__reader__code=code,
            slot__period__number=period,
            slot__position=position,
            slot__training=0,
        )
        .select_related("slot__reader__study", "slot__arm", "slot__period", "slot__case")
        .first()
    )


def override_of(slot: Slot) -> WashoutOverride:
    override = WashoutOverride.objects.filter(slot=slot).select_related("asked_by").first()
    if override is None:
        raise Http404
    override.slot = slot
    return override


@dataclass(frozen=True)
class Planned:
    """One case in which the output was planned to be wrong, and what the model really said."""

    period: int
    position: int
    positive: bool | None
    probability: float | None


def planned_slots(reader: Enrolment) -> QuerySet[Slot]:
    """Only where it was shown: some of it stays back, or is never asked for."""
    return Slot.objects.filter(reader=reader, sham=True, reading__output_at__isnull=False)


def planned_output_of(reader: Enrolment) -> list[Planned]:
    found = []
    for slot in planned_slots(reader).select_related("period", "case").order_by("period__number", "position"):
        said = prediction_for_reader(reader.study, slot.case)
        if said is not None:
            found.append(Planned(slot.period.number, slot.position, said.positive, said.probability))
    return found
