from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from readerstudy.accounts.queries import person
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import check_coordinates
from readerstudy.studies.queries import study_for

from . import actions, delivery, queries
from .forms import ImportForm, ManifestForm
from .models import CaseImport, Image
from .permissions import check_sees_cases, why_no_more_cases

CASES_ON_A_PAGE = 60
FAULTS_ON_A_PAGE = 500
# The bytes under one address never change: frames are named by their content.
LONG_PRIVATE = "private, max-age=31536000, immutable"


def coordinated(request: HttpRequest, study: str) -> Study:
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    return of_study


def seen(request: HttpRequest, study: str) -> Study:
    of_study = study_for(person(request), study)
    check_sees_cases(person(request), of_study)
    return of_study


@require_GET
def cases(request: HttpRequest, study: str) -> HttpResponse:
    of_study = coordinated(request, study)
    covariate, value = request.GET.get("covariate", ""), request.GET.get("value", "")
    found = queries.cases_for_page(of_study, covariate, value)
    context = {
        "study": of_study,
        "page": Paginator(found, CASES_ON_A_PAGE).get_page(request.GET.get("page")),
        "covariates": queries.covariates_of(of_study),
        "covariate": covariate,
        "value": value,
        "imports": queries.imports_of(of_study)[:10],
        "closed": why_no_more_cases(of_study),
    }
    return render(request, "cases/cases.html", context)


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, study: str) -> HttpResponse:
    of_study = coordinated(request, study)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        archive, folder = form.cleaned_data["archive"], form.cleaned_data.get("folder")
        server = form.cleaned_data.get("server", "")
        try:
            started = actions.start_import(
                study=of_study,
                manifest=form.cleaned_data["manifest"],
                archive=archive.file if archive else None,
                folder=folder,
                server=server,
                source=archive.name if archive else server or str(folder),
                by=person(request),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("cases:import", study=study, run=started.token)
    context = {"study": of_study, "form": form, "closed": why_no_more_cases(of_study)}
    return render(request, "cases/start.html", context, status=400 if form.errors else 200)


@require_GET
def show_import(request: HttpRequest, study: str, run: str) -> HttpResponse:
    of_study = coordinated(request, study)
    found = queries.import_for(of_study, run)
    if getattr(request, "htmx", False) and found.phase in (CaseImport.Phase.CHECKING, CaseImport.Phase.RUNNING):
        return render(request, "cases/_progress.html", {"study": of_study, "run": found})
    response = render(request, "cases/import.html", import_context(of_study, found, ManifestForm()))
    if getattr(request, "htmx", False):
        response["HX-Refresh"] = "true"
    return response


def import_context(study: Study, found: CaseImport, form: ManifestForm) -> dict[str, object]:
    waits = found.phase in (CaseImport.Phase.FAULTY, CaseImport.Phase.CHECKED, CaseImport.Phase.STOPPED)
    return {
        "study": study,
        "run": found,
        "faults": found.faults[:FAULTS_ON_A_PAGE],
        "notes": found.message.splitlines(),
        "summary": queries.summary_of(found) if found.phase == CaseImport.Phase.CHECKED else None,
        "has_files": found.has_files,
        "form": form if waits and found.has_files else None,
        "closed": why_no_more_cases(study),
    }


@require_POST
def confirm(request: HttpRequest, study: str, run: str) -> HttpResponse:
    actions.confirm_import(of=queries.import_for(coordinated(request, study), run), by=person(request))
    return redirect("cases:import", study=study, run=run)


@require_POST
def resume(request: HttpRequest, study: str, run: str) -> HttpResponse:
    actions.resume_import(of=queries.import_for(coordinated(request, study), run), by=person(request))
    return redirect("cases:import", study=study, run=run)


@require_POST
def drop(request: HttpRequest, study: str, run: str) -> HttpResponse:
    actions.drop_import(of=queries.import_for(coordinated(request, study), run), by=person(request))
    messages.success(request, _("The import was dropped and its files were deleted."))
    return redirect("cases:cases", study=study)


@require_POST
def replace(request: HttpRequest, study: str, run: str) -> HttpResponse:
    of_study = coordinated(request, study)
    found = queries.import_for(of_study, run)
    form = ManifestForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            actions.replace_manifest(of=found, manifest=form.cleaned_data["manifest"], by=person(request))
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("cases:import", study=study, run=run)
    return render(request, "cases/import.html", import_context(of_study, found, form), status=400)


@require_GET
def case(request: HttpRequest, study: str, case: str) -> HttpResponse:
    of_study = coordinated(request, study)
    found = queries.case_for(of_study, case)
    return render(request, "cases/case.html", {"study": of_study, "case": found})


@require_GET
def document(request: HttpRequest, study: str, case: str) -> HttpResponse:
    found = queries.case_for(seen(request, study), case)

    def url_of(image: Image) -> str:
        return reverse("cases:frame", args=[study, image.series.token, image.position])

    response = JsonResponse({"series": delivery.series_documents(found, url_of)})
    response["Cache-Control"] = "private, no-cache"
    return response


@require_GET
def frame(request: HttpRequest, study: str, series: str, position: int) -> HttpResponse:
    image = queries.image_for(seen(request, study), series, position)
    return packed(delivery.frame_bytes(image))


@require_GET
def preview(request: HttpRequest, study: str, series: str, position: int) -> HttpResponse:
    image = queries.image_for(seen(request, study), series, position)
    content = delivery.preview_bytes(image)
    if content is None:
        raise Http404
    return packed(content)


def packed(content: bytes) -> HttpResponse:
    """As stored: the viewer's worker unpacks the gzip itself, whatever stands between it and this server."""
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Cache-Control"] = LONG_PRIVATE
    return response


@require_GET
def thumbnail(request: HttpRequest, study: str, case: str) -> HttpResponse:
    content = delivery.thumbnail_bytes(queries.case_for(seen(request, study), case))
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="image/jpeg")
    response["Cache-Control"] = LONG_PRIVATE
    return response
