"""States of a study and the moves between them; the database holds the same list (migrations/_guards.py)."""

from .models import Study

Phase = Study.Phase

MOVES: dict[str, dict[str, str]] = {
    "freeze": {Phase.DRAFT: Phase.FROZEN},
    "open": {Phase.FROZEN: Phase.OPEN},
    "lock": {Phase.OPEN: Phase.LOCKED},
}


def target_of(move: str, phase: str) -> str | None:
    return MOVES[move].get(phase)
