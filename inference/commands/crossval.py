"""Answer every case of development by a model that was taught without its patient."""

from __future__ import annotations

import argparse

from inference.commands.words import add_teaching, samples_of, spec_of

FOLDS = "folds"


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_teaching(command)
    command.add_argument("--folds", type=int, default=0, help="instead of the number in the specification")


def run(options: argparse.Namespace) -> None:
    spec = spec_of(options)
    from inference.cards import OUT_OF_FOLD
    from inference.learning.curves import write_curves
    from inference.learning.validation import crossval, pooled_area

    folder = options.out / spec.name
    rows = crossval(spec, samples_of(spec, options.manifest), folder / FOLDS, options.folds)
    folds = sorted((folder / FOLDS).glob("fold-*"), key=lambda path: int(path.name.removeprefix("fold-")))
    write_curves(folds, folder / "curves.html")
    area = pooled_area(rows)
    told = f", out-of-fold AUC {area:.3f}" if area is not None else ""
    print(f"{folder / FOLDS / OUT_OF_FOLD}: {len(rows)} cases in {max(row.fold for row in rows)} folds{told}")
    print("Next: python -m inference refit, with the same words but for --folds")
