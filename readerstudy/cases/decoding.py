"""The decoder process: reads orders as lines of JSON, decodes, writes frame files, answers one line each.

Started by `sandbox.Decoders` with limits on memory and processor time: a bomb ends this process and no other.
"""

import errno
import json
import math
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from . import frames, kinds
from .decoded import File, Frame, Outcome, Refusal, as_json
from .pictures import NoPicture, Opened, Picture, Scale, Unreadable

OUT_OF_RANGE = "The picture's values are larger than any that can be shown."
# A file up to this size is read once, for its digest and for its pixels.
READ_ONCE = 32 << 20
FULL = "The server's disk is full; make room and try again."


class _Said(NamedTuple):
    """What of a picture is said of its file."""

    note: str
    scale: Scale | None


def opened(path: Path, modality: str = "", content: bytes | None = None, scale: Scale | None = None) -> Opened:
    """`content` is the file's, where it was read already; `scale` that of its series, where it is known."""
    # Each reader brings a library that takes a while to load; a study usually needs one of them.
    match kinds.kind_of(path):
        case kinds.DICOM:
            from . import dicom

            return dicom.read(path, content, scale)
        case kinds.NIFTI:
            from . import nifti

            return nifti.read(path, modality)
        case _:
            from . import raster

            return raster.read(path, scale)


def decoded(
    path: Path, target: Path, modality: str = "", *, alone: bool = False, scale: Scale | None = None
) -> Outcome:
    """Write each frame and its preview into the target, named by their digests; where the file is a series by itself,
    its thumbnail and window too."""
    content = path.read_bytes() if path.stat().st_size <= READ_ONCE else None
    digest = frames.digest_of(content) if content is not None else _digest(path)
    try:
        found = opened(path, modality, content, scale)
        written = list(_written(found, target, alone))
    except Unreadable as error:
        return Refusal(digest, str(error), isinstance(error, NoPicture))
    except MemoryError:
        return Refusal(digest, "The file needs more memory than one file may use.")
    notes = dict.fromkeys([*found.facts.notes, *(said.note for _, said in written if said.note)])
    return File(
        digest=digest,
        facts=replace(found.facts, notes=tuple(notes)),
        series=_name(found.series),
        series_number=found.series_number,
        instance=_name(found.instance),
        number=found.number,
        frame_of_reference=_name(found.frame_of_reference),
        frames=tuple(frame for frame, _ in written),
        scale=next((said.scale for _, said in written if said.scale), None),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _name(identifier: str) -> str:
    """Equal where the identifiers are equal, and nothing else of them."""
    return frames.digest_of(identifier.encode())[:32] if identifier else ""


def _written(found: Opened, target: Path, alone: bool) -> Iterator[tuple[Frame, _Said]]:
    for number, picture in enumerate(found.pictures):
        yield _frame(picture, target, sample=alone and number == found.count // 2), _Said(picture.note, picture.scale)


def _frame(picture: Picture, target: Path, *, sample: bool) -> Frame:
    if not all(map(math.isfinite, (picture.slope, picture.intercept, picture.slope * 65535 + picture.intercept))):
        raise Unreadable(OUT_OF_RANGE)
    smaller = frames.quarter(picture.pixels, picture.bits)
    small = replace(picture, pixels=smaller) if smaller is not None else picture
    window = frames.window_of(picture) if sample else picture.window
    return Frame(
        digest=_write(target, frames.encode(picture.pixels)),
        preview=_write(target, frames.encode(smaller)) if smaller is not None else "",
        rows=picture.pixels.shape[0],
        columns=picture.pixels.shape[1],
        samples=picture.samples,
        bits=picture.bits,
        inverted=picture.inverted,
        slope=picture.slope,
        intercept=picture.intercept,
        window=window,
        more_windows=picture.more_windows,
        geometry=picture.geometry,
        slice_thickness=picture.slice_thickness,
        thumbnail=_write(target, frames.thumbnail(small, window)) if sample and window else "",
    )


def _write(target: Path, content: bytes) -> str:
    """Under its digest only when it is whole, for this process may be ended at any moment."""
    digest = frames.digest_of(content)
    half = target / f"{digest}.{os.getpid()}"
    half.write_bytes(content)
    half.rename(target / digest)
    return digest


def decode(order: dict[str, Any]) -> dict[str, Any]:
    target = Path(order["target"])
    target.mkdir(parents=True, exist_ok=True)
    paths = map(Path, order["paths"])
    scale = Scale(*order["scale"]) if order["scale"] else None
    return {"files": [decoded(path, target, order["modality"], alone=order["alone"], scale=scale) for path in paths]}


def unpack(order: dict[str, Any]) -> dict[str, Any]:
    from . import archive

    return {"names": archive.unpack(Path(order["archive"]), Path(order["target"]))}


def directory(order: dict[str, Any]) -> dict[str, Any]:
    from . import dicom

    return {"names": dicom.listed_files(Path(order["path"]))}


ORDERS = {"decode": decode, "unpack": unpack, "directory": directory}


def answer(order: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"done": ORDERS[order["order"]](order)}
    except Unreadable as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": "The file needs more memory than one file may use."}
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return {"refused": FULL if full else "The file cannot be opened; was it moved or deleted?"}


def allow_processor_seconds(seconds: int) -> None:
    """The kernel's limit counts from the start of the process, and one process serves many files."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, resource.RLIM_INFINITY))


def orders(source: TextIO) -> Iterator[dict[str, Any]]:
    for line in source:
        yield json.loads(line)


def main() -> None:
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What a decoding library prints must neither garble the answers nor carry a name into a log.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    for order in orders(sys.stdin):
        allow_processor_seconds(order["seconds"])
        answers.write(as_json(answer(order)) + "\n")


if __name__ == "__main__":
    main()
