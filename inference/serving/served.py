"""The network as it is served: inputs in order, probabilities out."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from inference.models.contract import Model
from inference.spec import ModelSpec

Names = tuple[str, ...]


class Served(nn.Module):
    """A model in evaluation mode behind (n, channels, *size) tensors in the order of the specification's inputs.

    Parameters
    ----------
    model : Model
        Copied: exporting switches modes and hangs on hooks.
    spec : ModelSpec
    outputs : tuple of str
        Of ``logit`` (n), ``mask`` (n, *size) and ``level`` (n, 1 + levels, *size), those that are wanted, in order.
    """

    def __init__(self, model: Model, spec: ModelSpec, outputs: Names) -> None:
        super().__init__()
        self.model = copy.deepcopy(model)
        self.inputs = tuple(one.name for one in spec.inputs)
        self.outputs = outputs
        self.eval()

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        answer = self.model(dict(zip(self.inputs, tensors, strict=True)))
        said = {
            "logit": answer.logit,
            "mask": None if answer.mask is None else torch.sigmoid(answer.mask[:, 0]),
            "level": None if answer.level is None else torch.softmax(answer.level, dim=1),
        }
        return tuple(tensor for name in self.outputs if (tensor := said[name]) is not None)
