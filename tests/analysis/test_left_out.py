"""The list of what is not compared with the reference set stands in the README and is the truth."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import analysis
from tests.analysis.walk import walks
from tests.shared_data import shared

README = Path(analysis.__file__).parent / "README.md"
ROW = re.compile(r"^\| `(?P<what>[^`]+)` \| (?P<reason>[^|]+) \|$", re.MULTILINE)


def listed() -> dict[str, str]:
    """Patterns and reasons of the table under the heading."""
    text = README.read_text().split("## Entries left out", 1)[1].split("\n## ", 1)[0]
    return {row["what"]: row["reason"].strip() for row in ROW.finditer(text)}


def left_out() -> list[str]:
    return [what for walk in walks() for what in walk.left_out()]


def test_every_reference_file_is_walked() -> None:
    topics = {path.stem for path in shared("oracles/reference").glob("*.json")}
    assert {walk.topic for walk in walks()} == topics


def test_what_is_left_out_stands_in_the_readme() -> None:
    shared("oracles/reference")
    patterns = listed()
    missing = [what for what in left_out() if not any(fnmatchcase(what, pattern) for pattern in patterns)]
    assert missing == []


def test_what_the_readme_lists_is_left_out() -> None:
    shared("oracles/reference")
    truth = left_out()
    stale = [pattern for pattern in listed() if not any(fnmatchcase(what, pattern) for what in truth)]
    assert stale == []


@pytest.mark.parametrize("pattern", sorted(listed()))
def test_every_reason_is_a_sentence(pattern: str) -> None:
    reason = listed()[pattern]
    assert len(reason) > 25 and reason.endswith(".")
