"""VOI look-up tables of DICOM, as the viewer applies them: the grey of 8 bits from each shown value on."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pydicom.dataset import Dataset

from .pictures import MOST_STEPS, Window


def window_of_table(table: Dataset) -> Window | None:
    """None where the table does not change; centre and width span its rise from 2.5 % to 97.5 % of its output."""
    count, first, bits = (int(value) for value in table.LUTDescriptor)
    outputs = _entries(table.LUTData, bits)[: count or 1 << 16]
    highest = max(outputs, default=0)
    if highest == min(outputs, default=0):
        return None
    inside = [at for at, output in enumerate(outputs) if 0.025 * highest <= output <= 0.975 * highest]
    inside = inside or [0, len(outputs) - 1]
    center, width = first + (inside[0] + inside[-1]) / 2, max(1.0, float(inside[-1] - inside[0]))
    steps = tuple(_steps(outputs, first, bits if highest < 1 << bits else 16))
    if len(steps) > 2 * MOST_STEPS:
        return Window(center, width)
    return Window(center, width, "table", steps)


def _steps(outputs: Sequence[int], first: int, bits: int) -> Iterator[int]:
    """Shown value and grey in turns, where the grey changes; values below the first have its grey."""
    greys = [round(output * 255 / ((1 << bits) - 1)) for output in outputs]
    yield from (first, greys[0])
    for at, (before, grey) in enumerate(pairwise(greys), start=first + 1):
        if grey != before:
            yield from (at, grey)


def _entries(data: object, bits: int) -> list[int]:
    """Numbers, stored as such, as bytes, or as words."""
    if isinstance(data, bytes):
        return list(data if bits <= 8 else memoryview(data).cast("H"))
    return [int(str(value)) for value in data] if isinstance(data, Sequence) else []
