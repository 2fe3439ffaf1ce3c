"""`python -m analysis`: the same statistics from the command line.

Exit status 0 with a result, 2 with one sentence on standard error for input that cannot be analysed.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    from analysis.bootstrapped import Part

COLUMNS = ("reader", "arm", "case", "truth", "rating")
EXIT_REFUSED = 2


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as every other refusal of this program."""

    def error(self, message: str) -> NoReturn:
        raise CannotAnalyse(f"{message[:1].upper()}{message[1:].rstrip('.')}; see {self.prog} --help.")


def parser() -> Parser:
    root = Parser(prog="python -m analysis", description="Statistics of reader studies.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    one = table_command(commands, "auc", "AUC of every reader in every arm")
    one.add_argument("--by", type=listed, default=("reader", "arm"))
    one.add_argument("--interval", choices=("delong", "logit", "hanley-mcneil", "bootstrap"), default="delong")
    one.add_argument("--partial", metavar="AXIS:LOW:HIGH", help="such as specificity:0.8:1; needs --interval bootstrap")
    one.add_argument("--mcclish", action="store_true", help="McClish's correction of the partial area")
    one = table_command(commands, "compare", "two arms, reader by reader, by DeLong's test")
    one.add_argument("--arms", type=listed, required=True)
    one.add_argument("--by", type=listed, default=("reader",))
    one.add_argument("--method", choices=("delong", "bootstrap"), default="delong")
    one = table_command(commands, "mrmc", "Obuchowski-Rockette over readers and cases")
    one.add_argument("--arms", type=listed)
    one.add_argument("--metric", choices=("auc", "sensitivity", "specificity"), default="auc")
    one.add_argument("--covariance", choices=("delong", "jackknife", "unbiased"), default="delong")
    one.add_argument("--readers", choices=("random", "fixed"), default="random")
    one.add_argument("--cases", choices=("random", "fixed"), default="random")
    one = table_command(commands, "mcnemar", "two arms, reader by reader, by McNemar's test")
    one.add_argument("--arms", type=listed, required=True)
    one.add_argument("--by", type=listed, default=("reader",))
    one.add_argument("--test", choices=("exact", "midp", "asymptotic", "corrected"), default="exact")
    one.add_argument("--metric", choices=("accuracy", "sensitivity", "specificity"), default="accuracy")
    one = table_command(commands, "agreement", "agreement of readers beyond chance")
    one.add_argument("--kind", choices=("kappa", "fleiss"), default="kappa")
    one.add_argument("--weights", choices=("linear", "quadratic"))
    return root


def table_command(commands: "argparse._SubParsersAction[Parser]", name: str, text: str) -> argparse.ArgumentParser:
    """A command that reads a table and may rename its columns."""
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("table", type=Path, metavar="TABLE", help="CSV or Parquet, one row per reading")
    for column in COLUMNS:
        # --readers and --cases mean something else, so a column option is never abbreviated.
        command.add_argument(f"--{column}", metavar="NAME", help=f"name of the column {column}")
    command.add_argument("--format", choices=("text", "json", "csv"), default="text")
    command.allow_abbrev = False
    return command


def listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def two_arms(arms: tuple[str, ...]) -> tuple[str, str]:
    if len(arms) != 2:
        raise CannotAnalyse(f"--arms names two arms as A,B, not {len(arms)}.")
    return arms[0], arms[1]


def part_of(text: str | None, corrected: bool) -> "Part | None":
    """'specificity:0.8:1' as the part of the area that is meant."""
    from analysis.bootstrapped import Part

    if text is None:
        if corrected:
            raise CannotAnalyse("--mcclish corrects a partial area; name it with --partial.")
        return None
    pieces = text.split(":")
    try:
        low, high = float(pieces[1]), float(pieces[2])
    except (IndexError, ValueError):
        raise CannotAnalyse(f"--partial is written as specificity:0.8:1, not as {text}.") from None
    if pieces[0] not in ("specificity", "sensitivity") or len(pieces) != 3:
        raise CannotAnalyse(f"--partial is written as specificity:0.8:1, not as {text}.")
    return Part("specificity" if pieces[0] == "specificity" else "sensitivity", low, high, corrected)


def check_by(options: argparse.Namespace) -> None:
    """Refuse a grouping that would pool readers or that does not exist."""
    allowed = ("reader", "arm") if options.command == "auc" else ("reader",)
    unknown = [name for name in options.by if name not in allowed]
    if unknown:
        raise CannotAnalyse(f"--by groups by {' and '.join(allowed)}, not by {', '.join(unknown)}.")
    if "reader" not in options.by:
        raise CannotAnalyse("Pooling readers is no valid analysis; group by reader, or use mrmc for all of them.")


def answer(options: argparse.Namespace) -> str:
    """Compute and print; heavy imports wait until the words are known to be right."""
    if hasattr(options, "by"):
        check_by(options)
    from analysis import commands
    from analysis.answer import Answer, as_csv, as_json, as_text
    from analysis.tables import Names

    given = {column: getattr(options, column) for column in COLUMNS if getattr(options, column) is not None}
    names = Names(**given, chosen=frozenset(given.values()))
    path: Path = options.table
    compute: dict[str, Callable[[], Answer]] = {
        "auc": lambda: commands.auc(path, names, options.interval, part_of(options.partial, options.mcclish)),
        "compare": lambda: commands.compare(path, names, two_arms(options.arms), options.method),
        "mrmc": lambda: commands.mrmc(
            path, names, options.arms, options.metric, options.covariance, options.readers, options.cases
        ),
        "mcnemar": lambda: commands.compare_decisions(
            path, names, two_arms(options.arms), options.test, options.metric
        ),
        "agreement": lambda: commands.agreement(path, names, options.kind, options.weights or "none"),
    }
    show = {"text": as_text, "json": as_json, "csv": as_csv}[options.format]
    return show(compute[options.command]())


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        print(answer(parser().parse_args(arguments)))
    except CannotAnalyse as refusal:
        print(refusal, file=sys.stderr)
        return EXIT_REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
