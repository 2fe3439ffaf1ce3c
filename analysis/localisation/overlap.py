"""Masks and points against their reference: Dice, IoU, surface distances, volumes, identified levels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, wald
from analysis.proportions import proportion
from analysis.ratings import Bools, Floats

Mask = npt.NDArray[Any]
NOTHING = "Both masks are empty, so they agree that there is nothing."


@dataclass(frozen=True)
class Overlap:
    """Volumes in mm³ (mm² in two dimensions); `estimate` is the Dice coefficient."""

    estimate: float
    iou: float
    volume: float
    reference_volume: float
    shared_volume: float
    warnings: tuple[str, ...]

    @property
    def volume_difference(self) -> float:
        """Mask minus reference."""
        return self.volume - self.reference_volume

    @property
    def relative_volume_difference(self) -> float:
        """The same as a share of the reference; refused where the reference is empty and the mask is not."""
        if self.reference_volume == 0:
            if self.volume == 0:
                return 0.0
            raise CannotAnalyse("The reference is empty, so there is no relative difference of volumes.")
        return self.volume_difference / self.reference_volume


@dataclass(frozen=True)
class SurfaceDistance:
    """Distances in mm; `estimate` is the average symmetric surface distance; points are surface voxels."""

    estimate: float
    hausdorff: float
    hausdorff_95: float
    mean_to_reference: float
    mean_from_reference: float
    points: int
    reference_points: int
    warnings: tuple[str, ...]


def overlap(mask: Mask, reference: Mask, spacing: Sequence[float] | None = None) -> Overlap:
    """How much of a mask and of its reference do they share?

    mask, reference: arrays of one shape (any number of dimensions), True or 1 inside; spacing: mm per voxel along each
    axis, 1 by default. Dice = 2 |A and B| / (|A| + |B|), IoU = |A and B| / |A or B|.
    Both empty: 1 and 1 with a warning; one empty: 0 and 0 with a warning. Refused: other shapes, values that are not
    0 or 1, a spacing that is not positive.
    Source: Dice (1945), Ecology 26:297-302; Jaccard (1912), New Phytol. 11:37-50.

    >>> found = overlap(np.array([[1, 1, 0]]), np.array([[0, 1, 1]]), spacing=(1, 0.5))
    >>> found.estimate, round(found.iou, 6), found.volume
    (0.5, 0.333333, 1.0)
    """
    first, second, sizes = checked(mask, reference, spacing)
    voxel = float(np.prod(sizes))
    one, two, both = (int(part.sum()) for part in (first, second, first & second))
    if one + two == 0:
        return Overlap(1.0, 1.0, 0.0, 0.0, 0.0, (NOTHING,))
    warnings = () if one and two else (f"The {'reference' if one else 'mask'} is empty, so nothing is shared.",)
    return Overlap(
        2 * both / (one + two), both / (one + two - both), one * voxel, two * voxel, both * voxel, warnings
    )  # fmt: skip


def surface_distance(mask: Mask, reference: Mask, spacing: Sequence[float] | None = None) -> SurfaceDistance:
    """How far does the surface of a mask lie from that of its reference?

    mask, reference, spacing: as in `overlap`. Surface: voxels of a mask with a neighbour across a face outside it or
    outside the image. From every surface voxel the distance to the nearest of the other surface, in both directions:
    hausdorff is the largest of all; hausdorff_95 the larger of the two 95th percentiles (linear between distances);
    estimate the mean over both surfaces together. Both empty: 0 with a warning. One empty: refused.
    Source: Heimann et al. (2009), IEEE Trans. Med. Imaging 28:1251-1265; Maier-Hein et al. (2024), Nat. Methods
    21:195-212 (the percentile).

    >>> found = surface_distance(np.array([1, 1, 0, 0, 0]), np.array([0, 0, 0, 1, 1]), spacing=(2.0,))
    >>> found.estimate, found.hausdorff
    (5.0, 6.0)
    """
    from scipy import ndimage

    first, second, sizes = checked(mask, reference, spacing)
    if not first.any() and not second.any():
        return SurfaceDistance(0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, (NOTHING,))
    if not first.any() or not second.any():
        empty = "reference" if first.any() else "mask"
        raise CannotAnalyse(f"The {empty} is empty, so there is no surface to measure a distance to.")
    # Only the part of the image that holds either mask matters, and a rim around it stands for the outside.
    inside = ndimage.find_objects((first | second).astype(np.uint8))[0]
    surfaces = [surface(np.pad(part[inside], 1)) for part in (first, second)]
    there, back = (
        ndimage.distance_transform_edt(~surfaces[1 - place], sampling=sizes)[surfaces[place]] for place in (0, 1)
    )
    return SurfaceDistance(
        float(np.concatenate((there, back)).mean()),
        float(max(there.max(), back.max())),
        float(max(np.percentile(there, 95), np.percentile(back, 95))),
        float(there.mean()),
        float(back.mean()),
        len(there),
        len(back),
        (),
    )


def surface(mask: Bools) -> Bools:
    from scipy import ndimage

    return np.asarray(mask & ~ndimage.binary_erosion(mask))


def checked(mask: Mask, reference: Mask, spacing: Sequence[float] | None) -> tuple[Bools, Bools, tuple[float, ...]]:
    """Both masks as booleans, and the size of a voxel."""
    first, second = np.asarray(mask), np.asarray(reference)
    if first.shape != second.shape:
        raise CannotAnalyse(f"The masks have the shapes {first.shape} and {second.shape}; they must have one shape.")
    if first.size == 0:
        raise CannotAnalyse("The masks have no voxel.")
    for part in (first, second):
        if part.dtype != np.bool_ and not bool(np.isin(part, (0, 1)).all()):
            raise CannotAnalyse("A mask holds values other than 0 and 1; choose one label before.")
    sizes = (1.0,) * first.ndim if spacing is None else tuple(float(size) for size in spacing)
    if len(sizes) != first.ndim or not all(math.isfinite(size) and size > 0 for size in sizes):
        raise CannotAnalyse(f"The spacing needs {first.ndim} numbers above 0, in mm.")
    return first.astype(bool), second.astype(bool), sizes


@dataclass(frozen=True)
class LevelIdentification:
    """`estimate` is the share of levels identified; errors in mm over the `named` levels that were pointed at."""

    estimate: float
    se: float
    identified: int
    n: int
    named: int
    error: float | None
    error_se: float | None
    largest_error: float | None
    limit: float
    warnings: tuple[str, ...]

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Wilson's interval of the share."""
        return proportion(self.identified, self.n, "wilson", of="levels").confidence_interval(level)

    def error_interval(self, level: float = 0.95) -> Interval:
        """Student's interval of the mean error, not below 0; refused for fewer than two named levels."""
        if self.error is None or self.error_se is None:
            raise CannotAnalyse("The error has an interval only where at least two levels are named.")
        return wald(self.error, self.error_se, level, self.named - 1).clipped(0.0, math.inf)


def level_identification(
    found: Floats, truth: Floats, case: Sequence[object] | None = None, limit: float = 20.0
) -> LevelIdentification:
    """How often is a vertebra named rightly, and how far from its centre does the point lie?

    found, truth: (level, 3) points in mm (or 2), row by row of one level; NaN in found = not named. case: (level,)
    labels of the cases, by default one case. A level is identified where its point lies within `limit` mm of its
    true centre and no other level of the case has its true centre nearer. Errors are distances of named levels.
    More than one level per case: a warning, as Wilson's interval takes levels as independent.
    Refused: no levels, other shapes, NaN in truth.
    Source: Sekuboyina et al. (2021), Med. Image Anal. 73:102166, section 3.3.

    >>> truth = np.array([[0.0, 0, 0], [0, 0, 30], [0, 0, 60]])
    >>> found = np.array([[0.0, 0, 3], [0, 0, 58], [np.nan] * 3])
    >>> result = level_identification(found, truth)
    >>> result.identified, result.n, result.error
    (1, 3, 15.5)
    """
    points, centres = np.asarray(found, dtype=float), np.asarray(truth, dtype=float)
    check_points(points, centres, limit)
    labels = np.zeros(len(centres), dtype=int) if case is None else np.unique(np.asarray(case), return_inverse=True)[1]
    if len(labels) != len(centres):
        raise CannotAnalyse("There must be one case label per level.")
    named = ~np.isnan(points).any(axis=1)
    distance = np.sqrt(((points - centres) ** 2).sum(axis=1))
    right = named & (distance <= limit)
    right[right] = distance[right] <= nearest(points[right], labels[right], centres, labels) + 1e-9
    n, identified, errors = len(centres), int(right.sum()), distance[named]
    share = proportion(identified, n, "wilson", of="levels")
    warnings = [f"{n - len(errors)} levels were not named and count as not identified."] if len(errors) < n else []
    if len(np.unique(labels)) < n:
        warnings.append("Levels of one case are taken as independent; the interval is too narrow where they are not.")
    return LevelIdentification(
        share.estimate, share.se, identified, n, len(errors),
        float(errors.mean()) if len(errors) else None,
        float(errors.std(ddof=1) / math.sqrt(len(errors))) if len(errors) > 1 else None,
        float(errors.max()) if len(errors) else None,
        limit, tuple(warnings),
    )  # fmt: skip


def check_points(points: Floats, centres: Floats, limit: float) -> None:
    if centres.ndim != 2 or len(centres) == 0 or points.shape != centres.shape:
        raise CannotAnalyse("Found and true points are two tables of one shape, one row per level, with at least one.")
    if not np.isfinite(centres).all():
        raise CannotAnalyse("A true centre is missing.")
    if np.isinf(points).any() or not limit > 0:
        raise CannotAnalyse("Points must be finite, and the limit above 0 mm.")


def nearest(points: Floats, labels: npt.NDArray[np.int_], centres: Floats, all_labels: npt.NDArray[np.int_]) -> Floats:
    """Distance from each point to the nearest true centre of its own case."""
    from scipy.spatial import cKDTree

    if len(points) == 0:
        return np.zeros(0)
    # Cases are set so far apart along one more axis that no centre of another case is ever nearest.
    apart = 4 * float(np.ptp(np.vstack((points, centres)), axis=0).sum()) + 1
    tree = cKDTree(np.column_stack((centres, all_labels * apart)))
    return np.asarray(tree.query(np.column_stack((points, labels * apart)))[0])
