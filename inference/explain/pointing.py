"""The pointing game: does the strongest place of a map lie in the finding, and how often would a blind one?

Zhang et al., "Top-down neural attention by excitation backprop", IJCV 2018, section 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.stats import binomtest

from inference.cohorts.cases import BadCohort


@dataclass(frozen=True)
class Pointing:
    """How often the strongest place lay in the finding.

    Attributes
    ----------
    hits, cases : int
        Cases without a finding are not among them.
    chance : float
        What a place drawn evenly over the image would reach: the share of the widened finding in its image, averaged.
    tolerance : float
        By how much the finding was widened, in units of the spacing.
    """

    hits: int
    cases: int
    chance: float
    tolerance: float

    @property
    def rate(self) -> float:
        """Share of hits, in [0, 1]."""
        return self.hits / self.cases

    @property
    def times_chance(self) -> float:
        """Rate over chance; 1 for a blind map."""
        return self.rate / self.chance

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Wilson's score interval of the rate.

        Examples
        --------
        >>> low, high = Pointing(23, 73, 0.043, 0.0).interval()
        >>> f"{low:.3f} to {high:.3f}"
        '0.220 to 0.429'
        """
        found = binomtest(self.hits, self.cases).proportion_ci(level, method="wilson")
        return float(found.low), float(found.high)


def pointing_game(
    maps: NDArray[np.float32],
    masks: NDArray[np.bool_],
    *,
    tolerance: float,
    spacing: tuple[float, ...] | None = None,
) -> Pointing:
    """Count the maps whose strongest place lies in the mask, widened by ``tolerance``.

    Parameters
    ----------
    maps : ndarray, shape (n, *size)
        At the size of the masks (`inference.explain.cam.over_input`). Of several strongest places the one nearest to
        their middle is taken; a map that is 0 everywhere points nowhere and misses.
    masks : ndarray of bool, shape (n, *size) or (n, 1, *size)
        Nonzero where the finding is; cases where it is nowhere are left out.
    tolerance : float
        How far outside a place may lie, as the crow flies; 0 for none.
    spacing : tuple of float, optional
        Of the places along each axis, in the unit of ``tolerance``, such as mm; places themselves where None.

    Returns
    -------
    Pointing

    Raises
    ------
    BadCohort
        Where no case has a finding.
    ValueError
        Where maps and masks differ in shape.

    References
    ----------
    Zhang et al., IJCV 2018, section 5.1: accuracy = hits / (hits + misses), with a tolerance of 15 pixels.

    Examples
    --------
    >>> maps, masks = np.zeros((2, 4, 5), np.float32), np.zeros((2, 4, 5), bool)
    >>> maps[0, 1, 1] = maps[1, 3, 4] = 1
    >>> masks[:, 1, 2] = True
    >>> pointing_game(maps, masks, tolerance=1)
    Pointing(hits=1, cases=2, chance=0.25, tolerance=1)
    """
    inside = np.asarray(masks, dtype=bool)
    if inside.ndim == maps.ndim + 1:
        inside = inside[:, 0]
    if inside.shape != maps.shape:
        raise ValueError(f"maps of shape {maps.shape} cannot be held against masks of shape {inside.shape}.")
    wide = [widened(one, tolerance, spacing) for one in inside]
    shown = [number for number, one in enumerate(inside) if one.any()]
    if not shown:
        raise BadCohort("No case has a mask of the finding, so there is nothing to point at.")
    hits = sum(bool(maps[number].max() > 0 and wide[number][strongest(maps[number])]) for number in shown)
    return Pointing(hits, len(shown), float(np.mean([wide[number].mean() for number in shown])), tolerance)


def widened(mask: NDArray[np.bool_], tolerance: float, spacing: tuple[float, ...] | None = None) -> NDArray[np.bool_]:
    """The mask and all places no farther from it than the tolerance."""
    if tolerance == 0 or not mask.any():
        return mask
    far: NDArray[np.float64] = distance_transform_edt(~mask, sampling=spacing)
    near: NDArray[np.bool_] = far <= tolerance
    return near


def strongest(plane: NDArray[np.float32]) -> tuple[int, ...]:
    """The highest place; of several the one nearest to their middle.

    Examples
    --------
    >>> strongest(np.array([[1, 1, 1], [0, 0, 0]], np.float32))
    (0, 1)
    """
    places = np.argwhere(plane == plane.max())
    middle = np.square(places - places.mean(axis=0)).sum(axis=1).argmin()
    return tuple(int(number) for number in places[middle])
