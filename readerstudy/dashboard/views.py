from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import ReaderProfile, User
from readerstudy.accounts.queries import person
from readerstudy.studies.models import Enrolment
from readerstudy.studies.queries import enrolment_of, study_for

from . import queries
from .stages import next_stage, phase_list, stages_of


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    user = person(request)
    seats = queries.seats_of(user)
    reads = any(seat.enrolment.role == Enrolment.Role.READER for seat in seats)
    context = {
        "seats": seats,
        "creates": user.site_role in (User.Site.COORDINATOR, User.Site.ADMINISTRATOR),
        "profile_missing": reads and not ReaderProfile.objects.filter(user=user).exists(),
    }
    return render(request, "dashboard/home.html", context)


@require_GET
def overview(request: HttpRequest, study: str) -> HttpResponse:
    shown = study_for(person(request), study)
    seat = queries.seat_of(enrolment_of(person(request), shown))
    context = {"study": shown, "seat": seat, "phases": list(phase_list(shown.phase))}
    if seat.enrolment.role == Enrolment.Role.READER:
        return render(request, "dashboard/overview_reader.html", context)
    counts = queries.counts_of(shown)
    stages = stages_of(counts)
    context |= {"counts": counts, "stages": stages, "next": next_stage(stages)}
    return render(request, "dashboard/overview.html", context)


@require_GET
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/help.html")
