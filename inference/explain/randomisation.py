"""Do the maps depend on what was learnt? Weights are drawn anew from the head down, and the maps are made again.

Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018, section 3.1 (cascading randomisation). A method whose
maps stay as they are shows edges of the image, not the model.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor, nn

from inference.cohorts.cases import BadCohort
from inference.explain.cam import BATCH, METHODS, Maps, Of, over_input
from inference.explain.pointing import Pointing, pointing_game
from inference.models.contract import Model

SHARES = (0.25, 0.5, 0.75, 1.0)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
# Layers that know how they are drawn at first.
OWN_WAY = (
    *(nn.Linear, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.PReLU, nn.GroupNorm, nn.LayerNorm),
    *(nn.InstanceNorm2d, nn.InstanceNorm3d, *BATCH_NORMS),
)


class Inputs(Protocol):
    """Cases as `inference.cohorts.samples.Samples` holds them."""

    @property
    def inputs(self) -> Mapping[str, Tensor]: ...


@dataclass(frozen=True)
class Cascade:
    """What is left when the layers from the head down to one of them are random.

    Attributes
    ----------
    down_to : str
        Path of the last layer that was drawn anew.
    share : float
        Of the layers with weights, those that are random.
    pointing : Pointing
    correlation : float
        Spearman's rank correlation with the map of the trained model, averaged over cases; 0 for a case of which
        either map is the same everywhere.
    """

    down_to: str
    share: float
    pointing: Pointing
    correlation: float


@dataclass(frozen=True)
class Randomisation:
    """The trained model's pointing and what became of it.

    Attributes
    ----------
    method : str
    layer : str
        Path of the module whose maps are shown.
    trained : Pointing
    steps : tuple of Cascade
        From the head alone to all layers.
    """

    method: str
    layer: str
    trained: Pointing
    steps: tuple[Cascade, ...]

    @property
    def falls(self) -> bool:
        """Whether the wholly random model points at the finding less often than the trained one."""
        return self.steps[-1].pointing.rate < self.trained.rate

    @property
    def drop(self) -> float:
        """How much of the pointing rate was learnt."""
        return self.trained.rate - self.steps[-1].pointing.rate


def sanity(
    model: Model,
    samples: Inputs,
    masks: Tensor | NDArray[np.bool_],
    *,
    tolerance: float,
    method: str = "grad-cam",
    of: Of = "case",
    seed: int = 0,
) -> Randomisation:
    """Explain the model, then again with its weights drawn anew from the head down.

    Layers are drawn by their own initialisation, other learnt numbers from a normal distribution with the mean and
    deviation they had. Batch normalisations then take the statistics of the random layers before them, from
    ``samples``: with those of a fresh layer, 0 and 1, the signal of a deep network fades from layer to layer until
    its logits no longer depend on the image, and its maps would say nothing about learning.

    Parameters
    ----------
    model : Model
        Left as it is.
    samples : Samples
    masks : Tensor or ndarray, shape (n, 1, *size) or (n, *size)
        Nonzero where the finding is.
    tolerance : float
        Of `pointing_game`, in places of the network's input.
    method : str
        One of `inference.explain.cam.METHODS`.
    of : {"case", "mask"}
        For the mask, each random model explains what it itself would mark.
    seed : int

    Returns
    -------
    Randomisation

    Raises
    ------
    BadCohort
        Where no case has a mask.
    CannotExplain
        Where the model gives no such logit.

    References
    ----------
    Adebayo et al., NeurIPS 2018, section 3.1.
    """
    inputs, truth = with_finding(samples, masks)

    def explained(one: Model) -> Maps:
        return over_input(METHODS[method](one, inputs, of=of), truth.shape[1:])

    measured = partial(pointing_game, masks=truth, tolerance=tolerance)
    before = explained(model)
    steps = [
        Cascade(down_to, share, measured(maps), likeness(before, maps))
        for down_to, share, maps in cascading(model, inputs, explained, seed)
    ]
    return Randomisation(method, model.cam_layer, measured(before), tuple(steps))


def with_finding(samples: Inputs, masks: Tensor | NDArray[np.bool_]) -> tuple[dict[str, Tensor], NDArray[np.bool_]]:
    """Inputs and masks, (n, *size), of the cases whose mask is not empty."""
    truth = np.asarray(masks).astype(bool)
    truth = truth[:, 0] if truth.ndim == next(iter(samples.inputs.values())).ndim else truth
    shown = truth.reshape(len(truth), -1).any(axis=1)
    if not shown.any():
        raise BadCohort("No case has a mask of the finding, so there is nothing to point at.")
    return {name: tensor[torch.from_numpy(shown)] for name, tensor in samples.inputs.items()}, truth[shown]


def cascading(
    model: Model, inputs: Mapping[str, Tensor], explained: Callable[[Model], Maps], seed: int
) -> Iterator[tuple[str, float, Maps]]:
    """Last layer drawn anew, share of layers, and maps, from the head alone to all layers."""
    random, layers, done = copy.deepcopy(model), layers_of(model), 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for end in sorted({1, *(max(1, round(share * len(layers))) for share in SHARES)}):
            for name in layers[done:end]:
                redraw(random.get_submodule(name))
            measure_again(random, random.gathered(inputs))
            yield layers[end - 1], end / len(layers), explained(random)
            done = end


def layers_of(model: nn.Module) -> list[str]:
    """Paths of all modules with weights of their own, from the head down: the reverse of how they were declared."""
    own = [name for name, module in model.named_modules() if next(module.parameters(recurse=False), None) is not None]
    return own[::-1]


def redraw(layer: nn.Module) -> None:
    """Weights as if nothing had been learnt; a single number has no distribution to be drawn from and stays."""
    if isinstance(layer, OWN_WAY):
        layer.reset_parameters()
        return
    for weight in layer.parameters(recurse=False):
        if weight.numel() > 1:
            nn.init.normal_(weight, float(weight.mean()), float(weight.std()))


def measure_again(model: Model, images: Tensor) -> None:
    """Batch normalisations take mean and deviation of what now reaches them; all else stays in evaluation mode."""
    model.eval()
    own = [one for one in model.modules() if isinstance(one, BATCH_NORMS)]
    before = [one.momentum for one in own]
    for one in own:
        one.reset_running_stats()
        # None averages over all batches.
        one.momentum = None
        one.train()
    with torch.no_grad():
        for batch in images.split(BATCH):
            # One value a channel has no deviation.
            if len(batch) > 1 or len(images) == 1:
                model.answer(batch)
    for one, momentum in zip(own, before, strict=True):
        one.momentum = momentum
    model.eval()


def likeness(before: Maps, after: Maps) -> float:
    """Mean over cases of Spearman's correlation between two maps."""
    found = []
    for one, other in zip(before, after, strict=True):
        flat = np.ptp(one) == 0 or np.ptp(other) == 0
        found.append(0.0 if flat else float(spearmanr(one.ravel(), other.ravel()).statistic))
    return float(np.mean(found))
