"""What the views of this stage share: one form, one action, one answer."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from readerstudy.audit.errors import Refused
from readerstudy.studies.models import Study


def carried_out(form: forms.BaseForm, action: Callable[..., object], **words: Any) -> bool:
    """Do it where the form is valid; what the action refuses becomes an error of the form."""
    if not form.is_valid():
        return False
    try:
        action(**form.cleaned_data, **words)
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    return True


def form_page(
    request: HttpRequest, study: Study, form: forms.BaseForm, heading: str, button: str = "", lead: str = ""
) -> HttpResponse:
    context = {"study": study, "form": form, "heading": heading, "button": button or gettext("Save"), "lead": lead}
    return render(request, "studies/form.html", context, status=400 if form.errors else 200)
