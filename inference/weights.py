"""Weights on disk: safetensors only, under the digest in the card."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from inference.cards import WEIGHTS, Card, sha256_of
from inference.models import build


def save_weights(model: nn.Module, folder: Path) -> str:
    """Write ``weights.safetensors`` and return its SHA-256."""
    path = folder / WEIGHTS
    partial = path.with_suffix(".partial")
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, partial)
    partial.replace(path)
    return sha256_of(path)


def load_model(folder: Path) -> tuple[Card, nn.Module]:
    """The checked card and the model in evaluation mode.

    Raises
    ------
    CardError
        Where card or weights were changed by a byte, or do not fit each other.
    """
    from inference.cards import CardError

    card = Card.load(folder)
    model = build(card.family, card.recipe["architecture"])
    try:
        model.load_state_dict(load_file(folder / WEIGHTS))
    except RuntimeError as error:
        raise CardError("The weights do not fit the architecture that the card describes.") from error
    return card, model.eval()
