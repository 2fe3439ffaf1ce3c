"""The coordinator's page of the audit chain. It stands here because the chain itself knows no studies."""

import json
from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import User
from readerstudy.audit.models import Chain, Event
from readerstudy.audit.queries import events_of, faults_of
from readerstudy.studies.permissions import check_analyses
from readerstudy.studies.queries import study_for

PER_PAGE = 50


@require_GET
def events(request: HttpRequest, study: str) -> HttpResponse:
    assert isinstance(request.user, User)
    of_study = study_for(request.user, study)
    check_analyses(request.user, of_study)
    verb = request.GET.get("verb", "")
    shown = events_of(study).filter(verb=verb) if verb else events_of(study)
    chain = Chain.objects.filter(name=study).first()
    context = {
        "study": of_study,
        "page": Paginator(shown, PER_PAGE).get_page(request.GET.get("page")),
        "verb": verb,
        "verbs": Event.objects.filter(chain_id=study).order_by("verb").values_list("verb", flat=True).distinct(),
        "chain": chain,
    }
    if "check" in request.GET and chain is not None:
        context |= {"checked": True, "faults": list(faults_of(chain))}
    return render(request, "audit/events.html", context)


@require_GET
def chain_file(request: HttpRequest, study: str) -> StreamingHttpResponse:
    """The chain as lines of JSON, which `verify_audit --file` checks without a database."""
    assert isinstance(request.user, User)
    of_study = study_for(request.user, study)
    check_analyses(request.user, of_study)

    def lines() -> Iterator[str]:
        for event in Event.objects.filter(chain_id=study).order_by("number").iterator(chunk_size=2000):
            line = {"previous": event.previous, "digest": event.digest, "event": event.content()}
            yield json.dumps(line, ensure_ascii=False) + "\n"

    response = StreamingHttpResponse(lines(), content_type="application/x-ndjson")
    response["Content-Disposition"] = 'attachment; filename="audit.jsonl"'
    return response
