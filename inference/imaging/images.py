"""The image of a case: from files while training, from stored frames while serving, the same numbers both ways.

Free of torch; the libraries that read a format are imported when such a file comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.imaging.pixels import UnreadableInput, decode_colour_frame, decode_frame, fetch, shown, told
from inference.imaging.stacking import UNKNOWN, Spacing, stacked
from inference.prediction import Frame

Values = NDArray[np.float32]
MOST_PIXELS = 100_000_000
# Pillow opens dozens more, some by starting other programs.
FORMATS = ("PNG", "JPEG", "TIFF")
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")
COLOUR = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "LA", "1")


class MissingInput(UnreadableInput):
    """A case lacks an input that the model declares; the text names it."""


@dataclass(frozen=True, eq=False)
class Image:
    """Shown values of one image.

    Attributes
    ----------
    values : ndarray of float32, shape (slices, rows, columns)
        HU for CT, bright = dense for films; a film has one slice.
    spacing : tuple of float
        Between slices, rows and columns in mm; 1.0 where unknown.
    affine : ndarray of float64, shape (4, 4), or None
        From (slice, row, column) of a voxel to mm in the patient: left, posterior, superior.
    depths : tuple of float
        Places of the slices along their normal in mm, where they do not lie evenly; else empty.

    Examples
    --------
    >>> Image(np.zeros((1, 30, 20), np.float32), (1.0, 0.5, 0.5)).shape
    (1, 30, 20)
    """

    values: Values
    spacing: Spacing = UNKNOWN
    affine: NDArray[np.float64] | None = None
    depths: tuple[float, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        slices, rows, columns = self.values.shape
        return slices, rows, columns


def read_image(path: Path) -> Image:
    """Image of a file: PNG, JPEG, TIFF, DICOM with one or many frames, a folder with a DICOM series, NIfTI.

    A series is sorted by the place of its slices in the patient. A NIfTI volume is cut into the slices in which it was
    taken (axial where its voxels are cubes), rows and columns as a radiologist expects them.

    Raises
    ------
    UnreadableInput
        With the reason, in one sentence.
    """
    name = path.name.lower()
    if path.is_dir():
        from inference.imaging import dicom

        return Image(*dicom.read(sorted(one for one in path.rglob("*") if one.is_file() and is_slice(one)), path.name))
    if name.endswith((".nii", ".nii.gz")):
        from inference.imaging import nifti

        return Image(*nifti.read(path))
    if name.endswith((".dcm", ".dicom")) or is_dicom(path):
        from inference.imaging import dicom

        return Image(*dicom.read([path], path.name))
    return _read_picture(path)


def read_labels(path: Path, like: Image | None = None) -> Image:
    """Label image of a file: whole numbers as they are, those of a palette before colours are made of them.

    Parameters
    ----------
    path : Path
    like : Image or None
        The image that the labels belong to. Where both say how they lie in the patient, the labels are turned to lie
        as the image does: a NIfTI file may hold what was drawn on a DICOM series.

    Raises
    ------
    UnreadableInput
        Where there are no labels in the file, or they lie on another grid than the image.
    """
    if path.suffix.lower() in (".jpg", ".jpeg"):
        raise UnreadableInput(f"{path.name} is a JPEG, which blurs labels into each other; PNG and NIfTI keep them.")
    is_picture = path.suffix.lower() in (".png", ".tif", ".tiff")
    labels = _read_picture(path, labels=True) if is_picture else read_image(path)
    if np.any(labels.values != np.rint(labels.values)):
        raise UnreadableInput(f"{path.name} holds fractions; labels are whole numbers.")
    if like is None:
        return labels
    if labels.affine is not None and like.affine is not None:
        labels = _turned(labels, like, path.name)
    if labels.shape != like.shape:
        raise UnreadableInput(f"{path.name} has the shape {labels.shape}, its image {like.shape}.")
    return labels


def _turned(labels: Image, like: Image, name: str) -> Image:
    """The same labels, their axes in the order and direction of the image's."""
    assert labels.affine is not None
    assert like.affine is not None
    between = np.linalg.solve(like.affine, labels.affine)
    order = np.abs(between[:3, :3]).argmax(axis=1)
    signs = np.sign(between[np.arange(3), order])
    exact = np.zeros((3, 3))
    exact[np.arange(3), order] = signs
    values = labels.values.transpose(order)[tuple(slice(None, None, int(sign)) for sign in signs)]
    first = between[:3, 3] + np.where(signs < 0, 1 - np.array(values.shape), 0)
    if len(set(order)) < 3 or np.abs(between[:3, :3] - exact).max() > 0.05 or np.abs(first).max() > 0.5:
        raise UnreadableInput(f"{name} lies on another grid than its image.")
    return Image(np.ascontiguousarray(values), like.spacing, like.affine, like.depths)


def image_of(frames: Sequence[Frame]) -> Image:
    """Image of the stored frames of one series, in their order.

    Raises
    ------
    UnreadableInput
        Where a frame cannot be fetched, is damaged, or is not as large as the others.
    """
    if not frames:
        raise UnreadableInput("The case has no stored frames.")
    first = frames[0]
    values = np.empty((len(frames), first.rows, first.columns), np.float32)
    for place, frame in zip(values, frames, strict=True):
        if (frame.rows, frame.columns) != (first.rows, first.columns):
            raise UnreadableInput("The slices of a series differ in size.")
        content = fetch(frame.uri)
        if hashlib.sha256(content).hexdigest() != frame.sha256:
            raise UnreadableInput("A stored frame is damaged: its SHA-256 differs from the one recorded at import.")
        is_colour = frame.samples == 3
        stored = (decode_colour_frame if is_colour else decode_frame)(content, frame.rows, frame.columns)
        shown(stored, frame.slope, frame.intercept, inverted=frame.inverted, out=place)
    corners, directions = [_vector(frame.origin) for frame in frames], [_vector(frame.orientation) for frame in frames]
    return Image(values, *stacked(corners, directions, first.spacing))


def _vector(numbers: Sequence[float] | None) -> NDArray[np.float64] | None:
    return None if numbers is None else np.asarray(numbers, dtype=float)


def pixel_digest(image: Image) -> str:
    """SHA-256 of the shown values and their shape: the identity of an image, whatever its file is called.

    Examples
    --------
    >>> pixel_digest(Image(np.zeros((1, 2, 2), np.float32)))[:16]
    '734001c0754a6c52'
    """
    digest = hashlib.sha256(np.ascontiguousarray(image.values).data)
    digest.update(str(image.values.shape).encode())
    return digest.hexdigest()


def is_slice(path: Path) -> bool:
    """Whether the file may be a slice of a series; the index of a disc bears the mark of DICOM too."""
    return path.name.upper() != "DICOMDIR" and is_dicom(path)


def is_dicom(path: Path) -> bool:
    """Whether the file has the mark of DICOM."""
    try:
        with path.open("rb") as stream:
            stream.seek(128)
            return stream.read(4) == b"DICM"
    except OSError as error:
        raise UnreadableInput(f"{path.name} cannot be opened: {error.strerror}.") from error


def _read_picture(path: Path, *, labels: bool = False) -> Image:
    """Grey as it is, colour as luminance; turned as EXIF says; every page of a TIFF a slice."""
    from PIL import Image as Picture
    from PIL import ImageSequence, UnidentifiedImageError

    try:
        with Picture.open(path, formats=FORMATS) as file:
            if file.width * file.height > MOST_PIXELS:
                raise UnreadableInput(
                    f"{path.name} claims {file.height} × {file.width} pixels; more than {MOST_PIXELS:,} are refused."
                )
            pages = [_grey(page, path.name, labels=labels) for page in ImageSequence.Iterator(file)]
    except UnreadableInput:
        raise
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Picture.DecompressionBombError) as error:
        raise UnreadableInput(f"{path.name} is no image that can be read: {told(error)}.") from error
    if len({page.shape for page in pages}) > 1:
        raise UnreadableInput(f"The pages of {path.name} differ in size.")
    values = pages[0][np.newaxis] if len(pages) == 1 else np.stack(pages)
    return Image(values)


def _grey(page: object, name: str, *, labels: bool) -> Values:
    from PIL import Image as Picture
    from PIL import ImageOps

    assert isinstance(page, Picture.Image)
    turned = ImageOps.exif_transpose(page)
    if turned.mode in (*SIXTEEN_BIT, "L", "F"):
        values: Values = np.asarray(turned).astype(np.float32)
        if turned.mode == "F" and not np.isfinite(values).all():
            raise UnreadableInput(f"{name} has values that are no numbers.")
        return values
    if labels and turned.mode in ("P", "1"):
        return np.asarray(turned).astype(np.float32)
    if turned.mode not in COLOUR:
        raise UnreadableInput(f"{name} is a picture of the kind {turned.mode}, which cannot be read.")
    flat = turned.convert("RGB") if turned.mode in ("RGBA", "P", "PA") else turned
    return np.asarray(flat.convert("L")).astype(np.float32)
