import csv
import io
from collections.abc import Iterable, Iterator

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from readerstudy.accounts.models import User
from readerstudy.audit.errors import Refused
from readerstudy.studies.permissions import check_coordinates
from readerstudy.studies.queries import study_for

from . import actions, queries
from .forms import DrawForm


@require_http_methods(["GET", "POST"])
def allocation(request: HttpRequest, study: str) -> HttpResponse:
    assert isinstance(request.user, User)
    of_study = study_for(request.user, study)
    check_coordinates(request.user, of_study)
    form = DrawForm(request.POST or None, designs=queries.designs_for(of_study))
    if request.method == "POST" and form.is_valid():
        try:
            actions.draw(study=of_study, by=request.user, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The allocation is drawn.")
            return redirect("allocation:allocation", study=study)
    drawn = queries.allocation_of(of_study)
    context = {
        "study": of_study,
        "form": form,
        "allocation": drawn,
        "balance": queries.balance_of(drawn) if drawn else [],
        "missing": [] if drawn else queries.missing_for_draw(of_study),
    }
    return render(request, "allocation/allocation.html", context, status=400 if form.errors else 200)


@require_GET
def slots(request: HttpRequest, study: str) -> StreamingHttpResponse:
    assert isinstance(request.user, User)
    of_study = study_for(request.user, study)
    check_coordinates(request.user, of_study)
    drawn = queries.allocation_of(of_study)
    if drawn is None:
        raise Http404
    response = StreamingHttpResponse(csv_lines(queries.exported_slots(drawn)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="slots.csv"'
    return response


def csv_lines(rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([plain(value) for value in row])
        yield line.getvalue()


def plain(value: object) -> object:
    # A spreadsheet takes text that begins with one of these for a formula.
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
