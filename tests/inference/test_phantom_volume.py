"""Grids, textures and files of the volumes: the same place in the patient, whatever the grid or the file."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from inference.cohorts.levels import CODES
from inference.imaging.images import read_image
from inference.phantoms import ct, mr
from inference.phantoms.column import Patient, chance_for, corners_of, make_patient
from inference.phantoms.volume import Grid, Scan, field, inside, rounded, write


@pytest.fixture(scope="module")
def patient() -> Patient:
    return make_patient(12, "V001", fractured=True)


@pytest.fixture(scope="module")
def sagittal(patient: Patient) -> Scan:
    return mr.around(patient, "A", "L2", slices=5)["T2W"]


@pytest.fixture(scope="module")
def axial(patient: Patient) -> Scan:
    one = patient.vertebra("L2")
    grid = Grid.spanning((one.x - 60, one.x + 30), (-30, 38), (one.z - 20, one.z + 20), (1.0, 1.2, 2.0))
    return ct.scan(patient, "A", grid, "axial")


def test_edges_cover_half_a_pixel_at_the_surface() -> None:
    distance = np.array([-2.0, -0.5, 0.0, 0.5, 2.0], np.float32)
    assert inside(distance, 1.0).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert inside(distance, 2.0).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_rounded_meeting_cuts_corners_only() -> None:
    first, second = np.array([5.0, 0.0, 1.0]), np.array([1.0, 0.0, 9.0])
    # (r − |a − b|)² / 4r less than the smaller one.
    assert rounded(first, second, 2.0).tolist() == [1.0, -0.5, 1.0]


def test_a_window_holds_the_points_of_its_box() -> None:
    grid = Grid.spanning((0, 9), (-3, 3), (10, 20), (1.0, 1.5, 2.0))
    assert grid.shape == (5, 6, 10)
    assert grid.steps == (1.0, 1.5, 2.0)
    part = grid.part(grid.window((2.5, 6.5), (-2, 2), (13, 17)))
    assert (part.x.tolist(), part.y.tolist(), part.z.tolist()) == ([3, 4, 5, 6], [-1.5, 0, 1.5], [14, 16])
    assert not grid.part(grid.window((100, 200), (-2, 2), (13, 17)))


@pytest.mark.parametrize("smooth", [True, False])
def test_a_texture_belongs_to_the_place_not_to_the_grid(smooth: bool) -> None:
    fine = Grid.spanning((-10, 10), (-4, 4), (0, 12), (0.5, 1.0, 0.5))
    cut = Grid(fine.x[::2][3:], fine.y[1:], fine.z[4::4])
    whole = field(chance_for("t"), fine, (0, 0, 0), (3.0, 5.0), smooth=smooth)
    part = field(chance_for("t"), cut, (0, 0, 0), (3.0, 5.0), smooth=smooth)
    assert part == pytest.approx(whole[1:, 4::4, ::2][..., 3:], abs=1e-4)
    other = field(chance_for("u"), fine, (0, 0, 0), (3.0, 5.0), smooth=smooth)
    assert abs(np.corrcoef(whole.ravel(), other.ravel())[0, 1]) < 0.4
    large = Grid.spanning((-40, 40), (-40, 40), (-40, 40), (1.7, 1.7, 1.7))
    assert field(chance_for("t"), large, (0, 0, 0), (3.0, 5.0), smooth=smooth).std() == pytest.approx(1, abs=0.2)


def test_labels_lie_at_the_places_of_the_patient(patient: Patient, sagittal: Scan, axial: Scan) -> None:
    one = patient.vertebra("L2")
    for scan in (sagittal, axial):
        middle = tuple(round(place) for place in scan.voxel((one.x, one.y, one.z)))
        assert scan.bodies[middle] == CODES["L2"]
        assert scan.levels[middle] == CODES["L2"]
        assert set(np.unique(scan.bodies)) <= {0} | {CODES[level] for level in patient.levels}
        # A spinous process is part of the vertebra and not of its body.
        behind = tuple(round(place) for place in scan.voxel(one.place(-one.depth / 2 - 32, -9.0)))
        assert scan.bodies[behind] == 0
        if scan is sagittal:
            assert scan.levels[behind] == CODES["L2"]


def test_corners_of_the_truth_bound_the_body(patient: Patient, sagittal: Scan) -> None:
    body = np.argwhere(sagittal.bodies[2] == CODES["L2"])
    corners = np.array([sagittal.voxel(corner)[1:] for corner in corners_of(patient.vertebra("L2"))])
    assert body.min(axis=0) == pytest.approx(corners.min(axis=0), abs=1.5)
    assert body.max(axis=0) == pytest.approx(corners.max(axis=0), abs=1.5)


@pytest.mark.parametrize("name", ["sagittal", "axial"])
def test_a_file_gives_back_the_slices_and_where_they_lie(
    name: str, request: pytest.FixtureRequest, patient: Patient, tmp_path: Path
) -> None:
    scan: Scan = request.getfixturevalue(name)
    path = tmp_path / "scan.nii.gz"
    write(path, scan.values, scan)
    image = read_image(path)
    assert np.array_equal(image.values, scan.values)
    assert image.spacing == pytest.approx(scan.spacing)
    write(path, scan.levels, scan)
    assert np.array_equal(read_image(path).values, scan.levels)
    stored = nibabel.Nifti1Image.from_filename(path)
    assert nibabel.aff2axcodes(stored.affine) == ("R", "A", "S")
    # The scanner's millimetres: right, anterior, superior.
    one = patient.vertebra("L2")
    voxel = np.linalg.inv(stored.affine) @ [-one.y, one.x, one.z, 1.0]
    assert np.asarray(stored.dataobj)[tuple(np.rint(voxel[:3]).astype(int))] == CODES["L2"]
    assert bytes(stored.header["descrip"].item()).startswith(b"SYNTHETIC")
