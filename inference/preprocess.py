"""Pixels to model input, the same in training and in serving. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.pixels import Pixels, UnreadableInput


@dataclass(frozen=True)
class Preprocessing:
    """Grey values between two percentiles become 0…1; the longer side fits, the rest is padded with 0.

    Attributes
    ----------
    rows, columns : int
        Size of the input.
    low, high : float
        Percentiles that become 0 and 1; beyond them values are clipped.
    """

    rows: int
    columns: int
    low: float = 1.0
    high: float = 99.0

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Preprocessing:
        return cls(**recipe)

    def __call__(self, pixels: Pixels) -> NDArray[np.float32]:
        """Shown values of shape (r, c) to an input of shape (rows, columns) in [0, 1].

        Raises
        ------
        UnreadableInput
            Where the image has one grey value only.

        Examples
        --------
        >>> Preprocessing(rows=2, columns=2)(np.array([[0, 100], [0, 100]], dtype=np.float32)).round(2).tolist()
        [[0.0, 1.0], [0.0, 1.0]]
        """
        scaled = self.scaled(pixels)
        height, width = self.fitted(pixels.shape[0], pixels.shape[1])
        image = Image.fromarray(scaled).resize((width, height), Image.Resampling.BILINEAR)
        canvas = np.zeros((self.rows, self.columns), dtype=np.float32)
        top, left = (self.rows - height) // 2, (self.columns - width) // 2
        canvas[top : top + height, left : left + width] = np.asarray(image)
        return canvas

    def scaled(self, pixels: Pixels) -> NDArray[np.float32]:
        low, high = np.percentile(pixels, [self.low, self.high])
        if not high > low:
            raise UnreadableInput("The image has one grey value only.")
        stretched: NDArray[np.float32] = np.clip((pixels - low) / (high - low), 0, 1).astype(np.float32)
        return stretched

    def fitted(self, rows: int, columns: int) -> tuple[int, int]:
        """Height and width of an image of that shape once it fits into the input."""
        factor = min(self.rows / rows, self.columns / columns)
        return max(1, round(rows * factor)), max(1, round(columns * factor))

    def placed(self, row: float, column: float, rows: int, columns: int) -> tuple[float, float]:
        """Where a place of an image of that shape comes to lie in the input."""
        height, width = self.fitted(rows, columns)
        top, left = (self.rows - height) // 2, (self.columns - width) // 2
        return top + (row + 0.5) * height / rows, left + (column + 0.5) * width / columns

    def back(self, plane: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
        """Cut the padding from a map over the input, so that it covers the image of that shape exactly."""
        height, width = self.fitted(rows, columns)
        top, left = (self.rows - height) // 2, (self.columns - width) // 2
        whole = np.asarray(Image.fromarray(plane).resize((self.columns, self.rows), Image.Resampling.BILINEAR))
        return whole[top : top + height, left : left + width]
