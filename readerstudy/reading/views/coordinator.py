from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from readerstudy.accounts.queries import person
from readerstudy.audit.errors import Refused
from readerstudy.reading import actions, overview
from readerstudy.reading.answers import AnswersError
from readerstudy.reading.forms import CorrectionForm, ReasonForm
from readerstudy.reading.queries import questions_of
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_analyses, check_coordinates, role_in
from readerstudy.studies.queries import study_for


def overseen(request: HttpRequest, token: str) -> Study:
    study = study_for(person(request), token)
    check_analyses(person(request), study)
    return study


@require_GET
def progress(request: HttpRequest, study: str) -> HttpResponse:
    of_study = overseen(request, study)
    context = {
        "study": of_study,
        "coordinates": role_in(person(request), of_study) == Enrolment.Role.COORDINATOR,
        "missing": overview.missing_to_open(of_study) if before_opening(of_study) else [],
        "before_opening": before_opening(of_study),
        "readers": overview.reader_progress(of_study),
        "corrections": overview.corrections_of(of_study),
        "sources": overview.sources_of(of_study),
    }
    return render(request, "reading/coordinator.html", context)


def before_opening(study: Study) -> bool:
    return study.phase in (Study.Phase.DRAFT, Study.Phase.FROZEN)


@require_POST
def open_reading(request: HttpRequest, study: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    try:
        actions.open_reading(study=of_study, by=person(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Reading is open."))
    return redirect("readings:progress", study=study)


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, study: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    form = CorrectionForm(request.POST or None, questions=questions_of(of_study))
    if request.method == "POST" and form.is_valid() and corrected(request, of_study, form):
        messages.success(request, _("The correction is stored; the earlier answers stay beside it."))
        return redirect("readings:progress", study=study)
    context = {"study": of_study, "form": form}
    return render(request, "reading/coordinator_correct.html", context, status=400 if form.errors else 200)


def corrected(request: HttpRequest, study: Study, form: CorrectionForm) -> bool:
    data = form.cleaned_data
    reading = overview.reading_at(study, data["reader"], data["period"], data["position"])
    if reading is None:
        form.add_error("reader", _("There is no reading of this reader at this place."))
        return False
    try:
        actions.correct(reading=reading, values=form.values(), reason=data["reason"], by=person(request))
    except AnswersError as error:
        for key, sentence in error.errors.items():
            form.add_error(f"answer-{key}", sentence)
    except Refused as refused:
        form.add_error(None, str(refused))
    else:
        return True
    return False


@require_POST
def ask_override(request: HttpRequest, study: str, slot: str) -> HttpResponse:
    of_slot = overview.slot_of_study(overseen(request, study), slot)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        actions.ask_washout_override(slot=of_slot, reason=reason, by=person(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Asked. It counts once a second person agrees."))
    return redirect("readings:progress", study=study)


@require_POST
def agree_override(request: HttpRequest, study: str, slot: str) -> HttpResponse:
    of_slot = overview.slot_of_study(overseen(request, study), slot)
    try:
        actions.agree_washout_override(override=overview.override_of(of_slot), by=person(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Agreed. The reader may go on."))
    return redirect("readings:progress", study=study)
