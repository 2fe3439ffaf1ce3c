"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from inference.cohort import Member, read_manifest


def add_cohort(command: argparse.ArgumentParser) -> None:
    command.add_argument("manifest", type=Path, help="CSV with one row per image")
    command.add_argument("--images", type=Path, required=True, help="folder of the files named in the manifest")
    command.add_argument("--finding", default="truth", help="column of the label")
    command.add_argument("--case", default="case", help="column of the case")
    command.add_argument("--patient", default="patient", help="column of the patient")
    command.add_argument("--file", default="file", help="column of the file")


def cohort_of(options: argparse.Namespace) -> list[Member]:
    columns = {name: getattr(options, name) for name in ("case", "patient", "file", "finding")}
    return read_manifest(options.manifest, options.images, **columns)
