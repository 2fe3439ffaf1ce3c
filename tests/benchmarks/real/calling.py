"""Where the sets lie, and the commands that are called on them; what is there is not done again."""

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.shared_data import BESIDE

REPOSITORY = Path(__file__).resolve().parents[3]


class CannotMeasure(Exception):
    """Why a set cannot be measured, in one sentence."""


def source(name: str) -> Path:
    """Folder of a set beside the repository."""
    path = Path(os.environ.get("SHARED_DATA", BESIDE)) / "data" / name
    if not path.is_dir():
        raise CannotMeasure(f"{path} is not there; SHARED_DATA names the folder that holds data/{name}.")
    return path


def inference(*words: object) -> None:
    """One of the shipped commands, as a person calls it, on one core."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-m", "inference", *map(str, words)]
    ended = subprocess.run(call, cwd=REPOSITORY, env=environment, check=False).returncode
    if ended:
        raise CannotMeasure(f"`python -m inference {words[0]}` ended with status {ended}.")


def once(made: Path, *words: object) -> Path:
    """The file that the command makes, last of all; it is not called where the file is there."""
    if not made.exists():
        inference(*words)
    return made


def declared(path: Path, text: str, *stale: Path) -> Path:
    """The file with this text; folders that were made from another text are removed."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        for folder in stale:
            shutil.rmtree(folder, ignore_errors=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Text of a table."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([head, *rows])
    return stream.getvalue()
