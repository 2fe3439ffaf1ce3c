from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from readerstudy.accounts.queries import person, signs
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_analyses, check_coordinates, role_in
from readerstudy.studies.queries import study_for

from . import actions, queries
from .forms import LockForm

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "zip": "application/zip",
    "parquet": "application/vnd.apache.parquet",
}


@require_http_methods(["GET", "POST"])
def data(request: HttpRequest, study: str) -> HttpResponse:
    by = person(request)
    of_study = study_for(by, study)
    check_analyses(by, of_study)
    completeness = queries.completeness_of(of_study)
    form = LockForm(request.POST or None, incomplete=[reader for reader in completeness if reader.missing])
    if request.method == "POST":
        check_coordinates(by, of_study)
        if form.is_valid() and locked(request, of_study, form):
            messages.success(request, "The study is locked. Its data set can be analysed.")
            return redirect("datasets:data", study=study)
    dataset = queries.dataset_of(of_study)
    context = {
        "study": of_study,
        "completeness": completeness,
        "missing": sum(reader.missing for reader in completeness),
        "hindrances": queries.hindrances(of_study),
        "coordinates": role_in(by, of_study) == Enrolment.Role.COORDINATOR,
        "dataset": dataset,
        "files": queries.files_of(dataset) if dataset else [],
        "form": form,
    }
    return render(request, "datasets/data.html", context, status=400 if form.errors else 200)


def locked(request: HttpRequest, study: Study, form: LockForm) -> bool:
    try:
        if not signs(request, form.cleaned_data["password"]):
            raise Refused(actions.NOT_SIGNED)
        actions.lock(study=study, password=form.cleaned_data["password"], reasons=form.reasons(), by=person(request))
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    return True


@require_GET
def download(request: HttpRequest, study: str, name: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    check_analyses(person(request), of_study)
    file = queries.file_for(queries.dataset_for(of_study), name)
    content_type = TYPES.get(name.rsplit(".", 1)[-1], "text/plain; charset=utf-8")
    response = HttpResponse(queries.content_of(file), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    response["X-Content-SHA256"] = file.sha256
    return response
