"""PNG, JPEG and TIFF: grey as it is, colour as luminance; turned as EXIF says, then EXIF is dropped."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .geometry import Geometry
from .pictures import Facts, Opened, Picture, Pixels, Unreadable, check_size, percentile_window

_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")
_EIGHT_BIT_GREY = ("L", "1")
_COLOUR = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "LA")


def read(path: Path) -> Opened:
    note = _note(path)
    return Opened(facts=Facts(kind="picture", notes=(note,) if note else ()), count=1, pictures=_pictures(path))


def _pictures(path: Path) -> Iterator[Picture]:
    pixels, bits = _pixels(path)
    yield Picture(pixels=pixels, bits=bits, geometry=Geometry(), window=percentile_window(pixels, 1.0, 0.0))


def _open(path: Path) -> Image.Image:
    # The size is judged by check_size, before a pixel is decoded; Pillow's own limit only warns.
    Image.MAX_IMAGE_PIXELS = None
    try:
        image = Image.open(path, formats=("PNG", "JPEG", "TIFF"))
    except (UnidentifiedImageError, SyntaxError, ValueError, OSError) as error:
        raise Unreadable("The picture cannot be opened: its header is damaged.") from error
    check_size(image.height, image.width, 1)
    if getattr(image, "n_frames", 1) > 1:
        raise Unreadable("The file holds several pictures; save each as a file of its own.")
    if image.mode not in (*_SIXTEEN_BIT, *_EIGHT_BIT_GREY, *_COLOUR):
        raise Unreadable(f"Pictures of the kind {image.mode!r} cannot be read; grey of 8 or 16 bits and colour can.")
    return image


def _note(path: Path) -> str:
    with _open(path) as image:
        if image.mode in _COLOUR and image.mode != "LA":
            return "Colour was turned into 8-bit grey (luminance)."
        return ""


def _pixels(path: Path) -> tuple[Pixels, int]:
    with _open(path) as image:
        try:
            turned = ImageOps.exif_transpose(image)
            if turned.mode in _SIXTEEN_BIT:
                values = np.asarray(turned)
                if values.size and (values.min() < 0 or values.max() > 65535):
                    raise Unreadable("The picture has values outside 0 to 65535.")
                return values.astype(np.uint16), 16
            grey = turned if turned.mode == "L" else _luminance(turned)
            return np.asarray(grey).astype(np.uint16), 8
        except (SyntaxError, ValueError, OSError, EOFError) as error:
            if isinstance(error, Unreadable):
                raise
            raise Unreadable("The picture cannot be decoded: the file is damaged or cut off.") from error


def _luminance(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "P", "PA"):
        return image.convert("RGB").convert("L")
    return image.convert("L")
