from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from readerstudy.accounts.models import User
from readerstudy.accounts.queries import person
from readerstudy.audit.errors import Denied, Refused
from readerstudy.studies.permissions import check_analyses, check_coordinates
from readerstudy.studies.queries import study_for

from . import actions, offering, queries
from .findings import findings_in
from .forms import AlgorithmForm, RunForm
from .models import Algorithm
from .permissions import check_registers, registers
from .sections import sections_of
from .showing import shown as drawn


def registrar_or_404(request: HttpRequest) -> User:
    try:
        check_registers(person(request))
    except Denied as denied:
        raise Http404 from denied
    return person(request)


@require_http_methods(["GET", "POST"])
def algorithms(request: HttpRequest) -> HttpResponse:
    by = registrar_or_404(request)
    form = AlgorithmForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            algorithm = actions.register_algorithm(
                card=form.cleaned_data["card"].file, weights=form.cleaned_data["weights"].file, by=by
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{algorithm} is registered.")
            return redirect("algorithms:card", algorithm=algorithm.token)
    status = 400 if form.errors else 200
    context = {"form": form, "algorithms": Algorithm.objects.all()}
    return render(request, "predictions/algorithms.html", context, status=status)


@require_GET
def card(request: HttpRequest, algorithm: str) -> HttpResponse:
    registrar_or_404(request)
    shown = queries.algorithm_for(algorithm)
    return render(request, "predictions/card.html", {"algorithm": shown, "sections": sections_of(shown.card)})


@require_http_methods(["GET", "POST"])
def runs(request: HttpRequest, study: str) -> HttpResponse:
    by = person(request)
    of_study = study_for(by, study)
    check_coordinates(by, of_study)
    form = RunForm(request.POST or None, study=of_study)
    if request.method == "POST" and form.is_valid():
        try:
            run = actions.start_run(study=of_study, by=by, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("predictions:run", study=study, run=run.token)
    context = {
        "study": of_study,
        "form": form,
        "runs": [(run, queries.progress_of(run)) for run in queries.runs_of(of_study)],
        "cases": queries.cases_with_images(of_study).count(),
    }
    return render(request, "predictions/runs.html", context, status=400 if form.errors else 200)


@require_GET
def run(request: HttpRequest, study: str, run: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    check_analyses(person(request), of_study)
    shown = queries.run_for(of_study, run)
    context = {"study": of_study, "run": shown, "progress": queries.progress_of(shown)}
    if getattr(request, "htmx", False):
        return render(request, "predictions/_progress.html", context)
    context |= {"rows": queries.predictions_in(shown), "registers": registers(person(request))}
    return render(request, "predictions/run.html", context)


@require_POST
def retry(request: HttpRequest, study: str, run: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    count = actions.retry_failed(run=queries.run_for(of_study, run), by=person(request))
    messages.success(request, f"{count} failed predictions wait again.")
    return redirect("predictions:run", study=study, run=run)


@require_POST
def offer(request: HttpRequest, study: str, run: str) -> HttpResponse:
    """Puts what the model marked before the truthers."""
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    try:
        count = offering.offer(run=queries.run_for(of_study, run), by=person(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        sentence = _("The truthers of %(count)d cases have new marks of the model to decide on.")
        messages.success(request, sentence % {"count": count})
    return redirect("predictions:run", study=study, run=run)


@require_GET
def output(request: HttpRequest, study: str, run: str, prediction: str) -> HttpResponse:
    """All that the model said of one case."""
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    shown = queries.run_for(of_study, run)
    row = queries.output_for(shown, prediction)
    findings = findings_in(row.prediction.findings)
    context = {"study": of_study, "run": shown, "row": row, "findings": findings}
    return render(request, "predictions/output.html", context)


@require_GET
def output_document(request: HttpRequest, study: str, run: str, prediction: str) -> HttpResponse:
    """The same for the viewer, by the addresses that `cases:document` gives the frames."""
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    row = queries.output_for(queries.run_for(of_study, run), prediction)
    (case,) = queries.cases_with_pixels([row.case_id])
    frames = [
        [reverse("cases:frame", args=[study, series.token, image.position]) for image in series.images.all()]
        for series in case.series.all()
    ]

    def plane_url(kind: str, number: int) -> str:
        return reverse(f"predictions:{kind}", args=[study, run, prediction, number])

    response = JsonResponse(drawn(row, frames, plane_url).to_document())
    response["Cache-Control"] = "private, no-cache"
    return response


@require_GET
def plane(request: HttpRequest, study: str, run: str, prediction: str, kind: str, number: int) -> HttpResponse:
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    row = queries.output_for(queries.run_for(of_study, run), prediction)
    response = HttpResponse(queries.plane_bytes(row, kind, number), content_type="image/png")
    response["Cache-Control"] = "private, max-age=3600"
    return response
