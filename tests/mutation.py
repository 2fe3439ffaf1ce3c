"""`make mutation`: one fault at a time is put into the statistics; how many of them do the tests find?

Works on a copy under var/mutation, so that the sources stay as they are. What survives is written to
var/mutation/survivors.txt, module by module, each as the change that was made.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.shared_data import BESIDE

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "var" / "mutation"
MODULES = ("roc", "delong", "covariance", "mrmc", "paired", "proportions")
# The tests that know these modules; a test of a whole study would find faults too, but only after seconds.
TESTS = (
    *("test_delong.py", "test_mrmc.py", "test_paired.py", "test_proportions.py", "test_properties.py", "test_roc.py"),
    *(
        "test_survivors.py",
        "oracles/test_roc_single.py",
        "oracles/test_roc_compare.py",
        "oracles/test_paired_binary.py",
    ),
    *("oracles/test_mrmc_or_mrmcaov.py", "oracles/test_edge_cases.py"),
)
PYTEST = ["--noconftest", "-p", "no:django", "-p", "no:cacheprovider", "--import-mode=importlib", "-x", "-q"]
KILLED, SURVIVED, UNTESTED = "killed", "survived", "no tests"


def prepare(modules: Sequence[str]) -> None:
    """A copy of the package and its tests with the settings of mutmut."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name in ("analysis", "tests", "fixtures/crossed"):
        shutil.copytree(REPOSITORY / name, FOLDER / name, ignore=shutil.ignore_patterns("__pycache__"))
    tests = [f"tests/analysis/{name}" for name in TESTS if (FOLDER / "tests" / "analysis" / name).exists()]
    (FOLDER / "pyproject.toml").write_text(
        "[tool.mutmut]\n"
        f"source_paths = {json.dumps([f'analysis/{name}.py' for name in modules])}\n"
        'also_copy = ["tests", "analysis", "fixtures"]\n'
        f"pytest_add_cli_args = {json.dumps(PYTEST)}\n"
        f"pytest_add_cli_args_test_selection = {json.dumps(tests)}\n"
    )


def run(arguments: Sequence[str]) -> str:
    environment = os.environ | {"SHARED_DATA": os.environ.get("SHARED_DATA", str(BESIDE))}
    # Its command stands beside this Python; it forks, so that the arguments do not matter to anything else.
    command = [str(Path(sys.executable).parent / "mutmut"), *arguments]
    done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mutmut {' '.join(arguments)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def outcomes() -> list[tuple[str, str]]:
    """Name and outcome of every mutant."""
    lines = [line.strip().rsplit(": ", 1) for line in run(["results", "--all", "true"]).splitlines() if ": " in line]
    return [(name, outcome) for name, outcome in lines]


def main(chosen: Sequence[str]) -> None:
    modules = chosen or MODULES
    prepare(modules)
    run(["run", "--max-children", str(os.cpu_count() or 1)])
    found = outcomes()
    for module in modules:
        own = Counter(outcome for name, outcome in found if name.startswith(f"analysis.{module}."))
        print(f"{module}: {share(own)}")
    print(f"all: {share(Counter(outcome for _, outcome in found))}")
    left = [name for name, outcome in found if outcome in (SURVIVED, UNTESTED)]
    (FOLDER / "survivors.txt").write_text("\n".join(run(["show", name]) for name in left))
    print(f"{len(left)} survivors stand in {(FOLDER / 'survivors.txt').relative_to(REPOSITORY)}")


def share(counts: Counter[str]) -> str:
    total = counts.total()
    # A mutant that hangs or crashes is found as well.
    dead = total - counts[SURVIVED] - counts[UNTESTED]
    return f"{dead} of {total} found, {100 * dead / total:.1f} %" if total else "nothing to change"


if __name__ == "__main__":
    main(sys.argv[1:])
