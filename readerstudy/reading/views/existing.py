"""Import of answers that were given elsewhere: check the file, look at what it holds, confirm."""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from readerstudy.accounts.queries import person
from readerstudy.audit.errors import Refused
from readerstudy.reading import actions
from readerstudy.reading.external import Judged, Source
from readerstudy.reading.forms import ExistingAnswersForm
from readerstudy.reading.sources import judged, keep, kept
from readerstudy.studies.permissions import check_coordinates
from readerstudy.studies.queries import study_for

SALT = "import of existing answers"
FAULTS_SHOWN = 200


@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, study: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    form = ExistingAnswersForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"study": of_study, "form": form}
    status = 200
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"].read()
        options = {name: form.cleaned_data[name] for name in ("new_cases", "simulated")}
        found = judged(of_study, content, Source(**form.source()), new_cases=options["new_cases"])
        context |= {"found": found, "faults": found.faults[:FAULTS_SHOWN], "name": form.cleaned_data["file"].name}
        status = 400 if found.faults else 200
        if not found.faults:
            ticket = {"digest": keep(content), "name": context["name"], "source": form.source(), **options}
            context |= {"ticket": signing.dumps(ticket, salt=SALT), "groups": groups_of(found)}
    elif form.errors:
        status = 400
    return render(request, "reading/external.html", context, status=status)


def groups_of(found: Judged) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for reader, seniority in sorted(found.readers.items()):
        groups.setdefault(seniority, []).append(reader)
    return groups


@require_POST
def confirm(request: HttpRequest, study: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    try:
        ticket = signing.loads(request.POST.get("ticket", ""), salt=SALT, max_age=24 * 60 * 60)
    except signing.BadSignature as error:
        raise Refused(_("This check has run out; check the file again.")) from error
    source = actions.import_readings(
        study=of_study,
        content=kept(ticket["digest"]),
        name=ticket["name"],
        source=Source(**ticket["source"]),
        by=person(request),
        new_cases=ticket["new_cases"],
        simulated=ticket["simulated"],
    )
    told = _("%(count)s readings of %(file)s are imported.") % {"count": source.rows, "file": source.name}
    messages.success(request, told)
    return redirect("readings:progress", study=study)
