"""PNG and TIFF of all depths, signed, unsigned and floating: exact, or with a sentence that says what is kept."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from readerstudy.cases import decoding
from readerstudy.cases.decoded import File, Refusal
from readerstudy.cases.pictures import Unreadable
from tests.readerstudy.cases.decoded_here import pictures_of, stack_of
from tests.readerstudy.cases.test_dicom import shown_values
from tests.readerstudy.cases.test_raster import NO_SPACING

CHANCE = np.random.default_rng(12)
# Unsigned, signed and floating, as TIFF counts them.
FORMATS = {"u": 1, "i": 2, "f": 3}


def tiff(path: Path, values: NDArray[Any], photometric: int = 1) -> Path:
    """One strip, nothing compressed."""
    rows, columns = values.shape
    content = values.astype(values.dtype.newbyteorder("<")).tobytes()
    tags = [(256, 4, columns), (257, 4, rows), (258, 3, 8 * values.itemsize), (259, 3, 1), (262, 3, photometric)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 4, rows), (279, 4, len(content)), (339, 3, FORMATS[values.dtype.kind])]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = b"II*\0" + struct.pack("<I", 8 + len(content))
    path.write_bytes(head + content + struct.pack("<H", len(tags)) + directory + bytes(4))
    return path


def png(path: Path, values: NDArray[np.uint16], colours: int) -> Path:
    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows, columns = values.shape[:2]
    header = struct.pack(">IIBBBBB", columns, rows, 16, colours, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = part(b"IHDR", header) + part(b"IDAT", zlib.compress(lines)) + part(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [
        *((np.uint8, 0, 255), (np.int8, -128, 127), (np.uint16, 0, 65535), (np.int16, -32768, 32767)),
        *((np.uint32, 4_000_000_000, 4_000_065_535), (np.int32, -100_000, -40_000)),
    ],
)
def test_whole_numbers_that_fit_are_exact(kind: type, first: int, last: int, tmp_path: Path) -> None:
    values: NDArray[Any] = CHANCE.integers(first, last, (20, 30), endpoint=True).astype(kind)

    (picture,) = pictures_of(tiff(tmp_path / "a.tif", values))

    assert np.array_equal(shown_values(picture), values)
    assert stack_of(tmp_path / "a.tif").facts.notes == (NO_SPACING,)


@pytest.mark.parametrize(
    "values",
    [
        CHANCE.normal(3, 40, (20, 30)).astype(np.float32),
        CHANCE.integers(0, 1 << 32, (20, 30)).astype(np.uint32),
    ],
)
def test_what_does_not_fit_comes_within_half_a_step_and_that_is_said(values: NDArray[Any], tmp_path: Path) -> None:
    (picture,) = pictures_of(tiff(tmp_path / "a.tif", values))

    assert np.abs(shown_values(picture) - values).max() <= picture.slope * 0.51
    said = f"The values were scaled to 16 bits; shown values are within {picture.slope / 2:.2g} of the file's."
    assert stack_of(tmp_path / "a.tif").facts.notes == (said, NO_SPACING)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_low_values_are_bright_where_the_file_says_so(kind: type, tmp_path: Path) -> None:
    values: NDArray[Any] = np.array([[0, 40, 250]], dtype=kind)

    (picture,) = pictures_of(tiff(tmp_path / "a.tif", values, photometric=0))

    shown = shown_values(picture)[0]
    darkest_first = shown if not picture.inverted else -shown
    assert (np.diff(darkest_first) < 0).all()


def test_colours_of_16_bits_keep_the_upper_8_and_that_is_said(tmp_path: Path) -> None:
    values = CHANCE.integers(0, 65536, (20, 30, 3)).astype(np.uint16)

    (picture,) = pictures_of(png(tmp_path / "a.png", values, colours=2))

    assert np.array_equal(picture.pixels, values >> 8)
    said = "Of colours of more than 8 bits the upper 8 were kept."
    assert stack_of(tmp_path / "a.png").facts.notes == (said, NO_SPACING)


@pytest.mark.parametrize(("samples", "colours"), [(3, 2), (2, 4)])
def test_grey_of_16_bits_that_would_lose_the_lower_ones_is_refused(samples: int, colours: int, tmp_path: Path) -> None:
    grey = CHANCE.integers(0, 65536, (20, 30, 1)).astype(np.uint16)

    with pytest.raises(Unreadable, match="save it as plain grey of 16 bits"):
        pictures_of(png(tmp_path / "a.png", np.repeat(grey, samples, axis=2), colours))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_whatever_bytes_are_changed_the_picture_is_read_or_refused(suffix: str, tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(chance.integers(0, 256, (12, 14), dtype=np.uint8)).save(path)
    whole = path.read_bytes()

    for _ in range(300):
        changed = bytearray(whole)
        for at in chance.integers(0, len(whole), chance.integers(1, 4)):
            changed[at] = chance.integers(256)
        path.write_bytes(changed)
        assert isinstance(decoding.decoded(path, tmp_path, alone=True), File | Refusal)
