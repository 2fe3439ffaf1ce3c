from django.db.models import QuerySet
from django.http import Http404

from readerstudy.accounts.models import User

from .models import Enrolment, Study


def studies_of(user: User) -> QuerySet[Study]:
    return Study.objects.filter(enrolments__user=user, enrolments__active=True).distinct()


def study_for(user: User, token: str) -> Study:
    """The study, for its members; for everybody else it does not exist."""
    study = studies_of(user).filter(token=token).first()
    if study is None:
        raise Http404
    return study


def enrolment_of(user: User, study: Study) -> Enrolment:
    enrolment = Enrolment.objects.filter(user=user, study=study, active=True).select_related("study", "user").first()
    if enrolment is None:
        raise Http404
    return enrolment


def readers_of(study: Study) -> QuerySet[Enrolment]:
    return study.enrolments.filter(role=Enrolment.Role.READER, active=True).order_by("code")
