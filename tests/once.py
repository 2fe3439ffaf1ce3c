"""What several test processes need and only one of them makes: the first that asks; the others wait for it."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

FOLDER = "TEST_RUN_FOLDER"


def folder_of_run() -> Path:
    """Of this run alone; pytest-xdist's processes inherit it from the one that started them."""
    if FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="readerstudy-run-")
    return Path(os.environ[FOLDER])


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name, filled by `make`; to be read, and copied by whoever changes it."""
    folder = folder_of_run() / name
    done = folder.with_name(f"{name}.done")
    with FileLock(folder.with_name(f"{name}.lock")):
        if not done.exists():
            # What a test that was ended in the middle left of it.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
