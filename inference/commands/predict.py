"""Answer the cases of a manifest by a frozen model, or print the predictions of image files as CSV."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from inference.cards import CardError
from inference.cohorts.cases import BadCohort
from inference.commands.words import add_roles, asked

MANIFEST = ".csv"


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", type=Path, nargs="+", help="with --out a manifest (.csv), without it image files")
    command.add_argument("--model", type=Path, required=True, help="folder of a version of the model")
    command.add_argument("--out", type=Path, metavar="FOLDER", help="for predictions.csv, masks/, levels/")
    add_roles(command)


def run(options: argparse.Namespace) -> None:
    manifests = [path for path in options.files if path.suffix.lower() == MANIFEST]
    if options.out is None and manifests:
        raise BadCohort(f"{manifests[0]} is a manifest; say with --out to which folder the answers of its cases go.")
    if options.out is None:
        print_files(options.files, options.model)
    elif len(options.files) == len(manifests) == 1:
        answer_manifest(manifests[0], options)
    else:
        raise BadCohort("One manifest (.csv) is wanted where the answers go to a folder.")


def answer_manifest(manifest: Path, options: argparse.Namespace) -> None:
    from inference.serving.answering import answer, answer_slices

    card, model, samples = asked(options.model, manifest, options.roles)
    rows = answer(card, model, samples, options.out)
    answer_slices(card, model, samples, options.out)
    print(f"{options.out}: {len(rows)} cases answered by {card.name}, version {card.version}")


def print_files(files: list[Path], folder: Path) -> None:
    from inference.cohorts.cases import CohortCase
    from inference.cohorts.samples import load_samples
    from inference.learning.slices import answers_by_case
    from inference.models.weights import load_declared
    from inference.serving.statement import probability_of

    card, model = load_declared(folder)
    decision = card.decision
    out = csv.writer(sys.stdout)
    out.writerow(["file", "probability", "positive", "operating_point", "card_digest", "input_digest"])
    for path in files:
        case = CohortCase(path.name, path.name, "external", "", {"": path}, None)
        samples = load_samples(card.spec, [case], taught=False)
        (raw,) = answers_by_case(card.spec, model, samples)
        if raw.logit is None:
            raise CardError(f"{card.name} answers no probability; with a manifest and --out it writes masks.")
        probability = probability_of(decision, raw.logit)
        known = [decision.threshold, card.digest, samples.digests[0]]
        out.writerow([path, probability, int(probability >= decision.threshold), *known])
