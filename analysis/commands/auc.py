"""AUC, or a part of it, of every reader in every arm."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from analysis.commands.words import add_format, add_table, check_by, listed, names_of, part_of
from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    from analysis.answer import Answer
    from analysis.bootstrapped import Part
    from analysis.delong import Auc, IntervalMethod
    from analysis.resampling import Bootstrap
    from analysis.tables import Names


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--by", type=listed, default=("reader", "arm"))
    command.add_argument("--interval", choices=("delong", "logit", "hanley-mcneil", "bootstrap"), default="delong")
    command.add_argument(
        "--partial", metavar="AXIS:LOW:HIGH", help="such as specificity:0.8:1; needs --interval bootstrap"
    )
    command.add_argument("--mcclish", action="store_true", help="McClish's correction of the partial area")
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    check_by(options.by, ("reader", "arm"))
    if options.partial is None and options.mcclish:
        raise CannotAnalyse("--mcclish corrects a partial area; name it with --partial.")
    part = None if options.partial is None else part_of(options.partial, options.mcclish)
    return auc(options.table, names_of(options), options.interval, part)


def auc(
    path: Path,
    names: "Names",
    interval: "IntervalMethod | Literal['bootstrap']" = "delong",
    part: "Part | None" = None,
) -> "Answer":
    """AUC, or a part of it, of every reader in every arm."""
    from analysis.answer import Answer, CellRow
    from analysis.bootstrapped import bootstrap_area
    from analysis.commands.rows import LEVEL, filled_cells, named
    from analysis.delong import delong_auc
    from analysis.resampling import SEED
    from analysis.tables import facts, rated, read_table

    if part is not None and interval != "bootstrap":
        raise CannotAnalyse("A partial area has a bootstrap interval only; add --interval bootstrap.")
    ratings = rated(read_table(path, names), names, names.rating)
    rows, warnings = [], []
    for reader, arm in filled_cells(ratings):
        truth, values = ratings.cell(reader, arm)
        compute: Callable[[], Auc | Bootstrap] = (
            partial(bootstrap_area, truth, values, part)
            if interval == "bootstrap"
            else partial(delong_auc, truth, values, interval)
        )
        found = named(compute, f"{reader}, {arm}")
        limits = found.confidence_interval(LEVEL)
        rows.append(CellRow(reader, arm, found.estimate, found.se, limits.low, limits.high))
        warnings += [f"{reader}, {arm}: {text}" for text in found.warnings]
    method = f"{described(part)} with {interval} interval"
    seed = SEED if interval == "bootstrap" else None
    return Answer(method, facts(ratings), tuple(rows), warnings=tuple(warnings), seed=seed)


def described(part: "Part | None") -> str:
    if part is None:
        return "AUC"
    corrected = ", McClish's correction," if part.corrected else ""
    return f"Partial AUC, {part.axis} {part.low:g} to {part.high:g}{corrected}"
