"""Geometry that is missing or contradicts itself is said in words at the dry run, and nothing wrong is kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from readerstudy.cases.models import CaseImport
from readerstudy.studies.models import Study
from tests.readerstudy.cases.decoded_here import pictures_of, stack_of
from tests.readerstudy.cases.test_dicom import SMALL, made
from tests.readerstudy.cases.test_importing import dry_run
from tests.world import People

AXIAL = [1, 0, 0, 0, 1, 0]


def stack(folder: Path, heights: list[float], **tags: Any) -> list[Path]:
    """A slice for each height; a tag may have a value for each."""
    paths = []
    for number, height in enumerate(heights):
        own = {name: value[number] if isinstance(value, tuple) else value for name, value in tags.items()}
        place = {"ImagePositionPatient": [0, 0, height], "ImageOrientationPatient": AXIAL, "PixelSpacing": [0.5, 0.5]}
        given = {name: value for name, value in {**place, **own}.items() if value is not None}
        paths.append(made(folder / f"{number}.dcm", SMALL + number, InstanceNumber=number + 1, **given))
    return paths


@pytest.mark.parametrize(
    ("heights", "tags", "words"),
    [
        ([0, 1, 2], {"PixelSpacing": None}, "There is no pixel spacing"),
        ([0, 1, 2], {"PixelSpacing": [0, 0]}, "zero or less"),
        ([0, 1, 2], {"PixelSpacing": ([1, 1], [1, 1], [2, 2])}, "different pixel spacings (1 to 2 mm)"),
        ([0, 1, 2], {"ImagePositionPatient": None}, "do not say where the slices lie"),
        ([0, 1, 2], {"ImageOrientationPatient": None}, "do not say where the slices lie"),
        ([0, 1, 2], {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "contradict each other"),
        ([0, 1, 2], {"ImageOrientationPatient": [2, 0, 0, 0, 2, 0]}, "contradict each other"),
        ([0, 1, 2], {"ImageOrientationPatient": (AXIAL, AXIAL, [0, 1, 0, 0, 0, -1])}, "do not lie in one stack"),
        ([0, 1, 3], {}, "varies from 1 to 2 mm; is a slice missing?"),
        ([0, 1, 2], {"PatientOrientation": ["R", "P"]}, "sides of the patient that the header names contradict"),
        ([0, 1, 2], {"FrameOfReferenceUID": ("1.2.3", "1.2.3", "1.2.4")}, "different frames of reference"),
        ([0, 1, 2], {"ImagePositionPatient": ([0, 0, 0], [0, 0.3, 1], [0, 0.6, 2])}, "as by a tilted gantry"),
        ([0, 1, 1], {}, "Several slices lie at one position"),
    ],
)
def test_each_fault_of_geometry_has_its_sentence(
    heights: list[float], tags: dict[str, Any], words: str, tmp_path: Path
) -> None:
    notes = stack_of(*stack(tmp_path, heights, **tags)).facts.notes

    assert any(words in note for note in notes), notes


def test_an_even_stack_has_no_note_even_with_rounded_positions(tmp_path: Path) -> None:
    paths = stack(tmp_path, [0, 1.33, 2.67, 4.0, 5.33], PatientOrientation=["L", "PH"], FrameOfReferenceUID="1.2.3")

    assert stack_of(*paths).facts.notes == ()


def test_slices_of_different_sizes_are_said(tmp_path: Path) -> None:
    paths = stack(tmp_path, [0, 1])
    made(paths[1], np.zeros((5, 4), dtype=np.int16), ImagePositionPatient=[0, 0, 1], ImageOrientationPatient=AXIAL)

    assert any("2 different sizes" in note for note in stack_of(*paths).facts.notes)


def test_directions_that_make_no_sense_are_not_kept(tmp_path: Path) -> None:
    paths = stack(tmp_path, [0, 1], ImageOrientationPatient=[1, 0, 0, 1, 0, 0])

    assert [picture.geometry.orientation for picture in pictures_of(*paths)] == [None, None]


def test_the_dry_run_names_the_rows_of_each_sentence(study: Study, people: People, tmp_path: Path) -> None:
    rows = ["case,patient,file\n"]
    for number in range(8):
        made(tmp_path / f"{number}.dcm", SMALL + number, Modality="DX", SeriesInstanceUID=f"1.2.{number}")
        rows.append(f"C{number},{number},{number}.dcm\n")

    checked = dry_run(study, people, tmp_path, "".join(rows))

    assert checked.phase == CaseImport.Phase.CHECKED
    assert checked.message == "Rows 2, 3, 4, 5, 6 and 3 more: There is no pixel spacing; lengths are not measured."
