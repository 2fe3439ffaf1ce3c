"""Answer the cases of a manifest by a frozen model, or print the predictions of image files as CSV."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from inference.cards import CardError
from inference.cohorts.cases import BadCohort

ROLES = ("develop", "control", "external")


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", type=Path, nargs="+", help="with --out a manifest, without it image files")
    command.add_argument("--model", type=Path, required=True, help="folder of a version of the model")
    command.add_argument("--out", type=Path, help="folder for predictions.csv, masks and levels")
    command.add_argument("--roles", nargs="+", choices=ROLES, default=["control", "external"])


def run(options: argparse.Namespace) -> None:
    if options.out is None:
        print_files(options.files, options.model)
    elif len(options.files) == 1:
        answer_manifest(options.files[0], options)
    else:
        raise BadCohort("One manifest is wanted where the answers go to a folder.")


def answer_manifest(manifest: Path, options: argparse.Namespace) -> None:
    from inference.cohorts.samples import load_samples, refuse_seen
    from inference.commands.words import cases_of
    from inference.deciding.decision import check_decided
    from inference.models.weights import load_declared
    from inference.serving.answering import answer, answer_slices

    card, model = load_declared(options.model, draft=True)
    cases = cases_of(card.spec, manifest, options.roles)
    check_decided(card, cases)
    samples = load_samples(card.spec, cases, taught=False)
    refuse_seen(samples, options.model, card.data["seen_sha256"])
    rows = answer(card, model, samples, options.out)
    answer_slices(card, model, samples, options.out)
    print(f"{options.out}: {len(rows)} cases answered by {card.name}, version {card.version}")


def print_files(files: list[Path], folder: Path) -> None:
    from inference.cohorts.cases import digest_of
    from inference.imaging.images import read_image
    from inference.imaging.preparing import prepare
    from inference.learning.predicting import answers_to
    from inference.models.weights import load_declared
    from inference.serving.statement import probability_of

    card, model = load_declared(folder)
    decision = card.decision
    out = csv.writer(sys.stdout)
    out.writerow(["file", "probability", "positive", "operating_point", "card_digest", "input_digest"])
    for path in files:
        image = read_image(path)
        (raw,) = answers_to(model, [prepare(card.spec, {"": image}, None)])
        if raw.logit is None:
            raise CardError(f"{card.name} answers no probability; with a manifest and --out it writes masks.")
        probability = probability_of(decision, raw.logit)
        known = [decision.threshold, card.digest, digest_of(image.values)]
        out.writerow([path, probability, int(probability >= decision.threshold), *known])
