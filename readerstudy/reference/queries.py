from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from readerstudy.cases.models import Case
from readerstudy.studies.models import Enrolment, Question, Study

from .drawn import Desk, desk_of, differences_in
from .models import Adjudicator, Opinion, Standard, StandardAnnotation, Truth

Verdict = Opinion.Verdict


@dataclass(frozen=True)
class CaseOpinions:
    """One case with the newest opinion of each truther, in the order of the truthers."""

    case: Case
    opinions: tuple[Opinion | None, ...]
    adjudicated: Opinion | None = None
    differences: tuple[str, ...] = ()
    """Where what they drew differs."""

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

    @property
    def open_question(self) -> bool:
        """They do not agree and no adjudicator has decided either way."""
        return self.disagrees and (self.adjudicated is None or self.adjudicated.verdict == Verdict.UNDECIDED)

    @property
    def single(self) -> bool:
        """One truther alone has said it, and nobody else has decided."""
        return len(self.given) == 1 and self.consensus is not None and self.adjudicated is None

    @property
    def contested(self) -> bool:
        return self.disagrees or bool(self.differences)

    @property
    def standing(self) -> Opinion | None:
        """Whose marks go into the standard: the adjudicator's, else the first truther's where all drew the same."""
        if self.adjudicated is not None:
            return self.adjudicated
        return self.given[0] if self.given and not self.contested else None


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
    def open_questions(self) -> tuple[CaseOpinions, ...]:
        return tuple(case for case in self.cases if case.open_question)

    @property
    def single(self) -> tuple[CaseOpinions, ...]:
        return tuple(case for case in self.cases if case.single)

    @property
    def drawn_apart(self) -> tuple[CaseOpinions, ...]:
        """Cases whose marks differ and stay out of the standard until they are adjudicated."""
        return tuple(case for case in self.cases if case.differences and case.adjudicated is None)

    @property
    def agreed(self) -> int:
        return sum(case.consensus is not None for case in self.cases)

    @property
    def unseen(self) -> int:
        return sum(not case.given for case in self.cases)


def named(entries: Sequence[CaseOpinions]) -> str:
    """The first ten by their labels."""
    return ", ".join(entry.case.label for entry in entries[:10]) + (" …" if len(entries) > 10 else "")


@dataclass(frozen=True)
class Task:
    """A case of a truther's list, with their own newest opinion and nobody else's."""

    number: int
    case: Case
    opinion: Opinion | None
    contested: bool = False
    """For the adjudicator: the others do not agree."""


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
    """Those who judge by themselves; the adjudicator stands apart."""
    truthers = Enrolment.objects.filter(study=study, role=Enrolment.Role.TRUTHER, adjudicator__isnull=True)
    return truthers.select_related("user").order_by("pk")


def adjudicators_of(study: Study) -> QuerySet[Adjudicator]:
    return Adjudicator.objects.filter(truther__study=study).select_related("truther__user").order_by("pk")


def truther_for(study: Study, token: str) -> Enrolment | None:
    return truthers_of(study).filter(token=token).first()


def truthers_without_opinion(study: Study) -> QuerySet[Enrolment]:
    """Who could still be made adjudicator."""
    return truthers_of(study).filter(opinions__isnull=True, active=True)


def adjudicates(truther: Enrolment) -> bool:
    return Adjudicator.objects.filter(truther=truther).exists()


def newest_opinions(study: Study) -> QuerySet[Opinion]:
    """Of each truther and case, adjudications apart."""
    return _newest(study).filter(adjudicates=False)


def adjudications(study: Study) -> dict[int, Opinion]:
    """By primary key of the case; of several adjudicators the one who decided last."""
    decided = _newest(study).filter(adjudicates=True)
    return {opinion.case_id: opinion for opinion in sorted(decided, key=lambda opinion: opinion.given_at)}


def _newest(study: Study) -> QuerySet[Opinion]:
    return (
        Opinion.objects.filter(case__study=study)
        .order_by("truther_id", "case_id", "-number")
        .distinct("truther_id", "case_id")
    )


def opinion_table(study: Study) -> OpinionTable:
    truthers = tuple(truthers_of(study))
    newest = {(opinion.case_id, opinion.truther_id): opinion for opinion in newest_opinions(study)}
    decided = adjudications(study)
    differences = differences_in(newest.values(), {truther.pk: str(truther) for truther in truthers})
    cases = tuple(
        CaseOpinions(
            case,
            tuple(newest.get((case.pk, truther.pk)) for truther in truthers),
            decided.get(case.pk),
            differences.get(case.pk, ()),
        )
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
    if adjudicates(truther):
        return _cases_to_adjudicate(truther)
    newest = {opinion.case_id: opinion for opinion in newest_opinions(truther.study).filter(truther=truther)}
    cases = Case.objects.filter(study=truther.study).order_by("label")
    return [Task(number, case, newest.get(case.pk)) for number, case in enumerate(cases, start=1)]


def _cases_to_adjudicate(truther: Enrolment) -> list[Task]:
    """Cases that two have judged by themselves and do not agree on, or that were adjudicated before."""
    own = {opinion.case_id: opinion for opinion in _newest(truther.study).filter(truther=truther)}
    table = opinion_table(truther.study)
    due = [entry for entry in table.cases if (len(entry.given) > 1 and entry.contested) or entry.case.pk in own]
    return [
        Task(number, entry.case, own.get(entry.case.pk), contested=entry.contested)
        for number, entry in enumerate(due, start=1)
    ]


def task_for(tasks: Sequence[Task], case: str) -> Task:
    found = next((task for task in tasks if task.case.token == case), None)
    if found is None:
        raise Http404
    return found


def task_alone(truther: Enrolment, case: str) -> Task:
    """The same without the list, for what the page asks at every step: comparing all cases takes its time."""
    found = Case.objects.filter(study=truther.study, token=case).first()
    if found is None:
        raise Http404
    own = _newest(truther.study).filter(truther=truther, case=found).first()
    if adjudicates(truther) and own is None and not is_contested(found):
        raise Http404
    return Task(0, found, own)


def is_contested(case: Case) -> bool:
    """Whether two have judged it and do not agree."""
    given = tuple(newest_opinions(case.study).filter(case=case))
    differences = differences_in(given).get(case.pk, ())
    return len(given) > 1 and CaseOpinions(case, given, differences=differences).contested


def next_task(tasks: Sequence[Task], after: Task) -> Task | None:
    """The next case without an opinion, looking round from this one."""
    round_from = [*tasks[after.number :], *tasks[: after.number - 1]]
    return next((task for task in round_from if task.opinion is None), None)


def desk_for(truther: Enrolment, task: Task) -> Desk:
    others: list[Opinion] = []
    if adjudicates(truther):
        given = newest_opinions(truther.study).filter(case=task.case)
        others = sorted(given, key=lambda opinion: opinion.truther_id)
    return desk_of(truther, task.case, task.opinion, others)


def annotations_of(standard: Standard) -> QuerySet[StandardAnnotation]:
    found = StandardAnnotation.objects.filter(standard=standard).select_related("case", "annotation__opinion__truther")
    return found.order_by("case__label")
