"""Every route of the site: who may look, and that it hides from everybody else that there is anything to see."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from readerstudy.accounts.models import User
from tests.world import Site, client_of, make_site, slots_of

COORDINATOR, STATISTICIAN, TRUTHER, READER = "coordinator", "statistician", "truther", "reader"
MEMBERS = {COORDINATOR: "alice", STATISTICIAN: "stan", TRUTHER: "tess", READER: "bob"}
# A made-up token has the form of a real one.
NONE = "AAAAAAAAAAAAAAAAAAAAAA"
TOKENS = {
    "study",
    "enrolment",
    "run",
    "series",
    "case",
    "standard",
    "prediction",
    "algorithm",
    "reader",
    "slot",
    "user",
}


@dataclass(frozen=True)
class Door:
    """`may`: who passes. `of`: whose thing it is. `posts`: it takes nothing but POST."""

    may: frozenset[str]
    of: str = "study"
    posts: bool = False
    status: int = 200


def door(*may: str, of: str = "study", posts: bool = False, status: int = 200) -> Door:
    return Door(frozenset(may), of, posts, status)


COORDINATES = door(COORDINATOR)
ACTS = door(COORDINATOR, posts=True)
OVERSEES = door(COORDINATOR, STATISTICIAN)
SEES_PROTOCOL = door(COORDINATOR, STATISTICIAN, TRUTHER)
SEES_CASES = door(COORDINATOR, TRUTHER)
EVERYBODY = door(*MEMBERS, of="site")
OWN_SLOT = door(READER, of="slot")
SENDS = door(READER, of="slot", posts=True)
ALLAUTH = door(of="log-in")

DOORS = {
    **dict.fromkeys(("account_login", "account_logout", "account_inactive", "account_reauthenticate"), ALLAUTH),
    "admin_login": ALLAUTH,
    **dict.fromkeys(("account_change_password", "mfa_index", "mfa_authenticate", "mfa_reauthenticate"), ALLAUTH),
    **dict.fromkeys(("mfa_activate_totp", "mfa_deactivate_totp"), ALLAUTH),
    **dict.fromkeys(("mfa_view_recovery_codes", "mfa_generate_recovery_codes"), ALLAUTH),
    "set_language": door(*MEMBERS, of="site", status=302),
    "accounts:profile": EVERYBODY,
    "accounts:people": door(COORDINATOR, of="site"),
    "accounts:account": door(COORDINATOR, of="account"),
    "accounts:password": door(of="account", posts=True),
    "accounts:active": door(of="account", posts=True),
    "algorithms:list": door(COORDINATOR, of="algorithm"),
    "algorithms:card": door(COORDINATOR, of="algorithm"),
    "dashboard:home": EVERYBODY,
    "dashboard:help": EVERYBODY,
    "dashboard:overview": door(*MEMBERS),
    "studies:create": door(COORDINATOR, of="site"),
    "studies:protocol": SEES_PROTOCOL,
    "studies:printed": SEES_PROTOCOL,
    "studies:document": SEES_PROTOCOL,
    "studies:people": COORDINATES,
    "studies:withdraw": COORDINATES,
    **dict.fromkeys(("studies:describe", "studies:freeze", "studies:amend", "studies:set_rules"), COORDINATES),
    **dict.fromkeys(("studies:add_arm", "studies:edit_arm", "studies:add_period", "studies:edit_period"), COORDINATES),
    **dict.fromkeys(("studies:add_question", "studies:edit_question"), COORDINATES),
    **dict.fromkeys(("studies:add_endpoint", "studies:edit_endpoint"), COORDINATES),
    **dict.fromkeys(("studies:order_arm", "studies:remove_period"), ACTS),
    **dict.fromkeys(("studies:order_question", "studies:remove_endpoint"), ACTS),
    **dict.fromkeys(("cases:cases", "cases:start", "cases:import", "cases:case"), COORDINATES),
    **dict.fromkeys(("cases:confirm", "cases:resume", "cases:replace", "cases:drop"), ACTS),
    **dict.fromkeys(("cases:frame", "cases:document", "cases:thumbnail"), SEES_CASES),
    # The films are too small for previews; whoever may look learns that.
    "cases:preview": door(COORDINATOR, TRUTHER, status=404),
    "reference:reference": door(COORDINATOR, TRUTHER),
    "reference:standard": COORDINATES,
    # The name is that of a file of the data set, which the standard has not.
    "reference:download": door(COORDINATOR, status=404),
    "reference:opinions": door(TRUTHER),
    **dict.fromkeys(("reference:opinion", "reference:desk"), door(TRUTHER)),
    "reference:draft": door(TRUTHER, posts=True),
    "reference:appoint": ACTS,
    "predictions:runs": COORDINATES,
    "predictions:run": OVERSEES,
    **dict.fromkeys(("predictions:retry", "predictions:offer"), ACTS),
    **dict.fromkeys(("predictions:output", "predictions:output_document"), COORDINATES),
    "predictions:heatmap": COORDINATES,
    "predictions:mask": door(COORDINATOR, status=404),
    "allocation:allocation": COORDINATES,
    "allocation:slots": COORDINATES,
    "reading:worklist": EVERYBODY,
    "reading:start": door(READER, of="reader"),
    "reading:paused": door(READER, of="reader"),
    "reading:finished": door(READER, of="reader"),
    # Bob waits out the washout: there is nothing to check the display for, and no training was drawn.
    "reading:display": door(READER, of="reader", status=302),
    "reading:training": door(READER, of="reader", status=302),
    "reading:debriefing": door(READER, of="reader", status=404),
    "reading:read": door(READER, of="slot", status=302),
    # Bob waits: nothing of his next case can be had before it is due.
    "reading:case": door(READER, of="slot", status=403),
    "reading:frame": door(READER, of="slot", status=403),
    "reading:frames": door(READER, of="slot", status=403),
    "reading:heatmap": door(READER, of="slot", status=404),
    "reading:mask": door(READER, of="slot", status=404),
    **dict.fromkeys(("reading:draft", "reading:submit", "reading:pause"), SENDS),
    **dict.fromkeys(("reading:output", "reading:revise"), SENDS),
    "readings:progress": OVERSEES,
    "readings:open": ACTS,
    "readings:import": COORDINATES,
    "readings:confirm-import": ACTS,
    "readings:correct": COORDINATES,
    "readings:ask-override": door(COORDINATOR, STATISTICIAN, posts=True),
    "readings:agree-override": door(COORDINATOR, STATISTICIAN, posts=True),
    "datasets:data": OVERSEES,
    # Alice's study is not locked yet: there is neither a file nor a result.
    "datasets:download": door(COORDINATOR, STATISTICIAN, status=404),
    **dict.fromkeys(("results:results", "results:truthers"), OVERSEES),
    "results:start": door(COORDINATOR, STATISTICIAN, posts=True),
    **dict.fromkeys(("results:document", "results:table"), door(COORDINATOR, STATISTICIAN, status=404)),
    "results:figure": door(COORDINATOR, STATISTICIAN, status=404),
    "audit:events": OVERSEES,
    "audit:chain": OVERSEES,
}
# A truther is led from the reference standard to the cases.
LED_ELSEWHERE = {("reference:reference", TRUTHER): 302}


def routes(
    patterns: list[Any], space: str = "", above: frozenset[str] = frozenset()
) -> Iterator[tuple[str, frozenset[str]]]:
    """Name and parameters of every route of our own and of the accounts; the admin site stands apart."""
    for pattern in patterns:
        parameters = above | set(pattern.pattern.converters)
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}", parameters
        elif isinstance(pattern, URLResolver) and pattern.app_name != "admin":
            inside = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from routes(pattern.url_patterns, inside, parameters)


def every_route() -> dict[str, frozenset[str]]:
    return dict(routes(get_resolver().url_patterns))


ROUTES = every_route()


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, django_db_blocker: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Built once: every test looks only, and what it changes all the same is undone."""
    folder: Path = tmp_path_factory.mktemp("site")
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]
        yield make_site(folder)
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def undone(site: Site) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def own(site: Site, name: str) -> dict[str, str | int]:
    """Where this route leads in Alice's study; the slot is Bob's, who waits for its washout to end."""
    study, space = site.study, name.split(":", 1)[0]
    case = study.cases.order_by("label")[0]
    slot = slots_of(study, "bob").filter(period__number=2)[0]
    known: dict[str, str | int] = {
        "study": study.token,
        "case": case.token,
        "series": case.series.get().token,
        "position": 1,
        "number": 1,
        "first": 1,
        "last": 1,
        "part": "plan",
        "code": "aided",
        "order": "up",
        "kind": "text",
        "key": "decision",
        "enrolment": study.enrolments.get(user=site.people.rita).token,
        "standard": study.standards.get().token,
        "run": study.imports.get().token if space == "cases" else site.run.token,
        "prediction": site.run.run_cases.get(case=case).prediction.token,
        "algorithm": site.run.algorithm.token,
        "reader": slot.reader.token,
        "slot": slot.token,
        "name": "answers.csv",
        "user": site.people.rita.token,
    }
    return {parameter: known[parameter] for parameter in ROUTES[name]}


def said(response: Any) -> tuple[int, bytes, str]:
    """What is compared: status, body without the form's masked token, where it leads."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    plain = re.sub(rb'name="csrfmiddlewaretoken" value="\w{64}"', b"", content)
    return response.status_code, plain, response.headers.get("Location", "")


def answers(client: Client, address: str) -> list[tuple[int, bytes, str]]:
    """By every method, with a form and with JSON."""
    replies = [client.get(address), client.options(address), client.post(address, {"reason": "why"})]
    replies += [client.post(address, {"answers": {}}, content_type="application/json")]
    return [said(reply) for reply in replies]


def test_every_route_has_its_row() -> None:
    assert set(ROUTES) == set(DOORS)


@pytest.mark.parametrize("name", DOORS)
def test_members_pass_where_they_may_and_are_told_where_not(site: Site, name: str) -> None:
    row = DOORS[name]
    if row.of == "log-in":
        return
    address = reverse(name, kwargs=own(site, name))
    for role, username in MEMBERS.items():
        client = client_of(User.objects.get(username=username))
        hidden = 404 if row.of in ("algorithm", "reader", "slot") else 403
        expected = LED_ELSEWHERE.get((name, role), row.status) if role in row.may else hidden
        assert client.get(address).status_code == (405 if row.posts else expected), role
        if row.posts and role not in row.may:
            assert client.post(address).status_code == hidden, role


OUTSIDERS = {
    "study": ("charlie", "rolf", "carla"),
    "slot": ("charlie", "rolf", "rita", "alice"),
    "reader": ("charlie", "rolf", "rita", "alice"),
    "algorithm": ("rolf", "bob"),
    "account": ("rolf", "dev"),
}


@pytest.mark.parametrize("name", [name for name in DOORS if ROUTES[name] & TOKENS])
def test_for_everybody_else_it_is_as_if_it_were_not_there(site: Site, name: str) -> None:
    row, real = DOORS[name], own(site, name)
    missing = [real | {token: NONE} for token in sorted(ROUTES[name] & TOKENS)]
    missing.append(real | dict.fromkeys(ROUTES[name] & TOKENS, NONE))
    for username in OUTSIDERS[row.of]:
        client = client_of(getattr(site.people, username, None) or getattr(site, username))
        found = answers(client, reverse(name, kwargs=real))
        for other in missing:
            assert answers(client, reverse(name, kwargs=other)) == found, (username, other)
        assert found[0][0] == (405 if row.posts else 403 if row.of == "account" else 404)


@pytest.mark.parametrize("name", [name for name in DOORS if len(ROUTES[name] & TOKENS) > 1])
def test_things_of_another_study_are_missing_in_ones_own(site: Site, name: str) -> None:
    """Alice asks through her own study for what belongs to Carla's."""
    case = site.other.cases.order_by("label")[0]
    run = site.other.prediction_runs.get()
    foreign = {
        "case": case.token,
        "series": case.series.get().token,
        "enrolment": site.other.enrolments.get(user=site.rolf).token,
        "standard": site.other.standards.get().token,
        "run": site.other.imports.get().token if name.startswith("cases:") else run.token,
        "prediction": run.run_cases.get(case=case).prediction.token,
        "slot": slots_of(site.other, "rolf")[0].token,
    }
    real = own(site, name)
    for username in ("alice", "tess", "stan"):
        client = client_of(getattr(site.people, username))
        for token in sorted(ROUTES[name] & foreign.keys()):
            there = answers(client, reverse(name, kwargs=real | {token: foreign[token]}))
            assert there == answers(client, reverse(name, kwargs=real | {token: NONE})), (username, token)


@pytest.mark.parametrize("name", [name for name in DOORS if DOORS[name].of != "log-in"])
def test_who_is_not_logged_in_is_sent_to_the_log_in_whatever_they_ask_for(site: Site, name: str) -> None:
    real = own(site, name)
    for kwargs in (real, real | dict.fromkeys(ROUTES[name] & TOKENS, NONE)):
        address = reverse(name, kwargs=kwargs)
        for status, content, leads_to in answers(Client(), address):
            assert (status, content, leads_to) == (302, b"", f"/accounts/login/?next={address}")


ODD = ("%00", "..", "x" * 500, "%ff%fe", "%F0%9F%A6%B4", "'%20OR%201=1%20--")
METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")


@pytest.mark.parametrize("name", DOORS)
def test_no_odd_token_and_no_method_breaks_it(site: Site, name: str) -> None:
    real = own(site, name)
    address = reverse(name, kwargs=real)
    inside = client_of(site.people.bob if READER in DOORS[name].may else site.people.alice)
    for client in (Client(), inside):
        for method in METHODS:
            assert status_of(client, method, address) < 500, method
    for odd in odd_addresses(name, real):
        for method in ("get", "post"):
            assert status_of(inside, method, odd) < 500, (method, odd)
    assert status_of(inside, "get", f"{address}?page=%00&verb=%00&value=%00&covariate=site") < 500


def odd_addresses(name: str, real: dict[str, str | int]) -> Iterator[str]:
    for parameter, value in real.items():
        mark, words = (987654321, ("99999999999999999999", "0")) if isinstance(value, int) else ("Q7Q7Q7", ODD)
        marked = reverse(name, kwargs=real | {parameter: mark})
        yield from (marked.replace(str(mark), word) for word in words)


def status_of(client: Client, method: str, address: str) -> int:
    """Of an answer whose effects are undone; what breaks is an answer too."""
    client.raise_request_exception = False
    with transaction.atomic():
        status: int = getattr(client, method)(address).status_code
        transaction.set_rollback(True)
    return status


def test_the_admin_site_is_for_administrators(site: Site) -> None:
    for username in ("alice", "bob", "charlie", "dev"):
        reply = client_of(getattr(site.people, username)).get("/admin/")
        assert (reply.status_code, reply.headers["Location"]) == (302, "/admin/login/?next=/admin/")


@pytest.mark.parametrize("name", ["datasets:data", "datasets:download", "results:results", "audit:chain"])
def test_a_locked_study_hands_its_data_to_its_own_people_alone(site: Site, name: str) -> None:
    parameters = {"name": "answers.csv"} if "name" in ROUTES[name] else {}
    real = reverse(name, kwargs={"study": site.other.token, **parameters})
    missing = reverse(name, kwargs={"study": NONE, **parameters})
    assert client_of(site.carla).get(real).status_code == 200
    assert client_of(site.rolf).get(real).status_code == 403
    for username in ("alice", "stan", "bob", "charlie"):
        client = client_of(getattr(site.people, username))
        assert answers(client, real) == answers(client, missing)
        assert client.get(real).status_code == 404
