"""SPSS data files: dictionary and cases, uncompressed, little-endian, texts in UTF-8."""

import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    import pandas as pd

TEXT, NUMBER = 1, 5
WIDEST = 255
LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Variable:
    """A column; `width` is the number of bytes of a text, 0 of a number; `values` are labels of numbers."""

    name: str
    label: str
    width: int = 0
    decimals: int = 0
    values: tuple[tuple[float, str], ...] = ()

    @property
    def places(self) -> int:
        """How many fields of eight bytes."""
        return max(1, -(-self.width // 8))


def write_sav(path: Path, frame: "pd.DataFrame", variables: Sequence[Variable]) -> None:
    """Which bytes does SPSS read as this table? A missing number is SPSS's system-missing value.

    Source: the system file format as the PSPP developer's guide describes it (records 2, 3, 4, 7, 999). Refused: text
    of more than 255 bytes, names of more than eight letters.

    >>> import tempfile
    >>> import pandas as pd
    >>> place = Path(tempfile.mkdtemp()) / "table.sav"
    >>> frame = pd.DataFrame({"reader": ["R1"], "rating": [2.5]})
    >>> write_sav(place, frame, [Variable("reader", "", 2), Variable("rating", "")])
    >>> place.read_bytes()[:4], place.read_bytes()[-16:-8]
    (b'$FL2', b'R1      ')
    """
    for variable in variables:
        if variable.width > WIDEST or len(variable.name) > 8:
            raise CannotAnalyse(
                f"SPSS cannot hold the column {variable.name}: text of more than 255 bytes or a long name."
            )
    names = "\t".join(f"{variable.name.upper()}={variable.name}" for variable in variables).encode()
    content = [header(len(frame), sum(variable.places for variable in variables))]
    content += [described(variable) for variable in variables]
    content += [labelled(variables)]
    content += [extension(3, 4, struct.pack("<8i", 1, 0, 0, -1, 1, 1, 2, 65001))]
    content += [extension(4, 8, struct.pack("<3d", -LARGEST, LARGEST, np.nextafter(-LARGEST, 0)))]
    content += [extension(13, 1, names), extension(20, 1, b"UTF-8"), struct.pack("<2i", 999, 0)]
    columns = [fields(frame[variable.name], variable) for variable in variables]
    path.write_bytes(b"".join(content) + np.concatenate(columns, axis=1).tobytes())


def header(cases: int, places: int) -> bytes:
    product = b"@(#) SPSS DATA FILE analysis".ljust(60)
    fixed = struct.pack("<5id", 2, places, 0, 0, cases, 100.0)
    return b"$FL2" + product + fixed + b"01 Jan 80" + b"00:00:00" + b" " * 64 + b"\0" * 3


def described(variable: Variable) -> bytes:
    """A record for the variable and an empty one for every further field of eight bytes."""
    kind, width = (TEXT, variable.width) if variable.width else (NUMBER, 16)
    shown = kind << 16 | width << 8 | variable.decimals
    label = variable.label.encode()[:WIDEST]
    record = struct.pack("<6i8s", 2, variable.width, 1, 0, shown, shown, variable.name.upper().encode().ljust(8))
    record += struct.pack("<i", len(label)) + label.ljust(-(-len(label) // 4) * 4)
    further = struct.pack("<6i8s", 2, -1, 0, 0, 0, 0, b" " * 8)
    return record + further * (variable.places - 1)


def labelled(variables: Sequence[Variable]) -> bytes:
    found, place = b"", 1
    for variable in variables:
        if variable.values:
            found += struct.pack("<2i", 3, len(variable.values))
            for value, text in variable.values:
                label = text.encode()
                found += struct.pack("<dB", value, len(label)) + label.ljust(-(-(len(label) + 1) // 8) * 8 - 1)
            found += struct.pack("<3i", 4, 1, place)
        place += variable.places
    return found


def extension(kind: int, size: int, content: bytes) -> bytes:
    return struct.pack("<4i", 7, kind, size, len(content) // size) + content


def fields(
    column: "pd.Series[str] | pd.Series[float]", variable: Variable
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """(case, bytes) of one variable."""
    if not variable.width:
        numbers = column.to_numpy(dtype="<f8", na_value=np.nan)
        return np.where(np.isnan(numbers), -LARGEST, numbers).astype("<f8").view(np.uint8).reshape(-1, 8)
    length = 8 * variable.places
    texts = b"".join(str(text).encode().ljust(length) for text in column)
    return np.frombuffer(texts, dtype=np.uint8).reshape(-1, length)
