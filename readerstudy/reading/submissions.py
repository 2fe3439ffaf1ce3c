"""The body of a submission or a draft, from JSON text to checked plain data. Pure."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from .activity import KINDS, Happening
from .answers import storable

LARGEST_BODY = 1 << 20
# The browser stops at 2,000 by itself; what comes beyond is not worth refusing a reading for.
MOST_EVENTS = 2000
EXPOSURES = {"shown": True, "hidden": False}
EXPOSED = ("probability", "heatmap", "mask", "boxes", "levels")
Row = TypeVar("Row")


class BodyError(ValueError):
    """The body is not what the reading page sends; the text says what is wrong."""


@dataclass(frozen=True)
class Shown:
    kind: str
    shown: bool
    t: float


@dataclass(frozen=True)
class Submission:
    client_key: UUID
    answers: dict[str, object]
    happenings: tuple[Happening, ...]
    duration_ms: float
    exposures: tuple[Shown, ...]


def document(body: bytes) -> dict[str, Any]:
    if len(body) > LARGEST_BODY:
        raise BodyError("What was sent is too large.")
    try:
        read = json.loads(body, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise BodyError("What was sent is not JSON.") from error
    if not isinstance(read, dict):
        raise BodyError("What was sent is not a JSON object.")
    return read


def no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON.")


def submission(body: bytes) -> Submission:
    read = document(body)
    activity = mapping(read.get("activity", {}), "activity")
    return Submission(
        client_key=key_of(read.get("client_key")),
        answers=answers_of(read),
        happenings=tuple(rows(activity.get("events", []), "activity.events", happening)),
        duration_ms=milliseconds(activity.get("duration_ms", 0), "activity.duration_ms"),
        exposures=tuple(rows(read.get("exposures", []), "exposures", exposure)),
    )


def draft(body: bytes) -> dict[str, object]:
    """The answers so far: kept as they are, except what no database can keep."""
    answers = answers_of(document(body))
    for name, value in answers.items():
        if not isinstance(value, str | int | float | bool | None):
            raise BodyError(f"The draft of “{name[:40]}” is neither text nor a number.")
        if not storable(name) or (isinstance(value, str) and not storable(value)):
            raise BodyError("The draft holds a character that cannot be stored.")
        if isinstance(value, float) and not math.isfinite(value):
            raise BodyError("The draft holds a number that is not finite.")
    return answers


def key_of(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise BodyError("The submission has no client_key, which must be a UUID.") from error


def answers_of(read: Mapping[str, Any]) -> dict[str, object]:
    return dict(mapping(read.get("answers"), "answers"))


def mapping(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BodyError(f"“{name}” is not a JSON object.")
    return value


def rows(value: object, name: str, row: Callable[[dict[str, Any], str], Row]) -> list[Row]:
    if not isinstance(value, list):
        raise BodyError(f"“{name}” is not a list.")
    return [row(mapping(item, name), name) for item in value[:MOST_EVENTS]]


def happening(item: dict[str, Any], name: str) -> Happening:
    if item.get("kind") not in KINDS:
        raise BodyError(f"“{name}” holds an event of no known kind.")
    return Happening(t=milliseconds(item.get("t"), name), kind=item["kind"])


def exposure(item: dict[str, Any], name: str) -> Shown:
    if item.get("kind") not in EXPOSED or item.get("event") not in EXPOSURES:
        raise BodyError(f"“{name}” holds an exposure of no known kind.")
    return Shown(kind=item["kind"], shown=EXPOSURES[item["event"]], t=milliseconds(item.get("t"), name))


def milliseconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BodyError(f"“{name}” holds a time that is no number.")
    # An integer may be too large for a float, and 1e999 reads as infinity.
    if abs(value) > 1e15:
        raise BodyError(f"“{name}” holds a time that is out of all bounds.")
    return float(value)
