from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from readerstudy.accounts.queries import person
from readerstudy.audit.errors import Refused
from readerstudy.studies import actions
from readerstudy.studies.forms import StudyForm
from readerstudy.studies.outline import SITTING, in_language
from readerstudy.studies.permissions import check_creates_studies


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    by = person(request)
    check_creates_studies(by)
    form = StudyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            study = actions.create_study(**form.cleaned_data, outline=in_language(SITTING), by=by)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(
                request, _("The study is created. It starts as an unaided and aided crossover; change what differs.")
            )
            return redirect("studies:protocol", study=study.token)
    return render(request, "studies/create.html", {"form": form}, status=400 if form.errors else 200)
