"""Where the site asks for it, everybody but readers proves more than a password."""

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from .models import User

# What setting it up needs, and the way out.
OPEN = ("account_logout", "account_reauthenticate", "set_language")


class SecondFactor:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, names: object) -> HttpResponse | None:
        name = (request.resolver_match.url_name if request.resolver_match else None) or ""
        if not settings.STAFF_SECOND_FACTOR or name in OPEN or name.startswith("mfa_"):
            return None
        if not isinstance(request.user, User) or is_mfa_enabled(request.user) or reads_only(request.user):
            return None
        messages.warning(request, _("This site asks for a second factor: set up an authenticator app first."))
        return redirect("mfa_activate_totp")


def reads_only(user: User) -> bool:
    return (
        user.site_role == User.Site.MEMBER and not user.enrolments.filter(active=True).exclude(role="reader").exists()
    )
