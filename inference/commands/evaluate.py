"""Measure a frozen model on another cohort."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from inference.cohort import Member
from inference.commands.words import add_cohort, cohort_of
from inference.prediction import Prediction


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_cohort(command)
    command.add_argument("--model", type=Path, required=True)
    command.add_argument("--out", type=Path, default=None, help="CSV file for the single predictions")


def run(options: argparse.Namespace) -> None:
    import numpy as np

    from inference.cohort import check_unseen, digest_of
    from inference.evaluate import measure
    from inference.pixels import read_file
    from inference.predict import model_in, predict

    card, model = model_in(options.model)
    members = cohort_of(options)
    images = [read_file(member.path) for member in members]
    digests = [digest_of(pixels) for pixels in images]
    check_unseen(members, digests, options.model, card.data["seen_sha256"])
    answers = [
        predict(card, model, [pixels], [digest], heatmap=False)[0]
        for pixels, digest in zip(images, digests, strict=True)
    ]
    probability = np.array([answer.probability for answer in answers])
    print(measure(probability, np.array([member.positive for member in members]), card.threshold))
    if options.out:
        write_predictions(options.out, members, answers)


def write_predictions(out: Path, members: list[Member], answers: list[Prediction]) -> None:
    with out.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["case", "patient", "truth", "probability", "positive"])
        for member, answer in zip(members, answers, strict=True):
            row = [member.case, member.patient, int(member.positive), answer.probability, int(answer.positive)]
            table.writerow(row)
