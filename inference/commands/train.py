"""Teach one model on a fixed split of the cases of development; it stays a draft until it is decided."""

from __future__ import annotations

import argparse

from inference.cards import DRAFT
from inference.commands.words import add_notes, add_teaching, notes_of, samples_of, spec_of


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_teaching(command)
    add_notes(command)


def run(options: argparse.Namespace) -> None:
    spec = spec_of(options)
    from inference.learning.curves import write_curves
    from inference.learning.drafts import write_draft
    from inference.learning.validation import train

    folder = options.out / spec.name / DRAFT
    model, taught, tuned = train(spec, samples_of(spec, options.manifest), folder)
    card = write_draft(folder, spec, model, {"training": taught, "tuning": tuned}, notes_of(options))
    write_curves([folder], options.out / spec.name / "curves.html")
    print(f"{folder}: {card.parameters:,} parameters, {len(taught)} training and {len(tuned)} tuning cases")
    print(f"Next: python -m inference decide {options.out / spec.name}")
