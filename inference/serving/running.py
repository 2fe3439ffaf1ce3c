"""A network behind one call, opened in the process that asks: arrays in, probabilities out."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from inference.cards import Card
from inference.imaging.images import MissingInput
from inference.imaging.pixels import UnreadableInput
from inference.serving.export import MODEL, Export, answers_of
from inference.serving.sessions import Floats, OnnxSession, OpenVinoSession, Session, TorchSession
from inference.serving.trial import shape_of

Kind = Literal["onnxruntime", "openvino", "torch"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Pixels that are run at once: the maps of so many stay in the processor's cache, those of a whole batch do not.
AT_ONCE = 4 * 224 * 224


class Answer(NamedTuple):
    """What a network says of n cases; None where the specification does not ask for it.

    Attributes
    ----------
    logit : ndarray of float32 or None, shape (n,)
        Of the positive label, before calibration.
    mask : ndarray of float32 or None, shape (n, *size)
        Probability of every pixel, in [0, 1].
    level : ndarray of float32 or None, shape (n, 1 + levels, *size)
        Probability of every class at every pixel, background first.
    """

    logit: NDArray[np.float32] | None = None
    mask: NDArray[np.float32] | None = None
    level: NDArray[np.float32] | None = None


@dataclass(eq=False)
class Runtime:
    """A model's network behind one call. It is opened by the first call of each process, so a fork does no harm.

    Attributes
    ----------
    folder : Path
    card : Card
        Checked, as were weights and exported network, when the runtime was made.
    kind : {"onnxruntime", "openvino", "torch"}
    draft : bool
    """

    folder: Path
    card: Card
    kind: Kind
    draft: bool = False
    _opened: dict[int, Session] = field(default_factory=dict, repr=False)
    _guards: dict[int, threading.Lock] = field(default_factory=dict, repr=False)

    def __call__(self, inputs: Mapping[str, Floats]) -> Answer:
        """Answer some cases together.

        Parameters
        ----------
        inputs : mapping of str to ndarray of float32
            Name of an input to (n, channels, rows, columns), or (n, 1, slices, rows, columns).

        Raises
        ------
        MissingInput
            Naming what the cases lack.
        UnreadableInput
            Where an array has another shape than the specification says, or none at all.
        MemoryError
            Where memory does not suffice for so many cases.
        """
        given, count = self._checked(inputs)
        session = self.session()
        spec = self.card.spec
        step = count if session.whole else max(1, AT_ONCE // int(np.prod(spec.size)))
        parts = [
            session.run({name: array[start : start + step] for name, array in given.items()})
            for start in range(0, count, step)
        ]
        whole = (np.concatenate(pieces) if len(pieces) > 1 else pieces[0] for pieces in zip(*parts, strict=True))
        return Answer(**dict(zip(answers_of(spec), whole, strict=True)))

    def session(self) -> Session:
        """The network, opened in this process."""
        process = os.getpid()
        with self._guards.setdefault(process, threading.Lock()):
            if process not in self._opened:
                # What a parent opened before a fork is never run in the child.
                self._opened = {process: self._open()}
            return self._opened[process]

    def _open(self) -> Session:
        if self.kind == "torch":
            return TorchSession(self.folder, answers_of(self.card.spec), draft=self.draft)
        network = self.folder / MODEL
        return OnnxSession(network) if self.kind == "onnxruntime" else OpenVinoSession(network)

    def _checked(self, inputs: Mapping[str, Floats]) -> tuple[dict[str, Floats], int]:
        spec = self.card.spec
        lacking = [one.name for one in spec.inputs if one.name not in inputs]
        if lacking:
            known = ", ".join(one.name for one in spec.inputs)
            raise MissingInput(f"The case lacks {' and '.join(lacking)}; the model reads {known}.")
        given = {one.name: np.ascontiguousarray(inputs[one.name], np.float32) for one in spec.inputs}
        count = len(given[spec.inputs[0].name])
        for one in spec.inputs:
            wanted = (count, *shape_of(spec, one))
            if count == 0 or given[one.name].shape != wanted:
                raise UnreadableInput(
                    f"The input {one.name} has the shape {given[one.name].shape}; the model reads {wanted}."
                )
        return given, count


def runnable(record: Export | None) -> tuple[Kind, ...]:
    """The runtimes that are installed and have what they need."""
    return tuple(kind for kind in KINDS if find_spec(kind) is not None and (kind == "torch" or record is not None))


def furthest(one: Answer, other: Answer) -> float:
    """The largest difference in any probability between two answers to the same cases.

    Examples
    --------
    >>> furthest(Answer(np.zeros(1, np.float32)), Answer(np.full(1, 0.4, np.float32)))
    0.0987
    """
    found = 0.0
    for name, ours, theirs in zip(Answer._fields, one, other, strict=True):
        if ours is not None and theirs is not None:
            pair = [1 / (1 + np.exp(-part.astype(np.float64))) if name == "logit" else part for part in (ours, theirs)]
            found = max(found, float(np.abs(pair[0] - pair[1]).max()))
    return float(f"{found:.3g}")
