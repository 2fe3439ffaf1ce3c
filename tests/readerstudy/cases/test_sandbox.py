"""Bombs and crashes: a decoder process may die or hang, the parent says a sentence and goes on."""

import os
import resource
import signal
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from readerstudy.cases.decoded import File, Outcome, Refusal
from readerstudy.cases.pictures import Unreadable
from readerstudy.cases.sandbox import BROKEN, Decoders, Limits, Order

INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"


def picture(folder: Path, name: str = "good.png") -> Path:
    path = folder / name
    Image.fromarray(np.arange(600, dtype=np.uint8).reshape(20, 30)).save(path)
    return path


def decode(decoders: Decoders, target: Path, *paths: Path) -> list[Outcome]:
    """Each file an order of its own, in the order given."""
    found = dict(decoders.decode(Order((path,), target / "out", alone=True, of=path) for path in paths))
    by_path = {order.of: outcomes[0] for order, outcomes in found.items()}
    return [by_path[path] for path in paths]


def deflated_bomb(path: Path, megabytes: int) -> Path:
    """A deflated DICOM file whose data set unpacks to a thousand times its size."""
    whole = (INSTALLED / "image_dfl.dcm").read_bytes()
    data = pydicom.dcmread(INSTALLED / "image_dfl.dcm")
    length = int(data.file_meta.FileMetaInformationGroupLength)
    head = whole[: 128 + 4 + 12 + length]
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100")
    # One private element of unknown content that never ends. After a full flush the same zeros are the same bytes.
    packed += packer.compress(b"\x09\x00\x10\x00OB\0\0" + (megabytes << 20).to_bytes(4, "little"))
    packed += packer.flush(zlib.Z_FULL_FLUSH)
    packed += (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)) * megabytes
    path.write_bytes(head + packed + packer.flush())
    return path


def run_length_bomb(path: Path, megabytes: int) -> Path:
    """64 pixels squared whose one segment of runs goes on and on."""
    data = pydicom.dcmread(INSTALLED / "image_dfl.dcm")
    data.Rows = data.Columns = 64
    offsets = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56)
    data.PixelData = encapsulate([offsets + b"\x81\x07" * (megabytes << 13)])
    data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
    data.file_meta.TransferSyntaxUID = RLELossless
    data.save_as(path)
    return path


def test_a_bomb_of_runs_gives_a_sentence_and_the_next_file_is_read(tmp_path: Path) -> None:
    bomb = run_length_bomb(tmp_path / "bomb.dcm", 1024)
    assert bomb.stat().st_size < 17 << 20

    with Decoders(Limits(memory=1 << 30), count=1) as decoders:
        found, good = decode(decoders, tmp_path, bomb, picture(tmp_path))

    assert isinstance(found, Refusal)
    assert "cannot be decoded" in found.sentence
    assert isinstance(good, File)


def test_a_bomb_gives_a_sentence_the_next_file_is_read_and_the_parent_stays_small(tmp_path: Path) -> None:
    bomb = deflated_bomb(tmp_path / "bomb.dcm", 2048)
    assert bomb.stat().st_size < 3 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with Decoders(Limits(memory=1 << 30)) as decoders:
        first, second = decode(decoders, tmp_path, bomb, picture(tmp_path))

    assert isinstance(first, Refusal)
    assert "memory" in first.sentence
    assert isinstance(second, File)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10


def test_a_thousand_nested_sequences_do_not_break_it(tmp_path: Path) -> None:
    nested = b""
    for _ in range(1000):
        item = b"\xfe\xff\x00\xe0" + len(nested).to_bytes(4, "little") + nested
        nested = b"\x40\x00\x75\x02SQ\0\0" + len(item).to_bytes(4, "little") + item
    whole = (INSTALLED / "CT_small.dcm").read_bytes()
    at = whole.index(b"\x28\x00\x02\x00US")
    path = tmp_path / "nested.dcm"
    path.write_bytes(whole[:at] + nested + whole[at:])

    with Decoders(count=1) as decoders:
        (found,) = decode(decoders, tmp_path, path)

    # Sequences that nobody needs are not read at all.
    assert isinstance(found, File)
    assert found.facts.modality == "CT"


def test_too_much_work_ends_the_decoder_only(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "slow.png"
    Image.fromarray(rng.integers(0, 65536, (9000, 9000), dtype=np.uint16)).save(path, compress_level=1)

    with Decoders(Limits(seconds=0, seconds_a_file=0), count=1) as decoders:
        (slow,) = decode(decoders, tmp_path, path)
        decoders.sandboxes[0].limits = Limits()
        (good,) = decode(decoders, tmp_path, picture(tmp_path))

    assert slow == Refusal("", BROKEN)
    assert isinstance(good, File)


def test_a_decoder_that_hangs_without_working_is_ended(tmp_path: Path) -> None:
    pipe = tmp_path / "never.png"
    os.mkfifo(pipe)  # opening it waits for a writer who never comes
    beats: list[int] = []

    with Decoders(Limits(seconds=1, seconds_a_file=0, patience=5.0), count=1, beat=lambda: beats.append(1)) as decoders:
        hanging, good = decode(decoders, tmp_path, pipe, picture(tmp_path))

    assert hanging == Refusal("", BROKEN)
    assert isinstance(good, File)
    assert len(beats) >= 2, "the lease is renewed while a decoder is waited for"


def test_a_decoder_that_was_killed_is_started_anew_and_nothing_is_blamed(tmp_path: Path) -> None:
    paths = [picture(tmp_path, f"{n}.png") for n in range(6)]
    with Decoders(count=2) as decoders:
        decode(decoders, tmp_path, *paths)
        for sandbox in decoders.sandboxes:
            assert sandbox.process_id is not None
            os.kill(sandbox.process_id, signal.SIGKILL)

        assert all(isinstance(found, File) for found in decode(decoders, tmp_path, *paths))


def test_of_files_that_are_decoded_together_only_the_bad_one_is_refused(tmp_path: Path) -> None:
    bomb = deflated_bomb(tmp_path / "bomb.dcm", 1200)
    paths = (picture(tmp_path, "a.png"), bomb, picture(tmp_path, "b.png"))

    with Decoders(Limits(memory=1 << 30), count=1) as decoders:
        ((_, found),) = decoders.decode([Order(paths, tmp_path / "out")])

    assert [type(outcome) for outcome in found] == [File, Refusal, File]


def test_as_many_processes_serve_many_files_as_were_asked_for(tmp_path: Path) -> None:
    paths = [picture(tmp_path, f"{n}.png") for n in range(12)]
    with Decoders(count=2) as decoders:
        decode(decoders, tmp_path, *paths)
        first = [sandbox.process_id for sandbox in decoders.sandboxes]
        decode(decoders, tmp_path, *paths)

        assert [sandbox.process_id for sandbox in decoders.sandboxes] == first
        assert len(set(first)) == 2


def test_the_processes_end_with_the_context(tmp_path: Path) -> None:
    with Decoders(count=1) as decoders:
        decode(decoders, tmp_path, picture(tmp_path))
        process = decoders.sandboxes[0].process_id
        assert process is not None

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_the_decoder_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "not for decoders")
    with Decoders(count=1) as decoders:
        decode(decoders, tmp_path, picture(tmp_path))
        environment = Path(f"/proc/{decoders.sandboxes[0].process_id}/environ").read_bytes()

    assert b"not for decoders" not in environment


def test_files_are_named_by_their_digest_and_a_refusal_leaves_the_decoder_usable(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"<svg/>")

    with Decoders(count=1) as decoders:
        bad, good = decode(decoders, tmp_path, tmp_path / "bad.png", INSTALLED / "CT_small.dcm")

    assert isinstance(bad, Refusal)
    assert "markup" in bad.sentence
    assert isinstance(good, File)
    (frame,) = good.frames
    assert {found.name for found in (tmp_path / "out").iterdir()} == {frame.digest, frame.thumbnail}
    assert len(frame.digest) == 64


def test_a_file_that_vanished_is_a_sentence(tmp_path: Path) -> None:
    with Decoders(count=1) as decoders:
        (found,) = decode(decoders, tmp_path, tmp_path / "gone.png")

    assert isinstance(found, Refusal)
    assert "cannot be opened" in found.sentence


def test_an_archive_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 nonsense")

    with Decoders(count=1) as decoders, pytest.raises(Unreadable, match="neither ZIP nor tar"):
        decoders.unpack(tmp_path / "a.zip", tmp_path / "files")
