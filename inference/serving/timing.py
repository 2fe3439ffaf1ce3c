"""How long calls take beside each other on a machine that does other work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Seconds(NamedTuple):
    """Of one call: on the clock, and of the processor, which work of others does not lengthen as much."""

    clock: float
    processor: float


def shortest(
    calls: Mapping[str, Callable[[], object]], *, rounds: int = 5, enough: float = 60.0, warm: bool = False
) -> dict[str, Seconds]:
    """The shortest of some rounds in which all calls take turns, so that each meets the same neighbours.

    Parameters
    ----------
    calls : mapping of str to callable
        Each is called once before anything is counted, unless ``warm``.
    rounds : int
        At most so many.
    enough : float
        Seconds after which no further round is begun.
    warm : bool
        Whether all were called before.

    Examples
    --------
    >>> found = shortest({"sum": lambda: sum(range(1000)), "sleep": lambda: time.sleep(0.01)}, rounds=2)
    >>> found["sleep"].clock > found["sleep"].processor
    True
    """
    times: dict[str, list[Seconds]] = {name: [] for name in calls}
    for call in () if warm else calls.values():
        call()
    began = time.perf_counter()
    for number in range(rounds):
        if number and time.perf_counter() - began > enough:
            break
        for name, call in calls.items():
            clock, processor = time.perf_counter(), time.process_time()
            call()
            times[name].append(Seconds(time.perf_counter() - clock, time.process_time() - processor))
    return {
        name: Seconds(min(one.clock for one in found), min(one.processor for one in found))
        for name, found in times.items()
    }
