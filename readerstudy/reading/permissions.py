from datetime import datetime

from readerstudy.allocation.models import Slot
from readerstudy.audit.errors import Denied
from readerstudy.studies.models import Study


def check_study_open(study: Study) -> None:
    if study.phase == Study.Phase.LOCKED:
        raise Denied("Reading is closed: the study's data are locked.")
    if study.phase != Study.Phase.OPEN:
        raise Denied("Reading has not opened yet.")


def check_turn(slot: Slot, upcoming: Slot | None) -> None:
    """Cases are read in the order drawn, each once."""
    if upcoming is None or slot.pk != upcoming.pk:
        raise Denied("This is not your next case. Go on from your work list.")


def check_washout(due_at: datetime | None, now: datetime) -> None:
    if due_at is not None and now < due_at:
        raise Denied(
            f"Your next case is due on {due_at:%d %B %Y at %H:%M:%S} UTC: "
            "the protocol asks for a pause between two periods."
        )
