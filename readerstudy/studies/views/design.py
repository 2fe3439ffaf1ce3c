"""Arms, periods and endpoints of a draft."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from readerstudy.accounts.queries import person
from readerstudy.studies import actions
from readerstudy.studies.forms import ArmForm, EndpointForm, PeriodForm, RulesForm, initial_rules
from readerstudy.studies.models import Arm, Endpoint, Period
from readerstudy.studies.queries import rules_of

from .pages import carried_out, form_page
from .protocol import coordinated


@require_http_methods(["GET", "POST"])
def add_arm(request: HttpRequest, study: str) -> HttpResponse:
    held = coordinated(request, study)
    form = ArmForm(request.POST or None, instance=Arm(study=held))
    if request.method == "POST" and carried_out(form, actions.add_arm, study=held, by=person(request)):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, _("Add an arm"), _("Add the arm"))


@require_http_methods(["GET", "POST"])
def edit_arm(request: HttpRequest, study: str, code: str) -> HttpResponse:
    held = coordinated(request, study)
    arm = get_object_or_404(Arm, study=held, code=code)
    form = ArmForm(request.POST or None, instance=get_object_or_404(Arm, pk=arm.pk))
    if request.method == "POST" and carried_out(form, actions.edit_arm, arm=arm, by=person(request)):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, _("Arm “%(label)s”") % {"label": arm.label})


@require_POST
def order_arm(request: HttpRequest, study: str, code: str, order: str) -> HttpResponse:
    held = coordinated(request, study)
    arm = get_object_or_404(Arm, study=held, code=code)
    match order:
        case "up" | "down":
            actions.move_arm(arm=arm, up=order == "up", by=person(request))
        case "remove":
            actions.remove_arm(arm=arm, by=person(request))
            messages.success(request, _("The arm “%(label)s” is removed.") % {"label": arm.label})
        case _:
            raise Http404
    return redirect("studies:protocol", study=study)


@require_http_methods(["GET", "POST"])
def add_period(request: HttpRequest, study: str) -> HttpResponse:
    held = coordinated(request, study)
    number = held.periods.count() + 1
    form = PeriodForm(request.POST or None, instance=Period(study=held, number=number))
    if request.method == "POST" and carried_out(form, actions.add_period, study=held, by=person(request)):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, _("Add period %(number)s") % {"number": number}, _("Add the period"))


@require_http_methods(["GET", "POST"])
def edit_period(request: HttpRequest, study: str, number: int) -> HttpResponse:
    held = coordinated(request, study)
    period = get_object_or_404(Period, study=held, number=number)
    form = PeriodForm(request.POST or None, instance=get_object_or_404(Period, pk=period.pk))
    if request.method == "POST" and carried_out(form, actions.edit_period, period=period, by=person(request)):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, _("Period %(number)s") % {"number": number})


@require_POST
def remove_period(request: HttpRequest, study: str, number: int) -> HttpResponse:
    held = coordinated(request, study)
    actions.remove_period(period=get_object_or_404(Period, study=held, number=number), by=person(request))
    return redirect("studies:protocol", study=study)


@require_http_methods(["GET", "POST"])
def add_endpoint(request: HttpRequest, study: str) -> HttpResponse:
    held = coordinated(request, study)
    form = EndpointForm(request.POST or None, instance=Endpoint(study=held), initial={"rank": "secondary"})
    if request.method == "POST" and carried_out(form, actions.add_endpoint, study=held, by=person(request)):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, _("Add an endpoint"), _("Add the endpoint"))


@require_http_methods(["GET", "POST"])
def edit_endpoint(request: HttpRequest, study: str, position: int) -> HttpResponse:
    held = coordinated(request, study)
    endpoint = get_object_or_404(Endpoint, study=held, position=position)
    form = EndpointForm(request.POST or None, instance=get_object_or_404(Endpoint, pk=endpoint.pk))
    if request.method == "POST" and carried_out(form, actions.edit_endpoint, endpoint=endpoint, by=person(request)):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, _("Endpoint"))


@require_POST
def remove_endpoint(request: HttpRequest, study: str, position: int) -> HttpResponse:
    held = coordinated(request, study)
    endpoint = get_object_or_404(Endpoint, study=held, position=position)
    actions.remove_endpoint(endpoint=endpoint, by=person(request))
    return redirect("studies:protocol", study=study)


@require_http_methods(["GET", "POST"])
def set_rules(request: HttpRequest, study: str) -> HttpResponse:
    held = coordinated(request, study)
    form = RulesForm(request.POST or None, initial=initial_rules(rules_of(held)))
    if request.method == "POST" and carried_out(form, actions.set_rules, study=held, by=person(request)):
        return redirect("studies:protocol", study=study)
    return form_page(request, held, form, _("Rules of reading"))
