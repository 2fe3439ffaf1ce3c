from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from tests.readerstudy.reading.room import Room, open_room
from tests.world import People


@pytest.fixture
def people(db: None) -> People:
    return People()


@pytest.fixture
def room(people: People) -> Room:
    return open_room(people)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], datetime]:
    """Moves the time that the process takes from the operating system; called with a step, returns the new time."""
    real = timezone.now
    moved = timedelta()

    def move(step: timedelta) -> datetime:
        nonlocal moved
        moved += step
        return timezone.now()

    monkeypatch.setattr(timezone, "now", lambda: real() + moved)
    return move
