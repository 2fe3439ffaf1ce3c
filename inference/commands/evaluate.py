"""Measure stored predictions of a study: masks, vertebrae, heat maps."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, help="of the study")
    command.add_argument("--cohort", type=Path, help="manifest, where it does not lie in the folder")


def run(options: argparse.Namespace) -> None:
    from inference.measures.evaluating import evaluate

    written = evaluate(options.folder, options.cohort)
    if not written:
        print(
            f"{options.folder}: neither masks nor levels nor heat maps are stored beside the predictions; "
            "nothing to measure."
        )
    for path, rows in written.items():
        print(f"{path}: {rows} rows")
