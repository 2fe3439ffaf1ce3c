from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.errors import Denied

from .models import Enrolment, Study

Role = Enrolment.Role


def role_in(user: User, study: Study) -> str | None:
    """The role of an active member, or None."""
    return Enrolment.objects.filter(study=study, user=user, active=True).values_list("role", flat=True).first()


def check_creates_studies(user: User) -> None:
    if user.site_role not in (User.Site.COORDINATOR, User.Site.ADMINISTRATOR):
        raise Denied(_("Only coordinators create studies. Ask an administrator for that role."))


def check_coordinates(user: User, study: Study) -> None:
    if role_in(user, study) != Role.COORDINATOR:
        raise Denied(_("Only the coordinator of this study may do this."))


def check_truths(user: User, study: Study) -> None:
    if role_in(user, study) != Role.TRUTHER:
        raise Denied(_("Only truthers of this study may do this."))


def check_analyses(user: User, study: Study) -> None:
    if role_in(user, study) not in (Role.COORDINATOR, Role.STATISTICIAN):
        raise Denied(_("Only the statistician or the coordinator of this study may see this."))


def check_reads(user: User, study: Study) -> None:
    if role_in(user, study) != Role.READER:
        raise Denied(_("Only readers of this study may do this."))


def check_sees_protocol(user: User, study: Study) -> None:
    """Not readers: what the arms show and how long the washout is must not colour how they read."""
    if role_in(user, study) not in (Role.COORDINATOR, Role.STATISTICIAN, Role.TRUTHER):
        raise Denied(_("Readers work from the instructions; the protocol is shown to the people who run the study."))
