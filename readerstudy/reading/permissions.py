from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from readerstudy.allocation.models import Slot
from readerstudy.audit.errors import Denied
from readerstudy.studies.models import Study

from .models import ReadingSession


def check_study_open(study: Study) -> None:
    if study.phase == Study.Phase.LOCKED:
        raise Denied(_("Reading is closed: the study's data are locked."))
    if study.phase != Study.Phase.OPEN:
        raise Denied(_("Reading has not opened yet."))


def check_turn(slot: Slot, upcoming: Slot | None) -> None:
    """Cases are read in the order drawn, each once."""
    if upcoming is None or slot.pk != upcoming.pk:
        raise Denied(_("This is not your next case. Go on from your work list."))


def check_washout(due_at: datetime | None, now: datetime) -> None:
    if due_at is not None and now < due_at:
        due = _("%(day)s at %(time)s") % {"day": date_format(due_at, "d F Y"), "time": f"{due_at:%H:%M:%S}"}
        raise Denied(
            _("Your next case is due on %(due)s UTC: the protocol asks for a pause between two periods.") % {"due": due}
        )


def check_trained(*, trained: bool) -> None:
    if not trained:
        raise Denied(_("The training comes first; its pass mark is not reached yet. Go on from your work list."))


def check_display(session: ReadingSession | None) -> None:
    if session is None or session.display is None:
        raise Denied(_("Please check your display first. Go on from your work list."))
