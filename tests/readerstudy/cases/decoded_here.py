"""The way of files through the decoder and the stacking, in the process of the test."""

import tempfile
from pathlib import Path

from readerstudy.cases import decoding, frames
from readerstudy.cases.decoded import File, Frame
from readerstudy.cases.pictures import Picture, Unreadable
from readerstudy.cases.stacking import Stack, stacked


def decoded_files(paths: list[Path], target: Path, modality: str = "") -> list[File]:
    found = []
    for path in paths:
        outcome = decoding.decoded(path, target, modality, alone=len(paths) == 1)
        if not isinstance(outcome, File):
            raise Unreadable(outcome.sentence)
        found.append(outcome)
    return found


def stack_of(*paths: Path, modality: str = "") -> Stack:
    with tempfile.TemporaryDirectory() as target:
        return stacked(decoded_files(list(paths), Path(target), modality))


def pictures_of(*paths: Path, modality: str = "") -> list[Picture]:
    """As they are stored and served: packed, put in order, unpacked again."""
    with tempfile.TemporaryDirectory() as target:
        stack = stacked(decoded_files(list(paths), Path(target), modality))
        return [_picture(slice_.frame, Path(target)) for slice_ in stack.slices]


def _picture(frame: Frame, target: Path) -> Picture:
    packed = (target / frame.digest).read_bytes()
    assert frames.digest_of(packed) == frame.digest
    return Picture(
        pixels=frames.decode_either(packed, frame.rows, frame.columns, frame.samples),
        bits=frame.bits,
        geometry=frame.geometry,
        slope=frame.slope,
        intercept=frame.intercept,
        inverted=frame.inverted,
        window=frame.window,
        slice_thickness=frame.slice_thickness,
    )
