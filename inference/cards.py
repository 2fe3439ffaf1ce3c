"""The card that travels with weights. Free of torch, so that the web may check a model without running it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CARD, WEIGHTS = "card.json", "weights.safetensors"


class CardError(ValueError):
    """A card or its weights cannot be used; the text says why."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def canonical(document: object) -> bytes:
    """The one way in which a document is written before it is hashed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


@dataclass(frozen=True)
class Card:
    """Everything that must be known of a model before it may be used.

    Attributes
    ----------
    name, version, family : str
    recipe : mapping
        Architecture, preprocessing and training, enough to build and to train it again.
    labels : tuple of str
        Names of the negative and the positive label.
    calibration : mapping
        ``{"method": "platt", "slope": a, "intercept": b, "n": …}``: p = sigmoid(a·logit + b).
    operating_point : mapping
        ``{"threshold": t, "rule": "youden", "chosen_on": "validation", "n": …}``.
    data : mapping
        Digests and sizes of training and validation data.
    metrics : mapping
        What was measured on validation data, with intervals.
    weights_sha256 : str
        Digest of the file ``weights.safetensors`` beside the card.
    licence, intended_use, limits : str
    paper : str
        Source of the architecture.
    """

    name: str
    version: str
    family: str
    recipe: Mapping[str, Any]
    labels: tuple[str, str]
    calibration: Mapping[str, Any]
    operating_point: Mapping[str, Any]
    data: Mapping[str, Any]
    metrics: Mapping[str, Any]
    weights_sha256: str
    licence: str
    intended_use: str
    limits: str
    paper: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical card, which holds the digest of the weights."""
        return hashlib.sha256(canonical(self.to_document())).hexdigest()

    @property
    def threshold(self) -> float:
        return float(self.operating_point["threshold"])

    def to_document(self) -> dict[str, Any]:
        """The card as plain data, as it stands in ``card.json``."""
        return json.loads(canonical(asdict(self)))  # type: ignore[no-any-return]

    def save(self, folder: Path) -> None:
        """Write ``card.json`` with its own digest, so that a changed byte is seen."""
        document = self.to_document() | {"digest": self.digest}
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / CARD).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Card:
        """Read and check ``card.json`` alone; raises CardError with a sentence."""
        path = folder / CARD
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            digest = document.pop("digest")
            card = cls(**document | {"labels": tuple(document["labels"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CardError(f"The card cannot be read: {type(error).__name__}, {error}.") from error
        if card.digest != digest:
            raise CardError("The card was changed after it was written: its digest does not fit its content.")
        return card.checked()

    @classmethod
    def load(cls, folder: Path) -> Card:
        """Read the card and check the weights beside it, every byte; raises CardError with a sentence.

        Examples
        --------
        >>> Card.load(Path("fixtures/demo/model")).labels
        ('no fracture', 'fracture')
        """
        card = cls.read(folder)
        weights = folder / WEIGHTS
        if not weights.is_file():
            raise CardError(f"The weights are missing: there is no {WEIGHTS} beside the card.")
        if sha256_of(weights) != card.weights_sha256:
            raise CardError("The weights are not the ones of this card: their SHA-256 differs.")
        check_safetensors(weights)
        return card

    def checked(self) -> Card:
        if not (self.name and self.version and self.family):
            raise CardError("The card names no model: name, version and family must be given.")
        if len(self.labels) != 2:
            raise CardError("The card must name two labels, the negative and the positive one.")
        threshold = self.operating_point.get("threshold")
        if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
            raise CardError("The card has no operating point between 0 and 1; freeze the decision first.")
        return self


def check_safetensors(path: Path) -> None:
    """A safetensors file begins with the length of a JSON header; anything else (a pickle, say) is refused."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(path.stat().st_size - 8, 100 << 20):
            raise CardError("The weights are no safetensors file.")
        try:
            header = json.loads(stream.read(length))
        except (ValueError, UnicodeDecodeError) as error:
            raise CardError("The weights are no safetensors file.") from error
    if not isinstance(header, dict):
        raise CardError("The weights are no safetensors file.")
