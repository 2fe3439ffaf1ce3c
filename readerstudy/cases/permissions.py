from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.errors import Denied, Refused
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import role_in


def check_sees_cases(user: User, study: Study) -> None:
    """Readers see cases in their reading room and nowhere else."""
    if role_in(user, study) not in (Enrolment.Role.COORDINATOR, Enrolment.Role.TRUTHER):
        raise Denied(_("Only the coordinator and the truthers of this study may look at its cases here."))


def why_no_more_cases(study: Study) -> str:
    """The sentence why the study takes no more cases; empty where it does."""
    current = Study.objects.filter(pk=study.pk)
    if current.filter(phase__in=(Study.Phase.OPEN, Study.Phase.LOCKED)).exists():
        return _("Reading has been opened; cases can be added only before.")
    if current.filter(allocation__isnull=False).exists():
        return _("The allocation is drawn; adding a case now would leave it without a reader.")
    return ""


def check_takes_cases(study: Study) -> None:
    if sentence := why_no_more_cases(study):
        raise Refused(sentence)
