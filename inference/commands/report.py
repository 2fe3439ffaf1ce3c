"""One page of a study: R01 to R22 from stored predictions and readings, beside the published numbers."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", help="s0 to s4")
    command.add_argument("folder", type=Path, help="folder with predictions, readings, cohort and cards")
    command.add_argument("--out", type=Path, required=True, help="HTML file; its tables go to a folder beside it")
    command.add_argument("--only", nargs="+", default=(), metavar="R01", help="these reports alone")


def run(options: argparse.Namespace) -> None:
    from inference.reports import write_page

    made = write_page(options.folder, options.study, options.out, options.only)
    for one in made:
        print(f"{one.id:<4}{one.title}" + (f": {one.missing}" if one.missing else ""))
    print(options.out)
