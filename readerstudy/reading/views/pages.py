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
from readerstudy.reading import actions
from readerstudy.reading.models import ReadingSession
from readerstudy.reading.queries import current_and_next, due_at, progress_of, reader_for, readings_of, slot_for
from readerstudy.reading.sight import Progress
from readerstudy.studies.models import Enrolment, Study

HOME = "reading:worklist"
BREAK_MINUTES = 30
IDLE_SECONDS = 30


@dataclass(frozen=True)
class Standing:
    """Where a reader stands in a study: the period, how far, and whether a case is due."""

    study: Study
    state: str
    period: int | None
    periods: int
    progress: Progress
    due_at: datetime | None
    slot: str | None
    instructions_url: str
    begun: bool

    @property
    def done(self) -> int:
        return self.progress.done

    @property
    def total(self) -> int:
        return self.progress.total

    @property
    def slot_url(self) -> str | None:
        return reverse("reading:read", args=[self.slot]) if self.state == "ready" else None

    @property
    def continue_url(self) -> str:
        """Straight to the next case, except the first time in a period: then by way of the instructions."""
        return (self.slot_url if self.begun else None) or self.instructions_url


def standing_of(reader: Enrolment) -> Standing:
    slot, _ = current_and_next(reader)
    due = due_at(slot) if slot and reader.study.phase == Study.Phase.OPEN else None
    due = due if due and due > timezone.now() else None
    return Standing(
        study=reader.study,
        state=state_of(reader.study, has_slot=slot is not None, waits=due is not None),
        period=slot.period.number if slot else None,
        periods=reader.study.periods.count(),
        progress=progress_of(reader, slot.period_id if slot else None),
        due_at=due,
        slot=slot.token if slot else None,
        instructions_url=reverse("reading:start", args=[reader.token]),
        begun=slot is not None and ReadingSession.objects.filter(reader=reader, period=slot.period).exists(),
    )


def state_of(study: Study, *, has_slot: bool, waits: bool) -> str:
    if study.phase == Study.Phase.LOCKED:
        return "locked"
    if study.phase != Study.Phase.OPEN:
        return "closed"
    if not has_slot:
        return "finished"
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
        slot = actions.start_session(reader=own, by=person(request))
        return redirect("reading:read", slot=slot.token) if slot else redirect("reading:finished", reader=reader)
    standing = standing_of(own)
    context = page_context(standing) | {"start_url": standing.slot_url}
    return render(request, "reading/instructions.html", context)


@require_GET
@cache_control(private=True, no_store=True)
def read(request: HttpRequest, slot: str) -> HttpResponse:
    """The frame of the reading page: the case itself comes as JSON, and only that counts as opening it."""
    own = slot_for(person(request), slot)
    standing = standing_of(own.reader)
    if standing.state != "ready" or standing.slot != slot:
        return redirect(HOME)
    context = {
        "study": own.reader.study,
        "slot": slot,
        "case_url": reverse("reading:case", args=[slot]),
        "home_url": reverse(HOME),
        "finished_url": reverse("reading:finished", args=[own.reader.token]),
        "break_minutes": BREAK_MINUTES,
        "idle_seconds": IDLE_SECONDS,
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
    if standing.state in ("ready", "closed"):
        return redirect(HOME)
    whole = page_context(standing) | {"progress": progress_of(own)}
    if standing.due_at is not None and standing.period is not None:
        whole |= {"due_at": standing.due_at, "period": standing.period - 1 if not standing.done else standing.period}
    return render(request, "reading/finished.html", whole)


def page_context(standing: Standing) -> dict[str, object]:
    return {
        "study": standing.study,
        "period": standing.period or standing.periods,
        "progress": standing.progress,
        "home_url": reverse(HOME),
    }
