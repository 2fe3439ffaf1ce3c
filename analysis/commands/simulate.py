"""Coverage of intervals and type-I error of tests over simulated studies."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from analysis.commands.words import add_format
from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    from analysis.answer import Answer, CellRow
    from analysis.coverage import Frequency, Question, Worlds

FAMILIES = ("single", "paired", "clusters", "mrmc", "u-statistics", "further", "pooled")
SMALLEST, LARGEST = 2, 1_000_000


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--studies", type=int, default=2000, help="simulated studies for each question (2000)")
    command.add_argument("--seed", type=int, default=20260101)
    command.add_argument("--structure", choices=("HL", "LL", "HH", "LH"), default="HL", help="of Roe and Metz")
    command.add_argument("--readers", type=int, default=6)
    command.add_argument("--positives", type=int, default=60)
    command.add_argument("--negatives", type=int, default=60)
    command.add_argument("--only", choices=FAMILIES, help="one family of questions")
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    from analysis.answer import Answer
    from analysis.coverage import Worlds, frequency
    from analysis.tables import TableFacts

    if not SMALLEST <= options.studies <= LARGEST:
        raise CannotAnalyse(f"--studies lies between {SMALLEST} and {LARGEST}, not at {options.studies}.")
    if options.readers < SMALLEST or min(options.positives, options.negatives) < SMALLEST:
        raise CannotAnalyse("A simulated study has at least two readers, two diseased and two non-diseased cases.")
    worlds = Worlds.of(options.structure, options.readers, options.positives, options.negatives)
    found = [frequency(item, options.studies, options.seed) for item in questions(worlds, options.only)]
    table = TableFacts(
        options.readers, ("first", "second"), options.positives + options.negatives, options.positives,
        options.negatives, 0,
    )  # fmt: skip
    return Answer(
        f"Roe and Metz's model {options.structure}, {options.studies} studies",
        table,
        tuple(row(item) for item in found),
        warnings=tuple(remark(item) for item in found if item.remark or item.refused or not item.as_promised),
        seed=options.seed,
    )


def questions(worlds: "Worlds", only: str | None = None) -> "Iterator[Question]":
    """All questions, or those of one family."""
    from analysis.coverage_clusters import cluster_questions
    from analysis.coverage_many import (
        further_questions,
        obuchowski_rockette_questions,
        pooled_questions,
        u_statistics_questions,
    )
    from analysis.coverage_single import paired_questions, single_reader_questions
    from analysis.simulation import Clusters

    families = {
        "single": lambda: single_reader_questions(worlds),
        "paired": lambda: paired_questions(worlds),
        "clusters": lambda: cluster_questions(Clusters()),
        "mrmc": lambda: obuchowski_rockette_questions(worlds),
        "u-statistics": lambda: u_statistics_questions(worlds),
        "further": lambda: further_questions(worlds),
        "pooled": lambda: pooled_questions(worlds),
    }
    for name in FAMILIES if only is None else (only,):
        yield from families[name]()


def row(found: "Frequency") -> "CellRow":
    """The share with its Monte-Carlo error and the interval of two of them."""
    from analysis.answer import CellRow
    from analysis.interval import wald

    limits = wald(found.estimate, found.error).clipped()
    return CellRow(found.method, found.kind, found.estimate, found.error, limits.low, limits.high)


def remark(found: "Frequency") -> str:
    parts = [found.remark] if found.remark else []
    if not found.as_promised:
        parts.append(f"{100 * found.estimate:.1f} % where {100 * found.nominal:g} % is promised")
    if found.refused:
        parts.append(f"{found.refused} studies could not be analysed and are left out")
    return f"{found.method}, {found.kind}: {'; '.join(parts)}."
