"""Accounts and reader profiles: who makes them, and that nothing happens without its event."""

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.db import IntegrityError, transaction

from readerstudy.accounts import actions
from readerstudy.accounts.models import ReaderProfile, User
from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from tests.world import PASSWORD, People, close_audit

pytestmark = pytest.mark.django_db
ROLES = [User.Site.COORDINATOR, User.Site.DEVELOPER, User.Site.ADMINISTRATOR]


def test_a_one_time_password_works_and_is_stored_only_as_a_hash() -> None:
    people = People()
    made = actions.create_account(username="nora", first_name="Nora", last_name="Ng", by=people.alice)
    stored = User.objects.get(username="nora")
    assert stored.check_password(made.password)
    assert made.password not in stored.password
    event = Event.objects.get(verb="account.created", facts__username="nora")
    assert (event.actor, event.facts["name"]) == ("alice", "Nora Ng")
    assert made.password not in str(event.content())


def test_passwords_are_hashed_by_argon2_in_the_settings_of_the_site() -> None:
    from readerstudy import settings

    assert settings.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    assert identify_hasher("argon2$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHQ$aGFzaA").algorithm == "argon2"


def test_new_passwords_are_a_hundred_bits_and_never_the_same() -> None:
    made = {actions.new_password() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(password.replace("-", "")) == 20 for password in made)
    assert len(actions.LETTERS) == len(set(actions.LETTERS)) == 32


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"username": "BOB"}, "The user name “BOB” is taken"),
        ({"username": ""}, "This field cannot be blank"),
        ({"username": "a b"}, "Enter a valid username"),
        ({"username": "x" * 151}, "at most 150 characters"),
        ({"username": "nora", "password": "short"}, "too short"),
        ({"username": "nora", "password": "password1234"}, "too common"),
        ({"username": "nora", "site_role": "emperor"}, "not a valid choice"),
    ],
)
def test_a_faulty_account_is_refused(words: dict[str, str], sentence: str) -> None:
    people = People()
    assert people.bob and people.ada
    before = User.objects.count()
    with pytest.raises(Refused, match=sentence):
        actions.create_account(by=people.ada, **words)
    assert User.objects.count() == before


def test_members_make_no_accounts() -> None:
    people = People()
    for who in (people.bob, people.tess, people.dev):
        with pytest.raises(Denied, match="Only coordinators and administrators"):
            actions.create_account(username="nora", by=who)


@pytest.mark.parametrize("site_role", ROLES)
def test_only_administrators_give_roles_on_the_site(site_role: str) -> None:
    people = People()
    with pytest.raises(Denied, match="Only administrators make"):
        actions.create_account(username="nora", site_role=site_role, by=people.alice)
    made = actions.create_account(username="nora", site_role=site_role, by=people.ada)
    assert (made.user.site_role, made.user.is_superuser) == (site_role, False)


def test_a_profile_is_the_readers_own_or_entered_by_who_makes_accounts() -> None:
    people = People()
    actions.set_profile(user=people.bob, seniority="intermediate", specialty=" bone ", by=people.alice)
    with pytest.raises(Denied):
        actions.set_profile(user=people.bob, seniority="junior", by=people.rita)
    profile = ReaderProfile.objects.get(user=people.bob)
    assert (profile.seniority, profile.specialty, profile.years_of_experience) == ("intermediate", "bone", None)
    event = Event.objects.filter(verb="profile.set", actor="alice").get()
    assert (event.facts["old"]["seniority"], event.facts["seniority"]) == ("senior", "intermediate")


@pytest.mark.parametrize(
    ("seniority", "years", "sentence"),
    [
        ("expert", 3, "not a valid choice"),
        ("senior", 71, "Years of experience are at most 70"),
        ("senior", -1, "greater than"),
    ],
)
def test_an_implausible_profile_is_refused(seniority: str, years: int, sentence: str) -> None:
    people = People()
    with pytest.raises(Refused, match=sentence):
        actions.set_profile(user=people.stan, seniority=seniority, years_of_experience=years, by=people.stan)
    assert not ReaderProfile.objects.filter(user=people.stan).exists()


def test_the_database_knows_seniorities_and_roles() -> None:
    people = People()
    assert people.bob
    with pytest.raises(IntegrityError, match="profile_seniority_known"), transaction.atomic():
        ReaderProfile.objects.update(seniority="expert")
    with pytest.raises(IntegrityError, match="user_site_role_known"), transaction.atomic():
        User.objects.update(site_role="emperor")


def test_a_lost_password_is_replaced_by_an_administrator() -> None:
    people = People()
    with pytest.raises(Denied):
        actions.reset_password(user=people.bob, by=people.alice)
    password = actions.reset_password(user=people.bob, by=people.ada)
    stored = User.objects.get(username="bob")
    assert stored.check_password(password) and not stored.check_password(PASSWORD)


def test_accounts_are_closed_and_opened_with_a_reason() -> None:
    people = People()
    with pytest.raises(Refused, match="needs its reason"):
        actions.set_active(user=people.bob, active=False, reason=" ", by=people.ada)
    with pytest.raises(Refused, match="Nobody closes their own account"):
        actions.set_active(user=people.ada, active=False, reason="r", by=people.ada)
    actions.set_active(user=people.bob, active=False, reason="left", by=people.ada)
    with pytest.raises(Refused, match="The account of Bob is closed already"):
        actions.set_active(user=people.bob, active=False, reason="left", by=people.ada)
    actions.set_active(user=people.bob, active=True, reason="back", by=people.ada)
    told = Event.objects.filter(verb__in=["account.closed", "account.opened"]).order_by("number")
    assert [(event.verb, event.facts["reason"]) for event in told] == [
        ("account.closed", "left"),
        ("account.opened", "back"),
    ]


def test_every_action_falls_with_its_event() -> None:
    people = People()
    before = [list(User.objects.order_by("pk").values()) for _ in (people.ada, people.bob)][-1]
    profile = ReaderProfile.objects.values().get()
    close_audit()
    for attempt in (
        lambda: actions.create_account(username="nora", by=people.ada),
        lambda: actions.create_person(username="nora", seniority="junior", by=people.ada),
        lambda: actions.set_profile(user=people.bob, seniority="junior", by=people.bob),
        lambda: actions.reset_password(user=people.bob, by=people.ada),
        lambda: actions.set_active(user=people.bob, active=False, reason="r", by=people.ada),
    ):
        with pytest.raises(IntegrityError, match="audit_is_closed"), transaction.atomic():
            attempt()
    assert list(User.objects.order_by("pk").values()) == before
    assert ReaderProfile.objects.values().get() == profile
