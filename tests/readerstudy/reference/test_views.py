"""The truther's and the coordinator's pages."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.cases.models import Case
from readerstudy.reference import queries
from readerstudy.reference.models import Opinion, Standard
from readerstudy.studies.actions import enrol
from readerstudy.studies.models import Enrolment, Study
from tests.readerstudy.cases.material import with_cases
from tests.world import People, client_of, person


@pytest.fixture
def cases(study: Study, people: People, tmp_path: Path) -> list[Case]:
    with_cases(study, people.alice, tmp_path, 3)
    return list(Case.objects.filter(study=study).order_by("label"))


@pytest.fixture
def ugo(study: Study, people: People) -> Client:
    """A second truther's browser."""
    user = person("ugo")
    enrol(study=study, username=user.username, role=Enrolment.Role.TRUTHER, by=people.alice)
    return client_of(user)


def opinion_page(study: Study, case: Case) -> str:
    return reverse("reference:opinion", args=[study.token, case.token])


def test_a_truther_goes_through_all_cases(study: Study, people: People, cases: list[Case]) -> None:
    client = client_of(people.tess)
    start = client.get(reverse("reference:reference", args=[study.token]))
    assert start["Location"] == reverse("reference:opinions", args=[study.token])
    assert opinion_page(study, cases[0]) in client.get(start["Location"]).content.decode()

    went = [
        client.post(opinion_page(study, case), {"verdict": verdict, "note": "seen"})["Location"]
        for case, verdict in zip(cases, ("positive", "negative", "undecided"), strict=True)
    ]

    assert went == [opinion_page(study, cases[1]), opinion_page(study, cases[2]), start["Location"]]
    assert list(Opinion.objects.order_by("pk").values_list("verdict", "note")) == [
        ("positive", "seen"),
        ("negative", "seen"),
        ("undecided", "seen"),
    ]
    assert "3 of 3 cases have your opinion" in client.get(start["Location"]).content.decode()


def test_the_next_case_is_the_next_open_one_looking_round(study: Study, people: People, cases: list[Case]) -> None:
    client = client_of(people.tess)
    client.post(opinion_page(study, cases[2]), {"verdict": "positive"})

    answer = client.post(opinion_page(study, cases[1]), {"verdict": "positive"})

    assert answer["Location"] == opinion_page(study, cases[0])


def test_a_truther_sees_neither_truth_nor_names_nor_others_opinions(
    study: Study, people: People, cases: list[Case], ugo: Client
) -> None:
    ugo.post(opinion_page(study, cases[0]), {"verdict": "undecided", "note": "a word of Ugo's"})
    client = client_of(people.tess)

    for address in (reverse("reference:opinions", args=[study.token]), *(opinion_page(study, case) for case in cases)):
        text = client.get(address).content.decode()
        assert "a word of Ugo" not in text
        assert "You said" not in text
        assert not any(f"{case.label}<" in text for case in cases)
    for standard in Standard.objects.all():
        assert client.get(reverse("reference:standard", args=[study.token, standard.token])).status_code == 403


def test_an_empty_answer_is_kept_on_the_page_with_a_sentence(study: Study, people: People, cases: list[Case]) -> None:
    answer = client_of(people.tess).post(opinion_page(study, cases[0]), {"note": "not sure yet"})

    assert answer.status_code == 400
    assert "not sure yet" in answer.content.decode()
    assert not Opinion.objects.exists()


def test_the_coordinator_adjudicates_and_records_a_version(
    study: Study, people: People, cases: list[Case], ugo: Client
) -> None:
    tess, alice = client_of(people.tess), client_of(people.alice)
    for case, first, second in zip(
        cases, ("positive", "positive", "negative"), ("positive", "negative", "negative"), strict=True
    ):
        tess.post(opinion_page(study, case), {"verdict": first})
        ugo.post(opinion_page(study, case), {"verdict": second})
    address = reverse("reference:reference", args=[study.token])
    text = alice.get(address).content.decode()
    assert "2 cases agreed, 1 without agreement" in text
    assert "0.667" in text

    refused = alice.post(address, {"reason": "Both have read"})
    assert refused.status_code == 400
    assert "adjudicated value: C2." in refused.content.decode()
    assert "Both have read" in refused.content.decode()
    taken = alice.post(address, {"reason": "Both have read", f"case_{cases[1].token}": "positive"})

    assert taken.status_code == 302
    truths = queries.truth_by_case(study)
    assert [truths[case.pk] for case in cases] == [True, True, False]
    assert "Version 2" in alice.get(address).content.decode()
    second = Standard.objects.get(number=2)
    shown = alice.get(reverse("reference:standard", args=[study.token, second.token])).content.decode()
    assert "Both have read" in shown
    assert "2 positive, 1 negative" in shown


def test_an_empty_study_has_empty_states(study: Study, people: People) -> None:
    alice = client_of(people.alice).get(reverse("reference:reference", args=[study.token])).content.decode()
    tess = client_of(people.tess).get(reverse("reference:opinions", args=[study.token])).content.decode()

    assert "no reference standard yet" in alice
    assert "no cases yet" in tess


@pytest.mark.parametrize("who", ["bob", "rita", "stan"])
def test_other_members_reach_no_truth(who: str, study: Study, people: People, cases: list[Case]) -> None:
    client = client_of(getattr(people, who))
    standard = Standard.objects.get()

    for address in (
        reverse("reference:reference", args=[study.token]),
        reverse("reference:standard", args=[study.token, standard.token]),
        reverse("reference:opinions", args=[study.token]),
        opinion_page(study, cases[0]),
    ):
        assert client.get(address).status_code == 403


def test_for_strangers_nothing_exists(study: Study, people: People, cases: list[Case]) -> None:
    client = client_of(people.charlie)

    for address in (
        reverse("reference:reference", args=[study.token]),
        reverse("reference:standard", args=[study.token, Standard.objects.get().token]),
        reverse("reference:opinions", args=[study.token]),
        opinion_page(study, cases[0]),
    ):
        assert client.get(address).status_code == 404
