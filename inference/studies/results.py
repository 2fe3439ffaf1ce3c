"""A study's stored tables, and what criteria read from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ANSWERS, COHORT = "answers", "cohort"
UNSEEN = ("control", "external")
TEXT = {"case": str, "patient": str, "level": str, "true_level": str, "site": str}
# Draws of patients for an interval of an area; seeded, so that a study says the same twice.
DRAWS, SEED = 500, 7


@dataclass(frozen=True)
class Results:
    """The tables of a study's folder by model."""

    folder: Path

    def table(self, model: str, name: str) -> pd.DataFrame:
        """A table of a model's answers; empty where it has none."""
        return read(self.folder / ANSWERS / model / name)

    def answers(self, model: str, role: str) -> pd.DataFrame:
        frame = self.table(model, "predictions.csv")
        return frame[frame["role"] == role]

    def area(self, model: str, role: str) -> float:
        """AUC by role."""
        return area(self.answers(model, role))

    @cached_property
    def cases(self) -> pd.DataFrame:
        """The manifest, a row a case."""
        frame = read(self.folder / COHORT / "manifest.csv")
        return frame if frame.empty else frame.drop_duplicates("case")

    def ceiling(self, role: str) -> float | None:
        """AUC of the best possible reader, who sees every planted sign, on the cases of that role."""
        best = read(self.folder / COHORT / "oracle.csv")
        rows = best if best.empty else best[best["role"] == role]
        return None if rows.empty else area(rows, "logit")

    def told_apart_from_old(self, model: str) -> pd.DataFrame:
        """Answers to unseen cases that have an acute or an old fracture; without those where nothing is broken."""
        frame = self.table(model, "predictions.csv")
        frame = frame[frame["role"].isin(UNSEEN)]
        if "old_fracture" not in self.cases:
            return frame.iloc[:0]
        frame = frame.merge(self.cases[["case", "old_fracture"]], on="case")
        return frame[(frame["truth"] == 1) | (frame["old_fracture"] == 1)]

    @cached_property
    def vertebrae(self) -> pd.DataFrame:
        """Visible true vertebrae, with the size of the film and the role of the case."""
        bodies = read(self.folder / COHORT / "vertebrae.csv")
        bodies = bodies[bodies["visible"] == 1].merge(self.cases[["case", "role", "file"]], on="case")
        shapes = {file: shape_of(self.folder / COHORT / file) for file in bodies["file"].unique()}
        bodies["rows"] = bodies["file"].map(lambda file: shapes[file][0])
        bodies["columns"] = bodies["file"].map(lambda file: shapes[file][1])
        return bodies

    def found_by_grade(self, model: str, roles: tuple[str, ...]) -> dict[int, tuple[int, int]]:
        """By Genant's grade: fractured vertebrae that were called fractured, of how many."""
        found = self.table(model, "vertebrae_predictions.csv")
        true = read(self.folder / COHORT / "vertebrae.csv")
        if found.empty or "grade" not in true:
            return {}
        true = true[true["fractured"] == 1][["case", "level", "grade"]]
        found = found[found["role"].isin(roles) & (found["truth"] == 1)]
        both = found.drop(columns="level").merge(true, left_on=["case", "true_level"], right_on=["case", "level"])
        return {int(str(grade)): (int(part["positive"].sum()), len(part)) for grade, part in both.groupby("grade")}


def read(path: Path) -> pd.DataFrame:
    """A table with names as text; empty where it is not there."""
    import pandas as pd

    return pd.read_csv(path, dtype=TEXT) if path.is_file() else pd.DataFrame()


def area(frame: pd.DataFrame, score: str = "probability", truth: str = "truth") -> float:
    """AUC, ties one half; scikit-learn's. Not a number where one answer is missing among the truths."""
    from sklearn.metrics import roc_auc_score

    if frame.empty or frame[truth].nunique() < 2:
        return float("nan")
    return float(roc_auc_score(frame[truth].astype(int), frame[score]))


def highest_likely(frame: pd.DataFrame) -> float:
    """Upper end of the 95 % interval of the AUC, by drawing patients anew within each class (percentiles)."""
    chance = np.random.default_rng(SEED)
    classes = [part["patient"].unique() for _, part in frame.groupby("truth")]
    rows = frame.groupby("patient").indices
    areas = []
    for _ in range(DRAWS):
        drawn = np.concatenate([chance.choice(patients, len(patients)) for patients in classes])
        areas.append(area(frame.iloc[np.concatenate([rows[patient] for patient in drawn])]))
    return float(np.nanquantile(areas, 0.975))


def specificity(frame: pd.DataFrame) -> float:
    others = frame[frame["truth"] == 0]
    return float((others["positive"] == 0).mean())


def position_alone(results: Results) -> float:
    """Share of control vertebrae whose level can be told from where they lie on the film alone.

    Nearest neighbours among the vertebrae of development, by row and column as shares of the film.
    """
    from sklearn.neighbors import KNeighborsClassifier

    bodies = results.vertebrae
    rows = bodies[[name for name in bodies.columns if name.endswith("_row")]].mean(axis=1) / bodies["rows"]
    columns = bodies[[name for name in bodies.columns if name.endswith("_column")]].mean(axis=1) / bodies["columns"]
    places = np.stack([rows, columns], axis=1)
    taught, asked = (bodies["role"] == role for role in ("develop", "control"))
    blind = KNeighborsClassifier(15).fit(places[taught], bodies["level"][taught])
    return float(blind.score(places[asked], bodies["level"][asked]))


def shape_of(path: Path) -> tuple[int, int]:
    from PIL import Image

    with Image.open(path) as image:
        return image.height, image.width
