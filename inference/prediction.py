"""What a model says of one case, and what a worker is asked. Free of torch, so that the web may read it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Prediction:
    """One model's answer to one case.

    Attributes
    ----------
    probability : float
        Calibrated probability of the positive label in [0, 1], rounded to six decimals: batches of
        another composition differ by 1e-8, and a stored number must not.
    positive : bool
        ``probability >= operating_point``.
    operating_point : float
        The threshold frozen in the card.
    card_digest, input_digest : str
        SHA-256 of the card and of the pixels with their geometry.
    heatmap_png : bytes or None
        8-bit grey PNG; 255 is the strongest support for the positive label.
    seconds : mapping of str to float
        Time by step: ``load``, ``forward``, ``explain``.
    device : str
        Where it was computed.

    Examples
    --------
    >>> answer = Prediction(0.83, True, 0.41, "c" * 64, "i" * 64)
    >>> Prediction.from_message(answer.to_message()) == answer
    True
    """

    probability: float
    positive: bool
    operating_point: float
    card_digest: str
    input_digest: str
    heatmap_png: bytes | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"a probability lies between 0 and 1, not at {self.probability}")
        if self.positive != (self.probability >= self.operating_point):
            raise ValueError("the decision does not follow from probability and operating point")

    def to_message(self) -> dict[str, Any]:
        """The answer as plain data for a message queue."""
        return {
            "probability": self.probability,
            "positive": self.positive,
            "operating_point": self.operating_point,
            "card_digest": self.card_digest,
            "input_digest": self.input_digest,
            "heatmap_png": base64.b64encode(self.heatmap_png).decode() if self.heatmap_png else None,
            "seconds": dict(self.seconds),
            "device": self.device,
        }

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Prediction:
        """Read plain data; raises KeyError, TypeError or ValueError where it is not an answer."""
        heatmap = message["heatmap_png"]
        return cls(
            probability=float(message["probability"]),
            positive=bool(message["positive"]),
            operating_point=float(message["operating_point"]),
            card_digest=str(message["card_digest"]),
            input_digest=str(message["input_digest"]),
            heatmap_png=base64.b64decode(heatmap, validate=True) if heatmap else None,
            seconds={str(step): float(seconds) for step, seconds in dict(message["seconds"]).items()},
            device=str(message["device"]),
        )


@dataclass(frozen=True)
class Frame:
    """Where the pixels of one image lie and how they are to be read.

    Attributes
    ----------
    uri : str
        ``file:///…`` or ``https://…`` of a stored frame (see ``inference.pixels.decode_frame``).
    sha256 : str
        Digest of the stored bytes.
    rows, columns : int
    slope, intercept : float
        Shown value = slope × stored value + intercept.
    inverted : bool
        Whether low values are bright (MONOCHROME1).
    """

    uri: str
    sha256: str
    rows: int
    columns: int
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False


@dataclass(frozen=True)
class Item:
    """One case of a request: the row it belongs to, its lease, its pixels."""

    prediction: str
    lease: str
    input_digest: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Request:
    """What a worker is asked: one model, some cases.

    Examples
    --------
    >>> Request.from_message({"model": {"card": "file:///m/card.json", "weights": "file:///m/weights.safetensors"},
    ...                       "card_digest": "c" * 64, "heatmap": True, "items": []}).items
    ()
    """

    card: str
    weights: str
    card_digest: str
    heatmap: bool
    items: tuple[Item, ...]

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Request:
        """Read plain data; raises KeyError or TypeError where it is not a request."""
        return cls(
            card=str(message["model"]["card"]),
            weights=str(message["model"]["weights"]),
            card_digest=str(message["card_digest"]),
            heatmap=bool(message["heatmap"]),
            items=tuple(
                Item(
                    prediction=str(item["prediction"]),
                    lease=str(item["lease"]),
                    input_digest=str(item["input_digest"]),
                    frames=tuple(Frame(**frame) for frame in item["frames"]),
                )
                for item in message["items"]
            ),
        )
