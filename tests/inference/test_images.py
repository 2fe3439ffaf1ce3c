"""Files and stored frames show the same numbers; slices lie in the order of the patient; the unreadable says why."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Picture
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from inference.imaging.images import Image, image_of, pixel_digest, read_image, read_labels
from inference.imaging.pixels import UnreadableInput
from readerstudy.cases import nifti as site_nifti
from readerstudy.cases.geometry import spacing_between
from readerstudy.cases.pictures import Unreadable
from tests.inference.image_files import stored_frames, write_nifti, write_slice
from tests.readerstudy.cases.decoded_here import pictures_of as site_pictures

AXIAL, SAGITTAL = [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1]
chance = np.random.default_rng(5)


def turned(order: tuple[int, int, int], signs: tuple[int, int, int], sizes: tuple[float, float, float]) -> NDArray:
    """An affine whose axes run along those of the patient in that order and direction, then tilted by some degrees."""
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3)[:, list(order)] * signs) * sizes
    angle = np.deg2rad(9)
    tilt = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine[:3, :3] = tilt @ affine[:3, :3]
    affine[:3, 3] = (-31.0, 12.5, 400.0)
    return affine


def assert_same(first: Image, second: Image) -> None:
    """To the byte in what is shown and measured, to rounding in where it lies."""
    assert pixel_digest(first) == pixel_digest(second)
    assert (first.spacing, first.depths) == (second.spacing, second.depths)
    assert (first.affine is None) == (second.affine is None)
    if first.affine is not None:
        assert first.affine == pytest.approx(second.affine, abs=1e-9)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.permutations([0, 1, 2]),
    st.tuples(*[st.sampled_from([-1, 1])] * 3),
    st.sampled_from([(1.0, 1.0, 1.0), (0.5, 0.6, 4.0), (4.0, 0.5, 0.5), (0.7, 3.0, 0.7)]),
    st.sampled_from(["int16", "uint8", "float32", "int32"]),
    st.sampled_from([(1.0, 0.0), (0.1, -7.3), (2.0, -1024.0)]),
)
def test_a_volume_lies_as_the_site_imports_it(
    tmp_path: Path,
    order: tuple[int, int, int],
    signs: tuple[int, int, int],
    sizes: tuple[float, float, float],
    kind: str,
    line: tuple[float, float],
) -> None:
    values = (np.random.default_rng(0).random((4, 6, 5)) * 200).astype(kind)
    path = write_nifti(tmp_path / "v.nii", values, turned(order, signs, sizes), line)
    image, stack = read_image(path), site_nifti.read(path)
    pictures = list(stack.pictures)
    assert_same(image, image_of(stored_frames(pictures, tmp_path)))
    for number, picture in enumerate(pictures):
        geometry = picture.geometry
        assert image.affine is not None
        assert geometry.orientation is not None
        assert geometry.spacing == pytest.approx(image.spacing[1:])
        assert (image.affine @ [number, 0, 0, 1])[:3] == pytest.approx(geometry.position)
        assert image.affine[:3, 2] / image.spacing[2] == pytest.approx(geometry.orientation[:3])
        assert image.affine[:3, 1] / image.spacing[1] == pytest.approx(geometry.orientation[3:])
    assert image.spacing[0] == pytest.approx(spacing_between([picture.geometry for picture in pictures]))


def test_values_that_16_bits_cannot_hold_are_rounded_as_the_site_rounds_them(tmp_path: Path) -> None:
    values = chance.normal(size=(5, 5, 3)).astype(np.float32)
    values[0, 0, 0] = np.nan
    path = write_nifti(tmp_path / "v.nii.gz", values, np.eye(4), (1.0, 0.0))
    image = read_image(path)
    assert np.array_equal(image.values, image_of(stored_frames(site_nifti.read(path).pictures, tmp_path)).values)
    known = np.nan_to_num(values, nan=np.nanmin(values))
    closest = np.sort(known.ravel())
    assert np.allclose(np.sort(image.values.ravel()), closest, atol=np.ptp(known) / 65535)


def write_series(folder: Path, depths: list[float], orientation: list[int], *, step: float = 0.1) -> Path:
    """Signed slices named against their order in the patient; the value of a pixel tells the depth of its slice."""
    folder.mkdir()
    along = np.cross(orientation[:3], orientation[3:])
    for number, depth in enumerate(depths):
        pixels = np.full((6, 4), round(depth * 10), np.int16)
        pixels[0, 0] = -3
        write_slice(
            folder / f"{len(depths) - number:03}.dcm",
            pixels,
            InstanceNumber=len(depths) - number,
            ImageOrientationPatient=orientation,
            ImagePositionPatient=[float(value) for value in along * depth],
            PixelSpacing=[0.5, 0.25],
            RescaleSlope=step,
            RescaleIntercept=-0.3,
        )
    return folder


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL])
def test_a_series_is_sorted_by_place_whatever_its_files_are_called(tmp_path: Path, orientation: list[int]) -> None:
    folder = write_series(tmp_path / "series", [30, 10, 0, 20], orientation)
    (folder / "notes.txt").write_text("no picture, and no hindrance")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM, the index of a disc")
    image = read_image(folder)
    assert image.spacing == (10.0, 0.5, 0.25)
    assert image.values[:, 3, 3] == pytest.approx([-0.3, 9.7, 19.7, 29.7])
    assert image.depths == ()
    assert image.affine is not None
    assert (image.affine @ [2, 0, 0, 1])[:3] == pytest.approx(np.cross(orientation[:3], orientation[3:]) * 20)
    pictures = site_pictures(*sorted(folder.glob("*.dcm")))
    assert_same(image, image_of(stored_frames(pictures, tmp_path)))


def test_slices_that_do_not_lie_evenly_keep_their_places(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "series", [0, 4, 8, 20], AXIAL)
    image = read_image(folder)
    assert image.spacing[0] == 4
    assert image.depths == (0, 4, 8, 20)
    assert_same(image, image_of(stored_frames(site_pictures(*sorted(folder.iterdir())), tmp_path)))


def test_frames_of_an_enhanced_file_have_their_own_places_and_lines(tmp_path: Path) -> None:
    pixels = np.stack([np.full((5, 4), value, np.uint16) for value in (7, 8, 9)])
    groups = []
    for number, depth in enumerate((20.0, 0.0, 10.0)):
        group = Dataset()
        place, orientation, line = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient, orientation.ImageOrientationPatient = [0.0, 0.0, depth], AXIAL
        line.RescaleSlope, line.RescaleIntercept = number + 1, 100
        group.PlanePositionSequence, group.PlaneOrientationSequence = Sequence([place]), Sequence([orientation])
        group.PixelValueTransformationSequence = Sequence([line])
        groups.append(group)
    path = write_slice(
        tmp_path / "multi.dcm", pixels, NumberOfFrames=3, PerFrameFunctionalGroupsSequence=Sequence(groups)
    )
    image = read_image(path)
    assert image.values[:, 0, 0].tolist() == [2 * 8 + 100, 3 * 9 + 100, 7 + 100]
    assert image.spacing[0] == 10


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_bright_is_dense_on_every_film(tmp_path: Path, photometric: str) -> None:
    film = np.arange(24, dtype=np.uint16).reshape(4, 6)
    tags = {"Modality": "DX", "PhotometricInterpretation": photometric, "ImagerPixelSpacing": [0.2, 0.1]}
    path = write_slice(tmp_path / "film.dcm", film, **tags)
    image = read_image(path)
    assert np.array_equal(image.values[0], film if photometric == "MONOCHROME2" else -film.astype(float))
    assert image.spacing == (1.0, 0.2, 0.1)
    assert_same(image, image_of(stored_frames(site_pictures(path), tmp_path)))


def pictures_of(folder: Path) -> list[Path]:
    deep, shallow = (
        chance.integers(0, 65536, (7, 5)).astype(np.uint16),
        chance.integers(0, 256, (7, 5)).astype(np.uint8),
    )
    colour = chance.integers(0, 256, (7, 5, 3)).astype(np.uint8)
    exif = Picture.Exif()
    exif[0x0112] = 6
    Picture.fromarray(deep).save(folder / "deep.png")
    Picture.fromarray(shallow).save(folder / "shallow.png")
    Picture.fromarray(shallow > 127).save(folder / "binary.png")
    Picture.fromarray(colour).save(folder / "colour.png")
    Picture.fromarray(colour).quantize(16).save(folder / "palette.png")
    Picture.fromarray(np.dstack([colour, shallow])).save(folder / "transparent.png")
    Picture.fromarray(shallow).save(folder / "shallow.jpg")
    Picture.fromarray(colour).save(folder / "turned.jpg", exif=exif)
    return sorted(folder.iterdir())


def test_pictures_show_what_the_site_stores(tmp_path: Path) -> None:
    (tmp_path / "stored").mkdir()
    (tmp_path / "files").mkdir()
    files = pictures_of(tmp_path / "files")
    assert len(files) == 8
    for path in files:
        frames = stored_frames(site_pictures(path), tmp_path / "stored")
        assert pixel_digest(read_image(path)) == pixel_digest(image_of(frames)), path.name


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int32", "float32"])
def test_tiff_keeps_its_values_and_every_page_is_a_slice(tmp_path: Path, kind: str) -> None:
    pages = (chance.random((3, 6, 4)) * 200).astype(kind)
    first, *others = [Picture.fromarray(page) for page in pages]
    first.save(tmp_path / "stack.tif", save_all=True, append_images=others)
    assert np.array_equal(read_image(tmp_path / "stack.tif").values, pages)


def test_files_that_hold_no_image_say_why(tmp_path: Path) -> None:
    rubbish = b"nothing that could be an image"
    for name in ("film.png", "film.jpg", "film.tif", "film.dcm", "volume.nii", "volume.nii.gz"):
        (tmp_path / name).write_bytes(rubbish)
        with pytest.raises(UnreadableInput, match=name):
            read_image(tmp_path / name)
    Picture.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "film.gif")
    with pytest.raises(UnreadableInput, match=r"film\.gif is no image"):
        read_image(tmp_path / "film.gif")
    Picture.fromarray(np.full((4, 4), np.inf, np.float32)).save(tmp_path / "endless.tif")
    with pytest.raises(UnreadableInput, match=r"endless\.tif has values that are no numbers"):
        read_image(tmp_path / "endless.tif")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableInput, match="empty holds no DICOM"):
        read_image(tmp_path / "empty")
    with pytest.raises(UnreadableInput, match=r"absent\.png cannot be opened: No such file"):
        read_image(tmp_path / "absent.png")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["film.png", "film.jpg", "film.dcm", "v.nii.gz", "v.nii"]), st.data())
def test_a_file_cut_off_or_changed_is_read_or_refused_never_worse(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    whole = tmp_path / f"whole-{name}"
    if not whole.exists():
        pixels = np.arange(30 * 20, dtype=np.uint8).reshape(30, 20)
        if "nii" in name:
            write_nifti(whole, pixels[..., None], np.eye(4), (1.0, 0.0))
        elif name.endswith("dcm"):
            write_slice(whole, pixels)
        else:
            Picture.fromarray(pixels).save(whole)
    content = bytearray(whole.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content = content[:at] if data.draw(st.booleans()) else content[:at] + b"\xff\x00" + content[at + 2 :]
    path = tmp_path / name
    path.write_bytes(bytes(content))
    try:
        image = read_image(path)
    except UnreadableInput as error:
        assert str(error).endswith(".")
        assert "\n" not in str(error)
    else:
        assert image.values.ndim == 3
        assert np.isfinite(image.values).all()


def test_folders_that_are_no_series_say_why(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4), np.uint16)
    two = tmp_path / "two"
    two.mkdir()
    write_slice(two / "a.dcm", pixels)
    write_slice(two / "b.dcm", pixels, SeriesInstanceUID="1.2.4")
    with pytest.raises(UnreadableInput, match="several series"):
        read_image(two)
    sizes = tmp_path / "sizes"
    sizes.mkdir()
    write_slice(sizes / "a.dcm", pixels)
    write_slice(sizes / "b.dcm", np.zeros((4, 6), np.uint16))
    with pytest.raises(UnreadableInput, match="differ in size"):
        read_image(sizes)
    twice = tmp_path / "twice"
    twice.mkdir()
    for name in ("a.dcm", "b.dcm"):
        write_slice(twice / name, pixels, SOPInstanceUID="1.9")
    with pytest.raises(UnreadableInput, match="same image twice"):
        read_image(twice)


def test_volumes_that_cannot_be_placed_say_why(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="4 dimensions"):
        read_image(write_nifti(tmp_path / "v.nii", np.zeros((2, 2, 2, 2), np.uint8), np.eye(4), (1.0, 0.0)))
    nowhere = write_nifti(tmp_path / "w.nii", np.zeros((2, 2, 2), np.uint8), np.eye(4), (1.0, 0.0))
    image = nib.load(nowhere)
    image.header["sform_code"], image.header["pixdim"][1:4] = 1, 1
    for name in ("srow_x", "srow_y", "srow_z"):
        image.header[name] = 0
    (tmp_path / "x.nii").write_bytes(image.header.binaryblock + bytes(4) + bytes(8))
    with pytest.raises(UnreadableInput, match="where its voxels lie"):
        read_image(tmp_path / "x.nii")
    cut = tmp_path / "c.nii.gz"
    content = gzip.compress(nowhere.read_bytes())
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(UnreadableInput, match=r"c\.nii\.gz holds no NIfTI volume"):
        read_image(cut)


def test_frames_of_another_size_or_none_at_all_are_refused(tmp_path: Path) -> None:
    Picture.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    Picture.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "b.png")
    frames = stored_frames(site_pictures(tmp_path / "a.png", tmp_path / "b.png"), tmp_path)
    with pytest.raises(UnreadableInput, match="differ in size"):
        image_of(frames)
    with pytest.raises(UnreadableInput, match="no stored frames"):
        image_of([])


def test_labels_of_a_palette_are_its_numbers(tmp_path: Path) -> None:
    codes = chance.integers(0, 28, (6, 9)).astype(np.uint8)
    palette = Picture.fromarray(codes, mode="P")
    palette.putpalette(chance.integers(0, 256, 768).astype(np.uint8).tobytes())
    palette.save(tmp_path / "levels.png")
    Picture.fromarray(codes > 9).save(tmp_path / "binary.png")
    assert np.array_equal(read_labels(tmp_path / "levels.png").values[0], codes)
    assert np.array_equal(read_labels(tmp_path / "binary.png").values[0], codes > 9)
    Picture.fromarray(codes).save(tmp_path / "levels.jpg")
    with pytest.raises(UnreadableInput, match=r"levels\.jpg is a JPEG, which blurs labels"):
        read_labels(tmp_path / "levels.jpg")
    with pytest.raises(UnreadableInput, match=r"levels\.png has the shape \(1, 6, 9\), its image \(1, 9, 6\)"):
        read_labels(tmp_path / "levels.png", Image(np.zeros((1, 9, 6), np.float32)))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (1, -1, -1)])
def test_labels_drawn_on_a_series_are_turned_to_lie_as_it_lies(
    tmp_path: Path, order: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    # Sagittal DICOM slices with voxels of equal sides; as NIfTI the same voxels would be cut into axial slices.
    series = tmp_path / "series"
    series.mkdir()
    values = chance.integers(0, 5, (6, 6, 6)).astype(np.int16)
    for number, plane in enumerate(values):
        place = [-2.0 * number, 4.0, 30.0]
        tags = {"ImageOrientationPatient": SAGITTAL, "ImagePositionPatient": place, "PixelSpacing": [2, 2]}
        write_slice(series / f"{number}.dcm", plane, **tags)
    image = read_image(series)
    assert image.affine is not None
    # To nibabel's axes: right, anterior, superior; then stored in another order and direction.
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    stored, change = values, np.eye(4)
    for axis, sign in enumerate(signs):
        if sign < 0:
            stored = np.flip(stored, axis)
            change[axis, axis], change[axis, 3] = -1, 5
    stored, affine = stored.transpose(order), (affine @ change)[:, [*order, 3]]
    path = write_nifti(tmp_path / "labels.nii.gz", np.ascontiguousarray(stored), affine, (1.0, 0.0))
    assert np.array_equal(read_labels(path, image).values, values)
    shifted = affine.copy()
    shifted[:3, 3] += 2.5
    with pytest.raises(UnreadableInput, match="another grid"):
        read_labels(write_nifti(tmp_path / "x.nii.gz", stored.copy(), shifted, (1.0, 0.0)), image)


def test_the_digest_is_that_of_the_pixels_not_of_the_file(tmp_path: Path) -> None:
    pixels = chance.integers(0, 256, (9, 7)).astype(np.uint8)
    Picture.fromarray(pixels).save(tmp_path / "a.png", compress_level=1)
    Picture.fromarray(pixels).save(tmp_path / "b.png", compress_level=9)
    first, second = read_image(tmp_path / "a.png"), read_image(tmp_path / "b.png")
    assert pixel_digest(first) == pixel_digest(second)
    changed = first.values.copy()
    changed[0, 4, 4] += 1
    assert pixel_digest(Image(changed)) != pixel_digest(first)
    assert pixel_digest(Image(first.values.reshape(1, 7, 9))) != pixel_digest(first)


def test_every_way_of_coding_pixels_gives_what_the_site_stores(tmp_path: Path) -> None:
    """The files that pydicom is tested with: all transfer syntaxes, bits, signs, palettes, colours, many frames."""
    files = sorted((Path(pydicom.__file__).parent / "data").rglob("*.dcm"))
    read = 0
    for path in files:
        try:
            pictures = site_pictures(path)
        except Unreadable:
            continue
        assert_same(read_image(path), image_of(stored_frames(pictures, tmp_path)))
        read += 1
    assert read > 50
