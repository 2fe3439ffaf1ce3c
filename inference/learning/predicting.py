"""Raw answers of a model, in batches: logits of cases, probabilities of pixels. Nothing is calibrated here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from inference.cohorts.samples import Samples
from inference.imaging.preparing import Prepared
from inference.models.contract import Answer, Model

BATCH = 16
Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Raw:
    """What a model says of one case; None where its specification does not ask for it.

    Attributes
    ----------
    logit : float or None
        Of the positive answer, before calibration.
    mask : ndarray of float32 or None
        Probability of every pixel of the network's input, in [0, 1]: (rows, columns) or (slices, rows, columns).
        `Geometry.back` of the case lays it over the image.
    level : ndarray of float32 or None
        Probability of every class at every pixel, background first: (1 + levels, rows, columns), or with slices;
        sums to 1 over classes.
    seconds : float
        Of the forward pass; of a batch, its share.
    """

    logit: float | None = None
    mask: Plane | None = None
    level: Plane | None = None
    seconds: float = 0.0


def answers(model: Model, inputs: Mapping[str, Tensor], batch: int = BATCH) -> Iterator[Raw]:
    """One answer for every case, in order.

    Parameters
    ----------
    model : Model
        In evaluation mode, on any device.
    inputs : mapping
        Name of an input to its tensor, (n, channels, *size).
    batch : int
        Cases at once; another number moves a probability by less than 1e-5.
    """
    model.eval()
    device = next(model.parameters()).device
    count = len(next(iter(inputs.values())))
    for chosen in torch.arange(count).split(batch):
        started = time.perf_counter()
        with torch.inference_mode():
            answer = model({name: tensor[chosen].to(device) for name, tensor in inputs.items()})
        yield from raws(answer, len(chosen), time.perf_counter() - started)


def raws(answer: Answer, count: int, seconds: float) -> Iterator[Raw]:
    """The single cases of a batch, as arrays."""
    logit = None if answer.logit is None else answer.logit.double().cpu()
    mask = None if answer.mask is None else torch.sigmoid(answer.mask[:, 0]).cpu().numpy()
    level = None if answer.level is None else torch.softmax(answer.level, dim=1).cpu().numpy()
    for place in range(count):
        yield Raw(
            logit=None if logit is None else float(logit[place]),
            mask=None if mask is None else mask[place],
            level=None if level is None else level[place],
            seconds=round(seconds / count, 6),
        )


def answers_of(model: Model, samples: Samples, batch: int = BATCH) -> Iterator[Raw]:
    """One answer for every case of a part, with a bar on the terminal."""
    yield from tqdm(answers(model, samples.inputs, batch), "answers", len(samples.cases), unit="case", leave=False)


def answers_to(model: Model, prepared: Sequence[Prepared], batch: int = BATCH) -> Iterator[Raw]:
    """One answer for every case that was prepared by itself, as while serving."""
    for start in range(0, len(prepared), batch):
        yield from answers(model, stacked(prepared[start : start + batch]), batch)


def stacked(prepared: Sequence[Prepared]) -> dict[str, Tensor]:
    """Tensors of some cases under the names of their inputs, (n, channels, *size)."""
    names = prepared[0].inputs
    return {name: torch.from_numpy(np.stack([one.inputs[name] for one in prepared])) for name in names}


def logits_of(model: Model, samples: Samples, batch: int = BATCH) -> list[float | None]:
    """The logit of every case, in order; None where the model answers no probability."""
    return [answer.logit for answer in answers_of(model, samples, batch)]
