"""Simulate readers of synthetic cases, unaided and aided."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from inference.cohort import BadCohort


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("manifest", type=Path, help="as the command phantoms wrote it")
    command.add_argument("--predictions", type=Path, required=True, help="CSV with the columns case, probability")
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--out", type=Path, required=True, help="CSV file")


def run(options: argparse.Namespace) -> None:
    from inference.phantoms.readers import write_answers

    with options.predictions.open(newline="", encoding="utf-8") as stream:
        try:
            probabilities = {row["case"]: float(row["probability"]) for row in csv.DictReader(stream)}
        except (KeyError, ValueError) as error:
            raise BadCohort(f"{options.predictions} needs the columns case and probability: {error}.") from error
    rows = write_answers(options.manifest, probabilities, options.out, seed=options.seed)
    print(f"{rows} answers of simulated readers; {options.out}")
