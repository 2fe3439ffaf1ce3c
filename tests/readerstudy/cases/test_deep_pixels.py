"""Pixels of other depths than 8 and 16 bits, look-up tables, and compressed frames of one file."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from readerstudy.cases.pictures import Unreadable
from tests.readerstudy.cases.decoded_here import pictures_of as pictures
from tests.readerstudy.cases.decoded_here import stack_of
from tests.readerstudy.cases.test_dicom import SMALL, made, shown_values


@pytest.mark.parametrize(("keyword", "kind"), [("FloatPixelData", np.float32), ("DoubleFloatPixelData", np.float64)])
def test_floats_come_within_half_a_step_and_say_so(keyword: str, kind: type, tmp_path: Path) -> None:
    values = np.random.default_rng(6).normal(3, 40, (20, 30)).astype(kind)
    values[0, 0] = np.nan
    path = made(tmp_path / "a.dcm", SMALL, Rows=20, Columns=30)
    data = pydicom.dcmread(path)
    del data.PixelData, data.PixelRepresentation
    data.BitsAllocated = data.BitsStored = values.itemsize * 8
    setattr(data, keyword, values.tobytes())
    data.save_as(path)

    (picture,) = pictures(path)

    step = (np.nanmax(values) - np.nanmin(values)) / 65535
    expected = np.nan_to_num(values, nan=np.nanmin(values))
    assert np.abs(shown_values(picture) - expected).max() <= step * 0.51
    said = f"The values were scaled to 16 bits; shown values are within {step / 2:.2g} of the file's."
    assert stack_of(path).facts.notes[0] == said


def test_wide_integers_that_fit_are_exact_and_others_are_scaled_and_said(tmp_path: Path) -> None:
    narrow = np.array([[-70_000, -10_000, -69_999]], dtype=np.int32)
    wide = np.array([[0, 1 << 24, 12345]], dtype=np.int32)
    one, other = made(tmp_path / "a.dcm", narrow), made(tmp_path / "b.dcm", wide)

    assert np.array_equal(shown_values(pictures(one)[0]), narrow)
    assert np.abs(shown_values(pictures(other)[0]) - wide).max() <= (1 << 24) / 65535 / 2
    assert "scaled" not in str(stack_of(one).facts.notes)
    assert "scaled to 16 bits; shown values are within 1.3e+02 of the file's." in stack_of(other).facts.notes[0]


@pytest.mark.parametrize("last", [1e308, 1e304])
def test_values_without_an_end_are_refused_in_words(last: float, tmp_path: Path) -> None:
    path = made(tmp_path / "a.dcm", SMALL, Rows=1, Columns=2, RescaleSlope="1e5")
    data = pydicom.dcmread(path)
    del data.PixelData, data.PixelRepresentation
    data.BitsAllocated = data.BitsStored = 64
    data.DoubleFloatPixelData = np.array([-last, last]).tobytes()
    data.save_as(path)

    with pytest.raises(Unreadable, match="larger than any that can be shown"):
        pictures(path)


def test_a_picture_of_one_bit_is_exact(tmp_path: Path) -> None:
    bits = np.array([[1, 0, 1, 1, 0, 0, 1, 0], [0, 1, 1, 0, 1, 0, 0, 1]], dtype=np.uint8)
    path = made(tmp_path / "a.dcm", bits, BitsAllocated=1, BitsStored=1, HighBit=0)
    data = pydicom.dcmread(path)
    data.PixelData = np.packbits(bits, bitorder="little").tobytes()
    data.save_as(path)

    (picture,) = pictures(path)

    assert picture.bits == 1
    assert np.array_equal(picture.pixels, bits)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"])
def test_frames_of_a_compressed_multi_frame_file_are_exact(syntax: str, tmp_path: Path) -> None:
    volume = np.random.default_rng(8).integers(0, 4096, (3, 64, 80)).astype(np.uint16)
    path = made(tmp_path / "a.dcm", volume, BitsStored=12, HighBit=11)
    data = pydicom.dcmread(path)
    data.compress(syntax, generate_instance_uid=False)
    data.save_as(path)

    assert np.array_equal([picture.pixels for picture in pictures(path)], volume)
