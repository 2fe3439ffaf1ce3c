"""Class activation maps of every family of the registry, in 2D and 3D, at the module ``Model.cam_layer``.

With A^k the maps of that module for one image and g^k = ∂s/∂A^k the gradient of what is explained, by place p:

* Grad-CAM: ReLU(Σ_k α_k A^k) with α_k the mean of g^k over places. Selvaraju et al., ICCV 2017, equations 1 and 2.
* Grad-CAM++: α_k = Σ_p a^k_p ReLU(g^k_p), a = g² / (2 g² + g³ Σ_p A^k_p). Chattopadhyay et al., WACV 2018,
  equations 8 and 19.
* HiRes-CAM: ReLU(Σ_k g^k A^k), place by place. Draelos and Carin, arXiv 2011.08891, equation 8.
* CAM: ReLU(Σ_k w_k A^k), w of a linear head over means, no gradient. Zhou et al., CVPR 2016, equation 2.

What is explained (s) is the logit of the case, or the sum of the mask's logits inside a region.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.cards import CardError
from inference.explain import METHODS as NAMES
from inference.models.contract import Answer, Model
from inference.outputs import Heatmap
from inference.spec import ModelSpec

Of = Literal["case", "mask"]
Maps = NDArray[np.float32]
BATCH = 16


class CannotExplain(CardError):
    """The model does not answer what is to be explained; the text says what it lacks."""


def grad_cam(
    model: Model, inputs: Mapping[str, Tensor], *, of: Of = "case", region: Tensor | None = None, layer: str = ""
) -> Maps:
    """Support by place, each map weighed by its mean gradient: for heads to which a place is as good as another.

    The model is left as it was: hooks, gradients and mode belong to a second tree of modules over the same weights,
    so several threads may explain one model.

    Parameters
    ----------
    model : Model
    inputs : mapping
        Name of an input to its tensor, (n, channels, rows, columns) or (n, 1, slices, rows, columns).
    of : {"case", "mask"}
        The logit of the case, or the sum of the mask's logits inside ``region``.
    region : Tensor of bool, shape (n, 1, *size), optional
        Of the mask; where None, what the model itself takes for the target (logit above 0).
    layer : str
        Path of a module; "" for ``model.cam_layer``.

    Returns
    -------
    ndarray of float32, shape (n, *places of the module)
        In [0, 1], the highest place of each map at 1; all 0 where nothing speaks for the positive label, as where
        the region is empty. `over_input` brings them to the size of the network's input.

    Raises
    ------
    CannotExplain
        Where the model gives no such logit or no maps at that module.
    MissingInput
        Where an input of the model is missing.

    References
    ----------
    Selvaraju et al., "Grad-CAM", ICCV 2017, equations 1 and 2.

    Examples
    --------
    >>> from inference.models import registry
    >>> model = registry.build(registry.load("s4-2d", "small"))
    >>> grad_cam(model, {"CT": torch.rand(2, 1, 40, 40)}).shape
    (2, 5, 5)
    """
    return _explained(model, inputs, _mean_gradient, of, region, layer)


def grad_cam_plus_plus(
    model: Model, inputs: Mapping[str, Tensor], *, of: Of = "case", region: Tensor | None = None, layer: str = ""
) -> Maps:
    """Support by place, each map weighed by its rising places: several small findings count like a large one.

    Parameters, result and errors as in `grad_cam`. The paper explains exp(s); its factor exp(s) is common to a map
    and leaves with the scaling, so it is not taken and cannot overflow.

    References
    ----------
    Chattopadhyay et al., "Grad-CAM++", WACV 2018, equations 8 and 19.
    """
    return _explained(model, inputs, _rising_gradient, of, region, layer)


def hires_cam(
    model: Model, inputs: Mapping[str, Tensor], *, of: Of = "case", region: Tensor | None = None, layer: str = ""
) -> Maps:
    """Support by place, each place weighed by itself: its exact share where all that follows is linear.

    Parameters, result and errors as in `grad_cam`. Where the head takes the mean over places it is Grad-CAM.

    References
    ----------
    Draelos and Carin, arXiv 2011.08891, equation 8.
    """
    return _explained(model, inputs, _own_gradient, of, region, layer)


def class_map(model: Model, inputs: Mapping[str, Tensor]) -> Maps:
    """Support by place without a gradient: one forward pass, at the deepest maps.

    For heads that are one linear layer over means it is Grad-CAM at ``forward_features``, to the last bit but
    rounding; a model with a mask shows the mask's probability instead, which says where more directly.

    Parameters
    ----------
    model, inputs
        As in `grad_cam`.

    Returns
    -------
    ndarray of float32, shape (n, *places)
        In [0, 1].

    Raises
    ------
    CannotExplain
        Where the head bends between maps and logit (MobileNet's hidden layer).

    References
    ----------
    Zhou et al., "Learning deep features for discriminative localization", CVPR 2016, equation 2.
    """
    images = model.gathered(inputs)
    with torch.inference_mode(False), torch.no_grad():
        twin = _twin_of(model)
        linear = _linear_head(twin)
        if linear is not None:
            maps = twin.forward_features(images)
            if linear.in_features != maps.shape[1]:
                raise CannotExplain("The head of this model weighs places, not maps; HiRes-CAM explains it.")
            return _scaled(torch.einsum("nk...,k->n...", maps, linear.weight[0]))
        mask = twin.answer(images).mask
    if mask is None:
        raise CannotExplain("The head of this model is not linear in its maps; a gradient is needed to explain it.")
    shown: Maps = torch.sigmoid(mask[:, 0]).cpu().numpy()
    return shown


def heat_maps(
    model: Model,
    spec: ModelSpec,
    inputs: Mapping[str, Tensor],
    *,
    of: Of | None = None,
    region: Tensor | None = None,
    method: str | None = None,
) -> Maps:
    """Maps as the specification asks for them: by its method, at its stage.

    Parameters
    ----------
    model, inputs, region
        As in `grad_cam`.
    spec : ModelSpec
        Of the model; its output ``heatmap`` names method and stage.
    of : {"case", "mask"}, optional
        Where None, the case if the model answers for it, else the mask.
    method : str, optional
        One of ``METHODS`` instead of the specification's.

    Returns
    -------
    ndarray of float32, shape (n, *places of the stage)
        In [0, 1].

    Raises
    ------
    CannotExplain
        Where no heat map stands in the specification.
    """
    wanted = spec.output(Heatmap)
    if wanted is None:
        raise CannotExplain(f"The specification {spec.name} asks for no heat map.")
    target: Of = of or ("case" if any(one.tag == "probability" for one in spec.outputs) else "mask")
    return METHODS[method or wanted.method](model, inputs, of=target, region=region)


def over_input(maps: Maps, size: tuple[int, ...]) -> Maps:
    """Maps at the size of the network's input, straight lines between the middles of places.

    Parameters
    ----------
    maps : ndarray, shape (n, *places)
    size : tuple of int
        (rows, columns) or (slices, rows, columns).

    Returns
    -------
    ndarray of float32, shape (n, *size)
        In the range of ``maps``; the highest value may be lower than before, since middles are not met exactly.

    Examples
    --------
    >>> over_input(np.array([[[0, 1.0]]], dtype=np.float32), (1, 4)).tolist()
    [[[0.0, 0.25, 0.75, 1.0]]]
    """
    mode = "bilinear" if len(size) == 2 else "trilinear"
    larger = F.interpolate(torch.from_numpy(maps)[:, None], size, mode=mode, align_corners=False)
    whole: Maps = larger[:, 0].numpy()
    return whole


BY_NAME = (grad_cam, grad_cam_plus_plus, hires_cam)
METHODS: Mapping[str, Callable[..., Maps]] = dict(zip(NAMES, BY_NAME, strict=True))

_Weights = Callable[[Tensor, Tensor], Tensor]


def _explained(
    model: Model, inputs: Mapping[str, Tensor], weights: _Weights, of: Of, region: Tensor | None, layer: str
) -> Maps:
    images = model.gathered(inputs)
    twin = _twin_of(model)
    # A caller in inference mode would have nothing recorded.
    with torch.inference_mode(False):
        regions = [None] * len(images) if region is None else list(region.split(BATCH))
        parts = []
        for batch, inside in zip(images.split(BATCH), regions, strict=False):
            maps, gradient = _maps_and_gradient(twin, batch, of, inside, layer or model.cam_layer)
            parts.append(_scaled((weights(maps, gradient) * maps).sum(dim=1)))
    return np.concatenate(parts)


def _maps_and_gradient(twin: Model, images: Tensor, of: Of, region: Tensor | None, layer: str) -> tuple[Tensor, Tensor]:
    """Both (n, k, *places). Nothing is recorded before the module, nor for weights."""
    caught: list[Tensor] = []

    def record(_module: nn.Module, _given: object, maps: object) -> Tensor:
        if not isinstance(maps, Tensor):
            raise CannotExplain(f"{layer} does not return one tensor of maps.")
        caught.append(maps.detach().requires_grad_(True))
        torch.set_grad_enabled(True)
        # What follows may work in place, which a leaf forbids.
        return caught[-1].clone()

    try:
        module = twin.get_submodule(layer)
    except AttributeError as error:
        raise CannotExplain(f"{layer} is not a module of this model.") from error
    hook = module.register_forward_hook(record)
    try:
        with torch.no_grad():
            score = _score(twin.answer(images), of, region)
            if len(caught) != 1 or not score.requires_grad:
                raise CannotExplain(f"What is explained does not pass through {layer} once.")
            (gradient,) = torch.autograd.grad(score, caught[0])
    finally:
        hook.remove()
    return caught[0].detach(), gradient


def _score(answer: Answer, of: Of, region: Tensor | None) -> Tensor:
    """One number; its gradient at an image's maps is that of the image's own share."""
    if of == "case":
        if answer.logit is None:
            raise CannotExplain("The model gives no logit of the case; explain its mask.")
        return answer.logit.sum()
    if answer.mask is None:
        raise CannotExplain("The model gives no mask; explain its logit of the case.")
    inside = answer.mask.detach() > 0 if region is None else region
    return (answer.mask * inside).sum()


class _Twins(threading.local):
    """Of each thread its own, gone when their models are."""

    def __init__(self) -> None:
        self.known: WeakKeyDictionary[Model, tuple[tuple[int, ...], Model]] = WeakKeyDictionary()


_TWINS = _Twins()


def _twin_of(model: Model) -> Model:
    """Other modules over the same memory, in evaluation mode, none of their weights recorded.

    Made once, since it takes as long as a forward pass; again where the model got other modules or weights elsewhere.
    """
    tensors = (*model.parameters(), *model.buffers())
    made_of = (*map(id, model.modules()), *(tensor.data_ptr() for tensor in tensors))
    known = _TWINS.known.get(model)
    if known is not None and known[0] == made_of:
        return known[1]
    with torch.inference_mode(False):
        twin = copy.deepcopy(model, {id(tensor): tensor.detach() for tensor in tensors}).eval()
    _TWINS.known[model] = (made_of, twin)
    return twin


def _linear_head(model: Model) -> nn.Linear | None:
    """The only layer with weights behind ``forward_features``, where it is linear."""
    head = dict(model.named_children()).get("head")
    if head is None:
        return None
    weighing = [part for part in head.modules() if next(part.parameters(recurse=False), None) is not None]
    only = weighing[0] if len(weighing) == 1 else None
    return only if isinstance(only, nn.Linear) else None


def _mean_gradient(_maps: Tensor, gradient: Tensor) -> Tensor:
    return gradient.mean(dim=_places(gradient), keepdim=True)


def _rising_gradient(maps: Tensor, gradient: Tensor) -> Tensor:
    # Squares and cubes of small gradients: in double precision, and without a constant in the denominator.
    rise, a = gradient.double(), maps.double()
    below = 2 * rise**2 + rise**3 * a.sum(dim=_places(a), keepdim=True)
    shares = torch.where(below != 0, rise**2 / torch.where(below != 0, below, 1.0), 0.0)
    return (shares * torch.relu(rise)).sum(dim=_places(rise), keepdim=True)


def _own_gradient(_maps: Tensor, gradient: Tensor) -> Tensor:
    return gradient


def _places(tensor: Tensor) -> tuple[int, ...]:
    return tuple(range(2, tensor.ndim))


def _scaled(sums: Tensor) -> Maps:
    """ReLU, then each map to a maximum of 1 by itself: its neighbours in the batch leave no trace."""
    positive = torch.relu(sums)
    peak = positive.flatten(1).amax(dim=1).reshape(-1, *[1] * (positive.ndim - 1))
    scaled: Maps = torch.where(peak > 0, positive / torch.where(peak > 0, peak, 1.0), 0.0).float().cpu().numpy()
    return scaled
