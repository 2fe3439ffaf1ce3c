"""Stored frames, image files, DICOM: one and the same shown values; damaged ones refused with the reason."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from inference.imaging.images import image_of, read_image
from inference.imaging.pixels import UnreadableInput, decode_frame, fetch
from inference.prediction import Frame

FILM = np.arange(30 * 20, dtype=np.uint16).reshape(30, 20) * 7


def encode(pixels: NDArray[np.uint16]) -> bytes:
    """The frame format written down pixel by pixel, from its description, not from the decoder."""
    low, high = bytearray(), bytearray()
    for row in pixels.astype(int):
        before = 0
        for value in row:
            difference = (value - before) % 65536
            signed = difference - 65536 if difference >= 32768 else difference
            zigzag = 2 * signed if signed >= 0 else -2 * signed - 1
            low.append(zigzag & 255)
            high.append(zigzag >> 8)
            before = value
    return gzip.compress(bytes(low + high))


def stored(folder: Path, content: bytes, **changes: object) -> Frame:
    path = folder / "frame.f16"
    path.write_bytes(content)
    facts = {"uri": path.as_uri(), "sha256": hashlib.sha256(content).hexdigest(), "rows": 30, "columns": 20}
    return Frame(**{**facts, **changes})  # type: ignore[arg-type]


@given(arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_every_frame_comes_back_exactly(pixels: NDArray[np.uint16]) -> None:
    assert np.array_equal(decode_frame(encode(pixels), *pixels.shape), pixels)


def test_the_platform_writes_what_the_worker_reads() -> None:
    from readerstudy.cases import frames

    chance = np.random.default_rng(1)
    pixels = chance.integers(0, 65536, (65, 33)).astype(np.uint16)
    assert np.array_equal(decode_frame(frames.encode(pixels), 65, 33), pixels)


def test_of_a_frame_in_colour_a_model_gets_the_luminance_of_pillow(tmp_path: Path) -> None:
    from readerstudy.cases import frames

    colours = np.random.default_rng(2).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    frame = stored(tmp_path, frames.encode(colours), samples=3)
    assert np.array_equal(image_of([frame]).values[0], np.asarray(Image.fromarray(colours).convert("L")))
    with pytest.raises(UnreadableInput, match="does not hold the 30 × 20 pixels"):
        image_of([stored(tmp_path, frames.encode(colours))])


def test_shown_values_follow_slope_intercept_and_photometric(tmp_path: Path) -> None:
    frame = stored(tmp_path, encode(FILM), slope=0.5, intercept=-1024.0)
    assert np.array_equal(image_of([frame]).values[0], FILM * np.float32(0.5) - 1024)
    inverted = stored(tmp_path, encode(FILM), slope=0.5, intercept=-1024.0, inverted=True)
    assert np.array_equal(image_of([inverted]).values[0], 1024 - FILM * np.float32(0.5))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "SHA-256 differs"),
        ({"rows": 31}, "does not hold the 31 × 20 pixels"),
        ({"columns": 19}, "does not hold the 30 × 19 pixels"),
        ({"uri": "file:///no/such/place"}, "cannot be fetched"),
        ({"uri": "ftp://somewhere/frame"}, "not from 'ftp'"),
    ],
)
def test_frames_that_cannot_be_read_say_why(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(UnreadableInput, match=reason):
        image_of([stored(tmp_path, encode(FILM), **changes)])


@given(st.binary(max_size=60))
def test_rubbish_is_never_more_than_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableInput):
        decode_frame(content, 30, 20)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    with pytest.raises(UnreadableInput, match="does not hold"):
        decode_frame(bomb, 30, 20)


def test_sixteen_bit_png_keeps_its_values(tmp_path: Path) -> None:
    Image.fromarray(FILM).save(tmp_path / "film.png")
    assert np.array_equal(read_image(tmp_path / "film.png").values[0], FILM)


def dicom(path: Path, photometric: str) -> Path:
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    dataset.Rows, dataset.Columns = FILM.shape
    dataset.SamplesPerPixel, dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 1, 16, 16, 15
    dataset.PixelRepresentation, dataset.PhotometricInterpretation = 0, photometric
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -100
    dataset.PixelData = FILM.tobytes()
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_dicom_and_its_stored_frame_show_the_same(tmp_path: Path) -> None:
    for photometric in ("MONOCHROME2", "MONOCHROME1"):
        shown = read_image(dicom(tmp_path / "film.dcm", photometric)).values[0]
        frame = stored(tmp_path, encode(FILM), slope=2.0, intercept=-100.0, inverted=photometric == "MONOCHROME1")
        assert np.array_equal(shown, image_of([frame]).values[0])


def test_files_that_hold_no_pixels_say_why(tmp_path: Path) -> None:
    for name in ("film.png", "film.dcm", "volume.nii.gz"):
        (tmp_path / name).write_bytes(b"nothing that could be an image")
        with pytest.raises(UnreadableInput, match=name):
            read_image(tmp_path / name)


def test_addresses_are_unquoted(tmp_path: Path) -> None:
    (tmp_path / "a file.bin").write_bytes(b"content")
    assert fetch((tmp_path / "a file.bin").as_uri()) == b"content"


@pytest.fixture
def storage() -> Iterator[tuple[str, list[int], list[str]]]:
    """A storage over HTTP: its address, the states that it answers first, and what it was asked."""
    states: list[int] = []
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(states.pop(0) if states else 200)
            self.end_headers()
            self.wfile.write(b"content")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/frame", states, asked
    server.shutdown()
    server.server_close()


def test_a_busy_storage_is_asked_three_times(storage: tuple[str, list[int], list[str]]) -> None:
    address, states, asked = storage
    states.extend([503, 503])
    assert fetch(address) == b"content"
    assert len(asked) == 3
    states.extend([503, 503, 503])
    with pytest.raises(UnreadableInput, match="cannot be fetched"):
        fetch(address)
    assert len(asked) == 6


def test_what_a_storage_has_not_is_told_at_once(storage: tuple[str, list[int], list[str]]) -> None:
    address, states, asked = storage
    states.append(404)
    with pytest.raises(UnreadableInput, match="cannot be fetched"):
        fetch(address)
    assert len(asked) == 1
