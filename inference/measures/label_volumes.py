"""Bodies and heights of vertebrae from label volumes of CT or MR, in the plane through the middle of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.imaging.pixels import UnreadableInput
from inference.measures.bodies import Bools, Genant, Heights, Outline, genant, outline_of

# Half of the slab (mm) in which most planes must agree, and what is opened to part a body from its arch (mm).
SLAB, ARCH = 4.0, 5.0
# Sagittal pictures are laid out with the head above and the patient's front to the left.
LAID_OUT = ("R", "I", "P")
OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}


class BadLabels(UnreadableInput):
    """A label volume that cannot be measured; the text says why."""


@dataclass(frozen=True)
class MeasuredBody:
    """One vertebra of a label volume.

    Attributes
    ----------
    level : str
    plane : float
        Index of the sagittal plane, counted from the patient's left to the right.
    outline : Outline
        Six points as (row, column) of that plane: rows run from the head down in steps of ``spacing[0]`` mm, columns
        from front to back in steps of ``spacing[1]`` mm.
    spacing : (float, float)
    heights : Heights
        In mm.
    genant : Genant
        Crushes are seen against the neighbours that were measured.
    cut : bool
        Whether the vertebra touches the end of the volume, so that its heights are too small.
    """

    level: str
    plane: float
    outline: Outline
    spacing: tuple[float, float]
    heights: Heights
    genant: Genant
    cut: bool


def measure_file(path: Path, names: Mapping[int, str]) -> tuple[MeasuredBody, ...]:
    """Every vertebra of a NIfTI label file; ``names`` says which label is which level, from the head down.

    Raises
    ------
    BadLabels
        Where the file cannot be read or holds none of these labels.
    """
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError

    try:
        image = nib.Nifti1Image.from_filename(path)
        labels = np.asarray(image.dataobj)
    except (OSError, ImageFileError, ValueError) as error:
        raise BadLabels(f"{path.name} cannot be read as a label volume: {error}.") from error
    if labels.ndim != 3:
        raise BadLabels(f"{path.name} has {labels.ndim} dimensions; a label volume has three.")
    axes = nib.aff2axcodes(image.affine)
    zooms = tuple(float(value) for value in image.header.get_zooms()[:3])
    return measure(np.round(labels).astype(int), zooms, "".join(str(axis) for axis in axes), names)


def measure(
    labels: NDArray[np.integer], spacing: tuple[float, ...], axes: str, names: Mapping[int, str]
) -> tuple[MeasuredBody, ...]:
    """Every vertebra of a label volume that can be measured, from the head down.

    Parameters
    ----------
    labels : ndarray of int, shape (i, j, k)
        Whole vertebrae or bodies alone.
    spacing : (float, float, float)
        mm along each axis.
    axes : str
        Towards where each axis runs: ``"RAS"`` for right, front, head.
    names : mapping of int to str
        Label to level, from the head down.

    Returns
    -------
    tuple of MeasuredBody
        Without those of which too little is inside the volume.

    Raises
    ------
    BadLabels
        Where none of the labels stands in the volume.
    """
    volume, steps = _laid_out(labels, spacing, axes)
    found: list[tuple[str, float, Outline, bool]] = []
    present = [label for label in names if (volume == label).any()]
    if not present:
        known = ", ".join(str(label) for label in names)
        raise BadLabels(f"The volume holds none of the labels {known}.")
    for label in present:
        plane, body = body_in_its_plane(volume == label, steps)
        outline = outline_of(body, steps[1:])
        if outline is not None:
            cut = bool(body[0].any() or body[-1].any())
            found.append((names[label], plane, outline, cut))
    behind = {level: outline.heights(steps[1:]).hp for level, _, outline, cut in found if not cut}
    order = list(names.values())
    return tuple(
        MeasuredBody(
            level, plane, outline, steps[1:], outline.heights(steps[1:]),
            genant(outline.heights(steps[1:]), _beside(behind, order, level)), cut,
        )
        for level, plane, outline, cut in found
    )  # fmt: skip


def body_in_its_plane(vertebra: Bools, steps: tuple[float, float, float]) -> tuple[float, Bools]:
    """The sagittal plane through the middle of a vertebra, and its body there without the arch.

    Parameters
    ----------
    vertebra : ndarray of bool, shape (sagittal planes, rows from the head down, columns from front to back)
    steps : (float, float, float)
        mm along these axes.
    """
    from scipy import ndimage

    where = np.nonzero(vertebra)[0]
    plane = float(np.median(where))
    half = max(0, round(SLAB / steps[0]) // 2)
    slab = vertebra[max(0, round(plane) - half) : round(plane) + half + 1]
    most = np.asarray(slab.mean(axis=0) >= 0.5)
    radius = ARCH / 2
    rows, columns = (np.arange(-int(radius / step), int(radius / step) + 1) * step for step in steps[1:])
    disc = rows[:, None] ** 2 + columns[None] ** 2 <= radius**2
    opened = ndimage.binary_opening(np.pad(most, 3, mode="edge"), disc)[3:-3, 3:-3]
    core = _front(np.asarray(opened if opened.any() else most))
    # What the opening took from the corners of the body comes back, what lies beyond does not.
    grown = ndimage.binary_dilation(core, disc) & most
    return plane, _front(np.asarray(grown))


def _front(mask: Bools) -> Bools:
    """The body: of the components of half the largest one's size at least, the one that lies foremost."""
    from scipy import ndimage

    parts, number = ndimage.label(mask)
    if number < 2:
        return mask
    sizes = ndimage.sum_labels(mask, parts, range(1, number + 1))
    large = [place + 1 for place, size in enumerate(sizes) if size >= sizes.max() / 2]
    foremost = min(large, key=lambda part: float(np.nonzero(parts == part)[1].mean()))
    return np.asarray(parts == foremost)


def _laid_out(
    labels: NDArray[np.integer], spacing: tuple[float, ...], axes: str
) -> tuple[NDArray[np.integer], tuple[float, float, float]]:
    """The volume as (planes to the right, rows down, columns to the back), and its steps in mm."""
    places = []
    for wanted in LAID_OUT:
        here = [n for n, axis in enumerate(axes) if axis in (wanted, OPPOSITE[wanted])]
        if len(here) != 1:
            raise BadLabels(f"{axes!r} does not name the directions of three axes, as RAS does.")
        places.append(here[0])
    volume = np.transpose(labels, places)
    turned = tuple(n for n, place in enumerate(places) if axes[place] != LAID_OUT[n])
    steps = (float(spacing[places[0]]), float(spacing[places[1]]), float(spacing[places[2]]))
    return np.flip(volume, turned), steps


def _beside(behind: Mapping[str, float], order: list[str], level: str) -> float | None:
    """Mean posterior height of the measured neighbours; None where a level has none."""
    place = order.index(level)
    near = [behind[name] for name in order[max(0, place - 1) : place + 2] if name != level and name in behind]
    return float(np.mean(near)) if near else None
