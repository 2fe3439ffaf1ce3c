"""The pages of accounts: one's own profile, and the people of the site."""

import re

import pytest

from readerstudy.accounts.models import ReaderProfile, User
from tests.world import People, client_of

pytestmark = pytest.mark.django_db


def test_a_reader_fills_in_their_profile() -> None:
    people = People()
    browser = client_of(people.stan)
    browser.post("/accounts/profile/", {"seniority": "junior", "specialty": "spine", "years_of_experience": "2"})
    profile = ReaderProfile.objects.get(user=people.stan)
    assert (profile.seniority, profile.specialty, profile.years_of_experience) == ("junior", "spine", 2)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"seniority": "expert"}, "is not one of the available choices"),
        ({"seniority": "senior", "years_of_experience": "-3"}, "greater than or equal to 0"),
        ({"seniority": "senior", "years_of_experience": "99"}, "Years of experience are at most 70."),
    ],
)
def test_a_faulty_profile_comes_back_with_a_sentence(data: dict[str, str], sentence: str) -> None:
    response = client_of(People().stan).post("/accounts/profile/", data)
    assert response.status_code == 400
    assert sentence in response.content.decode()


def test_an_account_is_made_and_its_password_shown_once() -> None:
    people = People()
    browser = client_of(people.alice)
    page = browser.post("/accounts/people/", {"username": "nora", "first_name": "Nora", "seniority": "junior"})
    shown = re.search(r'<span class="secret">([a-z0-9-]+)</span>', page.content.decode())
    assert shown is not None
    nora = User.objects.get(username="nora")
    assert nora.check_password(shown[1])
    assert nora.reader_profile.seniority == "junior"
    assert page.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert shown[1] not in browser.get("/accounts/people/").content.decode()


def test_a_coordinator_cannot_slip_a_role_into_the_form() -> None:
    people = People()
    client_of(people.alice).post("/accounts/people/", {"username": "nora", "site_role": "administrator"})
    assert User.objects.get(username="nora").site_role == "member"


def test_people_pages_are_for_those_who_make_accounts() -> None:
    people = People()
    for who in (people.bob, people.dev):
        browser = client_of(who)
        for address in ("/accounts/people/", f"/accounts/people/{people.alice.token}/"):
            response = browser.get(address)
            assert response.status_code == 403
            assert "Only coordinators and administrators make accounts." in response.content.decode()
    for order in ("password", "active"):
        assert client_of(people.alice).post(f"/accounts/people/{people.bob.token}/{order}/").status_code == 403


def test_an_administrator_replaces_a_password_and_closes_an_account() -> None:
    people = People()
    browser = client_of(people.ada)
    page = browser.post(f"/accounts/people/{people.bob.token}/password/").content.decode()
    shown = re.search(r'<span class="secret">([a-z0-9-]+)</span>', page)
    assert shown is not None and User.objects.get(username="bob").check_password(shown[1])
    without = browser.post(f"/accounts/people/{people.bob.token}/active/", {"reason": ""})
    assert without.status_code == 400 and "needs its reason" in without.content.decode()
    browser.post(f"/accounts/people/{people.bob.token}/active/", {"reason": "left"})
    assert not User.objects.get(username="bob").is_active


def test_a_person_who_does_not_exist_is_not_found() -> None:
    browser = client_of(People().ada)
    assert browser.get("/accounts/people/nobody-with-this-token/").status_code == 404
