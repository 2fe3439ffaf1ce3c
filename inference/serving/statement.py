"""From a network's answer to what is said of a case: probability at the frozen decision, planes by slice, vertebrae.

One function for one case, a batch and a worker; all of it in pixels of the images as they are stored.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from inference.cards import Card
from inference.deciding.calibration import calibrated
from inference.imaging.images import Image
from inference.imaging.preparing import Geometry
from inference.measures.bodies import Side
from inference.measures.vertebrae import Vertebra as Body
from inference.measures.vertebrae import body_logit, find
from inference.outputs import Decision, Heatmap, Level, Mask
from inference.prediction import Plane, Vertebra

Values = NDArray[np.float32]
DIGITS = 6
# Outlines are drawn from half the highest grey and interpolated, so a mask needs no more pixels than this.
LONGEST_MASK, LONGEST_MAP = 512, 160
# A heat map of a volume travels with the slices that it is strongest on.
MOST_SLICES, FAINT = 48, 0.2
# Of a step along the columns the least share that leads to the front or the back of a patient in a sagittal image.
SAGITTAL = 0.7


class Spoken(NamedTuple):
    """A network's answer to one case: `inference.serving.runtimes.Answer` without the axis of cases."""

    logit: float
    mask: Values | None = None
    level: Values | None = None


@dataclass(frozen=True, eq=False)
class Site:
    """Where the network's input lies: the series of the case, by its place, and its geometry there.

    Attributes
    ----------
    series : int
    geometry : Geometry
    spacing : tuple of float
        Rows and columns of the image in mm; 1.0 where unknown.
    known : bool
        Whether that spacing is known.
    front : {"left", "right"} or None
        Where the patient's front lies, where the image says how it lies in the patient (`front_in`).
    """

    series: int
    geometry: Geometry
    spacing: tuple[float, float]
    known: bool
    front: Side | None = None


def front_in(image: Image) -> Side | None:
    """Where the patient's front lies in a sagittal image; None where the image does not say, or is not sagittal.

    Examples
    --------
    >>> # Columns that run to the back, as sagittal series come.
    >>> to_the_back = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    >>> front_in(Image(np.zeros((1, 4, 4), np.float32), affine=to_the_back))
    'left'
    """
    if image.affine is None:
        return None
    back = float(image.affine[1, 2] / np.linalg.norm(image.affine[:3, 2]))
    if abs(back) < SAGITTAL:
        return None
    return "left" if back > 0 else "right"


def probability_of(decision: Decision, logit: float) -> float:
    """Calibrated and rounded, so that the composition of a batch leaves no trace.

    Examples
    --------
    >>> from inference.outputs import Platt
    >>> probability_of(Decision(Platt(1.0, 0.0), 0.5, "youden", "0" * 64, 10), 0.0)
    0.5
    """
    return round(float(calibrated(decision.calibration, np.array([logit]))[0]), DIGITS)


def masks_of(card: Card, spoken: Spoken, site: Site) -> tuple[Plane, ...] | None:
    """The mask on each slice that it marks; None where the model has none.

    A pixel belongs to the target where its grey lies above 127, that is where its probability is at least one half.
    """
    if spoken.mask is None or card.spec.output(Mask) is None:
        return None
    laid = site.geometry.back(spoken.mask)
    return tuple(planes(laid, site, least=0.5, longest=LONGEST_MASK))


def heatmaps_of(card: Card, plane: Values | None, site: Site) -> tuple[Plane, ...] | None:
    """The heat map of a film, or of each slice of a volume that has one; None where none was asked for.

    Parameters
    ----------
    card : Card
    plane : ndarray of float in [0, 1], or None
        Over the network's input, at whatever resolution.
    site : Site
    """
    if plane is None or card.spec.output(Heatmap) is None:
        return None
    # Of a film always, so that a dark map says that nothing supports the answer; of a volume where it is not faint.
    least = FAINT if plane.ndim == 3 else 0.0
    return tuple(planes(site.geometry.back(plane), site, least=least, longest=LONGEST_MAP))


def planes(laid: Values, site: Site, *, least: float, longest: int) -> Iterator[Plane]:
    """One PNG for each slice that reaches ``least``, in the order of slices; of very many the strongest."""
    if laid.ndim == 2:
        slices = [(site.geometry.slice or 0, laid)]
    else:
        peaks = laid.reshape(len(laid), -1).max(axis=1)
        strongest = sorted(np.argsort(-peaks, kind="stable")[:MOST_SLICES].tolist())
        slices = [(number, laid[number]) for number in strongest]
    for number, values in slices:
        if values.max() >= least:
            yield Plane.of(png_of(values, longest), series=site.series, slice=number)


def png_of(values: Values, longest: int) -> bytes:
    """A plane in [0, 1] as 8-bit grey PNG, its longer side at most ``longest`` pixels."""
    grey = Picture.fromarray((np.clip(values, 0, 1) * 255).round().astype(np.uint8))
    grey.thumbnail((longest, longest), Picture.Resampling.BOX)
    buffer = io.BytesIO()
    # Small as it is; the last tenth of its bytes would cost ten times the time.
    grey.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def vertebrae_of(card: Card, spoken: Spoken, site: Site) -> tuple[Vertebra, ...] | None:
    """Every body that the model names, with its probability at the card's calibration; None where it names none.

    The probability of a body is that of its pixels (`inference.measures.vertebrae`), calibrated as the case's is: both
    come from the same logits. Volumes are not cut into bodies here. Where neither the image nor the lordosis says on
    which side the front lies, a film is taken to show it on the right and a slice on the left.
    """
    level = card.spec.output(Level)
    if level is None or spoken.level is None or spoken.level.ndim != 3:
        return None
    found = find(
        spoken.level.argmax(axis=0),
        level.levels,
        None if spoken.mask is None else spoken.mask.astype(np.float64),
        spacing=site.spacing,
        anterior=site.front,
        otherwise="right" if card.spec.inputs[0].modality == "DX" else "left",
        geometry=site.geometry,
    )
    return tuple(told(card, body, site) for body in found.vertebrae)


def told(card: Card, body: Body, site: Site) -> Vertebra:
    probability = probability_of(card.decision, body_logit(body.probability or 0.0))
    corners = None if body.outline is None else tuple(within(point, site) for point in body.outline.corners)
    heights = None if body.heights is None or not site.known else tuple(round(mm, 3) for mm in body.heights)
    return Vertebra(
        level=body.level,
        probability=probability,
        positive=probability >= card.decision.threshold,
        series=site.series,
        slice=site.geometry.slice or 0,
        corners=None if corners is None or len(corners) != 4 else (corners[0], corners[1], corners[2], corners[3]),
        heights=None if heights is None else (heights[0], heights[1], heights[2]),
    )


def within(point: tuple[float, float], site: Site) -> tuple[float, float]:
    """A corner that was fitted beyond the edge of the image is put onto the edge."""
    rows, columns = site.geometry.shape[1:]
    row, column = point
    return round(min(max(row, -0.5), rows - 0.5), 3), round(min(max(column, -0.5), columns - 0.5), 3)
