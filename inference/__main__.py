"""``python -m inference COMMAND``: exit status 0 with a result, 2 with one sentence on standard error."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from inference.cards import CardError
from inference.cohorts.cases import BadCohort
from inference.deciding.logits import BadLogits
from inference.declared import SpecError
from inference.imaging.pixels import UnreadableInput
from inference.learning.history import BadHistory
from inference.reasons import sentence_of

# Each is a module of inference.commands with add_arguments and run; only the one that is named is loaded.
COMMANDS = {
    "train": "teach a declared model on a fixed split; a draft until it is decided",
    "crossval": "answer every case by a model that was taught without its patient",
    "refit": "teach the final model on all cases of development",
    "decide": "choose calibration and operating point, and freeze them as the next version",
    "card": "a model's card as a page",
    "evaluate": "measure stored predictions: masks, vertebrae, heat maps",
    "report": "one page of a study, beside the published numbers",
    "predict": "answer the cases of a manifest, or print the predictions of image files",
    "explain": "write where a model looked in the images of a case",
    "export": "write a model's network as ONNX, checked against torch",
    "bench": "how fast a model answers here, by every runtime that is installed",
    "phantoms": "make synthetic patients: films, CT, MR, the cohorts of the five studies",
    "study": "one of the five studies from its cohort to its report, and which of its criteria hold",
    "readers": "simulate readers of synthetic cases, unaided and aided",
}
REFUSALS = (BadCohort, BadHistory, BadLogits, CardError, SpecError, UnreadableInput)


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m inference", description="Models of reader studies.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if words[:1] == [name]:
            importlib.import_module(f"inference.commands.{name}").add_arguments(command)
    return root


def main(words: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if words is None else words)
    options = parser(given).parse_args(given)
    command = importlib.import_module(f"inference.commands.{options.command}")
    try:
        command.run(options)
    except REFUSALS as error:
        return refuse(str(error))
    except OSError as error:
        return refuse(sentence_of(error))
    return 0


def refuse(sentence: str) -> int:
    print(f"inference: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
