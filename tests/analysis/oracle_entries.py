"""Entries of ../shared/oracles, their data sets, and the comparison to eight significant digits."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tests.shared_data import shared

DIGITS = 1e-8
# R computes 1 - pchisq(...) and 2 (1 - pnorm(...)), which leaves about 1e-15 absolute for tiny p values.
R_COMPLEMENT = 2e-15
CROSSED = Path(__file__).resolve().parents[2] / "fixtures" / "crossed"


@dataclass(frozen=True)
class Entry:
    id: str
    dataset: str
    call: str
    values: Any
    note: str

    def __str__(self) -> str:
        return self.id

    def frame(self) -> pd.DataFrame:
        return oracle_data(self.dataset)


def entries(topic: str, start: str) -> list[Entry]:
    """Entries of one topic whose id begins so; none at all is an error, so that no test passes by walking nothing."""
    content = json.loads(shared(f"oracles/reference/{topic}.json").read_text())
    found = [
        Entry(item["id"], item["dataset"], str(item["call"]), item["values"], item.get("note") or "")
        for item in content["entries"]
        if item["id"].startswith(start)
    ]
    assert found, f"{topic} has no entry that begins with {start}"
    return found


def entry(topic: str, name: str) -> Entry:
    return next(item for item in entries(topic, name) if item.id == name)


def oracle_data(name: str) -> pd.DataFrame:
    """A data set; nested case identifiers are kept as text."""
    return pd.read_csv(shared(f"oracles/data/{name}.csv"), dtype={"case2": str, "case3": str})


def crossed() -> pd.DataFrame:
    return pd.read_csv(CROSSED / "crossed.csv")


def golden() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((CROSSED / "golden.json").read_text())
    return content


def agree(
    found: float | None, expected: object, what: str, rel: float = DIGITS, absolute: float = R_COMPLEMENT
) -> None:
    """Equal to `rel`; "Inf" and numbers as the references write them."""
    if expected == "Inf":
        assert found is not None and math.isinf(found), what
        return
    assert isinstance(expected, (int, float)), f"{what}: the reference has no number but {expected!r}"
    assert found is not None, what
    assert math.isclose(found, expected, rel_tol=rel, abs_tol=absolute), f"{what}: {found!r} is not {expected!r}"


def agree_all(found: Sequence[float], expected: Sequence[object], what: str) -> None:
    assert len(found) == len(expected), what
    for place, (one, two) in enumerate(zip(found, expected, strict=True)):
        agree(float(one), two, f"{what}[{place}]")
