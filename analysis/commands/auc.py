"""AUC, or a part of it, of every reader in every arm."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.commands.words import add_format, add_table, listed, names_of, part_of
from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    from analysis.answer import Answer
    from analysis.binormal import Binormal
    from analysis.bootstrapped import Part
    from analysis.delong import Auc, IntervalMethod
    from analysis.ratings import Bools, Floats, Ratings
    from analysis.resampling import Bootstrap

INTERVALS = ("delong", "logit", "hanley-mcneil", "bootstrap")
BY = ("reader", "arm")


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--by", type=listed, default=BY)
    command.add_argument("--interval", choices=INTERVALS, help="delong; a partial area always has bootstrap")
    command.add_argument("--partial", metavar="AXIS:LOW:HIGH", help="part of the area, such as specificity:0.8:1")
    command.add_argument("--mcclish", action="store_true", help="McClish's correction of the partial area")
    command.add_argument(
        "--curve", choices=("empirical", "binormal"), default="empirical", help="binormal: by maximum likelihood"
    )
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    from analysis.commands.rows import filled_cells
    from analysis.tables import rated, read_table

    if options.partial is None and options.mcclish:
        raise CannotAnalyse("--mcclish corrects a partial area; name it with --partial.")
    part = None if options.partial is None else part_of(options.partial, options.mcclish)
    method, compute = method_of(options.curve, options.interval, part)
    names = names_of(options)
    ratings = rated(read_table(options.table, names), names, names.rating)
    cells = filled_cells(ratings)
    check_groups(options.by, cells)
    found = cells_answered(ratings, cells, method, compute)
    if part is None or options.interval in (None, "bootstrap"):
        return found
    told = f"A partial area has a bootstrap interval, not {options.interval}."
    return replace(found, warnings=(told, *found.warnings))


def method_of(
    curve: str, interval: str | None, part: "Part | None"
) -> "tuple[str, Callable[[Bools, Floats], Auc | Binormal | Bootstrap]]":
    """What is computed in every cell, in words and as a function of truth and rating."""
    from analysis.binormal import binormal_auc
    from analysis.bootstrapped import bootstrap_area
    from analysis.delong import delong_auc

    if curve == "binormal":
        if part is not None or interval is not None:
            raise CannotAnalyse("The binormal area has its own interval; leave out --partial and --interval.")
        return "AUC of the binormal curve by maximum likelihood", binormal_auc
    if part is not None:
        return f"{described(part)} with bootstrap interval", lambda truth, rating: bootstrap_area(truth, rating, part)
    if interval == "bootstrap":
        return "AUC with bootstrap interval", bootstrap_area
    if interval is None or interval == "delong":
        return "AUC with delong interval", delong_auc
    chosen: IntervalMethod = "logit" if interval == "logit" else "hanley-mcneil"
    return f"AUC with {interval} interval", lambda truth, rating: delong_auc(truth, rating, chosen)


def described(part: "Part") -> str:
    corrected = ", McClish's correction," if part.corrected else ""
    return f"Partial AUC, {part.axis} {part.low:g} to {part.high:g}{corrected}"


def check_groups(by: Sequence[str], cells: "Sequence[tuple[str, str]]") -> None:
    """Refuse a grouping that does not exist or would pool readers or arms; cells: readers and arms with ratings."""
    unknown = [name for name in by if name not in BY]
    if unknown or not by:
        raise CannotAnalyse(f"--by groups by reader and arm, not by {', '.join(unknown) or 'nothing'}.")
    if "reader" not in by and len({arm for _, arm in cells}) < len(cells):
        raise CannotAnalyse("Pooling readers is no valid analysis; group by reader, or use mrmc for all of them.")
    if "arm" not in by and len({reader for reader, _ in cells}) < len(cells):
        raise CannotAnalyse("Pooling what a reader rated in several arms is no valid analysis; group by reader,arm.")


def cells_answered(
    ratings: "Ratings",
    cells: "Sequence[tuple[str, str]]",
    method: str,
    compute: "Callable[[Bools, Floats], Auc | Binormal | Bootstrap]",
) -> "Answer":
    """A row for every reader in every arm; a cell without an answer is told, unless there is no other."""
    from analysis.answer import Answer, CellRow
    from analysis.commands.rows import LEVEL
    from analysis.resampling import Bootstrap
    from analysis.tables import facts

    rows, warnings, refusals, seed = [], [], [], None
    for reader, arm in cells:
        try:
            found = compute(*ratings.cell(reader, arm))
        except CannotAnalyse as refusal:
            refusals.append(f"{reader}, {arm}: {refusal}")
            continue
        limits = found.confidence_interval(LEVEL)
        rows.append(CellRow(reader, arm, found.estimate, found.se, limits.low, limits.high))
        warnings += [f"{reader}, {arm}: {text}" for text in found.warnings]
        seed = found.seed if isinstance(found, Bootstrap) else None
    if not rows:
        raise CannotAnalyse(refusals[0])
    silent = set(ratings.readers) - {reader for reader, _ in cells}
    refusals += [f"{reader} has no rating." for reader in ratings.readers if reader in silent]
    told = (*warnings, *(f"Left out: {sentence}" for sentence in refusals))
    return Answer(method, facts(ratings), tuple(rows), warnings=told, seed=seed)
