"""Training comes first where the protocol asks; only there a reader is told what was right."""

from dataclasses import dataclass

from readerstudy.allocation.models import Slot
from readerstudy.reading import sight
from readerstudy.reading.models import Answer, Reading
from readerstudy.reference.queries import truth_by_case
from readerstudy.studies.models import Enrolment, Question


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
    read = list(slots.filter(reading__phase=Reading.Phase.SUBMITTED).select_related("reading", "case", "reader"))
    correct = sum(feedback_for(slot).correct for slot in read)
    return Training(last.training, slots.count(), len(read), correct, pass_mark)


@dataclass(frozen=True)
class Feedback:
    """What a reader is told after a training case."""

    positive: bool
    correct: bool


def feedback_for(slot: Slot) -> Feedback:
    """For a training case alone; of any other case there is no way to the truth here."""
    assert slot.training
    truth = truth_by_case(slot.reader.study)[slot.case_id]
    given = decided(slot)
    return Feedback(positive=truth, correct=given is not None and given == truth)


def decided(slot: Slot) -> bool | None:
    """The reader's decision, or the side of the confidence where none is asked."""
    rows = Answer.objects.filter(reading__slot=slot, stage=Answer.Stage.FINAL).select_related("question")
    answers = {answer.question.kind: answer for answer in rows}
    decision, confidence = answers.get(Question.Kind.DECISION), answers.get(Question.Kind.CONFIDENCE)
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
