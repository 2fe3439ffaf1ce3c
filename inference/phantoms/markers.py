"""What is burnt into a film: SYNTHETIC always, a side letter and the patient's position often, never a name."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inference.phantoms.shapes import Plane

WORDS = "SYNTHETIC"
POSITIONS = ("ERECT", "STANDING", "SUPINE LAT", "LAT", "PORTABLE", "DECUBITUS")
OPERATION = ("LIH", "FLUORO 3", "CINE", "AUTO", "82 kV 4.1 mA")


@lru_cache(maxsize=16)
def font_of(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def stamp(grey: Plane, chance: np.random.Generator, *, operation: bool) -> None:
    """Burn the words into grey values 0…1 of shape (rows, columns), in place."""
    rows, columns = grey.shape
    size = max(8, round(min(rows, 1.9 * columns) / 44))
    edge = max(3, size // 2)
    burn(grey, WORDS, (rows - edge - size - 3, edge + 2), size, backed=True)
    if chance.random() < 0.75:
        letter = "L" if chance.random() < 0.6 else "R"
        large = round(size * chance.uniform(1.5, 2.2))
        right = columns - edge - large - round(chance.uniform(0, 0.1) * columns)
        place = (round(chance.uniform(0.02, 0.20) * rows), right)
        burn(grey, letter, place, large, backed=bool(chance.random() < 0.3))
    if chance.random() < 0.45:
        text = str(chance.choice(OPERATION if operation else POSITIONS))
        width = round(font_of(size).getlength(text))
        burn(grey, text, (rows - edge - 2 * size, columns - edge - width - 4), size, backed=False)


def burn(grey: Plane, text: str, place: tuple[int, int], size: int, *, backed: bool) -> None:
    """White letters at a row and column, on a black strip where ``backed``."""
    rows, columns = grey.shape
    picture = Image.new("L", (columns, rows))
    drawing = ImageDraw.Draw(picture)
    left_top = (place[1], place[0])
    drawing.text(left_top, text, fill=255, font=font_of(size))
    if backed:
        left, top, right, bottom = drawing.textbbox(left_top, text, font_of(size))
        grey[max(0, int(top) - 3) : int(bottom) + 4, max(0, int(left) - 3) : int(right) + 4] = 0
    np.maximum(grey, np.asarray(picture, dtype=np.float32) / 255, out=grey)
