"""Home, overview and help, as each person sees them."""

import pytest
from django.test import Client

from readerstudy.studies.models import Study
from tests.world import People, client_of, make_study

pytestmark = pytest.mark.django_db


def test_home_of_a_coordinator_names_the_next_step() -> None:
    people = People()
    make_study(people)
    page = client_of(people.alice).get("/").content.decode()
    assert "Compression fractures" in page
    assert "Look the protocol over and freeze it." in page


def test_home_without_a_study_says_how_to_begin() -> None:
    people = People()
    assert "Create the first study" in client_of(people.charlie).get("/").content.decode()
    assert "A coordinator enrols you" in client_of(people.stan).get("/").content.decode()


def test_overview_follows_the_way_of_the_study() -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    page = client_of(people.alice).get(f"/studies/{study.token}/").content.decode()
    assert "Frozen; version 1 is in force." in page
    assert "Import cases with their manifest." in page


def test_a_reader_sees_their_part_and_nothing_of_the_design() -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    page = client_of(people.bob).get(f"/studies/{study.token}/").content.decode()
    assert "Look at every vertebra." in page
    assert "Reading has not opened yet." in page
    for word in ("Protocol</a>", "aided", "Reference", "Predictions", "washout", "Audit"):
        assert word not in page


def test_a_stranger_gets_what_a_missing_study_gets() -> None:
    people = People()
    study = make_study(people)
    stranger = client_of(people.charlie)
    real, missing = stranger.get(f"/studies/{study.token}/"), stranger.get("/studies/no-such-study-at-all00/")
    assert real.status_code == missing.status_code == 404


def test_synthetic_studies_say_so_on_every_page() -> None:
    people = People()
    study = make_study(people)
    Study.objects.filter(pk=study.pk).update(synthetic=True)
    for folder in ("", "protocol/", "people/"):
        page = client_of(people.alice).get(f"/studies/{study.token}/{folder}").content.decode()
        assert "Synthetic images and simulated readers" in page


def test_help_is_open_to_every_member() -> None:
    assert client_of(People().stan).get("/help/").status_code == 200


def test_nobody_enters_without_logging_in(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/accounts/login/?next=/"
