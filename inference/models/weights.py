"""Weights on disk: safetensors only, under the digest in the card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from inference.cards import WEIGHTS, Card, CardError, check_safetensors, sha256_of, undecided
from inference.declared import SpecError
from inference.models import registry
from inference.models.contract import Model
from inference.reasons import why
from inference.spec import ModelSpec

SPEC = "spec"
NAMED = 4


def save_weights(model: nn.Module, folder: Path, spec: ModelSpec | None = None) -> str:
    """Write ``weights.safetensors`` and return its SHA-256; the digest of the undecided specification stands in it."""
    path = folder / WEIGHTS
    partial = path.with_suffix(".partial")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, partial, None if spec is None else {SPEC: undecided(spec).digest})
    partial.replace(path)
    return sha256_of(path)


def load_declared(folder: Path, *, draft: bool = False) -> tuple[Card, Model]:
    """The checked card with its specification, and the model in evaluation mode.

    Parameters
    ----------
    folder : Path
    draft : bool
        Whether a model is taken of which nothing is decided yet: for its own tuning cases, never for others.

    Raises
    ------
    CardError
        Where card or weights were changed by a byte, or do not fit each other.
    """
    card = Card.load(folder, draft=draft)
    return card, model_of(card, folder)


def model_of(card: Card, folder: Path) -> Model:
    spec = undecided(card.spec)
    with safe_open(folder / WEIGHTS, framework="pt") as stored:
        made_for = (stored.metadata() or {}).get(SPEC)
    if made_for != spec.digest:
        raise CardError("The weights were not made for the specification that the card describes.")
    try:
        model = registry.build(spec)
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (RuntimeError, SpecError) as error:
        raise CardError(f"The weights do not fit the architecture that the card describes: {error}") from error
    return model.eval()


def start_from(model: nn.Module, path: Path) -> None:
    """Put starting weights from a file into a fresh model; nothing may be missing, too much, or of another shape.

    Raises
    ------
    SpecError
        Naming the field ``train.weights`` and the first tensors that do not fit.
    """
    where = "train.weights"
    try:
        check_safetensors(path)
        tensors = load_file(path)
    except (OSError, CardError, SafetensorError) as error:
        raise SpecError(where, f"{path} cannot be read: {why(error)}.") from error
    wrong = misfits(dict(model.state_dict()), tensors)
    if wrong:
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        raise SpecError(where, f"{path} does not fit the architecture: {'; '.join(wrong[:NAMED])}{more}.")
    model.load_state_dict(tensors)


def misfits(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """What is missing, of another shape, or unknown, in words.

    Examples
    --------
    >>> import torch
    >>> misfits({"a": torch.zeros(2)}, {"a": torch.zeros(3), "b": torch.zeros(1)})
    ['a is (3), not (2)', 'b is unknown']
    """
    missing = [f"{name} is missing" for name in wanted if name not in given]
    shaped = [
        f"{name} is {shape_of(given[name])}, not {shape_of(tensor)}"
        for name, tensor in wanted.items()
        if name in given and given[name].shape != tensor.shape
    ]
    return missing + shaped + [f"{name} is unknown" for name in given if name not in wanted]


def shape_of(tensor: Tensor) -> str:
    return f"({', '.join(map(str, tensor.shape))})"
