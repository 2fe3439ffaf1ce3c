"""High-Throughput JPEG 2000, which pydicom installs no file of and nothing here can write."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2K, UID, HTJ2KLossless, HTJ2KLosslessRPCL

from tests.readerstudy.cases.decoded_here import pictures_of
from tests.readerstudy.cases.test_dicom import made, shown_values

CODED = Path(__file__).parents[3] / "fixtures/htj2k"


def drawn(bits: int, first: int = 0) -> NDArray[Any]:
    row, column = np.mgrid[:20, :24]
    values = (row * 3700 + column * column * 11 + row * column) % (1 << bits) + first
    kind = np.int16 if first else np.uint8 if bits == 8 else np.uint16
    pixels: NDArray[Any] = values.astype(kind)
    return pixels


def coded(path: Path, name: str, pixels: NDArray[Any], syntax: UID, frames: int = 1, **tags: Any) -> Path:
    data = pydicom.dcmread(made(path, pixels, **tags))
    data.file_meta.TransferSyntaxUID = syntax
    data.NumberOfFrames = frames
    data.PixelData = encapsulate([(CODED / f"{name}.j2c").read_bytes()] * frames)
    data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
    data.save_as(path)
    return path


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
@pytest.mark.parametrize(("name", "bits", "first"), [("grey8", 8, 0), ("grey12", 12, 0), ("signed16", 16, -32768)])
def test_grey_comes_through_exactly(name: str, bits: int, first: int, syntax: UID, tmp_path: Path) -> None:
    values = drawn(bits, first)

    (picture,) = pictures_of(coded(tmp_path / "a.dcm", name, values, syntax, BitsStored=bits, HighBit=bits - 1))

    assert np.array_equal(shown_values(picture), values)
    assert picture.bits == bits


def test_colour_comes_through_exactly(tmp_path: Path) -> None:
    red = drawn(8)
    tags: dict[str, Any] = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "PhotometricInterpretation": "YBR_RCT"}

    (picture,) = pictures_of(coded(tmp_path / "a.dcm", "colour", red, HTJ2KLossless, **tags))

    assert np.array_equal(picture.pixels, np.stack([red, red[::-1], red[:, ::-1]], axis=2))


def test_every_frame_of_a_file_comes_through_exactly(tmp_path: Path) -> None:
    values = drawn(12)

    found = pictures_of(coded(tmp_path / "a.dcm", "grey12", values, HTJ2KLossless, frames=3, BitsStored=12, HighBit=11))

    assert [np.array_equal(picture.pixels, values) for picture in found] == [True] * 3


def test_what_was_coded_with_loss_is_as_near_as_another_decoder_has_it(tmp_path: Path) -> None:
    values = drawn(12)

    (picture,) = pictures_of(coded(tmp_path / "a.dcm", "grey12_lossy", values, HTJ2K, BitsStored=12, HighBit=11))

    # OpenJPH's own pixels are off by 12 at most and sum up to 987,947.
    assert 0 < np.abs(picture.pixels.astype(int) - values).max() <= 12
    assert abs(int(picture.pixels.sum()) - 987_947) <= 5
