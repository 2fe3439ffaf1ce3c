import gzip
import io
import stat
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest

from readerstudy.cases import archive
from readerstudy.cases.archive import Limits
from readerstudy.cases.pictures import Unreadable


def zipped(path: Path, *entries: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries:
            # zipfile cuts names at a NUL before it writes them; a hostile archive does not.
            packed.writestr(zipfile.ZipInfo(name.replace("\0", "@")), content, zipfile.ZIP_DEFLATED)
    for name, _ in entries:
        path.write_bytes(path.read_bytes().replace(name.replace("\0", "@").encode(), name.encode()))
    return path


def tarred(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for entry, content in entries:
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def refused(path: Path, tmp_path: Path, limits: Limits | None = None) -> str:
    """The sentence; and nothing may stand outside the target."""
    target = tmp_path / "inside" / "target"
    target.mkdir(parents=True)
    with pytest.raises(Unreadable) as refusal:
        archive.unpack(path, target, limits)
    assert {found.name for found in tmp_path.iterdir()} == {"inside", path.name}
    assert [found.name for found in target.parent.iterdir()] == ["target"]
    return str(refusal.value)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("病例/图像一.dcm", "gb2312"),
        ("病例/图像一.dcm", "utf-8"),
        ("Müller/é.dcm", "cp437"),
        ("Mu\u0308ller/e\u0301.dcm", "utf-8"),
    ],
)
def test_names_are_read_in_the_code_of_the_system_that_packed_them(name: str, code: str, tmp_path: Path) -> None:
    """None of these says in which code it is: a Chinese Windows, macOS, an old DOS, macOS with accents apart."""
    written = name.encode(code)
    packed = zipped(tmp_path / "a.zip", ("X" * len(written), b"1"))
    packed.write_bytes(packed.read_bytes().replace(b"X" * len(written), written))

    assert archive.unpack(packed, tmp_path / "out") == [unicodedata.normalize("NFC", name)]


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    files = (("manifest.csv", b"case\n"), ("ct/1.dcm", bytes(1000)), ("ct/2.dcm", b"\1" * 999))
    for packed in (
        zipped(tmp_path / "a.zip", *files),
        tarred(tmp_path / "a.tar.gz", *((entry(name), content) for name, content in files)),
    ):
        target = tmp_path / f"out-{packed.suffix}"

        assert archive.unpack(packed, target) == [name for name, _ in files]
        assert [(target / name).read_bytes() for name, _ in files] == [content for _, content in files]


def test_a_plain_tar_is_read_too(tmp_path: Path) -> None:
    packed = tarred(tmp_path / "a.tar.gz", (entry("a.png"), b"x"))
    plain = tmp_path / "a.tar"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))

    assert archive.unpack(plain, tmp_path / "out") == ["a.png"]


def test_what_operating_systems_leave_behind_is_left_out(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "a.zip", ("__MACOSX/._a.png", b"x"), (".DS_Store", b"x"), ("a.png", b"x"))

    assert archive.unpack(packed, tmp_path / "out") == ["a.png"]


ODD = [
    "../a.png",
    "x/../../a.png",
    "/tmp/a.png",
    "C:/a.png",
    "..\\a.png",
    "a\nb.png",
    "a\0b.png",
    "x" * 201,
    " a.png",
    "x/ /a.png",
]


@pytest.mark.parametrize("name", ODD)
def test_a_zip_entry_with_an_odd_name_is_refused(name: str, tmp_path: Path) -> None:
    assert "odd name" in refused(zipped(tmp_path / "a.zip", (name, b"x")), tmp_path)


@pytest.mark.parametrize("name", [name for name in ODD if "\0" not in name])
def test_a_tar_entry_with_an_odd_name_is_refused(name: str, tmp_path: Path) -> None:
    assert "odd name" in refused(tarred(tmp_path / "a.tar.gz", (entry(name), b"x")), tmp_path)


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "a.png"),
        (tarfile.LNKTYPE, "/etc/passwd"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, link: str, tmp_path: Path) -> None:
    assert "link or device" in refused(tarred(tmp_path / "a.tar.gz", (entry("b", kind, link), b"")), tmp_path)


def test_a_file_through_a_link_of_the_archive_does_not_leave_it(tmp_path: Path) -> None:
    packed = tarred(tmp_path / "a.tar.gz", (entry("d", tarfile.SYMTYPE, ".."), b""), (entry("d/a.png"), b"x"))

    assert "link or device" in refused(packed, tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(kind: int, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as packed:
        info = zipfile.ZipInfo("b")
        info.external_attr = (kind | 0o777) << 16
        packed.writestr(info, "/etc/passwd")

    assert "link or device" in refused(path, tmp_path)


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "a.zip", ("a.png", bytes(8 << 20)))
    limits = Limits(ratio_from_bytes=1 << 20)

    assert "100 times" in refused(packed, tmp_path, limits)
    assert (tmp_path / "inside/target/a.png").stat().st_size <= 2 << 20


def test_a_tar_bomb_is_stopped_even_in_its_headers(tmp_path: Path) -> None:
    big = tarfile.TarInfo("a.png")
    big.pax_headers = {"comment": "x" * (4 << 20)}
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as packed:
        packed.addfile(big)

    assert "100 times" in refused(path, tmp_path, Limits(ratio_from_bytes=1 << 20))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(files=2), "more than 2 files"),
        (Limits(file_bytes=99), "larger than"),
        (Limits(total_bytes=250), "unpacks to more than"),
    ],
)
def test_limits_hold_for_both_kinds(limits: Limits, words: str, tmp_path: Path) -> None:
    files = [(f"{n}.png", bytes(range(100))) for n in range(3)]
    for number, packed in enumerate(
        (
            zipped(tmp_path / "a.zip", *files),
            tarred(tmp_path / "a.tar.gz", *((entry(name), content) for name, content in files)),
        )
    ):
        with pytest.raises(Unreadable, match=words):
            archive.unpack(packed, tmp_path / str(number), limits)


def test_a_size_that_lies_is_found(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "a.zip", ("a.png", b"y" * 5000))
    # The uncompressed size stands 22 bytes into the local header and 24 into the central one.
    content = bytearray(packed.read_bytes())
    central = content.rfind(b"PK\x01\x02")
    for at in (22, central + 24):
        content[at : at + 4] = (10).to_bytes(4, "little")
    packed.write_bytes(content)

    with pytest.raises(Unreadable):
        archive.unpack(packed, tmp_path / "out")


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        packed = zipped(tmp_path / "a.zip", ("a.png", b"x"), ("a.png", b"y"))

    assert "two entries of one name" in refused(packed, tmp_path)


def test_a_file_and_a_folder_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "file and a folder of one name" in refused(zipped(tmp_path / "a.zip", ("a", b"x"), ("a/b", b"y")), tmp_path)


def test_an_encrypted_archive_is_said_in_words(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "a.zip", ("a.png", b"x"))
    content = bytearray(packed.read_bytes())
    for head, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(head) + at] |= 1
    packed.write_bytes(content)

    assert "encrypted" in refused(packed, tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(50), b"\x1f\x8b" + bytes(50)])
def test_what_is_no_archive_is_said_in_words(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)

    assert "neither ZIP nor tar" in refused(path, tmp_path)


def test_an_archive_without_files_is_said_in_words(tmp_path: Path) -> None:
    assert "holds no files" in refused(zipped(tmp_path / "a.zip"), tmp_path)


def test_an_archive_that_was_cut_off_is_said_in_words(tmp_path: Path) -> None:
    packed = tarred(tmp_path / "a.tar.gz", (entry("a.png"), bytes(range(256)) * 400))
    packed.write_bytes(packed.read_bytes()[:-200])

    assert "cut off" in refused(packed, tmp_path)
