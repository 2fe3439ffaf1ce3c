from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from readerstudy.accounts.queries import person
from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import check_coordinates, check_truths, role_in
from readerstudy.studies.queries import enrolment_of, study_for

from . import actions, queries
from .forms import AdoptForm, OpinionForm


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
                study=of_study, adjudicated=form.adjudicated(), reason=form.cleaned_data["reason"], by=person(request)
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Version {standard.number} of the reference standard is recorded.")
            return redirect("reference:reference", study=study)
    context = {
        "study": of_study,
        "standards": queries.standards_of(of_study),
        "without_truth": queries.cases_without_truth(of_study).count(),
        "table": table,
        "rows": [(entry, form[f"case_{entry.case.token}"]) for entry in table.disagreements],
        "form": form,
    }
    return render(request, "reference/reference.html", context, status=400 if form.errors else 200)


@require_GET
def standard(request: HttpRequest, study: str, standard: str) -> HttpResponse:
    of_study = study_for(person(request), study)
    check_coordinates(person(request), of_study)
    found = queries.standard_for(of_study, standard)
    context = {"study": of_study, "standard": found, "truths": queries.truths_of(found)}
    return render(request, "reference/standard.html", context)


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
                messages.success(request, "Every case has your opinion.")
                return redirect("reference:opinions", study=study)
            return redirect("reference:opinion", study=study, case=following.case.token)
    question = queries.question_of(of_study)
    context = {"study": of_study, "task": task, "total": len(tasks), "question": question, "form": form}
    return render(request, "reference/opinion.html", context, status=400 if form.errors else 200)
