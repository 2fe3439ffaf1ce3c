from collections.abc import Mapping

from django.db.models import QuerySet
from django.http import HttpRequest

from .models import ReaderProfile, User


def person(request: HttpRequest) -> User:
    """Who asks. LoginRequiredMiddleware lets nobody else through."""
    assert isinstance(request.user, User)
    return request.user


def people() -> QuerySet[User]:
    return User.objects.select_related("reader_profile").order_by("-is_active", "last_name", "username")


def profile_of(user: User) -> ReaderProfile | None:
    return ReaderProfile.objects.filter(user=user).first()


def name_tried(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str:
    """The user name somebody tries, in one case: logging in ignores case, so counting guesses must too."""
    name = (credentials or {}).get("username") or request.POST.get("login", "")
    return name.strip().casefold()
