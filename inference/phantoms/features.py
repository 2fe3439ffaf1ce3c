"""The signs of a fracture: how often each class shows them, which a patient shows, which the senior marks.

`features.toml` holds two tables: `kind` (15 binary signs of a malignant or benign fracture, as the senior reads them on
MRI) and `age` (signs of a fresh or old one on films and CT). Signs are independent within a class but for `unless`.

The 15 signs: Yeh et al., Eur Spine J 2022, doi 10.1007/s00586-022-07121-1 (number); Uetani et al. 2004 (shares, where
known); the rest is ours, chosen so that the best possible reader reaches what `ceilings` prints.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

KINDS, AGES = ("malignant", "benign"), ("acute", "old")


@dataclass(frozen=True)
class Sign:
    """One binary sign.

    ``shares``: of its two classes, in the order of the table (malignant, benign or acute, old), each in 0…1;
    ``seen``: modalities that show it; ``unless``: the sign that rules it out, or none;
    ``marked``: how often the senior marks it where it is, and where it is not.
    """

    name: str
    title: str
    shares: tuple[float, float]
    seen: frozenset[str]
    unless: str
    marked: tuple[float, float]
    source: str


@cache
def signs_of(table: str) -> tuple[Sign, ...]:
    """The signs of a table, ``"kind"`` or ``"age"``, in their order.

    >>> [len(signs_of("kind")), signs_of("kind")[0].title, signs_of("kind")[0].shares]
    [15, 'Convex posterior border of the body', (0.7, 0.06)]
    """
    first, second = classes_of(table)
    rows = tomllib.loads(files("inference.phantoms").joinpath("features.toml").read_text(encoding="utf-8"))[table]
    return tuple(
        Sign(
            name=row["name"],
            title=row["title"],
            shares=(row[first], row[second]),
            seen=frozenset(row["seen"]),
            unless=row.get("unless", ""),
            marked=tuple(row.get("marked", (1.0, 0.0))),
            source=row["source"],
        )
        for row in rows
    )


def classes_of(table: str) -> tuple[str, str]:
    """The two classes that a table tells apart, the one called positive first."""
    return KINDS if table == "kind" else AGES


def draw_signs(chance: np.random.Generator, table: str, shown: str) -> frozenset[str]:
    """Names of the signs of one fracture whose appearance is that of the class ``shown``."""
    column = classes_of(table).index(shown)
    drawn: set[str] = set()
    for sign in signs_of(table):
        there = bool(chance.random() < sign.shares[column])
        if there and sign.unless not in drawn:
            drawn.add(sign.name)
    return frozenset(drawn)


def senior_marks(chance: np.random.Generator, drawn: Collection[str]) -> tuple[bool, ...]:
    """What the senior writes down for each of the 15 signs, in their order; a few are missed or seen too much."""
    marks = []
    for sign in signs_of("kind"):
        there, absent = sign.marked
        marks.append(bool(chance.random() < (there if sign.name in drawn else absent)))
    return tuple(marks)


def log_likelihood_ratio(table: str, drawn: Collection[str], *, modality: str, ambiguity: float) -> float:
    """log p(signs | positive class) − log p(signs | other class), of the signs that the modality shows.

    With the share a = ``ambiguity`` (0…0.5) of appearances drawn from the other class,
    p'(s | 1) = (1 − a) p(s | 1) + a p(s | 0): no appearance is ever proof, and |log ratio| ≤ log((1 − a) / a).

    >>> round(log_likelihood_ratio("kind", {"epidural_mass", "other_lesions"}, modality="MR", ambiguity=0.06), 2)
    2.1
    """
    logs = np.zeros(2)
    shown = [sign for sign in signs_of(table) if modality in sign.seen]
    names = {sign.name for sign in shown}
    for sign in shown:
        if sign.unless in names and sign.unless in drawn:
            continue
        share = np.array(sign.shares)
        logs += np.log(share if sign.name in drawn else 1 - share)
    first, second = np.exp(logs - logs.max())
    a = ambiguity
    return float(np.log((1 - a) * first + a * second) - np.log((1 - a) * second + a * first))
