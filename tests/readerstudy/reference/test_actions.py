"""The reference standard in versions, truthers' opinions, and what becomes of them."""

from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from readerstudy.audit.chain import digest_of
from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.cases.models import Case, CaseImport
from readerstudy.reference import actions, importing, queries
from readerstudy.reference.models import Opinion, Standard, Truth
from readerstudy.studies.actions import enrol
from readerstudy.studies.models import Enrolment, Study
from tests.readerstudy.cases.material import folder_of, with_cases
from tests.world import People, client_of, make_study, person

Verdict = Opinion.Verdict


@pytest.fixture
def cases(study: Study, people: People, tmp_path: Path) -> dict[str, Case]:
    """C1 … C4; by the manifest C1 and C3 are positive."""
    with_cases(study, people.alice, tmp_path, 4)
    return {case.label: case for case in Case.objects.filter(study=study)}


@pytest.fixture
def tess(study: Study, people: People) -> Enrolment:
    return Enrolment.objects.get(study=study, user=people.tess)


@pytest.fixture
def ugo(study: Study, people: People) -> Enrolment:
    """A second truther."""
    return enrol(study=study, username=person("ugo").username, role=Enrolment.Role.TRUTHER, by=people.alice)


def say(truther: Enrolment, case: Case, verdict: str, note: str = "") -> Opinion:
    assert truther.user is not None
    return actions.give_opinion(truther=truther, case=case, verdict=verdict, note=note, by=truther.user)


def truth(study: Study) -> dict[str, bool]:
    labels = dict(Case.objects.filter(study=study).values_list("pk", "label"))
    return {labels[pk]: positive for pk, positive in queries.truth_by_case(study).items()}


def test_the_truth_of_the_manifest_is_the_first_version(study: Study, cases: dict[str, Case]) -> None:
    standard = queries.current_standard(study)

    assert standard is not None
    assert (standard.number, standard.method) == (1, importing.METHOD)
    assert truth(study) == {"C1": True, "C2": False, "C3": True, "C4": False}
    assert standard.digest == digest_of({case.token: label in ("C1", "C3") for label, case in cases.items()})


def test_a_second_import_makes_a_second_version_with_a_reason_and_the_first_stays(
    study: Study, people: People, tmp_path: Path, cases: dict[str, Case]
) -> None:
    with_cases(study, people.alice, tmp_path, 6)

    first, second = Standard.objects.filter(study=study).order_by("number")
    assert (second.number, second.reason) == (2, importing.REASON)
    assert (queries.truths_of(first).count(), queries.truths_of(second).count()) == (4, 6)
    assert truth(study)["C5"] is True


def test_the_same_import_again_makes_no_version(
    study: Study, people: People, tmp_path: Path, cases: dict[str, Case]
) -> None:
    with_cases(study, people.alice, tmp_path, 4)

    assert Standard.objects.filter(study=study).count() == 1


def test_cases_without_truth_are_counted(study: Study, people: People, tmp_path: Path) -> None:
    folder, _ = folder_of(tmp_path, 3)
    text = b"case,patient,file,truth\nC1,1,c1.png,1\nC2,2,c2.png,\nC3,3,c3.png,\n"
    actions.import_at_once(study=study, manifest=text, folder=folder, by=people.alice)

    assert truth(study) == {"C1": True}
    assert [case.label for case in queries.cases_without_truth(study)] == ["C2", "C3"]


def test_a_manifest_without_truth_makes_no_standard(study: Study, people: People, tmp_path: Path) -> None:
    folder, _ = folder_of(tmp_path, 1)
    actions.import_at_once(study=study, manifest=b"case,patient,file\nC1,1,c1.png\n", folder=folder, by=people.alice)

    assert queries.current_standard(study) is None
    assert not CaseImport.objects.exclude(manifest=[]).exists()


def test_truth_that_waits_is_taken_once(study: Study, people: People, tmp_path: Path, cases: dict[str, Case]) -> None:
    # As a worker leaves it that died between the last case and the truth.
    CaseImport.objects.update(manifest=[{"case": "C2", "truth": True}])

    assert importing.take_truths() == 1
    assert importing.take_truths() == 0
    assert truth(study)["C2"] is True
    assert CaseImport.objects.get().manifest == []


def test_a_new_version_needs_a_reason_a_method_and_values_of_its_own_study(
    study: Study, people: People, cases: dict[str, Case]
) -> None:
    values = {cases["C1"]: False}
    for truths, method, reason, words in (
        (values, "Biopsy", " ", "why the reference standard changes"),
        (values, "", "Biopsies came in", "how the truth was found"),
        ({}, "Biopsy", "Biopsies came in", "at least one case"),
    ):
        with pytest.raises(Refused, match=words):
            actions.record_standard(study=study, truths=truths, method=method, reason=reason, by=people.alice)
    with pytest.raises(Refused, match="another study"):
        other = make_study(people, title="Another")
        actions.record_standard(study=other, truths=values, method="Biopsy", reason="", by=people.alice)
    assert Standard.objects.count() == 1


def test_only_the_coordinator_records_a_standard(study: Study, people: People, cases: dict[str, Case]) -> None:
    for someone in (people.bob, people.tess, people.stan, people.charlie):
        with pytest.raises(Denied):
            actions.record_standard(study=study, truths={cases["C1"]: True}, method="Guess", reason="None", by=someone)


@pytest.mark.parametrize("model", [Standard, Truth, Opinion])
def test_the_database_refuses_to_change_or_remove_truth(
    model: type[Standard] | type[Truth] | type[Opinion], study: Study, cases: dict[str, Case], tess: Enrolment
) -> None:
    say(tess, cases["C1"], Verdict.POSITIVE)
    row = model.objects.first()
    assert row is not None

    for attempt in (
        lambda: model.objects.filter(pk=row.pk).update(id=row.pk),
        lambda: model.objects.filter(pk=row.pk)._raw_delete("default"),
    ):
        with pytest.raises((DatabaseError, IntegrityError), match="never changed or removed"), transaction.atomic():
            attempt()
    assert model.objects.filter(pk=row.pk).exists()


def test_the_newest_opinion_counts_and_the_earlier_stays(study: Study, cases: dict[str, Case], tess: Enrolment) -> None:
    say(tess, cases["C1"], Verdict.NEGATIVE, "looks fine")
    say(tess, cases["C1"], Verdict.POSITIVE, "on second thoughts")

    (task, *rest) = queries.tasks_of(tess)
    assert task.opinion is not None
    assert (task.opinion.verdict, task.opinion.number) == (Verdict.POSITIVE, 2)
    assert all(other.opinion is None for other in rest)
    assert list(Opinion.objects.order_by("number").values_list("verdict", flat=True)) == ["negative", "positive"]
    facts = list(Event.objects.filter(verb="reference.opinion_given").order_by("pk").values_list("facts", flat=True))
    assert [(fact["verdict"], fact["number"]) for fact in facts] == [("negative", 1), ("positive", 2)]


def test_opinions_are_given_by_truthers_in_their_own_name(
    study: Study, people: People, cases: dict[str, Case], tess: Enrolment, ugo: Enrolment
) -> None:
    with pytest.raises(Denied):
        actions.give_opinion(truther=tess, case=cases["C1"], verdict="positive", note="", by=people.alice)
    with pytest.raises(Refused, match="own name"):
        assert ugo.user is not None
        actions.give_opinion(truther=tess, case=cases["C1"], verdict="positive", note="", by=ugo.user)
    with pytest.raises(Refused, match="positive, negative or cannot decide"):
        say(tess, cases["C1"], "perhaps")
    assert not Opinion.objects.exists()


def test_who_sets_the_truth_cannot_read_in_the_study(study: Study, people: People) -> None:
    with pytest.raises(Refused, match="one role"):
        enrol(study=study, username="tess", role=Enrolment.Role.READER, by=people.alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        Enrolment.objects.create(study=study, user=people.tess, role="reader", code="X", seniority="senior")


def test_agreement_is_counted_over_the_cases_that_both_decided(
    study: Study, cases: dict[str, Case], tess: Enrolment, ugo: Enrolment
) -> None:
    for label, first, second in (
        ("C1", Verdict.POSITIVE, Verdict.POSITIVE),
        ("C2", Verdict.NEGATIVE, Verdict.POSITIVE),
        ("C3", Verdict.NEGATIVE, Verdict.NEGATIVE),
        ("C4", Verdict.UNDECIDED, Verdict.NEGATIVE),
    ):
        say(tess, cases[label], first)
        say(ugo, cases[label], second)

    table = queries.opinion_table(study)

    (pair,) = table.pairs
    assert (pair.both_positive, pair.both_negative, pair.differ, pair.cases) == (1, 1, 1, 3)
    assert pair.agreement == pytest.approx(2 / 3)
    assert [entry.case.label for entry in table.disagreements] == ["C2", "C4"]
    assert (table.agreed, table.unseen) == (2, 0)


def test_the_consensus_becomes_a_version_and_unseen_cases_keep_their_truth(
    study: Study, people: People, cases: dict[str, Case], tess: Enrolment, ugo: Enrolment
) -> None:
    for truther in (tess, ugo):
        say(truther, cases["C1"], Verdict.NEGATIVE)
        say(truther, cases["C2"], Verdict.POSITIVE)

    standard = actions.adopt_opinions(study=study, adjudicated={}, reason="Two truthers have read", by=people.alice)

    assert (standard.number, standard.method) == (2, actions.CONSENSUS)
    assert truth(study) == {"C1": False, "C2": True, "C3": True, "C4": False}


def test_one_opinion_is_no_consensus_unless_the_coordinator_says_that_it_is_enough(
    study: Study, people: People, cases: dict[str, Case], tess: Enrolment, ugo: Enrolment
) -> None:
    for label in ("C1", "C2"):
        say(tess, cases[label], Verdict.NEGATIVE)
    with pytest.raises(Refused, match=r"Only one truther has given an opinion: C1, C2\."):
        actions.adopt_opinions(study=study, adjudicated={}, reason="In haste", by=people.alice)
    browser, page = client_of(people.alice), f"/studies/{study.token}/reference/"
    assert "One opinion is enough for 2 cases: C1, C2" in browser.get(page).text
    assert browser.post(page, {"reason": "In haste"}).status_code == 400
    assert browser.post(page, {"reason": "One is there", "single_stands": "on"}).status_code == 302
    alone = queries.current_standard(study)
    assert alone is not None and alone.method == actions.SINGLE
    say(ugo, cases["C1"], Verdict.NEGATIVE)
    mixed = actions.adopt_opinions(study=study, adjudicated={}, reason="Two", by=people.alice, single_stands=True)
    assert mixed.method == f"{actions.CONSENSUS}; in 1 of the cases one opinion alone"


def test_disagreement_needs_an_adjudicated_value(
    study: Study, people: People, cases: dict[str, Case], tess: Enrolment, ugo: Enrolment
) -> None:
    say(tess, cases["C1"], Verdict.POSITIVE)
    say(ugo, cases["C1"], Verdict.NEGATIVE)
    say(tess, cases["C2"], Verdict.UNDECIDED)

    with pytest.raises(Refused, match=r"adjudicated value: C1, C2\."):
        actions.adopt_opinions(study=study, adjudicated={}, reason="First round", by=people.alice)
    with pytest.raises(Refused, match=r"adjudicated value: C2\."):
        actions.adopt_opinions(
            study=study, adjudicated={cases["C1"].token: False}, reason="First round", by=people.alice
        )
    adjudicated = {cases["C1"].token: False, cases["C2"].token: True}
    standard = actions.adopt_opinions(study=study, adjudicated=adjudicated, reason="First round", by=people.alice)

    assert standard.method == actions.ADJUDICATED
    assert truth(study) == {"C1": False, "C2": True, "C3": True, "C4": False}
    assert Event.objects.filter(verb="reference.recorded").count() == 2


def test_without_opinions_there_is_nothing_to_adopt(study: Study, people: People, cases: dict[str, Case]) -> None:
    with pytest.raises(Refused, match="No truther"):
        actions.adopt_opinions(study=study, adjudicated={}, reason="None", by=people.alice)


def test_after_the_lock_truth_stands(people: People) -> None:
    locked = Study.objects.create(title="Locked", phase=Study.Phase.LOCKED, created_by=people.alice)
    locked.enrolments.create(user=people.alice, role=Enrolment.Role.COORDINATOR)
    truther = locked.enrolments.create(user=people.tess, role=Enrolment.Role.TRUTHER)
    case = Case.objects.create(study=locked, label="C1", patient="0" * 64)

    with pytest.raises(Refused, match="locked"):
        actions.record_standard(study=locked, truths={case: True}, method="Late", reason="Late", by=people.alice)
    with pytest.raises(Refused, match="locked"):
        say(truther, case, Verdict.POSITIVE)
