"""A DICOMweb server that the administrator has allowed: what a study holds (QIDO-RS), and its files (WADO-RS).

Nothing but the address in the settings is ever asked: a redirect elsewhere, an answer that is too large, cut off or of
another kind ends in a sentence. Files are written as they come, unread; only decoder processes open them.
"""

import json
import re
import shutil
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote, urljoin, urlsplit

import urllib3

from .dicom_lists import NOT_PICTURES
from .pictures import Unreadable

_UID = re.compile(r"[0-9]+(\.[0-9]+){0,63}")
_CHUNK = 1 << 18
_HEADERS_OF_A_PART = 1 << 13
_REDIRECTS = 3
MULTIPART = "multipart/related"
AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'


@dataclass(frozen=True)
class Limits:
    json_bytes: int = 16 << 20
    file_bytes: int = 4 << 30
    series_bytes: int = 16 << 30
    files: int = 20_000
    # Of one series, and of silence in it.
    seconds: float = 3600
    silence: float = 60


@dataclass(frozen=True)
class Server:
    name: str
    address: str
    authorization: str = ""


@dataclass(frozen=True)
class SeriesOfServer:
    uid: str
    modality: str
    count: int | None


def server_of(name: str, address: str) -> Server:
    """`https://user:password@host/path`, or `https://token@host/path` for a bearer token."""
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    authorization = ""
    if parts.username and parts.password is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password)}"
        authorization = "Basic " + b64encode(pair.encode()).decode()
    elif parts.username:
        authorization = "Bearer " + unquote(parts.username)
    return Server(name, f"{parts.scheme}://{place}{parts.path.rstrip('/')}", authorization)


class Client:
    """Use as a context. `beat` is called while files come in."""

    def __init__(self, server: Server, limits: Limits | None = None, beat: Callable[[], None] = lambda: None) -> None:
        self.server, self.limits, self._beat = server, limits or Limits(), beat
        timeout = urllib3.Timeout(connect=10, read=self.limits.silence)
        self._pool = urllib3.PoolManager(retries=False, timeout=timeout, maxsize=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.clear()

    def study_of(self, accession: str) -> str:
        found = self._asked(f"/studies?AccessionNumber={quote(accession, safe='')}&limit=2")
        uids = {_text(one, "0020000D") for one in found}
        if len(uids) != 1:
            count = "no study" if not uids else "several studies"
            raise Unreadable(f"The server has {count} with this accession number.")
        return _uid(uids.pop())

    def series_of(self, study: str) -> list[SeriesOfServer]:
        """Those of a study that hold pictures."""
        found = self._asked(f"/studies/{_uid(study)}/series?includefield=00201209")
        series = [
            SeriesOfServer(_uid(_text(one, "0020000E")), _text(one, "00080060").upper(), _count(one)) for one in found
        ]
        if not series:
            raise Unreadable("The server has no study of this UID.")
        return [one for one in series if one.modality not in NOT_PICTURES]

    def fetch(self, study: str, series: str, target: Path) -> int:
        """Write the files of a series into the target, numbered; answer how many there are."""
        path = f"/studies/{_uid(study)}/series/{_uid(series)}"
        target.mkdir(parents=True, exist_ok=True)
        count, total = 0, 0
        for count, part in enumerate(self._parts(path), start=1):
            if count > self.limits.files:
                raise Unreadable(f"The server sends more than {self.limits.files:,} files for one series.")
            size = self._written(part, target / f"{count:05}.dcm")
            total += size
            if total > self.limits.series_bytes:
                most = f"{self.limits.series_bytes / 2**30:.3g} GiB"
                raise Unreadable(f"The server sends more than {most} for one series.")
        return count

    def _written(self, part: Iterator[bytes], path: Path) -> int:
        size = 0
        with path.open("wb") as file:
            for chunk in part:
                size += len(chunk)
                if size > self.limits.file_bytes:
                    raise Unreadable(f"The server sends a file of more than {self.limits.file_bytes / 2**30:.3g} GiB.")
                file.write(chunk)
        if shutil.disk_usage(path.parent).free < 16 << 20:
            raise Unreadable("The server's disk is full; nothing was imported.")
        return size

    def _asked(self, path: str) -> list[dict[str, Any]]:
        answer = self._get(path, "application/dicom+json")
        content = bytearray()
        for chunk in self._chunks(answer):
            content += chunk
            if len(content) > self.limits.json_bytes:
                raise Unreadable(f"The server's list is longer than {self.limits.json_bytes >> 20} MiB.")
        if not content:
            return []
        try:
            found = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Unreadable("The server's list is no DICOM JSON; is its address that of DICOMweb?") from error
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise Unreadable("The server's list is no DICOM JSON; is its address that of DICOMweb?")
        return found

    def _parts(self, path: str) -> Iterator[Iterator[bytes]]:
        answer = self._get(path, AS_STORED)
        kind = Message()
        kind["Content-Type"] = answer.headers.get("Content-Type", "")
        boundary = kind.get_param("boundary")
        if kind.get_content_type() == "application/dicom":
            yield self._chunks(answer)
        elif kind.get_content_type() == MULTIPART and isinstance(boundary, str) and 0 < len(boundary) <= 200:
            yield from _Multipart(self._chunks(answer), boundary.encode()).parts()
        else:
            raise Unreadable("The server does not send DICOM files; is its address that of DICOMweb?")

    def _chunks(self, answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        until = time.monotonic() + self.limits.seconds
        try:
            for chunk in answer.stream(_CHUNK, decode_content=False):
                self._beat()
                if time.monotonic() > until:
                    raise Unreadable(f"The server needs more than {self.limits.seconds / 60:.0f} minutes for a series.")
                yield chunk
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreadable("The server broke off in the middle of its answer, or fell silent.") from error
        finally:
            answer.close()

    def _get(self, path: str, accept: str) -> urllib3.BaseHTTPResponse:
        address = self.server.address + path
        headers = {"Accept": accept, "Accept-Encoding": "identity", "User-Agent": "readerstudy"}
        if self.server.authorization:
            headers["Authorization"] = self.server.authorization
        for _ in range(1 + _REDIRECTS):
            try:
                answer = self._pool.request("GET", address, headers=headers, redirect=False, preload_content=False)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise Unreadable(f"The server {self.server.name} does not answer.") from error
            if answer.status not in (301, 302, 303, 307, 308):
                return self._accepted(answer)
            address = self._followed(address, answer)
        raise Unreadable(f"The server {self.server.name} sends the question round in a circle.")

    def _followed(self, address: str, answer: urllib3.BaseHTTPResponse) -> str:
        further = urljoin(address, answer.headers.get("Location", ""))
        answer.close()
        if urlsplit(further)[:2] != urlsplit(self.server.address)[:2]:
            raise Unreadable(f"The server {self.server.name} sends the question to another one, which is not allowed.")
        return further

    def _accepted(self, answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        if answer.status in (200, 204, 206) and answer.headers.get("Content-Encoding", "identity") == "identity":
            return answer
        answer.close()
        if answer.status in (401, 403):
            raise Unreadable(f"The server {self.server.name} refuses the name and password in the settings.")
        if answer.status in (404, 410):
            raise Unreadable("The server has nothing of this UID.")
        raise Unreadable(f"The server {self.server.name} answers with status {answer.status}.")


class _Multipart:
    """The bodies between the boundaries, one after another, never held as a whole."""

    def __init__(self, chunks: Iterator[bytes], boundary: bytes) -> None:
        self._chunks, self._mark = chunks, b"\r\n--" + boundary
        # The first boundary has no line end of its own before it.
        self._held = bytearray(b"\r\n")

    def parts(self) -> Iterator[Iterator[bytes]]:
        for _ in self._until_mark():
            pass
        while not self._is_end():
            self._skip_headers()
            body = self._until_mark()
            yield body
            # What the caller left unread.
            for _ in body:
                pass

    def _more(self) -> None:
        chunk = next(self._chunks, b"")
        if not chunk:
            raise Unreadable("The server broke off in the middle of its answer, or fell silent.")
        self._held += chunk

    def _until_mark(self) -> Iterator[bytes]:
        while (at := self._held.find(self._mark)) < 0:
            # The mark may be cut in two by the end of a chunk.
            ready = len(self._held) - len(self._mark)
            if ready > 0:
                yield bytes(self._held[:ready])
                del self._held[:ready]
            self._more()
        if at:
            yield bytes(self._held[:at])
        del self._held[: at + len(self._mark)]

    def _is_end(self) -> bool:
        while len(self._held) < 2:
            self._more()
        return self._held.startswith(b"--")

    def _skip_headers(self) -> None:
        while (at := self._held.find(b"\r\n\r\n")) < 0:
            if len(self._held) > _HEADERS_OF_A_PART:
                raise Unreadable("The server's answer is no list of DICOM files.")
            self._more()
        # The line end before the next boundary may be the one that ends the headers, where a part is empty.
        del self._held[: at + 4]


def _text(found: dict[str, Any], tag: str) -> str:
    values = found.get(tag, {}).get("Value") if isinstance(found.get(tag), dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""


def _count(found: dict[str, Any]) -> int | None:
    text = _text(found, "00201209")
    return int(text) if text.isdecimal() else None


def _uid(text: str) -> str:
    if not _UID.fullmatch(text) or len(text) > 64:
        raise Unreadable("A UID has digits and points only, 64 at most.")
    return text
