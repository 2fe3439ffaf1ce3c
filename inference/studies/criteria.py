"""What a study must reach, read from its stored tables alone: criterion, found, wanted, holds or falls short.

Which of two models wins is never a criterion. Bars are those of the small cohorts; figures that are only stated have
no bar and always hold.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from inference.studies.plans import StudyPlan

if TYPE_CHECKING:
    import pandas as pd

ANSWERS, CRITERIA = "answers", "criteria.csv"
# Above the ceiling by so much is more than luck at these numbers of cases.
OVER_CEILING = 0.04
SHIFT = 0.10
TIMES_CHANCE = 3.0


@dataclass(frozen=True)
class Criterion:
    """One line: what was asked, what was found, what was wanted ("stated" where nothing is), whether it holds."""

    name: str
    found: str
    wanted: str
    holds: bool


@dataclass(frozen=True)
class Results:
    """The tables of a study's folder by model."""

    folder: Path

    def table(self, model: str, name: str) -> pd.DataFrame:
        """A table of a model's answers; empty where it has none."""
        import pandas as pd

        path = self.folder / ANSWERS / model / name
        text = {"case": str, "patient": str, "level": str, "true_level": str, "site": str}
        return pd.read_csv(path, dtype=text) if path.is_file() else pd.DataFrame()

    def answers(self, model: str, role: str) -> pd.DataFrame:
        frame = self.table(model, "predictions.csv")
        return frame[frame["role"] == role]

    def area(self, model: str, role: str) -> float:
        """AUC by role."""
        return area(self.answers(model, role))

    @cached_property
    def vertebrae(self) -> pd.DataFrame:
        """Visible true vertebrae, with the size of the film and the role of the case."""
        import pandas as pd

        cohort = self.folder / "cohort"
        bodies = pd.read_csv(cohort / "vertebrae.csv", dtype={"case": str, "level": str})
        cases = pd.read_csv(cohort / "manifest.csv", dtype={"case": str}).drop_duplicates("case")
        bodies = bodies[bodies["visible"] == 1].merge(cases[["case", "role", "file"]], on="case")
        shapes = {file: shape_of(cohort / file) for file in bodies["file"].unique()}
        bodies["rows"] = bodies["file"].map(lambda file: shapes[file][0])
        bodies["columns"] = bodies["file"].map(lambda file: shapes[file][1])
        return bodies


def criteria_of(plan: StudyPlan, folder: Path) -> tuple[Criterion, ...]:
    """All criteria of a study whose tables are there."""
    return tuple(OF_STUDY[plan.key](plan, Results(folder)))


def write_criteria(criteria: tuple[Criterion, ...], folder: Path) -> str:
    """``criteria.csv`` and the same as text, one line each."""
    with (folder / CRITERIA).open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["criterion", "found", "wanted", "verdict"])
        table.writerows([one.name, one.found, one.wanted, verdict(one)] for one in criteria)
    wide = [max(len(one.name) for one in criteria), max(len(one.found) for one in criteria)]
    lines = [f"{one.name:<{wide[0]}}  {one.found:<{wide[1]}}  {verdict(one):<11}  {one.wanted}" for one in criteria]
    short = sum(not one.holds for one in criteria)
    return "\n".join([*lines, f"{len(criteria) - short} of {len(criteria)} hold"])


def verdict(one: Criterion) -> str:
    return "holds" if one.holds else "falls short"


def area(frame: pd.DataFrame, score: str = "probability", truth: str = "truth") -> float:
    """AUC, ties one half; scikit-learn's."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(frame[truth].astype(int), frame[score]))


def at_least(name: str, value: float, bar: float) -> Criterion:
    return Criterion(name, f"{value:.3f}", f"at least {bar:.2f}", value >= bar)


def stated(name: str, found: str) -> Criterion:
    return Criterion(name, found, "stated", holds=True)


def below_ceiling(name: str, value: float, ceiling: float) -> Criterion:
    return Criterion(
        f"{name}: no more than the planted signs allow",
        f"{value:.3f}",
        f"at most {ceiling:.3f} + {OVER_CEILING:.2f}",
        value <= ceiling + OVER_CEILING,
    )


def ceiling_of(number: int) -> float:
    """Of fresh or old, of malignant on MR, of malignant on CT; simulated from the signs that were planted."""
    from inference.phantoms.ceilings import QUESTIONS, ceiling

    return ceiling(QUESTIONS[number]).auc


def shift(results: Results, model: str, own: str, other: str) -> Criterion:
    """Specificity at the frozen threshold, here and there; a shift is flagged, never hidden."""
    first, second = (specificity(results.answers(model, role)) for role in (own, other))
    flag = ", SHIFTED by more than 0.10" if abs(first - second) > SHIFT else ""
    return stated(f"{model}: specificity at the frozen threshold", f"{first:.3f} {own}, {second:.3f} {other}{flag}")


def specificity(frame: pd.DataFrame) -> float:
    others = frame[frame["truth"] == 0]
    return float((others["positive"] == 0).mean())


def pointing(results: Results, model: str) -> Iterator[Criterion]:
    """The heat maps' peaks in the finding, beside chance and beside a model whose weights are random."""
    frame = results.table(model, "randomisation.csv")
    if frame.empty:
        yield Criterion(f"{model}: pointing game", "no heat maps", f"{TIMES_CHANCE:.0f} × chance", holds=False)
        return
    trained, random = frame.iloc[0], frame.iloc[-1]
    rate, chance, left = trained.hits / trained.cases, trained.chance, random.hits / random.cases
    yield Criterion(
        f"{model}: pointing game at {trained.layer}",
        f"{rate:.3f}, chance {chance:.3f}",
        f"at least {TIMES_CHANCE:.0f} × chance",
        rate >= TIMES_CHANCE * chance,
    )
    yield Criterion(f"{model}: pointing game with random weights", f"{left:.3f}", f"below {rate:.3f}", left < rate)


def fresh_fractures(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S0."""
    areas = {model: results.area(model, "control") for model in plan.models}
    for model, value in areas.items():
        yield at_least(f"{model}: AUC on the control set", value, 0.76)
        yield below_ceiling(model, value, ceiling_of(0))
        yield stated(f"{model}: AUC on external films", f"{results.area(model, 'external'):.3f}")
    yield at_least("best AUC on the control set", max(areas.values()), 0.80)
    yield from pointing(results, plan.models[0])


def cross_validated(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S1."""
    model = plan.models[0]
    frame = results.answers(model, "develop")
    value, ceiling = area(frame), ceiling_of(1)
    yield at_least(f"{model}: out-of-fold AUC", value, 0.92)
    yield below_ceiling(model, value, ceiling)
    folds = frame.groupby("patient")["fold"].nunique()
    yield Criterion(
        "patients in exactly one test fold", f"{(folds == 1).sum()} of {len(folds)}", "all", bool((folds == 1).all())
    )
    found = frame[frame["truth"] == 1]["positive"].mean()
    yield stated("sensitivity and specificity, out of fold", f"{found:.3f} and {specificity(frame):.3f}")
    yield by_slice(results.table(model, "slice_predictions.csv"))


def by_slice(frame: pd.DataFrame) -> Criterion:
    """Every slice by itself, and the highest of each case as the answer of its patient."""
    if frame.empty:
        return Criterion("AUC per slice and by the highest slice", "no slices", "both", holds=False)
    highest = frame.loc[frame.groupby("case")["probability"].idxmax()]
    return stated("AUC per slice and by the highest slice", f"{area(frame):.3f} and {area(highest):.3f}")


def levels_and_fractures(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S2."""
    own = plan.models[0]
    for role, vertebra, level in (("control", 0.95, 0.93), ("external", 0.90, 0.85)):
        frame = results.table(own, "vertebrae_predictions.csv")
        true = frame[(frame["role"] == role) & frame["true_level"].notna()]
        yield at_least(f"{own}: AUC per vertebra, {role}", area(true), vertebra)
        right = float((true["level"] == true["true_level"]).mean())
        yield at_least(f"{own}: level success, {role}", right, level)
        yield stated(f"{own}: AUC per patient, {role}", f"{results.area(own, role):.3f}")
    alone = position_alone(results)
    yield Criterion("level from position alone, control", f"{alone:.3f}", "at most 0.60", alone <= 0.60)
    for model in plan.models[1:]:
        yield stated(f"{model}: AUC per patient, control", f"{results.area(model, 'control'):.3f}")
    yield shift(results, own, "control", "external")


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


def outlined(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S3."""
    own = plan.models[0]
    for model in plan.models:
        frame = results.table(model, "segmentation.csv")
        for site, part in frame[frame["role"] != "develop"].groupby(["role", "site"]):
            name = " ".join(map(str, site))
            dice, beside = part["dice"][part["truth"] == 1].mean(), part["background_accuracy"].mean()
            told = f"Dice {dice:.3f}, pixel accuracy {part['pixel_accuracy'].mean():.4f}, of an empty mask {beside:.4f}"
            yield stated(f"{model}, {name}", told)
    frame = results.table(own, "segmentation.csv")
    control = frame[(frame["role"] == "control") & (frame["truth"] == 1)]
    yield at_least(f"{own}: Dice of positives on the control set", float(control["dice"].mean()), 0.75)
    calm = frame[(frame["role"] == "control") & (frame["truth"] == 0)]["false_positive_area"].mean()
    yield stated(f"{own}: false-positive area on controls", f"{calm:.4%} of the film")
    for model in plan.models:
        yield stated(f"{model}: AUC per patient, control", f"{results.area(model, 'control'):.3f}")
    yield from pointing(results, own)


def dimensions(plan: StudyPlan, results: Results) -> Iterator[Criterion]:
    """S4."""
    areas = {(model, role): results.area(model, role) for model in plan.models for role in ("control", "external")}
    between, flat = areas["s4-25d", "control"], areas["s4-2d", "control"]
    yield Criterion("2.5D − 2D on the control set", f"{between - flat:+.3f}", "at least +0.02", between - flat >= 0.02)
    for (model, role), value in areas.items():
        yield stated(f"{model}: AUC, {role}", f"{value:.3f}")
        yield below_ceiling(f"{model}, {role}", value, ceiling_of(2))
    yield shift(results, plan.models[0], "control", "external")


Criteria = Callable[[StudyPlan, Results], Iterator[Criterion]]
OF_STUDY: Mapping[str, Criteria] = {
    "s0": fresh_fractures,
    "s1": cross_validated,
    "s2": levels_and_fractures,
    "s3": outlined,
    "s4": dimensions,
}


def shape_of(path: Path) -> tuple[int, int]:
    from PIL import Image

    with Image.open(path) as image:
        return image.height, image.width
