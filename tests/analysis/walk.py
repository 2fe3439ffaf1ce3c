"""Walks every entry of a reference file: what is compared, what is not, and how far ours lies from theirs.

`python -m tests.analysis.walk [TOPIC]` prints the largest relative difference of each group of entries.
"""

import importlib
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import CannotAnalyse
from tests.analysis.oracle_entries import DIGITS, R_COMPLEMENT, Entry
from tests.shared_data import shared

NOT_NUMBERS = {"Inf": math.inf, "-Inf": -math.inf}
# Words about a number that say nothing to compare: what R calls the call and its parts.
LABELS = ("method", "*.method", "data.name", "*.data.name", "*.class", "*.alternative", "alternative", "*._row", "_row")


class Recorded(dict[str, Any]):
    """Values of an entry that remember which of their leaves were looked at."""

    def __init__(self, content: dict[str, Any], path: str, seen: set[str]) -> None:
        super().__init__({key: recorded(value, f"{path}{key}", seen) for key, value in content.items()})
        self.path, self.seen = path, seen

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if not isinstance(value, Recorded):
            self.seen.add(f"{self.path}{key}")
        return value

    def get(self, key: str, default: Any = None) -> Any:
        if key in self:
            return self[key]
        return default

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]


def recorded(value: Any, path: str, seen: set[str]) -> Any:
    if isinstance(value, dict):
        return Recorded(value, f"{path}." if path else "", seen)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [recorded(item, f"{path}[{place}]", seen) for place, item in enumerate(value)]
    return value


def leaves_of(value: Any, path: str = "") -> Iterator[str]:
    """Paths of all leaves; a list of plain values is one leaf."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves_of(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for place, item in enumerate(value):
            yield from leaves_of(item, f"{path}[{place}]")
    else:
        yield path or "value"


@dataclass
class Compare:
    """Asserts eight digits and keeps the largest relative difference."""

    entry: str
    largest: float = 0.0
    count: int = 0

    def __call__(
        self, found: object, expected: object, what: str, rel: float = DIGITS, absolute: float = R_COMPLEMENT
    ) -> None:
        expected = NOT_NUMBERS.get(expected, expected) if isinstance(expected, str) else expected
        where = f"{self.entry} {what}"
        assert isinstance(expected, int | float), f"{where}: the reference has no number but {expected!r}"
        assert isinstance(found, int | float | np.number), f"{where}: {found!r} is no number"
        number = float(found)
        self.count += 1
        if number == expected:
            return
        assert math.isclose(number, expected, rel_tol=rel, abs_tol=absolute), f"{where}: {number!r} is not {expected!r}"
        # What is zero but for rounding has no relative difference.
        if abs(number - expected) > absolute:
            self.largest = max(self.largest, abs(number - expected) / abs(expected))

    def all(
        self,
        found: Sequence[Any] | np.ndarray[Any, Any],
        expected: Sequence[Any] | np.ndarray[Any, Any],
        what: str,
        rel: float = DIGITS,
        absolute: float = R_COMPLEMENT,
    ) -> None:
        """Every number of two sequences or arrays of one shape."""
        ours, theirs = np.asarray(found).ravel(), np.asarray(expected, dtype=object).ravel()
        assert len(ours) == len(theirs), f"{self.entry} {what}: {len(ours)} numbers, not {len(theirs)}"
        for place, (one, two) in enumerate(zip(ours.tolist(), theirs.tolist(), strict=True)):
            self(one, two, f"{what}[{place}]", rel, absolute)

    def refused(self, compute: Callable[[], object], what: str) -> None:
        """Ours says in one sentence why there is no answer, where theirs stops or answers NaN."""
        self.count += 1
        try:
            answer = compute()
        except CannotAnalyse as refusal:
            assert str(refusal).endswith("."), f"{self.entry} {what}: {refusal}"
        else:
            raise AssertionError(f"{self.entry} {what}: answered {answer!r}")

    def monte_carlo(self, found: float, expected: object, error: float, what: str) -> None:
        """Two simulated numbers whose difference has this standard error."""
        assert isinstance(expected, int | float), f"{self.entry} {what}: no number but {expected!r}"
        self.count += 1
        assert abs(found - expected) <= 4 * error, (
            f"{self.entry} {what}: {found!r} is not {expected!r} +- 4 x {error!r}"
        )


Checker = Callable[[Entry, Compare], None]


@dataclass(frozen=True)
class Rule:
    patterns: tuple[str, ...]
    check: Checker
    ignores: tuple[str, ...]
    leaves: dict[str, str]

    def matches(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.patterns)


@dataclass
class Walk:
    """All entries of one reference file and the functions that check them; the first rule that matches counts."""

    topic: str
    rules: list[Rule] = field(default_factory=list)

    def covers(
        self, *patterns: str, ignores: Sequence[str] = (), leaves: dict[str, str] | None = None
    ) -> Callable[[Checker], Checker]:
        def add(check: Checker) -> Checker:
            self.rules.append(Rule(patterns, check, (*LABELS, *ignores), leaves or {}))
            return check

        return add

    def all_entries(self) -> list[Entry]:
        content = json.loads(shared(f"oracles/reference/{self.topic}.json").read_text())
        return [
            Entry(item["id"], item["dataset"], str(item["call"]), item["values"], item.get("note") or "")
            for item in content["entries"]
        ]

    def rule_of(self, entry: Entry) -> Rule | None:
        return next((rule for rule in self.rules if rule.matches(entry.id)), None)

    def entries(self) -> list[Entry]:
        """The entries with a checker; where the folder is absent one that skips in the test."""
        try:
            found = [item for item in self.all_entries() if self.rule_of(item)]
        except BaseException as absent:
            # pytest.skip while collecting would hide the whole file without a sentence.
            if type(absent).__name__ != "Skipped":
                raise
            return [Entry("absent", "", "", {}, "")]
        assert found, f"{self.topic} has no entry with a checker"
        return found

    def left_out(self) -> list[str]:
        """What is not compared: whole entries as TOPIC: id, values as TOPIC: id # path."""
        found = []
        for entry in self.all_entries():
            rule = self.rule_of(entry)
            if rule is None:
                found.append(f"{self.topic}: {entry.id}")
                continue
            for path in leaves_of(entry.values):
                if any(fnmatchcase(path, pattern) for pattern in rule.leaves):
                    found.append(f"{self.topic}: {entry.id} # {path}")
        return found

    def check(self, entry: Entry) -> Compare:
        """Run the checker and see that it looked at everything that the entry holds."""
        shared(f"oracles/reference/{self.topic}.json")
        rule = self.rule_of(entry)
        assert rule is not None, entry.id
        compare, seen = Compare(entry.id), set[str]()
        watched = Entry(entry.id, entry.dataset, entry.call, recorded(entry.values, "", seen), entry.note)
        rule.check(watched, compare)
        assert compare.count, f"{entry.id}: nothing was compared"
        if isinstance(entry.values, dict) or seen:
            expected = set(leaves_of(entry.values))
            spared = (*rule.ignores, *rule.leaves)
            missed = [p for p in expected - seen if not any(fnmatchcase(p, pattern) for pattern in spared)]
            assert not missed, f"{entry.id}: nobody looked at {sorted(missed)}"
        return compare


def walks() -> list[Walk]:
    """The walks of all files in tests/analysis/oracles."""
    names = sorted(path.stem for path in (Path(__file__).parent / "oracles").glob("test_*.py"))
    return [importlib.import_module(f"tests.analysis.oracles.{name}").walk for name in names]


def main(topics: Sequence[str]) -> None:
    for walk in walks():
        if topics and walk.topic not in topics:
            continue
        for rule in walk.rules:
            chosen = [item for item in walk.all_entries() if walk.rule_of(item) is rule]
            compared = [walk.check(item) for item in chosen]
            largest = max((item.largest for item in compared), default=0.0)
            print(f"{walk.topic}: {', '.join(rule.patterns)}: {len(chosen)} entries, {largest:.0e}")
        print(f"{walk.topic}: {len(walk.entries())} of {len(walk.all_entries())} entries", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
