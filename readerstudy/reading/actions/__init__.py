"""All writes of this stage: what readers do, and what the coordinator does about it."""

from .answering import Receipt, revise, save_draft, submit
from .coordination import agree_washout_override, ask_washout_override, correct, open_reading
from .existing import import_readings
from .readers import look_again, open_slot, pause, repeat_training, request_output, start_session

__all__ = [
    "Receipt",
    "agree_washout_override",
    "ask_washout_override",
    "correct",
    "import_readings",
    "look_again",
    "open_reading",
    "open_slot",
    "pause",
    "repeat_training",
    "request_output",
    "revise",
    "save_draft",
    "start_session",
    "submit",
]
