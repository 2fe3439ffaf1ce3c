import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.queries import person
from readerstudy.datasets.queries import dataset_of
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import check_analyses
from readerstudy.studies.queries import study_for

from . import actions, queries
from .captions import captioned
from .models import AnalysisRun

# Seconds for which somebody who opens the page waits for comparisons; the rest is a worker's.
PATIENCE = 1.0


def analysed(request: HttpRequest, token: str) -> Study:
    study = study_for(person(request), token)
    check_analyses(person(request), study)
    return study


@require_GET
def results(request: HttpRequest, study: str) -> HttpResponse:
    of_study = analysed(request, study)
    run = queries.latest_run(of_study)
    context: dict[str, Any] = {
        "study": of_study,
        "run": run,
        "dataset": dataset_of(of_study),
        "unlocked": actions.UNLOCKED,
    }
    if getattr(request, "htmx", False):
        return render(request, "results/_state.html", context)
    if run is not None and run.phase == AnalysisRun.Phase.DONE:
        found = queries.results_of(run)
        context |= {
            "found": found,
            "figures": queries.figures_in(run),
            "lines": queries.estimates(found),
            "margins": list(queries.margins_of(run)),
            "deviations": list(queries.deviations_of(run)),
        }
    return render(request, "results/results.html", context)


@require_GET
def truthers(request: HttpRequest, study: str) -> HttpResponse:
    """How well the reference standard's people agree; it needs no lock, since no reader's answer is in it."""
    from .comparing import compare_for
    from .truthing import agreements_of

    of_study = analysed(request, study)
    polls = getattr(request, "htmx", False)
    waiting, total = compare_for(of_study, PATIENCE)
    context: dict[str, Any] = {"study": of_study, "waiting": waiting, "total": total, "done": total - waiting}
    if waiting and not polls:
        actions.compare_later(study=of_study)
    if polls:
        response = render(request, "results/_comparing.html", context)
        return response if waiting else reload_by(response)
    return render(request, "results/truthers.html", context | {"pairs": () if waiting else agreements_of(of_study)})


def reload_by(response: HttpResponse) -> HttpResponse:
    response["HX-Refresh"] = "true"
    return response


@require_POST
def start(request: HttpRequest, study: str) -> HttpResponse:
    run = actions.start_run(study=analysed(request, study), by=person(request))
    messages.success(request, f"Run {run.number} is started.")
    return redirect("results:results", study=study)


@require_GET
def document(request: HttpRequest, study: str) -> HttpResponse:
    run = queries.finished_run(analysed(request, study))
    text = json.dumps(queries.document_of(run), indent=2, sort_keys=True, ensure_ascii=False)
    return file_of(text, "application/json", "results.json")


@require_GET
def table(request: HttpRequest, study: str) -> HttpResponse:
    run = queries.finished_run(analysed(request, study))
    return file_of(queries.estimates_csv(queries.results_of(run)), "text/csv; charset=utf-8", "estimates.csv")


@require_GET
def figure(request: HttpRequest, study: str, name: str) -> HttpResponse:
    run = queries.finished_run(analysed(request, study))
    response = JsonResponse(captioned(queries.figure_of(run, name)))
    response["Cache-Control"] = "private, no-store"
    return response


def file_of(text: str | bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
