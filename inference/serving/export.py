"""A model's network as ONNX beside its weights, checked against torch before it may answer.

Batch normalisations are folded into the convolutions before them while the graph is written; the runtime fuses the
rest. Probabilities of masks and levels are part of the graph.
"""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inference.cards import Card, CardError, sha256_of, undecided
from inference.outputs import Level, Mask, Probability
from inference.reasons import why
from inference.serving.trial import Arrays, trials
from inference.spec import ModelSpec

if TYPE_CHECKING:
    from inference.models.contract import Model

MODEL, RECORD = "model.onnx", "export.json"
# The newest that both runtimes know whole and that holds HardSwish, as MobileNet's activations want it.
OPSET = 18
TOLERANCE = 1e-4
TRIALS = 2


class CannotExport(CardError):
    """The exported network would answer differently, or the model cannot be written; the text says which."""


@dataclass(frozen=True)
class Export:
    """What stands in ``export.json`` beside ``model.onnx``.

    Attributes
    ----------
    model_sha256 : str
        Of ``model.onnx``.
    weights_sha256, spec_digest : str
        Of the weights and of the specification without its decision: these make the network. A decision that is
        frozen or changed later leaves it as it is.
    card_digest : str
        Of the card that stood there when it was exported.
    opset : int
    inputs, outputs : tuple of str
        Names in the graph; the outputs ``logit`` (n), ``mask`` and ``level`` (probabilities), as far as they are asked
        for.
    largest_difference : float
        In any probability, of all trials, between this network and torch; at most 1e-4.
    versions : mapping
        Of torch, onnx and ONNX Runtime.
    """

    model_sha256: str
    weights_sha256: str
    spec_digest: str
    card_digest: str
    opset: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    largest_difference: float
    versions: Mapping[str, str]

    def save(self, folder: Path) -> None:
        """Write ``export.json``; it is there whole or not at all."""
        partial = folder / f"{RECORD}.{os.getpid()}.partial"
        partial.write_text(json.dumps(asdict(self), indent=2, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(folder / RECORD)

    @classmethod
    def read(cls, folder: Path, card: Card) -> Export | None:
        """The record, checked with every byte of ``model.onnx`` against the card; None where nothing was exported.

        Raises
        ------
        CardError
            Where record or network were changed, or belong to another model.
        """
        if not (folder / RECORD).is_file():
            return None
        again = f"export {folder.name} again"
        try:
            document: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            names = {key: tuple(document[key]) for key in ("inputs", "outputs")}
            record = cls(**document | names)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CardError(f"{RECORD} cannot be read: {why(error)}; {again}.") from error
        if (record.weights_sha256, record.spec_digest) != identity(card):
            raise CardError(f"{MODEL} was made of other weights or another specification than the card's; {again}.")
        if not (folder / MODEL).is_file() or sha256_of(folder / MODEL) != record.model_sha256:
            raise CardError(f"{MODEL} is not the one of {RECORD}: its SHA-256 differs; {again}.")
        return record


def export(folder: Path, *, cases: Arrays | None = None, draft: bool = False) -> Export:
    """Write ``model.onnx`` and ``export.json`` into a model's folder, if the answers are those of torch.

    Parameters
    ----------
    folder : Path
        With card and weights.
    cases : mapping, optional
        Further inputs to compare on, such as prepared cases of a cohort; noise and prepared images are compared
        always, one at a time and together.
    draft : bool
        Whether a model is taken of which nothing is decided yet.

    Raises
    ------
    CardError
        Where card and weights do not fit each other, or the model has no specification.
    CannotExport
        Where a probability of a case, a pixel or a level differs by more than 1e-4, before calibration or after.
    """
    import torch

    from inference.models.weights import load_declared

    torch.set_num_threads(1)
    card, model = load_declared(folder, draft=draft)
    content = onnx_of(model, card.spec)
    given = trials(card.spec, TRIALS)
    if cases is not None:
        given = {name: np.concatenate([array, cases[name]]) for name, array in given.items()}
    difference = largest_difference(model, card.spec, content, given)
    if not difference <= TOLERANCE:
        raise CannotExport(
            f"{card.name} is not exported: its probabilities would differ from torch's by {difference:.1e}, and "
            f"{TOLERANCE:.0e} is allowed."
        )
    partial = folder / f"{MODEL}.{os.getpid()}.partial"
    partial.write_bytes(content)
    partial.replace(folder / MODEL)
    weights, spec = identity(card)
    names = (answers_of(card.spec), tuple(one.name for one in card.spec.inputs))
    record = Export(
        model_sha256=sha256_of(folder / MODEL),
        weights_sha256=weights,
        spec_digest=spec,
        card_digest=card.digest,
        opset=OPSET,
        inputs=names[1],
        outputs=names[0],
        largest_difference=float(f"{difference:.3g}"),
        versions=_versions(),
    )
    record.save(folder)
    return record


def onnx_of(model: Model, spec: ModelSpec) -> bytes:
    """The network as ONNX: inputs by their names, any number of cases; checked by onnx itself.

    Raises
    ------
    CannotExport
        Where an operation has no counterpart.
    """
    import onnx
    import torch

    from inference.serving.served import Served

    given = tuple(torch.from_numpy(array) for array in trials(spec, 1).values())
    served = Served(model, spec, answers_of(spec))
    names = (*served.inputs, *served.outputs)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # Sizes are fixed by the specification, so that what is traced as a constant is one; and this way of exporting
        # is the older one, which writes all families and needs no further package.
        for category in (torch.jit.TracerWarning, DeprecationWarning, UserWarning):
            warnings.simplefilter("ignore", category)
        path = Path(folder) / MODEL
        try:
            with torch.inference_mode(False), torch.no_grad():
                torch.onnx.export(
                    served,
                    given,
                    path,
                    dynamo=False,
                    opset_version=OPSET,
                    input_names=served.inputs,
                    output_names=served.outputs,
                    dynamic_axes={name: {0: "cases"} for name in names},
                )
        except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
            raise CannotExport(f"{spec.name} cannot be written as ONNX: {str(error).splitlines()[0]}") from error
        content = path.read_bytes()
    try:
        onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise CannotExport(f"{spec.name} was not written as valid ONNX: {str(error).splitlines()[0]}") from error
    return content


def largest_difference(model: Model, spec: ModelSpec, content: bytes, inputs: Arrays) -> float:
    """Between torch and the exported network, in any probability; NaN where an answer is none.

    Parameters
    ----------
    model : Model
    spec : ModelSpec
        With its decision, if there is one: calibrated probabilities are compared too.
    content : bytes
        Of ``model.onnx``.
    inputs : mapping of str to ndarray
        Compared case by case and all at once.
    """
    import torch

    from inference.deciding.calibration import calibrated, sigmoid
    from inference.serving.served import Served
    from inference.serving.sessions import OnnxSession

    session = OnnxSession(content)
    served = Served(model, spec, answers_of(spec))
    count = len(next(iter(inputs.values())))
    worst = 0.0
    for chosen in (slice(None), *(slice(number, number + 1) for number in range(count))):
        given = {one.name: inputs[one.name][chosen] for one in spec.inputs}
        with torch.inference_mode():
            expected = served(*(torch.from_numpy(array) for array in given.values()))
        for name, ours, theirs in zip(answers_of(spec), session.run(given), expected, strict=True):
            one, other = ours.astype(np.float64), theirs.numpy().astype(np.float64)
            pairs = [(sigmoid(one), sigmoid(other))] if name == "logit" else [(one, other)]
            if name == "logit" and spec.decision is not None:
                scale = spec.decision.calibration
                pairs.append((calibrated(scale, one), calibrated(scale, other)))
            # max() of Python would pass over a NaN.
            worst = float(np.max([worst, *(np.abs(a - b).max() for a, b in pairs)]))
    return worst


def answers_of(spec: ModelSpec) -> tuple[str, ...]:
    """Names of the graph's outputs.

    Examples
    --------
    >>> from inference.models import registry
    >>> answers_of(registry.load("s2-multitask", "small"))
    ('logit', 'mask', 'level')
    """
    kinds = {"logit": Probability, "mask": Mask, "level": Level}
    return tuple(name for name, kind in kinds.items() if any(isinstance(one, kind) for one in spec.outputs))


def identity(card: Card) -> tuple[str, str]:
    """What makes a network: digests of its weights and of its specification without the decision."""
    return card.weights_sha256, undecided(card.spec).digest


def _versions() -> dict[str, str]:
    import onnx
    import onnxruntime
    import torch

    return {"torch": str(torch.__version__), "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__}
