"""A DICOMweb server over real files, on loopback, in a thread: QIDO-RS, WADO-RS, and how it may fail."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pydicom

BOUNDARY = "b-0123456789"
Start = Callable[[str, list[tuple[str, str]]], object]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


class Archive:
    """Serves the files of a folder; `asked` holds every request's path and Authorization."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[tuple[str, str], list[Path]] = {}
        self.accessions: dict[str, set[str]] = {}
        self.modalities: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.elsewhere = ""
        self.fault = ""
        self.more_than_there = 0
        for path in sorted(folder.rglob("*.dcm")):
            data = pydicom.dcmread(path, stop_before_pixels=True)
            study, series = str(data.StudyInstanceUID), str(data.SeriesInstanceUID)
            self.files.setdefault((study, series), []).append(path)
            self.accessions.setdefault(str(data.get("AccessionNumber") or ""), set()).add(study)
            self.modalities[series] = str(data.Modality)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"].removeprefix("/dicom-web")
        self.asked.append((path, environ.get("HTTP_AUTHORIZATION", "")))
        if self.elsewhere:
            start("302 Found", [("Location", self.elsewhere + environ["PATH_INFO"])])
            return []
        match path.strip("/").split("/"):
            case ["studies"]:
                number = parse_qs(environ["QUERY_STRING"])["AccessionNumber"][0]
                return _listed(start, [{"0020000D": _value(uid)} for uid in sorted(self.accessions.get(number, ()))])
            case ["studies", study, "series"]:
                return _listed(start, [self._described(key) for key in self.files if key[0] == study])
            case ["studies", study, "series", series] if (study, series) in self.files:
                return self._sent(start, self.files[study, series])
        start("404 Not Found", [])
        return []

    def _described(self, key: tuple[str, str]) -> dict[str, Any]:
        count = len(self.files[key]) + self.more_than_there
        return {
            "0020000E": _value(key[1]),
            "00080060": _value(self.modalities[key[1]]),
            "00201209": {"vr": "IS", "Value": [count]},
        }

    def _sent(self, start: Start, paths: list[Path]) -> Iterator[bytes]:
        kind = (
            "text/html" if self.fault == "kind" else f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        )
        start("200 OK", [("Content-Type", kind)])
        for path in paths:
            yield f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
            content = path.read_bytes()
            # In uneven pieces, so that boundaries are cut in two somewhere.
            yield from (content[at : at + 1021] for at in range(0, len(content), 1021))
            yield b"\r\n"
            if self.fault == "cut":
                return
        while self.fault == "endless":
            yield b"x" * 65536
        yield f"--{BOUNDARY}--\r\n".encode()


def _value(text: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [text]}


def _listed(start: Start, found: list[dict[str, Any]]) -> list[bytes]:
    start("200 OK", [("Content-Type", "application/dicom+json")])
    return [json.dumps(found).encode()]


@contextmanager
def serving(application: Callable[..., Iterable[bytes]]) -> Iterator[str]:
    """The address while the context lasts."""
    server = make_server("127.0.0.1", 0, application, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
