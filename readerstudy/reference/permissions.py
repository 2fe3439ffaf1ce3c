from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_truths


def check_still_open(study: Study) -> None:
    """After the lock the data set stands on one reference standard."""
    if Study.objects.filter(pk=study.pk, phase=Study.Phase.LOCKED).exists():
        raise Refused(_("The study is locked; its reference standard is part of the data set and cannot change."))


def check_own(user: User, truther: Enrolment) -> None:
    check_truths(user, truther.study)
    if truther.user_id != user.pk:
        raise Refused(_("An opinion is given in one's own name."))
