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
from numpy.typing import NDArray

Marks = NDArray[np.bool_]
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


def draw_many(chance: np.random.Generator, table: str, first: Marks) -> Marks:
    """Signs of many fractures at once: bool, shape (fractures, signs).

    ``first`` (bool, one for each fracture) says whether its appearance is that of the table's positive class.
    """
    signs = signs_of(table)
    shares = np.array([sign.shares for sign in signs])
    drawn = chance.random((len(first), len(signs))) < np.where(first[:, None], shares[:, 0], shares[:, 1])
    for place, sign in enumerate(signs):
        if sign.unless:
            drawn[:, place] &= ~drawn[:, named(table, sign.unless)]
    return drawn


def draw_signs(chance: np.random.Generator, table: str, shown: str) -> frozenset[str]:
    """Names of the signs of one fracture whose appearance is that of the class ``shown``."""
    first = np.array([shown == classes_of(table)[0]])
    drawn = draw_many(chance, table, first)[0]
    return frozenset(sign.name for sign, there in zip(signs_of(table), drawn, strict=True) if there)


def named(table: str, name: str) -> int:
    """Place of the sign of that name in its table."""
    return next(place for place, sign in enumerate(signs_of(table)) if sign.name == name)


def senior_marks(chance: np.random.Generator, drawn: Collection[str]) -> tuple[bool, ...]:
    """What the senior writes down for each of the 15 signs, in their order; a few are missed or seen too much."""
    marks = []
    for sign in signs_of("kind"):
        there, absent = sign.marked
        marks.append(bool(chance.random() < (there if sign.name in drawn else absent)))
    return tuple(marks)


def log_likelihood_ratios(table: str, drawn: Marks, *, modality: str, ambiguity: float) -> NDArray[np.float64]:
    """log p(signs | positive class) − log p(signs | other class), from the signs that the modality shows.

    With the share a = ``ambiguity`` (0…0.5) of appearances drawn from the other class,
    p'(s | 1) = (1 − a) p(s | 1) + a p(s | 0): no appearance is ever proof, and |log ratio| ≤ log((1 − a) / a).

    Parameters
    ----------
    drawn : ndarray of bool, shape (fractures, signs)
        All signs of the table, in its order.

    Examples
    --------
    >>> signs = np.zeros((1, 15), bool)
    >>> signs[0, named("kind", "epidural_mass")] = signs[0, named("kind", "posterior_element")] = True
    >>> log_likelihood_ratios("kind", signs, modality="MR", ambiguity=0.06).round(2)
    array([2.58])
    """
    logs = np.zeros((2, len(drawn)))
    for place, sign in enumerate(signs_of(table)):
        if modality not in sign.seen:
            continue
        # What is ruled out says nothing.
        open_ = ~drawn[:, named(table, sign.unless)] if sign.unless else np.ones(len(drawn), bool)
        for row, share in enumerate(sign.shares):
            logs[row] += open_ * np.log(np.where(drawn[:, place], share, 1 - share))
    first, second = np.exp(logs - logs.max(axis=0))
    a = ambiguity
    result: NDArray[np.float64] = np.log((1 - a) * first + a * second) - np.log((1 - a) * second + a * first)
    return result
