"""Every family as ONNX: the answers of torch, or a refusal with a sentence; no byte may change afterwards."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from inference.cards import Card, CardError
from inference.models import registry
from inference.models.contract import Answer, Model
from inference.outputs import Heatmap, Platt, Probability
from inference.serving.export import (
    MODEL,
    OPSET,
    RECORD,
    TOLERANCE,
    CannotExport,
    Export,
    export,
    largest_difference,
    onnx_of,
)
from inference.serving.trial import noise, prepared, trials
from inference.spec import ModelSpec
from tests.inference.settled import DECISION, folder_with, settled

QUESTION = (Probability("a spot", "none", "spot"),)


@pytest.mark.parametrize("study", registry.studies())
def test_every_study_answers_as_torch_does(study: str) -> None:
    spec, model = settled(study)
    content = onnx_of(model, spec)
    assert largest_difference(model, spec, content, trials(spec, 1, seed=9)) <= TOLERANCE
    graph = onnx.load_from_string(content)
    assert {one.version for one in graph.opset_import if one.domain == ""} == {OPSET}
    convolved = {name for node in graph.graph.node if node.op_type == "Conv" for name in node.output}
    assert not any(convolved & set(node.input) for node in graph.graph.node if node.op_type == "BatchNormalization")
    assert model.training is False


def test_the_graph_answers_any_number_of_cases_and_says_what_it_is() -> None:
    spec, model = settled("s2-multitask")
    session = onnxruntime.InferenceSession(onnx_of(model, spec), providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == ["lateral"]
    assert [one.name for one in session.get_outputs()] == ["logit", "mask", "level"]
    for cases in (1, 5):
        logit, mask, level = session.run(None, noise(spec, cases))
        assert (logit.shape, mask.shape, level.shape) == ((cases,), (cases, 128, 64), (cases, 13, 128, 64))
        assert np.allclose(level.sum(axis=1), 1, atol=1e-5)
        assert 0 <= mask.min() <= mask.max() <= 1


def test_a_folder_gets_the_network_and_its_record(tmp_path: Path) -> None:
    spec, model = settled("s1-resnet50")
    folder = folder_with(tmp_path / "model", spec, model)
    card = Card.load(folder)
    record = export(folder, cases=prepared(spec, 1, seed=3))
    assert record == Export.read(folder, card)
    assert record.inputs == ("T1W", "T2W")
    assert record.outputs == ("logit",)
    assert record.card_digest == card.digest
    assert record.largest_difference <= TOLERANCE
    assert record.versions["torch"] == torch.__version__
    assert not list(folder.glob("*.partial"))
    # Another decision is another card, and the same network.
    replace(card, version="2", spec=replace(card.spec, decision=replace(DECISION, threshold=0.6))).save(folder)
    assert Export.read(folder, Card.load(folder)) == record


def test_what_was_changed_or_belongs_elsewhere_is_refused(tmp_path: Path) -> None:
    spec, model = settled("s4-2d")
    folder = folder_with(tmp_path / "model", spec, model)
    card = Card.load(folder)
    assert Export.read(folder, card) is None
    export(folder)
    with torch.no_grad():
        next(model.parameters()).add_(0.1)
    other = folder_with(tmp_path / "other", spec, model)
    shutil.copy(folder / RECORD, other)
    shutil.copy(folder / MODEL, other)
    with pytest.raises(CardError, match="made of other weights"):
        Export.read(other, Card.load(other))
    network = bytearray((folder / MODEL).read_bytes())
    network[len(network) // 2] ^= 1
    (folder / MODEL).write_bytes(network)
    with pytest.raises(CardError, match="SHA-256 differs"):
        Export.read(folder, card)
    document = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**document, "opset": {}, "more": 1}))
    with pytest.raises(CardError, match="cannot be read"):
        Export.read(folder, card)


@dataclass(frozen=True)
class OddArchitecture(registry.Architecture):
    def stages(self) -> Mapping[str, str]:
        return {"maps": "maps"}


class Odd(Model):
    """Says something else while it is written as a graph, as a branch on values would."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec, "maps")
        self.maps = torch.nn.Conv2d(spec.channels, 1, 3)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.maps(images)
        return maps

    def answer(self, images: torch.Tensor) -> Answer:
        return Answer(self.forward_features(images).mean(dim=(1, 2, 3)) + 0.01 * torch.jit.is_tracing())


def test_a_network_that_answers_differently_is_not_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_FAMILIES", dict(registry._FAMILIES))

    @registry.register("odd", architecture=OddArchitecture, outputs=(Probability, Heatmap))
    def build(spec: ModelSpec, _architecture: OddArchitecture) -> Model:
        return Odd(spec)

    spec = replace(registry.load("s4-2d", "small"), name="odd", family="odd", architecture={}, outputs=QUESTION)
    folder = folder_with(tmp_path / "model", spec, registry.build(spec))
    with pytest.raises(CannotExport, match=r"odd is not exported: its probabilities would differ .* 1e-04 is allowed"):
        export(folder)
    assert not (folder / MODEL).exists()
    assert not (folder / RECORD).exists()


class Unknown(torch.nn.Module):
    """An operation that ONNX has no name for."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = images * torch.special.i1(images.mean())
        return changed


def test_an_operation_without_a_counterpart_is_named() -> None:
    spec, model = settled("s4-2d")
    model.add_module("mix", Unknown())
    with pytest.raises(CannotExport, match=r"s4-2d cannot be written as ONNX: .*special_i1"):
        onnx_of(model, spec)


def test_a_calibration_that_stretches_differences_is_part_of_the_check() -> None:
    spec, model = settled("s4-2d")
    content, inputs = onnx_of(model, spec), noise(spec, 2)
    plain = largest_difference(model, spec, content, inputs)
    steep = replace(spec, decision=replace(DECISION, calibration=Platt(200.0, 0.0)))
    assert largest_difference(model, steep, content, inputs) >= plain


def test_without_a_decision_only_a_draft_is_exported(tmp_path: Path) -> None:
    spec, model = settled("s4-25d")
    folder = folder_with(tmp_path / "model", spec, model, decision=None)
    with pytest.raises(CardError, match="freeze the decision first"):
        export(folder)
    assert export(folder, draft=True).outputs == ("logit",)


def test_prepared_trials_lie_in_the_range_of_prepared_cases() -> None:
    for study in ("s0-mnasnet", "s1-resnet50", "s4-25d", "s4-3d"):
        spec = registry.load(study, "small")
        for array in prepared(spec, 2).values():
            assert array.dtype == np.float32
            assert -6 < array.min() < -0.5
            assert 0.5 < array.max() < 12
