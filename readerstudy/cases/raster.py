"""PNG, JPEG and TIFF: grey, colour and floats as they are; turned as EXIF says, then EXIF is dropped."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin

from .geometry import Geometry
from .pictures import AS_IT_IS, Facts, Opened, Picture, Scale, Unreadable, check_size
from .values import UPPER_8, is_wide, scale_of, scaled, together, unsigned

_DEEP_GREY = ("I;16", "I;16B", "I;16L", "I", "F")
_WIDE_GREY = ("I", "F")
_EIGHT_BIT_GREY = ("L", "1", "LA")
_COLOUR = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr")
# What a page of a TIFF says to be: a smaller copy of another, or a mask of it; and of its values.
_KIND_OF_PAGE, _COPY_OR_MASK = 254, 0b101
_PHOTOMETRIC, _WHITE_IS_ZERO, _SAMPLE_FORMAT, _UNSIGNED, _SIGNED = 262, 0, 339, 1, 2
# What Pillow lets through where a file makes no sense.
_DAMAGE = (
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    OSError,
    EOFError,
    struct.error,
    zlib.error,
)
DEEP_IN_COLOUR = (
    "The picture holds grey of 16 bits stored as colours or with transparency; save it as plain grey of 16 bits, so "
    "that nothing is lost."
)


class _Said(NamedTuple):
    """What the header of a page says of its values, which Pillow does not tell apart."""

    is_deep: bool
    white_is_zero: bool
    sample_format: int


def read(path: Path, scale: Scale | None = None) -> Opened:
    """`scale` is that of its series, where it is known."""
    pages = _pages(path)
    notes = (f"The file holds {len(pages):,} pictures; they are slices of one series.",) if len(pages) > 1 else ()
    return Opened(facts=Facts(kind="picture", notes=notes), count=len(pages), pictures=_pictures(path, pages, scale))


def _pages(path: Path) -> list[int]:
    """Which pages of the file are pictures of their own."""
    with _damage_in_words(), _open(path) as image:
        count = getattr(image, "n_frames", 1)
        check_size(image.height, image.width, count)
        if not isinstance(image, TiffImagePlugin.TiffImageFile):
            return _alone(count)
        pages = []
        for number in range(count):
            image.seek(number)
            if number == 0 or not int(image.tag_v2.get(_KIND_OF_PAGE, 0)) & _COPY_OR_MASK:
                _check(image)
                pages.append(number)
        return pages


def _alone(count: int) -> list[int]:
    if count > 1:
        raise Unreadable("The file holds moving pictures; save each as a file of its own, or all as pages of a TIFF.")
    return [0]


def _pictures(path: Path, pages: list[int], scale: Scale | None) -> Iterator[Picture]:
    with _damage_in_words():
        scale = scale or together(_scales(path, pages))
    with _damage_in_words(), _open(path) as image:
        for page in pages:
            image.seek(page)
            said = _said(image)
            yield _picture(ImageOps.exif_transpose(image), said, scale)


def _scales(path: Path, pages: list[int]) -> Iterator[Scale | None]:
    with _open(path) as image:
        for page in pages:
            image.seek(page)
            if image.mode in _WIDE_GREY:
                said = _said(image)
                yield scale_of(_values(image, said))


def _said(image: ImageFile.ImageFile) -> _Said:
    tags = getattr(image, "tag_v2", {})
    # How the samples lie in the file: "RGB;16B", by itself or before what the decoder is told besides.
    layout = image.tile[0].args
    return _Said(
        is_deep="16" in str(layout[0] if isinstance(layout, tuple) else layout),
        white_is_zero=tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO,
        sample_format=tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0],
    )


@contextmanager
def _damage_in_words() -> Iterator[None]:
    try:
        yield
    except Unreadable:
        raise
    except _DAMAGE as error:
        raise Unreadable("The picture cannot be decoded: the file is damaged or cut off.") from error


def _open(path: Path) -> ImageFile.ImageFile:
    # The size is judged by check_size, before a pixel is decoded; Pillow's own limit only warns.
    Image.MAX_IMAGE_PIXELS = None
    try:
        image = Image.open(path, formats=("PNG", "JPEG", "TIFF"))
    except _DAMAGE as error:
        raise Unreadable(
            "The picture cannot be opened: its header is damaged, or its kind is one that cannot be read."
        ) from error
    _check(image)
    return image


def _check(image: Image.Image) -> None:
    check_size(image.height, image.width, 1)
    if image.mode not in (*_DEEP_GREY, *_EIGHT_BIT_GREY, *_COLOUR):
        raise Unreadable(f"Pictures of the kind {image.mode!r} cannot be read; grey, colour and floats can.")


def _picture(image: Image.Image, said: _Said, scale: Scale | None) -> Picture:
    """Grey without a window, so that the slices of one series get that of the middle one."""
    if image.mode in _DEEP_GREY:
        return _grey(_values(image, said), scale, inverted=said.white_is_zero)
    if image.mode in _EIGHT_BIT_GREY:
        return _grey(_values(image.convert("L"), said))
    colours = np.asarray(image.convert("RGB"))
    if (colours != colours[..., :1]).any():
        return Picture(colours, 8, Geometry(), window=AS_IT_IS, note=UPPER_8 if said.is_deep else "")
    if said.is_deep:
        raise Unreadable(DEEP_IN_COLOUR)
    # A radiograph is often saved in colours that are all grey.
    return _grey(colours[..., 0])


def _values(image: Image.Image, said: _Said) -> NDArray[np.generic]:
    """Pillow has no signed 8 and no unsigned 32 bits, and takes one for the other."""
    values: NDArray[np.generic] = np.asarray(image)
    if image.mode == "L" and said.sample_format == _SIGNED:
        return values.view(np.int8)
    if image.mode == "I" and said.sample_format == _UNSIGNED:
        return values.view(np.uint32)
    return values


def _grey(values: NDArray[np.generic], scale: Scale | None = None, *, inverted: bool = False) -> Picture:
    bits = 8 if values.itemsize == 1 else 16
    wide = is_wide(values)
    stored = scaled(values, scale) if wide else unsigned(values, bits)
    return Picture(
        pixels=stored.pixels,
        bits=stored.bits,
        geometry=Geometry(),
        slope=stored.step,
        intercept=stored.first,
        inverted=inverted,
        scale=scale if wide else None,
    )
