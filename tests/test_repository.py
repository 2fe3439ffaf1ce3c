"""The bands that keep the code readable, checked on the source itself."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PRODUCT = ("readerstudy", "analysis", "inference")
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60
LINES_OF_A_CLASS = 200
VAGUE_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "core",
    "manager",
    "managers",
    "service",
    "services",
    "misc",
}
TOP_LEVEL = {
    *(".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "manage.py", "pyproject.toml"),
    *("requirements.txt", "requirements-test.txt", "requirements-bench.txt"),
    *("readerstudy", "analysis", "inference", "templates", "tests", "fixtures", "docs"),
}
# Written in two halves, so that this file does not hold what it forbids.
REGISTRIES = [
    "pypi." + "org",
    "python" + "hosted.org",
    "download.py" + "torch.org",
    "npmjs." + "com",
    "conda." + "anaconda",
]
Definition = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> list[Path]:
    """Files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [REPOSITORY / line for line in listed.stdout.splitlines() if (REPOSITORY / line).is_file()]


def python_files(*folders: str) -> list[Path]:
    wanted = [REPOSITORY / folder for folder in folders]
    return [
        path
        for path in tracked()
        if path.suffix == ".py"
        and "migrations" not in path.parts
        and any(path.is_relative_to(folder) for folder in wanted)
    ]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def nodes(kind: type[ast.AST] | tuple[type[ast.AST], ...], *folders: str) -> Iterator[tuple[str, ast.AST]]:
    for path in python_files(*folders):
        for node in ast.walk(tree(path)):
            if isinstance(node, kind):
                yield f"{path.relative_to(REPOSITORY)}:{getattr(node, 'lineno', 0)}", node


def length(node: ast.AST) -> int:
    assert isinstance(node, ast.stmt)
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_text(path: Path) -> bool:
    return path.suffix in {".py", ".md", ".txt", ".toml", ".html", ".css", ".js", ".mjs", ".sh", ".json", ""}


def test_files_are_short_enough_to_read_at_once() -> None:
    files = [*python_files(*PRODUCT, "tests"), *(p for p in tracked() if p.suffix in {".js", ".css"})]
    long = {
        str(p.relative_to(REPOSITORY)): n for p in files if (n := len(p.read_text().splitlines())) > LINES_OF_A_FILE
    }
    assert long == {}


def test_functions_and_classes_are_short() -> None:
    functions = {
        place: length(node) for place, node in nodes((ast.FunctionDef, ast.AsyncFunctionDef), *PRODUCT, "tests")
    }
    classes = {place: length(node) for place, node in nodes(ast.ClassDef, *PRODUCT, "tests")}
    assert {place: size for place, size in functions.items() if size > LINES_OF_A_FUNCTION} == {}
    assert {place: size for place, size in classes.items() if size > LINES_OF_A_CLASS} == {}


def test_every_function_of_the_product_is_annotated() -> None:
    def is_bare(node: ast.AST) -> bool:
        assert isinstance(node, Definition)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        named = [argument for argument in arguments if argument.arg not in {"self", "cls"}]
        return node.returns is None or any(argument.annotation is None for argument in named)

    found = nodes((ast.FunctionDef, ast.AsyncFunctionDef), *PRODUCT, "tests")
    assert [place for place, node in found if is_bare(node)] == []


def test_no_exception_is_caught_that_was_not_meant() -> None:
    def is_broad(node: ast.AST) -> bool:
        assert isinstance(node, ast.ExceptHandler)
        names = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)} if node.type else {"everything"}
        reraises = any(isinstance(part, ast.Raise) and part.exc is None for part in ast.walk(node))
        return bool(names & {"Exception", "BaseException", "everything"}) and not reraises

    assert [place for place, node in nodes(ast.ExceptHandler, *PRODUCT, "tests") if is_broad(node)] == []


def test_nothing_happens_behind_the_callers_back() -> None:
    imports = [
        place
        for place, node in nodes((ast.Import, ast.ImportFrom), *PRODUCT)
        if re.search(r"\bsignals\b|\bpickle\b", ast.unparse(node))
    ]
    overrides = [
        place
        for place, node in nodes((ast.FunctionDef,), "readerstudy")
        if isinstance(node, ast.FunctionDef) and node.name in {"save", "delete"} and "/models" in place
    ]
    assert imports == []
    assert overrides == []


def test_nothing_inside_the_process_is_mocked() -> None:
    mocked = re.compile(r"unittest[.]mock|from unittest import mock|\bMagicMock\b|\bmocker\b")
    this_file = Path(__file__).resolve()
    assert [str(p) for p in python_files("tests") if p != this_file and mocked.search(p.read_text())] == []


def test_names_of_files_say_what_is_inside() -> None:
    assert [str(path) for path in tracked() if path.stem.lower() in VAGUE_NAMES] == []


def test_no_work_is_left_for_later_in_comments() -> None:
    later = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]))
    assert [str(path) for path in tracked() if is_text(path) and later.search(path.read_text())] == []


def test_top_level_holds_only_what_stands_in_the_design() -> None:
    assert {path.relative_to(REPOSITORY).parts[0] for path in tracked()} - TOP_LEVEL == set()


def test_no_file_names_a_package_registry() -> None:
    named = [
        f"{path}: {registry}"
        for path in tracked()
        if is_text(path)
        for registry in REGISTRIES
        if registry in path.read_text()
    ]
    assert named == []


@pytest.mark.parametrize("command", ["make demo", "make test", "make bench", "make serve"])
def test_the_readme_shows_the_commands_and_make_knows_them(command: str) -> None:
    assert command in (REPOSITORY / "README.md").read_text()
    assert re.search(rf"^{command.removeprefix('make ')}:", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)


def test_every_dependency_has_its_reason_and_every_pin_stands_in_the_lock() -> None:
    lines = (REPOSITORY / "pyproject.toml").read_text().splitlines()
    lock = "".join(path.read_text() for path in REPOSITORY.glob("requirements*.txt"))
    locked = set(re.findall(r"^[\w.-]+==[^\s;]+", lock.lower(), re.MULTILINE))
    pinned = re.compile(r'^    "([\w.-]+)(?:\[[\w,]+\])?==([^;"]+)')
    pins = [(number, match) for number, line in enumerate(lines) if (match := pinned.match(line))]
    assert len(pins) > 40
    assert [pin[1] for _, pin in pins if f"{pin[1]}=={pin[2]}".lower() not in locked] == []
    # A comment stands above each, or above the group it belongs to.
    unexplained = [pin[1] for number, pin in pins if not re.match(r'    (#|")', lines[number - 1])]
    assert unexplained == []
