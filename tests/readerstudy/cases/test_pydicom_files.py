"""Every file that pydicom installs for its own tests: it comes through exactly, or is refused with a known sentence."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError
from pydicom.pixels import apply_color_lut

from readerstudy.cases import dicom
from readerstudy.cases.pictures import AS_IT_IS, Unreadable
from tests.readerstudy.cases.decoded_here import pictures_of, stack_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

INSTALLED = Path(pydicom.__file__).parent / "data"
# Files with pixels, or that say so, which are not taken, and the words by which they are refused.
REFUSED = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "damaged or cut off",
    "MR_truncated.dcm": "damaged or cut off",
    "badVR.dcm": "a dose distribution",
    "chrJapMulti.dcm": "holds no picture.*pixels are missing",
    "chrJapMultiExplicitIR6.dcm": "holds no picture.*pixels are missing",
    "chrKoreanMulti.dcm": "holds no picture.*pixels are missing",
    "liver_1frame.dcm": "a segmentation",
    "liver_expb_1frame.dcm": "a segmentation",
    "meta_missing_tsyntax.dcm": "lacks Rows",
    "rtdose.dcm": "a dose distribution",
    "rtdose_1frame.dcm": "a dose distribution",
    "rtdose_expb.dcm": "a dose distribution",
    "rtdose_expb_1frame.dcm": "a dose distribution",
    "rtdose_rle.dcm": "a dose distribution",
    "rtdose_rle_1frame.dcm": "a dose distribution",
}
# Without badVR.dcm, of which pydicom cannot say how many frames it has.
NOT_PICTURES = [name for name, words in REFUSED.items() if words.startswith("a ") and name != "badVR.dcm"]
# Not decoded by pydicom, so tested for themselves (`test_dicom`).
OF_TWELVE_BITS = ("JPGExtended.dcm", "JPEG-lossy.dcm")
NO_PICTURE = ("lacks Rows", "structured report", "plan of radiotherapy", "waveform", "type is not known", "markup")


class Sample(NamedTuple):
    path: Path
    values: NDArray[np.generic]
    data: pydicom.Dataset

    @property
    def is_grey(self) -> bool:
        return str(self.data.PhotometricInterpretation).startswith("MONOCHROME")


def files() -> list[Path]:
    # Only what pydicom installs: its own look-up would try to download the rest.
    return sorted(
        path for path in INSTALLED.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc", ".json")
    )


def samples() -> Iterator[Sample]:
    for path in files():
        if path.name in (*REFUSED, *OF_TWELVE_BITS):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data = pydicom.dcmread(path)
                values = data.pixel_array
        except (InvalidDicomError, AttributeError):
            continue
        yield Sample(path, values, data)


def named(found: list[Sample]) -> list[object]:
    return [pytest.param(sample, id=sample.path.name) for sample in found]


SAMPLES = list(samples())
GREY = [sample for sample in SAMPLES if sample.is_grey]
COLOUR = [sample for sample in SAMPLES if not sample.is_grey]


def assert_exact(path: Path, data: pydicom.Dataset, values: NDArray[np.generic]) -> None:
    slope, intercept = float(data.get("RescaleSlope", 1)), float(data.get("RescaleIntercept", 0))
    frames = values if values.ndim == 3 else values[None]

    for picture, frame in zip(pictures_of(path), frames, strict=True):
        assert np.array_equal(picture.pixels * picture.slope + picture.intercept, frame * slope + intercept)
        assert picture.pixels.max() < 1 << picture.bits
        assert picture.inverted == (data.PhotometricInterpretation == "MONOCHROME1")


@pytest.mark.parametrize("sample", named(GREY))
def test_every_grey_file_comes_through_exactly(sample: Sample) -> None:
    assert_exact(sample.path, sample.data, sample.values)


@pytest.mark.parametrize("name", NOT_PICTURES)
def test_what_is_refused_as_no_picture_has_its_pixels_decoded_as_well(name: str, tmp_path: Path) -> None:
    (path,) = INSTALLED.rglob(name)
    data = pydicom.dcmread(path)
    data.Modality = "OT"
    data.save_as(tmp_path / "a.dcm")

    if data.BitsAllocated <= 16:
        assert_exact(tmp_path / "a.dcm", data, data.pixel_array)
    else:
        frames = data.pixel_array.reshape(-1, data.Rows, data.Columns)
        for picture, frame in zip(pictures_of(tmp_path / "a.dcm"), frames, strict=True):
            assert np.abs(picture.pixels * picture.slope + picture.intercept - frame).max() <= picture.slope * 0.51
        assert any("scaled to 16" in note for note in stack_of(tmp_path / "a.dcm").facts.notes)


def colours(sample: Sample) -> NDArray[np.uint8]:
    """pydicom's own red, green and blue; of those deeper than 8 bits the upper 8."""
    values, bits = sample.values, sample.data.BitsStored
    if sample.data.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, sample.data)
        bits = values.itemsize * 8
    frames: NDArray[np.uint8] = (values >> (bits - 8)).astype(np.uint8)
    return frames if frames.ndim == 4 else frames[None]


@pytest.mark.parametrize("sample", named(COLOUR))
def test_every_colour_file_comes_through_exactly(sample: Sample) -> None:
    for picture, frame in zip(pictures_of(sample.path), colours(sample), strict=True):
        assert np.array_equal(picture.pixels, frame)
        assert (picture.bits, picture.samples, picture.window) == (8, 3, AS_IT_IS)


def test_colours_deeper_than_8_bits_are_said_to_lose_the_lower_ones() -> None:
    said = {
        sample.path.name for sample in COLOUR if any("upper 8" in note for note in dicom.read(sample.path).facts.notes)
    }

    assert said == {sample.path.name for sample in COLOUR if sample.values.itemsize > 1 and sample.values.ndim > 2}
    assert len(said) == 4


def test_as_many_files_were_tried_as_pydicom_installs() -> None:
    assert (len(GREY), len(COLOUR)) == (59, 33)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_refused_in_words(name: str) -> None:
    (path,) = INSTALLED.rglob(name)

    with pytest.raises(Unreadable, match=REFUSED[name]):
        pictures_of(path)


def test_everything_else_is_no_picture_and_said_to_be_none() -> None:
    tried = {sample.path for sample in SAMPLES}
    for path in files():
        if path in tried or path.name in (*REFUSED, *OF_TWELVE_BITS):
            continue
        with pytest.raises(Unreadable) as refusal:
            pictures_of(path)
        assert any(words in str(refusal.value) for words in NO_PICTURE), (path.name, str(refusal.value))
