from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Study


def check_still_open(study: Study) -> None:
    """After the lock the data set stands on one reference standard."""
    if Study.objects.filter(pk=study.pk, phase=Study.Phase.LOCKED).exists():
        raise Refused("The study is locked; its reference standard is part of the data set and cannot change.")
