"""Write a model's network as ONNX beside its weights, if it answers as torch does."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", type=Path, help="folder of card and weights")
    command.add_argument("--cases", type=Path, metavar="MANIFEST", help="compare on these cases too")
    command.add_argument("--draft", action="store_true", help="of a model of which nothing is decided yet")


def run(options: argparse.Namespace) -> None:
    from inference.cards import Card
    from inference.serving.export import MODEL, export

    cases = None
    if options.cases is not None:
        from inference.cohorts.cases import read_cohort
        from inference.cohorts.samples import load_samples

        spec = Card.load(options.model, draft=options.draft).spec
        read = read_cohort(options.cases, [one.name for one in spec.inputs])
        cases = {name: x.numpy() for name, x in load_samples(spec, read, taught=False).inputs.items()}
    record = export(options.model, cases=cases, draft=options.draft)
    print(
        f"{options.model / MODEL}: {', '.join(record.inputs)} → {', '.join(record.outputs)}, opset {record.opset}; "
        f"largest difference from torch in a probability {record.largest_difference:.1e}"
    )
