"""Turns the typed refusals of the project, and a database that is away, into pages with a sentence."""

import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

from .errors import Conflict, Denied, Refused

RETRY_AFTER_SECONDS = "5"


AWAY = (OperationalError, InterfaceError)


def server_error(request: HttpRequest) -> HttpResponse:
    """What Django calls for an exception that left the views; sessions and log-ins ask the database before any view."""
    if isinstance(sys.exc_info()[1], AWAY):
        return unavailable(request)
    return defaults.server_error(request)


class Sentences:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, names: object) -> None:
        # PostgreSQL keeps no NUL, so nothing has a name with one.
        if any(
            "\x00" in word for word in (request.path, *(value for pair in request.GET.lists() for value in pair[1]))
        ):
            raise Http404

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        match exception:
            case Denied():
                return sentence_page(request, 403, str(exception))
            case Conflict():
                return sentence_page(request, 409, str(exception))
            case Refused():
                return sentence_page(request, 400, str(exception))
            case _ if isinstance(exception, AWAY):
                return unavailable(request)
        return None


def unavailable(request: HttpRequest) -> HttpResponse:
    response = sentence_page(
        request, 503, "The database does not answer just now. Nothing you sent was lost; try again."
    )
    response["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def sentence_page(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    if "application/json" in (request.headers.get("Accept", ""), request.content_type):
        return JsonResponse({"error": sentence}, status=status)
    # Rendered without the request: the page must not need the database that may be away.
    return HttpResponse(render_to_string("sentence.html", {"sentence": sentence, "status": status}), status=status)
