"""DICOM files: pydicom's own test files, and files made here with names in every place where names stand."""

from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from readerstudy.cases import decoding, dicom
from readerstudy.cases.decoded import as_json
from readerstudy.cases.pictures import Picture, Unreadable
from tests.readerstudy.cases.decoded_here import pictures_of as pictures
from tests.readerstudy.cases.decoded_here import stack_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"


def made(path: Path, pixels: np.ndarray, **tags: Any) -> Path:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = tags.get("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID, data.Modality = "1.2.3", "CT"
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = pixels.itemsize * 8
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(pixels.dtype.kind == "i")
    if pixels.ndim == 3:
        data.NumberOfFrames = pixels.shape[0]
    data.PixelData = pixels.tobytes()
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    data.save_as(path, enforce_file_format=True)
    return path


def shown_values(picture: Picture) -> np.ndarray:
    return picture.pixels * picture.slope + picture.intercept


SMALL = np.arange(12, dtype=np.int16).reshape(3, 4)


def coded_lossless(path: Path) -> Path:
    """As JPEG Lossless, which pydicom cannot write."""
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    assert reader.Read()
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return path


@pytest.mark.parametrize(("kind", "first", "bits"), [(np.uint16, 0, 12), (np.int16, -2048, 12), (np.int16, -32768, 16)])
@pytest.mark.parametrize("frames", [1, 2])
def test_jpeg_lossless_comes_through_exactly(tmp_path: Path, kind: Any, first: int, bits: int, frames: int) -> None:
    values = np.random.default_rng(3).integers(first, first + (1 << bits), (frames, 30, 20)).astype(kind)
    path = made(tmp_path / "a.dcm", values if frames > 1 else values[0], BitsStored=bits, HighBit=bits - 1)

    found = pictures(coded_lossless(path))

    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.70"
    assert all(np.array_equal(shown_values(one), each) for one, each in zip(found, values, strict=True))


def test_jpeg_lossless_of_another_size_than_its_header_says_is_refused(tmp_path: Path) -> None:
    path = coded_lossless(made(tmp_path / "a.dcm", np.arange(600, dtype=np.uint16).reshape(30, 20)))
    data = pydicom.dcmread(path)
    data.Rows = 31
    data.save_as(path)

    with pytest.raises(Unreadable, match="damaged or cut off"):
        pictures(path)


@pytest.mark.parametrize(("kind", "expected"), [(np.uint16, [4095, 7]), (np.int16, [-1, 7])])
def test_what_stands_in_bits_that_are_not_used_is_left_out(tmp_path: Path, kind: Any, expected: list[int]) -> None:
    values = np.array([[0x5FFF, 0x3007]], dtype=np.uint16).view(kind)

    (found,) = pictures(made(tmp_path / "a.dcm", values, BitsStored=12, HighBit=11))

    assert shown_values(found).tolist() == [expected]


IDENTITY = "Mueller^Hans"


def test_nothing_that_identifies_is_handed_on(tmp_path: Path) -> None:
    item = Dataset()
    item.PatientName = IDENTITY
    path = made(
        tmp_path / f"{IDENTITY}.dcm",
        SMALL,
        PatientName=IDENTITY,
        PatientID=IDENTITY,
        InstitutionName=IDENTITY,
        SeriesDescription=IDENTITY,
        BodyPartExamined="MUELLER",
        ViewPosition="HANS",
        ImageComments=IDENTITY,
        ReferencedPatientSequence=Sequence([item]),
        WindowCenter=["40", "50"],
        WindowWidth=["400", "500"],
        WindowCenterWidthExplanation=[IDENTITY, IDENTITY],
        StudyInstanceUID="1.2.840.99.7777",
        AccessionNumber="7777",
    )
    data = pydicom.dcmread(path)
    data.private_block(0x0011, IDENTITY, create=True).add_new(1, "LO", IDENTITY)
    data.add_new(0x60003000, "OW", bytes(12))
    data.save_as(path)
    (tmp_path / "out").mkdir()

    told = as_json(decoding.decoded(path, tmp_path / "out", alone=True))

    assert not any(word in told.upper() for word in ("MUELLER", "HANS", "7777"))
    for written in (tmp_path / "out").iterdir():
        assert b"Mueller" not in written.read_bytes()


def test_known_body_part_side_and_view_are_kept(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.dcm",
        SMALL,
        BodyPartExamined="LSPINE",
        ImageLaterality="L",
        ViewPosition="LL",
        SliceThickness="2.5",
    )

    stack = stack_of(path)
    facts = stack.facts

    assert (facts.modality, facts.body_part, facts.laterality, facts.view) == ("CT", "LSPINE", "L", "LL")
    assert (stack.unit, stack.slice_thickness) == ("HU", 2.5)


def slices(folder: Path, order: list[int], **tags: Any) -> list[Path]:
    """One slice for each height, in files whose names and numbers say nothing about it."""
    return [
        made(
            folder / f"{chr(97 + n)}.dcm",
            np.full((3, 4), height, dtype=np.int16),
            InstanceNumber=len(order) - n,
            ImagePositionPatient=[0, 0, height],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            PixelSpacing=[0.5, 0.75],
            **tags,
        )
        for n, height in enumerate(order)
    ]


def test_slices_are_sorted_by_position_whatever_names_and_numbers_say(tmp_path: Path) -> None:
    paths = slices(tmp_path, [30, 10, 50, 20, 40])
    stack, found = stack_of(*paths), pictures(*paths)

    assert [shown_values(picture)[0, 0] for picture in found] == [10, 20, 30, 40, 50]
    assert [picture.geometry.position for picture in found] == [(0, 0, z) for z in (10, 20, 30, 40, 50)]
    assert found[0].geometry.spacing == (0.5, 0.75)
    assert (stack.plane, stack.facts.notes) == ("axial", ())


def test_slices_at_one_position_are_kept_and_noted(tmp_path: Path) -> None:
    paths = slices(tmp_path, [10, 20, 10])
    stack = stack_of(*paths)

    assert [shown_values(picture)[0, 0] for picture in pictures(*paths)] == [10, 10, 20]
    assert stack.facts.notes == ("Several slices lie at one position (echoes or times).",)


def test_files_of_two_series_are_refused(tmp_path: Path) -> None:
    one = made(tmp_path / "a.dcm", SMALL)
    other = made(tmp_path / "b.dcm", SMALL, SeriesInstanceUID="1.2.4")

    with pytest.raises(Unreadable, match="2 series"):
        stack_of(one, other)


def test_the_same_image_twice_is_refused(tmp_path: Path) -> None:
    one = made(tmp_path / "a.dcm", SMALL)
    (tmp_path / "b.dcm").write_bytes(one.read_bytes())

    with pytest.raises(Unreadable, match="there twice"):
        stack_of(one, tmp_path / "b.dcm")


def test_a_multi_frame_file_is_cut_into_its_frames_by_position(tmp_path: Path) -> None:
    volume = np.stack([np.full((3, 4), value, dtype=np.int16) for value in (7, 5, 6)])
    groups = []
    for height in (70, 50, 60):
        group, place = Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, height]
        group.PlanePositionSequence = Sequence([place])
        groups.append(group)
    shared, measures, directions, scale = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.4, 0.4], "3"
    directions.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    scale.RescaleSlope, scale.RescaleIntercept = "2", "-10"
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = (
        Sequence([measures]),
        Sequence([directions]),
    )
    shared.PixelValueTransformationSequence = Sequence([scale])

    found = pictures(
        made(
            tmp_path / "a.dcm",
            volume,
            PerFrameFunctionalGroupsSequence=Sequence(groups),
            SharedFunctionalGroupsSequence=Sequence([shared]),
        )
    )

    assert [shown_values(picture)[0, 0] for picture in found] == [0, 2, 4]
    assert [picture.geometry.position for picture in found] == [(0, 0, 50), (0, 0, 60), (0, 0, 70)]
    assert found[0].geometry.spacing == (0.4, 0.4)


def test_monochrome1_is_kept_and_marked_inverted(tmp_path: Path) -> None:
    (picture,) = pictures(made(tmp_path / "a.dcm", SMALL.astype(np.uint16), PhotometricInterpretation="MONOCHROME1"))

    assert picture.inverted
    assert np.array_equal(picture.pixels, SMALL)


def test_signed_values_are_exact(tmp_path: Path) -> None:
    values = np.array([[-1024, -1, 0], [1, 3071, -2048]], dtype=np.int16)

    (picture,) = pictures(
        made(tmp_path / "a.dcm", values, BitsStored=13, HighBit=12, RescaleSlope="0.5", RescaleIntercept="3")
    )

    assert np.array_equal(shown_values(picture), values * 0.5 + 3)
    assert picture.bits == 13


def test_padding_outside_the_stored_bits_is_still_exact(tmp_path: Path) -> None:
    values = np.array([[-2000, 0, 4095]], dtype=np.int16)

    (picture,) = pictures(made(tmp_path / "a.dcm", values, BitsStored=16))

    assert np.array_equal(shown_values(picture), values)


@pytest.mark.parametrize(
    ("modality", "tags", "spacing", "calibrated"),
    [
        ("CT", {"PixelSpacing": [0.5, 0.5]}, (0.5, 0.5), True),
        ("DX", {"ImagerPixelSpacing": [0.1, 0.2]}, (0.1, 0.2), False),
        ("DX", {"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.1, 0.1]}, (0.1, 0.1), False),
        ("DX", {"PixelSpacing": [0.09, 0.09], "ImagerPixelSpacing": [0.1, 0.1]}, (0.09, 0.09), True),
        ("DX", {"PixelSpacing": [0.1, 0.1], "PixelSpacingCalibrationType": "FIDUCIAL"}, (0.1, 0.1), True),
        ("CR", {"PixelSpacing": [0.1, 0.1]}, (0.1, 0.1), False),
        ("CR", {}, None, False),
        ("CT", {"PixelSpacing": [0, 0]}, None, False),
    ],
)
def test_a_spacing_at_the_detector_is_not_one_in_the_patient(
    modality: str, tags: dict[str, Any], spacing: tuple[float, float] | None, calibrated: bool, tmp_path: Path
) -> None:
    (picture,) = pictures(made(tmp_path / "a.dcm", SMALL, Modality=modality, **tags))

    assert (picture.geometry.spacing, picture.geometry.calibrated) == (spacing, calibrated)


def test_a_modality_table_is_applied(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [12, 0, 16], "US"
    table.LUTData = (np.arange(12) ** 2).astype("<u2").tobytes()

    (picture,) = pictures(made(tmp_path / "a.dcm", SMALL.astype(np.uint16), ModalityLUTSequence=Sequence([table])))

    assert np.array_equal(shown_values(picture), SMALL.astype(int) ** 2)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned into"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "secondary capture"),
        ({"ConversionType": "WSD"}, "secondary capture"),
        ({"Modality": "US"}, "modality US"),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, "derived"),
    ],
)
def test_pictures_that_may_carry_names_wait_for_a_person(tags: dict[str, Any], words: str, tmp_path: Path) -> None:
    reasons = dicom.read(made(tmp_path / "a.dcm", SMALL, **tags)).facts.quarantine

    assert [words in reason for reason in reasons] == [True]


def test_a_radiograph_for_presentation_is_not_held_back(tmp_path: Path) -> None:
    path = made(tmp_path / "a.dcm", SMALL, Modality="DX", ImageType=["DERIVED", "PRIMARY"], BurnedInAnnotation="NO")

    assert dicom.read(path).facts.quarantine == ()


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"Rows": 65000, "Columns": 65000}, "65000 × 65000"),
        ({"NumberOfFrames": 20001}, "20,001 frames"),
        ({"Rows": 0}, "0 rows"),
        ({"BitsAllocated": 24, "BitsStored": 24}, "24 bits"),
        ({"PhotometricInterpretation": "HSV"}, "neither grey nor"),
        ({"Modality": "SEG"}, "segmentation"),
        ({"Rows": 300, "Columns": 300}, "damaged or cut off"),
    ],
)
def test_headers_that_cannot_be_are_refused_in_words(tags: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=words):
        pictures(made(tmp_path / "a.dcm", SMALL, **tags))


@pytest.mark.parametrize("name", ["JPGExtended.dcm", "JPEG-lossy.dcm"])
def test_twelve_bit_jpeg_extended_has_the_pixels_of_other_decoders(name: str) -> None:
    (picture,) = pictures(INSTALLED / name)

    # Two pixels as pydicom's own tests expect them of libjpeg; the sum as libjpeg-turbo 3.1.3 decodes it.
    assert (picture.pixels[420, 140], picture.pixels[230, 120]) == (244, 95)
    assert (picture.pixels.sum(), picture.bits) == (3_767_007, 12)


@pytest.mark.parametrize(
    ("tags", "words"), [({"BitsStored": 10}, "8 or 12 bits"), ({"Rows": 512}, "damaged"), ({"Rows": 2048}, "damaged")]
)
def test_jpeg_extended_that_is_not_as_its_header_says_is_refused(
    tags: dict[str, Any], words: str, tmp_path: Path
) -> None:
    data = pydicom.dcmread(INSTALLED / "JPGExtended.dcm")
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    data.save_as(tmp_path / "a.dcm")

    with pytest.raises(Unreadable, match=words):
        pictures(tmp_path / "a.dcm")


def test_jpeg_extended_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    data = pydicom.dcmread(INSTALLED / "JPGExtended.dcm")
    (coded,) = generate_frames(data.PixelData, number_of_frames=1)
    data.PixelData = encapsulate([coded[: len(coded) // 2]])
    data.save_as(tmp_path / "a.dcm")

    with pytest.raises(Unreadable, match="damaged or cut off"):
        pictures(tmp_path / "a.dcm")


def test_a_transfer_syntax_that_is_not_supported_is_named(tmp_path: Path) -> None:
    path = made(tmp_path / "a.dcm", SMALL)
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0"))

    with pytest.raises(Unreadable, match="transfer syntax"):
        pictures(path)


def test_the_sentence_of_a_damaged_file_quotes_nothing_of_it(tmp_path: Path) -> None:
    path = made(tmp_path / "a.dcm", SMALL, PatientName=IDENTITY)
    data = pydicom.dcmread(path)
    data.PixelData = b"1234"
    data.save_as(path)

    with pytest.raises(Unreadable) as refusal:
        pictures(path)

    assert str(path) not in str(refusal.value)
    assert "Mueller" not in str(refusal.value)
