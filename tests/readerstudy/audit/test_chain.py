"""The audit chain: it grows with every action, the database keeps it, and no tampering goes unseen."""

import io
import json
import random
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from readerstudy.accounts.models import User
from readerstudy.audit.actions import Happening, record, record_all
from readerstudy.audit.models import Chain, Event
from readerstudy.audit.queries import all_faults

pytestmark = pytest.mark.django_db

COLUMNS = ("actor", "verb", "target", "previous", "digest")
EVENTS = 40


@pytest.fixture
def history() -> None:
    alice = User.objects.create_user("alice")
    for number in range(EVENTS):
        record(actor=alice, verb="study.edited", target=alice, facts={"number": number, "text": "Ä → 0,5"})
    # Deferred foreign keys would keep the triggers of the table busy until the end of the test.
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_what_happened_together_stands_in_its_order_in_one_chain(history: None) -> None:
    bob = User.objects.create_user("bob")
    happened = [Happening("case.imported", bob, {"number": number}) for number in range(5)]

    made = record_all(actor=bob, happened=happened)

    assert [event.number for event in made] == list(range(EVENTS + 1, EVENTS + 6))
    assert [event.facts["number"] for event in Event.objects.filter(verb="case.imported")] == list(range(5))
    assert record(actor=bob, verb="study.edited", target=bob).previous == made[-1].digest
    assert not list(all_faults())


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE audit_event SET actor = 'mallory'",
        "DELETE FROM audit_event WHERE number = 3",
        "TRUNCATE audit_event CASCADE",
    ],
)
def test_the_database_refuses_to_rewrite_history(history: None, order: str) -> None:
    with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
        connection.cursor().execute(order)
    assert Event.objects.filter(actor="alice").count() == EVENTS


def change_column(chance: random.Random, number: int) -> None:
    column = sql.Identifier(chance.choice(COLUMNS))
    order = sql.SQL("UPDATE audit_event SET {} = %s WHERE number = %s").format(column)
    execute(order, [f"{chance.getrandbits(60):x}", number])


def change_facts(chance: random.Random, number: int) -> None:
    facts = json.dumps({"number": -chance.randint(1, 99), "text": "Ä → 0,5"})
    execute("UPDATE audit_event SET facts = %s WHERE number = %s", [facts, number])


def change_time(chance: random.Random, number: int) -> None:
    shift = f"{chance.randint(1, 10**6)} microseconds"
    execute("UPDATE audit_event SET at = at + %s::interval WHERE number = %s", [shift, number])


def remove_one(chance: random.Random, number: int) -> None:
    execute("DELETE FROM audit_event WHERE number = %s", [number])


def cut_the_end(chance: random.Random, number: int) -> None:
    execute("DELETE FROM audit_event WHERE number >= %s", [number])


def swap_two(chance: random.Random, number: int) -> None:
    other = number % EVENTS + 1
    execute("UPDATE audit_event SET number = number + 1000000 WHERE number IN (%s, %s)", [number, other])
    execute(
        "UPDATE audit_event SET number = CASE WHEN number = 1000000 + %s THEN %s ELSE %s END WHERE number > 1000000",
        [number, other, number],
    )


def move_the_head(chance: random.Random, number: int) -> None:
    execute("UPDATE audit_chain SET length = length - %s", [number])


TAMPERINGS = (change_column, change_facts, change_time, remove_one, cut_the_end, swap_two, move_the_head)


def execute(order: str | sql.Composed, values: list[object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(order, values)  # type: ignore[arg-type]


def tamper(chance: random.Random) -> str:
    """One random change by somebody who can switch the triggers off."""
    number, tampering = chance.randint(1, EVENTS), chance.choice(TAMPERINGS)
    execute("ALTER TABLE audit_event DISABLE TRIGGER USER", [])
    tampering(chance, number)
    return f"{tampering.__name__} at {number}"


def test_a_thousand_random_tamperings_are_all_found(history: None) -> None:
    chance = random.Random(20261121)
    assert list(all_faults()) == []
    unseen = []
    for _ in range(1000):
        savepoint = transaction.savepoint()
        what = tamper(chance)
        if not list(all_faults()):
            unseen.append(what)
        transaction.savepoint_rollback(savepoint)
    assert unseen == []
    assert list(all_faults()) == []


def test_who_rebuilds_the_whole_chain_still_lacks_the_key(history: None) -> None:
    from readerstudy.audit.chain import GENESIS, event_digest

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
    previous = GENESIS
    for event in Event.objects.order_by("number"):
        event.actor, event.previous = "mallory", previous
        event.digest = previous = event_digest(event.previous, event.content())
        event.save()
    Chain.objects.update(head=previous)
    assert [fault.sentence for fault in all_faults()] == ["the seal of the chain does not fit its head"]


def test_the_command_speaks_plainly(history: None, tmp_path: Path) -> None:
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert f"Unbroken: {EVENTS} events in 1 chains" in out.getvalue()

    lines = [
        {"previous": event.previous, "digest": event.digest, "event": event.content()}
        for event in Event.objects.order_by("number")
    ]
    exported = tmp_path / "audit.jsonl"
    exported.write_text("\n".join(json.dumps(line) for line in lines))
    call_command("verify_audit", file=exported, stdout=out)
    lines[7]["event"]["actor"] = "mallory"
    exported.write_text("\n".join(json.dumps(line) for line in lines))
    with pytest.raises(CommandError, match="1 faults"):
        call_command("verify_audit", file=exported, stderr=io.StringIO())


def test_an_action_that_fails_leaves_no_event() -> None:
    alice = User.objects.create_user("alice")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(actor=alice, verb="study.created", target=alice)
        raise ZeroDivisionError
    assert Event.objects.count() == 0
