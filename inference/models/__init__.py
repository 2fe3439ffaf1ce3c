"""The families of models. Each stands in a file of its own and answers one contract.

A family is a function ``build(recipe) -> torch.nn.Module`` under a name. Its module maps images of shape
(batch, 1, rows, columns) in [0, 1] to logits of shape (batch,), and has ``features(images)`` (the maps that Grad-CAM
reads, shape (batch, channels, r, c)) and ``head(features)`` with ``forward(x) == head(features(x))``.

>>> sorted(families())
['located', 'small_cnn', 'wavelet']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


class Classifier(Protocol):
    """What every family offers."""

    def features(self, images: Tensor) -> Tensor: ...

    def head(self, features: Tensor) -> Tensor: ...


class Locating(Classifier, Protocol):
    """What families offer besides that can be taught where a finding lies."""

    def places(self, features: Tensor) -> Tensor: ...

    def head_of_places(self, places: Tensor) -> Tensor: ...


class UnknownFamily(ValueError):
    """A recipe names a family that is not registered, or asks of it what it does not have."""


Builder = Callable[[Mapping[str, Any]], "nn.Module"]
_FAMILIES: dict[str, Builder] = {}


def register(name: str) -> Callable[[Builder], Builder]:
    """Enter a family under its name; packages outside this one may do so too.

    Examples
    --------
    >>> @register("nothing")
    ... def build(recipe): ...
    """

    def enter(builder: Builder) -> Builder:
        _FAMILIES[name] = builder
        return builder

    return enter


def families() -> list[str]:
    """Names of the registered families."""
    from inference.models import located, small_cnn, wavelet  # noqa: F401 - they register themselves

    return list(_FAMILIES)


def build(family: str, recipe: Mapping[str, Any]) -> nn.Module:
    """A fresh model of a family.

    Raises
    ------
    UnknownFamily
        With the name of the field that cannot be satisfied.
    """
    if family not in families():
        raise UnknownFamily(f"family: {family!r} is not registered; known are {', '.join(sorted(_FAMILIES))}.")
    try:
        return _FAMILIES[family](recipe)
    except TypeError as error:
        raise UnknownFamily(f"architecture of {family}: {error}.") from error
