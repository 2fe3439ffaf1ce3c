"""What a model is, declared: inputs, region, preprocessing, outputs, aggregation, training, decision. Free of torch.

A specification is frozen and has one digest. `ModelSpec.read` takes it from TOML and refuses, by the name of the field,
what contradicts itself; `inference.models.registry.load` refuses besides what the family cannot do.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from inference.declared import SpecError, Variant, Within, canonical, document_of, parsed
from inference.outputs import (
    Decision,
    Heatmap,
    Level,
    Loss,
    Mask,
    Output,
    Probability,
    check_decision,
    check_losses,
    check_outputs,
)
from inference.reasons import why
from inference.steps import Augment, Count, Flip, NotNegative, Positive, Preprocess, Resample, ResizePad, Share, Window

PRESETS = "presets"
Kind = TypeVar("Kind", Probability, Mask, Level, Heatmap)
Aggregate = Literal["none", "max_slice", "mean_slice", "max_vertebra"]


@dataclass(frozen=True)
class Input:
    """One image or stack of slices that every case must have.

    Attributes
    ----------
    modality : {"DX", "CT", "MR"}
    sequence : str
        Of an MR, such as ``T1W``.
    view : str
        Of a radiograph, such as ``lateral``.
    slices : tuple of int
        Offsets from the slice of the finding, rising, each a channel; (0,) for films and for whole volumes.
    apart : float
        Distance between neighbouring offsets in mm; 0 means the next slice of the series.
    """

    modality: Literal["DX", "CT", "MR"]
    sequence: str = ""
    view: str = ""
    slices: tuple[int, ...] = (0,)
    apart: NotNegative = 0.0

    @property
    def name(self) -> str:
        """Under which the tensor of this input is handed to the model."""
        return self.sequence or self.view or self.modality


@dataclass(frozen=True)
class Whole(Variant):
    """The whole image."""

    tag: ClassVar[str] = "whole"


@dataclass(frozen=True)
class SquareBox(Variant):
    """The smallest square around the finding, wider by ``margin`` of its side at each side."""

    tag: ClassVar[str] = "square_box"
    margin: NotNegative = 0.0


@dataclass(frozen=True)
class VertebraCrop(Variant):
    """A box of fixed size in mm around the middle of a vertebra: (rows, columns) or (slices, rows, columns)."""

    tag: ClassVar[str] = "vertebra_crop"
    mm: tuple[Positive, ...]


Roi = Whole | SquareBox | VertebraCrop


@dataclass(frozen=True)
class Train:
    """How the weights come about; with the cohort it decides every byte of them.

    Attributes
    ----------
    losses : tuple of Loss
        Summed by their weights.
    optimiser, rate, decay, momentum, schedule
        ``momentum`` is that of SGD; ``rate`` the highest of the schedule.
    epochs, batch, patience : int
        With a patience, that many epochs without a better selection metric end it; 0 runs to the end.
    select : {"loss", "auc", "dice"}
        What is measured on the tuning part after each epoch.
    sampling : {"shuffled", "balanced"}
    augment : tuple of Augment
    folds : int
        Of the patient-grouped cross-validation; 0 for one fixed split.
    seed : int
    weights : str
        Path of starting weights (safetensors), or "".
    """

    losses: tuple[Loss, ...]
    rate: Positive
    epochs: Count
    batch: Count
    optimiser: Literal["adamw", "sgd"] = "adamw"
    decay: NotNegative = 0.01
    momentum: Share = 0.9
    schedule: Literal["constant", "one_cycle", "cosine", "poly"] = "one_cycle"
    patience: Annotated[int, Within(0)] = 0
    select: Literal["loss", "auc", "dice"] = "loss"
    sampling: Literal["shuffled", "balanced"] = "shuffled"
    augment: tuple[Augment, ...] = ()
    folds: Annotated[int, Within(0)] = 0
    seed: Annotated[int, Within(0)] = 0
    weights: str = ""


@dataclass(frozen=True)
class ModelSpec:
    """Everything that makes a model, besides the cohort.

    Attributes
    ----------
    name : str
    family : str
        As registered (`inference.models.registry`).
    inputs : tuple of Input
    preprocess : tuple of Preprocess
        In this order; exactly one ``resize_pad``, which gives the size of the network's input.
    outputs : tuple of Output
        At most one of each kind.
    train : Train
    architecture : mapping
        Fields of the family's own declaration.
    roi : Roi
    aggregate : str
        From the parts to the case (`inference.measures.aggregation`): the slices that the first input reads, each in
        the middle of its stack, or the vertebrae of mask and levels; ``none``: the network's answer to the finding.
    decision : Decision or None
        None until it is frozen.
    paper : str
        The study or architecture that it follows.
    """

    name: str
    family: str
    inputs: tuple[Input, ...]
    preprocess: tuple[Preprocess, ...]
    outputs: tuple[Output, ...]
    train: Train
    architecture: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    roi: Roi = Whole()
    aggregate: Aggregate = "none"
    decision: Decision | None = None
    paper: str = ""

    def __post_init__(self) -> None:
        check_inputs(self)
        check_preprocess(self)
        check_outputs(self.outputs)
        check_losses(self.train.losses, self.outputs)
        check_train(self)
        check_aggregate(self)
        check_decision(self.decision, self.outputs)

    @property
    def size(self) -> tuple[int, ...]:
        """Shape of the network's input: (rows, columns) or (slices, rows, columns)."""
        return next(step.size for step in self.preprocess if isinstance(step, ResizePad))

    @property
    def channels(self) -> int:
        """Of the network's input: slices of all inputs."""
        return sum(len(one.slices) for one in self.inputs)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical document."""
        return hashlib.sha256(canonical(self.to_document())).hexdigest()

    def output(self, kind: type[Kind]) -> Kind | None:
        """The output of that kind; None where it is not asked for."""
        return next((one for one in self.outputs if isinstance(one, kind)), None)

    def frozen(self, decision: Decision) -> ModelSpec:
        """The same model with its decision; another digest, since it is another version."""
        return replace(self, decision=decision)

    def to_document(self) -> dict[str, Any]:
        """Plain data, as it stands in a card."""
        return dict(document_of(self))

    @classmethod
    def from_document(cls, document: object) -> ModelSpec:
        """The specification of a card or of a TOML file that was read.

        Raises
        ------
        SpecError
            With the path of the field that is wrong.
        """
        return parsed(cls, document)

    @classmethod
    def read(cls, path: Path, preset: str = "") -> ModelSpec:
        """From TOML, with the tables under ``[presets.NAME]`` laid over the others; lists are replaced as a whole.

        Raises
        ------
        SpecError
            With the path of the field that is wrong.

        Examples
        --------
        >>> spec = ModelSpec.read(Path("inference/recipes/studies/s1-resnet50.toml"))
        >>> [one.name for one in spec.inputs], spec.channels, spec.size
        (['T1W', 'T2W'], 6, (224, 224))
        """
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SpecError(str(path), f"cannot be read: {why(error)}.") from error
        presets = document.pop(PRESETS, {})
        if preset and preset not in presets:
            raise SpecError(
                f"{PRESETS}.{preset}", f"{path.name} has no such preset; it has {', '.join(presets) or 'none'}."
            )
        return cls.from_document(laid_over(document, presets.get(preset, {})))


def laid_over(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are joined, everything else is replaced."""
    joined = dict(document)
    for name, change in changes.items():
        before = joined.get(name)
        joined[name] = laid_over(before, change) if isinstance(before, dict) and isinstance(change, dict) else change
    return joined


def check_inputs(spec: ModelSpec) -> None:
    if not spec.inputs:
        raise SpecError("inputs", "a model without an input sees nothing.")
    for number, one in enumerate(spec.inputs):
        where = f"inputs[{number}]"
        if (one.modality == "MR") != bool(one.sequence):
            raise SpecError(f"{where}.sequence", "an MR names its sequence, and nothing else does.")
        if (one.modality == "DX") != bool(one.view):
            raise SpecError(f"{where}.view", "a radiograph names its view, and nothing else does.")
        if 0 not in one.slices or any(
            later <= earlier for earlier, later in zip(one.slices, one.slices[1:], strict=False)
        ):
            raise SpecError(f"{where}.slices", "offsets rise, each stands once, and 0 is among them.")
        if one.modality == "DX" and one.slices != (0,):
            raise SpecError(f"{where}.slices", "a radiograph has no neighbouring slices.")
        if one.name in {other.name for other in spec.inputs[:number]}:
            raise SpecError(where, f"{one.name} is an input already.")


def check_preprocess(spec: ModelSpec) -> None:
    places = [number for number, step in enumerate(spec.preprocess) if isinstance(step, ResizePad)]
    if len(places) != 1:
        raise SpecError("preprocess", f"one resize_pad gives the size of the input; there are {len(places)}.")
    dimensions, where = len(spec.size), f"preprocess[{places[0]}].size"
    if dimensions not in (2, 3):
        raise SpecError(where, "two numbers are rows and columns, three are slices, rows and columns.")
    for number, one in enumerate(spec.inputs):
        if dimensions == 3 and one.modality == "DX":
            raise SpecError(where, "a radiograph has rows and columns only.")
        if dimensions == 3 and one.slices != (0,):
            raise SpecError(f"inputs[{number}].slices", "a volume holds its slices; offsets are for two dimensions.")
    for number, step in enumerate(spec.preprocess):
        if isinstance(step, Window):
            if any(one.modality != "CT" for one in spec.inputs):
                raise SpecError(f"preprocess[{number}]", "a window is in HU, which only CT has.")
            if step.high <= step.low:
                raise SpecError(f"preprocess[{number}].high", "lies above low.")
        if isinstance(step, Resample) and len(step.mm) != dimensions:
            raise SpecError(f"preprocess[{number}].mm", f"{dimensions} numbers are wanted, as in {where}.")
    if isinstance(spec.roi, VertebraCrop) and len(spec.roi.mm) != dimensions:
        raise SpecError("roi.mm", f"{dimensions} numbers are wanted, as in {where}.")


def check_aggregate(spec: ModelSpec) -> None:
    if spec.aggregate == "none":
        return
    if spec.output(Probability) is None:
        raise SpecError("aggregate", "a probability is joined from its parts, and none is among the outputs.")
    if spec.aggregate == "max_vertebra":
        if spec.output(Mask) is None or spec.output(Level) is None or len(spec.size) != 2:
            raise SpecError("aggregate", "vertebrae are found in a mask and levels of two dimensions.")
    elif len(spec.size) != 2 or len(spec.inputs[0].slices) == 1:
        raise SpecError("aggregate", "slices are joined where the first input reads several, in two dimensions.")


def check_train(spec: ModelSpec) -> None:
    if spec.train.folds == 1:
        raise SpecError("train.folds", "0 is a fixed split; a cross-validation has two folds at least.")
    if spec.train.select == "dice" and spec.output(Mask) is None:
        raise SpecError("train.select", "dice is measured on a mask, which is not among the outputs.")
    if spec.train.select == "auc" and spec.output(Probability) is None:
        raise SpecError("train.select", "auc is measured on a probability, which is not among the outputs.")
    lateral = any(one.view == "lateral" for one in spec.inputs)
    for number, step in enumerate(spec.train.augment):
        if isinstance(step, Flip) and lateral:
            raise SpecError(f"train.augment[{number}]", "a lateral film is not mirrored: its front stays in front.")
