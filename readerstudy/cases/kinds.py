"""What a file is, judged by its bytes and never by its name."""

import re
import zlib
from pathlib import Path

from .pictures import NoPicture, Unreadable

DICOM, PNG, JPEG, TIFF, NIFTI = "dicom", "png", "jpeg", "tiff", "nifti"

_HEAD_BYTES = 4096
_ZIP_COMMENT_BYTES = 65_557
_FORBIDDEN_HEADS = (
    (b"%PDF-", "a PDF document"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
_MARKUP = re.compile(rb"<\s*(svg|html|script|!doctype|\?xml)", re.IGNORECASE)
_ACTIVE = re.compile(rb"<\s*(svg|html|script|iframe)[\s>]", re.IGNORECASE)
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_JPEG_HEAD = b"\xff\xd8\xff"
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_GZIP_HEAD = b"\x1f\x8b"


def kind_of(path: Path) -> str:
    """One of the kinds that can be read; anything else, and a file that is two things at once, is refused."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise Unreadable("The file is empty.")
    if head.startswith(_PNG_HEAD):
        return _picture(path, head, PNG)
    if head.startswith(_JPEG_HEAD):
        return _picture(path, head, JPEG)
    # A DICOM file may have the head of a TIFF before its own; its pixels are taken, and nothing else of it.
    if head[128:132] == b"DICM":
        return DICOM
    if head.startswith(_TIFF_HEADS):
        return _picture(path, head, TIFF)
    if _is_nifti(_inflated(head) if head.startswith(_GZIP_HEAD) else head):
        return NIFTI
    raise NoPicture(_what_else(head))


def _what_else(head: bytes) -> str:
    accepted = "PNG, JPEG, TIFF, DICOM and NIfTI can be read"
    if _MARKUP.search(head[:1024]):
        return f"The file is a text with markup (HTML, XML or SVG), not a picture; {accepted}."
    for start, name in _FORBIDDEN_HEADS:
        if head.startswith(start):
            return f"The file is {name}; {accepted}."
    return f"The file's type is not known; {accepted}. (DICOM files need their 128-byte preamble and the letters DICM.)"


def _inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 1024)
    except zlib.error as error:
        raise Unreadable("The file begins like a gzip file but cannot be unpacked.") from error


def _is_nifti(head: bytes) -> bool:
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] == b"n+2\0"


def _picture(path: Path, head: bytes, kind: str) -> str:
    """A PNG, JPEG or TIFF that is nothing else besides: no document, archive or script rides along."""
    content = path.read_bytes()
    # A TIFF names where its parts lie, so that nothing can be said of what lies behind.
    rest = {PNG: _after_png, JPEG: _after_jpeg, TIFF: _nothing}[kind](content)
    is_also = (
        head[128:132] == b"DICM"
        or b"%PDF-" in head
        or b"PK\x05\x06" in content[-_ZIP_COMMENT_BYTES:]
        or _ACTIVE.search(content) is not None
    )
    if is_also or rest.strip(b"\0\r\n "):
        raise Unreadable(
            "The file is a picture and something else at once (there is a document, archive or script in it); "
            "save the picture anew and try again."
        )
    return kind


def _after_png(content: bytes) -> bytes:
    at = len(_PNG_HEAD)
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        name = content[at + 4 : at + 8]
        at += 12 + length
        if name == b"IEND":
            return content[at:]
    return b""


def _nothing(content: bytes) -> bytes:
    return b""


def _after_jpeg(content: bytes) -> bytes:
    end = content.rfind(b"\xff\xd9")
    return content[end + 2 :] if end >= 0 else b""
