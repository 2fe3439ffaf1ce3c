from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from readerstudy.cases.models import Case
from readerstudy.studies.models import Enrolment, Question, Study

from .models import Opinion, Standard, Truth

Verdict = Opinion.Verdict


@dataclass(frozen=True)
class CaseOpinions:
    """One case with the newest opinion of each truther, in the order of the truthers."""

    case: Case
    opinions: tuple[Opinion | None, ...]

    @property
    def given(self) -> tuple[Opinion, ...]:
        return tuple(opinion for opinion in self.opinions if opinion is not None)

    @property
    def consensus(self) -> bool | None:
        """What all who looked say; None where they differ, cannot decide, or nobody looked."""
        said = {opinion.verdict for opinion in self.given}
        return said == {Verdict.POSITIVE} if len(said) == 1 and Verdict.UNDECIDED not in said else None

    @property
    def disagrees(self) -> bool:
        return bool(self.given) and self.consensus is None


@dataclass(frozen=True)
class Pair:
    """Two truthers over the cases that both decided."""

    first: Enrolment
    second: Enrolment
    both_positive: int
    both_negative: int
    differ: int

    @property
    def cases(self) -> int:
        return self.both_positive + self.both_negative + self.differ

    @property
    def agreement(self) -> float | None:
        return (self.both_positive + self.both_negative) / self.cases if self.cases else None


@dataclass(frozen=True)
class OpinionTable:
    truthers: tuple[Enrolment, ...]
    cases: tuple[CaseOpinions, ...]
    pairs: tuple[Pair, ...]

    @property
    def disagreements(self) -> tuple[CaseOpinions, ...]:
        return tuple(case for case in self.cases if case.disagrees)

    @property
    def agreed(self) -> int:
        return sum(case.consensus is not None for case in self.cases)

    @property
    def unseen(self) -> int:
        return sum(not case.given for case in self.cases)


@dataclass(frozen=True)
class Task:
    """A case of a truther's list, with their own newest opinion and nobody else's."""

    number: int
    case: Case
    opinion: Opinion | None


def question_of(study: Study) -> str:
    """What truthers decide: the same that readers are asked first; empty before the protocol asks it."""
    decisions = Question.objects.filter(study=study, kind=Question.Kind.DECISION)
    return decisions.values_list("text", flat=True).first() or ""


def standards_of(study: Study) -> QuerySet[Standard]:
    counts = {
        "positives": Count("truths", filter=Q(truths__positive=True)),
        "negatives": Count("truths", filter=Q(truths__positive=False)),
    }
    return Standard.objects.filter(study=study).select_related("made_by").annotate(**counts).order_by("-number")


def standard_for(study: Study, token: str) -> Standard:
    standard = standards_of(study).filter(token=token).first()
    if standard is None:
        raise Http404
    return standard


def current_standard(study: Study) -> Standard | None:
    return Standard.objects.filter(study=study).order_by("-number").first()


def truths_of(standard: Standard) -> QuerySet[Truth]:
    return Truth.objects.filter(standard=standard, unit__isnull=True).select_related("case").order_by("case__label")


def truth_by_case(study: Study) -> dict[int, bool]:
    """Primary key of the case to the truth of the current standard; cases without truth are not in it."""
    standard = current_standard(study)
    if standard is None:
        return {}
    return dict(truths_of(standard).values_list("case_id", "positive"))


def cases_without_truth(study: Study) -> QuerySet[Case]:
    return Case.objects.filter(study=study).exclude(pk__in=truth_by_case(study)).order_by("label")


def truthers_of(study: Study) -> QuerySet[Enrolment]:
    truthers = Enrolment.objects.filter(study=study, role=Enrolment.Role.TRUTHER)
    return truthers.select_related("user").order_by("pk")


def newest_opinions(study: Study) -> QuerySet[Opinion]:
    return (
        Opinion.objects.filter(case__study=study)
        .order_by("truther_id", "case_id", "-number")
        .distinct("truther_id", "case_id")
    )


def opinion_table(study: Study) -> OpinionTable:
    truthers = tuple(truthers_of(study))
    newest = {(opinion.case_id, opinion.truther_id): opinion for opinion in newest_opinions(study)}
    cases = tuple(
        CaseOpinions(case, tuple(newest.get((case.pk, truther.pk)) for truther in truthers))
        for case in Case.objects.filter(study=study).order_by("label")
    )
    pairs = tuple(
        pair_of(truthers[first], truthers[second], [(case.opinions[first], case.opinions[second]) for case in cases])
        for first, second in combinations(range(len(truthers)), 2)
    )
    return OpinionTable(truthers, cases, pairs)


def pair_of(first: Enrolment, second: Enrolment, opinions: Iterable[tuple[Opinion | None, Opinion | None]]) -> Pair:
    decided = [
        (one.verdict, other.verdict)
        for one, other in opinions
        if one is not None and other is not None and Verdict.UNDECIDED not in (one.verdict, other.verdict)
    ]
    return Pair(
        first,
        second,
        both_positive=decided.count((Verdict.POSITIVE, Verdict.POSITIVE)),
        both_negative=decided.count((Verdict.NEGATIVE, Verdict.NEGATIVE)),
        differ=sum(one != other for one, other in decided),
    )


def tasks_of(truther: Enrolment) -> list[Task]:
    newest = {opinion.case_id: opinion for opinion in newest_opinions(truther.study).filter(truther=truther)}
    cases = Case.objects.filter(study=truther.study).order_by("label")
    return [Task(number, case, newest.get(case.pk)) for number, case in enumerate(cases, start=1)]


def task_for(tasks: list[Task], case: str) -> Task:
    found = next((task for task in tasks if task.case.token == case), None)
    if found is None:
        raise Http404
    return found


def next_task(tasks: list[Task], after: Task) -> Task | None:
    """The next case without an opinion, looking round from this one."""
    round_from = tasks[after.number :] + tasks[: after.number - 1]
    return next((task for task in round_from if task.opinion is None), None)
