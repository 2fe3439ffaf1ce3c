from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from readerstudy.accounts.models import ReaderProfile, User
from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_coordinates

from .rows import locked, stored

Role = Enrolment.Role


@transaction.atomic
def enrol(*, study: Study, username: str, role: str, by: User, simulated: bool = False) -> Enrolment:
    """Give a person their one role in the study; a reader gets a code and the seniority of their profile."""
    check_coordinates(by, study)
    held = locked(study)
    user = User.objects.filter(username__iexact=username.strip(), is_active=True).first()
    if user is None:
        raise Refused(
            _("Nobody has the user name “%(name)s”. An account is made under People first.")
            % {"name": username.strip()}
        )
    check_may_join(held, user, role)
    reader = role == Role.READER
    enrolment = Enrolment(
        study=held,
        user=user,
        role=role,
        code=next_code(held.enrolments.all()) if reader else "",
        seniority=seniority_of(user) if reader else "",
        simulated=simulated,
    )
    return recorded(stored(enrolment), "person.enrolled", by)


def check_may_join(study: Study, user: User, role: str) -> None:
    if study.phase == Study.Phase.LOCKED:
        raise Refused(_("The study is locked; nobody is enrolled any more."))
    if role == Role.READER and study.phase == Study.Phase.OPEN:
        raise Refused(_("Reading is open and every reading is allocated; no reader joins now."))
    before = study.enrolments.filter(user=user).first()
    if before is not None:
        told = (
            _("%(user)s is enrolled as %(role)s; a person has one role in a study, %(why)s")
            if before.active
            else _("%(user)s was enrolled as %(role)s; a person has one role in a study, %(why)s")
        )
        why = _("so that nobody reads who set the truth.")
        raise Refused(told % {"user": user, "role": before.get_role_display().lower(), "why": why})


def seniority_of(user: User) -> str:
    profile = ReaderProfile.objects.filter(user=user).first()
    if profile is None:
        raise Refused(_("%(user)s has no reader profile yet; their seniority is entered there first.") % {"user": user})
    return profile.seniority


def next_code(enrolments: QuerySet[Enrolment]) -> str:
    taken = set(enrolments.exclude(code="").values_list("code", flat=True))
    return next(code for code in (f"R{number:02d}" for number in range(1, len(taken) + 2)) if code not in taken)


@transaction.atomic
def enrol_external(*, study: Study, code: str, seniority: str, by: User, simulated: bool = False) -> Enrolment:
    """A reader without an account, whose answers were given elsewhere and are imported."""
    check_coordinates(by, study)
    held = locked(study)
    if held.phase == Study.Phase.LOCKED:
        raise Refused(_("The study is locked; nobody is enrolled any more."))
    if held.enrolments.filter(code=code.strip()).exists():
        raise Refused(_("The code “%(code)s” is taken in this study.") % {"code": code.strip()})
    enrolment = Enrolment(
        study=held, role=Role.READER, code=code.strip(), seniority=seniority, external=True, simulated=simulated
    )
    return recorded(stored(enrolment), "person.enrolled", by)


@transaction.atomic
def withdraw(*, enrolment: Enrolment, reason: str, by: User) -> None:
    """The person may do nothing more in the study; what they did stays."""
    check_coordinates(by, enrolment.study)
    held = locked(enrolment.study)
    if held.phase == Study.Phase.LOCKED:
        raise Refused(_("The study is locked; its readers stay as they are."))
    if not reason.strip():
        raise Refused(_("A withdrawal needs its reason."))
    if enrolment.role == Role.COORDINATOR and is_last_coordinator(enrolment):
        raise Refused(_("A study keeps at least one coordinator."))
    if not Enrolment.objects.filter(pk=enrolment.pk, active=True).update(active=False):
        raise Refused(_("%(enrolment)s was withdrawn already.") % {"enrolment": enrolment})
    facts = {"old": {"active": True}, "new": {"active": False}, "reason": reason.strip()}
    record(actor=by, verb="person.withdrawn", target=enrolment, facts=facts, study=held)
    enrolment.active = False


def is_last_coordinator(enrolment: Enrolment) -> bool:
    others = Enrolment.objects.filter(study=enrolment.study, role=Role.COORDINATOR, active=True)
    return not others.exclude(pk=enrolment.pk).exists()


def recorded(enrolment: Enrolment, verb: str, by: User) -> Enrolment:
    facts = {
        "user": enrolment.user.get_username() if enrolment.user else None,
        "role": enrolment.role,
        "code": enrolment.code,
        "seniority": enrolment.seniority,
        "external": enrolment.external,
        "simulated": enrolment.simulated,
    }
    record(actor=by, verb=verb, target=enrolment, facts=facts, study=enrolment.study)
    return enrolment
