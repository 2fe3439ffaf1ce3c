"""What tissues look like: CT numbers, and signal on T1-weighted, T2-weighted and STIR images.

HU at 120 kV; MR signal is relative to subcutaneous fat on T1W and to cerebrospinal fluid on T2W and STIR, fast spin
echo at 1.5 T. Values are of the usual order (Jacobi et al., Radiology 2003; Stanisz et al., Magn Reson Med 54:507,
2005 for T1 and T2 times), not of one scanner.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CHANNELS = ("HU", "T1W", "T2W", "STIR")


class Signal(NamedTuple):
    """One tissue in all channels, in the order of `CHANNELS`."""

    hu: float
    t1w: float
    t2w: float
    stir: float

    def of(self, channels: tuple[str, ...]) -> NDArray[np.float32]:
        """The values of the named channels, shape (channels,)."""
        return np.array([self[CHANNELS.index(channel)] for channel in channels], np.float32)


AIR = Signal(-1000, 0.0, 0.0, 0.0)
LUNG = Signal(-830, 0.05, 0.06, 0.08)
FAT = Signal(-102, 1.00, 0.78, 0.07)
EPIDURAL_FAT = Signal(-90, 0.95, 0.74, 0.08)
MUSCLE = Signal(52, 0.31, 0.17, 0.22)
ORGAN = Signal(48, 0.42, 0.34, 0.40)
BOWEL = Signal(18, 0.40, 0.45, 0.55)
KIDNEY = Signal(34, 0.38, 0.62, 0.75)
LIVER = Signal(58, 0.50, 0.24, 0.30)
VESSEL = Signal(42, 0.05, 0.05, 0.06)
LIGAMENT = Signal(78, 0.13, 0.09, 0.10)
NUCLEUS = Signal(78, 0.34, 0.80, 0.80)
DRY_NUCLEUS = Signal(88, 0.29, 0.16, 0.18)
ANNULUS = Signal(105, 0.18, 0.07, 0.08)
FLUID = Signal(10, 0.16, 1.00, 1.00)
CORD = Signal(40, 0.42, 0.40, 0.42)
ROOT = Signal(30, 0.32, 0.38, 0.40)
GAS = Signal(-820, 0.01, 0.01, 0.01)
CORTEX = Signal(900, 0.02, 0.02, 0.02)
OEDEMA = Signal(0, 0.33, 0.60, 0.85)
TUMOUR = Signal(46, 0.25, 0.47, 0.72)
CALCIUM = Signal(850, 0.03, 0.03, 0.03)
CEMENT = Signal(1750, 0.02, 0.02, 0.02)
METAL = Signal(3000, 0.0, 0.0, 0.0)
FATTY_FOCUS = Signal(40, 0.98, 0.78, 0.12)


def marrow(osteoporosis: float) -> Signal:
    """Trabecular bone with its marrow: thinner and fatter with osteoporosis (0…1).

    >>> marrow(0.0).hu, round(marrow(1.0).hu)
    (205.0, 55)
    """
    thin = osteoporosis
    return Signal(205.0 - 150.0 * thin, 0.52 + 0.20 * thin, 0.36 + 0.14 * thin, 0.16 - 0.05 * thin)


def cortex(osteoporosis: float) -> Signal:
    """Compact bone; more porous with osteoporosis."""
    return CORTEX._replace(hu=CORTEX.hu - 220.0 * osteoporosis)
