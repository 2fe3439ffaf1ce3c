"""Who takes part: one role a person, codes in order, withdrawal with a reason."""

import pytest
from django.db import IntegrityError, transaction

from readerstudy.accounts.actions import set_profile
from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.studies import actions
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.permissions import role_in
from readerstudy.studies.queries import readers_of, studies_of
from tests.world import People, close_audit, make_study, person

pytestmark = pytest.mark.django_db


def enrolled(study: Study, username: str) -> Enrolment:
    return study.enrolments.get(user__username=username)


def test_readers_get_codes_in_order_and_the_seniority_they_have_now() -> None:
    people = People()
    study = make_study(people)
    assert list(readers_of(study).values_list("code", "seniority")) == [("R01", "senior"), ("R02", "junior")]
    set_profile(user=people.rita, seniority="senior", by=people.rita)
    assert enrolled(study, "rita").seniority == "junior"


def test_a_code_is_not_given_again_after_a_withdrawal() -> None:
    people = People()
    study = make_study(people)
    actions.withdraw(enrolment=enrolled(study, "bob"), reason="moved away", by=people.alice)
    actions.enrol(study=study, username=person("zoe", seniority="junior").username, role="reader", by=people.alice)
    assert list(readers_of(study).values_list("code", flat=True)) == ["R02", "R03"]


def test_codes_step_over_those_of_external_readers() -> None:
    people = People()
    study = actions.create_study(title="T", by=people.alice)
    actions.enrol_external(study=study, code="R01", seniority="senior", by=people.alice)
    actions.enrol(study=study, username=people.bob.username, role="reader", by=people.alice)
    assert list(readers_of(study).values_list("code", "external")) == [("R01", True), ("R02", False)]


def test_who_set_the_truth_does_not_read_even_after_a_withdrawal() -> None:
    people = People()
    study = make_study(people)
    set_profile(user=people.tess, seniority="senior", by=people.tess)
    with pytest.raises(Refused, match="Tess is enrolled as truther; a person has one role in a study"):
        actions.enrol(study=study, username="tess", role="reader", by=people.alice)
    actions.withdraw(enrolment=enrolled(study, "tess"), reason="wants to read", by=people.alice)
    with pytest.raises(Refused, match="Tess was enrolled as truther"):
        actions.enrol(study=study, username="tess", role="reader", by=people.alice)
    with pytest.raises(IntegrityError, match="enrolment_one_role_per_person"), transaction.atomic():
        Enrolment.objects.create(study=study, user=people.tess, role="reader", code="R9", seniority="senior")


@pytest.mark.parametrize(
    ("username", "role", "sentence"),
    [
        ("nobody", "reader", "Nobody has the user name “nobody”"),
        ("dev", "reader", "Dev has no reader profile yet"),
        ("dev", "observer", "Role: Value 'observer' is not a valid choice"),
        ("bob", "reader", "Bob is enrolled as reader"),
    ],
)
def test_a_faulty_enrolment_is_refused(username: str, role: str, sentence: str) -> None:
    people = People()
    study = make_study(people)
    assert people.dev
    before = study.enrolments.count()
    with pytest.raises(Refused, match=sentence):
        actions.enrol(study=study, username=username, role=role, by=people.alice)
    assert study.enrolments.count() == before


def test_user_names_are_found_whatever_their_case() -> None:
    people = People()
    study = make_study(people)
    typed = f" {people.dev.username.upper()} "
    assert actions.enrol(study=study, username=typed, role="statistician", by=people.alice).user == people.dev


def test_no_reader_joins_after_opening_and_nobody_after_locking() -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    late = person("late", seniority="junior")
    actions.open_study(study=study, by=people.alice)
    with pytest.raises(Refused, match="no reader joins now"):
        actions.enrol(study=study, username=late.username, role="reader", by=people.alice)
    actions.enrol(study=study, username=people.dev.username, role="statistician", by=people.alice)
    actions.mark_locked(study=study, by=people.alice)
    for attempt in (
        lambda: actions.enrol(study=study, username=late.username, role="statistician", by=people.alice),
        lambda: actions.enrol_external(study=study, code="X", seniority="senior", by=people.alice),
        lambda: actions.withdraw(enrolment=enrolled(study, "bob"), reason="r", by=people.alice),
    ):
        with pytest.raises(Refused, match="The study is locked"):
            attempt()


def test_a_withdrawn_member_has_no_study_any_more() -> None:
    people = People()
    study = make_study(people)
    actions.withdraw(enrolment=enrolled(study, "bob"), reason="ill", by=people.alice)
    assert role_in(people.bob, study) is None
    assert not studies_of(people.bob).exists()
    event = Event.objects.get(chain_id=study.token, verb="person.withdrawn")
    assert event.facts == {"old": {"active": True}, "new": {"active": False}, "reason": "ill"}
    with pytest.raises(Refused, match="R01 was withdrawn already"):
        actions.withdraw(enrolment=enrolled(study, "bob"), reason="ill", by=people.alice)


def test_a_withdrawal_has_a_reason_and_leaves_a_coordinator() -> None:
    people = People()
    study = make_study(people)
    with pytest.raises(Refused, match="needs its reason"):
        actions.withdraw(enrolment=enrolled(study, "bob"), reason=" ", by=people.alice)
    with pytest.raises(Refused, match="keeps at least one coordinator"):
        actions.withdraw(enrolment=enrolled(study, "alice"), reason="r", by=people.alice)
    actions.enrol(study=study, username=people.charlie.username, role="coordinator", by=people.alice)
    actions.withdraw(enrolment=enrolled(study, "alice"), reason="r", by=people.charlie)
    with pytest.raises(Denied):
        actions.enrol(study=study, username="dev", role="reader", by=people.alice)


def test_external_readers_have_no_account_and_their_own_code() -> None:
    people = People()
    study = make_study(people)
    external = actions.enrol_external(study=study, code="Rad-1", seniority="intermediate", by=people.alice)
    assert (external.user, external.external, external.role) == (None, True, "reader")
    with pytest.raises(Refused, match="The code “Rad-1” is taken"):
        actions.enrol_external(study=study, code="Rad-1", seniority="senior", by=people.alice)
    with pytest.raises(Refused, match="Seniority"):
        actions.enrol_external(study=study, code="Rad-2", seniority="expert", by=people.alice)


def test_only_the_coordinator_enrols_and_withdraws() -> None:
    people = People()
    study = make_study(people)
    for who in (people.bob, people.tess, people.stan, people.charlie):
        for attempt in (
            lambda by=who: actions.enrol(study=study, username="dev", role="reader", by=by),
            lambda by=who: actions.enrol_external(study=study, code="X", seniority="senior", by=by),
            lambda by=who: actions.withdraw(enrolment=enrolled(study, "bob"), reason="r", by=by),
        ):
            with pytest.raises(Denied, match="Only the coordinator"):
                attempt()


def test_enrolling_and_withdrawing_fall_with_their_event() -> None:
    people = People()
    study = make_study(people)
    assert people.dev
    before = list(study.enrolments.values())
    close_audit()
    for attempt in (
        lambda: actions.enrol(study=study, username="dev", role="truther", by=people.alice),
        lambda: actions.enrol_external(study=study, code="X", seniority="senior", by=people.alice),
        lambda: actions.withdraw(enrolment=enrolled(study, "bob"), reason="r", by=people.alice),
    ):
        with pytest.raises(IntegrityError, match="audit_is_closed"), transaction.atomic():
            attempt()
    assert list(study.enrolments.values()) == before


def test_the_events_rebuild_the_enrolments() -> None:
    people = People()
    study = make_study(people)
    actions.withdraw(enrolment=enrolled(study, "rita"), reason="r", by=people.alice)
    rebuilt: dict[str, dict[str, object]] = {}
    for event in Event.objects.filter(chain_id=study.token, verb__startswith="person.").order_by("number"):
        match event.verb:
            case "person.enrolled":
                rebuilt[event.target] = {
                    "role": event.facts["role"],
                    "code": event.facts.get("code", ""),
                    "active": True,
                }
            case "person.withdrawn":
                rebuilt[event.target] |= event.facts["new"]
    stored = {
        f"studies.Enrolment:{row.token}": {"role": row.role, "code": row.code, "active": row.active}
        for row in study.enrolments.all()
    }
    assert rebuilt == stored
