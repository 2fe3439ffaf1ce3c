"""The body of a submission or a draft, from JSON text to checked plain data. Pure."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from .activity import KINDS, Happening
from .answers import storable

LARGEST_BODY = 1 << 20
# The browser stops at 2,000 by itself; what comes beyond is not worth refusing a reading for.
MOST_EVENTS = 2000
LONGEST_REASON = 500
MOST_PARTS = 200
EXPOSURES = {"shown": True, "hidden": False}
EXPOSED = ("probability", "heatmap", "mask", "boxes", "levels")
# What lies on images, so that it can be said on which; and the planes that are made of a stack.
LAID_OVER = EXPOSED[1:]
PLANES = ("", "axial", "coronal", "sagittal")
MOST_IMAGES = 100_000
Row = TypeVar("Row")


class BodyError(ValueError):
    """The body is not what the reading page sends; the text says what is wrong."""


@dataclass(frozen=True)
class Shown:
    """Without an image it was switched on or off, or has another opacity, in percent; with one it came to the screen
    over that image or left it: over a plane through the stack that begins with the image, where one is named, at that
    position in it.
    """

    kind: str
    shown: bool
    t: float
    image: int | None = None
    plane: str = ""
    position: int | None = None
    opacity: int | None = None

    def to_document(self, t: int) -> dict[str, Any]:
        """As the page sends it, at a time within the server's bounds."""
        facts = {"image": self.image, "plane": self.plane, "position": self.position, "opacity": self.opacity}
        told = {name: value for name, value in facts.items() if value not in (None, "")}
        return {"kind": self.kind, "event": "shown" if self.shown else "hidden", **told, "t": t}


@dataclass(frozen=True)
class Submission:
    client_key: UUID
    answers: dict[str, object]
    happenings: tuple[Happening, ...]
    duration_ms: float
    exposures: tuple[Shown, ...]
    stage: str = "final"
    unreadable: str = ""


@dataclass(frozen=True)
class Draft:
    """What is entered so far, and how the work went up to then."""

    answers: dict[str, object]
    happenings: tuple[Happening, ...] = ()
    duration_ms: float = 0
    exposures: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Display:
    """What the display check found: the faintest steps of grey that were told apart, screen and light of the room."""

    dark: int
    bright: int
    width: int
    height: int
    ratio: float
    ambient: str


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
    done = done_of(read)
    return Submission(
        client_key=key_of(read.get("client_key")),
        answers=done.answers,
        happenings=done.happenings,
        duration_ms=done.duration_ms,
        exposures=done.exposures,
        stage="first" if read.get("stage") == "first" else "final",
        unreadable=words(read.get("unreadable", ""), "unreadable"),
    )


def done_of(read: Mapping[str, Any]) -> Draft:
    activity = mapping(read.get("activity", {}), "activity")
    return Draft(
        answers=answers_of(read),
        happenings=tuple(rows(activity.get("events", []), "activity.events", happening)),
        duration_ms=milliseconds(activity.get("duration_ms", 0), "activity.duration_ms"),
        exposures=tuple(rows(read.get("exposures", []), "exposures", exposure)),
    )


def reason(body: bytes) -> str:
    """Why the reader changes what was submitted."""
    return words(document(body).get("reason", ""), "reason")


def words(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_REASON or not storable(value):
        raise BodyError(f"“{name}” is no text of at most {LONGEST_REASON} characters.")
    return value.strip()


def draft(body: bytes) -> Draft:
    """The answers so far: kept as they are, except what no database can keep."""
    done = done_of(document(body))
    for name, value in done.answers.items():
        check_storable(name)
        check_drafted(value, name)
    return done


def check_drafted(value: object, name: str) -> None:
    """Texts, numbers, and what grids, marks and several choices make of them: one table within a list, no deeper."""
    for inner in parts_of(value, name, deep=2):
        if not isinstance(inner, str | int | float | bool | None):
            raise BodyError(f"The draft of “{name[:40]}” is neither text nor a number.")
        if isinstance(inner, str):
            check_storable(inner)
        if isinstance(inner, float) and not math.isfinite(inner):
            raise BodyError("The draft holds a number that is not finite.")


def parts_of(value: object, name: str, deep: int) -> Iterator[object]:
    if not isinstance(value, list | dict) or not deep:
        yield value
        return
    if len(value) > MOST_PARTS:
        raise BodyError(f"The draft of “{name[:40]}” has more than {MOST_PARTS} parts.")
    for inner in value.values() if isinstance(value, dict) else value:
        yield from parts_of(inner, name, deep - 1)
    yield from value if isinstance(value, dict) else ()


def check_storable(text: str) -> None:
    if not storable(text):
        raise BodyError("The draft holds a character that cannot be stored.")


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
    kind, shown, plane = item["kind"], EXPOSURES[item["event"]], item.get("plane", "")
    image, position = (counted(item.get(fact), name, 1, MOST_IMAGES) for fact in ("image", "position"))
    opacity = counted(item.get("opacity"), name, 0, 100)
    if plane not in PLANES or (plane and image is None) or (image is not None and kind not in LAID_OVER):
        raise BodyError(f"“{name}” holds an exposure on no image.")
    if position is not None and not plane:
        raise BodyError(f"“{name}” holds a position in no plane.")
    if opacity is not None and (kind not in LAID_OVER or image is not None):
        raise BodyError(f"“{name}” holds an opacity of what has none.")
    return Shown(kind, shown, milliseconds(item.get("t"), name), image, plane, position, opacity)


def counted(value: object, name: str, least: int, most: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BodyError(f"“{name}” holds a number that is out of all bounds.")
    return value


def milliseconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BodyError(f"“{name}” holds a time that is no number.")
    # An integer may be too large for a float, and 1e999 reads as infinity.
    if abs(value) > 1e15:
        raise BodyError(f"“{name}” holds a time that is out of all bounds.")
    return float(value)
