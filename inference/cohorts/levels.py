"""Vertebral levels as numbers of a label image, as the VerSe data sets count them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# C1–C7 = 1–7, T1–T12 = 8–19, L1–L6 = 20–25, sacrum 26, T13 = 28 (Sekuboyina et al., Med Image Anal 2021, 73:102166).
CODES: Mapping[str, int] = MappingProxyType(
    {f"C{number}": number for number in range(1, 8)}
    | {f"T{number}": 7 + number for number in range(1, 13)}
    | {f"L{number}": 19 + number for number in range(1, 7)}
    | {"S1": 26, "T13": 28}
)
NAMES: Mapping[int, str] = MappingProxyType({code: name for name, code in CODES.items()})
# From the head down, as they lie: T13 between T12 and L1.
ORDER: tuple[str, ...] = tuple(sorted(CODES, key=lambda name: 19.5 if name == "T13" else CODES[name]))
