from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from readerstudy.accounts.queries import person
from readerstudy.audit.errors import Refused
from readerstudy.studies import actions, queries
from readerstudy.studies.forms import AmendForm, StudyForm
from readerstudy.studies.hanging import hanging_of, written
from readerstudy.studies.models import Question, Study
from readerstudy.studies.permissions import check_coordinates, check_sees_protocol, role_in
from readerstudy.studies.protocol import text_of

from .pages import carried_out, form_page


def coordinated(request: HttpRequest, token: str) -> Study:
    study = queries.study_for(person(request), token)
    check_coordinates(person(request), study)
    return study


def context_of(request: HttpRequest, study: Study) -> dict[str, object]:
    coordinator = role_in(person(request), study) == "coordinator"
    return {
        "study": study,
        "questions": queries.questions_of(study),
        "rules": queries.rules_of(study),
        "hanging": hanging_text(study),
        "gaps": queries.gaps_of(study),
        "versions": queries.versions_of(study),
        "changeable": coordinator and study.phase == Study.Phase.DRAFT,
        "amendable": coordinator and study.phase in (Study.Phase.FROZEN, Study.Phase.OPEN),
        "kinds": Question.Kind.choices,
    }


def hanging_text(study: Study) -> str:
    hanging = queries.rules_of(study).hanging
    return written(hanging_of(hanging)) if hanging else ""


@require_GET
def protocol(request: HttpRequest, study: str) -> HttpResponse:
    shown = queries.study_for(person(request), study)
    check_sees_protocol(person(request), shown)
    return render(request, "studies/protocol.html", context_of(request, shown))


@require_GET
def printed(request: HttpRequest, study: str) -> HttpResponse:
    shown = queries.study_for(person(request), study)
    check_sees_protocol(person(request), shown)
    return render(request, "studies/printed.html", context_of(request, shown))


@require_GET
def document(request: HttpRequest, study: str, number: int, part: str) -> HttpResponse:
    """The canonical text of a version: `sha256sum` of this file is the digest on the page."""
    shown = queries.study_for(person(request), study)
    check_sees_protocol(person(request), shown)
    version = get_object_or_404(shown.protocol_versions, number=number)
    parts = {"protocol": version.protocol, "plan": version.plan}
    if part not in parts:
        raise Http404
    response = HttpResponse(text_of(parts[part]), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{part}-{number}.json"'
    return response


@require_http_methods(["GET", "POST"])
def describe(request: HttpRequest, study: str) -> HttpResponse:
    held = coordinated(request, study)
    # A second instance, because a form writes its values into the one it is given.
    form = StudyForm(request.POST or None, instance=Study.objects.get(pk=held.pk))
    by = person(request)
    if request.method == "POST" and carried_out(form, actions.describe, study=held, by=by):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, _("Title, question and instructions"))


@require_http_methods(["GET", "POST"])
def freeze(request: HttpRequest, study: str) -> HttpResponse:
    held = coordinated(request, study)
    if request.method == "POST":
        try:
            version = actions.freeze(study=held, by=person(request))
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            frozen = _("Protocol and analysis plan are frozen as version %(number)s.")
            messages.success(request, frozen % {"number": version.number})
        return redirect("studies:protocol", study=study)
    return render(request, "studies/freeze.html", context_of(request, held))


@require_http_methods(["GET", "POST"])
def amend(request: HttpRequest, study: str) -> HttpResponse:
    held = coordinated(request, study)
    form = AmendForm(request.POST or None, study=held)
    by = person(request)
    if request.method == "POST" and carried_out(form, actions.amend, study=held, by=by):
        messages.success(request, _("The amendment is in force."))
        return redirect("studies:protocol", study=study)
    lead = _("An amendment is a new version of the protocol. The version before it stays, with its digest.")
    return form_page(request, held, form, _("Amend the protocol"), _("Put the amendment in force"), lead)
