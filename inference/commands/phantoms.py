"""Make synthetic patients: the cohorts of the five studies, single films, contact sheets; check what they promise."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inference.phantoms.plans import PRESETS, STUDIES

if TYPE_CHECKING:
    from inference.phantoms.check import Check


def add_arguments(command: argparse.ArgumentParser) -> None:
    jobs = command.add_subparsers(dest="job", required=True, metavar="JOB")

    build = jobs.add_parser("build", help="write the cohort of a study: images, manifest, truth, digests")
    build.add_argument("study", help=", ".join(STUDIES))
    build.add_argument("--preset", default="small", help=f"{', '.join(PRESETS)}; small unless said")
    build.add_argument("--seed", type=int, default=7, help="the same gives the same bytes; 7")
    build.add_argument("--out", type=Path, required=True, help="a folder of its own")
    build.add_argument("--workers", type=int, default=2, help="processes at once; 2")

    show = jobs.add_parser("show", help="write a contact sheet of a set with its truth over the images")
    show.add_argument("folder", type=Path, help="with a manifest.csv")
    show.add_argument("--out", type=Path, required=True, help="sheet.png or sheet.html")
    show.add_argument("--count", type=int, default=24, help="of images; 24")
    show.add_argument("--height", type=int, default=420, help="of an image, pixels; 420")
    show.add_argument("--plain", action="store_true", help="without the truth")

    check = jobs.add_parser(
        "check", help="measure what the synthetic patients promise; status 1 if something falls short"
    )
    check.add_argument("--seed", type=int, default=7, help="of the patients that are measured; 7")
    check.add_argument("--set", type=Path, default=None, help="a set that was built: its best possible reader too")

    films = jobs.add_parser("films", help="write films of as many patients, half of them with a fracture")
    films.add_argument("--cases", type=int, default=60, help="of as many patients; 60")
    films.add_argument("--seed", type=int, default=1, help="the same gives the same films; 1")
    films.add_argument("--prefix", default="P", help="letters before the patients' numbers; P")
    films.add_argument("--out", type=Path, required=True, help="folder for the films and their manifest.csv")


def run(options: argparse.Namespace) -> None:
    {"build": run_build, "check": run_check, "show": run_show, "films": run_films}[options.job](options)


def run_build(options: argparse.Namespace) -> None:
    from inference.phantoms.sets import build_set

    built = build_set(options.study, options.out, options.preset, options.seed, workers=options.workers, quiet=False)
    print(f"{built.cases} cases, {built.images} images; {built.manifest}; digest {built.digest}")


def run_check(options: argparse.Namespace) -> None:
    from inference.phantoms.check import checks
    from inference.phantoms.check_films import best_reader, film_checks

    found = [*checks(options.seed), *film_checks(options.seed)]
    if options.set:
        found += best_reader(options.set)
    if not told(found):
        sys.exit(1)


def told(found: Sequence[Check]) -> bool:
    """Print a line for every check; whether all hold."""
    widths = [max(len(getattr(one, column)) for one in found) for column in ("name", "found", "wanted")]
    for one in found:
        cells = (text.ljust(width) for text, width in zip((one.name, one.found, one.wanted), widths, strict=True))
        print(*cells, "holds" if one.holds else "falls short", sep="  ")
    return all(one.holds for one in found)


def run_show(options: argparse.Namespace) -> None:
    from inference.phantoms.show import contact_sheet

    shown = contact_sheet(
        options.folder, options.out, count=options.count, height=options.height, overlay=not options.plain
    )
    print(f"{shown} synthetic images; {options.out}")


def run_films(options: argparse.Namespace) -> None:
    from inference.phantoms import build

    manifest = build(options.out, cases=options.cases, seed=options.seed, prefix=options.prefix)
    print(f"{options.cases} synthetic radiographs; {manifest}")
