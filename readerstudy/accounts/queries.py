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
