"""Make synthetic lateral spine radiographs."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--cases", type=int, default=60)
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--prefix", default="P", help="letters before the patients' numbers")
    command.add_argument("--out", type=Path, required=True)


def run(options: argparse.Namespace) -> None:
    from inference.phantoms import build

    manifest = build(options.out, cases=options.cases, seed=options.seed, prefix=options.prefix)
    print(f"{options.cases} synthetic radiographs; {manifest}")
