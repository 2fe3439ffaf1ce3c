"""Which pages of a study stand in its navigation, by the role of who looks."""

from dataclasses import dataclass

from django import template
from django.http import HttpRequest

from readerstudy.accounts.models import User
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import role_in

register = template.Library()
Role = Enrolment.Role
STAFF = (Role.COORDINATOR, Role.STATISTICIAN)


@dataclass(frozen=True)
class Tab:
    label: str
    folder: str
    roles: tuple[str, ...]


TABS = [
    Tab("Overview", "", (Role.COORDINATOR, Role.READER, Role.TRUTHER, Role.STATISTICIAN)),
    Tab("Protocol", "protocol/", (*STAFF, Role.TRUTHER)),
    Tab("People", "people/", (Role.COORDINATOR,)),
    Tab("Cases", "cases/", (Role.COORDINATOR,)),
    Tab("Reference", "reference/", (Role.COORDINATOR, Role.TRUTHER)),
    Tab("Predictions", "predictions/", (Role.COORDINATOR,)),
    Tab("Allocation", "allocation/", (Role.COORDINATOR,)),
    Tab("Readings", "readings/", STAFF),
    Tab("Data", "data/", STAFF),
    Tab("Results", "results/", STAFF),
    Tab("Audit", "audit/", STAFF),
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
