"""`make mutation`: one fault at a time is put into the statistics; how many of them do the tests find?

Works on a copy under var/mutation, so that the sources stay as they are. What survives is written to
var/mutation/survivors.txt, module by module, each as the change that was made.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.shared_data import BESIDE

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "var" / "mutation"
MODULES = (
    *("roc", "delong", "covariance", "mrmc", "paired", "proportions"),
    # What stood in covariance and mrmc before those were divided.
    *("error_terms", "unbiased", "case_bootstrap", "merits"),
)
# Per cent of the mutants of every module that the tests must find.
MINIMUM = 90.0
# The tests that know these modules; a test of a whole study would find faults too, but only after seconds.
TESTS = (
    *("test_delong.py", "test_mrmc.py", "test_paired.py", "test_proportions.py", "test_properties.py", "test_roc.py"),
    *("test_error_terms.py", "test_merits.py", "test_unbiased.py", "test_intervals.py", "test_refusals.py"),
    *("oracles/test_roc_compare.py", "oracles/test_paired_binary.py", "oracles/test_edge_cases.py"),
    *("oracles/test_mrmc_or_mrmcaov.py", "oracles/test_mrmc_noninferiority.py", "oracles/test_python_peers.py"),
)
CHILDREN = 2
# The command stands beside this Python.
MUTMUT = str(Path(sys.executable).parent / "mutmut")
CHANGES = (
    "import sys; from mutmut.mutation.diff_apply import get_diff_for_mutant\n"
    "for name in sys.argv[1:]: print(f'# {name}\\n{get_diff_for_mutant(name)}')"
)
PYTEST = ["--noconftest", "-p", "no:django", "-p", "no:cacheprovider", "--import-mode=importlib", "-x", "-q"]
# A mutant that hangs or crashes is found as well.
FOUND = ("killed", "timeout", "segfault", "suspicious")


def prepare(modules: Sequence[str]) -> None:
    """A copy of the package and its tests with the settings of mutmut."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name in ("analysis", "tests", "fixtures/crossed"):
        shutil.copytree(REPOSITORY / name, FOLDER / name, ignore=shutil.ignore_patterns("__pycache__"))
    tests = [f"tests/analysis/{name}" for name in TESTS]
    (FOLDER / "pyproject.toml").write_text(
        "[tool.mutmut]\n"
        f"source_paths = {json.dumps([f'analysis/{name}.py' for name in modules])}\n"
        'also_copy = ["tests", "analysis", "fixtures"]\n'
        f"pytest_add_cli_args = {json.dumps(PYTEST)}\n"
        f"pytest_add_cli_args_test_selection = {json.dumps(tests)}\n"
        # Without settings of its own pytest takes those of the repository, and with them its sources.
        '[tool.pytest.ini_options]\nconsole_output_style = "classic"\n'
    )


def run(*command: str) -> str:
    # Under CI hypothesis draws the same examples every time, so that a survivor is one in the next run too.
    environment = os.environ | {"CI": "1", "SHARED_DATA": os.environ.get("SHARED_DATA", str(BESIDE))}
    done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:2])} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def outcomes() -> list[tuple[str, str]]:
    """Name and outcome of every mutant."""
    lines = [
        line.strip().rsplit(": ", 1) for line in run(MUTMUT, "results", "--all", "true").splitlines() if ": " in line
    ]
    return [(name, outcome) for name, outcome in lines]


def main(chosen: Sequence[str]) -> None:
    modules = chosen or MODULES
    prepare(modules)
    run(MUTMUT, "run", "--max-children", str(min(os.cpu_count() or 1, CHILDREN)))
    results = outcomes()
    counts = {module: counted(results, f"analysis.{module}.") for module in modules}
    print("| module | mutants | found | share |\n|---|---:|---:|---:|")
    for module, own in counts.items():
        print(row(module, own))
    print(row("all", counted(results, "")))
    left = [name for name, outcome in results if outcome not in FOUND]
    survivors = FOLDER / "survivors.txt"
    survivors.write_text(run(sys.executable, "-c", CHANGES, *left))
    print(f"{len(left)} survivors stand in {survivors.relative_to(REPOSITORY)}")
    few = [module for module, own in counts.items() if 100 * own.found < MINIMUM * own.mutants]
    if few:
        sys.exit(f"The tests find fewer than {MINIMUM:g} % of the mutants of {', '.join(few)}.")


@dataclass(frozen=True)
class Counts:
    mutants: int
    found: int


def counted(results: Sequence[tuple[str, str]], start: str) -> Counts:
    own = [outcome for name, outcome in results if name.startswith(start)]
    return Counts(len(own), sum(outcome in FOUND for outcome in own))


def row(module: str, counts: Counts) -> str:
    share = f"{100 * counts.found / counts.mutants:.1f} %" if counts.mutants else ""
    return f"| {module} | {counts.mutants} | {counts.found} | {share} |"


if __name__ == "__main__":
    main(sys.argv[1:])
