from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from readerstudy.audit.chain import digest_of
from readerstudy.cases.models import Case
from readerstudy.reference.models import Standard
from readerstudy.reference.queries import cases_without_truth, truth_by_case, truths_of
from readerstudy.studies.models import Arm, Enrolment, Study

from .designs import DESIGNS, DrawnReader, DrawnSlot, Shape
from .models import Allocation, Slot

COLUMNS = ("slot", "reader", "seniority", "period", "position", "arm", "case")


@dataclass(frozen=True)
class BalanceRow:
    """How many slots of one reader lie in one arm and period, by truth."""

    reader: str
    seniority: str
    period: int
    arm: str
    positive: int
    negative: int

    @property
    def total(self) -> int:
        return self.positive + self.negative


def allocation_of(study: Study) -> Allocation | None:
    return Allocation.objects.filter(study=study).select_related("drawn_by").first()


def readers_to_draw(study: Study) -> QuerySet[Enrolment]:
    """Readers with an account, in the order in which they joined."""
    return study.enrolments.filter(role=Enrolment.Role.READER, active=True, external=False).order_by("pk")


def shape_of(study: Study, training: Collection[str] = ()) -> Shape:
    """`training`: labels of cases that are read in training and therefore not in the study."""
    truth = truth_by_case(study)
    return Shape(
        readers=[DrawnReader(reader.code, reader.seniority) for reader in readers_to_draw(study)],
        truth={case.token: truth[case.pk] for case in study.cases.all() if case.label not in training},
        arms=list(study.arms.order_by("position").values_list("code", flat=True)),
        periods=list(study.periods.order_by("number").values_list("number", flat=True)),
    )


def missing_for_draw(study: Study) -> list[str]:
    """Sentences: what must be there before the allocation can be drawn. Empty when nothing is missing."""
    missing = []
    if study.phase == Study.Phase.DRAFT:
        missing.append("The protocol is not frozen yet.")
    elif not designs_for(study):
        missing.append(
            "No design fits the protocol's arms and periods: there must be one period for each arm, "
            "or one period where the second of two arms shows output after the own answer."
        )
    if not readers_to_draw(study).exists():
        missing.append("No reader with an account is enrolled yet.")
    missing += missing_cases(study)
    without_images = study.cases.filter(series__images=None)
    if without_images.exists():
        missing.append(f"There are no images of {named(without_images)}.")
    return missing


def missing_cases(study: Study) -> list[str]:
    cases = study.cases.all()
    if not cases.exists():
        return ["No cases are imported yet."]
    without_truth = cases_without_truth(study)
    if without_truth.exists():
        return [f"The reference standard says nothing about {named(without_truth)}."]
    return []


def named(cases: QuerySet[Case]) -> str:
    labels = list(cases.order_by("label").values_list("label", flat=True).distinct())
    shown = ", ".join(labels[:5])
    return f"{len(labels)} case(s): {shown}{' …' if len(labels) > 5 else ''}"


def designs_for(study: Study) -> list[str]:
    """Designs that the number of arms and periods allows, the usual one first."""
    arms, periods = study.arms.count(), study.periods.count()
    last = study.arms.order_by("position").last()
    own_answer_first = last is not None and last.assistance == Arm.Assistance.SEQUENTIAL
    fitting = {
        "crossover": (arms, periods) == (2, 2),
        "crossed": arms == periods > 0,
        "sequential": (arms, periods) == (2, 1) and own_answer_first,
    }
    return [design for design in DESIGNS if fitting[design]]


def digest_of_slots(slots: Iterable[DrawnSlot]) -> str:
    return digest_of([[slot.reader, slot.period, slot.position, slot.arm, slot.case] for slot in slots])


def drawn_slots(allocation: Allocation) -> list[DrawnSlot]:
    rows = (
        allocation.slots.filter(training=0)
        .order_by("reader_id", "period__number", "position")
        .values_list("reader__code", "arm__code", "case__token", "period__number", "position")
    )
    return [DrawnSlot(*row) for row in rows]


def balance_of(allocation: Allocation) -> list[BalanceRow]:
    drawn_by = Standard.objects.get(token=allocation.parameters["standard"])
    truth = dict(truths_of(drawn_by).values_list("case_id", "positive"))
    counts: Counter[tuple[str, str, int, str, bool]] = Counter()
    rows = allocation.slots.filter(training=0).values_list(
        "reader__code", "reader__seniority", "period__number", "arm__label", "case_id"
    )
    for reader, seniority, period, arm, case in rows.order_by().iterator():
        counts[reader, seniority, period, arm, truth[case]] += 1
    groups = sorted({group[:4] for group in counts})
    return [BalanceRow(*group, positive=counts[*group, True], negative=counts[*group, False]) for group in groups]


def exported_slots(allocation: Allocation) -> Iterator[tuple[object, ...]]:
    slots = allocation.slots.filter(training=0).order_by("reader__code", "period__number", "position")
    yield COLUMNS
    yield from slots.values_list(
        "token", "reader__code", "reader__seniority", "period__number", "position", "arm__code", "case__label"
    ).iterator(chunk_size=2000)


def slots_of(study: Study) -> QuerySet[Slot]:
    return Slot.objects.filter(reader__study=study, external=False, training=0)
