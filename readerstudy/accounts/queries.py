from collections.abc import Mapping

from django.contrib.auth import authenticate
from django.db.models import QuerySet
from django.http import HttpRequest

from .models import ReaderProfile, User


def person(request: HttpRequest) -> User:
    """Who asks. LoginRequiredMiddleware lets nobody else through."""
    assert isinstance(request.user, User)
    return request.user


def signs(request: HttpRequest, password: str) -> bool:
    """Whether this is the password of who asks. Guesses count with those at the log-in, and are stopped like them."""
    return authenticate(request, username=person(request).get_username(), password=password) is not None


def people() -> QuerySet[User]:
    return User.objects.select_related("reader_profile").order_by("-is_active", "last_name", "username")


def profile_of(user: User) -> ReaderProfile | None:
    return ReaderProfile.objects.filter(user=user).first()


def name_tried(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str:
    """The user name somebody tries, in one case: logging in ignores case, so counting guesses must too."""
    name = (credentials or {}).get("username") or request.POST.get("login", "")
    return name.strip().casefold()
