"""The reader's pages around the reading itself."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods

from readerstudy.accounts.queries import person
from readerstudy.allocation.models import Slot
from readerstudy.reading import actions
from readerstudy.reading.models import ReadingSession
from readerstudy.reading.overview import planned_slots
from readerstudy.reading.queries import (
    current_and_next,
    due_at,
    is_revisable,
    is_trained,
    open_session,
    progress_of,
    reader_for,
    readings_of,
    slot_for,
)
from readerstudy.reading.sight import Progress
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.queries import rules_of

HOME = "reading:worklist"
IDLE_SECONDS = 30


@dataclass(frozen=True)
class Standing:
    """Where a reader stands in a study: the period, how far, and whether a case is due."""

    reader: str
    study: Study
    state: str
    period: int | None
    periods: int
    progress: Progress
    due_at: datetime | None
    slot: str | None
    instructions_url: str
    begun: bool
    display_checked: bool
    training: bool

    @property
    def done(self) -> int:
        return self.progress.done

    @property
    def total(self) -> int:
        return self.progress.total

    @property
    def slot_url(self) -> str | None:
        if self.state != "ready":
            return None
        if not self.display_checked:
            return reverse("reading:display", args=[self.reader])
        return reverse("reading:read", args=[self.slot])

    @property
    def continue_url(self) -> str:
        """Straight to the next case, except the first time in a period: then by way of the instructions."""
        return (self.slot_url if self.begun else None) or self.instructions_url

    @property
    def training_url(self) -> str:
        return reverse("reading:training", args=[self.reader])


def standing_of(reader: Enrolment) -> Standing:
    slot, _ = current_and_next(reader)
    due = due_at(slot) if slot and reader.study.phase == Study.Phase.OPEN else None
    due = due if due and due > timezone.now() else None
    return Standing(
        reader=reader.token,
        study=reader.study,
        state=state_of(reader.study, has_slot=slot is not None, waits=due is not None, untrained=is_untrained(slot)),
        period=slot.period.number if slot else None,
        periods=reader.study.periods.count(),
        progress=progress_of(reader, slot.period_id if slot else None),
        due_at=due,
        slot=slot.token if slot else None,
        instructions_url=reverse("reading:start", args=[reader.token]),
        begun=slot is not None and ReadingSession.objects.filter(reader=reader, period=slot.period).exists(),
        display_checked=slot is None or is_display_checked(slot),
        training=slot is not None and slot.training > 0,
    )


def is_display_checked(slot: Slot) -> bool:
    if not rules_of(slot.reader.study).display_check:
        return True
    session = open_session(slot.reader, slot.period_id)
    return session is not None and session.display is not None


def is_untrained(slot: Slot | None) -> bool:
    """The training is read and its pass mark was not reached."""
    if slot is None or slot.training:
        return False
    pass_mark = rules_of(slot.reader.study).training_pass_mark
    return pass_mark is not None and not is_trained(slot.reader, pass_mark)


def state_of(study: Study, *, has_slot: bool, waits: bool, untrained: bool = False) -> str:
    if study.phase == Study.Phase.LOCKED:
        return "locked"
    if study.phase != Study.Phase.OPEN:
        return "closed"
    if not has_slot:
        return "finished"
    if untrained:
        return "untrained"
    return "waiting" if waits else "ready"


@require_GET
@cache_control(private=True, no_store=True)
def worklist(request: HttpRequest) -> HttpResponse:
    entries = [standing_of(reader) for reader in readings_of(person(request))]
    return render(request, "reading/worklist.html", {"entries": entries})


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
def start(request: HttpRequest, reader: str) -> HttpResponse:
    own = reader_for(person(request), reader)
    if request.method == "POST":
        if standing_of(own).display_checked is False:
            return redirect("reading:display", reader=reader)
        slot = actions.start_session(reader=own, by=person(request))
        return redirect("reading:read", slot=slot.token) if slot else redirect("reading:finished", reader=reader)
    standing = standing_of(own)
    rules = rules_of(own.study)
    context = page_context(standing) | {"start_url": standing.slot_url, "may_revise": rules.may_revise}
    return render(request, "reading/instructions.html", context)


@require_GET
@cache_control(private=True, no_store=True)
def read(request: HttpRequest, slot: str) -> HttpResponse:
    """The frame of the reading page: the case itself comes as JSON, and only that counts as opening it."""
    own = slot_for(person(request), slot)
    standing = standing_of(own.reader)
    revised = is_revisable(own)
    if not revised and (standing.state != "ready" or standing.slot != slot):
        return redirect(HOME)
    if not revised and not standing.display_checked:
        return redirect("reading:display", reader=own.reader.token)
    context = {
        "study": own.reader.study,
        "slot": slot,
        "case_url": reverse("reading:case", args=[slot]),
        "home_url": reverse(HOME),
        "finished_url": reverse("reading:finished", args=[own.reader.token]),
        "break_minutes": rules_of(own.reader.study).break_minutes,
        "training_url": reverse("reading:training", args=[own.reader.token]),
        "back_url": standing.slot_url or reverse(HOME),
        "idle_seconds": IDLE_SECONDS,
        "instructions_url": standing.instructions_url,
    }
    return render(request, "reading/read.html", context)


@require_GET
@cache_control(private=True, no_store=True)
def paused(request: HttpRequest, reader: str) -> HttpResponse:
    standing = standing_of(reader_for(person(request), reader))
    context = page_context(standing) | {"continue_url": standing.continue_url}
    return render(request, "reading/paused.html", context)


@require_GET
@cache_control(private=True, no_store=True)
def finished(request: HttpRequest, reader: str) -> HttpResponse:
    own = reader_for(person(request), reader)
    standing = standing_of(own)
    if standing.state in ("ready", "closed", "untrained"):
        return redirect(HOME)
    whole = page_context(standing) | {"progress": progress_of(own), "debriefing_url": debriefing_url(own, standing)}
    if standing.due_at is not None and standing.period is not None:
        whole |= {"due_at": standing.due_at, "period": standing.period - 1 if not standing.done else standing.period}
    return render(request, "reading/finished.html", whole)


def debriefing_url(reader: Enrolment, standing: Standing) -> str | None:
    """Only who has read everything is told that some of the output was planned."""
    if standing.state not in ("finished", "locked") or not planned_slots(reader).exists():
        return None
    return reverse("reading:debriefing", args=[reader.token])


def page_context(standing: Standing) -> dict[str, object]:
    return {
        "study": standing.study,
        "period": standing.period or standing.periods,
        "progress": standing.progress,
        "home_url": reverse(HOME),
    }
