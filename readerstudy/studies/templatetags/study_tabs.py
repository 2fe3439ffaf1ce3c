"""Which pages of a study stand in its navigation, by the role of who looks."""

from dataclasses import dataclass

from django import template
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import User
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import role_in

register = template.Library()
Role = Enrolment.Role
STAFF = (Role.COORDINATOR, Role.STATISTICIAN)


@dataclass(frozen=True)
class Tab:
    label: str | Promise
    folder: str
    roles: tuple[str, ...]


TABS = [
    Tab(_("Overview"), "", (Role.COORDINATOR, Role.READER, Role.TRUTHER, Role.STATISTICIAN)),
    Tab(_("Protocol"), "protocol/", (*STAFF, Role.TRUTHER)),
    Tab(_("People"), "people/", (Role.COORDINATOR,)),
    Tab(_("Cases"), "cases/", (Role.COORDINATOR,)),
    Tab(_("Reference"), "reference/", (Role.COORDINATOR, Role.TRUTHER)),
    Tab(_("Predictions"), "predictions/", (Role.COORDINATOR,)),
    Tab(_("Allocation"), "allocation/", (Role.COORDINATOR,)),
    Tab(_("Readings"), "readings/", STAFF),
    Tab(_("Data"), "data/", STAFF),
    Tab(_("Results"), "results/", STAFF),
    Tab(_("Audit"), "audit/", STAFF),
]


@register.inclusion_tag("studies/_tabs.html")
def study_tabs(request: HttpRequest, study: Study) -> dict[str, object]:
    role = role_in(request.user, study) if isinstance(request.user, User) else None
    home = f"/studies/{study.token}/"
    here = request.path.removeprefix(home).partition("/")[0]
    return {
        "tabs": [
            {"label": tab.label, "url": home + tab.folder, "current": tab.folder.rstrip("/") == here}
            for tab in TABS
            if role in tab.roles
        ]
    }
