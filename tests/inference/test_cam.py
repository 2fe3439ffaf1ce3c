"""Class activation maps: equal to MONAI's where MONAI follows the papers, exact where that can be said, harmless."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
import torch
from monai.visualize import GradCAM, GradCAMpp
from torch import Tensor, nn

from inference.explain.cam import (
    METHODS,
    CannotExplain,
    class_map,
    grad_cam,
    grad_cam_plus_plus,
    heat_maps,
    hires_cam,
    over_input,
)
from inference.imaging.images import MissingInput
from inference.models import registry
from inference.models.contract import Model
from inference.outputs import Mask
from inference.spec import ModelSpec


def inputs_of(spec: ModelSpec, cases: int = 3) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    extra = (1,) if len(spec.size) == 3 else ()
    return {
        one.name: torch.randn((cases, *(extra or (len(one.slices),)), *spec.size), generator=generator)
        for one in spec.inputs
    }


def averaging(study: str) -> ModelSpec:
    """The small form of a study's model; a classifier with a mean before its head and without a mask."""
    spec = registry.load(study, "small")
    if "pool" not in spec.architecture:
        return spec
    outputs = tuple(one for one in spec.outputs if not isinstance(one, Mask))
    architecture = MappingProxyType({**spec.architecture, "pool": "mean"})
    train = replace(spec.train, losses=spec.train.losses[:1])
    return replace(spec, architecture=architecture, outputs=outputs, train=train)


def made(study: str, scale: float = 1.0) -> tuple[ModelSpec, Model, dict[str, Tensor]]:
    """A small model whose normalisations have seen its inputs; the last weights times ``scale``, logits about 0."""
    spec = averaging(study)
    model, inputs = registry.build(spec), inputs_of(spec)
    with torch.no_grad():
        for _ in range(20):
            model(inputs)
        model.eval()
        *_, weight, bias = model.parameters()
        weight.mul_(scale)
        logit = model(inputs).logit
        if scale != 1.0 and logit is not None:
            bias.sub_(logit.mean())
    return spec, model, inputs


class Logits(nn.Module):
    """As MONAI wants a classifier: one tensor in, (n, classes) out."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        logit = self.model.answer(images).logit
        assert logit is not None
        return logit[:, None]


def monai_maps(kind: type[GradCAM], model: Model, inputs: dict[str, Tensor], layer: str) -> np.ndarray:
    """Case by case, before MONAI's own post-processing, each map with its maximum at 1."""
    cam = kind(Logits(model), target_layers=f"model.{layer}")
    maps = [cam.compute_map(one[None], class_idx=0)[0, 0].detach() for one in model.gathered(inputs)]
    return np.stack([(one / one.max().clamp(min=1e-30)).numpy() for one in maps])


@pytest.mark.parametrize(
    ("study", "layer"),
    [
        *(("s0-mnasnet", ""), ("s1-resnet50", ""), ("s2-multitask", ""), ("s4-3d", "")),
        # Behind its last maps segresnet works in place, which changes those that MONAI has kept.
        ("s3-segresnet", "network.down_layers.3"),
    ],
)
def test_grad_cam_is_that_of_monai(study: str, layer: str) -> None:
    _, model, inputs = made(study)
    ours = grad_cam(model, inputs, layer=layer)
    assert np.abs(ours - monai_maps(GradCAM, model, inputs, layer or model.cam_layer)).max() < 2e-5


@pytest.mark.parametrize(("study", "layer"), [("s1-resnet50", "trunk.layer4"), ("s4-3d", "trunk.layer4")])
def test_grad_cam_plus_plus_is_that_of_monai_where_its_constant_is_small(study: str, layer: str) -> None:
    """MONAI adds 1e-7 to a denominator of squared gradients, takes Σ A·g³ for g³·Σ A, and multiplies by exp(score).

    Behind the last maps g is the same at all places, so the two sums are one; with the last weights times 100 the
    constant vanishes; with the weights of a network as it is, the constant is seen. A hundredfold logit that is not
    about 0 leaves the range of exp.
    """
    _, model, inputs = made(study, scale=100.0)
    ours = grad_cam_plus_plus(model, inputs, layer=layer)
    assert np.abs(ours - monai_maps(GradCAMpp, model, inputs, layer)).max() < 2e-4
    _, plain, inputs = made(study)
    ours = grad_cam_plus_plus(plain, inputs, layer=layer)
    assert np.abs(ours - monai_maps(GradCAMpp, plain, inputs, layer)).max() > 1e-3


def test_the_post_processing_of_monai_turns_maps_over() -> None:
    """Its default makes the strongest place 0 and stretches each map, an empty one too."""
    _, model, inputs = made("s4-2d")
    ours = over_input(grad_cam(model, inputs), (40, 40))
    shown = GradCAM(Logits(model), target_layers=f"model.{model.cam_layer}")(model.gathered(inputs), class_idx=0)[:, 0]
    for theirs, mine in zip(shown, ours, strict=True):
        assert np.corrcoef(np.asarray(theirs).ravel(), mine.ravel())[0, 1] < -0.9


def test_grad_cam_plus_plus_follows_the_derivatives_of_the_exponential() -> None:
    """Equation 19 with derivatives of Y = exp(s) taken one after the other by autograd, s = Σ_k w_k mean(A^k)."""
    _, model, inputs = made("s4-2d")
    head = model.get_submodule("head")
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        maps = model.forward_features(model.gathered(inputs)[:1]).double()[0]
    weights = head.weight.detach().double()[0]
    shares = torch.zeros_like(maps)
    for k, r, c in np.ndindex(*maps.shape):
        place = maps[k, r, c].clone().requires_grad_(True)
        other = maps.mean(dim=(1, 2)) @ weights - weights[k] * maps[k, r, c] / maps[k].numel()
        y = torch.exp(other + weights[k] * place / maps[k].numel())
        derivatives = []
        for _ in range(3):
            (y,) = torch.autograd.grad(y, place, create_graph=True)
            derivatives.append(y)
        first, second, third = derivatives
        shares[k, r, c] = second / (2 * second + maps[k].sum() * third) * torch.relu(first)
    expected = torch.relu((shares.sum(dim=(1, 2))[:, None, None] * maps).sum(dim=0))
    ours = grad_cam_plus_plus(model, inputs, layer="trunk.layer4")[0]
    assert np.allclose(ours, (expected / expected.max()).detach().numpy(), atol=1e-4)


@pytest.mark.parametrize("study", ["s1-resnet50", "s4-3d", "s0-mnasnet"])
def test_behind_a_mean_three_ways_are_one(study: str) -> None:
    _, model, inputs = made(study)
    layer = "trunk.last" if study == "s0-mnasnet" else "trunk.layer4"
    direct = class_map(model, inputs)
    assert np.allclose(direct, grad_cam(model, inputs, layer=layer), atol=1e-5)
    assert np.allclose(direct, hires_cam(model, inputs, layer=layer), atol=1e-5)


def test_hires_shares_of_a_mask_come_from_its_region_alone() -> None:
    """At the last maps of a decoder the mask is linear: outside the region no place has a share."""
    _, model, inputs = made("s2-single")
    region = torch.zeros(3, 1, 128, 64, dtype=torch.bool)
    region[:, :, 20:40, 10:30] = True
    maps = hires_cam(model, inputs, of="mask", region=region, layer="fracture.join.4")
    assert maps.shape == (3, 128, 64)
    assert maps.max() == 1
    assert (maps[:, ~region[0, 0].numpy()] == 0).all()


def test_the_region_is_the_mask_that_the_model_predicts_unless_it_is_given() -> None:
    _, model, inputs = made("s3-pfnet")
    with torch.no_grad():
        mask = model(inputs).mask
    assert mask is not None
    assert np.array_equal(grad_cam(model, inputs, of="mask"), grad_cam(model, inputs, of="mask", region=mask > 0))
    nothing = torch.zeros_like(mask, dtype=torch.bool)
    assert (grad_cam(model, inputs, of="mask", region=nothing) == 0).all()


@pytest.mark.parametrize("study", registry.studies())
def test_every_study_is_explained_as_its_specification_asks(study: str) -> None:
    spec = registry.load(study, "small")
    model, inputs = registry.build(spec), inputs_of(spec, cases=2)
    maps = heat_maps(model, spec, inputs)
    whole = over_input(maps, spec.size)
    assert whole.shape == (2, *spec.size)
    assert maps.dtype == np.float32
    assert 0 <= whole.min() <= whole.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_a_model_is_left_as_it_was(method: str) -> None:
    spec = registry.load("s1-resnet50", "small")
    model, inputs = registry.build(spec).train(), inputs_of(spec)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    METHODS[method](model, inputs)
    assert all(part.training for part in model.modules())
    assert not any(part._forward_hooks or part._backward_hooks for part in model.modules())
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert torch.is_grad_enabled()
    with torch.inference_mode():
        assert METHODS[method](model, inputs).max() == 1


def test_threads_and_batches_leave_no_trace() -> None:
    _, model, inputs = made("s1-resnet50")
    many = {name: tensor.repeat(7, 1, 1, 1) for name, tensor in inputs.items()}
    whole = grad_cam(model, many)
    assert len(whole) == 21
    with ThreadPoolExecutor(4) as threads:
        singly = list(
            threads.map(lambda i: grad_cam(model, {name: x[i : i + 1] for name, x in many.items()})[0], range(21))
        )
    assert np.abs(whole - np.stack(singly)).max() < 1e-4


def test_a_model_that_learns_or_changes_is_explained_as_it_is_now() -> None:
    _, model, inputs = made("s4-2d")
    before = grad_cam(model, inputs)
    *_, weight, _bias = model.parameters()
    with torch.no_grad():
        weight.neg_()
    turned = grad_cam(model, inputs)
    assert not np.allclose(before, turned, atol=0.1)
    model.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()}, assign=True)
    assert np.array_equal(grad_cam(model, inputs), turned)
    model.add_module("head", nn.Linear(weight.shape[1], 1))
    assert not np.array_equal(grad_cam(model, inputs), turned)


def test_what_cannot_be_explained_is_refused_with_a_sentence() -> None:
    _, model, inputs = made("s4-2d")
    with pytest.raises(CannotExplain, match="no mask"):
        grad_cam(model, inputs, of="mask")
    with pytest.raises(CannotExplain, match="layer9 is not a module"):
        grad_cam(model, inputs, layer="trunk.layer9")
    with pytest.raises(MissingInput, match="lacks CT"):
        grad_cam(model, {})
    _, mobile, films = made("s0-mobilenet")
    with pytest.raises(CannotExplain, match="not linear"):
        class_map(mobile, films)
