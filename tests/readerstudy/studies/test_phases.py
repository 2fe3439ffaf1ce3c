"""The moves of a study: one dict, complete, and the database's list is the same."""

from itertools import product

import pytest
from django.db import IntegrityError, transaction

from readerstudy.studies.models import Study
from readerstudy.studies.phases import MOVES, target_of
from tests.world import People, make_study

FORWARD = [("draft", "frozen"), ("frozen", "open"), ("open", "locked")]


def test_every_phase_is_reached_and_only_forward() -> None:
    assert [move for moves in MOVES.values() for move in moves.items()] == FORWARD
    assert {phase for pair in FORWARD for phase in pair} == set(Study.Phase.values)


def test_a_move_from_elsewhere_leads_nowhere() -> None:
    assert target_of("lock", "draft") is None
    assert target_of("freeze", "frozen") is None


@pytest.mark.django_db
def test_the_database_refuses_every_other_move() -> None:
    study = make_study(People(), phase=Study.Phase.FROZEN)
    reached = ["frozen"]
    for phase in ("open", "locked"):
        for other in set(Study.Phase.values) - {phase, reached[-1]}:
            with pytest.raises(IntegrityError, match="does not go"), transaction.atomic():
                Study.objects.filter(pk=study.pk).update(phase=other)
        Study.objects.filter(pk=study.pk).update(phase=phase)
        reached.append(phase)
    refused = [pair for pair in product(Study.Phase.values, repeat=2) if pair not in FORWARD and pair[0] != pair[1]]
    assert len(refused) == 9


@pytest.mark.django_db
def test_a_study_without_a_frozen_protocol_stays_a_draft() -> None:
    study = make_study(People())
    with pytest.raises(IntegrityError, match="stays a draft"), transaction.atomic():
        Study.objects.filter(pk=study.pk).update(phase="frozen")
