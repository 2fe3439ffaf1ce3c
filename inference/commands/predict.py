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
    from inference.outputs import Heatmap
    from inference.serving.answering import answer, answer_slices

    card, model, samples = asked(options.model, manifest, options.roles)
    rows = answer(card, model, samples, options.out)
    answer_slices(card, model, samples, options.out)
    print(f"{options.out}: {len(rows)} cases answered by {card.name}, version {card.version}")
    if card.spec.output(Heatmap) is not None:
        words = f"{manifest} --model {options.model} --out {options.out}"
        print(f"Next: python -m inference explain {words}, then evaluate")


def print_files(files: list[Path], folder: Path) -> None:
    from inference.cohorts.cases import digest_of
    from inference.imaging.images import read_image
    from inference.imaging.preparing import prepare
    from inference.imaging.regions import beside
    from inference.learning.predicting import answers_to
    from inference.measures.aggregation import case_logit, parts_of
    from inference.models.weights import load_declared
    from inference.serving.statement import probability_of

    card, model = load_declared(folder)
    decision = card.decision
    out = csv.writer(sys.stdout)
    out.writerow(["file", "probability", "positive", "operating_point", "card_digest", "input_digest"])
    for path in files:
        image = read_image(path)
        places = beside(image, None, card.spec.inputs[0]) if parts_of(card.spec) > 1 else ()
        raw, *others = answers_to(model, [prepare(card.spec, {"": image}, place) for place in (None, *places)])
        if raw.logit is None:
            raise CardError(f"{card.name} answers no probability; with a manifest and --out it writes masks.")
        logits = [raw.logit, *(one.logit for one in others if one.logit is not None)]
        probability = probability_of(decision, case_logit(card.spec, logits, raw.mask, raw.level))
        known = [decision.threshold, card.digest, digest_of(image.values)]
        out.writerow([path, probability, int(probability >= decision.threshold), *known])
