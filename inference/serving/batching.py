"""How many cases are asked of a network at once, and what becomes of those that memory does not hold together.

The inputs of one model have one shape, that of its specification, so any cases of a request make a batch.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.measures.aggregation import parts_of
from inference.outputs import Level, Mask
from inference.serving.running import Answer, Runtime
from inference.serving.trial import shape_of
from inference.spec import ModelSpec

BATCH = "INFERENCE_BATCH"
# As many as the site puts into a request; on a processor more would be no faster.
CASES = 16
# Of inputs and answers of a batch together; what the network needs itself is bounded where it is run.
ROOM = 256 << 20
FLOAT = 4

Inputs = Mapping[str, NDArray[np.float32]]


def at_once(spec: ModelSpec) -> int:
    """Cases of a batch: ``INFERENCE_BATCH``, or 16; fewer where their arrays would fill 256 MiB.

    Examples
    --------
    >>> from inference.models import registry
    >>> at_once(registry.load("s0-mobilenet")), at_once(registry.load("s4-3d"))
    (16, 16)
    """
    given = os.environ.get(BATCH, "")
    wanted = int(given) if given.isdecimal() else CASES
    return max(1, min(wanted, ROOM // bytes_of(spec)) // parts_of(spec))


def bytes_of(spec: ModelSpec) -> int:
    """Of one case's inputs and answers."""
    plane = int(np.prod(spec.size))
    read = sum(int(np.prod(shape_of(spec, one))) for one in spec.inputs)
    level = spec.output(Level)
    said = (spec.output(Mask) is not None) + (0 if level is None else 1 + len(level.levels))
    return FLOAT * (read + said * plane)


def asked(runtime: Runtime, cases: Sequence[Inputs]) -> list[Answer | None]:
    """The answer to each case, its arrays with an axis of one case; None where memory does not hold even it alone.

    One forward pass; where memory does not hold it, each half by itself.
    """
    if not cases:
        return []
    try:
        together = runtime({name: np.stack([one[name] for one in cases]) for name in cases[0]})
    except MemoryError:
        if len(cases) == 1:
            return [None]
        middle = len(cases) // 2
        return [*asked(runtime, cases[:middle]), *asked(runtime, cases[middle:])]
    return [only(together, place) for place in range(len(cases))]


def only(together: Answer, place: int) -> Answer:
    return Answer(*(None if part is None else part[place : place + 1] for part in together))
