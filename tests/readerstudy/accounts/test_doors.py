"""Logging in and out, and the doors that are not there."""

import re
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from tests.world import PASSWORD, People, client_of, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_tried_before() -> None:
    cache.clear()


def log_in(browser: Client, username: str, password: str, **more: str) -> HttpResponse:
    response: HttpResponse = browser.post("/accounts/login/", {"login": username, "password": password, **more})
    return response


def test_logging_in_leads_home_and_renews_the_session() -> None:
    people = People()
    browser = Client()
    browser.get("/accounts/login/")
    before = browser.session.session_key
    response = log_in(browser, people.alice.username, PASSWORD)
    assert response.headers["Location"] == "/"
    assert browser.session.session_key != before
    assert browser.get("/").status_code == 200


def test_logging_in_leads_back_to_the_page_that_was_wanted_but_never_to_another_site() -> None:
    people = People()
    wanted = log_in(Client(), people.alice.username, PASSWORD, next="/help/")
    assert wanted.headers["Location"] == "/help/"
    elsewhere = log_in(Client(), people.alice.username, PASSWORD, next="https://evil.example/")
    assert elsewhere.headers["Location"] == "/"


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer() -> None:
    people = People()
    pages = [
        log_in(Client(), name, "not-the-password-of-anybody").content.decode()
        for name in (people.alice.username, "alicf")
    ]
    one, other = (re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page) for page in pages)
    assert one.replace("alice", "NAME") == other.replace("alicf", "NAME")
    assert "The username and/or password you specified are not correct." in one


def test_guessing_is_stopped_even_with_the_right_password_at_last() -> None:
    people = People()
    for name in ["alice", "Alice", "ALICE", "aLICE"] * 2:
        log_in(Client(), name, "a-wrong-guess-again")
        cache.clear()  # allauth's own limit steps in even earlier; here axes alone has to hold
    response = log_in(Client(), people.alice.username, PASSWORD)
    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()
    assert log_in(Client(), people.bob.username, PASSWORD).headers["Location"] == "/"


def test_a_closed_account_does_not_get_in() -> None:
    people = People()
    people.bob.is_active = False
    people.bob.save()
    browser = Client()
    log_in(browser, "bob", PASSWORD)
    assert browser.get("/").headers["Location"].startswith("/accounts/login/")


def test_logging_out_takes_a_post() -> None:
    browser = client_of(People().alice)
    assert browser.get("/accounts/logout/").status_code == 200
    assert browser.get("/").status_code == 200
    browser.post("/accounts/logout/")
    assert browser.get("/").headers["Location"] == "/accounts/login/?next=/"


@pytest.mark.parametrize("door", ["signup/", "password/reset/", "email/", "confirm-email/", "social/", "2fa/webauthn/"])
def test_doors_that_are_not_used_are_not_there(door: str) -> None:
    assert client_of(People().alice).get(f"/accounts/{door}").status_code == 404


def test_a_password_is_changed_by_its_owner_who_stays_logged_in() -> None:
    people = People()
    browser = client_of(people.bob)
    new = {"password1": "another horse, another battery", "password2": "another horse, another battery"}
    refused = browser.post("/accounts/password/change/", {"oldpassword": "wrong", **new})
    assert refused.status_code == 200 and "current password" in refused.content.decode()
    browser.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})
    people.bob.refresh_from_db()
    assert people.bob.check_password(new["password1"])
    assert browser.get("/").status_code == 200


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_where_the_site_asks_for_it_everybody_but_readers_sets_up_a_second_factor(settings: Any) -> None:
    people = People()
    make_study(people)
    settings.STAFF_SECOND_FACTOR = True
    setting_up = "/accounts/2fa/totp/activate/"
    for user in (people.alice, people.tess, people.stan, people.charlie, people.dev):
        assert client_of(user).get("/").headers["Location"] == setting_up
    for reader in (people.bob, people.rita):
        assert client_of(reader).get("/").status_code == 200
    alice = Client()
    log_in(alice, "alice", PASSWORD)
    assert "second factor" in alice.get("/", follow=True).content.decode()
    assert alice.post("/accounts/logout/").status_code == 302
    totp.TOTP.activate(people.alice, totp.generate_totp_secret())
    assert client_of(people.alice).get("/").status_code == 200


def test_the_administration_has_no_log_in_of_its_own() -> None:
    people = People()
    by_password = Client().post("/admin/login/", {"username": people.ada.username, "password": PASSWORD})
    assert by_password.headers["Location"] == "/accounts/login/?next=%2Fadmin%2Flogin%2F"
    assert client_of(people.alice).get("/admin/", follow=True).status_code == 403


def test_a_second_factor_is_set_up_and_then_asked_for() -> None:
    people = People()
    browser = Client()
    log_in(browser, people.alice.username, PASSWORD)
    asked = browser.get("/accounts/2fa/totp/activate/")
    page = browser.post(asked.headers["Location"], {"password": PASSWORD}, follow=True).content.decode()
    found = re.search(r'<span class="mono">([A-Z2-7]+)</span>', page)
    assert found is not None, page
    activated = browser.post("/accounts/2fa/totp/activate/", {"code": code_of(found[1])}, follow=True)
    assert "Each logs you in once if the app is lost." in activated.content.decode()
    cache.clear()
    later = Client()
    assert log_in(later, people.alice.username, PASSWORD).headers["Location"] == "/accounts/2fa/authenticate/"
    assert later.get("/").headers["Location"].startswith("/accounts/login/")
    later.post("/accounts/2fa/authenticate/", {"code": code_of(found[1])})
    assert later.get("/").status_code == 200
