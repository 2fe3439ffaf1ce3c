"""Which commands there are, and the answer to the words of one of them."""

import argparse
import importlib
from collections.abc import Sequence

from analysis.commands.words import Parser

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
    "batch": "many of these commands in one process, each a line of standard input",
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
