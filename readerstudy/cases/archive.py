"""ZIP and tar archives unpacked into one folder, with limits, and never outside it."""

import gzip
import io
import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from .pictures import Unreadable

IGNORED = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_CHUNK = 1 << 20
_UTF_8 = 0x800
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
)


@dataclass(frozen=True)
class Limits:
    files: int = 100_000
    file_bytes: int = 4 << 30
    total_bytes: int = 64 << 30
    # Pixels shrink to a tenth at best; only a bomb unpacks to a hundred times its size.
    ratio: int = 100
    ratio_from_bytes: int = 64 << 20


@dataclass
class _Meter:
    limits: Limits
    packed: int
    files: int = 0
    total: int = 0

    def file(self) -> None:
        self.files += 1
        if self.files > self.limits.files:
            raise Unreadable(f"The archive holds more than {self.limits.files:,} files.")

    def count(self, size: int) -> None:
        self.total += size
        if self.total > self.limits.total_bytes:
            raise Unreadable(f"The archive unpacks to more than {self.limits.total_bytes / 2**30:.3g} GiB.")
        if self.total > self.limits.ratio_from_bytes and self.total > self.limits.ratio * self.packed:
            raise Unreadable(
                f"The archive unpacks to more than {self.limits.ratio} times its size, as only a bomb does."
            )


def unpack(archive: Path, target: Path, limits: Limits | None = None) -> list[str]:
    """Unpack into `target`, which must be empty; answer the names of the files in it."""
    meter = _Meter(limits or Limits(), packed=archive.stat().st_size)
    target.mkdir(parents=True, exist_ok=True)
    try:
        names = list((_unzip if zipfile.is_zipfile(archive) else _untar)(archive, target, meter))
    except Unreadable:
        raise
    except _DAMAGE as error:
        raise Unreadable("The archive is damaged, cut off, or neither ZIP nor tar.") from error
    if not names:
        raise Unreadable("The archive holds no files.")
    return names


def _unzip(archive: Path, target: Path, meter: _Meter) -> Iterator[str]:
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            mode = entry.external_attr >> 16
            kind = stat.S_IFMT(mode)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Unreadable(
                    f"The archive holds a link or device ({_shown(entry.filename)}); only files are taken."
                )
            if entry.flag_bits & 1:
                raise Unreadable("The archive is encrypted; unpack it and pack it again without a password.")
            name = _safe_name(_name_of(entry))
            if name is None or entry.is_dir():
                continue
            meter.file()
            with packed.open(entry) as source:
                _copy(source, target / name, meter)
            yield name


def _name_of(entry: zipfile.ZipInfo) -> str:
    """As it stands in the archive, for zipfile cuts it at a NUL. What does not say to be UTF-8 may be so all the same
    (macOS), or in the code of a Chinese Windows, whose bytes no Western name has."""
    name = entry.orig_filename
    if entry.flag_bits & _UTF_8 or name.isascii():
        return name
    for code in ("utf-8", "gb2312"):
        with suppress(UnicodeError):
            return name.encode("cp437").decode(code)
    return name


def _untar(archive: Path, target: Path, meter: _Meter) -> Iterator[str]:
    with archive.open("rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        unpacked = gzip.GzipFile(fileobj=raw) if is_gzip else raw
        with tarfile.open(fileobj=_Bounded(unpacked, meter), mode="r|", bufsize=_CHUNK) as packed:
            for entry in packed:
                if not (entry.isreg() or entry.isdir()) or entry.issparse():
                    raise Unreadable(
                        f"The archive holds a link or device ({_shown(entry.name)}); only files are taken."
                    )
                name = _safe_name(entry.name)
                if name is None or entry.isdir():
                    continue
                meter.file()
                source = packed.extractfile(entry)
                if source is not None:
                    _copy(source, target / name, meter, counted=True)
                yield name


class _Bounded(io.BufferedIOBase):
    """Counts what a tar stream gives, so that headers that unpack without end are seen as well."""

    def __init__(self, source: gzip.GzipFile | IO[bytes], meter: _Meter) -> None:
        self.source, self.meter = source, meter

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = self.source.read(-1 if size is None else size)
        self.meter.count(len(chunk))
        return chunk


def _copy(source: IO[bytes], path: Path, meter: _Meter, *, counted: bool = False) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise Unreadable(f"The archive holds a file and a folder of one name ({_shown(path.parent.name)}).") from error
    if shutil.disk_usage(path.parent).free < 4 * _CHUNK:
        raise Unreadable("The server's disk is full; nothing was imported.")
    size = 0
    try:
        with path.open("xb") as target:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > meter.limits.file_bytes:
                    raise Unreadable(f"A file in the archive is larger than {meter.limits.file_bytes / 2**30:.3g} GiB.")
                if not counted:
                    meter.count(len(chunk))
                target.write(chunk)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise Unreadable(f"The archive holds two entries of one name ({_shown(path.name)}).") from error


def _safe_name(name: str) -> str | None:
    """The entry's path inside the target; None for what operating systems leave behind; anything odd is refused."""
    # macOS takes accents apart.
    name = unicodedata.normalize("NFC", name)
    path = PurePosixPath(name)
    odd = (
        not path.parts
        or path.is_absolute()
        or ".." in path.parts
        or "\\" in name
        or name[1:2] == ":"
        or not name.isprintable()
        or any(len(part.encode(errors="surrogateescape")) > 200 or part != part.strip() for part in path.parts)
        or len(name) > 1000
    )
    if odd:
        raise Unreadable(
            f"The archive holds an entry with an odd name ({_shown(name)}); only plain relative names are taken."
        )
    if any(part in IGNORED or part.startswith("._") for part in path.parts):
        return None
    return path.as_posix()


def _shown(name: str) -> str:
    return ascii(name)[1:-1][:60]
