from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from readerstudy.accounts.queries import person
from readerstudy.studies import actions
from readerstudy.studies.forms import BEGINNING, QuestionForm, initial_of
from readerstudy.studies.models import Question

from .pages import carried_out, form_page
from .protocol import coordinated


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, study: str, kind: str) -> HttpResponse:
    if kind not in Question.Kind.values:
        raise Http404
    held = coordinated(request, study)
    form = QuestionForm(request.POST or None, kind=kind, study=held, initial=BEGINNING.get(kind, {}))
    words = {"study": held, "kind": kind, "by": person(request)}
    if request.method == "POST" and carried_out(form, actions.add_question, **words):
        return redirect("studies:protocol", study=study)
    heading = _("Add a question: %(kind)s") % {"kind": Question.Kind(kind).label}
    return form_page(request, held, form, heading, _("Add the question"))


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, study: str, key: str) -> HttpResponse:
    held = coordinated(request, study)
    question = get_object_or_404(Question, study=held, key=key)
    initial, place = initial_of(question), question.position
    form = QuestionForm(request.POST or None, kind=question.kind, study=held, before=place, initial=initial)
    if request.method == "POST" and carried_out(form, actions.edit_question, question=question, by=person(request)):
        return redirect("studies:protocol", study=study)
    heading = _("Question: %(kind)s") % {"kind": question.get_kind_display()}
    return form_page(request, held, form, heading)


@require_POST
def order(request: HttpRequest, study: str, key: str, order: str) -> HttpResponse:
    held = coordinated(request, study)
    question = get_object_or_404(Question, study=held, key=key)
    match order:
        case "up" | "down":
            actions.move_question(question=question, up=order == "up", by=person(request))
        case "remove":
            actions.remove_question(question=question, by=person(request))
            messages.success(request, _("The question is removed."))
        case _:
            raise Http404
    return redirect("studies:protocol", study=study)
