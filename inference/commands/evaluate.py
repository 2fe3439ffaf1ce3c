"""Measure stored predictions of a study: masks, vertebrae, heat maps; or a model of the first families on a cohort."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from inference.cohort import BadCohort, Member
from inference.prediction import Prediction


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("where", type=Path, help="folder of the study; with --model a manifest")
    command.add_argument("--cohort", type=Path, help="manifest, where it does not lie in the folder")
    first = command.add_argument_group("a model of the first families")
    first.add_argument("--model", type=Path, help="its folder")
    first.add_argument("--images", type=Path, help="folder of the files named in the manifest")
    first.add_argument("--out", type=Path, default=None, help="CSV file for the single predictions")
    for name in ("finding", "case", "patient", "file"):
        default = "truth" if name == "finding" else name
        first.add_argument(f"--{name}", default=default, help=f"column of the {name}")


def run(options: argparse.Namespace) -> None:
    if options.model is None:
        measure_stored(options.where, options.cohort)
    elif options.images is None:
        raise BadCohort("--images names the folder of the files in the manifest.")
    else:
        measure_model(options)


def measure_stored(folder: Path, manifest: Path | None) -> None:
    from inference.evaluating import evaluate

    written = evaluate(folder, manifest)
    if not written:
        print(
            f"{folder}: neither masks nor levels nor heat maps are stored beside the predictions; nothing to measure."
        )
    for path, rows in written.items():
        print(f"{path}: {rows} rows")


def measure_model(options: argparse.Namespace) -> None:
    import numpy as np

    from inference.cohort import check_unseen, digest_of, read_manifest
    from inference.evaluate import measure
    from inference.pixels import read_file
    from inference.predict import model_in, predict

    card, model = model_in(options.model)
    columns = {name: getattr(options, name) for name in ("case", "patient", "file", "finding")}
    members = read_manifest(options.where, options.images, **columns)
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
