"""The decoder process: reads orders as lines of JSON, decodes, writes frame files, answers one line each.

Started by `sandbox.Sandbox` with limits on memory and processor time: a bomb ends this process and no other.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from . import archive, frames, kinds
from .pictures import Facts, Picture, Stack, Unreadable


def stack_of(paths: list[Path], modality: str = "") -> Stack:
    found = {kinds.kind_of(path) for path in paths}
    if len(found) > 1:
        raise Unreadable(f"The files of one series are of several kinds ({', '.join(sorted(found))}).")
    # Each reader brings a library that takes a while to load; a study usually needs one of them.
    match found.pop():
        case kinds.DICOM:
            from . import dicom

            return dicom.read(paths)
        case kinds.NIFTI:
            from . import nifti

            if len(paths) > 1:
                raise Unreadable("A series has one NIfTI volume; give each volume its own row and series.")
            return nifti.read(paths[0], modality)
        case _:
            from . import raster

            return raster.read(paths)


def check(order: dict[str, Any]) -> dict[str, Any]:
    """Decode everything and keep nothing: what the dry run asks."""
    stack = stack_of([Path(path) for path in order["paths"]], order["modality"])
    for _ in stack.pictures:
        pass
    return {"frames": stack.count, **_facts(stack.facts)}


def convert(order: dict[str, Any]) -> dict[str, Any]:
    """Write each frame, its preview and one thumbnail a series into the target folder, named by their digests."""
    stack = stack_of([Path(path) for path in order["paths"]], order["modality"])
    target = Path(order["target"])
    middle = stack.count // 2
    images, own_window = [], []
    for n, picture in enumerate(stack.pictures):
        images.append(_written(picture, target, thumbnail=n == middle))
        own_window.append(picture.window is not None)
    for image, own in zip(images, own_window, strict=True):
        # One window for the whole stack where the files give none: scrolling must not flicker.
        image["window"] = image["window"] if own else images[middle]["window"]
    return {"images": images, **_facts(stack.facts)}


def unpack(order: dict[str, Any]) -> dict[str, Any]:
    return {"names": archive.unpack(Path(order["archive"]), Path(order["target"]))}


def _facts(facts: Facts) -> dict[str, Any]:
    return {
        "kind": facts.kind,
        "modality": facts.modality,
        "body_part": facts.body_part,
        "laterality": facts.laterality,
        "view": facts.view,
        "plane": facts.plane,
        "unit": facts.unit,
        "slice_thickness": facts.slice_thickness,
        "notes": list(facts.notes),
        "quarantine": list(facts.quarantine),
    }


def _written(picture: Picture, target: Path, *, thumbnail: bool) -> dict[str, Any]:
    window = picture.window or frames.percentile_window(picture.pixels, picture.slope, picture.intercept)
    preview = frames.quarter(picture.pixels)
    return {
        "source": picture.source,
        "frame": _write(target, frames.encode(picture.pixels)),
        "preview": _write(target, frames.encode(preview)) if preview is not None else "",
        "thumbnail": _write(target, frames.thumbnail(picture)) if thumbnail else "",
        "rows": picture.pixels.shape[0],
        "columns": picture.pixels.shape[1],
        "bits": picture.bits,
        "inverted": picture.inverted,
        "slope": picture.slope,
        "intercept": picture.intercept,
        "window": [window.center, window.width],
        "position": picture.geometry.position,
        "orientation": picture.geometry.orientation,
        "spacing": picture.geometry.spacing,
        "calibrated": picture.geometry.calibrated,
    }


def _write(target: Path, content: bytes) -> str:
    digest = frames.digest_of(content)
    (target / digest).write_bytes(content)
    return digest


ORDERS = {"check": check, "convert": convert, "unpack": unpack}


def answer(order: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"done": ORDERS[order["order"]](order)}
    except Unreadable as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": "The file needs more memory than one file may use."}
    except OSError:
        return {"refused": "The file cannot be opened; was it moved or deleted?"}


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
        answers.write(json.dumps(answer(order)) + "\n")


if __name__ == "__main__":
    main()
