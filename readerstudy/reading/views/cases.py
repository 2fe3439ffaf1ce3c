"""One case for its reader: as JSON, as pixels, and what the reader sends back."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.queries import person
from readerstudy.audit.errors import Conflict, Denied, Refused
from readerstudy.reading import actions, submissions
from readerstudy.reading.answers import AnswersError, Sentence
from readerstudy.reading.models import Reading
from readerstudy.reading.queries import (
    check_opens,
    check_pixels,
    current_and_next,
    frame_bytes,
    frames_together,
    is_revisable,
    overlay_bytes,
    slot_for,
    what_reader_sees,
)
from readerstudy.studies.stored import in_language

PIXELS = cache_control(private=True, max_age=3600)
NOTHING_KEPT = cache_control(private=True, no_store=True)


def sentences_as_json(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refusals as JSON, since the page reads nothing else here."""

    @wraps(view)
    def answer(request: HttpRequest, **names: Any) -> HttpResponse:
        try:
            return view(request, **names)
        except AnswersError as error:
            return refusal(422, _("Some answers need your attention."), errors=said(error.errors))
        except submissions.BodyError as error:
            return refusal(400, in_language(str(error)))
        except Conflict as error:
            return refusal(409, str(error))
        except Denied as error:
            return refusal(403, str(error))
        except Refused as error:
            return refusal(400, str(error))

    return answer


def said(errors: Mapping[str, str]) -> dict[str, str]:
    """In the language of the page."""
    return {
        key: _(error.template) % error.values if isinstance(error, Sentence) else error for key, error in errors.items()
    }


def refusal(status: int, sentence: str, **more: object) -> JsonResponse:
    return JsonResponse({"error": sentence, **more}, status=status)


@require_GET
@NOTHING_KEPT
@sentences_as_json
def case(request: HttpRequest, slot: str) -> HttpResponse:
    own = slot_for(person(request), slot)
    (actions.look_again if is_revisable(own) else actions.open_slot)(slot=own, by=person(request))
    return JsonResponse(what_reader_sees(own).to_document())


@require_GET
@PIXELS
@sentences_as_json
def frame(request: HttpRequest, slot: str, number: int) -> HttpResponse:
    """Pixels of the case that is read now, and of the next one, so that it is there at once."""
    own = slot_for(person(request), slot)
    check_pixels(own, timezone.now())
    content = frame_bytes(own, number, quarter=request.GET.get("quarter") == "1")
    return HttpResponse(content, content_type="application/octet-stream")


@require_GET
@PIXELS
@sentences_as_json
def frames(request: HttpRequest, slot: str, first: int, last: int) -> HttpResponse:
    """The same for some of a stack in one answer."""
    own = slot_for(person(request), slot)
    check_pixels(own, timezone.now())
    return HttpResponse(frames_together(own, first, last), content_type="application/octet-stream")


@require_GET
@NOTHING_KEPT
def overlay(request: HttpRequest, slot: str, kind: str, number: int) -> HttpResponse:
    """A heat map or mask of the case that is open now; in every other case it does not exist."""
    own = slot_for(person(request), slot)
    current, _following = current_and_next(own.reader)
    try:
        if not is_revisable(own):
            check_opens(own, current, timezone.now())
    except Denied as denied:
        raise Http404 from denied
    if not Reading.objects.filter(slot=own).exists():
        raise Http404
    return HttpResponse(overlay_bytes(own, kind, number), content_type="image/png")


@require_POST
@NOTHING_KEPT
@sentences_as_json
def draft(request: HttpRequest, slot: str) -> HttpResponse:
    own = slot_for(person(request), slot)
    actions.save_draft(slot=own, draft=submissions.draft(request.body), by=person(request))
    return HttpResponse(status=204)


@require_POST
@NOTHING_KEPT
@sentences_as_json
def submit(request: HttpRequest, slot: str) -> HttpResponse:
    own = slot_for(person(request), slot)
    receipt = actions.submit(slot=own, submission=submissions.submission(request.body), by=person(request))
    return JsonResponse(without_nothing(asdict(receipt)))


def without_nothing(receipt: dict[str, Any]) -> dict[str, Any]:
    """Stage and feedback only where there is one."""
    return {name: value for name, value in receipt.items() if value or name in ("next", "finished")}


@require_POST
@NOTHING_KEPT
@sentences_as_json
def pause(request: HttpRequest, slot: str) -> HttpResponse:
    own = slot_for(person(request), slot)
    actions.pause(slot=own, by=person(request))
    return JsonResponse({"url": reverse("reading:paused", args=[own.reader.token])})


@require_POST
@NOTHING_KEPT
@sentences_as_json
def output(request: HttpRequest, slot: str) -> HttpResponse:
    """The reader asks for the model's output where the arm shows it on request."""
    own = slot_for(person(request), slot)
    actions.request_output(slot=own, by=person(request))
    return JsonResponse(what_reader_sees(own).to_document())


@require_POST
@NOTHING_KEPT
@sentences_as_json
def revise(request: HttpRequest, slot: str) -> HttpResponse:
    own = slot_for(person(request), slot)
    given, reason = submissions.submission(request.body), submissions.reason(request.body)
    receipt = actions.revise(slot=own, submission=given, reason=reason, by=person(request))
    return JsonResponse(without_nothing(asdict(receipt)))
