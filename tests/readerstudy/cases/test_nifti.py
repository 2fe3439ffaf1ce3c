"""NIfTI volumes; orientation is checked against nibabel's affine, values against nibabel's own scaling."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from readerstudy.cases import kinds, nifti
from readerstudy.cases.geometry import patient_millimetres
from readerstudy.cases.pictures import Picture, Unreadable
from tests.readerstudy.cases.decoded_here import stack_of
from tests.shared_data import shared


def volume(path: Path, values: np.ndarray, affine: np.ndarray | None = None, kind: type = nib.Nifti1Image) -> Path:
    kind(values, np.eye(4) if affine is None else affine).to_filename(path)
    return path


def shown_values(picture: Picture) -> np.ndarray:
    return picture.pixels * picture.slope + picture.intercept


def check_every_voxel(path: Path, tolerance: float = 0.0) -> None:
    """Each shown pixel must equal nibabel's value at the voxel that lies at the pixel's patient position."""
    image = nib.load(path)
    values = np.asarray(image.get_fdata(dtype=np.float64)).reshape(image.shape[:3])
    to_voxel = np.linalg.inv(image.affine)
    count = 0
    for picture in nifti.read(path).pictures:
        rows, columns = picture.pixels.shape
        for row, column in ((0, 0), (rows - 1, 0), (0, columns - 1), (rows // 2, columns // 3)):
            point = patient_millimetres(picture.geometry, column + 0.5, row + 0.5)
            assert point is not None
            right_anterior = np.array([-point[0], -point[1], point[2], 1.0])
            voxel = tuple(np.rint((to_voxel @ right_anterior)[:3]).astype(int))
            assert shown_values(picture)[row, column] == pytest.approx(values[voxel], abs=tolerance)
        count += picture.pixels.size
    assert count == values.size


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "SAL", "IRA", "ASR"])
@pytest.mark.parametrize("sizes", [(1.0, 1.0, 1.0), (0.5, 0.5, 4.0), (4.0, 0.5, 0.6)])
def test_every_voxel_is_shown_where_it_lies(codes: str, sizes: tuple[float, float, float], tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(-500, 900, (5, 6, 7), dtype=np.int16)
    axes = nib.orientations.axcodes2ornt(tuple(codes))
    affine = np.zeros((4, 4))
    affine[:3, 3], affine[3, 3] = (-30, 20, 5), 1
    for voxel_axis, (axis, sign) in enumerate(axes):
        affine[int(axis), voxel_axis] = sign * sizes[voxel_axis]

    check_every_voxel(volume(tmp_path / "a.nii.gz", values, affine))


def test_an_oblique_volume_keeps_its_own_directions(tmp_path: Path) -> None:
    turn = np.eye(4)
    angle = np.deg2rad(20)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    values = np.random.default_rng(2).integers(0, 3000, (5, 6, 7), dtype=np.int16)

    check_every_voxel(volume(tmp_path / "a.nii", values, turn @ np.diag([0.8, 0.8, 2.5, 1])))


@pytest.mark.parametrize(
    ("sizes", "plane", "orientation"),
    [
        ((1.0, 1.0, 1.0), "axial", (1, 0, 0, 0, 1, 0)),
        ((4.0, 0.5, 0.5), "sagittal", (0, 1, 0, 0, 0, -1)),
        ((0.5, 4.0, 0.5), "coronal", (1, 0, 0, 0, 0, -1)),
    ],
)
def test_slices_are_those_in_which_the_volume_was_taken(
    sizes: tuple[float, float, float], plane: str, orientation: tuple[float, ...], tmp_path: Path
) -> None:
    path = volume(tmp_path / "a.nii", np.zeros((4, 5, 6), dtype=np.int16), np.diag([*sizes, 1.0]))
    first = next(nifti.read(path).pictures)

    assert stack_of(path).plane == plane
    # The patient's left is on the viewer's right; in sagittal pictures the front is on the left; the head is up.
    assert first.geometry.orientation == pytest.approx(orientation)


def test_slices_come_in_the_order_of_their_normal(tmp_path: Path) -> None:
    for sizes in ((1.0, 1.0, 1.0), (4.0, 0.5, 0.5), (0.5, 4.0, 0.5)):
        path = volume(tmp_path / "a.nii", np.zeros((4, 5, 6), dtype=np.int16), np.diag([*sizes, 1.0]))
        positions = [np.asarray(picture.geometry.position) for picture in nifti.read(path).pictures]
        row, column = np.split(np.asarray(next(nifti.read(path).pictures).geometry.orientation), 2)

        assert np.all(np.diff([position @ np.cross(row, column) for position in positions]) > 0)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_whole_numbers_within_sixteen_bits_are_exact(kind: type, tmp_path: Path) -> None:
    low, high = {np.int8: (-128, 127), np.uint8: (0, 255), np.uint16: (0, 65535)}.get(kind, (-30000, 30000))
    values = np.linspace(low, high, 60).round().astype(kind).reshape(3, 4, 5)
    path = volume(tmp_path / "a.nii", values)

    assert nifti.read(path).facts.notes == ()
    check_every_voxel(path)


def test_scaled_integers_are_exact_through_the_files_own_slope(tmp_path: Path) -> None:
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5) - 30
    image = nib.Nifti1Image(values, np.eye(4))
    image.header.set_slope_inter(0.25, -7)
    # nibabel rescales on writing unless the array already is what is to be stored.
    image = nib.Nifti1Image(values, np.eye(4), image.header)
    image.to_filename(tmp_path / "a.nii")

    check_every_voxel(tmp_path / "a.nii", tolerance=1e-9)


def test_fractions_are_scaled_within_half_a_step_and_a_note_says_so(tmp_path: Path) -> None:
    values = np.random.default_rng(3).uniform(-2, 5, (4, 5, 6))
    path = volume(tmp_path / "a.nii", values)

    assert "scaled to 16 bits" in nifti.read(path).facts.notes[0]
    check_every_voxel(path, tolerance=7 / 65535 / 2 + 1e-9)


def test_missing_values_are_shown_as_the_lowest(tmp_path: Path) -> None:
    values = np.array([[[1.5, np.nan, np.inf, 7.25]]])

    (picture,) = nifti.read(volume(tmp_path / "a.nii", values)).pictures

    assert sorted(shown_values(picture).ravel()) == pytest.approx([1.5, 1.5, 1.5, 7.25], abs=1e-4)


def test_the_second_version_of_the_format_is_read_too(tmp_path: Path) -> None:
    path = volume(tmp_path / "a.nii.gz", np.arange(24, dtype=np.int16).reshape(2, 3, 4), kind=nib.Nifti2Image)

    assert kinds.kind_of(path) == kinds.NIFTI
    check_every_voxel(path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((2, 3, 4, 5), dtype=np.int16), "4 dimensions"),
        (np.zeros((2, 3), dtype=np.int16), "2 dimensions"),
        (np.zeros((2, 3, 4), dtype=np.complex64), "complex"),
        (np.full((2, 3, 4), np.nan), "no finite value"),
    ],
)
def test_what_is_no_volume_is_said_in_words(values: np.ndarray, words: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=words):
        nifti.read(volume(tmp_path / "a.nii", values))


def test_a_fourth_dimension_of_one_does_no_harm(tmp_path: Path) -> None:
    assert nifti.read(volume(tmp_path / "a.nii", np.zeros((2, 3, 4, 1), dtype=np.int16))).count == 4


def test_a_header_that_claims_a_huge_volume_is_refused_before_reading(tmp_path: Path) -> None:
    path = volume(tmp_path / "a.nii", np.zeros((2, 3, 4), dtype=np.int16))
    content = bytearray(path.read_bytes())
    content[42:48] = (20000).to_bytes(2, "little") * 3
    path.write_bytes(gzip.compress(bytes(content)))

    with pytest.raises(Unreadable, match="refused"):
        nifti.read(path.rename(tmp_path / "b.nii.gz"))


@pytest.mark.parametrize("kept", [0, 4, 100, 347, 351, 400])
def test_a_header_that_was_cut_off_is_said_in_words(tmp_path: Path, kept: int) -> None:
    path = volume(tmp_path / "a.nii", np.random.default_rng(4).integers(0, 999, (6, 6, 6), dtype=np.int16))
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(Unreadable, match="damaged or cut off"):
        nifti.read(path)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_bytes_of_a_header_are_changed_the_volume_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    chance = np.random.default_rng(seed)
    path = volume(tmp_path / "a.nii", chance.integers(0, 999, (6, 5, 4), dtype=np.int16))
    content = bytearray(path.read_bytes())
    for place in chance.integers(0, 348, 6):
        content[place] = int(chance.integers(0, 256))
    path.write_bytes(bytes(content))

    try:
        stack = nifti.read(path)
        assert all(picture.pixels.size for picture in stack.pictures)
    except Unreadable as refusal:
        assert str(refusal).endswith(".")


def test_a_volume_that_was_cut_off_is_said_in_words(tmp_path: Path) -> None:
    path = volume(tmp_path / "a.nii.gz", np.random.default_rng(4).integers(0, 999, (20, 20, 20), dtype=np.int16))
    path.write_bytes(path.read_bytes()[:3000])

    with pytest.raises(Unreadable, match="damaged or cut off"):
        nifti.read(path)


SAMPLES = [
    "data/totalsegmentator_example_ct/example_ct.nii.gz",
    "data/tptbox_samples/TPTBox/tests/sample_ct/sub-ct_label-22_ct.nii.gz",
    "data/tptbox_samples/TPTBox/tests/sample_mri/sub-mri_label-6_T2w.nii.gz",
]


@pytest.mark.parametrize("name", SAMPLES)
def test_real_volumes_are_shown_exactly_where_they_lie(name: str) -> None:
    check_every_voxel(shared(name))


def test_the_real_ct_has_the_hounsfield_units_its_source_states() -> None:
    # SOURCE.md beside the file: 122 × 101 × 112 voxels of 3 mm, HU -1207 to 3382.
    stack = nifti.read(shared(SAMPLES[0]), "CT")
    found = [shown_values(picture) for picture in stack.pictures]

    assert (len(found), *found[0].shape) == (112, 101, 122)
    assert (min(map(np.min, found)), max(map(np.max, found))) == (-1207, 3382)
    assert stack_of(shared(SAMPLES[0]), modality="CT").unit == "HU"


def window_of(values: np.ndarray, modality: str, folder: Path) -> tuple[float, float]:
    window = next(nifti.read(volume(folder / "w.nii", values), modality).pictures).window
    assert window is not None
    return window.center, window.width


def test_a_ct_opens_in_a_window_for_hounsfield_units(tmp_path: Path) -> None:
    """By declaration or because there is air in it; what was scaled to greys, and other modalities, by their values."""
    cropped = np.random.default_rng(6).integers(-200, 900, (5, 6, 7)).astype(np.int16)
    whole = np.where(np.arange(7) < 2, -1024, cropped).astype(np.int16)
    bone = (400, 1800)

    assert window_of(cropped, "CT", tmp_path) == window_of(whole, "", tmp_path) == bone
    assert window_of(cropped, "", tmp_path)[1] < 1100
    assert window_of(whole, "MR", tmp_path) != bone
    assert window_of((cropped % 256).astype(np.int16), "CT", tmp_path)[1] <= 256


def test_a_volume_whose_two_places_contradict_each_other_says_so(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((4, 5, 6), dtype=np.int16), np.eye(4))
    image.set_qform(np.eye(4), code=1)
    image.set_sform(np.diag([1.0, 1.0, 2.0, 1.0]), code=1)
    image.to_filename(tmp_path / "a.nii")

    (note,) = nifti.read(tmp_path / "a.nii").facts.notes

    assert "contradict" in note


def test_a_volume_without_a_place_says_so(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((4, 5, 6), dtype=np.int16), None)
    image.to_filename(tmp_path / "a.nii")

    (note,) = nifti.read(tmp_path / "a.nii").facts.notes

    assert "left and right" in note


def test_a_sheared_volume_says_so(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[1, 2] = 0.3
    path = volume(tmp_path / "a.nii", np.zeros((4, 5, 6), dtype=np.int16), affine)

    assert any("right angles" in note for note in nifti.read(path).facts.notes)
