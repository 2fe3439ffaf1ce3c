"""Models as workers open them: fetched once to a machine, checked byte by byte, exported, two kept in memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.cards import CARD, WEIGHTS, Card, CardError
from inference.imaging.pixels import fetch
from inference.serving.choosing import has_gpu
from inference.serving.export import CannotExport, Export, export
from inference.serving.runtimes import Runtime, runtime

if TYPE_CHECKING:
    from inference.models.contract import Model

MODELS_IN_MEMORY = 2
CACHE = "INFERENCE_CACHE"
OTHER_CARD = "The card in the storage is not the one that was registered: its digest differs."


@dataclass(eq=False)
class Opened:
    """A model with a specification, ready to answer and to explain.

    Attributes
    ----------
    card : Card
    folder : Path
    runtime : Runtime
        The fastest on this machine; what it is opened with is opened by the first case.
    """

    card: Card
    folder: Path
    runtime: Runtime
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def device(self) -> str:
        return "cuda" if self.runtime.kind == "torch" and has_gpu() else "cpu"

    @cached_property
    def model(self) -> Model:
        """In torch, which a heat map needs: loaded when the first is asked for."""
        import torch

        from inference.models.weights import load_declared

        torch.set_num_threads(1)
        return load_declared(self.folder)[1]

    def heat_map(self, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Of one case, over the network's input at the resolution of the stage that the card names, in [0, 1]."""
        import torch

        from inference.explain.cam import heat_maps

        tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
        maps: NDArray[np.float32] = heat_maps(self.model, self.card.spec, tensors)[0]
        return maps


def opened(folder: Path, digest: str) -> Opened:
    """The model that this machine keeps in a folder.

    Raises
    ------
    CardError
        Where it is not the one with that digest, or something in the folder was changed.
    """
    try:
        return _opened(folder, digest)
    except CardError:
        # Fetched anew by the next request: what one machine keeps may be damaged, the storage need not be.
        if folder.parent == models_folder():
            shutil.rmtree(folder, ignore_errors=True)
        raise


@lru_cache(maxsize=MODELS_IN_MEMORY)
def _opened(folder: Path, digest: str) -> Opened:
    card = Card.load(folder)
    if card.digest != digest:
        raise CardError(OTHER_CARD)
    if find_spec("onnxruntime") and find_spec("onnx") and Export.read(folder, card) is None and not has_gpu():
        # Where it cannot be exported torch answers: slower, and the same.
        with suppress(CannotExport, OSError):
            export(folder)
    run = runtime(folder)
    programs = ["torch", "numpy"] if run.kind == "torch" else [run.kind, "torch", "numpy"]
    return Opened(card, folder, run, {name: version(name) for name in programs})


def folder_of(card: str, weights: str, digest: str) -> Path:
    """Where this machine keeps the model: under its digest, fetched when it is asked for the first time.

    Addresses may be signed and differ from request to request; the digest does not.

    Raises
    ------
    CardError
        Where the card at the address has another digest, or the weights are not its own.
    UnreadableInput
        Where an address cannot be read.
    """
    kept = models_folder() / digest
    if (kept / CARD).is_file():
        return kept
    with tempfile.TemporaryDirectory(dir=models_folder()) as name:
        fetched = Path(name) / "model"
        fetched.mkdir()
        (fetched / CARD).write_bytes(fetch(card))
        (fetched / WEIGHTS).write_bytes(fetch(weights))
        if Card.load(fetched).digest != digest:
            raise CardError(OTHER_CARD)
        try:
            fetched.rename(kept)
        except OSError:
            # Another worker of this machine was faster; what it fetched has the same digest.
            if not (kept / CARD).is_file():
                raise
    return kept


@lru_cache(maxsize=1)
def models_folder() -> Path:
    """``INFERENCE_CACHE``, or the user's own cache; a folder of this process where neither can be written."""
    given = os.environ.get(CACHE)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(given) if given else home / "readerstudy" / "models"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="models-"))
