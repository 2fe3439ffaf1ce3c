"""One door to the network of a model's folder: by what runs it fastest on this machine."""

from __future__ import annotations

from pathlib import Path

from inference.cards import Card, CardError
from inference.serving.choosing import fastest
from inference.serving.export import MODEL, Export
from inference.serving.running import KINDS, Answer, Kind, Runtime, runnable

__all__ = ["KINDS", "Answer", "Kind", "Runtime", "runtime"]


def runtime(folder: Path, kind: Kind | None = None, *, draft: bool = False) -> Runtime:
    """The model of a folder, ready to be asked; card, weights and exported network are checked byte by byte here.

    Parameters
    ----------
    folder : Path
        With ``card.json`` and ``weights.safetensors``, and with ``model.onnx`` where it was exported.
    kind : {"onnxruntime", "openvino", "torch"}, optional
        Where None: torch on a GPU; else of what is exported and installed the fastest by a measurement kept on this
        machine; else torch.
    draft : bool
        Whether a model is taken of which nothing is decided yet.

    Returns
    -------
    Runtime

    Raises
    ------
    CardError
        Where something was changed, does not fit, is not decided, or the wanted runtime cannot run it.
    """
    card = Card.load(folder, draft=draft)
    record = Export.read(folder, card)
    if kind is None:
        return Runtime(folder, card, fastest(folder, card, record, draft=draft), draft)
    if kind not in runnable(record):
        why = "is not installed" if record is not None else f"needs {MODEL}, which was not exported"
        raise CardError(f"{card.name} cannot be run by {kind}: it {why}.")
    return Runtime(folder, card, kind, draft)
