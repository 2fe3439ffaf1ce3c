"""Many readers, many cases: Obuchowski and Rockette's analysis."""

import argparse
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from analysis.commands.words import add_format, add_table, listed, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.answer import Answer, CellRow
    from analysis.covariance import Covariance
    from analysis.error_terms import Sampling
    from analysis.merits import Merit
    from analysis.mrmc import CellMean
    from analysis.ratings import Ratings
    from analysis.rows import DifferenceRow
    from analysis.tables import Names

COVARIANCES = ("delong", "jackknife", "unbiased", "bootstrap")


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--arms", type=listed, help="which arms, in the order of comparison")
    command.add_argument(
        "--metric", default="auc", metavar="METRIC",
        help="auc, sensitivity, specificity, accuracy, pauc:specificity:0.8:1, eu:1, sensitivity-at:0.9, ...",
    )  # fmt: skip
    # Where they are not chosen, what the table allows is taken and said in a warning.
    command.add_argument("--covariance", choices=COVARIANCES, help="delong unless the table needs another")
    command.add_argument("--readers", choices=("random", "fixed"), help="random unless there is one reader")
    command.add_argument("--cases", choices=("random", "fixed"), default="random")
    command.add_argument("--margin", type=float, help="non-inferiority of the later arm within this much")
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    return mrmc(
        options.table, names_of(options), options.arms, options.metric, options.covariance, options.readers,
        options.cases, options.margin,
    )  # fmt: skip


def mrmc(
    path: Path,
    names: "Names",
    arms: tuple[str, ...] | None = None,
    metric: str = "auc",
    covariance: "Covariance | None" = None,
    readers: "Sampling | None" = None,
    cases: "Sampling" = "random",
    margin: float | None = None,
) -> "Answer":
    """Obuchowski-Rockette over readers and cases; what is not chosen (None) follows from the table."""
    from analysis.answer import Answer
    from analysis.commands.paired_units import against_margin, with_margin
    from analysis.commands.rows import LEVEL, decision_column
    from analysis.margins import check_margin, margin_test
    from analysis.merit_names import merit_named
    from analysis.merits import Rate
    from analysis.mrmc import obuchowski_rockette
    from analysis.rows import arm_difference_row, arm_row
    from analysis.tables import facts, rated, read_table

    if margin is not None:
        check_margin(margin)
    merit, frame = merit_named(metric), read_table(path, names)
    value = decision_column(list(frame.columns), names) if isinstance(merit, Rate) else names.rating
    warnings: list[str] = []
    ratings = complete_readers(rated(frame, names, value, arms), warnings)
    readers = readers or sampling_of(ratings, warnings)
    covariance = covariance or covariance_of(ratings, merit, cases, warnings)
    found = obuchowski_rockette(ratings, merit, covariance, readers, cases)
    warnings += found.warnings
    rows = [arm_difference_row(row, LEVEL) for row in (*found.differences, *found.reader_differences)]
    said = f"Obuchowski-Rockette, {merit.name}, {how(covariance, cases)}, {readers} readers, {cases} cases"
    if margin is not None:
        for place, row in enumerate(rows):
            rows[place] = against_margin(row, partial(margin_test, row.estimate, row.se, margin, row.df or inf))
            # A sentence for every reader and pair would bury the verdict; their rows hold the numbers.
            warnings += rows[place].warnings if row.reader is None else ()
        first, second = ratings.arms if len(ratings.arms) == 2 else ("the earlier arm", "the later arm")
        said = with_margin(said, (first, second), margin)
    warnings += unadjusted(rows)
    return Answer(
        said,
        facts(ratings),
        tuple(cell_row(cell, LEVEL) for cell in found.cells),
        tuple(arm_row(mean, LEVEL) for mean in found.arms),
        tuple(rows),
        found.overall,
        found.components,
        tuple(warnings),
        found.seed,
    )


def unadjusted(rows: "Sequence[DifferenceRow]") -> list[str]:
    """Several tests of one question: their p values adjusted by Holm, in words."""
    from analysis.multiplicity import adjusted

    found = []
    for family, word in (([r for r in rows if r.reader is None], "pairs"), ([r for r in rows if r.reader], "readers")):
        if len(family) > 1:
            holm = adjusted([row.p for row in family])
            named = [f"{row.reader + ' ' if row.reader else ''}{row.second} - {row.first}" for row in family]
            told = ", ".join(f"{name} {p:.4g}" for name, p in zip(named, holm, strict=True))
            found.append(f"p values of {word} are not adjusted; adjusted by Holm they are: {told}.")
    return found


def how(covariance: str, cases: Literal["random", "fixed"]) -> str:
    return "no covariance over cases" if cases == "fixed" else f"{covariance} covariance"


def cell_row(cell: "CellMean", level: float) -> "CellRow":
    from analysis.answer import CellRow

    limits = cell.confidence_interval(level)
    return CellRow(cell.reader, cell.arm, cell.estimate, cell.se, limits.low, limits.high)


def complete_readers(ratings: "Ratings", warnings: list[str]) -> "Ratings":
    """Cases that somebody read; readers who read in every arm, unless each reader read in one arm by design."""
    import numpy as np

    from analysis.designs import study_design
    from analysis.errors import CannotAnalyse

    read = ~np.asarray(np.isnan(ratings.values).all(axis=2))
    if not read.any():
        raise CannotAnalyse("The table holds no rating.")
    idle = [ratings.readers[place] for place in np.flatnonzero(~read.any(axis=1))]
    if idle:
        warnings.append(f"Without any rating and left out: {', '.join(idle)}.")
    present = ratings.restricted(readers=[name for name in ratings.readers if name not in idle])
    if study_design(present).kind == "readers nested in arms":
        return present
    whole = (~np.asarray(np.isnan(present.values).all(axis=2))).all(axis=1)
    if whole.all():
        return present
    lacking = [present.readers[place] for place in np.flatnonzero(~whole)]
    if not whole.any():
        raise CannotAnalyse(f"No reader read in every one of the arms {', '.join(present.arms)}; name some by --arms.")
    kept = [name for name in present.readers if name not in lacking]
    warnings.append(
        f"Only readers who read in every arm are analysed ({', '.join(kept)}); left out, as they lack an arm: "
        f"{', '.join(lacking)}. The command ustat uses all readings."
    )
    return present.restricted(readers=kept)


def sampling_of(ratings: "Ratings", warnings: list[str]) -> "Sampling":
    """Random readers, but for a single one."""
    if len(ratings.readers) > 1:
        return "random"
    warnings.append(f"There is one reader ({ratings.readers[0]}), analysed as fixed; nothing is said about others.")
    return "fixed"


def covariance_of(ratings: "Ratings", merit: "Merit", cases: "Sampling", warnings: list[str]) -> "Covariance":
    """DeLong's, or the jackknife where it does not exist; the choice is told."""
    import numpy as np

    from analysis.merits import Auc, Rate
    from analysis.ratings import are_missing

    if cases == "fixed":
        return "delong"
    if not isinstance(merit, Auc | Rate):
        warnings.append(f"The DeLong covariance does not exist for {merit.name}; the jackknife is used.")
        return "jackknife"
    unread = np.isnan(ratings.values)
    missing = int((unread & ~unread.all(axis=2, keepdims=True)).sum())
    if not missing:
        return "delong"
    warnings.append(f"{are_missing(missing)}, so the jackknife covariance is used in place of DeLong's.")
    return "jackknife"
