from dataclasses import dataclass

from django.db.models import Count, Q

from readerstudy.accounts.models import User
from readerstudy.allocation.models import Allocation, Slot
from readerstudy.cases.models import Case, CaseImport
from readerstudy.predictions.models import RunCase
from readerstudy.reading.models import Reading
from readerstudy.reference.models import Opinion
from readerstudy.results.models import AnalysisRun
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.queries import current_version, gaps_of

from .stages import Counts, Step, step_for

Role = Enrolment.Role


@dataclass(frozen=True)
class Seat:
    """One study as one member sees it in their list."""

    study: Study
    enrolment: Enrolment
    step: Step
    done: int
    total: int


def counts_of(study: Study) -> Counts:
    enrolled = study.enrolments.filter(active=True)
    slots = Slot.objects.filter(reader__study=study, training=0).aggregate(
        total=Count("pk"), external=Count("pk", filter=Q(external=True))
    )
    assisting = RunCase.objects.filter(run__study=study, run__assists=True)
    standard = study.standards.order_by("-number").first()
    version = current_version(study)
    return Counts(
        phase=study.phase,
        gaps=tuple(gaps_of(study)) if study.phase == Study.Phase.DRAFT else (),
        protocol_version=version.number if version else 0,
        readers=enrolled.filter(role=Role.READER).count(),
        truthers=enrolled.filter(role=Role.TRUTHER).count(),
        cases=Case.objects.filter(study=study).count(),
        importing=study.imports.filter(phase__in=[CaseImport.Phase.CHECKING, CaseImport.Phase.RUNNING]).count(),
        standards=standard.number if standard else 0,
        aided=study.arms.exclude(assistance="none").exists(),
        runs=study.prediction_runs.count(),
        assisting_cases=assisting.count(),
        assisting_done=assisting.filter(prediction__phase="done").count(),
        allocated=Allocation.objects.filter(study=study).exists(),
        slots=slots["total"],
        external_slots=slots["external"],
        submitted=Reading.objects.filter(
            slot__reader__study=study, slot__training=0, phase=Reading.Phase.SUBMITTED
        ).count(),
        analyses=AnalysisRun.objects.filter(dataset__study=study, phase=AnalysisRun.Phase.DONE).count(),
    )


def progress_of(enrolment: Enrolment) -> tuple[int, int]:
    """Done and to do: readings of a reader, opinions of a truther, readings of all for who runs the study."""
    study = enrolment.study
    match enrolment.role:
        case Role.READER:
            slots = Slot.objects.filter(reader=enrolment, training=0)
        case Role.TRUTHER:
            given = Opinion.objects.filter(truther=enrolment).values("case").distinct().count()
            return given, Case.objects.filter(study=study).count()
        case _:
            slots = Slot.objects.filter(reader__study=study, training=0)
    return slots.filter(reading__phase=Reading.Phase.SUBMITTED).count(), slots.count()


def seat_of(enrolment: Enrolment) -> Seat:
    done, total = progress_of(enrolment)
    study = enrolment.study
    counts = counts_of(study) if enrolment.role != Role.READER else Counts(phase=study.phase)
    return Seat(study, enrolment, step_for(enrolment.role, counts, left=total - done), done, total)


def seats_of(user: User) -> list[Seat]:
    enrolments = Enrolment.objects.filter(user=user, active=True).select_related("study")
    return [seat_of(enrolment) for enrolment in enrolments.order_by("-study__created_at")]
