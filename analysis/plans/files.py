"""Reading a declared plan from TOML: every key is known, every value has its type, every refusal names its place."""

import dataclasses
import difflib
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from analysis.errors import CannotAnalyse
from analysis.plans.catalogue import check_endpoint
from analysis.plans.declared import Endpoint, StudyPlan

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Section = TypeVar("Section", bound="DataclassInstance")
HEADER = re.compile(r"^\s*(\[\[?)\s*([\w.\-]+)\s*\]\]?")
KEY = re.compile(r"^\s*\"?([\w\-]+)\"?\s*=")


@dataclass(frozen=True)
class Place:
    """Where in the file something stands: its path of keys, and the line where that is known."""

    file: str
    lines: Mapping[str, int]
    path: str = ""

    def inside(self, key: str) -> "Place":
        return dataclasses.replace(self, path=f"{self.path}.{key}" if self.path else key)

    def item(self, number: int) -> "Place":
        return dataclasses.replace(self, path=f"{self.path}[{number}]")

    def refusal(self, sentence: str) -> CannotAnalyse:
        line = self.lines.get(self.path)
        where = [self.file] + ([f"line {line}"] if line else []) + ([self.path] if self.path else [])
        return CannotAnalyse(f"{', '.join(where)}: {sentence}")


def read_plan(path: Path) -> StudyPlan:
    """Which study does this file declare?

    path: a TOML file; its keys are listed in analysis/README.md. Refused with file, line and key: what is no TOML, an
    unknown key (the nearest known one is named), a value of the wrong type or word, and an analysis that cannot be
    valid for the design that the plan declares, such as a pooled test as primary.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CannotAnalyse(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise CannotAnalyse(f"{path} cannot be read as a plan: {failure}.") from failure
    return plan_of(text, path.name)


def plan_of(text: str, name: str = "plan") -> StudyPlan:
    """The plan that this TOML text declares; see `read_plan`.

    >>> plan = plan_of('''title = "Two arms"
    ... design = "fully crossed"
    ... arms = ["unaided", "aided"]
    ... [[endpoints]]
    ... name = "AUC"
    ... role = "primary"
    ... analysis = "obuchowski-rockette"
    ... ''')
    >>> plan.endpoints[0].metric, plan.multiplicity.primary, plan.missing.rule
    ('auc', 'holm', 'as read')
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise CannotAnalyse(f"{name} is no TOML file: {failure}.") from failure
    place = Place(name, lines_of(text))
    plan = section(StudyPlan, content, place)
    for number, endpoint in enumerate(plan.endpoints, start=1):
        checked(endpoint, plan, place.inside("endpoints").item(number))
    return plan


def checked(endpoint: Endpoint, plan: StudyPlan, place: Place) -> None:
    try:
        check_endpoint(endpoint, plan)
    except CannotAnalyse as refusal:
        raise place.refusal(str(refusal)) from refusal


def lines_of(text: str) -> dict[str, int]:
    """Line of every header and key by its path, such as endpoints[2].metric; for the sentences of refusals."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header, key = HEADER.match(line), KEY.match(line)
        if header:
            prefix = header.group(2)
            if header.group(1) == "[[":
                counts[prefix] = counts.get(prefix, 0) + 1
                prefix = f"{prefix}[{counts[prefix]}]"
            found.setdefault(prefix, number)
        elif key:
            found.setdefault(f"{prefix}.{key.group(1)}" if prefix else key.group(1), number)
    return found


def section(kind: type[Section], mapping: object, place: Place) -> Section:
    """One record of a plan from one table of the file."""
    if not isinstance(mapping, Mapping):
        raise place.refusal(f"this is a section with keys of its own, not {mapping!r}.")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in mapping:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            meant = f" (is {near[0]} meant?)" if near else ""
            raise place.inside(str(key)).refusal(
                f"a plan knows no key {key} here{meant}; it knows {', '.join(fields)}."
            )
    hints = typing.get_type_hints(kind)
    values = {key: value_of(hints[key], value, place.inside(key)) for key, value in mapping.items()}
    absent = [name for name, field in fields.items() if is_needed(field) and name not in values]
    if absent:
        raise place.refusal(f"{' and '.join(absent)} must be given.")
    try:
        return kind(**values)
    except CannotAnalyse as refusal:
        raise place.refusal(str(refusal)) from refusal


def is_needed(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def value_of(kind: Any, value: object, place: Place) -> Any:
    """One value, held against the type of its field."""
    origin = typing.get_origin(kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return section(kind, value, place)
    if origin is tuple:
        return items_of(typing.get_args(kind)[0], value, place)
    if origin is Literal:
        words = typing.get_args(kind)
        if value not in words:
            raise place.refusal(f"this is {' or '.join(words)}, not {value!r}.")
        return value
    accepted = typing.get_args(kind) if origin in (typing.Union, types.UnionType) else (kind,)
    return scalar_of(accepted, value, place)


def items_of(kind: Any, value: object, place: Place) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise place.refusal(f"this is a list in square brackets, not {value!r}.")
    return tuple(value_of(kind, item, place.item(number)) for number, item in enumerate(value, start=1))


def scalar_of(accepted: tuple[Any, ...], value: object, place: Place) -> Any:
    if isinstance(value, bool):
        if bool in accepted:
            return value
    elif (isinstance(value, str) and str in accepted) or (isinstance(value, int) and int in accepted):
        return value
    elif isinstance(value, int | float) and float in accepted:
        return float(value)
    words = {str: "a text in quotes", float: "a number", int: "a whole number", bool: "true or false"}
    kinds = " or ".join(words[kind] for kind in accepted if kind in words)
    raise place.refusal(f"this is {kinds}, not {value!r}.")
