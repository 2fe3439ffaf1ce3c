"""Coverage of intervals and type-I error of tests over simulated studies."""

import argparse
from typing import TYPE_CHECKING

from analysis.commands.words import add_format
from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    from analysis.answer import Answer, CellRow
    from analysis.coverage import Frequency

SMALLEST, LARGEST = 2, 1_000_000
MOST_WORKERS = 256


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--studies", type=int, default=2000, help="simulated studies for each question (2000)")
    command.add_argument("--seed", type=int, default=20260101)
    command.add_argument("--structure", choices=("HL", "LL", "HH", "LH"), default="HL", help="of Roe and Metz")
    command.add_argument("--readers", type=int, default=6)
    command.add_argument("--positives", type=int, default=60)
    command.add_argument("--negatives", type=int, default=60)
    command.add_argument("--only", metavar="FAMILY", help="one family of questions: single, paired, mrmc ...")
    command.add_argument("--workers", type=int, default=1, help="processes; the answers do not depend on it (1)")
    command.add_argument("--markdown", action="store_true", help="the table of the README")
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer | str":
    from analysis.answer import Answer
    from analysis.coverage import Frequency
    from analysis.coverage_families import HEAD, Setting, frequencies, table_line
    from analysis.interval import Refusal
    from analysis.tables import TableFacts

    check(options)
    size = (options.readers, options.positives, options.negatives)
    setting = Setting(options.studies, options.seed, options.structure, *size, options.only)
    answers = frequencies(setting, options.workers)
    found = [item for item in answers if isinstance(item, Frequency)]
    if options.markdown:
        return "\n".join([HEAD, *(table_line(item) for item in found)])
    refused = [item.sentence for item in answers if isinstance(item, Refusal)]
    cases = options.positives + options.negatives
    table = TableFacts(options.readers, ("first", "second"), cases, options.positives, options.negatives, 0)
    return Answer(
        f"Roe and Metz's model {options.structure}, {options.studies} studies",
        table,
        tuple(row(item) for item in found),
        warnings=(*(remark(item) for item in found if item.remark or item.refused or not item.as_promised), *refused),
        seed=options.seed,
    )


def check(options: argparse.Namespace) -> None:
    """Refuse sizes that no study has."""
    if not SMALLEST <= options.studies <= LARGEST:
        raise CannotAnalyse(f"--studies lies between {SMALLEST} and {LARGEST}, not at {options.studies}.")
    if options.readers < SMALLEST or min(options.positives, options.negatives) < SMALLEST:
        raise CannotAnalyse("A simulated study has at least two readers, two diseased and two non-diseased cases.")
    if not 1 <= options.workers <= MOST_WORKERS:
        raise CannotAnalyse(f"--workers lies between 1 and {MOST_WORKERS}, not at {options.workers}.")
    if options.seed < 0:
        raise CannotAnalyse("A seed is a whole number from 0 on.")


def row(found: "Frequency") -> "CellRow":
    """The share with its Monte-Carlo error and the interval of two of them."""
    from analysis.answer import CellRow
    from analysis.interval import wald

    limits = wald(found.estimate, found.error).clipped()
    return CellRow(found.method, found.kind, found.estimate, found.error, limits.low, limits.high)


def remark(found: "Frequency") -> str:
    parts = [found.remark] if found.remark else []
    if not found.as_promised:
        parts.append(f"{100 * found.estimate:.1f} % where {100 * found.nominal:.4g} % is promised")
    if found.refused:
        parts.append(f"{found.refused} studies could not be analysed and are left out")
    return f"{found.method}, {found.kind}: {'; '.join(parts)}."
