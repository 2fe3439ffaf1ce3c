"""Truthers' marks: drafts, opinions with marks, models' marks to decide on, adjudication, and what nobody else sees."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.audit.chain import digest_of
from readerstudy.audit.errors import Conflict, Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.cases.models import Case
from readerstudy.reference import actions, queries
from readerstudy.reference.drawn import marks_of, planes_of
from readerstudy.reference.marks import Mark
from readerstudy.reference.models import Annotation, AnnotationDraft, Opinion, Proposal, ProposalDecision
from readerstudy.studies.actions import enrol
from readerstudy.studies.models import Enrolment, Study
from tests.world import People, client_of, close_audit, person

# The pictures of the cases have 24 x 24 pixels.
BOX = {"key": "b1", "kind": "box", "series": 0, "slice": 0, "label": "Fracture", "points": [[2.0, 3.0], [12.0, 9.0]]}
FAR = BOX | {"key": "b2", "points": [[14.0, 14.0], [22.0, 22.0]]}
MASK = {"key": "m1", "kind": "mask", "series": 0, "slice": 0, "label": "body", "points": [], "runs": [30, 5, 541]}


@pytest.fixture
def tess(study: Study, people: People) -> Enrolment:
    return Enrolment.objects.get(study=study, user=people.tess)


def enrolled(study: Study, people: People, name: str) -> Enrolment:
    return enrol(study=study, username=person(name).username, role=Enrolment.Role.TRUTHER, by=people.alice)


@pytest.fixture
def ugo(study: Study, people: People) -> Enrolment:
    return enrolled(study, people, "ugo")


@pytest.fixture
def vera(study: Study, people: People) -> Enrolment:
    """Adjudicates."""
    vera = enrolled(study, people, "vera")
    actions.appoint_adjudicator(truther=vera, by=people.alice)
    return vera


def work(*marks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"marks": list(marks), "rejected": [], "verdict": "", "note": "", "place": None} | more


def save(truther: Enrolment, case: Case, revision: int, *marks: dict[str, Any], **more: Any) -> int:
    assert truther.user is not None
    return actions.save_draft(truther=truther, case=case, work=work(*marks, **more), revision=revision, by=truther.user)


def say(truther: Enrolment, case: Case, verdict: str, *marks: dict[str, Any], **more: Any) -> Opinion:
    assert truther.user is not None
    revision = save(truther, case, 0, *marks, **more)
    return actions.give_opinion(
        truther=truther, case=case, verdict=verdict, note="", by=truther.user, revision=revision
    )


def kept(opinion: Opinion) -> list[Mark]:
    annotation = Annotation.objects.get(opinion=opinion)
    return list(marks_of(annotation.marks, planes_of(opinion.case)))


def address(name: str, study: Study, case: Case) -> str:
    return reverse(f"reference:{name}", args=[study.token, case.token])


def post(client: Client, where: str, sent: Any) -> Any:
    body = sent if isinstance(sent, bytes) else json.dumps(sent)
    return client.post(where, body, content_type="application/json")


# Drafts


def test_a_draft_is_where_the_truther_left_it(study: Study, people: People, cases: list[Case]) -> None:
    client = client_of(people.tess)
    desk = address("desk", study, cases[0])
    found = client.get(desk).json()
    # Steps of undo are kept in the browser under the case and a digest of the truther that tells nobody who it is.
    owner, case = found.pop("keep").split(":")
    assert (len(owner), case) == (16, cases[0].token)
    assert found == {
        "revision": 0,
        "work": work(),
        "proposal": None,
        "others": [],
        "differences": [],
    }
    left = work(BOX, MASK, verdict="positive", note="steep", place={"series": 0, "slice": 0})
    answer = post(client, address("draft", study, cases[0]), left | {"revision": 0})

    assert (answer.status_code, answer.json()) == (200, {"revision": 1})
    found = client.get(desk).json()
    assert found["revision"] == 1
    assert found["work"]["marks"] == [BOX, MASK]
    assert {name: found["work"][name] for name in ("verdict", "note", "place")} == {
        "verdict": "positive",
        "note": "steep",
        "place": {"series": 0, "slice": 0},
    }


def test_two_windows_cannot_undo_each_other(cases: list[Case], tess: Enrolment) -> None:
    assert save(tess, cases[0], 0, BOX) == 1
    with pytest.raises(Conflict, match="Another window"):
        save(tess, cases[0], 0, FAR)
    assert save(tess, cases[0], 1, FAR) == 2
    with pytest.raises(Conflict, match="Another window"):
        assert tess.user is not None
        actions.give_opinion(truther=tess, case=cases[0], verdict="positive", note="", by=tess.user, revision=1)
    assert AnnotationDraft.objects.get().work["marks"] == [FAR]


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        (b"{", 400, "not JSON"),
        ({"revision": "1"}, 400, "revision is a number"),
        (work({"key": "b1"}), 400, "kind that does not exist"),
        (work(BOX | {"points": [[2, 3], [99, 9]]}), 400, "outside its image of 24 × 24"),
        (work(verdict="maybe"), 400, "positive, negative"),
        (work() | {"revision": 7}, 409, "Another window"),
    ],
)
def test_what_the_page_never_sends_is_one_sentence(
    sent: Any, status: int, sentence: str, study: Study, people: People, cases: list[Case]
) -> None:
    answer = post(client_of(people.tess), address("draft", study, cases[0]), sent)

    assert answer.status_code == status
    assert sentence in answer.json()["error"]
    assert not AnnotationDraft.objects.exists()


# Opinions with marks


def test_marks_stand_with_the_opinion_and_in_the_audit(cases: list[Case], tess: Enrolment) -> None:
    opinion = say(tess, cases[0], "positive", BOX, MASK)

    annotation = Annotation.objects.get(opinion=opinion)
    assert [mark.to_document() for mark in kept(opinion)] == [BOX, MASK]
    assert annotation.digest == digest_of(annotation.marks)
    # These pictures have no place in a patient and no scale.
    assert annotation.marks[0]["millimetres"] is None
    assert (annotation.marks[0]["measure"]["area"], annotation.marks[0]["measure"]["unit"]) == (60.0, "px")
    assert annotation.marks[1]["measure"]["area"] == 5.0
    event = Event.objects.get(verb="reference.opinion_given")
    assert event.facts["marks"] == annotation.marks
    assert not AnnotationDraft.objects.exists()


def test_a_truther_goes_on_from_the_opinion_that_stands(study: Study, cases: list[Case], tess: Enrolment) -> None:
    say(tess, cases[0], "positive", BOX)

    desk = queries.desk_for(tess, queries.tasks_of(tess)[0])

    assert (desk.revision, desk.work["marks"], desk.work["verdict"]) == (0, [BOX], "positive")
    second = say(tess, cases[0], "positive", FAR)
    assert (second.number, [mark.key for mark in kept(second)]) == (2, ["b2"])


def test_the_form_sends_the_draft_that_was_saved(study: Study, people: People, cases: list[Case]) -> None:
    client = client_of(people.tess)
    post(client, address("draft", study, cases[0]), work(BOX))

    answer = client.post(address("opinion", study, cases[0]), {"verdict": "positive", "revision": "1"})

    assert answer["Location"] == address("opinion", study, cases[1])
    assert [mark.key for mark in kept(Opinion.objects.get())] == ["b1"]
    stale = client.post(address("opinion", study, cases[1]), {"verdict": "positive", "revision": "4"})
    assert stale.status_code == 400
    assert "Another window" in stale.content.decode()


def test_an_opinion_falls_with_its_event(cases: list[Case], tess: Enrolment) -> None:
    save(tess, cases[0], 0, BOX)
    close_audit()
    with pytest.raises(Exception, match="audit_is_closed"):
        assert tess.user is not None
        actions.give_opinion(truther=tess, case=cases[0], verdict="positive", note="", by=tess.user, revision=1)


# Two truthers who do not see each other


def test_no_truther_sees_anothers_work(
    study: Study, people: People, cases: list[Case], tess: Enrolment, ugo: Enrolment
) -> None:
    """Byte by byte: what Ugo gets is the same whatever Tess has drawn, drafted or said."""
    assert ugo.user is not None
    client = client_of(ugo.user)
    addresses = [reverse("reference:opinions", args=[study.token])]
    addresses += [address("desk", study, case) for case in cases]

    def seen() -> list[bytes]:
        token = rb'name="csrfmiddlewaretoken" value="\w{64}"'
        return [re.sub(token, b"", client.get(where).content) for where in addresses]

    before = seen()
    save(tess, cases[1], 0, FAR, note="a secret draft")
    say(tess, cases[0], "positive", BOX)
    assert seen() == before


def test_readers_and_the_statistician_reach_no_marks(study: Study, people: People, cases: list[Case]) -> None:
    for someone in (people.bob, people.stan):
        client = client_of(someone)
        assert client.get(address("desk", study, cases[0])).status_code == 403
        assert post(client, address("draft", study, cases[0]), work(BOX)).status_code == 403
    assert not AnnotationDraft.objects.exists()


def test_nobody_saves_in_anothers_name(cases: list[Case], tess: Enrolment, ugo: Enrolment, people: People) -> None:
    for by, error in ((ugo.user, Refused), (people.alice, Denied), (people.bob, Denied)):
        assert by is not None
        with pytest.raises(error):
            actions.save_draft(truther=tess, case=cases[0], work=work(BOX), revision=0, by=by)


# A model's marks


def offered(case: Case, people: People) -> Proposal:
    marks = marks_of([BOX, MASK, FAR], planes_of(case))
    proposal = actions.offer_marks(
        case=case, source="spine-net 1.2", source_digest="d" * 64, marks=marks, by=people.alice
    )
    assert proposal is not None
    return proposal


def test_each_mark_of_a_model_is_accepted_edited_or_rejected_on_record(
    cases: list[Case], tess: Enrolment, people: People
) -> None:
    box, mask, far = offered(cases[0], people).marks
    accepted = box | {"proposed": box["key"]}
    edited = mask | {"proposed": mask["key"], "runs": [30, 6, 540]}

    say(tess, cases[0], "positive", accepted, edited, rejected=[far["key"]])

    verdicts = dict(ProposalDecision.objects.values_list("key", "verdict"))
    assert verdicts == {box["key"]: "accepted", mask["key"]: "edited", far["key"]: "rejected"}
    assert Event.objects.get(verb="reference.opinion_given").facts["decisions"] == verdicts
    desk = queries.desk_for(tess, queries.tasks_of(tess)[0])
    assert desk.work["rejected"] == [far["key"]]


def test_marks_of_a_model_are_not_passed_over(cases: list[Case], tess: Enrolment, people: People) -> None:
    offered(cases[0], people)

    with pytest.raises(Refused, match="3 are undecided"):
        say(tess, cases[0], "positive", BOX | {"key": "own"})
    with pytest.raises(Refused, match="3 are undecided"):
        actions.give_opinion(truther=tess, case=cases[0], verdict="negative", note="", by=people.tess, revision=1)
    assert not Opinion.objects.exists()


def test_the_same_marks_are_offered_once(cases: list[Case], people: People) -> None:
    offered(cases[0], people)

    marks = marks_of([BOX, MASK, FAR], planes_of(cases[0]))
    again = actions.offer_marks(
        case=cases[0], source="spine-net 1.2", source_digest="d" * 64, marks=marks, by=people.alice
    )
    assert again is None
    with pytest.raises(Denied):
        actions.offer_marks(case=cases[0], source="x", source_digest="e" * 64, marks=marks, by=people.tess)


# Adjudication


def test_the_adjudicator_gets_what_differs_and_sees_both(
    study: Study, cases: list[Case], tess: Enrolment, ugo: Enrolment, vera: Enrolment
) -> None:
    assert queries.tasks_of(vera) == []
    say(tess, cases[0], "positive", BOX)
    say(ugo, cases[0], "positive", FAR)
    for truther in (tess, ugo):
        say(truther, cases[1], "negative")

    (task,) = queries.tasks_of(vera)
    desk = queries.desk_for(vera, task)

    assert task.case == cases[0]
    assert [(other.name, other.marks) for other in desk.others] == [("A", [BOX]), ("B", [FAR])]
    assert desk.differences == [
        "Only A marked the box “Fracture” on image 1.",
        "Only B marked the box “Fracture” on image 1.",
    ]
    assert vera.user is not None
    text = client_of(vera.user).get(address("desk", study, cases[0])).content.decode()
    assert "tess" not in text.lower()
    assert "ugo" not in text.lower()


def test_the_adjudicated_marks_become_the_standard(
    study: Study, people: People, cases: list[Case], tess: Enrolment, ugo: Enrolment, vera: Enrolment
) -> None:
    say(tess, cases[0], "positive", BOX)
    say(ugo, cases[0], "negative")
    for truther in (tess, ugo):
        say(truther, cases[1], "positive", MASK)
    with pytest.raises(Refused, match=r"adjudicated value: C1\."):
        actions.adopt_opinions(study=study, adjudicated={}, reason="First round", by=people.alice)

    decision = say(vera, cases[0], "positive", FAR)
    standard = actions.adopt_opinions(study=study, adjudicated={}, reason="First round", by=people.alice)

    assert decision.adjudicates
    assert standard.method == actions.ADJUDICATED
    found = {row.case.label: [mark["key"] for mark in row.annotation.marks] for row in queries.annotations_of(standard)}
    assert found == {"C1": ["b2"], "C2": ["m1"]}
    digests = {row.case.token: row.annotation.digest for row in queries.annotations_of(standard)}
    values = {case.token: True for case in cases}
    assert standard.digest == digest_of({"values": values, "marks": digests})
    assert Event.objects.filter(verb="reference.recorded").last().facts["marks"] == digests  # type: ignore[union-attr]


def test_marks_that_differ_stay_out_until_they_are_adjudicated(
    study: Study, people: People, cases: list[Case], tess: Enrolment, ugo: Enrolment
) -> None:
    say(tess, cases[0], "positive", BOX)
    say(ugo, cases[0], "positive", FAR)

    standard = actions.adopt_opinions(study=study, adjudicated={}, reason="First round", by=people.alice)

    assert not queries.annotations_of(standard).exists()
    assert [entry.case.label for entry in queries.opinion_table(study).drawn_apart] == ["C1"]


def test_the_adjudicator_judges_nothing_alone(
    cases: list[Case], people: People, tess: Enrolment, vera: Enrolment
) -> None:
    say(tess, cases[0], "positive", BOX)

    with pytest.raises(Refused, match="two truthers have judged"):
        say(vera, cases[0], "positive", BOX)
    with pytest.raises(Refused, match="adjudicates already"):
        actions.appoint_adjudicator(truther=vera, by=people.alice)
    with pytest.raises(Refused, match="has given opinions"):
        actions.appoint_adjudicator(truther=tess, by=people.alice)
    with pytest.raises(Denied):
        actions.appoint_adjudicator(truther=tess, by=people.tess)


def test_the_coordinator_appoints_on_the_page(
    study: Study, people: People, cases: list[Case], tess: Enrolment, ugo: Enrolment
) -> None:
    client = client_of(people.alice)
    page = reverse("reference:reference", args=[study.token])
    assert ugo.token in client.get(page).content.decode()

    answer = client.post(reverse("reference:appoint", args=[study.token]), {"truther": ugo.token}, follow=True)

    assert queries.adjudicates(ugo)
    assert "decides where the truthers do not agree" in answer.content.decode()
    wrong = client.post(reverse("reference:appoint", args=[study.token]), {"truther": "nobody"}, follow=True)
    assert "Choose one of the truthers" in wrong.content.decode()
