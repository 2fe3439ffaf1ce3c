from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from readerstudy.accounts.queries import person
from readerstudy.studies import actions, queries
from readerstudy.studies.forms import EnrolForm, ReasonForm
from readerstudy.studies.models import Enrolment, Study

from .pages import carried_out
from .protocol import coordinated


@require_http_methods(["GET", "POST"])
def people(request: HttpRequest, study: str) -> HttpResponse:
    held = coordinated(request, study)
    form = EnrolForm(request.POST or None)
    if request.method == "POST" and carried_out(form, actions.enrol, study=held, by=person(request)):
        messages.success(request, _("%(name)s is enrolled.") % {"name": form.cleaned_data["username"]})
        return redirect("studies:people", study=study)
    context = {
        "study": held,
        "form": form,
        "enrolments": queries.enrolments_of(held),
        "changeable": held.phase != Study.Phase.LOCKED,
    }
    return render(request, "studies/people.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, study: str, enrolment: str) -> HttpResponse:
    held = coordinated(request, study)
    leaving = get_object_or_404(Enrolment, study=held, token=enrolment)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and carried_out(form, actions.withdraw, enrolment=leaving, by=person(request)):
        messages.success(request, _("%(leaving)s is withdrawn. What they did stays.") % {"leaving": leaving})
        return redirect("studies:people", study=study)
    context = {"study": held, "form": form, "leaving": leaving}
    return render(request, "studies/withdraw.html", context, status=400 if form.errors else 200)
