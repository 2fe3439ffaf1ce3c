"""Every family of the registry answers the contract, at the published sizes and at the small ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest
import torch
from torch import Tensor, nn

from inference.learning.losses import Truth, depth_losses, loss_of
from inference.models import registry
from inference.models.contract import Answer, MissingInput, Model, case_logit
from inference.models.located import Located
from inference.outputs import Level, Mask, Probability
from inference.spec import ModelSpec

SEGMENTING = [name for name in registry.studies() if name[:2] in {"s2", "s3"}]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=registry.studies())
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    return registry.load(request.param, "small")


def batch_of(spec: ModelSpec, cases: int = 2, size: tuple[int, ...] | None = None, seed: int = 0) -> dict[str, Tensor]:
    chance = torch.Generator().manual_seed(seed)
    shape = size or spec.size
    return {
        one.name: torch.randn(cases, *((len(one.slices),) if len(shape) == 2 else (1,)), *shape, generator=chance)
        for one in spec.inputs
    }


def truth_of(spec: ModelSpec, cases: int = 2, *, empty: bool = False) -> Truth:
    """A bright square a case, or nothing at all."""
    mask = torch.zeros(cases, 1, *spec.size)
    if not empty:
        mask[..., 8:16, 8:16] = 1
    return Truth(torch.arange(cases).remainder(2).float(), mask, mask[:, 0].long() * 3)


def size_of(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def unbuilt(spec: ModelSpec) -> Model:
    """The model with shapes and without numbers, for counting."""
    with torch.device("meta"):
        return registry.build(spec)


# Weights of the table on torchvision's page of classification models, three channels and 1,000 classes.
PUBLISHED = {
    "s0-efficientnet": (5_288_548, 1280, 32),
    "s0-mobilenet": (5_483_032, 1280, 16),
    "s0-mnasnet": (4_383_312, 1280, 32),
}


@pytest.mark.parametrize("study", PUBLISHED)
def test_classifiers_have_the_published_number_of_parameters(study: str) -> None:
    """One class instead of 1,000 saves 999 rows of the last layer, one channel instead of three two kernels a map."""
    published, last, stem = PUBLISHED[study]
    here = published - 999 * (last + 1) - 2 * 9 * stem
    assert size_of(unbuilt(registry.load(study))) == here
    in_millions = {"s0-efficientnet": 4.01, "s0-mobilenet": 4.20, "s0-mnasnet": 3.10}
    assert round(here / 1e6, 2) == in_millions[study]


def test_efficientnet_has_as_many_parameters_as_that_of_monai() -> None:
    from monai.networks.nets import EfficientNetBN

    theirs = EfficientNetBN("efficientnet-b0", pretrained=False, spatial_dims=2, in_channels=1, num_classes=1)
    assert size_of(unbuilt(registry.load("s0-efficientnet"))) == size_of(theirs)


def test_the_50_layers_have_the_published_number_of_parameters_behind_their_mixing() -> None:
    """25,557,032 of torchvision's table, the last layer with one class, and 6 × 3 weights with 3 biases."""
    model = unbuilt(registry.load("s1-resnet50"))
    assert size_of(model) == 25_557_032 - 999 * 2049 + (6 * 3 + 3)
    assert size_of(model.get_submodule("mix")) == 21


def test_two_decoders_share_one_encoder() -> None:
    both, one = unbuilt(registry.load("s2-multitask")), unbuilt(registry.load("s2-single"))
    decoder = size_of(both.get_submodule("fracture"))
    # Background and twelve levels instead of one answer, at 32 channels and a bias.
    assert size_of(both.get_submodule("levels")) == decoder + 12 * 33
    assert size_of(both) == size_of(one) + size_of(both.get_submodule("levels"))
    assert round(size_of(both) / 1e6, 1) == 10.8


def test_block_counts_do_not_depend_on_the_dimensionality() -> None:
    counts = {
        name: sum(isinstance(part, nn.Conv2d | nn.Conv3d) for part in unbuilt(registry.load(name)).modules())
        for name in ("s4-2d", "s4-25d", "s4-3d")
    }
    assert set(counts.values()) == {20}


def test_answers_have_the_shapes_of_the_contract(spec: ModelSpec) -> None:
    model = registry.build(spec).eval()
    with torch.no_grad():
        answer = model(batch_of(spec, 3))
        maps = model.forward_features(model.gathered(batch_of(spec, 3)))
    levels = spec.output(Level)
    assert (answer.logit is None) == (spec.output(Probability) is None)
    assert answer.logit is not None
    assert answer.logit.shape == (3,)
    assert (answer.mask is None) == (spec.output(Mask) is None)
    assert answer.mask is None or answer.mask.shape == (3, 1, *spec.size)
    assert (answer.level is None) == (levels is None)
    assert answer.level is None or levels is None or answer.level.shape == (3, 1 + len(levels.levels), *spec.size)
    assert maps.shape[0] == 3
    assert maps.ndim == 2 + len(spec.size)


def test_the_stage_that_is_explained_gives_one_tensor_that_the_logit_depends_on(spec: ModelSpec) -> None:
    model = registry.build(spec).eval()
    caught: list[Tensor] = []
    layer = model.get_submodule(model.cam_layer)
    layer.register_forward_hook(lambda _module, _inputs, maps: caught.append(maps))
    logit = model(batch_of(spec)).logit
    (gradient,) = torch.autograd.grad(logit.sum(), caught[0])
    assert caught[0].ndim == 2 + len(spec.size)
    assert gradient.abs().sum() > 0


def test_every_stage_of_every_architecture_is_a_module(spec: ModelSpec) -> None:
    whole = registry.checked(spec)
    stages = registry.architecture_of(whole).stages()
    model = unbuilt(spec)
    assert all(isinstance(model.get_submodule(path), nn.Module) for path in stages.values())
    assert len(stages) >= 2


def test_gradients_reach_every_parameter(spec: ModelSpec) -> None:
    model = registry.build(spec).train()
    answer = model(batch_of(spec, 4))
    loss = loss_of(spec.train.losses, answer, truth_of(spec, 4), balance=2.0)
    loss.backward()
    assert torch.isfinite(loss)
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    # A normalisation takes the bias before it away again: its gradient is 0 but for rounding.
    silent = [name for name, found in gradients.items() if found is None or not (found.any() or name.endswith("bias"))]
    assert silent == []
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values() if gradient is not None)


@pytest.mark.parametrize("study", SEGMENTING)
def test_the_loss_of_an_empty_mask_is_finite_and_can_be_followed(study: str) -> None:
    spec = registry.load(study, "small")
    model = registry.build(spec).train()
    loss = loss_of(spec.train.losses, model(batch_of(spec)), truth_of(spec, empty=True))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_the_loss_falls_at_all_four_depths() -> None:
    spec = registry.load("s3-pfnet", "small")
    model = registry.build(spec).train()
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3)
    images, truth = batch_of(spec, 4), truth_of(spec, 4)
    assert truth.mask is not None
    images["lateral"] += 3 * truth.mask
    history = []
    for _ in range(12):
        answer = model(images)
        assert len(answer.depths) == 4
        assert answer.depths[-1] is answer.mask
        history.append(depth_losses(answer.depths, truth.mask).detach())
        optimiser.zero_grad()
        loss_of(spec.train.losses, answer, truth).backward()
        optimiser.step()
    assert history[0].shape == (4,)
    assert (history[-1] < history[0]).all()


def test_one_step_of_the_50_layers_with_six_channels() -> None:
    spec = registry.load("s1-resnet50")
    model = registry.build(spec).train()
    optimiser = torch.optim.AdamW(model.parameters(), spec.train.rate)
    before = model.get_parameter("mix.weight").detach().clone()
    loss = loss_of(spec.train.losses, model(batch_of(spec, 4, (64, 64))), truth_of(spec, 4))
    loss.backward()
    optimiser.step()
    assert torch.isfinite(loss)
    assert not torch.equal(before, model.get_parameter("mix.weight"))
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_maps_of_the_50_layers_have_the_published_resolution() -> None:
    """224 becomes 7: MONAI's default stride of the stem would make it 14."""
    spec = registry.load("s1-resnet50")
    with torch.device("meta"):
        model = registry.build(spec)
        assert model.forward_features(torch.zeros(1, 6, 224, 224)).shape == (1, 2048, 7, 7)


def test_the_same_seed_makes_the_same_weights_whatever_was_drawn_before(spec: ModelSpec) -> None:
    torch.manual_seed(5)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    first = registry.build(spec).state_dict()
    assert torch.equal(torch.rand(1), drawn)
    second = registry.build(spec).state_dict()
    other = registry.build(replace(spec, train=replace(spec.train, seed=1))).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_a_training_step_is_the_same_twice() -> None:
    spec = registry.load("s3-pfnet", "small")

    def stepped() -> dict[str, Tensor]:
        model = registry.build(spec).train()
        optimiser = torch.optim.SGD(model.parameters(), 1e-2, momentum=0.9)
        loss_of(spec.train.losses, model(batch_of(spec)), truth_of(spec)).backward()
        optimiser.step()
        return dict(model.state_dict())

    first, second = stepped(), stepped()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_case_is_answered_alike_alone_and_among_others(spec: ModelSpec) -> None:
    model = registry.build(spec).eval()
    together = batch_of(spec, 3)
    alone = {name: tensor[1:2] for name, tensor in together.items()}
    with torch.inference_mode():
        one, three = torch.sigmoid(model(alone).logit), torch.sigmoid(model(together).logit)
    assert (one[0] - three[1]).abs() < 1e-5


def test_a_missing_sequence_is_named() -> None:
    spec = registry.load("s1-resnet50", "small")
    model = registry.build(spec)
    tensors = batch_of(spec)
    tensors.pop("T2W")
    with pytest.raises(MissingInput, match="The case lacks T2W; the model reads T1W, T2W"):
        model(tensors)


def test_channels_come_in_the_order_of_the_specification() -> None:
    model = registry.build(registry.load("s1-resnet50", "small"))
    tensors = {"T2W": torch.full((1, 3, 4, 4), 2.0), "T1W": torch.ones(1, 3, 4, 4)}
    assert model.gathered(tensors)[0, :, 0, 0].tolist() == [1, 1, 1, 2, 2, 2]


def test_a_single_task_and_a_level_task_alone_leave_the_other_out() -> None:
    spec = registry.load("s2-multitask", "small")
    losses = tuple(loss for loss in spec.train.losses if loss.tag == "level_ce")
    train = replace(spec.train, losses=losses, select="loss")
    levels = replace(spec, outputs=tuple(one for one in spec.outputs if isinstance(one, Level)), train=train)
    with torch.no_grad():
        answer = registry.build(levels).eval()(batch_of(levels))
    assert (answer.logit, answer.mask) == (None, None)
    assert answer.level is not None


def test_the_logit_of_a_case_rises_with_any_small_bright_place() -> None:
    mask = torch.full((2, 1, 64, 64), -4.0)
    mask[1, 0, 10:13, 20:23] = 4.0
    assert case_logit(mask).tolist() == [-4.0, 4.0]


@dataclass(frozen=True)
class Mean(registry.Architecture):
    """A family of another package: the mean grey value, times a number."""

    slope: float = 1.0

    def stages(self) -> Mapping[str, str]:
        return {"grey": "grey"}


class MeanGrey(Model):
    def __init__(self, spec: ModelSpec, architecture: Mean) -> None:
        super().__init__(spec, registry.cam_layer(spec, architecture))
        self.grey = nn.Identity()
        self.slope = nn.Parameter(torch.tensor(architecture.slope))

    def forward_features(self, images: Tensor) -> Tensor:
        maps: Tensor = self.grey(images)
        return maps

    def answer(self, images: Tensor) -> Answer:
        return Answer(logit=self.slope * self.forward_features(images).flatten(1).mean(1))


def test_another_package_adds_a_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_FAMILIES", dict(registry._FAMILIES))

    @registry.register("mean", architecture=Mean, outputs=(Probability,))
    def build(spec: ModelSpec, architecture: Mean) -> Model:
        return MeanGrey(spec, architecture)

    theirs = replace(registry.load("s0-mnasnet"), family="mean", architecture=MappingProxyType({"slope": 2}))
    theirs = replace(theirs, outputs=theirs.outputs[:1])
    assert "mean" in registry.names()
    assert registry.build(theirs)({"lateral": torch.ones(1, 1, 4, 4)}).logit.tolist() == [2.0]


def test_a_place_is_as_good_as_another_to_the_located_family() -> None:
    """Moved by its whole stride, away from the borders, a blob gives the same maxima."""
    torch.manual_seed(0)
    model = Located((4, 8, 8, 8)).eval()
    images = torch.zeros(2, 1, 128, 128)
    images[0, 0, 40:50, 40:50] = 1
    images[1, 0, 56:66, 64:74] = 1
    with torch.inference_mode():
        peaks = model.features(images).amax(dim=(2, 3))
    assert torch.allclose(peaks[0], peaks[1], atol=1e-5)
