"""The one contract that every family of the registry answers: tensors by name in, logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from inference.imaging.images import MissingInput
from inference.spec import ModelSpec

# About a tenth of a vertebra on a lateral film of the whole spine.
ONE_OF_SO_MANY_DECIDES = 512
Pool = Literal["mean", "mean_max"]
POOLED: Mapping[str, int] = MappingProxyType({"mean": 1, "mean_max": 2})


class Answer(NamedTuple):
    """Logits, None where the specification does not ask for them.

    Attributes
    ----------
    logit : Tensor, shape (batch,)
        Of the positive label of the case.
    mask : Tensor, shape (batch, 1, *size)
    level : Tensor, shape (batch, 1 + levels, *size)
        Background first.
    depths : tuple of Tensor, each of shape (batch, 1, *size)
        Masks of all supervised depths from coarse to fine, the last being ``mask``; empty where there is one depth.
    """

    logit: Tensor | None = None
    mask: Tensor | None = None
    level: Tensor | None = None
    depths: tuple[Tensor, ...] = ()


class Model(nn.Module, ABC):
    """A network of a family.

    Parameters
    ----------
    spec : ModelSpec
    cam_layer : str
        Path of the module whose maps are explained, for ``get_submodule``; it returns one tensor.

    Attributes
    ----------
    channels_last : bool
        Whether a processor teaches the family faster with the channels innermost in memory: a quarter of the time of
        depthwise and 3-D convolutions, while networks with few channels at full resolution lose as much.
    """

    channels_last: bool = False

    def __init__(self, spec: ModelSpec, cam_layer: str) -> None:
        super().__init__()
        self.inputs = tuple(one.name for one in spec.inputs)
        self.cam_layer = cam_layer

    def gathered(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """All inputs as channels, in the order of the specification.

        Parameters
        ----------
        tensors : mapping
            Name of an input to its tensor: (batch, slices, rows, columns) in two dimensions,
            (batch, 1, slices, rows, columns) in three.

        Raises
        ------
        MissingInput
            Naming what the case lacks.
        """
        lacking = [name for name in self.inputs if name not in tensors]
        if lacking:
            raise MissingInput(f"The case lacks {' and '.join(lacking)}; the model reads {', '.join(self.inputs)}.")
        return torch.cat([tensors[name] for name in self.inputs], dim=1)

    def forward(self, tensors: Mapping[str, Tensor]) -> Answer:
        return self.answer(self.gathered(tensors))

    @abstractmethod
    def answer(self, images: Tensor) -> Answer:
        """From channels to logits; what an export traces."""

    @abstractmethod
    def forward_features(self, images: Tensor) -> Tensor:
        """The deepest maps, shape (batch, channels, …), from images of shape (batch, channels, …)."""


def case_logit(mask: Tensor) -> Tensor:
    """The logit of a case from the logits of its pixels: the mean over the highest 1/512 of them.

    One pixel is too easily wrong and the mean of all too blunt: a fractured vertebra covers about a hundredth of a
    film. Calibration makes a probability of it. Nothing is learnt here, so all segmenting families are compared alike.

    Parameters
    ----------
    mask : Tensor, shape (batch, 1, …)

    Returns
    -------
    Tensor, shape (batch,)

    Examples
    --------
    >>> case_logit(torch.arange(2048.0).reshape(1, 1, 32, 64)).tolist()
    [2045.5]
    """
    flat = mask.flatten(1)
    # A whole number also while an export traces, where sizes are tensors.
    highest = max(1, int(flat.shape[1]) // ONE_OF_SO_MANY_DECIDES)
    return flat.topk(highest, dim=1).values.mean(dim=1)


def pooled(maps: Tensor, pool: Pool) -> Tensor:
    """Means over places, beside them the highest values where asked for: small findings are lost in a mean.

    Parameters
    ----------
    maps : Tensor, shape (batch, channels, …)
    pool : {"mean", "mean_max"}

    Returns
    -------
    Tensor, shape (batch, channels · POOLED[pool])

    Examples
    --------
    >>> pooled(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]), "mean_max").tolist()
    [[3.0, 6.0]]
    """
    places = maps.flatten(2)
    means = places.mean(dim=2)
    return means if pool == "mean" else torch.cat([means, places.amax(dim=2)], dim=1)
