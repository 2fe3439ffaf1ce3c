"""A specification is frozen, has one digest, and is refused by the name of the field that cannot be satisfied."""

import dataclasses
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.declared import SpecError
from inference.models import registry
from inference.outputs import Decision, Isotonic, Platt, Probability
from inference.spec import Input, ModelSpec, laid_over

Document = dict[str, Any]
SIX = Path(registry.STUDIES / "s1-resnet50.toml")


def document(study: str = "s1-resnet50") -> Document:
    found = tomllib.loads((registry.STUDIES / f"{study}.toml").read_text())
    found.pop("presets")
    return found


def refused(change: Callable[[Document], object], study: str = "s1-resnet50") -> SpecError:
    """The refusal of a study's specification once it was changed, by itself or by its family."""
    changed = document(study)
    change(changed)
    with pytest.raises(SpecError) as caught:
        registry.checked(ModelSpec.from_document(changed))
    assert str(caught.value).startswith(f"{caught.value.field}: ")
    return caught.value


def decision(**changes: Any) -> Decision:
    facts: Document = {
        "calibration": Platt(1.0, 0.0),
        "threshold": 0.4,
        "rule": "sensitivity>=0.95",
        "fitted_on": "0" * 64,
        "cases": 100,
    }
    return Decision(**facts | changes)


@pytest.mark.parametrize("study", registry.studies())
@pytest.mark.parametrize("preset", ["", "small"])
def test_every_study_is_satisfied_and_survives_the_way_through_json(study: str, preset: str) -> None:
    spec = registry.load(study, preset)
    again = ModelSpec.from_document(json.loads(json.dumps(spec.to_document())))
    assert again == spec
    assert again.digest == spec.digest
    assert registry.checked(again) == spec
    assert spec.name == study


def test_nothing_can_be_changed_afterwards() -> None:
    spec = ModelSpec.read(SIX)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError, match="does not support item assignment"):
        spec.architecture["depth"] = 18  # type: ignore[index]


def test_the_digest_depends_on_what_is_said_and_not_on_how_it_is_written() -> None:
    plain = document()
    turned = dict(reversed(plain.items()))
    turned["train"] = {**turned["train"], "decay": 0.01, "seed": 0, "rate": 0.0001}
    spec = ModelSpec.from_document(plain)
    assert ModelSpec.from_document(turned).digest == spec.digest
    whole = ModelSpec.from_document(laid_over(plain, {"roi": {"margin": 1}}))
    assert whole.digest == ModelSpec.from_document(laid_over(plain, {"roi": {"margin": 1.0}})).digest != spec.digest


def test_defaults_of_the_architecture_stand_in_the_checked_digest() -> None:
    spec = ModelSpec.read(SIX)
    written = laid_over(document(), {"architecture": {"width": 1.0, "dropout": 0.0, "stem_stride": 2}})
    assert registry.checked(spec) == registry.checked(ModelSpec.from_document(written))
    assert registry.checked(spec).architecture["stem_stride"] == 2


def test_a_decision_makes_another_version() -> None:
    spec = ModelSpec.read(SIX)
    first, second = spec.frozen(decision()), spec.frozen(decision(threshold=0.5))
    assert len({spec.digest, first.digest, second.digest}) == 3
    assert ModelSpec.from_document(first.to_document()) == first


def test_channels_size_and_names_follow_from_the_inputs() -> None:
    six, volume = registry.load("s1-resnet50"), registry.load("s4-3d")
    assert ([one.name for one in six.inputs], six.channels, six.size) == (["T1W", "T2W"], 6, (224, 224))
    assert ([one.name for one in volume.inputs], volume.channels, volume.size) == (["CT"], 1, (96, 96, 96))
    assert registry.load("s4-25d").channels == 3
    assert six.output(Probability) == Probability("malignant fracture", "benign", "malignant")


def test_a_preset_is_laid_over_and_replaces_lists_as_a_whole() -> None:
    small = ModelSpec.read(SIX, "small")
    assert small.size == (40, 40)
    assert small.architecture["mix"] is True
    assert small.train.folds == 10
    with pytest.raises(SpecError, match=r"presets\.tiny: s1-resnet50\.toml has no such preset; it has small\."):
        ModelSpec.read(SIX, "tiny")


FAULTS: list[tuple[str, str, Callable[[Document], object]]] = [
    ("name", "is missing", lambda d: d.pop("name")),
    ("famly", "no such field; known are name, family", lambda d: d.update(famly="resnet")),
    ("family", "'resnext' is not registered; known are baseline,", lambda d: d.update(family="resnext")),
    ("aggregate", "'median' is not one of none, max_slice, mean_slice, max", lambda d: d.update(aggregate="median")),
    ("aggregate", "vertebrae are found in a mask and levels", lambda d: d.update(aggregate="max_vertebra")),
    (
        "aggregate",
        "the first input reads several",
        lambda d: (d.update(aggregate="max_slice"), [one.update(slices=[0]) for one in d["inputs"]]),
    ),
    ("inputs", "a list is wanted", lambda d: d.update(inputs="MR")),
    ("inputs", "sees nothing", lambda d: d.update(inputs=[])),
    ("inputs[1]", "T1W is an input already", lambda d: d["inputs"][1].update(sequence="T1W")),
    ("inputs[0].modality", "'PET' is not one of DX, CT, MR", lambda d: d["inputs"][0].update(modality="PET")),
    ("inputs[0].sequence", "an MR names its sequence", lambda d: d["inputs"][0].pop("sequence")),
    ("inputs[0].view", "a radiograph names its view", lambda d: d["inputs"][0].update(view="lateral")),
    ("inputs[1].slices", "offsets rise", lambda d: d["inputs"][1].update(slices=[0, -1, 1])),
    ("inputs[1].slices[2]", "a whole number is wanted, not 1.5", lambda d: d["inputs"][1].update(slices=[-1, 0, 1.5])),
    ("inputs[0].apart", "-1.0 is not at least 0.0", lambda d: d["inputs"][0].update(apart=-1)),
    ("roi.kind", "'oval' is not one of whole, square_box, vertebra_crop", lambda d: d["roi"].update(kind="oval")),
    ("roi.mm", "there is no such field; known are margin", lambda d: d["roi"].update(mm=[96, 96])),
    ("roi.mm", "2 numbers are wanted", lambda d: d.update(roi={"kind": "vertebra_crop", "mm": [96, 96, 96]})),
    ("preprocess", "there are 0", lambda d: d["preprocess"].pop()),
    (
        "preprocess[0]",
        "in HU, which only CT has",
        lambda d: d["preprocess"].insert(0, {"op": "window", "low": 0, "high": 9}),
    ),
    ("preprocess[0].low", "101.0 is not at least 0.0 and at most 100.0", lambda d: d["preprocess"][0].update(low=101)),
    ("preprocess[2].size", "two numbers are rows and columns", lambda d: d["preprocess"][2].update(size=[9])),
    ("outputs", "a heat map alone answers nothing", lambda d: d["outputs"].pop(0)),
    ("outputs[1]", "the family resnet has no mask", lambda d: d["outputs"].insert(1, {"kind": "mask", "target": "x"})),
    (
        "outputs[0]",
        "the family resnet has no level",
        lambda d: d["outputs"].insert(0, {"kind": "level", "levels": ["L1", "L2"]}),
    ),
    ("outputs[2]", "probability is asked for twice", lambda d: d["outputs"].append(d["outputs"][0])),
    ("outputs[0].positive", "the two labels are the same", lambda d: d["outputs"][0].update(positive="benign")),
    ("outputs[1].stage", "'layer9' is not one of layer1, layer2", lambda d: d["outputs"][1].update(stage="layer9")),
    ("architecture.depth", "101 is not one of 10, 18, 34, 50", lambda d: d["architecture"].update(depth=101)),
    ("architecture.width", "0.0 is not at least 0.05", lambda d: d["architecture"].update(width=0)),
    ("architecture.mixing", "no such field", lambda d: d["architecture"].update(mixing=3)),
    ("architecture.channels", "takes 3 and the inputs have 6", lambda d: d["architecture"].update(mix=False)),
    ("architecture.channels", "to how many channels", lambda d: d["architecture"].update(channels=0)),
    ("train.losses", "nothing is learnt", lambda d: d["train"].update(losses=[])),
    ("train.losses[0]", "looks at the output mask", lambda d: d["train"].update(losses=[{"kind": "structure"}])),
    ("train.losses[1]", "stands before it", lambda d: d["train"].update(losses=[{"kind": "bce"}] * 2)),
    ("train.rate", "a number is wanted, not 'fast'", lambda d: d["train"].update(rate="fast")),
    ("train.epochs", "0 is not at least 1", lambda d: d["train"].update(epochs=0)),
    ("train.batch", "a whole number is wanted, not True", lambda d: d["train"].update(batch=True)),
    ("train.folds", "two folds at least", lambda d: d["train"].update(folds=1)),
    ("train.select", "dice is measured on a mask", lambda d: d["train"].update(select="dice")),
    ("train.augment[0].degrees", "is missing", lambda d: d["train"]["augment"][0].pop("degrees")),
]


@pytest.mark.parametrize(("field", "sentence", "change"), FAULTS, ids=[f"{f} {s}" for f, s, _ in FAULTS])
def test_what_cannot_be_satisfied_is_refused_by_field(
    field: str, sentence: str, change: Callable[[Document], object]
) -> None:
    refusal = refused(change)
    assert refusal.field == field
    assert sentence in str(refusal)


@pytest.mark.parametrize(
    ("study", "field", "sentence", "change"),
    [
        ("s0-mobilenet", "inputs[0].slices", "no neighbour", lambda d: d["inputs"][0].update(slices=[-1, 0, 1])),
        ("s0-mobilenet", "preprocess[3].size", "rows and columns", lambda d: d["preprocess"][3].update(size=[8] * 3)),
        ("s0-mobilenet", "train.augment[5]", "its front stays", lambda d: d["train"]["augment"].append({"op": "flip"})),
        ("s2-multitask", "preprocess[3].size", "multiples of 16", lambda d: d["preprocess"][3].update(size=[100, 64])),
        ("s2-multitask", "architecture.widths", "two resolutions", lambda d: d["architecture"].update(widths=[8])),
        ("s2-multitask", "outputs[2].levels", "each once", lambda d: d["outputs"][2].update(levels=["L1", "L1"])),
        ("s3-pfnet", "preprocess[3].size", "multiples of 32", lambda d: d["preprocess"][3].update(size=[48, 64])),
        ("s4-3d", "inputs[0].slices", "a volume holds its slices", lambda d: d["inputs"][0].update(slices=[-1, 0, 1])),
        ("s4-3d", "preprocess[2].size", "works in 2 dimensions, not in 3", lambda d: d.update(
            family="mbconv", architecture={"variant": "mnasnet_1_0"}, outputs=d["outputs"][:1])),
        ("s4-2d", "preprocess[0].high", "above low", lambda d: d["preprocess"][0].update(high=-200)),
    ],
)  # fmt: skip
def test_refusals_of_other_studies(study: str, field: str, sentence: str, change: Callable[[Document], object]) -> None:
    refusal = refused(change, study)
    assert refusal.field == field
    assert sentence in str(refusal)


def without_mask(d: Document) -> None:
    d["outputs"] = [d["outputs"][0]]
    d["train"] |= {"losses": [{"kind": "bce"}], "select": "auc"}


@pytest.mark.parametrize("study", ["s2-multitask", "s3-pfnet", "s3-segresnet"])
def test_a_segmenting_family_without_a_mask_is_refused(study: str) -> None:
    refusal = refused(without_mask, study)
    assert refusal.field == "outputs"
    assert "reads its answers from a mask" in str(refusal)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("decision.rule", {"rule": "f1"}),
        ("decision.fitted_on", {"fitted_on": "control"}),
        ("decision.abstain", {"abstain": (0.5, 0.9)}),
        ("decision.calibration", {"calibration": Isotonic((0.0, 1.0), (0.9, 0.1))}),
        ("decision.calibration", {"calibration": Isotonic((0.0,), (0.1, 0.9))}),
    ],
)
def test_decisions_that_decide_nothing_are_refused(field: str, changes: Document) -> None:
    spec = ModelSpec.read(SIX)
    with pytest.raises(SpecError) as caught:
        spec.frozen(decision(**changes))
    assert caught.value.field == field


def test_a_decision_needs_a_probability() -> None:
    masks = document("s3-pfnet")
    masks["outputs"] = masks["outputs"][1:]
    spec = ModelSpec.from_document(masks)
    with pytest.raises(SpecError, match="decision: a probability is decided on"):
        spec.frozen(decision())


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.toml: cannot be read"):
        registry.load(str(tmp_path / "nowhere.toml"))
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(SpecError, match=r"broken\.toml: cannot be read"):
        registry.load(str(tmp_path / "broken.toml"))


def test_an_input_is_named_by_what_tells_it_apart() -> None:
    named = [Input("MR", sequence="T2W"), Input("DX", view="ap"), Input("CT")]
    assert [one.name for one in named] == ["T2W", "ap", "CT"]


def test_reading_a_specification_loads_no_torch_and_a_registry_no_monai() -> None:
    lines = [
        "import sys; from pathlib import Path",
        "from inference.models import registry; from inference.spec import ModelSpec",
        f"spec = ModelSpec.read(Path({str(SIX)!r})); assert 'torch' not in sys.modules",
        "registry.checked(spec); assert 'torch' in sys.modules; assert 'monai' not in sys.modules",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=60)
