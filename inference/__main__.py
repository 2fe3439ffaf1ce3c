"""``python -m inference {train, evaluate, predict, explain, phantoms, readers}``."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

from inference.cards import CardError
from inference.cohort import BadCohort, Member, read_manifest
from inference.models import UnknownFamily
from inference.pixels import UnreadableInput
from inference.prediction import Prediction
from inference.recipes import BadRecipe, presets


def main(words: list[str] | None = None) -> int:
    options = parser().parse_args(words)
    try:
        options.run(options)
    except (BadCohort, BadRecipe, CardError, UnreadableInput, UnknownFamily, OSError) as error:
        print(f"inference: {error}", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m inference", description=__doc__)
    commands = root.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train, calibrate and freeze a classifier")
    cohort_arguments(train)
    train.add_argument("--out", type=Path, required=True, help="folder for card and weights")
    train.add_argument("--name", default="classifier")
    train.add_argument("--version", default="1")
    train.add_argument("--labels", nargs=2, metavar=("NEGATIVE", "POSITIVE"), default=None)
    train.add_argument("--preset", default="wavelet", help=f"{', '.join(presets())}, or the path of a recipe")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--epochs", type=int, default=None)
    train.add_argument("--licence", default="for research")
    train.add_argument("--limits", default="Trained on one cohort; see data and metrics.")
    train.set_defaults(run=run_train)

    evaluate = commands.add_parser("evaluate", help="measure a frozen model on another cohort")
    cohort_arguments(evaluate)
    evaluate.add_argument("--model", type=Path, required=True)
    evaluate.add_argument("--out", type=Path, default=None, help="CSV file for the single predictions")
    evaluate.set_defaults(run=run_evaluate)

    predict = commands.add_parser("predict", help="print the predictions of image files as CSV")
    predict.add_argument("files", type=Path, nargs="+")
    predict.add_argument("--model", type=Path, required=True)
    predict.set_defaults(run=run_predict)

    explain = commands.add_parser("explain", help="write the Grad-CAM heat map of an image file")
    explain.add_argument("file", type=Path)
    explain.add_argument("--model", type=Path, required=True)
    explain.add_argument("--out", type=Path, required=True, help="PNG file")
    explain.set_defaults(run=run_explain)

    phantoms = commands.add_parser("phantoms", help="make synthetic lateral spine radiographs")
    phantoms.add_argument("--cases", type=int, default=60)
    phantoms.add_argument("--seed", type=int, default=1)
    phantoms.add_argument("--prefix", default="P", help="letters before the patients' numbers")
    phantoms.add_argument("--out", type=Path, required=True)
    phantoms.set_defaults(run=run_phantoms)

    readers = commands.add_parser("readers", help="simulate readers of synthetic cases, unaided and aided")
    readers.add_argument("manifest", type=Path, help="as the command phantoms wrote it")
    readers.add_argument("--predictions", type=Path, required=True, help="CSV with the columns case, probability")
    readers.add_argument("--seed", type=int, default=1)
    readers.add_argument("--out", type=Path, required=True, help="CSV file")
    readers.set_defaults(run=run_readers)
    return root


def cohort_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("manifest", type=Path, help="CSV with one row per image")
    command.add_argument("--images", type=Path, required=True, help="folder of the files named in the manifest")
    command.add_argument("--finding", default="truth", help="column of the label")
    command.add_argument("--case", default="case", help="column of the case")
    command.add_argument("--patient", default="patient", help="column of the patient")
    command.add_argument("--file", default="file", help="column of the file")


def cohort(options: argparse.Namespace) -> list[Member]:
    columns = {name: getattr(options, name) for name in ("case", "patient", "file", "finding")}
    return read_manifest(options.manifest, options.images, **columns)


def run_train(options: argparse.Namespace) -> None:
    from inference.training import Training, train

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
    card = train(cohort(options), plan, options.out)
    print(json.dumps({"digest": card.digest, "threshold": card.threshold, **card.metrics}, indent=2))


def run_evaluate(options: argparse.Namespace) -> None:
    import numpy as np

    from inference.cohort import check_unseen, digest_of
    from inference.evaluate import measure
    from inference.pixels import read_file
    from inference.predict import model_in, predict

    card, model = model_in(options.model)
    members = cohort(options)
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


def run_predict(options: argparse.Namespace) -> None:
    from inference.cohort import digest_of
    from inference.pixels import read_file
    from inference.predict import model_in, predict

    card, model = model_in(options.model)
    out = csv.writer(sys.stdout)
    out.writerow(["file", "probability", "positive", "operating_point", "card_digest", "input_digest"])
    for path in options.files:
        pixels = read_file(path)
        (answer,) = predict(card, model, [pixels], [digest_of(pixels)], heatmap=False)
        out.writerow(
            [path, answer.probability, int(answer.positive), answer.operating_point, card.digest, answer.input_digest]
        )


def run_explain(options: argparse.Namespace) -> None:
    from inference.cohort import digest_of
    from inference.pixels import read_file
    from inference.predict import model_in, predict

    card, model = model_in(options.model)
    pixels = read_file(options.file)
    (answer,) = predict(card, model, [pixels], [digest_of(pixels)])
    options.out.write_bytes(answer.heatmap_png or b"")
    print(f"{options.out}: probability {answer.probability:.6f}")


def run_phantoms(options: argparse.Namespace) -> None:
    from inference.phantoms import build

    manifest = build(options.out, cases=options.cases, seed=options.seed, prefix=options.prefix)
    print(f"{options.cases} synthetic radiographs; {manifest}")


def run_readers(options: argparse.Namespace) -> None:
    from inference.phantoms.readers import write_answers

    with options.predictions.open(newline="", encoding="utf-8") as stream:
        try:
            probabilities = {row["case"]: float(row["probability"]) for row in csv.DictReader(stream)}
        except (KeyError, ValueError) as error:
            raise BadCohort(f"{options.predictions} needs the columns case and probability: {error}.") from error
    rows = write_answers(options.manifest, probabilities, options.out, seed=options.seed)
    print(f"{rows} answers of simulated readers; {options.out}")


if __name__ == "__main__":
    sys.exit(main())
