from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from readerstudy.accounts.queries import person
from readerstudy.studies import actions
from readerstudy.studies.forms import QuestionForm, initial_of
from readerstudy.studies.models import Question

from .pages import carried_out, form_page
from .protocol import coordinated

BEGINNING = {Question.Kind.CONFIDENCE: {"minimum": 0, "maximum": 100, "threshold": 50}}


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, study: str, kind: str) -> HttpResponse:
    if kind not in Question.Kind.values:
        raise Http404
    held = coordinated(request, study)
    form = QuestionForm(request.POST or None, kind=kind, initial=BEGINNING.get(Question.Kind(kind), {}))
    words = {"study": held, "kind": kind, "by": person(request)}
    if request.method == "POST" and carried_out(form, actions.add_question, **words):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, f"Add a question: {Question.Kind(kind).label}", "Add the question")


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, study: str, key: str) -> HttpResponse:
    held = coordinated(request, study)
    question = get_object_or_404(Question, study=held, key=key)
    form = QuestionForm(request.POST or None, kind=question.kind, initial=initial_of(question))
    if request.method == "POST" and carried_out(form, actions.edit_question, question=question, by=person(request)):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, f"Question: {question.get_kind_display()}")


@require_POST
def order(request: HttpRequest, study: str, key: str, order: str) -> HttpResponse:
    held = coordinated(request, study)
    question = get_object_or_404(Question, study=held, key=key)
    match order:
        case "up" | "down":
            actions.move_question(question=question, up=order == "up", by=person(request))
        case "remove":
            actions.remove_question(question=question, by=person(request))
            messages.success(request, "The question is removed.")
        case _:
            raise Http404
    return redirect("studies:protocol", study=study)
