"""Teach the final model on all cases of development after a cross-validation; a draft until it is decided."""

from __future__ import annotations

import argparse
import shutil

from inference.cards import DRAFT, OUT_OF_FOLD
from inference.commands.crossval import FOLDS
from inference.commands.words import add_notes, add_teaching, notes_of, samples_of, spec_of


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_teaching(command)
    add_notes(command)


def run(options: argparse.Namespace) -> None:
    spec = spec_of(options)
    from inference.learning.drafts import write_draft
    from inference.learning.validation import check_predictions, refit

    home = options.out / spec.name
    samples = samples_of(spec, options.manifest)
    check_predictions(home / FOLDS / OUT_OF_FOLD, samples)
    (home / DRAFT).mkdir(parents=True, exist_ok=True)
    final, model = refit(spec, samples, home / DRAFT, home / FOLDS)
    shutil.copy2(home / FOLDS / OUT_OF_FOLD, home / DRAFT / OUT_OF_FOLD)
    card = write_draft(home / DRAFT, final, model, {"training": samples}, notes_of(options))
    print(f"{home / DRAFT}: {card.parameters:,} parameters, {len(samples)} cases, {final.train.epochs} epochs")
    print(f"Next: python -m inference decide {home}")
