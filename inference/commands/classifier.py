"""Train, calibrate and freeze a classifier of one of the first three families."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from inference.commands.words import add_cohort, cohort_of
from inference.recipes import presets


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_cohort(command)
    command.add_argument("--out", type=Path, required=True, help="folder for card and weights")
    command.add_argument("--name", default="classifier")
    command.add_argument("--version", default="1")
    command.add_argument("--labels", nargs=2, metavar=("NEGATIVE", "POSITIVE"), default=None)
    command.add_argument("--preset", default="wavelet", help=f"{', '.join(presets())}, or the path of a recipe")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--epochs", type=int, default=None)
    command.add_argument("--licence", default="for research")
    command.add_argument("--limits", default="Trained on one cohort; see data and metrics.")


def run(options: argparse.Namespace) -> None:
    from inference.classifier import Training, train

    labels = tuple(options.labels or (f"no {options.finding}", options.finding))
    plan = Training(
        name=options.name,
        version=options.version,
        labels=(labels[0], labels[1]),
        preset=options.preset,
        seed=options.seed,
        epochs=options.epochs,
        licence=options.licence,
        limits=options.limits,
    )
    card = train(cohort_of(options), plan, options.out)
    print(json.dumps({"digest": card.digest, "threshold": card.threshold, **card.metrics}, indent=2))
