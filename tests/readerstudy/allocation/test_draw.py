import csv
import io
from collections import Counter

import pytest
from django.db import IntegrityError, transaction

from readerstudy.allocation.actions import draw
from readerstudy.allocation.designs import crossover, of_size
from readerstudy.allocation.models import Allocation, Slot
from readerstudy.allocation.queries import balance_of, digest_of_slots, drawn_slots, missing_for_draw, shape_of
from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.datasets.queries import completeness_of
from readerstudy.reading.actions import open_reading
from readerstudy.reference.actions import record_standard
from readerstudy.studies.models import Study
from readerstudy.studies.outline import CROSSOVER, Outline
from tests.readerstudy.reading.room import Room, add_case, prepared_room, read_slot
from tests.world import People, client_of, make_study

SEED = "00112233445566778899aabbccddeeff"


@pytest.fixture
def people(db: None) -> People:
    return People()


@pytest.fixture
def room(people: People) -> Room:
    return prepared_room(people)


def test_the_draw_writes_every_slot_and_its_digest_can_be_repeated_from_the_seed(room: Room) -> None:
    allocation = draw(study=room.study, by=room.people.alice, seed=SEED)
    assert Slot.objects.filter(allocation=allocation).count() == 2 * 2 * 4
    again = crossover(SEED, shape_of(room.study))
    assert set(drawn_slots(allocation)) == set(again)
    assert allocation.digest == digest_of_slots(again)
    assert len({slot.token for slot in Slot.objects.all()}) == 16
    event = Event.objects.get(verb="allocation.drawn")
    assert (event.facts["seed"], event.facts["digest"], event.facts["slots"]) == (SEED, allocation.digest, 16)


def test_without_a_seed_two_studies_draw_from_different_chance(people: People) -> None:
    first = draw(study=prepared_room(people).study, by=people.alice)
    assert len(first.seed) == 32
    assert first.seed != SEED


def test_drawing_twice_is_refused_by_a_sentence_and_by_the_database(room: Room) -> None:
    allocation = draw(study=room.study, by=room.people.alice, seed=SEED)
    with pytest.raises(Refused, match="never drawn again"):
        draw(study=room.study, by=room.people.alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        Allocation.objects.create(study=room.study, seed=SEED, digest="0" * 64, drawn_by=room.people.alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        Slot.objects.filter(allocation=allocation).update(position=5)
    with pytest.raises(IntegrityError), transaction.atomic():
        Slot.objects.filter(allocation=allocation).delete()


def test_a_case_that_comes_later_moves_no_slot(room: Room) -> None:
    allocation = draw(study=room.study, by=room.people.alice, seed=SEED)
    before = drawn_slots(allocation)
    add_case(room.study, "late", "", 99)
    assert drawn_slots(allocation) == before


def test_a_part_of_the_cases_is_drawn_from_the_same_seed(room: Room) -> None:
    for number in range(10, 17):
        add_case(room.study, f"late-{number}", "", number)
    truths = {case: case.label in ("spine-1", "late-10") for case in room.study.cases.all()}
    record_standard(study=room.study, truths=truths, method="Panel", reason="More cases", by=room.people.alice)
    alice = client_of(room.people.alice)
    page = f"/studies/{room.study.token}/allocation/"
    refused = alice.post(page, {"design": "crossover", "seed": SEED, "cases": "12"})
    assert (refused.status_code, "From 2 to 11 cases can be read" in refused.text) == (400, True)
    assert alice.post(page, {"design": "crossover", "seed": SEED, "cases": "6"}).status_code == 302
    allocation = Allocation.objects.get()
    again = crossover(SEED, of_size(SEED, shape_of(room.study), 6))
    assert set(drawn_slots(allocation)) == set(again)
    assert allocation.digest == digest_of_slots(again)
    assert (allocation.parameters["cases"], allocation.parameters["cases_of_study"]) == (6, 11)
    assert Event.objects.get(verb="allocation.drawn").facts["cases"] == 6
    read: Counter[tuple[str, int]] = Counter()
    for row in balance_of(allocation):
        read[row.reader, row.period] += row.total
    assert set(read.values()) == {6}
    assert "6 of the study’s 11" in alice.get(page).text


def test_reading_opens_although_some_cases_are_read_by_nobody(room: Room) -> None:
    draw(study=room.study, by=room.people.alice, seed=SEED, cases=2)
    open_reading(study=room.study, by=room.people.alice)
    assert [row.total for row in completeness_of(room.study)] == [4, 4]
    first = room.slots("bob")[0]
    answers = [read_slot(client_of(room.people.bob), slot) for slot in room.slots("bob")[:2]]
    assert first.position == 1
    assert [answer["finished"] for answer in answers] == [False, True]


def test_only_the_coordinator_draws(room: Room) -> None:
    for user in (room.people.bob, room.people.stan, room.people.charlie):
        with pytest.raises(Denied):
            draw(study=room.study, by=user)
    assert not Allocation.objects.exists()


def test_what_is_missing_is_said(people: People) -> None:
    draft = make_study(people)
    assert missing_for_draw(draft) == ["The protocol is not frozen yet.", "No cases are imported yet."]
    study = make_study(people, phase=Study.Phase.FROZEN, title="Second")
    case = study.cases.create(label="a", patient="p")
    assert missing_for_draw(study) == [
        "The reference standard says nothing about 1 case(s): a.",
        "There are no images of 1 case(s): a.",
    ]
    with pytest.raises(Refused, match="reference standard"):
        draw(study=study, by=people.alice)
    assert case.slots.count() == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seed": "xyz"}, "32 hexadecimal digits"),
        ({"seed": SEED + "0"}, "32 hexadecimal digits"),
        ({"design": "lottery"}, "lottery is not among them"),
    ],
)
def test_a_seed_or_design_that_cannot_be_used_is_refused(room: Room, changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        draw(study=room.study, by=room.people.alice, **changes)


def test_one_arm_in_one_period_is_drawn_crossed(people: People) -> None:
    outline = Outline(CROSSOVER.arms[:1], (0,), CROSSOVER.questions, CROSSOVER.endpoints)
    room = prepared_room(people, outline=outline)
    assert draw(study=room.study, by=people.alice).design == "crossed"
    assert Slot.objects.count() == 2 * 4


def test_balance_is_counted_by_truth_and_only_the_coordinator_sees_it(room: Room) -> None:
    allocation = draw(study=room.study, by=room.people.alice, seed=SEED)
    rows = balance_of(allocation)
    assert len(rows) == 2 * 2 * 2
    assert {(row.positive, row.negative) for row in rows} == {(1, 1)}
    page = f"/studies/{room.study.token}/allocation/"
    assert SEED in client_of(room.people.alice).get(page).text
    for user, status in ((room.people.bob, 403), (room.people.stan, 403), (room.people.charlie, 404)):
        assert client_of(user).get(page).status_code == status
        assert client_of(user).get(f"{page}slots.csv").status_code == status


def test_the_page_draws_and_exports_every_slot(room: Room) -> None:
    alice = client_of(room.people.alice)
    page = f"/studies/{room.study.token}/allocation/"
    assert alice.get(f"{page}slots.csv").status_code == 404
    faulty = alice.post(page, {"design": "crossover", "seed": "12"})
    assert (faulty.status_code, "32 hexadecimal digits" in faulty.text) == (400, True)
    assert alice.post(page, {"design": "crossover", "seed": ""}).status_code == 302
    assert alice.post(page, {"design": "crossover", "seed": ""}).status_code == 400
    rows = list(csv.DictReader(io.StringIO(alice.get(f"{page}slots.csv").getvalue().decode())))
    assert len(rows) == 16
    stored = Slot.objects.values_list("reader__code", "period__number", "position", "arm__code", "case__label")
    exported = [(row["reader"], int(row["period"]), int(row["position"]), row["arm"], row["case"]) for row in rows]
    assert sorted(exported) == sorted(stored)


def test_text_that_a_spreadsheet_would_compute_is_exported_as_text(room: Room) -> None:
    room.study.cases.filter(label="spine-1").update(label="=1+1")
    draw(study=room.study, by=room.people.alice, seed=SEED)
    text = client_of(room.people.alice).get(f"/studies/{room.study.token}/allocation/slots.csv").getvalue().decode()
    assert ",'=1+1\r\n" in text
    assert ",=1+1" not in text
