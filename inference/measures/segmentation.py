"""How well a mask fits the truth: overlap, surfaces, maps, pixels beside an empty mask, false-positive area.

What an empty mask means is decided once, here:

* nothing to find and nothing marked, or nothing to find and something marked (a control): overlap, surface and
  weighted F are undefined (None); what was marked is the false-positive area. S-measure is 1 − mean of the map,
  E-measure 1 − share marked, as their papers say.
* something to find and nothing marked: Dice, IoU and recall are 0, precision and the Hausdorff distance are None.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Overlap:
    """Shares of pixels that mask and truth have in common, in [0, 1]; None where undefined."""

    dice: float | None
    iou: float | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class PixelAccuracy:
    """Share of pixels that are right, and the share that a mask without any pixel gets right on the same image.

    The second never goes missing: a fractured body covers a hundredth of a film, so an empty mask has .99.
    """

    value: float
    all_background: float

    @property
    def gain(self) -> float:
        """What the mask adds to an empty one; negative where it adds more errors than it takes away."""
        return self.value - self.all_background


@dataclass(frozen=True)
class FalseArea:
    """What was marked outside the truth: pixels, share of the image, mm² (mm³ in three dimensions)."""

    pixels: int
    share: float
    physical: float | None


@dataclass(frozen=True)
class MaskScores:
    """Everything that is measured of one map against one mask.

    Attributes
    ----------
    overlap : Overlap
    hd95 : float or None
        mm where a spacing was given, else pixels.
    mae : float
    s_measure, e_measure, weighted_f : float or None
        None in three dimensions, where they are not defined.
    pixel_accuracy : PixelAccuracy
    false_area : FalseArea
    """

    overlap: Overlap
    hd95: float | None
    mae: float
    s_measure: float | None
    e_measure: float | None
    weighted_f: float | None
    pixel_accuracy: PixelAccuracy
    false_area: FalseArea


def score(
    probability: ArrayLike, truth: ArrayLike, *, threshold: float = 0.5, spacing: tuple[float, ...] | None = None
) -> MaskScores:
    """All measures of one case.

    Parameters
    ----------
    probability : array in [0, 1], shape (rows, columns) or (slices, rows, columns)
    truth : array, the same shape
        Nonzero = target.
    threshold : float
        From which a pixel is marked.
    spacing : tuple of float, optional
        mm along each axis.

    Raises
    ------
    ValueError
        Where shapes differ or values leave [0, 1].
    """
    values, target = checked(probability, truth)
    marked = values >= threshold
    flat = values.ndim == 2
    return MaskScores(
        overlap(marked, target),
        hausdorff95(marked, target, spacing),
        mae(values, target),
        s_measure(values, target) if flat else None,
        e_measure(values, target) if flat else None,
        weighted_f(values, target) if flat else None,
        pixel_accuracy(marked, target),
        false_area(marked, target, spacing),
    )


def checked(probability: ArrayLike, truth: ArrayLike) -> tuple[Floats, Bools]:
    values, target = np.asarray(probability, dtype=np.float64), np.asarray(truth) != 0
    if values.shape != target.shape:
        raise ValueError(f"the map is {values.shape} and the mask {target.shape}; they must have one shape")
    if values.size == 0 or not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise ValueError("a map of probabilities lies between 0 and 1 everywhere")
    return values, target


def overlap(marked: Bools, truth: Bools) -> Overlap:
    """Dice = 2|P∩G| / (|P|+|G|), IoU = |P∩G| / |P∪G|, precision = |P∩G| / |P|, recall = |P∩G| / |G|.

    References
    ----------
    Dice, Ecology 26:297–302, 1945; Jaccard, New Phytol 11:37–50, 1912.

    Examples
    --------
    >>> overlap(np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 0], bool))
    Overlap(dice=0.5, iou=0.3333333333333333, precision=0.5, recall=0.5)
    """
    if not truth.any():
        return Overlap(None, None, None, None)
    both, one, other = int((marked & truth).sum()), int(marked.sum()), int(truth.sum())
    return Overlap(
        2 * both / (one + other), both / (one + other - both), both / one if one else None, both / other
    )  # fmt: skip


def hausdorff95(marked: Bools, truth: Bools, spacing: tuple[float, ...] | None = None) -> float | None:
    """95th percentile of the distances between surfaces, the larger of both directions; mm, or pixels without spacing.

    A surface is what erosion by the face-connected element takes away. Percentiles are taken in each direction and
    the larger one is reported (Maier-Hein et al., Nat Methods 21:195–212, 2024, supplement 3; so does MONAI).

    Examples
    --------
    >>> one, two = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    >>> one[2:6, 2:6] = two[2:6, 3:7] = True
    >>> hausdorff95(one, two, (1.0, 0.5))
    0.5
    """
    from scipy import ndimage

    if not (marked.any() and truth.any()):
        return None
    surfaces = [mask & ~ndimage.binary_erosion(mask) for mask in (marked, truth)]
    distances = [ndimage.distance_transform_edt(~surface, sampling=spacing) for surface in surfaces]
    return float(max(np.percentile(distances[1][surfaces[0]], 95), np.percentile(distances[0][surfaces[1]], 95)))


def pixel_accuracy(marked: Bools, truth: Bools) -> PixelAccuracy:
    """Share of right pixels, and that of an empty mask.

    Examples
    --------
    >>> truth = np.arange(1000) < 9
    >>> pixel_accuracy(np.zeros(1000, bool), truth)
    PixelAccuracy(value=0.991, all_background=0.991)
    """
    return PixelAccuracy(float((marked == truth).mean()), float((~truth).mean()))


def false_area(marked: Bools, truth: Bools, spacing: tuple[float, ...] | None = None) -> FalseArea:
    """What was marked outside the truth; on a control that is everything that was marked."""
    wrong = int((marked & ~truth).sum())
    return FalseArea(wrong, wrong / truth.size, None if spacing is None else wrong * float(np.prod(spacing)))


def mae(probability: Floats, truth: Bools) -> float:
    """Mean absolute error of the map: mean |p − g| over all pixels.

    Examples
    --------
    >>> mae(np.array([[0.25, 1.0]]), np.array([[False, True]]))
    0.125
    """
    return float(np.abs(probability - truth).mean())


def s_measure(probability: Floats, truth: Bools, alpha: float = 0.5) -> float:
    """Structure measure S = α·S_object + (1−α)·S_region, in [0, 1].

    S_object weighs 2x̄ / (x̄² + 1 + σ) of the map inside the target and of one minus the map outside it by their
    areas; S_region is the structural similarity in the four rectangles around the target's centroid, by area.

    References
    ----------
    Fan, Cheng, Liu, Li and Borji, ICCV 2017, 4548–4557: equations 1 to 8, λ = 0.5, α = 0.5.
    """
    share = float(truth.mean())
    if share in (0.0, 1.0):
        return float(probability.mean() if share else 1 - probability.mean())
    inside, outside = _alike(probability[truth]), _alike(1 - probability[~truth])
    of_objects = share * inside + (1 - share) * outside
    return max(0.0, alpha * of_objects + (1 - alpha) * _regions(probability, truth))


def e_measure(probability: Floats, truth: Bools) -> float:
    """Enhanced-alignment measure of the map, cut at twice its mean (at most 1), in [0, 1].

    φ = I − mean(I), ξ = 2φ_G∘φ_P / (φ_G² + φ_P²), E = mean of (1 + ξ)² / 4.

    References
    ----------
    Fan, Gong, Cao, Ren, Cheng and Borji, IJCAI 2018, 698–704: equations 1 to 4; the adaptive threshold is that of
    Achanta et al., CVPR 2009, as COD papers use it.
    """
    limit = min(1.0, 2 * float(probability.mean()))
    marked = (probability >= limit) & (probability > 0)
    if not truth.any():
        return float(1 - marked.mean())
    if truth.all():
        return float(marked.mean())
    of_truth, of_mask = truth - truth.mean(), marked - marked.mean()
    aligned = 2 * of_truth * of_mask / (of_truth**2 + of_mask**2 + EPS)
    return float(((1 + aligned) ** 2 / 4).mean())


def weighted_f(probability: Floats, truth: Bools) -> float | None:
    """F measure whose errors count less beside the target's own errors and more far away from it, in [0, 1].

    E = |p − g|; in the background an error stands for that of the nearest target pixel; E is smoothed by a Gaussian
    (7 × 7, σ = 5) and the smaller of both taken inside the target; background errors weigh 2 − exp(ln(½)/5 · d).
    Beyond the image the nearest pixel goes on, so that an empty map has 0 wherever the target lies.

    References
    ----------
    Margolin, Zelnik-Manor and Tal, CVPR 2014, 248–255: section 4, β² = 1.
    """
    from scipy import ndimage

    if not truth.any():
        return None
    error = np.abs(probability - truth)
    distance, nearest = ndimage.distance_transform_edt(~truth, return_indices=True)
    spread = error.copy()
    spread[~truth] = error[tuple(axis[~truth] for axis in nearest)]
    smooth = ndimage.convolve(spread, _gaussian(), mode="nearest")
    least = np.where(truth & (smooth < error), smooth, error)
    weighted = least * np.where(truth, 1.0, 2 - np.exp(np.log(0.5) / 5 * distance))
    recall = 1 - float(weighted[truth].mean())
    hits, false = float(truth.sum() - weighted[truth].sum()), float(weighted[~truth].sum())
    precision = hits / (hits + false + EPS)
    return 2 * recall * precision / (recall + precision + EPS)


def _alike(values: Floats) -> float:
    """How much these values are all 1: 2x̄ / (x̄² + 1 + 2λσ), λ = 0.5."""
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
    return 2 * mean / (mean**2 + 1 + spread + EPS)


def _regions(probability: Floats, truth: Bools) -> float:
    """Structural similarity of the four rectangles around the centroid, weighed by their areas."""
    rows, columns = np.nonzero(truth)
    row, column = round(float(rows.mean())) + 1, round(float(columns.mean())) + 1
    total = 0.0
    for above in (slice(None, row), slice(row, None)):
        for left in (slice(None, column), slice(column, None)):
            part = truth[above, left]
            total += part.size / truth.size * _similar(probability[above, left], part.astype(np.float64))
    return total


def _similar(one: Floats, two: Floats) -> float:
    """4·x̄·ȳ·σ_xy / ((x̄² + ȳ²)(σ_x² + σ_y²)); 1 where both are constant, 0 where only the product vanishes."""
    if one.size == 0:
        return 0.0
    mean_one, mean_two = float(one.mean()), float(two.mean())
    freedom = one.size - 1 + EPS
    spread = float(((one - mean_one) ** 2).sum() + ((two - mean_two) ** 2).sum()) / freedom
    together = float(((one - mean_one) * (two - mean_two)).sum()) / freedom
    above, below = 4 * mean_one * mean_two * together, (mean_one**2 + mean_two**2) * spread
    if above != 0:
        return above / (below + EPS)
    return 1.0 if below == 0 else 0.0


def _gaussian(size: int = 7, sigma: float = 5.0) -> Floats:
    steps = np.arange(size) - size // 2
    kernel = np.exp(-(steps[:, None] ** 2 + steps[None] ** 2) / (2 * sigma**2))
    return np.asarray(kernel / kernel.sum())
