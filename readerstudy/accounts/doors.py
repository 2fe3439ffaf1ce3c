"""What the lock-out of guessers needs to know."""

from collections.abc import Mapping

from django.http import HttpRequest


def name_tried(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str:
    """The user name somebody tries, in one case: logging in ignores case, so counting guesses must too."""
    name = (credentials or {}).get("username") or request.POST.get("login", "")
    return name.strip().casefold()
