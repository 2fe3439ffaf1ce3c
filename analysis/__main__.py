"""`python -m analysis`: the same statistics from the command line.

Exit status 0 with a result, 2 with one sentence on standard error for input that cannot be analysed.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from analysis.commands.words import Parser
from analysis.errors import CannotAnalyse

EXIT_REFUSED = 2
# Each is a module of analysis.commands with add_arguments and answer; only the one that is named is loaded.
COMMANDS = {
    "auc": "AUC of every reader in every arm",
    "compare": "two arms, reader by reader, by the areas under their curves",
    "mrmc": "Obuchowski-Rockette over readers and cases",
    "ustat": "U-statistics over readers and cases, for any design",
    "mcnemar": "two arms, reader by reader, by McNemar's test",
    "froc": "marks on lesions: figures of merit and Obuchowski-Rockette over readers and cases",
    "agreement": "agreement of readers beyond chance",
    "power": "power of readers x cases, from a pilot or from published components",
    "run": "a declared plan carried out: results, tables, figures and report in a folder",
    "export": "the readings as the file of another program",
    "simulate": "coverage of intervals and type-I error of tests over simulated studies",
}


def parser(words: Sequence[str]) -> Parser:
    root = Parser(prog="python -m analysis", description="Statistics of reader studies.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if words[:1] == [name]:
            importlib.import_module(f"analysis.commands.{name}").add_arguments(command)
    return root


def answer(words: Sequence[str]) -> str:
    """Compute and show; heavy imports wait until the words are known to be right."""
    options: argparse.Namespace = parser(words).parse_args(words)
    found = importlib.import_module(f"analysis.commands.{options.command}").answer(options)
    if isinstance(found, str):
        return found
    from analysis.answer import as_csv, as_json, as_text

    return {"text": as_text, "json": as_json, "csv": as_csv}[options.format](found)


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        print(answer(list(sys.argv[1:] if arguments is None else arguments)), flush=True)
    except CannotAnalyse as refusal:
        print(refusal, file=sys.stderr)
        return EXIT_REFUSED
    except BrokenPipeError:
        # Whoever reads the answer, such as head, has had enough of it; Python must not write the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
