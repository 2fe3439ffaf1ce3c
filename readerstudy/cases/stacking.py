"""Files put together to series: in the order in which their frames lie in the patient, and what speaks against it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from .decoded import File, Frame
from .geometry import Directions, Geometry, depth, normal, plane_of, same_orientation
from .pictures import Facts, Unreadable, check_size, unit_of

CROSS_SECTIONAL = ("CT", "MR", "PT", "NM")
# Distances of neighbouring slices within this share of their median are those of an even stack.
UNEVEN = 0.1
# Of a stack's height, what its last slice may lie beside the first; beyond it the viewer makes no other planes.
SHIFTED = 0.05


@dataclass(frozen=True)
class Slice:
    """One frame of a series with the digest of the file it was read from."""

    source: str
    frame: Frame


@dataclass(frozen=True)
class Stack:
    facts: Facts
    plane: str
    unit: str
    slices: tuple[Slice, ...]
    frame_of_reference: str = ""

    @property
    def middle(self) -> int:
        return len(self.slices) // 2

    @property
    def slice_thickness(self) -> float | None:
        return self.slices[0].frame.slice_thickness


def by_series(files: Sequence[File]) -> list[list[File]]:
    """The files of each series, series by their number; what has no series of its own is one together."""
    groups: dict[str, list[File]] = {}
    for file in files:
        groups.setdefault(file.series, []).append(file)
    return sorted(groups.values(), key=lambda group: (group[0].series_number, group[0].number, group[0].digest))


def by_plane(files: Sequence[File]) -> list[list[File]]:
    """A series in parts where its slices are cut in several planes, as with a localizer among them; the largest first.
    Where hardly two have one direction, as around an axis, they are one."""
    found = [frame.geometry.orientation for file in files for frame in file.frames]
    directions = [one for one in found if one is not None]
    distinct = {tuple(round(part, 2) for part in one) for one in directions}
    if len(directions) < len(found) or 2 * len(distinct) > len(found):
        return [list(files)]
    parts: dict[str, list[File]] = {}
    for file in files:
        planes = [plane_of(frame.geometry.orientation) for frame in file.frames]
        for plane in dict.fromkeys(planes):
            own = tuple(frame for frame, of in zip(file.frames, planes, strict=True) if of == plane)
            parts.setdefault(plane, []).append(replace(file, frames=own))
    return sorted(parts.values(), key=lambda part: -sum(len(file.frames) for file in part))


def stacked(files: Sequence[File]) -> Stack:
    """One series; raises where the files cannot be one."""
    kinds = sorted({file.facts.kind for file in files})
    if len(kinds) > 1:
        raise Unreadable(f"The files of one series are of several kinds ({', '.join(kinds)}).")
    if kinds == ["nifti"] and len(files) > 1:
        raise Unreadable("A series has one NIfTI volume; give each volume its own row and series.")
    if len({file.series for file in files}) > 1:
        several = len({file.series for file in files})
        raise Unreadable(f"The files belong to {several} series; give each series its own folder and row.")
    if repeated(files):
        raise Unreadable("The same image is there twice (two files have one SOP Instance UID).")
    _check_total(files)
    slices, notes = _sorted(files) if kinds == ["dicom"] else (_as_given(files), [])
    notes = [*_steps(files), *_lines(slices, files[0].facts.modality), *_measures(slices), *_sizes(slices), *notes]
    first = files[0].facts
    plane = plane_of(slices[0].frame.geometry.orientation)
    facts = Facts(
        kind=first.kind,
        modality=first.modality,
        body_part=first.body_part,
        laterality=first.laterality,
        view=first.view,
        words=first.words,
        notes=_once([*(note for file in files for note in file.facts.notes), *notes]),
        quarantine=_once(reason for file in files for reason in file.facts.quarantine),
    )
    return Stack(
        facts=facts,
        plane=plane,
        unit=unit_of(first.modality),
        slices=tuple(slices),
        frame_of_reference=files[0].frame_of_reference,
    )


def repeated(files: Sequence[File]) -> list[File]:
    """Those whose instance another before them has."""
    first = {file.instance: file for file in reversed(files)}
    return [file for file in files if file.instance and first[file.instance] is not file]


def default_label(facts: Facts) -> str:
    """From listed values only, for readers see it: T1W FS, CT BONE, DX L LL; the plane has a field of its own."""
    if facts.modality == "MR" and facts.words:
        return facts.words
    return " ".join(filter(None, (facts.modality, facts.words, facts.laterality, facts.view)))


def numbers_of_reference(stacks: Sequence[Stack]) -> list[int]:
    """Equal within a case where places can be compared; 0 where a file does not say. No identifier is kept for it."""
    known = list(dict.fromkeys(stack.frame_of_reference for stack in stacks if stack.frame_of_reference))
    return [known.index(stack.frame_of_reference) + 1 if stack.frame_of_reference else 0 for stack in stacks]


def _once(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentences))


def _check_total(files: Sequence[File]) -> None:
    frames = [frame for file in files for frame in file.frames]
    largest = max(frames, key=lambda frame: frame.rows * frame.columns)
    total = sum(frame.rows * frame.columns for frame in frames)
    check_size(1, 1, len(frames))
    check_size(largest.rows, largest.columns, max(1, total // (largest.rows * largest.columns)))


def _as_given(files: Sequence[File]) -> list[Slice]:
    return [Slice(file.digest, frame) for file in files for frame in file.frames]


def _sorted(files: Sequence[File]) -> tuple[list[Slice], list[str]]:
    """Along the normal of the stack; by instance number where the files do not lie in one stack."""
    by_number = _as_given(sorted(files, key=lambda file: (file.number, file.instance)))
    geometries = [slice_.frame.geometry for slice_ in by_number]
    modality = files[0].facts.modality
    notes = list(_spaces(files))
    along = geometries[0].orientation
    if along is None or any(geometry.position is None for geometry in geometries):
        if len(by_number) > 1 or modality in CROSS_SECTIONAL:
            notes.append(
                "The files do not say where the slices lie in the patient; they are shown in the order of their "
                "instance numbers, without linking, planes or levels."
            )
        return by_number, notes
    if not all(geometry.orientation and same_orientation(geometry.orientation, along) for geometry in geometries):
        notes.append("The slices do not lie in one stack; they are shown in the order of their instance numbers.")
        return by_number, notes
    depths = [round(depth(geometry, along) or 0.0, 3) for geometry in geometries]
    order = sorted(range(len(depths)), key=depths.__getitem__)
    notes.extend(_distances([depths[at] for at in order]))
    notes.extend(_shifts([geometries[at] for at in order], along))
    return [by_number[at] for at in order], notes


def _steps(files: Sequence[File]) -> Iterator[str]:
    slopes = [abs(frame.slope) for file in files if file.scale and not file.scale.is_exact for frame in file.frames]
    if slopes:
        yield f"The values were scaled to 16 bits; shown values are within {max(slopes) / 2:.2g} of the file's."


def _lines(slices: Sequence[Slice], modality: str) -> Iterator[str]:
    lines = {(slice_.frame.slope, slice_.frame.intercept) for slice_ in slices}
    if modality in CROSS_SECTIONAL and len(lines) > 1:
        yield "The values of the slices have different slopes or intercepts; no other planes are made of them."


def _measures(slices: Sequence[Slice]) -> Iterator[str]:
    spacings = {slice_.frame.geometry.spacing for slice_ in slices}
    if None in spacings:
        yield "There is no pixel spacing; lengths are not measured."
        return
    rounded = {tuple(round(side, 4) for side in spacing) for spacing in spacings if spacing}
    if len(rounded) > 1:
        sides = [side for spacing in rounded for side in spacing]
        yield f"The slices have different pixel spacings ({min(sides):g} to {max(sides):g} mm)."


def _sizes(slices: Sequence[Slice]) -> Iterator[str]:
    sizes = {(slice_.frame.rows, slice_.frame.columns) for slice_ in slices}
    if len(sizes) > 1:
        yield f"The slices have {len(sizes)} different sizes."


def _spaces(files: Sequence[File]) -> Iterator[str]:
    if len({file.frame_of_reference for file in files}) > 1:
        yield "The slices name different frames of reference; whether they lie in one stack is not sure."


def _shifts(geometries: Sequence[Geometry], along: Directions) -> Iterator[str]:
    first, last = (np.asarray(geometries[at].position) for at in (0, -1))
    across = normal(along)
    height = float((last - first) @ across)
    if height and float(np.linalg.norm(last - first - height * across)) > SHIFTED * height:
        yield "The slices are shifted against each other, as by a tilted gantry; no other planes are made of them."


def _distances(depths: Sequence[float]) -> Iterator[str]:
    if len(set(depths)) < len(depths):
        yield "Several slices lie at one position (echoes or times)."
        return
    gaps = [after - before for before, after in pairwise(depths)]
    if len(gaps) > 1 and max(gaps) - min(gaps) > 2 * UNEVEN * float(np.median(gaps)):
        yield f"The distance between slices varies from {min(gaps):g} to {max(gaps):g} mm; is a slice missing?"
