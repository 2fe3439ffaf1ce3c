"""Simulate readers of synthetic cases, unaided and aided."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from inference.cohorts.cases import BadCohort


def add_arguments(command: argparse.ArgumentParser) -> None:
    from inference.phantoms.readers import PANELS

    command.add_argument("manifest", type=Path, help="as the command phantoms wrote it")
    command.add_argument("--predictions", type=Path, help="CSV with the columns case, probability; for aided readers")
    command.add_argument("--panel", default="demo", help=f"{', '.join(PANELS)}: who reads, and in which arms")
    command.add_argument("--readers", type=int, default=None, help="of each seniority, instead of the panel's number")
    command.add_argument("--role", action="append", default=[], help="only cases of this role; may be repeated")
    command.add_argument("--gain", type=float, default=None, help="planted rise of every reader's AUC, model or not")
    command.add_argument(
        "--reliance", type=float, default=1.0, help="how much the readers trust the model; 0 not at all"
    )
    command.add_argument("--seed", type=int, default=1, help="the same gives the same answers; 1")
    command.add_argument("--out", type=Path, required=True, help="CSV file, which a study of the site imports")


def run(options: argparse.Namespace) -> None:
    from inference.phantoms.readers import write_answers

    rows = write_answers(
        options.manifest,
        probabilities_in(options.predictions) if options.predictions else None,
        options.out,
        model=model_in(options.predictions) if options.predictions else "",
        seed=options.seed,
        per_group=options.readers,
        panel=options.panel,
        roles=options.role,
        gain=options.gain,
        reliance=options.reliance,
    )
    print(f"{rows} answers of simulated readers; {options.out}")


def model_in(path: Path) -> str:
    """Name of the model of a table of predictions; "" where it does not say, or names several."""
    with path.open(newline="", encoding="utf-8") as stream:
        names = {row.get("model", "") for row in csv.DictReader(stream)}
    return names.pop() if len(names) == 1 else ""


def probabilities_in(path: Path) -> dict[str, float]:
    """Of each case, from a table of predictions of one model."""
    found: dict[str, float] = {}
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            try:
                case, probability = row["case"], float(row["probability"])
            except (KeyError, ValueError) as error:
                raise BadCohort(f"{path} needs the columns case and probability: {error}.") from error
            if found.setdefault(case, probability) != probability:
                raise BadCohort(f"{path} has several predictions of {case}; readers see one model.")
    return found
