"""Stacks that one NIfTI file cannot hold: cut into parts, every voxel where the files of the images put it."""

import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from readerstudy.cases.geometry import Directions, Geometry
from readerstudy.cases.models import Case, CaseImport
from readerstudy.reference import actions
from readerstudy.reference.exporting import files
from readerstudy.reference.exporting.gathering import Picture, Stack
from readerstudy.reference.exporting.volumes import CLOSE, mask_file, parts_of, parts_with
from readerstudy.reference.marks import Mark
from readerstudy.reference.measuring import Plane
from readerstudy.reference.models import Standard
from readerstudy.studies.models import Enrolment, Study
from tests.world import People

INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"
Places = NDArray[np.float64]
ROWS, COLUMNS = 12, 16
SPACING = (0.75, 0.5)
# A box of four columns and three rows, whose pixels are counted from 0.
BOX = ((5.0, 2.0), (9.0, 5.0))
COLUMNS_SET, ROWS_SET = range(5, 9), range(2, 5)


def stack_at(places: Sequence[Any], turned: Places, sizes: Sequence[tuple[int, int]] = ()) -> Stack:
    """One image at each place, rows and columns along the first two axes of `turned`."""
    directions: Directions = (*turned[:, 0].tolist(), *turned[:, 1].tolist())
    pictures = []
    for n, place in enumerate(places):
        rows, columns = sizes[n] if sizes else (ROWS, COLUMNS)
        geometry = Geometry(None if place is None else tuple(map(float, place)), directions, SPACING, calibrated=True)
        pictures.append(Picture(Plane(rows, columns, geometry), "", "", 1, 12, False, 1.0, 0.0, (50, 400)))
    return Stack("CT BONE", "CT", "token", tuple(pictures), 1, 2.5)


def marks_on(slices: Sequence[int]) -> list[Mark]:
    return [Mark(f"b{n}", "box", 0, n, "body", BOX) for n in slices]


def places_in(content: bytes) -> Places:
    """Where the set voxels lie as DICOM counts: to the left, the back and the head."""
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(content))
    places: Places = nibabel.affines.apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj)))
    return places * [-1, -1, 1]


def true_places(position: Any, turned: Places) -> Places:
    """Of the pixels in the box, by the definition of DICOM PS3.3 C.7.6.2.1.1."""
    grid = [(row, column) for column in COLUMNS_SET for row in ROWS_SET]
    return np.array([
        np.asarray(position) + turned[:, 0] * column * SPACING[1] + turned[:, 1] * row * SPACING[0]
        for row, column in grid
    ])  # fmt: skip


def farthest(found: Places, true: Places) -> float:
    """Between each found place and the nearest true one."""
    return float(np.linalg.norm(found[:, None] - true[None], axis=2).min(axis=1).max())


@pytest.mark.parametrize("seed", range(8))
def test_every_voxel_lies_within_a_tenth_of_a_millimetre(seed: int) -> None:
    chance = np.random.default_rng(seed)
    turned = Rotation.from_euler("xyz", chance.uniform(-180, 180, 3), degrees=True).as_matrix()
    gaps = chance.choice([2.0, 4.0, 4.0, 4.0, 9.5], 12)
    # A gantry that is tilted moves the slices sideways as well; positions are rounded as files round them.
    along = turned[:, 2] + (0.3 * turned[:, 1] if seed % 2 else 0.0)
    places = np.round([[30.0, -12.5, 812.0] + along * depth for depth in np.cumsum(gaps)], 2)
    stack, marked = stack_at(places, turned), sorted(chance.choice(12, 7, replace=False).tolist())
    marks = marks_on(marked)

    parts = parts_with(stack, marks)
    found = np.concatenate([places_in(mask_file(stack, marks, part.images)) for part in parts])

    true = np.concatenate([true_places(places[n], turned) for n in marked])
    assert len(found) == len(true) == len(marked) * 12
    assert farthest(found, true) <= CLOSE
    assert farthest(true, found) <= CLOSE
    # Every image is in one part, and none is left out where something is marked.
    ranges = parts_of([picture.plane for picture in stack.pictures])
    assert [n for images in ranges for n in images] == list(range(12))
    assert {n for part in parts for n in part.images} >= set(marked)


def test_one_missing_slice_makes_two_parts_and_an_even_stack_one() -> None:
    turned = np.eye(3)
    even = stack_at([[0, 0, 4 * n] for n in range(6)], turned)
    gap = stack_at([[0, 0, 4 * n] for n in (0, 1, 2, 4, 5, 6)], turned)

    (whole,) = parts_with(even, marks_on([3]))
    first, second = parts_with(gap, marks_on([0, 4]))

    assert (whole.images, whole.why) == (range(6), "")
    assert (first.images, second.images) == (range(3), range(3, 6))
    assert first.why.startswith("The slices of CT BONE lie 4 to 8 mm apart, which no NIfTI file can say")
    assert "images 1 to 3" in first.why
    assert "DICOM segmentation and COCO hold the series whole" in first.why
    # A slice on its own is as thick as the series says.
    alone = nibabel.Nifti1Image.from_bytes(
        gzip.decompress(mask_file(stack_at([[0, 0, 7]], turned), marks_on([0]), range(1)))
    )
    assert alone.header.get_zooms() == (0.5, 0.75, 2.5)


def test_echoes_at_one_place_other_sizes_and_films_without_a_place_are_apart() -> None:
    turned = np.eye(3)
    echoes = stack_at([[0, 0, 0], [0, 0, 0], [0, 0, 4], [0, 0, 4]], turned)
    sizes = stack_at([[0, 0, 4 * n] for n in range(4)], turned, [(12, 16)] * 2 + [(20, 16)] * 2)
    nowhere = stack_at([None, None], turned)
    planes = [[picture.plane for picture in stack.pictures] for stack in (echoes, sizes, nowhere)]

    assert [parts_of(one) for one in planes] == [
        [range(1), range(1, 3), range(3, 4)],
        [range(2), range(2, 4)],
        [range(2)],
    ]
    (part,) = parts_with(sizes, marks_on([3]))
    assert part.why.startswith("The slices of CT BONE differ in size")
    assert "DICOM" not in part.why
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(mask_file(nowhere, marks_on([0]), range(2))))
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (0, 0)


@pytest.fixture
def standard(study: Study, people: People, tmp_path: Path) -> Standard:
    """A CT of five slices between which 2, 3, 3 and 7 mm lie; every one has a box, its name in Chinese on two."""
    for n, z in enumerate((0.0, 2.0, 5.0, 8.0, 15.0)):
        data = pydicom.dcmread(INSTALLED / "CT_small.dcm")
        data.SOPInstanceUID, data.ImagePositionPatient = f"1.2.{n}", [-10, 20, z]
        data.PixelData = (data.pixel_array + n).tobytes()
        (tmp_path / "ct").mkdir(exist_ok=True)
        data.save_as(tmp_path / "ct" / f"{n}.dcm")
    manifest = b"case,patient,file\nC1,1,ct\n"
    done = actions.import_at_once(study=study, manifest=manifest, folder=tmp_path, by=people.alice)
    assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
    case = Case.objects.get(study=study)
    tess = Enrolment.objects.get(study=study, user=people.tess)
    corners = [list(point) for point in BOX]
    marks = [
        {"key": f"k{n}-{at}", "kind": "box", "series": 0, "slice": n, "label": label, "points": corners}
        for n in range(5)
        for at, label in enumerate(("骨折", "血管瘤", "L1"))
        if label == "L1" or n == 4
    ]
    work = {"marks": marks, "rejected": [], "verdict": "positive", "note": "", "place": None}
    revision = actions.save_draft(truther=tess, case=case, work=work, revision=0, by=people.tess)
    actions.give_opinion(truther=tess, case=case, verdict="positive", note="", by=people.tess, revision=revision)
    return actions.adopt_opinions(study=study, adjudicated={}, reason="One", by=people.alice, single_stands=True)


def unpacked(standard: Standard, name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(files.export(standard, name).content)) as archive:
        assert len(set(archive.namelist())) == len(archive.namelist())
        return {entry: archive.read(entry) for entry in archive.namelist()}


def test_an_uneven_ct_leaves_in_parts_at_its_true_positions(standard: Standard) -> None:
    """Against the positions that were written into the DICOM files, and the segmentation's own."""
    found = unpacked(standard, "masks.nifti.zip")
    names = json.loads(found.pop("masks.json"))
    assert found.keys() == names.keys()
    levels = {path: entry for path, entry in names.items() if entry["name"] == "L1"}

    assert [entry["images"] for entry in levels.values()] == [[1, 2], [3, 4], [5, 5]]
    assert all("lie 2 to 7 mm apart" in entry["note"] and "CT" in entry["note"] for entry in levels.values())
    depths = [np.unique(np.round(places_in(found[path])[:, 2], 4)).tolist() for path in levels]
    assert depths == [[0, 2], [5, 8], [15]]
    corner = np.array([-10, 20]) + 0.661468 * np.array([5, 2])
    assert places_in(found[next(iter(levels))])[:, :2].min(axis=0) == pytest.approx(corner, abs=1e-4)
    # Names without Latin letters have files of their own.
    assert {entry["name"] for entry in names.values()} == {"L1", "骨折", "血管瘤"}

    files_found = unpacked(standard, "dicom.zip")
    segmentation = highdicom.seg.segread(io.BytesIO(files_found["case-1/series-1/segmentation.dcm"]))
    assert [item.SegmentLabel for item in segmentation.SegmentSequence] == ["L1", "骨折", "血管瘤"]
    report = str(pydicom.dcmread(io.BytesIO(files_found["case-1/report.dcm"])))
    assert "box 骨折" in report
    positions = {
        float(item.PlanePositionSequence[0].ImagePositionPatient[2])
        for item in segmentation.PerFrameFunctionalGroupsSequence
    }
    assert positions == {0, 2, 5, 8, 15}
    assert json.loads(files_found["files.json"])["case-1/series-1/segmentation.dcm"] == {
        "case": "C1", "series": "CT", "names": ["L1", "骨折", "血管瘤"], "images": [1, 2, 3, 4, 5],
    }  # fmt: skip
