"""Write the heat map of an image file."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path)
    command.add_argument("--model", type=Path, required=True)
    command.add_argument("--out", type=Path, required=True, help="PNG file")


def run(options: argparse.Namespace) -> None:
    from inference.cohort import digest_of
    from inference.pixels import read_file
    from inference.predict import model_in, predict

    card, model = model_in(options.model)
    pixels = read_file(options.file)
    (answer,) = predict(card, model, [pixels], [digest_of(pixels)])
    options.out.write_bytes(answer.heatmap_png or b"")
    print(f"{options.out}: probability {answer.probability:.6f}")
