"""The audit chain: it grows with every action, the database keeps it, and no tampering goes unseen."""

import io
import json
import random
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
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


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_event SET actor = 'mallory'",
        "DELETE FROM audit_event WHERE number = 3",
        "TRUNCATE audit_event CASCADE",
    ],
)
def test_the_database_refuses_to_rewrite_history(history: None, sql: str) -> None:
    with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
        connection.cursor().execute(sql)
    assert Event.objects.filter(actor="alice").count() == EVENTS


def tamper(chance: random.Random) -> str:
    """One random change by somebody who can switch the triggers off."""
    number = chance.randint(1, EVENTS)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        match chance.choice(["column", "facts", "time", "remove", "cut", "swap", "head"]):
            case "column":
                column = chance.choice(COLUMNS)
                value = f"{chance.getrandbits(60):x}"
                cursor.execute(f"UPDATE audit_event SET {column} = %s WHERE number = %s", [value, number])
                return f"{column} of {number}"
            case "facts":
                facts = json.dumps({"number": -chance.randint(1, 99), "text": "Ä → 0,5"})
                cursor.execute("UPDATE audit_event SET facts = %s WHERE number = %s", [facts, number])
                return f"facts of {number}"
            case "time":
                shift = f"{chance.randint(1, 10**6)} microseconds"
                cursor.execute("UPDATE audit_event SET at = at + %s::interval WHERE number = %s", [shift, number])
                return f"time of {number}"
            case "remove":
                cursor.execute("DELETE FROM audit_event WHERE number = %s", [number])
                return f"{number} removed"
            case "cut":
                cursor.execute("DELETE FROM audit_event WHERE number > %s", [number - 1])
                return f"all from {number} removed"
            case "swap":
                other = number % EVENTS + 1
                cursor.execute(
                    "UPDATE audit_event SET number = number + 1000000 WHERE number IN (%s, %s)", [number, other]
                )
                cursor.execute(
                    "UPDATE audit_event SET number = CASE WHEN number = 1000000 + %s THEN %s ELSE %s END "
                    "WHERE number > 1000000",
                    [number, other, number],
                )
                return f"{number} and {other} swapped"
            case _:
                cursor.execute("UPDATE audit_chain SET length = length - %s", [number])
                return "head moved"


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
