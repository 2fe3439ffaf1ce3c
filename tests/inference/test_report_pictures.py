"""Film, truth and map of one slice; counts of a cohort without a table of vertebrae; where a study is at home."""

from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from inference.reports import REPORTS
from inference.reports.cohorts import counts_of_vertebrae
from inference.reports.heatmaps import pictured
from inference.reports.pictures import film, of_model, strongest, true_mask, which_slice
from inference.reports.statistics import Statistics
from inference.reports.study import Study
from tests.inference.study_folder import predictions, write


def volume(path: Path, values: np.ndarray) -> None:
    """(slices, rows, columns) as NIfTI, whose first axis is the last of ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values.transpose(2, 1, 0).astype(np.float32), np.diag([1, 1, 3, 1])), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A volume of five slices: grey tells the slice; the finding is on the second, the map highest on the fourth."""
    ramp = np.linspace(0, 1, 12)[None, None] + np.zeros((5, 10, 12)) + 10 * np.arange(5)[:, None, None]
    truth, heat = np.zeros((5, 10, 12)), np.zeros((5, 10, 12))
    truth[1, 2:5, 3:7], truth[3, 6:9, 3:7] = 1, 1
    heat[:, 0, 0] = (51, 102, 0, 255, 0)
    volume(tmp_path / "cohort" / "image.nii.gz", ramp)
    volume(tmp_path / "cohort" / "mask.nii.gz", truth)
    volume(tmp_path / "model" / "heatmaps" / "A.nii.gz", heat)
    row = {"case": "A", "patient": "PA", "role": "external", "site": "B", "input": "", "file": "image.nii.gz",
           "truth": 1, "slice": 1, "row": 3, "column": 5, "height": 3, "width": 4, "mask": "mask.nii.gz"}  # fmt: skip
    write(tmp_path / "cohort" / "manifest.csv", [row])
    write(tmp_path / "model" / "predictions.csv", predictions([row], "s4-3d", 1.0, 3))
    return tmp_path


def test_film_truth_and_map_are_of_the_slice_of_the_finding(folder: Path) -> None:
    study = Study(folder, "s4")
    heat, truth, image = (
        of_model(study, str(folder / "model"), "heatmaps", "A"),
        true_mask(study, "A"),
        film(study, "A"),
    )
    assert heat is not None and truth is not None and image is not None
    assert heat.shape == truth.shape == image.shape
    assert heat.max() == pytest.approx(102 / 255), "that of slice 2, not the strongest, which is on slice 4"
    assert truth.sum() == 12
    assert which_slice(study, "A") == ", slice 2 of 5"
    assert strongest(str(folder / "model"), "heatmaps", "A") == 4
    panel = pictured(study)
    assert panel is not None
    shown, mapped = panel.rows[0]
    assert shown.caption == "A, slice 2 of 5, outline: truth"
    assert mapped.caption.endswith("strongest on slice 4")


def test_levels_and_grades_come_from_the_manifest_where_no_vertebrae_are_told(tmp_path: Path) -> None:
    rows = [
        {"case": f"c{n}", "patient": f"p{n}", "role": "develop", "site": "A", "truth": n % 2,
         "level": ("T12", "L1", "L1", "T8")[n % 4], "grade": n % 3}
        for n in range(12)
    ]  # fmt: skip
    write(tmp_path / "manifest.csv", rows)
    found = REPORTS["R01"](Study(tmp_path, "s1"), Statistics(tmp_path))
    levels = found.table("levels").set_index("level")["all"]
    assert list(levels.index) == ["T8", "T12", "L1"] and levels.tolist() == [3, 3, 6]
    grades = found.table("grades").set_index("grade")["all"]
    assert list(grades.index) == ["0", "1", "2"] and grades.tolist() == [4, 4, 4]


def test_bodies_off_the_film_are_not_counted(tmp_path: Path) -> None:
    bodies = (("a", "L1", 1, 1), ("a", "L5", 1, 0), ("b", "L1", 1, 1), ("b", "L2", 0, 1))
    names = ("case", "level", "fractured", "visible")
    write(tmp_path / "vertebrae.csv", [dict(zip(names, body, strict=True)) for body in bodies])
    groups = pd.DataFrame({"case": ["a", "b"], "group": ["control, A", "external, B"]})
    table = counts_of_vertebrae(Study(tmp_path, "s2"), groups, "level")
    assert table is not None
    assert table.to_dict("records") == [{"level": "L1", "control, A": 1, "external, B": 1, "all": 2}]


def test_at_home_is_the_control_set_also_where_readers_read_elsewhere(tmp_path: Path) -> None:
    rows = [
        {"case": f"{role[0]}{n}", "patient": f"{role[0]}{n}", "role": role, "site": site, "truth": n % 2}
        for role, site in (("external", "B"), ("control", "A"))
        for n in range(30)
    ]
    write(tmp_path / "predictions.csv", predictions(rows, "s4-25d", 1.0, 5))
    write(tmp_path / "readings.csv", [{"reader": "S1", "case": f"e{n}", "truth": n % 2} for n in range(30)])
    study = Study(tmp_path, "s4")
    assert study.own_set == "external"
    found = REPORTS["R13"](study, Statistics(tmp_path / "analysis"))
    assert found.table("sets")["set"].tolist() == ["control", "external"]
    assert all("on control" in sentence for sentence in found.text)
