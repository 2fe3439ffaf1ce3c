"""Heights of a vertebral body from six points, and the grade of its fracture after Genant. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]

# Genant, Wu, van Kuijk and Nevitt, J Bone Miner Res 8:1137–1148, 1993: mild from 20 %, moderate 25 %, severe 40 %.
GRADES = (0.20, 0.25, 0.40)
SIX_POINTS = (
    "anterior superior",
    "middle superior",
    "posterior superior",
    "posterior inferior",
    "middle inferior",
    "anterior inferior",
)
_REGIONS = (("C", 7), ("T", 13), ("L", 6), ("S", 1))
LEVELS = tuple(f"{region}{number}" for region, last in _REGIONS for number in range(1, last + 1))


@dataclass(frozen=True)
class Heights:
    """In front, in the middle and behind; mm, or pixels where no spacing is known."""

    anterior: float
    middle: float
    posterior: float


@dataclass(frozen=True)
class Morphometry:
    heights: Heights
    wedge: float
    """Anterior over posterior height."""
    biconcave: float
    """Middle over posterior height."""
    crush: float | None
    """Greatest height over the mean posterior height of the neighbours; None where no neighbour is measured."""
    loss: float
    grade: int
    kind: str


def heights_of(points: Sequence[Point], spacing: tuple[float, float] = (1.0, 1.0)) -> Heights:
    """Distances between opposite points (x, y), with mm a row and a column.

    >>> heights_of([(0, 0), (5, 2), (10, 0), (10, 20), (5, 18), (0, 20)], (0.5, 0.5))
    Heights(anterior=10.0, middle=8.0, posterior=10.0)
    """
    between_rows, between_columns = spacing
    apart = [
        math.hypot((above[0] - below[0]) * between_columns, (above[1] - below[1]) * between_rows)
        for above, below in zip(points[:3], reversed(points[3:]), strict=True)
    ]
    return Heights(*apart)


def grade_of(heights: Heights, neighbours: float | None = None) -> Morphometry | None:
    """Ratios, loss and grade; None where the posterior height is nothing, so that there is no ratio.

    The loss in front or in the middle is measured against the height behind, that of a whole body against the mean
    height behind of its neighbours; a body that is low everywhere is crushed, whichever of its heights is the lowest.
    The greatest of the losses is the one that is graded.

    >>> grade_of(Heights(18.0, 22.0, 27.0)).grade
    2
    """
    if heights.posterior <= 0 or (neighbours is not None and neighbours <= 0):
        return None
    wedge, biconcave = heights.anterior / heights.posterior, heights.middle / heights.posterior
    greatest = max(heights.anterior, heights.middle, heights.posterior)
    crush = None if neighbours is None else greatest / neighbours
    losses = [(round(1 - wedge, 6), "wedge"), (round(1 - biconcave, 6), "biconcave")]
    loss, kind = max(losses, key=lambda entry: entry[0])
    crushed = 0.0 if crush is None else round(1 - crush, 6)
    if crushed >= GRADES[0] or crushed > loss:
        loss, kind = max(loss, crushed), "crush"
    grade = sum(loss >= bound for bound in GRADES)
    return Morphometry(heights, wedge, biconcave, crush, max(0.0, loss), grade, kind if grade else "")
