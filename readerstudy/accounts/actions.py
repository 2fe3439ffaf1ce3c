import secrets
from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from readerstudy.audit.actions import record
from readerstudy.audit.errors import Refused

from .models import ReaderProfile, User
from .permissions import check_administers, check_gives_site_role, check_makes_accounts

# Without characters that look alike, because it is read from a screen and typed once: 20 of 32 are 100 bits.
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class NewAccount:
    user: User
    password: str


def new_password() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(4))


@transaction.atomic
def create_account(
    *,
    username: str,
    by: User | None,
    first_name: str = "",
    last_name: str = "",
    site_role: str = User.Site.MEMBER,
    password: str = "",
) -> NewAccount:
    """An account and its password, which is returned here once and stored only as a hash.

    `by` is None for a command on the server itself, which may make the first administrator.
    """
    if by is not None:
        check_makes_accounts(by)
        check_gives_site_role(by, site_role)
    if User.objects.filter(username__iexact=username.strip()).exists():
        raise Refused(f"The user name “{username.strip()}” is taken.")
    user = User(username=username.strip(), first_name=first_name.strip(), last_name=last_name.strip())
    user.site_role = site_role
    user.is_staff = site_role == User.Site.ADMINISTRATOR
    chosen = password or new_password()
    try:
        validate_password(chosen, user)
        user.set_password(chosen)
        user.full_clean()
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    user.save()
    facts = {"username": user.username, "name": str(user), "site_role": site_role}
    record(actor=by, verb="account.created", target=user, facts=facts)
    return NewAccount(user, chosen)


@transaction.atomic
def create_person(
    *,
    username: str,
    by: User,
    first_name: str = "",
    last_name: str = "",
    site_role: str = User.Site.MEMBER,
    seniority: str = "",
) -> NewAccount:
    """An account, and for a reader the beginning of their profile."""
    made = create_account(username=username, by=by, first_name=first_name, last_name=last_name, site_role=site_role)
    if seniority:
        set_profile(user=made.user, seniority=seniority, by=by)
    return made


@transaction.atomic
def set_profile(
    *, user: User, seniority: str, by: User | None, specialty: str = "", years_of_experience: int | None = None
) -> ReaderProfile:
    """What a reader declares of themselves, or who makes accounts enters for them."""
    if by is not None and by != user:
        check_makes_accounts(by)
    profile = ReaderProfile.objects.select_for_update().filter(user=user).first() or ReaderProfile(user=user)
    old = facts_of(profile) if profile.pk else None
    profile.seniority, profile.specialty = seniority, specialty.strip()
    profile.years_of_experience = years_of_experience
    try:
        profile.full_clean()
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    profile.save()
    record(actor=by, verb="profile.set", target=user, facts=facts_of(profile) | ({"old": old} if old else {}))
    return profile


def facts_of(profile: ReaderProfile) -> dict[str, object]:
    return {
        "seniority": profile.seniority,
        "specialty": profile.specialty,
        "years_of_experience": profile.years_of_experience,
    }


@transaction.atomic
def reset_password(*, user: User, by: User) -> str:
    """A new one-time password, where somebody has lost theirs; all their sessions end with it."""
    check_administers(by)
    password = new_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    record(actor=by, verb="account.password_reset", target=user, facts={"username": user.username})
    return password


@transaction.atomic
def set_active(*, user: User, active: bool, reason: str, by: User) -> None:
    """Close an account or open it again; its past stays."""
    check_administers(by)
    if user == by:
        raise Refused("Nobody closes their own account.")
    if not reason.strip():
        raise Refused("Closing or opening an account needs its reason.")
    if not User.objects.filter(pk=user.pk, is_active=not active).update(is_active=active):
        raise Refused(f"The account of {user} is {'open' if active else 'closed'} already.")
    facts = {"username": user.username, "old": not active, "new": active, "reason": reason.strip()}
    record(actor=by, verb="account.opened" if active else "account.closed", target=user, facts=facts)
    user.is_active = active
