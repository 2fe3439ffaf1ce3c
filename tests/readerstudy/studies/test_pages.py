"""A coordinator designs a study in the browser; everybody else is kept out of it with a sentence."""

import hashlib

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.studies import actions
from readerstudy.studies.models import Study
from tests.world import People, client_of, make_study

pytestmark = pytest.mark.django_db


def url(name: str, study: Study, *rest: object) -> str:
    return reverse(f"studies:{name}", args=[study.token, *rest])


def designed_pages(study: Study) -> list[tuple[str, str]]:
    """Every page of the design, with the method that changes something."""
    return [
        ("post", url("describe", study)),
        ("post", url("freeze", study)),
        ("post", url("amend", study)),
        ("post", url("add_arm", study)),
        ("post", url("edit_arm", study, "aided")),
        ("post", url("order_arm", study, "aided", "up")),
        ("post", url("add_period", study)),
        ("post", url("edit_period", study, 2)),
        ("post", url("remove_period", study, 2)),
        ("post", url("add_question", study, "text")),
        ("post", url("edit_question", study, "decision")),
        ("post", url("order_question", study, "decision", "down")),
        ("post", url("add_endpoint", study)),
        ("post", url("edit_endpoint", study, 1)),
        ("post", url("remove_endpoint", study, 1)),
        ("post", url("people", study)),
        ("post", url("withdraw", study, study.enrolments.get(code="R01").token)),
    ]


def test_a_new_study_begins_in_the_words_of_who_creates_it() -> None:
    browser = client_of(People().alice)
    browser.post("/studies/new/", {"title": "脊柱"}, headers={"accept-language": "zh-hans"})
    study = Study.objects.get()
    assert [arm.code for arm in study.arms.all()] == ["unaided", "aided"]
    assert [question.key for question in study.questions.all()] == ["decision", "confidence"]
    texts = [arm.label for arm in study.arms.all()] + [question.text for question in study.questions.all()]
    assert not [text for text in [*texts, *study.rules.unreadable_reasons] if text.isascii()]


def test_a_study_is_designed_frozen_and_amended_in_the_browser() -> None:
    people = People()
    browser = client_of(people.alice)
    created = browser.post("/studies/new/", {"title": "Wrist", "question": "Does it help?", "instructions": "Look."})
    study = Study.objects.get(title="Wrist")
    assert created.headers["Location"] == url("protocol", study)
    question = {"text": "Which bone?", "choices": "Radius\nUlna\n", "required": "on"}
    browser.post(url("add_question", study, "choice"), question)
    browser.post(url("order_question", study, "which-bone", "up"))
    browser.post(url("edit_period", study, 2), {"washout_days": 42})
    browser.post(url("add_arm", study), {"label": "Heat map", "assistance": "concurrent", "shows_heatmap": "on"})
    browser.post(
        url("add_endpoint", study), {"rank": "secondary", "metric": "auc", "method": "per_reader", "margin": "0.05"}
    )
    page = browser.get(url("protocol", study)).content.decode()
    for part in ("Choice of one: Radius; Ulna", "42 days", "non-inferiority, margin 0.05", "Heat map"):
        assert part in page
    assert [row.key for row in study.questions.all()] == ["decision", "which-bone", "confidence"]
    browser.post(url("freeze", study))
    amendment = {
        "title": "Wrist fractures",
        "question": "Does it help?",
        "instructions": "Look.",
        "washout_2": 42,
        **{f"rank_{row.position}": row.rank for row in study.endpoints.all()},
        "reason": "Clearer title",
    }
    browser.post(url("amend", study), amendment)
    study.refresh_from_db()
    assert (study.title, study.phase, study.protocol_versions.count()) == ("Wrist fractures", "frozen", 2)
    page = browser.get(url("protocol", study)).content.decode()
    assert "<del>Wrist</del>" in page and "<ins>Wrist fractures</ins>" in page and "Clearer title" in page


@pytest.mark.parametrize("part", ["protocol", "plan"])
def test_the_digest_on_the_page_is_that_of_the_file_beside_it(part: str) -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    browser = client_of(people.stan)
    file = browser.get(url("document", study, 1, part)).content
    assert hashlib.sha256(file).hexdigest() in browser.get(url("protocol", study)).content.decode()
    assert browser.get(url("document", study, 2, part)).status_code == 404
    assert browser.get(url("document", study, 1, "truth")).status_code == 404


@pytest.mark.parametrize(
    ("name", "rest", "data", "sentence"),
    [
        ("add_question", ["number"], {"text": "Angle", "minimum": "5", "maximum": "1"}, "smallest value must be less"),
        ("add_question", ["number"], {"text": "Angle", "minimum": "many"}, "Enter a number"),
        ("add_question", ["decision"], {"text": "Again?"}, "A study has one decision question"),
        ("add_question", ["choice"], {"text": "Which?", "choices": "A\nA"}, "Every choice stands in the list once"),
        ("add_arm", [], {"label": "X", "assistance": "none", "shows_heatmap": "on"}, "An unaided arm shows nothing"),
        ("edit_period", [2], {"washout_days": "-1"}, "greater than or equal to 0"),
        ("edit_period", [2], {"washout_days": "9999999999999"}, "Washout before this period"),
        ("add_endpoint", [], {"rank": "primary", "metric": "auc", "method": "mrmc"}, "one primary endpoint"),
        ("add_endpoint", [], {"rank": "secondary", "metric": "auc", "method": "pooled"}, "not one of the available"),
        ("describe", [], {"title": ""}, "This field is required"),
        ("describe", [], {"title": "a\x00b"}, "Null characters are not allowed"),
        ("people", [], {"username": "nobody", "role": "reader"}, "Nobody has the user name"),
    ],
)
def test_wrong_input_comes_back_with_a_sentence_and_what_was_typed(
    name: str, rest: list[object], data: dict[str, str], sentence: str
) -> None:
    people = People()
    study = make_study(people)
    response = client_of(people.alice).post(url(name, study, *rest), data)
    page = response.content.decode()
    assert response.status_code == 400
    assert sentence in page
    assert all(value in page for value in data.values() if value.isalnum())


def test_an_incomplete_draft_says_what_is_missing_and_stays_a_draft() -> None:
    people = People()
    study = actions.create_study(title="T", by=people.alice)
    page = client_of(people.alice).post(url("freeze", study), follow=True).content.decode()
    assert "State the clinical question." in page
    assert Study.objects.get(pk=study.pk).phase == "draft"


def test_a_frozen_design_is_refused_with_a_sentence_not_an_error() -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    browser = client_of(people.alice)
    response = browser.post(url("order_question", study, "decision", "down"))
    assert response.status_code == 400
    assert "it changes only by an amendment with a reason" in response.content.decode()
    page = browser.get(url("protocol", study)).content.decode()
    assert "Add an arm" not in page and "Amend" in page


def test_members_without_the_right_are_told_so_and_change_nothing() -> None:
    people = People()
    study = make_study(people)
    for who in (people.bob, people.tess, people.stan):
        browser = client_of(who)
        for method, address in designed_pages(study):
            response = browser.generic(method.upper(), address)
            assert response.status_code == 403, address
            assert "Only the coordinator of this study may do this." in response.content.decode()
    assert not study.protocol_versions.exists()


def test_a_stranger_gets_the_same_bytes_as_for_a_study_that_is_not_there() -> None:
    people = People()
    study = make_study(people)
    browser = client_of(people.charlie)
    other = Study(token="A" * len(study.token))
    for method, address in [*designed_pages(study), ("get", url("protocol", study)), ("get", url("printed", study))]:
        real = browser.generic(method.upper(), address)
        missing = browser.generic(method.upper(), address.replace(study.token, other.token))
        assert real.status_code == missing.status_code == 404, address
        assert without_csrf(real.content) == without_csrf(missing.content)


def without_csrf(page: bytes) -> bytes:
    return b"".join(line for line in page.splitlines() if b"csrfmiddlewaretoken" not in line)


def test_readers_do_not_see_the_protocol() -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    for name, rest in (("protocol", []), ("printed", []), ("document", [1, "plan"])):
        response = client_of(people.bob).get(url(name, study, *rest))
        assert response.status_code == 403
        assert "Readers work from the instructions" in response.content.decode()


def test_the_enrolment_of_another_study_is_not_reached_through_ones_own() -> None:
    people = People()
    mine, other = make_study(people), make_study(people, title="Other")
    foreign = other.enrolments.get(code="R01")
    response = client_of(people.alice).post(url("withdraw", mine, foreign.token), {"reason": "r"})
    assert response.status_code == 404
    foreign.refresh_from_db()
    assert foreign.active


def test_enrolling_and_withdrawing_in_the_browser() -> None:
    people = People()
    study = make_study(people)
    browser = client_of(people.alice)
    browser.post(url("people", study), {"username": people.dev.username, "role": "statistician"})
    leaving = study.enrolments.get(user=people.dev)
    browser.post(url("withdraw", study, leaving.token), {"reason": "left the hospital"})
    page = browser.get(url("people", study)).content.decode()
    assert "Dev" in page and "withdrawn" in page
    leaving.refresh_from_db()
    assert not leaving.active


def test_text_of_people_is_shown_as_text() -> None:
    people = People()
    study = actions.create_study(title="<script>alert(1)</script>", question="<b>Q</b>", by=people.alice)
    page = client_of(people.alice).get(url("protocol", study)).content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page and "<b>Q</b>" not in page


@pytest.mark.parametrize("name", ["protocol", "printed", "people"])
def test_pages_are_not_there_without_logging_in(name: str) -> None:
    address = url(name, make_study(People()))
    assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address}"
