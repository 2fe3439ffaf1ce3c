"""Before and after the cases: the display check of a sitting, the result of the training, the debriefing."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods

from readerstudy.accounts.queries import person
from readerstudy.reading import actions
from readerstudy.reading.forms import DisplayForm
from readerstudy.reading.overview import planned_output_of
from readerstudy.reading.queries import reader_for, training_of
from readerstudy.studies.queries import rules_of

from .pages import HOME, debriefing_url, page_context, standing_of


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
def display(request: HttpRequest, reader: str) -> HttpResponse:
    """Two minutes at the start of each sitting; what was found is stored with it."""
    own = reader_for(person(request), reader)
    standing = standing_of(own)
    if standing.state != "ready":
        return redirect(HOME)
    form = DisplayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        slot = actions.start_session(reader=own, by=person(request), display=form.found())
        return redirect("reading:read", slot=slot.token) if slot else redirect(HOME)
    context = page_context(standing) | {"form": form}
    return render(request, "reading/display.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
def training(request: HttpRequest, reader: str) -> HttpResponse:
    """How the training went, and once more where the pass mark was not reached."""
    own = reader_for(person(request), reader)
    standing = standing_of(own)
    if standing.state not in ("ready", "untrained"):
        return redirect(HOME)
    if request.method == "POST":
        actions.repeat_training(reader=own, by=person(request))
        return redirect(standing_of(own).continue_url)
    result = training_of(own, rules_of(own.study).training_pass_mark or 0)
    if not result.total:
        return redirect(HOME)
    context = page_context(standing) | {"result": result, "percent": round(100 * result.pass_mark)}
    return render(request, "reading/training.html", context | {"continue_url": standing.slot_url})


@require_GET
@cache_control(private=True, no_store=True)
def debriefing(request: HttpRequest, reader: str) -> HttpResponse:
    own = reader_for(person(request), reader)
    standing = standing_of(own)
    if debriefing_url(own, standing) is None:
        raise Http404
    context = page_context(standing) | {"planned": planned_output_of(own)}
    return render(request, "reading/debriefing.html", context)
