"""Predictions as they lie in a study's folder, with the truth of its cohort: what measures are made from."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.cards import CARD, Card
from inference.cohorts.cases import BadCohort, CohortCase
from inference.measures.bodies import Side
from inference.measures.vertebrae import TrueBody
from inference.outputs import Decision

PREDICTIONS = "predictions.csv"
CORNERS = ("anterior_superior", "posterior_superior", "posterior_inferior", "anterior_inferior")


class Predicted(NamedTuple):
    """One case of a table of predictions, as its row has it, and the case of the cohort."""

    row: Mapping[str, str]
    case: CohortCase


@dataclass(frozen=True)
class Folder:
    """Predictions of one model with what lies beside them.

    Parameters
    ----------
    path : Path
        Folder of ``predictions.csv``.
    cohort : mapping of str to CohortCase
    truths : mapping of str to sequence of TrueBody
        By case.
    corners : mapping of str to sequence of ndarray, shape (4, 2)
        Of these bodies, (row, column) in pixels, in the same order.
    decision : Decision or None
        Of the card that made them.
    """

    path: Path
    cohort: Mapping[str, CohortCase]
    truths: Mapping[str, Sequence[TrueBody]]
    corners: Mapping[str, Sequence[NDArray[np.float64]]]
    decision: Decision | None = None

    @cached_property
    def predicted(self) -> tuple[Predicted, ...]:
        """Rows whose case is in the cohort."""
        with (self.path / PREDICTIONS).open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        if rows and not {"case", "model"} <= rows[0].keys():
            raise BadCohort(f"{self.path / PREDICTIONS} needs the columns case and model.")
        return tuple(Predicted(row, self.cohort[row["case"]]) for row in rows if row["case"] in self.cohort)


def stored_in(study: Path, manifest: Path | None = None) -> tuple[list[Path], Path]:
    """Tables of predictions in a study, and its manifest: the one that is named, else the one least deep.

    Raises
    ------
    BadCohort
        Where there are no predictions or no manifest.
    """
    paths = sorted(study.rglob(PREDICTIONS))
    manifests = [manifest] if manifest else sorted(study.rglob("manifest.csv"), key=lambda path: len(path.parts))
    if not paths:
        raise BadCohort(f"{study} holds no {PREDICTIONS}; run predict first.")
    if not manifests:
        raise BadCohort(f"{study} holds no manifest.csv; name the cohort's with --cohort.")
    return paths, manifests[0]


def decisions_in(study: Path) -> dict[str, Decision]:
    """Frozen decisions of the cards in a study, by the model's name; drafts have none."""
    found: dict[str, Decision] = {}
    for path in sorted(study.rglob(CARD)):
        card = Card.read(path.parent, draft=True)
        if card.spec.decision is not None:
            found[card.name] = card.spec.decision
    return found


def true_bodies(path: Path) -> dict[str, list[TrueBody]]:
    """Visible vertebrae of a cohort by case; none where there is no such table.

    Raises
    ------
    BadCohort
        Naming the row that cannot be read.
    """
    found: dict[str, list[TrueBody]] = {}
    for row, corners in visible_rows(path):
        height = float(np.hypot(*(corners[1] - corners[2])))
        middle = corners.mean(axis=0)
        front: Side = "left" if corners[0, 1] < corners[1, 1] else "right"
        broken = row["fractured"] in ("1", "yes", "True")
        body = TrueBody(row["level"], broken, (float(middle[0]), float(middle[1])), height, front)
        found.setdefault(row["case"], []).append(body)
    return found


def true_corners(path: Path) -> dict[str, list[NDArray[np.float64]]]:
    """Corners of the same vertebrae in the same order, (row, column) in pixels, as `CORNERS` names them."""
    found: dict[str, list[NDArray[np.float64]]] = {}
    for row, corners in visible_rows(path):
        found.setdefault(row["case"], []).append(corners)
    return found


def visible_rows(path: Path) -> Iterable[tuple[Mapping[str, str], NDArray[np.float64]]]:
    """Rows of a table of true vertebrae that the image shows, with their corners."""
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=2):
            if row.get("visible", "1") in ("0", "no", "False") or not row.get("anterior_superior_row"):
                continue
            try:
                corners = np.array([[float(row[f"{name}_{axis}"]) for axis in ("row", "column")] for name in CORNERS])
                named = {name: row[name] for name in ("case", "level", "fractured")}
            except (KeyError, ValueError) as error:
                raise BadCohort(f"{path.name}, row {number}: {error} is missing or no number.") from error
            yield named, corners
