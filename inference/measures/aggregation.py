"""From the parts of a case to the case: its slices or its vertebrae, joined as the specification says. Free of torch.

Logits are joined before they are calibrated, so that a decision is chosen on what it decides later. A network is taught
on the slice of the finding, or on its pixels, whichever way its answers are joined.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.measures.vertebrae import body_logit, find
from inference.outputs import Level
from inference.spec import ModelSpec

Values = NDArray[np.float32]
OF_SLICES = ("max_slice", "mean_slice")


def parts_of(spec: ModelSpec) -> int:
    """How often the network is asked of one case at most: once, or once a slice.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from inference.models import registry
    >>> spec = registry.load("s1-resnet50")
    >>> parts_of(spec), parts_of(replace(spec, aggregate="max_slice"))
    (1, 3)
    """
    return len(spec.inputs[0].slices) if spec.aggregate in OF_SLICES else 1


def case_logit(
    spec: ModelSpec, logits: Sequence[float], mask: Values | None = None, level: Values | None = None
) -> float:
    """The logit of a case from those of its parts.

    Parameters
    ----------
    spec : ModelSpec
        ``none``: the first; ``max_slice``: the highest, as in Li et al., Eur Radiol 2021;31:9612; ``mean_slice``: the
        mean; ``max_vertebra``: that of the highest vertebra, the network's own where it names none.
    logits : sequence of float
        Of the slices, that of the finding first; where slices are not joined, of it alone.
    mask : ndarray of float32, shape (rows, columns)
        Probability of every pixel; wanted for ``max_vertebra``, as is the level.
    level : ndarray of float32, shape (1 + levels, rows, columns)

    Examples
    --------
    >>> from dataclasses import replace
    >>> from inference.models import registry
    >>> spec = registry.load("s1-resnet50")
    >>> [case_logit(replace(spec, aggregate=way), [-1.0, 3.0, 1.0]) for way in ("none", "max_slice", "mean_slice")]
    [-1.0, 3.0, 1.0]
    """
    if spec.aggregate == "max_slice":
        return max(logits)
    if spec.aggregate == "mean_slice":
        return float(np.mean(logits))
    named = spec.output(Level)
    if spec.aggregate == "max_vertebra" and named is not None and level is not None:
        found = find(level.argmax(axis=0), named.levels, None if mask is None else mask.astype(np.float64))
        if found.vertebrae:
            return body_logit(found.score)
    return logits[0]
