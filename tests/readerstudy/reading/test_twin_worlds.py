"""Two worlds that differ in secrets alone: a dozen of them, and every byte that an unaided reader gets is the same."""

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import cache, timezone

from readerstudy.allocation.actions import draw
from readerstudy.allocation.models import Slot
from readerstudy.reading.actions import open_reading
from readerstudy.reading.queries import seeing
from readerstudy.reference.models import Annotation, Opinion, StandardAnnotation
from readerstudy.studies.outline import CROSSOVER, ArmOutline, RulesOutline
from tests.readerstudy.reading.room import ALL_SHOWN, SEED, Hidden, Room, body, open_room, post, prepared_room
from tests.readerstudy.reading.test_blinding import READER_PAGES, content_of, everything
from tests.readerstudy.test_doors import ROUTES
from tests.world import People, client_of

WORLD = Hidden(order=(0, 1, 2, 3))
TWIN = Hidden(
    truth=(False, True, False, True),
    scores=(0.0312, 0.99, 0.5, 0.123456789),
    labels=("Z-the-last", "a", "middle-of-the-list", "B"),
    site="Southern Clinic with a much longer name",
    heatmap=b"\x89PNG another heat map, longer than the first one",
    mask=b"\x89PNG another mask, longer than the first one",
    level="T12",
    corner=3.125,
    box="another box",
    algorithm="Other",
    version="1",
    ritas_answer=(False, 3),
    order=(2, 0, 3, 1),
)


@contextmanager
def repeatable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Chance and time as the operating system gives them, twice the same."""
    # The study of the other world has the same token, and other questions.
    seeing._settled.cache_clear()
    chance = random.Random(20270101)
    now = datetime(2027, 1, 1, 9, tzinfo=UTC)
    with monkeypatch.context() as patched:
        patched.setattr(secrets, "token_urlsafe", lambda count=16: chance.randbytes(count).hex()[:22])
        patched.setattr(secrets, "choice", chance.choice)
        patched.setattr(timezone, "now", lambda: now)
        # Pages that must not be kept say that they expire now.
        patched.setattr(cache, "time", SimpleNamespace(time=now.timestamp))
        with transaction.atomic():
            yield
            transaction.set_rollback(True)


def everywhere(client: Client, room: Room, slot: Slot) -> Iterator[Any]:
    """Every route of the site but those of a slot, new ones too: a parameter that is unknown here fails the test."""
    run = room.study.prediction_runs.get()
    known: dict[str, str | int] = {
        "study": room.study.token,
        "case": slot.case.token,
        "series": slot.case.series.get().token,
        "enrolment": room.reader("rita").token,
        "reader": room.reader().token,
        "standard": room.study.standards.get().token,
        "run": run.token,
        "prediction": run.run_cases.get(case=slot.case).prediction.token,
        "algorithm": run.algorithm.token,
        "user": room.people.rita.token,
        "name": "answers.csv",
        "part": "plan",
        "code": "aided",
        "order": "up",
        "kind": "text",
        "key": "decision",
        **dict.fromkeys(("position", "number", "first", "last"), 1),
        "slot": slot.token,
    }
    for name, parameters in ROUTES.items():
        address = reverse(name, kwargs={parameter: known[parameter] for parameter in parameters})
        yield client.get(address)
        yield client.options(address)
        # What is posted to the accounts is a reader's own, and may log them out.
        yield from [client.post(address, {"reason": "why"})] if "study" in parameters else []


def transcript(hidden: Hidden, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything that Bob, reading, can reach; of aided cases only what is not the aid itself."""
    said: list[bytes] = []
    with repeatable(monkeypatch):
        room = open_room(People(), hidden, ALL_SHOWN)
        bob, rita = client_of(room.people.bob), client_of(room.people.rita)
        decision, confidence = hidden.ritas_answer
        rita_slots, slots = room.slots("rita"), room.slots()
        key = (f"00000000-0000-4000-8000-{number:012d}" for number in range(100))
        for own, ritas in zip(slots[:4], rita_slots[:4], strict=True):
            rita.get(f"/reading/{ritas.token}/case.json")
            post(rita, ritas, "submit", body(decision, confidence, client_key=next(key)))
            walked = [content_of(response) for response in everything(bob, own)]
            said += [] if own.arm.aided else walked
            said += [content_of(response) for response in everything(bob, ritas)]
            said.append(content_of(post(bob, own, "submit", body(client_key=next(key)))))
            pages = ["/", "/reading/", f"/studies/{room.study.token}/"]
            pages += [f"/reading/{page}/{room.reader().token}/" for page in READER_PAGES]
            said += [content_of(bob.get(page)) for page in pages]
            # Between two cases, as a reader who tries every address of the site.
            said += [content_of(response) for response in everywhere(bob, room, own)] if own == slots[0] else []
        said += [content_of(response) for slot in slots for response in everything(bob, slot)]
    return said


@pytest.mark.django_db
def test_two_worlds_that_differ_in_secrets_alone_look_the_same_to_an_unaided_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = transcript(WORLD, monkeypatch), transcript(TWIN, monkeypatch)
    assert len(first) == len(second) > 400
    for one, other in zip(first, second, strict=True):
        assert one == other


LESSONS = replace(CROSSOVER, rules=RulesOutline(training_pass_mark=0, may_revise=True))
# The training cases keep their names and truth; what is secret of the others differs, and what is drawn in them.
TAUGHT = replace(TWIN, truth=(True, False, False, True), labels=WORLD.labels, order=WORLD.order)


def lessons(hidden: Hidden, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Training with its feedback, then the cases of the study: all that Bob gets of them but the aid itself."""
    said: list[bytes] = []
    with repeatable(monkeypatch):
        room = prepared_room(People(), hidden, LESSONS)
        truther = room.study.enrolments.get(user=room.people.tess)
        for case in room.study.cases.order_by("label"):
            corner = 2 if case.label in ("spine-1", "spine-2") else hidden.corner
            mark = {"key": "a", "kind": "box", "series": 0, "slice": 0, "label": "", "points": [[1, 1], [9, corner]]}
            opinion = Opinion.objects.create(truther=truther, case=case, verdict=Opinion.Verdict.POSITIVE)
            annotation = Annotation.objects.create(opinion=opinion, marks=[mark], digest="0" * 64)
            StandardAnnotation.objects.create(standard=room.study.standards.get(), case=case, annotation=annotation)
        draw(study=room.study, by=room.people.alice, seed=SEED, training=("spine-1", "spine-2"))
        open_reading(study=room.study, by=room.people.alice)
        bob = client_of(room.people.bob)
        key = (f"00000000-0000-4000-8000-{number:012d}" for number in range(100))
        for slot in room.slots():
            walked = [content_of(response) for response in everything(bob, slot)]
            said += [] if slot.arm.aided else walked
            said.append(content_of(post(bob, slot, "submit", body(client_key=next(key)))))
            said += [content_of(bob.get(f"/reading/{page}/{room.reader().token}/")) for page in READER_PAGES]
    return said


@pytest.mark.django_db
def test_feedback_of_the_training_says_nothing_of_a_case_of_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = lessons(WORLD, monkeypatch), lessons(TAUGHT, monkeypatch)
    assert sum(b'"regions"' in answer for answer in first) == 2
    assert len(first) == len(second) > 40
    for one, other in zip(first, second, strict=True):
        assert one == other


OWN_ANSWER_FIRST = replace(
    CROSSOVER,
    arms=(CROSSOVER.arms[0], ArmOutline("Aided", "aided", "sequential", True, True, unaided_share=0.5)),
    washouts=(0,),
    rules=RulesOutline(unreadable_reasons=("Motion",), may_revise=True, display_check=True),
)


def own_answers(hidden: Hidden, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Where the own answer comes first: everything before it, and the whole of cases that stay unaided."""
    said: list[bytes] = []
    with repeatable(monkeypatch):
        room = prepared_room(People(), hidden, OWN_ANSWER_FIRST)
        draw(study=room.study, by=room.people.alice, seed=SEED, design="sequential")
        open_reading(study=room.study, by=room.people.alice)
        bob = client_of(room.people.bob)
        light = {"dark": 2, "bright": 2, "width": 800, "height": 600, "ratio": 1, "ambient": "dim"}
        said.append(content_of(bob.post(f"/reading/display/{room.reader().token}/", light)))
        key = (f"00000000-0000-4000-8000-{number:012d}" for number in range(100))
        for slot in room.slots():
            said += [content_of(response) for response in everything(bob, slot)]
            said.append(content_of(post(bob, slot, "submit", body(client_key=next(key)) | {"stage": "first"})))
            if slot.withheld:
                said += [content_of(response) for response in everything(bob, slot)]
            said.append(content_of(post(bob, slot, "submit", body(client_key=next(key)))))
            said += [content_of(bob.get(f"/reading/{page}/{room.reader().token}/")) for page in READER_PAGES]
    return said


@pytest.mark.django_db
def test_before_the_own_answer_two_worlds_look_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = own_answers(WORLD, monkeypatch), own_answers(TWIN, monkeypatch)
    assert len(first) == len(second) > 150
    for one, other in zip(first, second, strict=True):
        assert one == other
