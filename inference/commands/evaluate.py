"""Measure stored predictions of a study: masks, vertebrae, heat maps; on demand what random weights leave of these."""

from __future__ import annotations

import argparse
from pathlib import Path

from inference.cohorts.cases import BadCohort


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, help="of the study: predictions.csv and what lies beside, at any depth")
    command.add_argument("--cohort", type=Path, metavar="MANIFEST", help="where it does not lie in the folder")
    command.add_argument(
        "--randomise", action="store_true",
        help="also draw each model's weights anew, from its head down, and see where its heat maps then point: "
        "randomisation.csv; minutes a model",
    )  # fmt: skip
    command.add_argument(
        "--models", type=Path, metavar="FOLDER", help="of cards and weights, where they do not lie in the study's"
    )


def run(options: argparse.Namespace) -> None:
    from inference.measures.evaluating import evaluate

    if options.models and not options.randomise:
        raise BadCohort("Models are needed for --randomise alone; the rest is measured from stored files.")
    written = evaluate(options.folder, options.cohort)
    if not written:
        print(
            f"{options.folder}: neither masks nor levels nor heat maps are stored beside the predictions; "
            "nothing to measure."
        )
    for path, rows in written.items():
        print(f"{path}: {rows} rows")
    if options.randomise:
        import torch

        from inference.serving.explaining import randomise

        torch.set_num_threads(1)
        for path, rows in randomise(options.folder, options.cohort, options.models).items():
            nothing = "not written: no heat map is asked for, or no unseen case has an outlined finding"
            print(f"{path}: {f'{rows} rows' if rows else nothing}")
