"""PNG, JPEG and TIFF: grey and colour as they are; turned as EXIF says, then EXIF is dropped."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from .geometry import Geometry
from .pictures import AS_IT_IS, Facts, Opened, Picture, Unreadable, check_size, percentile_window

_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")
_EIGHT_BIT_GREY = ("L", "1", "LA")
_COLOUR = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr")
# What a page of a TIFF says to be: a smaller copy of another, or a mask of it.
_KIND_OF_PAGE, _COPY_OR_MASK = 254, 0b101


def read(path: Path) -> Opened:
    pages = _pages(path)
    notes = (f"The file holds {len(pages):,} pictures; they are slices of one series.",) if len(pages) > 1 else ()
    return Opened(facts=Facts(kind="picture", notes=notes), count=len(pages), pictures=_pictures(path, pages))


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


def _pictures(path: Path, pages: list[int]) -> Iterator[Picture]:
    with _damage_in_words(), _open(path) as image:
        for page in pages:
            image.seek(page)
            yield _picture(ImageOps.exif_transpose(image))


@contextmanager
def _damage_in_words() -> Iterator[None]:
    try:
        yield
    except Unreadable:
        raise
    except (SyntaxError, ValueError, OSError, EOFError, ArithmeticError) as error:
        raise Unreadable("The picture cannot be decoded: the file is damaged or cut off.") from error


def _open(path: Path) -> Image.Image:
    # The size is judged by check_size, before a pixel is decoded; Pillow's own limit only warns.
    Image.MAX_IMAGE_PIXELS = None
    try:
        image = Image.open(path, formats=("PNG", "JPEG", "TIFF"))
    except (UnidentifiedImageError, SyntaxError, ValueError, OSError) as error:
        raise Unreadable("The picture cannot be opened: its header is damaged.") from error
    _check(image)
    return image


def _check(image: Image.Image) -> None:
    check_size(image.height, image.width, 1)
    if image.mode not in (*_SIXTEEN_BIT, *_EIGHT_BIT_GREY, *_COLOUR):
        raise Unreadable(f"Pictures of the kind {image.mode!r} cannot be read; grey of 8 or 16 bits and colour can.")


def _picture(image: Image.Image) -> Picture:
    if image.mode in _SIXTEEN_BIT:
        values = np.asarray(image)
        if values.size and (values.min() < 0 or values.max() > 65535):
            raise Unreadable("The picture has values outside 0 to 65535.")
        bits = 16
    elif image.mode in _EIGHT_BIT_GREY:
        values, bits = np.asarray(image.convert("L")), 8
    else:
        colours = np.asarray(image.convert("RGB"))
        if (colours != colours[..., :1]).any():
            return Picture(pixels=colours, bits=8, geometry=Geometry(), window=AS_IT_IS)
        # A radiograph is often saved in colours that are all grey.
        values, bits = colours[..., 0], 8
    pixels = values.astype(np.uint16)
    return Picture(pixels=pixels, bits=bits, geometry=Geometry(), window=percentile_window(pixels, 1.0, 0.0))
