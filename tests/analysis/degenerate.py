"""Tables that try the command line: too little, too much, wrong, nested, and strange."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

Maker = Callable[[], pd.DataFrame]


def crossed(readers: int = 3, arms: int = 2, cases: int = 24, seed: int = 1, scale: int = 5) -> pd.DataFrame:
    """A crossed study with ratings on a short scale, decisions, patients, seniorities and seconds."""
    generator = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [[f"R{i}" for i in range(readers)], [f"A{i}" for i in range(arms)], range(1, cases + 1)],
        names=["reader", "arm", "case"],
    )
    frame = index.to_frame(index=False)
    frame["truth"] = frame["case"] % 2
    latent = generator.normal(size=len(frame)) + 1.2 * frame["truth"] + 0.2 * (frame["arm"] == "A1")
    frame["rating"] = np.clip(np.round(latent + scale / 2), 1, scale)
    frame["decision"] = (frame["rating"] > scale / 2).astype(int)
    frame["patient"] = (frame["case"] - 1) // 3
    frame["seniority"] = np.where(frame["reader"] == "R0", "senior", "junior")
    frame["seconds"] = np.exp(generator.normal(3, 0.4, len(frame)))
    return frame


def changed(**values: object) -> pd.DataFrame:
    return crossed().assign(**values)


def rated(rating: Callable[[pd.DataFrame], object]) -> pd.DataFrame:
    frame = crossed()
    frame["rating"] = rating(frame)
    frame["decision"] = (frame["rating"] > 2.5).astype(int)
    return frame


def without(drop: Callable[[pd.DataFrame], "pd.Series[bool]"]) -> pd.DataFrame:
    frame = crossed()
    return frame[~drop(frame)]


def with_cells(column: str, value: object, rows: tuple[int, ...] = (3,)) -> pd.DataFrame:
    frame = crossed()
    frame[column] = frame[column].astype(object)
    frame.loc[list(rows), column] = value
    return frame


def nested_cases() -> pd.DataFrame:
    frame = crossed()
    frame["case"] = frame["reader"] + "-" + frame["case"].astype(str)
    return frame


TABLES: dict[str, Maker] = {
    "crossed": crossed,
    "one class": lambda: changed(truth=1),
    "other class": lambda: changed(truth=0),
    "all ties": lambda: changed(rating=3, decision=1),
    "perfect": lambda: rated(lambda f: 1 + 4 * f["truth"]),
    "perfectly wrong": lambda: rated(lambda f: 5 - 4 * f["truth"]),
    "perfect in one arm": lambda: rated(lambda f: np.where(f["arm"] == "A1", 1 + 4 * f["truth"], f["rating"])),
    "identical arms": lambda: rated(lambda f: 1 + (f["case"] * 7) % 5),
    "identical readers": lambda: rated(lambda f: 1 + (f["case"] * 7 + (f["arm"] == "A1") * f["case"] // 3) % 5),
    "one reader constant": lambda: rated(lambda f: np.where(f["reader"] == "R1", 3, f["rating"])),
    "missing cells": lambda: without(lambda f: (f.index * 7) % 11 == 0),
    "missing values": lambda: with_cells("rating", None, (0, 30, 60)),
    "a reader without an arm": lambda: without(lambda f: (f["reader"] == "R1") & (f["arm"] == "A1")),
    "a reader without a class": lambda: without(lambda f: (f["reader"] == "R1") & (f["truth"] == 1)),
    "a reader with one case of a class": lambda: without(
        lambda f: (f["reader"] == "R1") & (f["truth"] == 1) & (f["case"] > 1)
    ),
    "duplicated row": lambda: pd.concat([crossed(), crossed().iloc[[5]]]),
    "duplicated with another value": lambda: pd.concat([crossed(), crossed().iloc[[5]].assign(rating=1.5)]),
    "single reader": lambda: crossed(readers=1),
    "two readers": lambda: crossed(readers=2),
    "single arm": lambda: crossed(arms=1),
    "three arms": lambda: crossed(arms=3),
    "single case per class": lambda: crossed(cases=2),
    "one case": lambda: crossed(cases=1),
    "three cases": lambda: crossed(cases=3),
    "one case of one class": lambda: without(lambda f: (f["truth"] == 1) & (f["case"] > 1)),
    "readers nested in arms": lambda: changed(reader=crossed()["reader"] + crossed()["arm"]),
    "cases nested in readers": nested_cases,
    "cases nested in arms": lambda: changed(case=crossed()["arm"] + crossed()["case"].astype(str)),
    "spaces in names": lambda: changed(reader="Dr. " + crossed()["reader"] + " Smith", arm=crossed()["arm"]),
    "commas and quotes in names": lambda: changed(reader='a,"b" ' + crossed()["reader"]),
    "other scripts in names": lambda: changed(reader="读者 " + crossed()["reader"]),
    "blank reader": lambda: with_cells("reader", None),
    "blank case": lambda: with_cells("case", None),
    "unknown truth": lambda: with_cells("truth", None),
    "truth of two": lambda: with_cells("truth", 2),
    "contradictory truth": lambda: with_cells("truth", 1, (1,)),
    "truth in words": lambda: changed(truth=np.where(crossed()["truth"] == 1, "yes", "no")),
    "truth as booleans": lambda: changed(truth=crossed()["truth"] == 1),
    "a word as rating": lambda: with_cells("rating", "high"),
    "infinite rating": lambda: with_cells("rating", np.inf),
    "huge ratings": lambda: rated(lambda f: f["rating"] * 1e300),
    "tiny ratings": lambda: rated(lambda f: f["rating"] * 1e-300),
    "negative ratings": lambda: rated(lambda f: f["rating"] - 10),
    "decision of two": lambda: with_cells("decision", 2),
    "no rows": lambda: crossed().iloc[:0],
    "no rating": lambda: crossed().drop(columns=["rating", "decision"]),
    "no truth": lambda: crossed().drop(columns="truth"),
    "no reader": lambda: crossed(readers=1).drop(columns="reader"),
    "two patients": lambda: changed(patient=(crossed()["case"] > 12).astype(int)),
    "one patient": lambda: changed(patient=1),
    "unknown patient": lambda: with_cells("patient", None),
}
FILES = {
    "empty file": b"",
    "no table": b"\x00\x01\x02\x03",
    "one word": b"hello\n",
    "semicolons": b"reader;arm;case;truth;rating\nR1;A0;1;0;1\nR1;A1;1;0;2\n",
    "uneven rows": b"reader,arm,case,truth,rating\nR1,A0,1,0,1,7,8\nR1,A1,1\n",
}


def write(name: str, folder: Path) -> Path:
    """The table or file of this name."""
    path = folder / f"{name}.csv"
    if name in FILES:
        path.write_bytes(FILES[name])
    else:
        TABLES[name]().to_csv(path, index=False)
    return path
