"""All writes of this stage: what readers do, and what the coordinator does about it."""

from .coordination import agree_washout_override, ask_washout_override, correct, open_reading
from .existing import import_readings
from .readers import open_slot, pause, save_draft, start_session, submit

__all__ = [
    "agree_washout_override",
    "ask_washout_override",
    "correct",
    "import_readings",
    "open_reading",
    "open_slot",
    "pause",
    "save_draft",
    "start_session",
    "submit",
]
