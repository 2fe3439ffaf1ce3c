"""All writes of this stage. Every one checks, locks the study's row, writes, and records in one transaction."""

from .design import (
    add_arm,
    add_endpoint,
    add_period,
    create_study,
    describe,
    edit_arm,
    edit_endpoint,
    edit_period,
    move_arm,
    remove_arm,
    remove_endpoint,
    remove_period,
    set_rules,
)
from .freezing import amend, freeze, mark_locked, move, open_study
from .people import enrol, enrol_external, withdraw
from .questions import add_question, edit_question, move_question, remove_question

__all__ = [
    "add_arm",
    "add_endpoint",
    "add_period",
    "add_question",
    "amend",
    "create_study",
    "describe",
    "edit_arm",
    "edit_endpoint",
    "edit_period",
    "edit_question",
    "enrol",
    "enrol_external",
    "freeze",
    "mark_locked",
    "move",
    "move_arm",
    "move_question",
    "open_study",
    "remove_arm",
    "remove_endpoint",
    "remove_period",
    "remove_question",
    "set_rules",
    "withdraw",
]
