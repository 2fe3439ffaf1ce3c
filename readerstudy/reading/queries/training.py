"""Training comes first where the protocol asks; only there a reader is told what was right."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from readerstudy.allocation.models import Slot
from readerstudy.predictions.overlays import Marked
from readerstudy.reading import sight
from readerstudy.reading.lessons import Known, Told, marked, regions_in, told
from readerstudy.reading.models import Answer, Reading
from readerstudy.reference.models import StandardAnnotation, Truth
from readerstudy.reference.queries import current_standard
from readerstudy.studies.models import Enrolment, Question, Study


@dataclass(frozen=True)
class Training:
    """The latest round of one reader."""

    round: int
    total: int
    done: int
    correct: int
    pass_mark: float

    @property
    def finished(self) -> bool:
        return self.done == self.total

    @property
    def passed(self) -> bool:
        return self.finished and self.correct >= self.pass_mark * self.total

    @property
    def failed(self) -> bool:
        return self.finished and not self.passed


def training_of(reader: Enrolment, pass_mark: float) -> Training:
    last = Slot.objects.filter(reader=reader, training__gt=0).order_by("training").last()
    if last is None:
        return Training(0, 0, 0, 0, pass_mark)
    slots = Slot.objects.filter(reader=reader, training=last.training)
    done = slots.filter(reading__phase=Reading.Phase.SUBMITTED).count()
    return Training(last.training, slots.count(), done, len(correct_among(reader.study, slots)), pass_mark)


def is_trained(reader: Enrolment, pass_mark: float) -> bool:
    """Who has begun with the cases of the study has passed, also where a later standard judges the training anew."""
    begun = Reading.objects.filter(slot__reader=reader, slot__training=0).exists()
    return begun or training_of(reader, pass_mark).passed


@dataclass(frozen=True)
class Feedback:
    """What a reader is told after a training case: right or not, line by line, and where."""

    positive: bool
    correct: bool
    told: tuple[Told, ...] = ()
    regions: tuple[Marked, ...] = ()


def feedback_for(slot: Slot, questions: tuple[sight.Asked, ...], series: tuple[sight.SeriesSight, ...]) -> Feedback:
    """For a training case alone; of any other case there is no way to the truth here."""
    known = known_of(slot, series)
    reading = Reading.objects.get(slot=slot)
    given = Answer.objects.filter(reading=reading, stage=Answer.Stage.FINAL).order_by("question_id", "-number")
    answers = {one.question.key: one.value for one in given.distinct("question_id").select_related("question")}
    lines = told(questions, answers, known) if not reading.unreadable_reason else ()
    frames = [frame.url for one in series for frame in one.frames]
    return Feedback(known.positive, is_correct(slot), lines, marked(known.regions, frames))


def known_of(slot: Slot, series: tuple[sight.SeriesSight, ...]) -> Known:
    """All that the current standard says of a training case."""
    assert slot.training
    standard = current_standard(slot.reader.study)
    rows = list(Truth.objects.filter(standard=standard, case=slot.case_id).select_related("unit"))
    whole = next(row for row in rows if row.unit is None)
    units = {row.unit.label: (row.positive, row.label) for row in rows if row.unit is not None}
    drawn = StandardAnnotation.objects.filter(standard=standard, case=slot.case_id).select_related("annotation").first()
    shapes = [[(frame.rows, frame.columns) for frame in one.frames] for one in series]
    regions = tuple(regions_in(drawn.annotation.marks, shapes)) if drawn else ()
    return Known(whole.positive, whole.label, units, regions)


def is_correct(slot: Slot) -> bool:
    assert slot.training
    return slot.pk in correct_among(slot.reader.study, Slot.objects.filter(pk=slot.pk))


def correct_among(study: Study, slots: QuerySet[Slot]) -> set[int]:
    """Which of these training cases were decided right; as many questions to the database for one as for all."""
    cases = dict(slots.filter(training__gt=0).values_list("pk", "case_id"))
    truths = Truth.objects.filter(standard=current_standard(study), case__in=cases.values(), unit=None)
    positive = dict(truths.values_list("case_id", "positive"))
    answers = Answer.objects.filter(reading__slot__in=cases, stage=Answer.Stage.FINAL)
    given: dict[int, dict[str, Answer]] = defaultdict(dict)
    for answer in answers.select_related("question", "reading").order_by("number"):
        given[answer.reading.slot_id][answer.question.kind] = answer
    said = {slot: decided(answered) for slot, answered in given.items()}
    return {slot for slot, decision in said.items() if decision is not None and decision == positive.get(cases[slot])}


def decided(given: Mapping[str, Answer]) -> bool | None:
    """The reader's decision, or the side of the confidence where none is asked."""
    decision, confidence = given.get(Question.Kind.DECISION), given.get(Question.Kind.CONFIDENCE)
    if decision is not None:
        return bool(decision.value)
    if confidence is None:
        return None
    low, high = confidence.question.minimum or 0, confidence.question.maximum or 0
    threshold = confidence.question.threshold
    return bool(confidence.value >= ((low + high) / 2 if threshold is None else threshold))


def training_progress(slot: Slot) -> sight.Progress:
    round_of = Slot.objects.filter(reader=slot.reader, training=slot.training)
    done = round_of.filter(reading__phase=Reading.Phase.SUBMITTED).count()
    return sight.Progress(done=done, total=round_of.count())
