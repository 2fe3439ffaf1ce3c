"""Marks on lesions: figures of merit of every reader, and Obuchowski and Rockette's analysis of the arms."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.commands.words import COLUMNS, add_columns, add_format, listed
from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    import pandas as pd

    from analysis.answer import Answer, CellRow
    from analysis.localisation.froc import LocalisedFigure
    from analysis.localisation.marks import MarkColumns, Marks
    from analysis.mrmc import CellMean, Mrmc

OF_CASES = ("case", "truth", "lesion", "weight")
OTHER_ARMS = ("treatment", "modality", "Treatment", "Modality")


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "marks", type=Path, metavar="MARKS", help="CSV or Parquet, one row per mark: reader, arm, case, lesion, rating"
    )
    command.add_argument(
        "lesions", type=Path, metavar="CASES", help="one row per lesion or case without: case, truth, lesion, weight"
    )
    command.add_argument("--design", type=Path, metavar="FILE", help="who read what: reader, arm and, optional, case")
    command.add_argument(
        "--metric",
        default="wafroc",
        help="wafroc (default), afroc or jafroc, wafroc1, afroc1, hrauc, hrse, hrsp, maxllf, maxnlf, maxnlfallcases, "
        "exptrnsfmsp, songa1, songa2, froc, roi, alroc:LIMIT, pcl:LIMIT",
    )
    command.add_argument("--readers", choices=("random", "fixed"), default="random")
    command.add_argument("--cases", choices=("random", "fixed"), default="random")
    command.add_argument("--arms", type=listed, help="order of the arms and a choice among them, as A,B")
    add_columns(command, (*COLUMNS, "mark", "lesion", "weight"))
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    from analysis.answer import Answer
    from analysis.commands.rows import LEVEL
    from analysis.localisation.froc import definition_of
    from analysis.localisation.rockette import localised_obuchowski_rockette
    from analysis.rows import arm_difference_row, arm_row
    from analysis.tables import TableFacts

    name, definition = definition_of(options.metric)
    marks = read(options)
    found = localised_obuchowski_rockette(marks, name, options.readers, options.cases)
    how = "no covariance over cases" if options.cases == "fixed" else "jackknife covariance"
    return Answer(
        f"Obuchowski-Rockette, {name} ({definition.meaning}), {how}, {options.readers} readers, {options.cases} cases",
        TableFacts(
            len(marks.readers), marks.arms, len(marks.cases), marks.positives, marks.negatives, marks.missing
        ),
        cells(found, marks),
        arms=tuple(arm_row(mean, LEVEL) for mean in found.arms),
        differences=tuple(
            arm_difference_row(row, LEVEL) for row in (*found.differences, *found.reader_differences)
        ),
        overall=found.overall,
        components=found.components,
        warnings=found.warnings,
    )  # fmt: skip


def cells(found: "Mrmc", marks: "Marks") -> tuple["CellRow", ...]:
    """Every reader in every arm with the jackknife's interval, also where the test takes the cases as fixed."""
    from numpy import argwhere, isnan

    from analysis.answer import CellRow
    from analysis.commands.rows import LEVEL
    from analysis.localisation.froc import jackknifed, localised_figures

    rated: list[LocalisedFigure | CellMean] = list(found.cells)
    if not rated:
        figures = localised_figures(marks, found.figure)
        try:
            rated = [jackknifed(figures, *place) for place in argwhere(~isnan(figures.values)).tolist()]
        except CannotAnalyse:
            return ()
    rows = []
    for row in rated:
        limits = row.confidence_interval(LEVEL)
        rows.append(CellRow(row.reader, row.arm, row.estimate, row.se, limits.low, limits.high))
    return tuple(rows)


def read(options: argparse.Namespace) -> "Marks":
    """The tables that the command names, with the arms in the order asked for."""
    from analysis.localisation.marks import MarkColumns, read_marks

    words = {word: getattr(options, word) for word in (*COLUMNS, "mark", "lesion", "weight")}
    chosen = {word: name for word, name in words.items() if name is not None}
    names = MarkColumns(**chosen)
    of_marks = [word for word in chosen if word not in ("truth", "weight")]
    marks = table(options.marks, names, [chosen[word] for word in of_marks])
    lesions = table(options.lesions, names, [chosen[word] for word in chosen if word in OF_CASES])
    design = None
    if options.design is not None:
        design = table(options.design, names, [chosen[word] for word in chosen if word in ("reader", "arm")])
    found = read_marks(marks, lesions, design, names)
    return found if options.arms is None else found.restricted(arms=options.arms)


def table(path: Path, names: "MarkColumns", needed: list[str]) -> "pd.DataFrame":
    """One file; a table of one reader or one arm needs no such column."""
    from analysis.tables import Names, read_table

    frame = read_table(path, Names(names.reader, names.arm, names.case, chosen=frozenset(needed)))
    other = [name for name in OTHER_ARMS if name in frame.columns and name != names.arm]
    if other and names.arm == "arm" and bool((frame["arm"].astype(str) == "arm").all()):
        raise CannotAnalyse(f"{path} has no column arm; --arm {other[0]} names the one that it has.")
    return frame
