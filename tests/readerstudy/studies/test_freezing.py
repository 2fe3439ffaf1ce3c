"""Freezing and amending: versions, digests, reasons, and two people at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import DatabaseError, IntegrityError, close_old_connections, connections, transaction

from readerstudy.accounts.models import User
from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.audit.queries import all_faults
from readerstudy.studies import actions, queries
from readerstudy.studies.actions.freezing import Changes
from readerstudy.studies.models import ProtocolVersion, Study
from readerstudy.studies.outline import EMPTY
from readerstudy.studies.protocol import digest
from tests.world import People, close_audit, make_study


@pytest.mark.django_db
def test_freezing_stores_both_documents_with_their_digests() -> None:
    people = People()
    study = make_study(people)
    as_it_was = queries.protocol_of(study), queries.plan_of(study)
    actions.freeze(study=study, by=people.alice)
    version = ProtocolVersion.objects.get(study=study)
    assert (version.protocol, version.plan) == as_it_was
    assert (version.protocol_digest, version.plan_digest) == (digest(as_it_was[0]), digest(as_it_was[1]))
    assert Study.objects.get(pk=study.pk).phase == study.phase == "frozen"
    facts = Event.objects.get(chain_id=study.token, verb="protocol.frozen").facts
    assert facts == {"number": 1, "protocol_digest": version.protocol_digest, "plan_digest": version.plan_digest}


@pytest.mark.django_db
def test_the_same_protocol_has_the_same_digest_in_another_study() -> None:
    people = People()
    one = make_study(people, phase=Study.Phase.FROZEN).protocol_versions.get()
    other = make_study(people, phase=Study.Phase.FROZEN).protocol_versions.get()
    longer = make_study(people, phase=Study.Phase.FROZEN, title="Another title").protocol_versions.get()
    assert (one.protocol_digest, one.plan_digest) == (other.protocol_digest, other.plan_digest)
    assert longer.protocol_digest != one.protocol_digest
    assert longer.plan_digest == one.plan_digest


@pytest.mark.django_db
def test_an_incomplete_draft_is_not_frozen_and_says_what_is_missing() -> None:
    people = People()
    study = actions.create_study(title="T", outline=EMPTY, by=people.alice)
    with pytest.raises(Refused) as refused:
        actions.freeze(study=study, by=people.alice)
    assert "State the clinical question. Add at least one arm" in str(refused.value)
    assert "Name exactly one primary endpoint; there are 0." in str(refused.value)
    assert not study.protocol_versions.exists()


@pytest.mark.django_db
def test_only_the_coordinator_freezes_and_amends_and_opens() -> None:
    people = People()
    study = make_study(people)
    for person in (people.bob, people.tess, people.stan, people.charlie):
        for attempt in (
            lambda by=person: actions.freeze(study=study, by=by),
            lambda by=person: actions.amend(study=study, changes=Changes(), reason="r", by=by),
            lambda by=person: actions.open_study(study=study, by=by),
            lambda by=person: actions.mark_locked(study=study, by=by),
        ):
            with pytest.raises(Denied, match="Only the coordinator"):
                attempt()


@pytest.mark.django_db
def test_a_study_opens_only_frozen_and_locks_only_open() -> None:
    people = People()
    study = make_study(people)
    with pytest.raises(Refused, match="Reading opens once, after the protocol is frozen"):
        actions.open_study(study=study, by=people.alice)
    actions.freeze(study=study, by=people.alice)
    with pytest.raises(Refused, match="locked once, while it is open"):
        actions.mark_locked(study=study, by=people.alice)
    actions.open_study(study=study, by=people.alice)
    with pytest.raises(Refused, match="Reading opens once"):
        actions.open_study(study=study, by=people.alice)
    actions.mark_locked(study=study, by=people.alice)
    assert study.phase == Study.objects.get(pk=study.pk).phase == "locked"
    moves = Event.objects.filter(chain_id=study.token, verb__in=["study.frozen", "study.open", "study.locked"])
    assert [event.facts["new"] for event in moves.order_by("number")] == ["frozen", "open", "locked"]


@pytest.mark.django_db
def test_an_amendment_is_a_new_version_with_its_reason() -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    first = study.protocol_versions.get()
    changes = Changes(instructions="Look twice.", helps={"decision": "Any grade."}, washouts={2: 35})
    second = actions.amend(study=study, changes=changes, reason=" The ethics board asked. ", by=people.alice)
    assert (second.number, second.reason) == (2, "The ethics board asked.")
    assert second.protocol["periods"][1] == {"number": 2, "washout_days": 35}
    assert ProtocolVersion.objects.get(pk=first.pk).protocol_digest == first.protocol_digest == digest(first.protocol)
    amended, unchanged = queries.versions_of(study)
    assert unchanged.changes == []
    assert {change.where for change in amended.changes} == {
        "instructions",
        "periods 2 › washout days",
        "questions 1 › help",
    }
    facts = Event.objects.get(chain_id=study.token, verb="protocol.amended").facts
    assert {"where": "periods 2 › washout days", "old": "28", "new": "35"} in facts["changes"]


@pytest.mark.django_db
def test_the_primary_endpoint_may_change_places_until_reading_opens() -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    swap = Changes(ranks={1: "secondary", 2: "primary"})
    version = actions.amend(study=study, changes=swap, reason="As registered.", by=people.alice)
    assert version.plan["analysis"]["primary"] == {"analysis": "mcnemar per reader", "figure": "sensitivity"}
    actions.open_study(study=study, by=people.alice)
    with pytest.raises(Refused, match="not amended after reading has opened"):
        actions.amend(study=study, changes=Changes(ranks={1: "primary", 2: "secondary"}), reason="r", by=people.alice)
    later = actions.amend(study=study, changes=Changes(title="New title"), reason="r", by=people.alice)
    assert later.number == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "reason", "sentence"),
    [
        (Changes(title="X"), "  ", "An amendment needs its reason"),
        (Changes(), "r", "Nothing is different"),
        (Changes(title="Compression fractures"), "r", "Nothing is different"),
        (Changes(title=""), "r", "Title:"),
        (Changes(question=" "), "r", "State the clinical question"),
        (Changes(ranks={1: "secondary"}), "r", "Name exactly one primary endpoint; there are 0"),
        (Changes(ranks={2: "primary"}), "r", "one primary endpoint"),
        (Changes(washouts={2: 731}), "r", "at most 730 days"),
        (Changes(washouts={1: 3}), "r", "The first period has no washout"),
    ],
)
def test_a_faulty_amendment_changes_nothing(changes: Changes, reason: str, sentence: str) -> None:
    people = People()
    study = make_study(people, phase=Study.Phase.FROZEN)
    before = queries.protocol_of(study), queries.plan_of(study)
    with pytest.raises(Refused, match=sentence):
        actions.amend(study=study, changes=changes, reason=reason, by=people.alice)
    study.refresh_from_db()
    assert (queries.protocol_of(study), queries.plan_of(study)) == before
    assert study.protocol_versions.count() == 1


@pytest.mark.django_db
def test_drafts_and_locked_studies_are_not_amended() -> None:
    people = People()
    study = make_study(people)
    with pytest.raises(Refused, match="The protocol is a draft; change it directly"):
        actions.amend(study=study, changes=Changes(title="X"), reason="r", by=people.alice)
    actions.freeze(study=study, by=people.alice)
    actions.open_study(study=study, by=people.alice)
    actions.mark_locked(study=study, by=people.alice)
    with pytest.raises(Refused, match="The study is locked"):
        actions.amend(study=study, changes=Changes(title="X"), reason="r", by=people.alice)


@pytest.mark.django_db
def test_versions_are_never_changed_or_removed() -> None:
    version = make_study(People(), phase=Study.Phase.FROZEN).protocol_versions.get()
    for attempt in (
        lambda: ProtocolVersion.objects.filter(pk=version.pk).update(reason="later"),
        lambda: ProtocolVersion.objects.filter(pk=version.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
            attempt()


@pytest.mark.django_db
def test_freezing_and_amending_fall_with_their_event() -> None:
    people = People()
    draft, frozen = make_study(people), make_study(people, phase=Study.Phase.FROZEN)
    close_audit()
    with pytest.raises(IntegrityError, match="audit_is_closed"), transaction.atomic():
        actions.freeze(study=draft, by=people.alice)
    with pytest.raises(IntegrityError, match="audit_is_closed"), transaction.atomic():
        actions.amend(study=frozen, changes=Changes(title="X"), reason="r", by=people.alice)
    with pytest.raises(IntegrityError, match="audit_is_closed"), transaction.atomic():
        actions.open_study(study=frozen, by=people.alice)
    assert Study.objects.get(pk=draft.pk).phase == "draft"
    assert not draft.protocol_versions.exists()
    assert list(Study.objects.filter(pk=frozen.pk).values_list("title", "phase")) == [
        ("Compression fractures", "frozen")
    ]


def test_of_two_people_freezing_at_once_one_is_told(committed: str) -> None:
    people = People()
    study = make_study(people)
    actions.enrol(study=study, username=people.charlie.username, role="coordinator", by=people.alice)
    both = Barrier(2)

    def attempt(by: User) -> str:
        close_old_connections()
        both.wait()
        try:
            return f"version {actions.freeze(study=Study.objects.get(pk=study.pk), by=by).number}"
        except Refused as refused:
            return str(refused)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(attempt, [people.alice, people.charlie]))
    assert answers == ["The protocol is frozen already.", "version 1"]
    assert study.protocol_versions.count() == 1
    assert Event.objects.filter(chain_id=study.token, verb="study.frozen").count() == 1
    assert list(all_faults()) == []
