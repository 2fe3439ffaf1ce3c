"""Images of a study as small PNGs: the film or slice, outlines of masks on it, heat maps over it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from inference.imaging.images import Image, read_image, read_labels
from inference.imaging.pixels import UnreadableInput
from inference.reports.study import Study

Grey = NDArray[np.float32]
TRUTH, ANSWER = (0, 200, 120), (255, 140, 0)
LARGEST = 260
SUFFIXES = (".png", ".nii.gz")


def film(study: Study, case: str) -> Grey | None:
    """The image of a case in [0, 1]; of a volume the slice of the finding, or the middle one. None where not stored."""
    row = row_of(study, case)
    image = None if row is None else named(row, "file")
    if row is None or image is None:
        return None
    plane = at_slice(image.values, row)
    low, high = np.percentile(plane, (1, 99))
    return np.asarray(np.clip((plane - low) / max(float(high - low), 1e-6), 0, 1), dtype=np.float32)


def true_mask(study: Study, case: str) -> NDArray[np.bool_] | None:
    """The true mask on the same plane; None where none is stored."""
    row = row_of(study, case)
    image = None if row is None else named(row, "file")
    mask = None if row is None or image is None else named(row, "mask", like=image)
    return None if row is None or mask is None else np.asarray(at_slice(mask.values, row) != 0)


def of_model(study: Study, folder: str, kind: str, case: str) -> Grey | None:
    """A stored map of a model in [0, 1], of a volume the slice that `film` shows; None where there is none."""
    stored, row = map_in(folder, kind, case), row_of(study, case)
    if stored is None or row is None:
        return None
    return np.asarray((stored[0] if len(stored) == 1 else at_slice(stored, row)) / 255, dtype=np.float32)


def map_in(folder: str, kind: str, case: str) -> Grey | None:
    """A stored map as it lies there, (slices, rows, columns); one slice is that of the finding."""
    for suffix in SUFFIXES:
        path = Path(folder) / kind / f"{case}{suffix}"
        if path.is_file() and (stored := read(path)) is not None:
            return stored.values
    return None


def strongest(folder: str, kind: str, case: str) -> int | None:
    """The slice, from 1, on which a map of several slices is highest; None for a map of one."""
    stored = map_in(folder, kind, case)
    if stored is None or len(stored) == 1:
        return None
    return 1 + int(stored.reshape(len(stored), -1).max(axis=1).argmax())


def which_slice(study: Study, case: str) -> str:
    """ ", slice 17 of 33" of a volume, counted from 1; "" of a film."""
    row = row_of(study, case)
    image = None if row is None else named(row, "file")
    if row is None or image is None or len(image.values) == 1:
        return ""
    return f", slice {1 + place_of(len(image.values), row)} of {len(image.values)}"


def row_of(study: Study, case: str) -> dict[str, object] | None:
    if study.manifest is None:
        return None
    found = study.manifest[study.manifest["case"] == case]
    return None if found.empty else dict(found.iloc[0])


def named(row: dict[str, object], column: str, like: Image | None = None) -> Image | None:
    """The file that a row of the manifest names; labels where they belong to an image."""
    told = row.get(column)
    return read(Path(str(row["folder"])) / told, like) if isinstance(told, str) else None


def read(path: Path, like: Image | None = None) -> Image | None:
    """None where the file is not there or cannot be read, or its labels lie on another grid than their image."""
    try:
        if not path.exists():
            return None
        return read_image(path) if like is None else read_labels(path, like)
    except (UnreadableInput, OSError):
        return None


def at_slice(values: Grey, row: dict[str, object]) -> Grey:
    return np.asarray(values[place_of(len(values), row)])


def place_of(slices: int, row: dict[str, object]) -> int:
    """The slice of the finding, else the middle one, from 0."""
    place = row.get("slice")
    wanted = round(float(str(place))) if place is not None and place == place else slices // 2
    return min(max(wanted, 0), slices - 1)


def overlay(image: Grey, truth: NDArray[np.bool_] | None = None, answer: Grey | None = None) -> bytes:
    """The image with outlines of the truth and of the answer (from one half), as PNG."""
    scale = LARGEST / max(image.shape)
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    grey = np.asarray(Picture.fromarray((image * 255).astype(np.uint8)).resize(size, Picture.Resampling.BICUBIC))
    colour = np.repeat(grey[..., None], 3, axis=2)
    for mask, tint in ((truth, TRUTH), (None if answer is None else answer >= 0.5, ANSWER)):
        if mask is not None and mask.any():
            colour[outline(np.asarray(mask, dtype=bool), size)] = tint
    return png(colour)


def outline(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The edge of a mask at another size, (columns, rows)."""
    from scipy.ndimage import binary_erosion

    large = np.asarray(Picture.fromarray((mask * 255).astype(np.uint8)).resize(size, Picture.Resampling.BILINEAR)) > 127
    return np.asarray(large & ~binary_erosion(large))


def heated(image: Grey, heat: Grey, truth: NDArray[np.bool_] | None = None) -> bytes:
    """The image with a heat map over it (yellow to red where it is strong) and the outline of the truth, as PNG."""
    scale = LARGEST / max(image.shape)
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    grey = np.asarray(Picture.fromarray((image * 255).astype(np.uint8)).resize(size, Picture.Resampling.BICUBIC)) / 255
    warm = (
        np.asarray(
            Picture.fromarray((np.clip(heat, 0, 1) * 255).astype(np.uint8)).resize(size, Picture.Resampling.BICUBIC)
        )
        / 255
    )
    strength = (warm / max(float(warm.max()), 1e-6))[..., None]
    tint = np.concatenate([np.ones_like(strength), 1 - 0.85 * strength, 0.1 * np.ones_like(strength)], axis=2)
    mixed = (1 - 0.55 * strength) * grey[..., None] + 0.55 * strength * tint
    colour = (np.clip(mixed, 0, 1) * 255).astype(np.uint8)
    if truth is not None and truth.any():
        colour[outline(truth, size)] = TRUTH
    return png(colour)


def png(colour: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Picture.fromarray(colour).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
