"""From line integrals to a stored film: Beer–Lambert, scatter, blur, quanta, logarithm, a site's processing.

What a ray meets adds up, and its intensity is N·exp(−Σ μ·length).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from inference.phantoms.shapes import Plane, broad
from inference.phantoms.tissue import SOFT

DEPTH = 4095
# Scattered rays spread so far, mm; light in the scintillator so far, pixels.
SPREAD, GLOW = 22.0, 0.55


@dataclass(frozen=True)
class Site:
    """How a hospital's films look.

    Attributes
    ----------
    photons : float
        Quanta per square millimetre behind the middle of the patient, in thousands of arbitrary units.
    scatter : float
        Scattered over primary intensity; ``veil`` is what is the same everywhere.
    kvp : float
        Factor of the bones' attenuation: under 1 where the tube voltage is high.
    blur : float
        Of focus and detector, mm.
    gamma, levelled, crisp : float
        Of the display: power of the grey values, share of the large-scale contrast taken away, sharpening.
    pixel : float
        mm, of a film of full size.
    margin : float
        Widest collimation, mm; 0 where films are cut to their edge.
    """

    photons: float
    scatter: float
    kvp: float
    blur: float
    gamma: float
    levelled: float
    crisp: float
    pixel: float
    margin: float
    veil: float = 0.05


SITES = {
    "A": Site(140, 0.22, 1.00, 0.32, 1.10, 0.84, 0.65, 0.42, 0.0),
    "B": Site(90, 0.30, 1.06, 0.40, 1.00, 0.78, 0.55, 0.40, 9.0),
    "C": Site(30, 0.38, 0.90, 0.50, 0.92, 0.86, 0.90, 0.45, 12.0),
    "D": Site(20, 0.46, 0.96, 0.62, 1.22, 0.72, 0.45, 0.48, 0.0),
    "E": Site(60, 0.34, 1.12, 0.36, 1.34, 0.86, 0.80, 0.44, 16.0),
}
# An image intensifier in the operating theatre: few quanta, much scatter.
C_ARM = Site(10, 0.50, 1.05, 0.60, 1.05, 0.70, 0.60, 0.50, 0.0, veil=0.10)


def transmission(lengths: Plane) -> Plane:
    """Beer–Lambert: the share of the rays that pass line integrals of attenuation, exp(−Σ μ·length)."""
    result: Plane = np.exp(-lengths)
    return result


def detected(lengths: Plane, site: Site, pixel: float, chance: np.random.Generator) -> Plane:
    """Signal of the detector over that behind the middle of the patient: primary, scatter, veil, blur, quanta."""
    primary = transmission(lengths)
    primary = primary / np.median(primary)
    spread = broad(np.minimum(primary, 6), SPREAD / pixel) * site.scatter + site.veil
    blurred = gaussian_filter(primary, site.blur / pixel) + spread * (site.scatter > 0)
    noise = gaussian_filter(chance.standard_normal(lengths.shape, dtype=np.float32), GLOW) * 1.9
    quanta = max(1.0, site.photons * 1000 * pixel**2)
    result: Plane = blurred + np.sqrt(blurred / quanta) * noise * 2.3
    return result


def developed(signal: Plane, site: Site, pixel: float, open_field: Plane) -> Plane:
    """Grey values in 0…1, bone bright: logarithm, large-scale contrast taken back, sharpening, the site's window."""
    film = -np.log(np.clip(signal, 2e-2, None))
    film = film - np.median(film)
    # Soft limits keep the air around the patient, and metal, from ringing into what lies beside them.
    film = np.where(film < -1.2, -1.2 + 0.35 * (film + 1.2), film)
    film = film - site.levelled * broad(np.minimum(film, 1.6), 26 / pixel)
    film = np.where(film > 1.0, 1.0 + 0.5 * (film - 1.0), film)
    film = film + site.crisp * (film - gaussian_filter(film, 2.2 / pixel))
    inside = film[open_field > 0.99]
    low, high = map(float, np.percentile(inside[:: max(1, inside.size // 20000)], [1.2, 98.5]))
    # Room above for metal and calcium, which are brighter than any bone.
    low, high = low - 0.06 * (high - low), high + 0.22 * (high - low)
    result: Plane = np.clip((film - low) / (high - low), 0, 1) ** site.gamma
    return result


def water_cube(side: float, *, site: Site | None = None, pixel: float = 0.5) -> tuple[float, float]:
    """What the film's own exposure lets through a cube of water, and what Beer and Lambert say.

    Parameters
    ----------
    side : float
        Of the cube, mm.
    site : Site, optional
        Its scatter and noise are part of the answer; by default there are none.
    pixel : float

    Returns
    -------
    measured, expected : float
        Signal in the middle of the cube's shadow over that beside it, and exp(−μ·side) with μ of soft tissue.

    Examples
    --------
    >>> measured, expected = water_cube(100.0)
    >>> abs(measured / expected - 1) < 0.01
    True
    """
    clean = site or replace(SITES["A"], scatter=0.0, photons=1e9)
    span = round(2 * side / pixel)
    lengths = np.zeros((span, span), np.float32)
    shadow = np.s_[span // 4 : -(span // 4), span // 4 : -(span // 4)]
    lengths[shadow] = SOFT * side
    signal = detected(lengths, clean, pixel, np.random.default_rng(0))
    middle = signal[span // 2 - 9 : span // 2 + 9, span // 2 - 9 : span // 2 + 9].mean()
    beside = signal[: span // 8].mean()
    return float(middle / beside), float(np.exp(-SOFT * side))
