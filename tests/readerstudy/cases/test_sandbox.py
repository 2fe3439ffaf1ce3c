"""Bombs and crashes: the decoder process may die, the parent says a sentence and goes on."""

import os
import resource
import signal
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from readerstudy.cases.pictures import Unreadable
from readerstudy.cases.sandbox import Limits, Sandbox

INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"


def picture(folder: Path) -> Path:
    path = folder / "good.png"
    Image.fromarray(np.arange(600, dtype=np.uint8).reshape(20, 30)).save(path)
    return path


def deflated_bomb(path: Path, megabytes: int) -> Path:
    """A deflated DICOM file whose data set unpacks to a thousand times its size."""
    whole = (INSTALLED / "image_dfl.dcm").read_bytes()
    data = pydicom.dcmread(INSTALLED / "image_dfl.dcm")
    length = int(data.file_meta.FileMetaInformationGroupLength)
    head = whole[: 128 + 4 + 12 + length]
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100")
    # One private element of unknown content that never ends.
    packed += packer.compress(b"\x09\x00\x10\x00OB\0\0" + (megabytes << 20).to_bytes(4, "little"))
    for _ in range(megabytes):
        packed += packer.compress(bytes(1 << 20))
    path.write_bytes(head + packed + packer.flush())
    return path


def test_a_bomb_gives_a_sentence_the_next_file_is_read_and_the_parent_stays_small(tmp_path: Path) -> None:
    bomb = deflated_bomb(tmp_path / "bomb.dcm", 2048)
    assert bomb.stat().st_size < 3 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with Sandbox(Limits(memory=1 << 30)) as sandbox:
        with pytest.raises(Unreadable, match="memory"):
            sandbox.check([bomb])
        done = sandbox.check([picture(tmp_path)])

    assert done["frames"] == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10


def test_a_thousand_nested_sequences_give_a_sentence(tmp_path: Path) -> None:
    nested = b""
    for _ in range(1000):
        item = b"\xfe\xff\x00\xe0" + len(nested).to_bytes(4, "little") + nested
        nested = b"\x40\x00\x75\x02SQ\0\0" + len(item).to_bytes(4, "little") + item
    whole = (INSTALLED / "CT_small.dcm").read_bytes()
    at = whole.index(b"\x28\x00\x02\x00US")
    path = tmp_path / "nested.dcm"
    path.write_bytes(whole[:at] + nested + whole[at:])

    with Sandbox() as sandbox:
        # Sequences that nobody needs are not read at all: either answer is a good one, but no crash.
        assert sandbox.check([path])["modality"] == "CT"


def test_too_much_work_ends_the_decoder_only(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "slow.png"
    Image.fromarray(rng.integers(0, 65536, (9000, 9000), dtype=np.uint16)).save(path, compress_level=1)

    with Sandbox(Limits(seconds=0, seconds_a_file=0)) as sandbox:
        with pytest.raises(Unreadable, match="time"):
            sandbox.check([path])
        with pytest.raises(Unreadable, match="time"):
            sandbox.check([path])
        sandbox.limits = Limits()
        assert sandbox.check([picture(tmp_path)])["frames"] == 1


def test_a_decoder_that_was_killed_is_started_anew(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        sandbox.check([picture(tmp_path)])
        process = sandbox._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

        assert sandbox.check([picture(tmp_path)])["frames"] == 1


def test_one_process_serves_many_files(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        pids = set()
        for _ in range(5):
            sandbox.check([picture(tmp_path)])
            assert sandbox._process is not None
            pids.add(sandbox._process.pid)

    assert len(pids) == 1


def test_the_process_ends_with_the_context(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        sandbox.check([picture(tmp_path)])
        process = sandbox._process
        assert process is not None

    assert process.poll() is not None


def test_the_decoder_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "not for decoders")
    with Sandbox() as sandbox:
        sandbox.check([picture(tmp_path)])
        assert sandbox._process is not None
        environment = Path(f"/proc/{sandbox._process.pid}/environ").read_bytes()

    assert b"not for decoders" not in environment


def test_files_are_named_by_their_digest_and_a_refusal_leaves_the_sandbox_usable(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (tmp_path / "bad.png").write_bytes(b"<svg/>")

    with Sandbox() as sandbox:
        with pytest.raises(Unreadable, match="markup"):
            sandbox.convert([tmp_path / "bad.png"], target)
        done = sandbox.convert([INSTALLED / "CT_small.dcm"], target)

    (image,) = done["images"]
    assert {found.name for found in target.iterdir()} == {image["frame"], image["thumbnail"]}
    assert len(image["frame"]) == 64


def test_a_file_that_vanished_is_a_sentence(tmp_path: Path) -> None:
    with Sandbox() as sandbox, pytest.raises(Unreadable, match="cannot be opened"):
        sandbox.check([tmp_path / "gone.png"])


def test_one_window_holds_for_a_stack_whose_files_give_none(tmp_path: Path) -> None:
    paths = []
    for n in range(3):
        data = pydicom.dcmread(INSTALLED / "CT_small.dcm")
        data.SOPInstanceUID = f"1.2.{n + 1}"
        data.ImagePositionPatient = [0, 0, n * 10]
        data.PixelData = (data.pixel_array + n * 700).tobytes()
        data.save_as(tmp_path / f"{n}.dcm")
        paths.append(tmp_path / f"{n}.dcm")
    (tmp_path / "out").mkdir()

    with Sandbox() as sandbox:
        images = sandbox.convert(paths, tmp_path / "out")["images"]

    assert len({tuple(image["window"]) for image in images}) == 1
