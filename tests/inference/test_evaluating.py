"""Stored masks, level maps and heat maps of a small study, drawn so that every measure is known."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from inference.cohorts.cases import BadCohort
from inference.cohorts.levels import CODES
from inference.measures.evaluating import ORDER, between, evaluate
from inference.measures.stored import true_bodies
from inference.reports.pictures import true_mask
from inference.reports.statistics import Statistics
from inference.reports.study import Study
from inference.reports.vertebrae import bodies_of, ordered_levels, shares, true_rows, with_unnamed
from tests.inference.study_folder import card, write

LEVELS = ("T12", "L1", "L2", "L3")
SIZE = (100, 60)
TOPS = (5, 28, 51, 74)
HIGH, LEFT, RIGHT = 16, 15, 41


def corners(top: int) -> dict[str, float]:
    """Of a body of 16 rows and 26 columns: edges of its pixels."""
    rows = {"superior": top - 0.5, "inferior": top + HIGH - 0.5}
    columns = {"anterior": LEFT - 0.5, "posterior": RIGHT - 0.5}
    return {
        f"{face}_{plate}_{axis}": place
        for face, column in columns.items()
        for plate, row in rows.items()
        for axis, place in (("row", row), ("column", column))
    }


def grey(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Case A: L1 broken and found; B: healthy, its column named one level too high; C: L2 broken and not found."""
    rows, bodies, said = [], [], []
    for case, broken in (("A", "L1"), ("B", ""), ("C", "L2")):
        truth = np.zeros(SIZE)
        levels, mask = np.zeros(SIZE), np.zeros(SIZE)
        for place, (level, top) in enumerate(zip(LEVELS, TOPS, strict=True)):
            spot = (slice(top, top + HIGH), slice(LEFT, RIGHT))
            bodies.append(
                {"case": case, "level": level, "fractured": int(level == broken), "visible": 1} | corners(top)
            )
            truth[spot] = 255 * (level == broken)
            if not (case == "C" and level == "L2"):
                named = "T11" if case == "B" and level == "T12" else LEVELS[place - (case == "B")]
                levels[spot] = CODES[named]
                mask[spot] = 204 if level == broken else 10
        grey(tmp_path / "cohort" / f"{case}.png", 90 + truth / 4)
        grey(tmp_path / "cohort" / f"{case}-mask.png", truth)
        grey(tmp_path / "model" / "masks" / f"{case}.png", mask)
        grey(tmp_path / "model" / "levels" / f"{case}.png", levels)
        heat = np.zeros(SIZE)
        heat[(35, 30) if case == "A" else (2, 2)] = 255
        grey(tmp_path / "model" / "heatmaps" / f"{case}.png", heat)
        rows.append(
            {"case": case, "patient": f"P{case}", "role": "control", "site": "A", "input": "", "file": f"{case}.png",
             "truth": int(bool(broken)), "mask": f"{case}-mask.png", "pixel_mm": 0.5}
        )  # fmt: skip
        said.append({"case": case, "patient": f"P{case}", "role": "control", "site": "A", "model": "m", "version": "1",
                     "truth": int(bool(broken)), "probability": 0.5, "positive": 1})  # fmt: skip
    write(tmp_path / "cohort" / "manifest.csv", rows)
    write(tmp_path / "cohort" / "vertebrae.csv", bodies)
    write(tmp_path / "model" / "predictions.csv", said)
    return tmp_path


def test_measures_of_stored_masks(folder: Path) -> None:
    assert set(evaluate(folder).values()) == {3, 12, 2}
    table = pd.read_csv(folder / "model" / "segmentation.csv").set_index("case")
    assert table.loc["A", ["dice", "iou", "hd95", "false_positive_pixels"]].tolist() == [1, 1, 0, 0]
    assert table.loc["C", ["dice", "recall"]].tolist() == [0, 0]
    assert np.isnan(table.loc["C", "hd95"])
    assert np.isnan(table.loc["B", "dice"])
    empty = 1 - HIGH * (RIGHT - LEFT) / (SIZE[0] * SIZE[1])
    assert table["background_accuracy"].tolist() == pytest.approx([empty, 1, empty])
    assert table.loc["C", "pixel_accuracy"] == pytest.approx(empty)


def test_a_palette_marks_by_its_numbers(folder: Path) -> None:
    """A mask whose target is drawn in black, as some programs save it."""
    evaluate(folder)
    before = pd.read_csv(folder / "model" / "segmentation.csv")
    drawn = np.asarray(Image.open(folder / "cohort" / "A-mask.png")) > 0
    palette = Image.fromarray(drawn.astype(np.uint8), "P")
    palette.putpalette([255, 255, 255, 0, 0, 0])
    palette.save(folder / "cohort" / "A-mask.png")
    evaluate(folder)
    pd.testing.assert_frame_equal(pd.read_csv(folder / "model" / "segmentation.csv"), before)
    shown = true_mask(Study(folder, "s2"), "A")
    assert shown is not None and np.array_equal(shown, drawn)


def test_vertebrae_by_place_with_heights_in_mm(folder: Path) -> None:
    evaluate(folder)
    table = pd.read_csv(folder / "model" / "vertebrae_predictions.csv", keep_default_na=False)
    named = {(row["case"], row["true_level"]): row["level"] for row in table.to_dict("records")}
    assert named["A", "L1"] == "L1"
    assert [named["B", level] for level in LEVELS] == ["T11", "T12", "L1", "L2"]
    assert named["C", "L2"] == ""
    broken = table[(table["case"] == "A") & (table["true_level"] == "L1")].iloc[0]
    assert broken["probability"] == pytest.approx(0.8, abs=1e-6)
    assert (broken["truth"], broken["positive"]) == (1, 1)
    assert float(broken["hp"]) == pytest.approx(HIGH * 0.5, abs=0.1)
    assert float(broken["anterior_superior_row"]) == pytest.approx(27.5, abs=0.3)
    missed = table[(table["case"] == "C") & (table["true_level"] == "L2")].iloc[0]
    assert (missed["probability"], missed["positive"]) == (0, 0)


def test_level_success_of_fractured_bodies_is_a_share_with_wilsons_interval(folder: Path) -> None:
    evaluate(folder)
    rows = true_rows(Study(folder, "s2"))
    order = ordered_levels(rows)
    assert list(order) == ["T11", "T12", "L1", "L2", "L3"]
    right = (rows["found"] == rows["level"]).astype(int)
    broken = rows.assign(right=right)[rows["truth"] == 1]
    (row,) = shares(Statistics(folder / "analysis"), "fractured bodies", broken, "right")[0].to_dict("records")
    assert (row["n"], row["patients"], row["share"]) == (2, 2, 0.5)
    # Wilson's limits of one in two: (1/2 ± z/(2√2)·√(1 + z²/2)/(1 + z²/2)).
    z = 1.959963984540054
    half = z / (2 * np.sqrt(2)) * np.sqrt(1 + z**2 / 2) / (1 + z**2 / 2)
    assert (row["share low"], row["share high"]) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-12)


def test_a_mask_without_levels_is_scored_inside_the_true_bodies(folder: Path) -> None:
    """What a study of two tasks against one writes: levels of the one model, masks of both."""
    other = folder / "single"
    (other / "masks").mkdir(parents=True)
    for path in sorted((folder / "model" / "masks").iterdir()):
        (other / "masks" / path.name).write_bytes(path.read_bytes())
    said = pd.read_csv(folder / "model" / "predictions.csv").assign(model="single")
    said.to_csv(other / "predictions.csv", index=False)
    evaluate(folder)
    assert not (other / "vertebrae_predictions.csv").exists()
    for name in ("model", "single"):
        frame = pd.read_csv(folder / name / "bodies_predictions.csv").set_index(["case", "true_level"])
        assert len(frame) == 12 and set(frame["scored_in"]) == {"true body"}
        # Pixels between the corners are those that were painted: 204 of 255 in A's broken body, 10 in healthy ones.
        assert frame.loc[("A", "L1"), "probability"] == pytest.approx(204 / 255, abs=1e-6)
        assert frame.loc[("B", "T12"), "probability"] == pytest.approx(10 / 255, abs=1e-6)
        assert frame.loc[("C", "L2"), ["probability", "truth"]].tolist() == [0, 1]
    rows = bodies_of(Study(folder, "s2"))
    assert rows is not None and rows.groupby("model").size().to_dict() == {"m": 12, "single": 12}
    both, inside = with_unnamed(Study(folder, "s2"))
    assert both is not None and inside == ["single"] and len(both) == 24


def test_pixels_between_corners_of_a_turned_body() -> None:
    corners = np.array([[2.0, 6.0], [6.0, 10.0], [10.0, 6.0], [6.0, 2.0]])
    rows, columns = np.mgrid[:13, :13]
    wanted = np.abs(rows - 6) + np.abs(columns - 6) <= 4
    assert (between(corners, (13, 13)) == wanted).all()
    assert (between(corners[::-1], (13, 13)) == wanted).all(), "either way round"


def test_heat_maps_point_into_the_finding_or_not(folder: Path) -> None:
    evaluate(folder)
    table = pd.read_csv(folder / "model" / "pointing.csv").set_index("case")
    assert table["hit"].to_dict() == {"A": 1, "C": 0}
    assert table["chance"].tolist() == pytest.approx([HIGH * (RIGHT - LEFT) / (SIZE[0] * SIZE[1])] * 2)


def test_the_cards_calibration_and_threshold_decide(folder: Path) -> None:
    card(folder / "models" / "s0-mobilenet", "s0-mobilenet", {})
    predictions = pd.read_csv(folder / "model" / "predictions.csv").assign(model="s0-mobilenet")
    predictions.to_csv(folder / "model" / "predictions.csv", index=False)
    evaluate(folder)
    table = pd.read_csv(folder / "model" / "vertebrae_predictions.csv")
    # The card's calibration is the identity, so probabilities stay; its threshold is one half.
    assert table["threshold"].unique().tolist() == [0.5]
    assert table["probability"].max() == pytest.approx(0.8, abs=1e-6)


def test_development_decides_on_vertebrae_where_it_was_predicted(folder: Path) -> None:
    for name in ("cohort/manifest.csv", "model/predictions.csv"):
        pd.read_csv(folder / name).assign(role="develop").to_csv(folder / name, index=False)
    evaluate(folder)
    table = pd.read_csv(folder / "model" / "vertebrae_predictions.csv")
    # Half-way between .8 of the broken body and 10/255 of the others.
    assert table["threshold"].unique().tolist() == pytest.approx([(0.8 + 10 / 255) / 2], abs=1e-5)


def test_levels_run_from_the_head_down() -> None:
    assert ORDER.index("T12") < ORDER.index("T13") < ORDER.index("L1")
    assert ORDER[0] == "C1"


def test_what_is_missing_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadCohort, match=r"holds no predictions\.csv"):
        evaluate(tmp_path / "cohort")
    bad = tmp_path / "vertebrae.csv"
    write(bad, [{"case": "A", "level": "L1", "fractured": 1, "anterior_superior_row": "x"}])
    with pytest.raises(BadCohort, match="row 2"):
        true_bodies(bad)
    assert true_bodies(tmp_path / "nothing.csv") == {}


def test_the_command_measures_and_refuses_in_one_sentence(folder: Path, tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "inference", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = run("evaluate", str(folder))
    assert done.returncode == 0
    assert f"{folder / 'model' / 'segmentation.csv'}: 3 rows" in done.stdout
    refused = run("report", "s9", str(folder), "--out", str(tmp_path / "x.html"))
    assert refused.returncode == 2
    assert refused.stderr.strip() == "inference: There is no study 's9'; known are s0, s1, s2, s3, s4."
