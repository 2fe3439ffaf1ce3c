"""Every example printed in a docstring is what the function answers; every module imports alone and quickly."""

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import analysis
from tests.shared_data import shared

EVERY = sorted(
    module.name for module in pkgutil.walk_packages(analysis.__path__, "analysis.") if "__main__" not in module.name
)
PACKAGES = ["analysis", *(name for name in EVERY if hasattr(importlib.import_module(name), "__path__"))]
# Their contents stand in a table of the code: COMMANDS, PLACES.
TABLED = ("analysis.commands", "analysis.plans.endpoints")
HEAVY = ("plotly", "statsmodels", "sklearn", "torch", "django")


@pytest.mark.parametrize("name", EVERY)
def test_examples(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0


def test_importing_the_study_module_loads_no_heavy_library() -> None:
    code = f"import sys, analysis.study, analysis.study_figures; print([m for m in {HEAVY} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("package", [name for name in PACKAGES if name not in TABLED])
def test_the_table_of_contents_names_every_module(package: str) -> None:
    module = importlib.import_module(package)
    own = [item.name for item in pkgutil.iter_modules(module.__path__) if item.name != "__main__"]
    named = set(re.findall(r"^ *(\w+)  +\S", module.__doc__ or "", re.MULTILINE))
    assert set(own) ^ named == set()


def test_the_study_in_ten_lines_prints_what_the_readme_shows() -> None:
    text = (Path(analysis.__file__).parent / "README.md").read_text().split("## A study in ten lines", 1)[1]
    block = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", text, re.DOTALL)
    assert block
    program, shown = block.groups()
    assert len(program.strip().splitlines()) <= 11
    root = str(Path(analysis.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=shared("oracles/data"),
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == shown
