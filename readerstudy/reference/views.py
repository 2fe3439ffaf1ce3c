from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from readerstudy.accounts.queries import person
from readerstudy.audit.errors import Conflict, Refused
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_coordinates, check_truths, role_in
from readerstudy.studies.queries import enrolment_of, study_for
from readerstudy.studies.stored import in_language

from . import actions, queries
from .exporting import files
from .forms import AdoptForm, AppointForm, OpinionForm
from .marks import MarksError, document_in

NOTHING_KEPT = cache_control(private=True, no_store=True)


@require_http_methods(["GET", "POST"])
def reference(request: HttpRequest, study: str) -> HttpResponse:
    """The coordinator's page; a truther is led to the cases."""
    of_study = study_for(person(request), study)
    if role_in(person(request), of_study) == Enrolment.Role.TRUTHER:
        return redirect("reference:opinions", study=study)
    check_coordinates(person(request), of_study)
    table = queries.opinion_table(of_study)
    form = AdoptForm(request.POST or None, table=table)
    if request.method == "POST" and form.is_valid():
        try:
            standard = actions.adopt_opinions(
                study=of_study,
                adjudicated=form.adjudicated(),
                reason=form.cleaned_data["reason"],
                single_stands=form.cleaned_data.get("single_stands", False),
                by=person(request),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            sentence = _("Version %(number)d of the reference standard is recorded.")
            messages.success(request, sentence % {"number": standard.number})
            return redirect("reference:reference", study=study)
    context = {
        "study": of_study,
        "standards": queries.standards_of(of_study),
        "without_truth": queries.cases_without_truth(of_study).count(),
        "table": table,
        "rows": [(entry, form[f"case_{entry.case.token}"]) for entry in table.open_questions],
        "adjudicators": queries.adjudicators_of(of_study),
        "may_adjudicate": queries.truthers_without_opinion(of_study),
        "form": form,
    }
    return render(request, "reference/reference.html", context, status=400 if form.errors else 200)


@require_GET
def standard(request: HttpRequest, study: str, standard: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    found = queries.standard_for(of_study, standard)
    drawn = {row.case_id: len(row.annotation.marks) for row in queries.annotations_of(found)}
    truths = [(truth, drawn.get(truth.case_id, 0)) for truth in queries.truths_of(found)]
    context = {
        "study": of_study,
        "standard": found,
        "truths": truths,
        "marks": sum(drawn.values()),
        "files": files.NAMES,
    }
    return render(request, "reference/standard.html", context)


@require_GET
@NOTHING_KEPT
def download(request: HttpRequest, study: str, standard: str, name: str) -> HttpResponse:
    """The marks of a version in one of the formats that other programs read."""
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    found = queries.standard_for(of_study, standard)
    if name not in files.NAMES:
        raise Http404
    try:
        made = files.export(found, name)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("reference:standard", study=study, standard=standard)
    response = HttpResponse(made.content, content_type=made.content_type)
    response["Content-Disposition"] = f'attachment; filename="standard-{found.number}-{name}"'
    return response


@require_POST
def appoint(request: HttpRequest, study: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    form = AppointForm(request.POST)
    truther = queries.truther_for(of_study, form.cleaned_data["truther"] if form.is_valid() else "")
    try:
        if truther is None:
            raise Refused(_("Choose one of the truthers of this study."))
        actions.appoint_adjudicator(truther=truther, by=person(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        sentence = _("%(truther)s decides where the truthers do not agree.")
        messages.success(request, sentence % {"truther": truther})
    return redirect("reference:reference", study=study)


def truther(request: HttpRequest, study: str) -> tuple[Study, Enrolment]:
    of_study = study_for(person(request), study)
    check_truths(person(request), of_study)
    return of_study, enrolment_of(person(request), of_study)


@require_GET
def opinions(request: HttpRequest, study: str) -> HttpResponse:
    of_study, enrolment = truther(request, study)
    tasks = queries.tasks_of(enrolment)
    done = sum(task.opinion is not None for task in tasks)
    first_open = next((task for task in tasks if task.opinion is None), None)
    context = {"study": of_study, "tasks": tasks, "done": done, "first_open": first_open}
    context |= {"adjudicates": queries.adjudicates(enrolment)}
    return render(request, "reference/opinions.html", context)


@require_http_methods(["GET", "POST"])
def opinion(request: HttpRequest, study: str, case: str) -> HttpResponse:
    of_study, enrolment = truther(request, study)
    tasks = queries.tasks_of(enrolment)
    task = queries.task_for(tasks, case)
    form = OpinionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.give_opinion(truther=enrolment, case=task.case, by=person(request), **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            following = queries.next_task(tasks, task)
            if following is None:
                messages.success(request, _("Every case has your opinion."))
                return redirect("reference:opinions", study=study)
            return redirect("reference:opinion", study=study, case=following.case.token)
    context = {"study": of_study, "task": task, "total": len(tasks), "form": form}
    context |= {"question": queries.question_of(of_study), "adjudicates": queries.adjudicates(enrolment)}
    return render(request, "reference/opinion.html", context, status=400 if form.errors else 200)


@require_GET
@NOTHING_KEPT
def desk(request: HttpRequest, study: str, case: str) -> HttpResponse:
    """A truther's own work on a case; the others' for nobody but the adjudicator."""
    enrolment = truther(request, study)[1]
    task = queries.task_alone(enrolment, case)
    return JsonResponse(queries.desk_for(enrolment, task).to_document())


@require_POST
@NOTHING_KEPT
def draft(request: HttpRequest, study: str, case: str) -> HttpResponse:
    enrolment = truther(request, study)[1]
    task = queries.task_alone(enrolment, case)
    try:
        sent = document_in(request.body)
        revision = sent.pop("revision", 0)
        if not isinstance(revision, int):
            raise MarksError(_("The revision is a number."))
        saved = actions.save_draft(truther=enrolment, case=task.case, work=sent, revision=revision, by=person(request))
    except Conflict as conflict:
        return JsonResponse({"error": str(conflict)}, status=409)
    except (MarksError, Refused) as refused:
        return JsonResponse({"error": in_language(str(refused))}, status=400)
    return JsonResponse({"revision": saved})
