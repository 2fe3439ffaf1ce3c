"""Agreement of readers, arm by arm."""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

from analysis.commands.words import add_format, add_table, names_of
from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    import pandas as pd

    from analysis.agreement import CohenKappa
    from analysis.agreement_weights import WeightName
    from analysis.answer import Answer, CellRow
    from analysis.bland_altman import BlandAltman
    from analysis.chance_corrected import Agreement
    from analysis.ratings import Floats, Ratings
    from analysis.tables import Names

KINDS = ("kappa", "fleiss", "icc", "alpha", "ac1", "bland-altman")
MEASURED = ("icc", "bland-altman")
TITLES = {
    "kappa": "Cohen's kappa of pairs of readers",
    "fleiss": "Fleiss' kappa",
    "icc": "Intraclass correlations",
    "alpha": "Krippendorff's alpha",
    "ac1": "Gwet's AC1",
    "bland-altman": "Bland and Altman's limits of agreement of pairs of readers, second minus first",
}
MANY = 20
Rows = Iterator["CellRow"]


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument(
        "--kind", choices=KINDS, default="kappa",
        help="categories (of the column decision where there is one): kappa for pairs, fleiss, alpha, ac1 for all "
        "readers; measurements (of the column rating where there is one): icc, bland-altman",
    )  # fmt: skip
    command.add_argument("--weights", choices=("linear", "quadratic"), help="categories in order, of the kinds kappa, "
                         "fleiss, alpha, ac1")  # fmt: skip
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    from analysis.answer import Answer
    from analysis.commands.rows import named
    from analysis.tables import as_numbers, facts, judged, read_table

    if options.weights and options.kind in MEASURED:
        raise CannotAnalyse(f"--weights belongs to kappa, fleiss, alpha and ac1, not to {options.kind}.")
    names = names_of(options)
    frame = read_table(options.table, names)
    value = value_column(frame, names, options.kind)
    frame = as_numbers(frame, value)
    ratings = judged(frame, names, value)
    warnings = spoken_of(frame, value, ratings, options)
    rows: list[CellRow] = []
    refusals: list[str] = []
    for place, arm in enumerate(ratings.arms):
        readers, values = read_in(ratings, place)
        try:
            rows += named(partial(of_arm, options, arm, readers, values, warnings), arm)
        except CannotAnalyse as refusal:
            refusals.append(str(refusal))
    if not rows:
        raise CannotAnalyse(refusals[0])
    title = TITLES[options.kind] + (f", {options.weights} weights" if options.weights else "")
    return Answer(f"{title}, {value}", facts(ratings, with_truth=False), tuple(rows), warnings=(*warnings, *refusals))


def value_column(frame: "pd.DataFrame", names: "Names", kind: str) -> str:
    """Categories are decisions where the table has them, measurements are ratings where it has them."""
    from analysis.commands.rows import decision_column
    from analysis.tables import check_columns

    columns = list(frame.columns)
    if kind in MEASURED and names.rating in columns:
        return names.rating
    value = decision_column(columns, names)
    check_columns(frame, (value,))
    return value


def spoken_of(frame: "pd.DataFrame", value: str, ratings: "Ratings", options: argparse.Namespace) -> list[str]:
    """What has to be said about the categories, or why they cannot be measured."""
    import numpy as np
    import pandas as pd

    size = len(np.unique(ratings.values[~np.isnan(ratings.values)]))
    if pd.api.types.is_numeric_dtype(frame[value]):
        if options.kind in MEASURED or size <= MANY:
            return []
        return [f"The column {value} has {size} different values, each taken as a category; measurements ask for icc."]
    if options.kind in MEASURED:
        raise CannotAnalyse(f"The column {value} holds text, and {options.kind} needs numbers.")
    if not options.weights:
        return []
    listed = ", ".join(sorted({str(word) for word in frame[value].dropna()})[:MANY])
    return [f"The categories are text and are weighted in alphabetical order: {listed}."]


def read_in(ratings: "Ratings", place: int) -> tuple[tuple[str, ...], "Floats"]:
    """Readers and cases of one arm, without those that have nothing in it."""
    import numpy as np

    values = ratings.values[:, place]
    kept = np.flatnonzero(~np.isnan(values).all(axis=1))
    values = values[kept]
    return tuple(ratings.readers[row] for row in kept), values[:, ~np.isnan(values).all(axis=0)]


def of_arm(
    options: argparse.Namespace, arm: str, readers: tuple[str, ...], values: "Floats", warnings: list[str]
) -> "list[CellRow]":
    """The rows of one arm; what has to be said is added to the warnings."""
    if len(readers) < 2:
        raise CannotAnalyse("Agreement needs at least two readers.")
    if options.kind == "icc":
        return list(icc_rows(arm, values, warnings))
    if options.kind in ("kappa", "bland-altman"):
        return list(pair_rows(options, arm, readers, values, warnings))
    return [whole_row(options, arm, values, warnings)]


def whole_row(options: argparse.Namespace, arm: str, values: "Floats", warnings: list[str]) -> "CellRow":
    """One coefficient of all readers."""
    from analysis.answer import CellRow
    from analysis.chance_corrected import gwet_ac1, krippendorff_alpha, weighted_fleiss
    from analysis.commands.rows import LEVEL

    weights: WeightName = options.weights or "identity"
    compute: dict[str, Callable[[], Agreement]] = {
        "fleiss": lambda: weighted_fleiss(values, weights),
        "ac1": lambda: gwet_ac1(values, weights),
        "alpha": lambda: krippendorff_alpha(values, weights=weights),
    }
    found = compute[options.kind]()
    interval = found.confidence_interval(LEVEL)
    warnings += [f"{arm}: {text}" for text in found.warnings]
    return CellRow("all", arm, found.estimate, found.se, interval.low, interval.high)


def pair_rows(
    options: argparse.Namespace, arm: str, readers: tuple[str, ...], values: "Floats", warnings: list[str]
) -> Rows:
    """Rows of every pair of readers; a pair without an answer becomes a warning, no pair with one is refused."""
    from analysis.agreement import cohen_kappa
    from analysis.bland_altman import bland_altman

    refusals = []
    pairs = list(combinations(range(len(readers)), 2))
    for one, two in pairs:
        who = f"{readers[one]}, {readers[two]}"
        try:
            found = (
                cohen_kappa(values[one], values[two], options.weights or "none")
                if options.kind == "kappa"
                else bland_altman(values[one], values[two])
            )
        except CannotAnalyse as refusal:
            refusals.append(f"{who}: {refusal}")
            continue
        warnings += [f"{arm}: {who}: {text}" for text in found.warnings]
        yield from shown(found, who, arm)
    if len(refusals) == len(pairs):
        raise CannotAnalyse(refusals[0])
    warnings += [f"{arm}: {refusal}" for refusal in refusals]


def shown(found: "CohenKappa | BlandAltman", who: str, arm: str) -> Rows:
    """A kappa is one row; limits of agreement are three, each with its own interval."""
    from analysis.answer import CellRow
    from analysis.bland_altman import BlandAltman
    from analysis.commands.rows import LEVEL

    interval = found.confidence_interval(LEVEL)
    if not isinstance(found, BlandAltman):
        yield CellRow(who, arm, found.estimate, found.se, interval.low, interval.high)
        return
    lower, upper = found.limit_intervals(LEVEL)
    yield CellRow(f"{who}: mean difference", arm, found.estimate, found.se, interval.low, interval.high)
    yield CellRow(f"{who}: lower limit", arm, found.low, None, lower.low, lower.high)
    yield CellRow(f"{who}: upper limit", arm, found.high, None, upper.low, upper.high)


def icc_rows(arm: str, values: "Floats", warnings: list[str]) -> Rows:
    """All six forms; one that does not exist becomes a warning."""
    from analysis.answer import CellRow
    from analysis.commands.rows import LEVEL
    from analysis.icc import MODELS, UNITS, icc

    refusals: list[str] = []
    said: list[str] = []
    forms = [(model, unit) for unit in UNITS for model in MODELS]
    for model, unit in forms:
        try:
            found = icc(values, model, unit)
            interval = found.confidence_interval(LEVEL)
        except CannotAnalyse as refusal:
            refusals.append(str(refusal))
            continue
        said += [f"{arm}: {text}" for text in found.warnings]
        yield CellRow(found.name, arm, found.estimate, None, interval.low, interval.high)
    if len(refusals) == len(forms):
        raise CannotAnalyse(refusals[0])
    warnings += dict.fromkeys([*said, *(f"{arm}: {refusal}" for refusal in refusals)])
