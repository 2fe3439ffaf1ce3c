"""How long a reader was at work on a case, from what the browser noted, within what the server saw."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

KINDS = ("focus", "blur", "hidden", "visible", "idle", "active", "loaded")


@dataclass(frozen=True)
class Happening:
    """`t` milliseconds after the case was opened, by the browser's clock."""

    t: float
    kind: str


@dataclass(frozen=True)
class Times:
    """Milliseconds; the four parts add up to the duration."""

    load_ms: int
    active_ms: int
    idle_ms: int
    hidden_ms: int

    @property
    def duration_ms(self) -> int:
        return self.load_ms + self.active_ms + self.idle_ms + self.hidden_ms


def times(happenings: Iterable[Happening], *, duration_ms: float, bound_ms: int) -> Times:
    """Share the time out among loading, active, idle and hidden.

    The browser's duration counts as far as the server's own stamps allow (`bound_ms`). A clock that was set back cannot
    make time run backwards, and one that was set forward cannot stretch it beyond the bound.
    """
    bound = max(0, bound_ms)
    end = clamped(duration_ms, 0, bound)
    parts = {"load": 0, "active": 0, "idle": 0, "hidden": 0}
    events = list(happenings)
    visible, focused, awake = True, True, True
    loaded = all(event.kind != "loaded" for event in events)
    at = 0

    def state() -> str:
        if not visible:
            return "hidden"
        if not loaded:
            return "load"
        return "active" if focused and awake else "idle"

    for event in events:
        then = clamped(event.t, at, end)
        parts[state()] += then - at
        at = then
        match event.kind:
            case "loaded":
                # Also after a page was left and taken up again: its pixels are there, so it is looked at.
                visible = focused = awake = loaded = True
            case "hidden" | "visible":
                visible = event.kind == "visible"
            case "blur" | "focus":
                focused = event.kind == "focus"
            case "idle" | "active":
                awake = event.kind == "active"
    parts[state()] += end - at
    return Times(parts["load"], parts["active"], parts["idle"], parts["hidden"])


def within(happenings: Iterable[Happening], bound_ms: int) -> list[dict[str, Any]]:
    """The raw events as they are kept: in whole milliseconds that the server's own stamps allow."""
    return [{"t": clamped(event.t, 0, bound_ms), "kind": event.kind} for event in happenings]


def clamped(value: float, low: int, high: int) -> int:
    return int(min(max(value, low), high))


class Toggled(NamedTuple):
    """`what` came into sight or went out of it; that it comes twice changes nothing."""

    what: Hashable
    shown: bool
    at: int


class InSight(NamedTuple):
    first_ms: int | None
    total_ms: int


def shown_times(happened: Iterable[Toggled], *, until_ms: int) -> InSight:
    """When anything was first in sight and how long altogether, from all that was shown and hidden, in its order.

    Two things in sight at once count once; what was never hidden ends with the reading.
    """
    first, total, since = None, 0, 0
    in_sight: set[Hashable] = set()
    for what, shown, at in happened:
        before = bool(in_sight)
        (in_sight.add if shown else in_sight.discard)(what)
        if in_sight and not before:
            since = at
            first = at if first is None else first
        if before and not in_sight:
            total += max(0, at - since)
    return InSight(first, total + (max(0, until_ms - since) if in_sight else 0))
