"""The card that travels with weights. Free of torch, so that the web may check a model without running it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inference.declared import canonical
from inference.outputs import Decision, Probability
from inference.reasons import why
from inference.spec import ModelSpec

CARD, WEIGHTS, HISTORY = "card.json", "weights.safetensors", "history.jsonl"
OUT_OF_FOLD, TUNING = "oof.csv", "tune.csv"
DRAFT = "draft"


class CardError(ValueError):
    """A card or its weights cannot be used; the text says why."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True)
class Facts:
    """Everything that must be known of a model before it may be used.

    Attributes
    ----------
    version : str
        ``draft`` while nothing is decided, then 1, 2, 3: another decision is another version.
    weights_sha256 : str
        Digest of the file ``weights.safetensors`` beside the card.
    data : mapping
        Cases, patients, positives and digest of every part that it was made with; the digest of ``seen.json``.
    metrics : mapping
        What was measured on tuning or out-of-fold predictions, with 95 % intervals.
    spec : ModelSpec
        With the decision, once it is frozen; its seed is that of the training.
    predictions_sha256 : str
        Digest of the predictions beside the card that a decision may be chosen on.
    parameters, macs : int
        Numbers that were learnt; multiplications with addition for one case.
    made_with : mapping
        Digest of this package's source, versions of torch and MONAI.
    licence, intended_use, limits : str
    """

    version: str
    weights_sha256: str
    data: Mapping[str, Any]
    metrics: Mapping[str, Any]
    licence: str
    intended_use: str
    limits: str
    spec: ModelSpec
    predictions_sha256: str = ""
    parameters: int = 0
    macs: int = 0
    made_with: Mapping[str, str] = field(default_factory=dict)

    @property
    def decision(self) -> Decision:
        """What turns a logit into an answer; raises CardError while nothing is frozen."""
        if self.spec.decision is None:
            raise CardError(
                f"Nothing is decided in {self.name}, version {self.version}: the card has no operating point; "
                "freeze the decision first."
            )
        return self.spec.decision

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def family(self) -> str:
        return self.spec.family

    @property
    def paper(self) -> str:
        """Study or architecture that it follows."""
        return self.spec.paper

    @property
    def labels(self) -> tuple[str, str]:
        """The negative and the positive answer."""
        asked = self.spec.output(Probability)
        if asked is None:
            raise CardError(f"{self.name} answers no probability, so its card names no labels.")
        return asked.negative, asked.positive

    @property
    def threshold(self) -> float:
        return self.decision.threshold


@dataclass(frozen=True)
class Card(Facts):
    """The facts as they stand in ``card.json``, with the digest over all of them."""

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical card, which holds the digest of the weights."""
        return hashlib.sha256(canonical(self.to_document())).hexdigest()

    def to_document(self) -> dict[str, Any]:
        """The card as plain data, as it stands in ``card.json``."""
        document = {
            "version": self.version,
            "weights_sha256": self.weights_sha256,
            "data": dict(self.data),
            "metrics": dict(self.metrics),
            "licence": self.licence,
            "intended_use": self.intended_use,
            "limits": self.limits,
            "spec": self.spec.to_document(),
            "predictions_sha256": self.predictions_sha256,
            "parameters": self.parameters,
            "macs": self.macs,
            "made_with": dict(self.made_with),
        }
        return json.loads(canonical(document))  # type: ignore[no-any-return]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Card:
        """The card of plain data; raises TypeError, KeyError, ValueError or SpecError where it is none."""
        return cls(**{**document, "spec": ModelSpec.from_document(document["spec"])})

    def save(self, folder: Path) -> None:
        """Write ``card.json`` with its own digest, so that a changed byte is seen."""
        document = self.to_document() | {"digest": self.digest}
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
        partial = folder / f"{CARD}.partial"
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(folder / CARD)

    @classmethod
    def read(cls, folder: Path, *, draft: bool = False) -> Card:
        """Read and check ``card.json`` alone.

        Parameters
        ----------
        folder : Path
        draft : bool
            Whether a model is taken of which nothing is decided yet.

        Raises
        ------
        CardError
            With a sentence.
        """
        path = folder / CARD
        if not path.exists():
            raise CardError(f"The card cannot be read: {folder} holds no {CARD}{instead_of(folder)}.")
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            digest = document.pop("digest")
            card = cls.from_document(document)
            changed = card.digest != digest
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CardError(f"The card cannot be read: {why(error)}.") from error
        if changed:
            raise CardError("The card was changed after it was written: its digest does not fit its content.")
        return card.checked(draft=draft)

    @classmethod
    def load(cls, folder: Path, *, draft: bool = False) -> Card:
        """Read the card and check the weights beside it, every byte; raises CardError with a sentence.

        Examples
        --------
        >>> Card.load(Path("fixtures/demo/model")).labels
        ('no fracture', 'fracture')
        """
        card = cls.read(folder, draft=draft)
        weights = folder / WEIGHTS
        if not weights.is_file():
            raise CardError(f"The weights are missing: there is no {WEIGHTS} beside the card.")
        if sha256_of(weights) != card.weights_sha256:
            raise CardError("The weights are not the ones of this card: their SHA-256 differs.")
        check_safetensors(weights)
        return card

    def checked(self, *, draft: bool = False) -> Card:
        if not (self.name and self.version and self.family):
            raise CardError("The card names no model: name, version and family must be given.")
        decided = self.spec.decision is not None or self.spec.output(Probability) is None
        if not draft and (self.version == DRAFT or not decided):
            raise CardError(
                f"Nothing is decided in {self.name} yet: the card has no operating point; freeze the decision first."
            )
        return self


def instead_of(folder: Path) -> str:
    """Which folder was meant, where versions of a model lie in this one."""
    versions = sorted(path.parent.name for path in folder.glob(f"*/{CARD}"))
    return f"; name one of the versions in it: {', '.join(versions)}" if versions else ""


def undecided(spec: ModelSpec) -> ModelSpec:
    """The specification before its decision: what weights belong to, whichever decision follows."""
    return replace(spec, decision=None)


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
