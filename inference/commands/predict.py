"""Print the predictions of image files as CSV."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", type=Path, nargs="+")
    command.add_argument("--model", type=Path, required=True)


def run(options: argparse.Namespace) -> None:
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
