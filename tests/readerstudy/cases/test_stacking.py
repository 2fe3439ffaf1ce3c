"""Geometry that is missing or contradicts itself is said in words at the dry run, and nothing wrong is kept."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from readerstudy.cases.models import CaseImport
from readerstudy.cases.stacking import by_plane, stacked
from readerstudy.studies.models import Study
from tests.readerstudy.cases.decoded_here import decoded_files, pictures_of, stack_of
from tests.readerstudy.cases.test_dicom import SMALL, made
from tests.readerstudy.cases.test_importing import dry_run
from tests.world import People

AXIAL, SAGITTAL, CORONAL = [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1]


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
        ([0, 1, 2], {"RescaleSlope": (1, 1, 2)}, "different slopes or intercepts; no other planes"),
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


def turned(degrees: float) -> list[float]:
    """A plane around the axis of the body."""
    angle = math.radians(degrees)
    return [math.cos(angle), math.sin(angle), 0, 0, 0, -1]


@pytest.mark.parametrize(
    ("orientations", "parts"),
    [
        ([AXIAL] * 4, [4]),
        ([SAGITTAL, *[AXIAL] * 5], [5, 1]),
        ([*[AXIAL] * 3, *[SAGITTAL] * 3, *[CORONAL] * 4], [4, 3, 3]),
        # Discs of a spine: blocks of several directions and one plane.
        ([*[AXIAL] * 4, *[[1, 0, 0, 0, 0.8, 0.6]] * 4], [8]),
        # Around an axis, one direction each.
        ([turned(angle) for angle in range(0, 180, 30)], [6]),
        ([AXIAL, SAGITTAL, CORONAL], [3]),
        ([AXIAL, AXIAL, None, SAGITTAL, SAGITTAL], [5]),
    ],
)
def test_a_series_is_parted_by_planes_and_nothing_else(
    orientations: list[list[float] | None], parts: list[int], tmp_path: Path
) -> None:
    paths = stack(tmp_path, list(range(len(orientations))), ImageOrientationPatient=tuple(orientations))
    files = decoded_files(paths, tmp_path)
    assert [len(part) for part in by_plane(files)] == parts


def test_two_stacks_in_one_enhanced_file_are_two(tmp_path: Path) -> None:
    places = [([1.0, 0, 0, 0, 1, 0], height) for height in (4, 2, 3)] + [([0.0, 1, 0, 0, 0, -1], 0)] * 2
    data = pydicom.dcmread(made(tmp_path / "a.dcm", np.stack([SMALL + number for number in range(5)])))
    data.PerFrameFunctionalGroupsSequence = [_group(*place) for place in places]
    data.save_as(tmp_path / "a.dcm")

    first, second = (stacked(part) for part in by_plane(decoded_files([tmp_path / "a.dcm"], tmp_path)))

    assert (first.plane, second.plane) == ("axial", "sagittal")
    assert [slice_.frame.geometry.position for slice_ in first.slices] == [(0, 0, 2), (0, 0, 3), (0, 0, 4)]
    assert len(second.slices) == 2


def _group(orientation: list[float], height: float) -> Dataset:
    group, place, direction = Dataset(), Dataset(), Dataset()
    place.ImagePositionPatient, direction.ImageOrientationPatient = [0, 0, height], orientation
    group.PlanePositionSequence, group.PlaneOrientationSequence = [place], [direction]
    return group
