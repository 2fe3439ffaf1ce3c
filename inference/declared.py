"""Frozen dataclasses from tables of plain data (TOML, JSON) and back; every fault is told by the path of its field.

A field's annotation is its rule: ``int``, ``Literal["a", "b"]``, ``tuple[float, ...]``,
``Annotated[float, Within(0, 1)]``, another dataclass, or a union of `Variant` classes of which the table names one.
"""

from __future__ import annotations

import functools
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")


class SpecError(ValueError):
    """What was declared cannot be satisfied; the text begins with the path of the field.

    Attributes
    ----------
    field : str
        As in ``inputs[1].sequence``.
    """

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field = field


class Variant:
    """One of several tables that may stand in a place; the entry under ``key`` says which.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Window(Variant):
    ...     key, tag = "op", "window"
    ...     low: float
    >>> document_of(Window(-150.0))
    {'op': 'window', 'low': -150.0}
    """

    key: ClassVar[str] = "kind"
    tag: ClassVar[str]


@dataclass(frozen=True)
class Within:
    """Bounds of a number, both allowed; None where there is none."""

    low: float | None = None
    high: float | None = None

    def check(self, number: float, where: str) -> None:
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            words = [f"at least {self.low}"] if self.low is not None else []
            words += [f"at most {self.high}"] if self.high is not None else []
            raise SpecError(where, f"{number} is not {' and '.join(words)}.")


def parsed(cls: type[T], document: object, where: str = "") -> T:
    """A dataclass from its table.

    Parameters
    ----------
    cls : type
        A dataclass; defaults make a field optional.
    document : object
        What TOML or JSON gave.
    where : str
        Path of the table, for the sentences.

    Raises
    ------
    SpecError
        Where a field is missing, unknown, of another type or out of its bounds.

    Examples
    --------
    >>> parsed(Within, {"low": 1, "hgh": 2}, "limits")
    Traceback (most recent call last):
    inference.declared.SpecError: limits.hgh: there is no such field; known are low, high.
    """
    if not isinstance(document, Mapping):
        raise SpecError(where or "specification", f"a table is wanted, not {document!r}.")
    known = {field.name: field for field in fields(cls) if field.init}  # type: ignore[arg-type]
    tag = cls.key if issubclass(cls, Variant) else None
    for name in document:
        if name not in known and name != tag:
            raise SpecError(inside(where, name), f"there is no such field; known are {', '.join(known) or 'none'}.")
    hints = _hints(typing.cast(type, cls))
    values = {}
    for name, field in known.items():
        if name in document:
            values[name] = _value(hints[name], document[name], inside(where, name))
        elif field.default is MISSING and field.default_factory is MISSING:
            raise SpecError(inside(where, name), "is missing.")
    return cls(**values)


def document_of(value: Any) -> Any:
    """Plain data of which `parsed` makes the same value again."""
    if is_dataclass(value) and not isinstance(value, type):
        tag = {value.key: value.tag} if isinstance(value, Variant) else {}
        return tag | {field.name: document_of(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: document_of(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [document_of(item) for item in value]
    return value


def frozen(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same table, which nothing can change: lists become tuples.

    Examples
    --------
    >>> frozen({"widths": [8, 16]})["widths"]
    (8, 16)
    """
    return MappingProxyType(
        {str(name): tuple(item) if isinstance(item, list | tuple) else item for name, item in document.items()}
    )


def canonical(document: object) -> bytes:
    """The one way in which a document is written before it is hashed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


@functools.cache
def _hints(cls: type) -> Mapping[str, Any]:
    """Read once: a request has thousands of frames."""
    return typing.get_type_hints(cls, include_extras=True)


def _value(hint: Any, given: object, where: str) -> object:
    reader = _SHAPES.get(typing.get_origin(hint))
    if reader is not None:
        return reader(typing.get_args(hint), given, where)
    if is_dataclass(hint):
        return parsed(typing.cast(type[Any], hint), given, where)
    return _SCALARS[hint](given, where)


def _annotated(arguments: tuple[Any, ...], given: object, where: str) -> object:
    value = _value(arguments[0], given, where)
    for rule in arguments[1:]:
        rule.check(value, where)
    return value


def _literal(arguments: tuple[Any, ...], given: object, where: str) -> object:
    if given not in arguments:
        raise SpecError(where, f"{given!r} is not one of {', '.join(map(str, arguments))}.")
    return given


def _mapping(arguments: tuple[Any, ...], given: object, where: str) -> Mapping[str, object]:
    if not isinstance(given, Mapping):
        raise SpecError(where, f"a table is wanted, not {given!r}.")
    return frozen(given)


def _tuple(arguments: tuple[Any, ...], given: object, where: str) -> tuple[object, ...]:
    if not isinstance(given, list | tuple):
        raise SpecError(where, f"a list is wanted, not {given!r}.")
    hints = arguments[:1] * len(given) if arguments[-1] is Ellipsis else arguments
    if len(hints) != len(given):
        raise SpecError(where, f"{len(hints)} entries are wanted, not {len(given)}.")
    return tuple(_value(hint, item, f"{where}[{i}]") for i, (hint, item) in enumerate(zip(hints, given, strict=True)))


def _one_of(arguments: tuple[Any, ...], given: object, where: str) -> object:
    if given is None and types.NoneType in arguments:
        return None
    wanted = [hint for hint in arguments if hint is not types.NoneType]
    if len(wanted) == 1:
        return _value(wanted[0], given, where)
    if not isinstance(given, Mapping):
        raise SpecError(where, f"a table is wanted, not {given!r}.")
    variants = {variant.tag: variant for variant in wanted}
    key = wanted[0].key
    if given.get(key) not in variants:
        raise SpecError(inside(where, key), f"{given.get(key)!r} is not one of {', '.join(variants)}.")
    return parsed(variants[given[key]], given, where)


def _integer(given: object, where: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise SpecError(where, f"a whole number is wanted, not {given!r}.")
    return given


def _number(given: object, where: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise SpecError(where, f"a number is wanted, not {given!r}.")
    return float(given)


def _truth(given: object, where: str) -> bool:
    if not isinstance(given, bool):
        raise SpecError(where, f"true or false is wanted, not {given!r}.")
    return given


def _text(given: object, where: str) -> str:
    if not isinstance(given, str):
        raise SpecError(where, f"a text is wanted, not {given!r}.")
    return given


_SCALARS: dict[Any, Callable[[object, str], object]] = {int: _integer, float: _number, bool: _truth, str: _text}
_SHAPES: dict[Any, Callable[[tuple[Any, ...], object, str], object]] = {
    typing.Annotated: _annotated,
    typing.Literal: _literal,
    typing.Union: _one_of,
    types.UnionType: _one_of,
    tuple: _tuple,
    Mapping: _mapping,
}
