"""R10 and R12 of what a study of two tasks against one really writes: levels of one model only, masks of both."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from inference.cohorts.levels import CODES
from inference.measures.evaluating import evaluate
from inference.reports import REPORTS
from inference.reports.statistics import Statistics
from inference.reports.study import Study
from tests.inference.study_folder import write

LEVELS, TOPS, HIGH, WIDE = ("L1", "L2", "L3"), (4, 24, 44), 14, (8, 34)
PATIENTS = 24


def corners(top: int) -> dict[str, float]:
    rows = {"superior": top - 0.5, "inferior": top + HIGH - 0.5}
    columns = {"anterior": WIDE[0] - 0.5, "posterior": WIDE[1] - 0.5}
    return {
        f"{face}_{plate}_{axis}": place
        for face, column in columns.items()
        for plate, row in rows.items()
        for axis, place in (("row", row), ("column", column))
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place, chance = tmp_path_factory.mktemp("tasks"), np.random.default_rng(11)
    cases, bodies, said = [], [], []
    for kind in ("cohort", "answers/s2-multitask/masks", "answers/s2-multitask/levels", "answers/s2-single/masks"):
        (place / kind).mkdir(parents=True)
    for number in range(PATIENTS):
        case, broken = f"C{number:02d}", number % 6
        own = {"case": case, "patient": f"P{number:02d}", "role": "control", "site": "A", "truth": int(broken < 3)}
        cases.append({**own, "input": "", "file": f"{case}.png", "mask": "", "pixel_mm": 0.8})
        said.append({**own, "version": "1", "probability": 0.5, "positive": 1})
        levels = np.zeros((62, 44), np.uint8)
        for spot, (level, top) in enumerate(zip(LEVELS, TOPS, strict=True)):
            bodies.append({"case": case, "level": level, "fractured": int(spot == broken), "visible": 1} | corners(top))
            levels[top : top + HIGH, WIDE[0] : WIDE[1]] = CODES[level]
        Image.fromarray(np.full((62, 44), 90, np.uint8)).save(place / "cohort" / f"{case}.png")
        Image.fromarray(levels).save(place / "answers/s2-multitask/levels" / f"{case}.png")
        for model, gain in (("s2-multitask", 90), ("s2-single", 55)):
            mask = np.zeros((62, 44))
            for spot, top in enumerate(TOPS):
                mask[top : top + HIGH, WIDE[0] : WIDE[1]] = chance.normal(80 + gain * (spot == broken), 35)
            Image.fromarray(np.clip(mask, 0, 255).astype(np.uint8)).save(place / f"answers/{model}/masks/{case}.png")
    write(place / "cohort" / "manifest.csv", cases)
    write(place / "cohort" / "vertebrae.csv", bodies)
    for model in ("s2-multitask", "s2-single"):
        write(place / "answers" / model / "predictions.csv", [row | {"model": model} for row in said])
    evaluate(place)
    return place


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Statistics:
    return Statistics(tmp_path_factory.mktemp("analysis"))


def test_both_networks_are_paired_on_the_same_true_bodies(folder: Path, statistics: Statistics) -> None:
    assert not (folder / "answers/s2-single/vertebrae_predictions.csv").exists()
    study = Study(folder, "s2")
    found = REPORTS["R12"](study, statistics)
    assert not found.missing
    assert found.footer is not None and found.footer.counts["vertebrae"] == PATIENTS * len(LEVELS)
    table = found.table("tasks").set_index("measure")
    rows = study.table("bodies_predictions.csv")
    assert rows is not None
    areas = {model: roc_auc_score(part["truth"], part["probability"]) for model, part in rows.groupby("model")}
    row = table.loc["AUC per vertebra"]
    assert row[["first", "second"]].tolist() == ["s2-multitask", "s2-single"]
    assert row["first value"] == pytest.approx(areas["s2-multitask"], abs=1e-12)
    assert row["difference"] == pytest.approx(areas["s2-single"] - areas["s2-multitask"], abs=1e-12)
    assert row["difference low"] < row["difference"] < row["difference high"]
    assert "inside the true bodies" in " ".join(found.text)


def test_a_model_without_levels_stands_in_the_table_of_vertebrae(folder: Path, statistics: Statistics) -> None:
    found = REPORTS["R10"](Study(folder, "s2"), statistics)
    table = found.table("vertebrae").set_index("model")
    assert set(table.index) == {"s2-multitask", "s2-single"}
    assert (table["cases"] == PATIENTS * len(LEVELS)).all()
    assert "s2-single did not name vertebrae" in " ".join(found.text)
