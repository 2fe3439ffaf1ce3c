"""Published systems onto a running demo: found where `make demo` remembers it, one sentence where there is none."""

import subprocess
import sys
from pathlib import Path

import pytest

from readerstudy.embedded.demo import MARK
from readerstudy.embedded.loading import address_of
from readerstudy.embedded.places import REPOSITORY, CannotStart, Folder


def test_without_a_demo_one_sentence_says_how_to_start_it(tmp_path: Path) -> None:
    order = [sys.executable, "-m", "readerstudy.embedded.loading", "s1", "--folder", str(tmp_path)]
    ended = subprocess.run(order, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "No demo runs here; start it in another terminal, `make demo`, then load again.\n"
    # No database and no passwords were made on the way.
    assert not (tmp_path / "state.json").exists() and not (tmp_path / "postgres").exists()


def test_a_demo_is_loaded_onto_once_it_has_printed_its_address(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", MARK]) as demo:
        try:
            folder.remember(demo_pid=demo.pid, demo_port=8123, demo_ready=demo.pid + 1)
            with pytest.raises(CannotStart, match="still starting"):
                address_of(folder)
            folder.remember(demo_ready=demo.pid)
            assert address_of(folder) == "http://127.0.0.1:8123"
        finally:
            demo.kill()
    # What a demo remembered before it was killed is no running demo.
    with pytest.raises(CannotStart, match="No demo runs here"):
        address_of(folder)


def test_every_command_of_the_makefile_is_in_its_help() -> None:
    told = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    named = {line.split()[1] for line in told.splitlines()}
    lines = (REPOSITORY / "Makefile").read_text(encoding="utf-8").splitlines()
    (phony,) = (line.split()[1:] for line in lines if line.startswith(".PHONY:"))
    (parts,) = (line.split(": ", 1)[1].split(", ") for line in told.splitlines() if line.startswith("make check "))
    assert set(phony) - {"help", "needs-python", *parts} <= named
    assert {"study-s0", "load-s0"} <= named
