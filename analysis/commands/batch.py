"""Many commands in one process: whoever asks a dozen questions waits for the heavy imports once."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator

from analysis.errors import CannotAnalyse

REFUSED = 2


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.epilog = (
        "Standard input has a JSON list of the words of one command on each line; for each comes a line "
        '{"status": 0, "said": ANSWER}, or {"status": 2, "said": SENTENCE} where it cannot be analysed.'
    )


def answer(options: argparse.Namespace) -> str:
    for told in answers(sys.stdin):
        print(told, flush=True)
    return ""


def answers(lines: Iterable[str]) -> Iterator[str]:
    """A line of JSON for every line that is not blank."""
    from analysis.commands.asked import answer as answered

    for line in lines:
        if not line.strip():
            continue
        try:
            # Whoever reads the lines must find nothing between them.
            with contextlib.redirect_stdout(sys.stderr):
                told = {"status": 0, "said": answered(words_in(line))}
        except CannotAnalyse as refusal:
            told = {"status": REFUSED, "said": str(refusal)}
        except SystemExit:
            told = {"status": REFUSED, "said": "Help is not given within a batch."}
        yield json.dumps(told)


def words_in(line: str) -> list[str]:
    """The words of one command, none of which reads standard input itself."""
    try:
        words = json.loads(line)
    except json.JSONDecodeError as fault:
        raise CannotAnalyse(f"The line {line.strip()[:60]!r} is no JSON list of words: {fault}.") from fault
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise CannotAnalyse(f"The line {line.strip()[:60]!r} is no JSON list of words.")
    if words[:1] == ["batch"]:
        raise CannotAnalyse("A batch holds no batch.")
    return words
