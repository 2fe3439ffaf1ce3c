"""One loop: learns what can be learnt; the same from the same seed, also when killed; says how it went."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, ItemsView, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score

from inference.cohorts.cases import BadCohort, read_cohort
from inference.cohorts.samples import Samples, load_samples
from inference.declared import SpecError
from inference.learning.curves import curves, write_curves
from inference.learning.history import BadHistory, read_history
from inference.learning.predicting import answers_of, logits_of
from inference.learning.training import Run, batches, dice_of, fit, forget, optimiser_of, schedule_of, steps_of
from inference.models import registry
from inference.models.contract import Model
from inference.spec import ModelSpec
from tests.inference.discs import as_toml, blind, located, unet, write_discs
from tests.models import ROOT, plain_environment


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_discs(tmp_path_factory.mktemp("discs"), patients=40)


@pytest.fixture(scope="module")
def parts(manifest: Path) -> tuple[Samples, Samples]:
    """Thirty patients to learn from, ten to tune on."""
    samples = load_samples(unet(), read_cohort(manifest))
    return samples.subset(range(60)), samples.subset(range(60, 80))


def given(tensor: torch.Tensor | None) -> torch.Tensor:
    assert tensor is not None
    return tensor


def same(one: Model, other: Model) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("make", [located, blind, unet])
def test_it_learns_what_can_be_learnt(make: object, parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    assert callable(make)
    model = fit(make(epochs=8), *parts, tmp_path)
    assert parts[1].positive is not None
    assert roc_auc_score(parts[1].positive, np.array(logits_of(model, parts[1]))) > 0.95


def test_masks_and_levels_are_found(parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    model = fit(unet(epochs=20, rate=2e-2), *parts, tmp_path)
    assert parts[1].mask is not None
    found = []
    for number, answer in enumerate(answers_of(model, parts[1])):
        assert answer.mask is not None
        assert answer.level is not None
        assert answer.level.sum(axis=0) == pytest.approx(np.ones((32, 32)), abs=1e-5)
        inside = parts[1].mask[number, 0].numpy() > 0
        if inside.any():
            assert 2 * (answer.mask >= 0.5)[inside].sum() / ((answer.mask >= 0.5).sum() + inside.sum()) > 0.6
            there = 1 - answer.level[0]
            found.append((there[inside].mean(), there[~inside].mean()))
    assert min(within for within, _ in found) > 0.3
    assert max(beyond for _, beyond in found) < 0.1


def test_the_same_seed_gives_the_same_weights(parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    moved = [{"op": "rotate", "degrees": 10}, {"op": "shift", "share": 0.05}, {"op": "noise", "deviation": 0.1}]
    spec = located(augment=moved)
    first = fit(spec, *parts, tmp_path / "first")
    torch.rand(7)
    assert same(first, fit(spec, *parts, tmp_path / "again"))
    other = replace(spec, train=replace(spec.train, seed=4))
    assert not same(first, fit(other, *parts, tmp_path / "other"))


def test_a_killed_training_ends_with_the_same_model(manifest: Path, tmp_path: Path) -> None:
    spec = located(sampling="balanced", epochs=12, patience=11, select="loss")
    as_toml(spec, tmp_path / "spec.toml")

    def command(out: str) -> list[str]:
        words = ["train", str(tmp_path / "spec.toml"), str(manifest), "--out", str(tmp_path / out)]
        return [sys.executable, "-m", "inference", *words]

    whole, killed = (tmp_path / out / spec.name / "draft" for out in ("whole", "killed"))
    first = subprocess.Popen(
        command("killed"), cwd=ROOT, env=plain_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    history = killed / "history.jsonl"
    while first.poll() is None and (not history.is_file() or len(history.read_text().splitlines()) < 3):
        time.sleep(0.005)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert not (killed / "card.json").is_file()
    assert (killed / "training.safetensors").is_file()
    for out in ("killed", "whole"):
        subprocess.run(command(out), cwd=ROOT, env=plain_environment(), check=True, capture_output=True)
    for name in ("weights.safetensors", "tune.csv", "seen.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert [line.epoch for line in read_history(history)] == list(range(1, 13))
    assert not (killed / "training.safetensors").is_file()


def test_what_a_kill_in_the_middle_of_writing_left_is_removed(tmp_path: Path) -> None:
    for name in ("training.safetensors", "best.safetensors.partial", ".tmpre8PMb", "weights.safetensors", ".tmpfiles"):
        (tmp_path / name).touch()
    forget(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"weights.safetensors", ".tmpfiles"}


class Interrupted(dict[str, torch.Tensor]):
    """Images of a part; who asks for them the so manieth time is interrupted.

    There, and not by a signal after some time: an exception that a signal raises inside torch can leave this process
    without gradients, and a process in the background may be deaf to signals.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor], at: float) -> None:
        super().__init__(tensors)
        self.left = at

    def items(self) -> ItemsView[str, torch.Tensor]:  # type: ignore[override]
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return super().items()


@pytest.mark.parametrize(
    ("make", "optimiser", "schedule"),
    [(located, "sgd", "poly"), (located, "sgd", "one_cycle"), (located, "adamw", "cosine"), (unet, "adamw", "cosine")],
)
def test_a_training_that_was_interrupted_is_taken_up(
    make: Callable[..., ModelSpec], optimiser: str, schedule: str, parts: tuple[Samples, Samples], tmp_path: Path
) -> None:
    """In the first epoch, in later ones, and while it is tuned; what the optimiser keeps and the schedule counts is
    all there, also where weights lie with channels innermost while they are taught."""
    spec = make(optimiser=optimiser, schedule=schedule, epochs=10)
    train, tune = parts
    whole = fit(spec, *parts, tmp_path / "whole")
    folder, steps = tmp_path / "stopped", steps_of(len(train.cases), spec.train.batch)
    tunings = math.ceil(len(tune.cases) / spec.train.batch)
    for taught, tuned, done in ((1, 0, 0), (steps + 1, 0, 1), (2 * steps + steps // 2 + 1, 0, 3), (0, 2 * tunings, 8)):
        stopped = (
            replace(part, inputs=Interrupted(part.inputs, at))
            for part, at in ((train, taught or math.inf), (tune, tuned or math.inf))
        )
        with pytest.raises(KeyboardInterrupt):
            fit(spec, *stopped, folder)
        assert len(read_history(folder / "history.jsonl")) == done if done else not (folder / "history.jsonl").exists()
    assert same(whole, fit(spec, *parts, folder))
    assert all(weight.is_contiguous() for weight in whole.parameters())
    assert [line.epoch for line in read_history(folder / "history.jsonl")] == list(range(1, 11))


def test_patience_ends_it_and_takes_the_best_epoch(parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    spec = blind(epochs=60, patience=3, select="loss", schedule="constant")
    model = fit(spec, *parts, tmp_path)
    losses = [line.tune_loss for line in read_history(tmp_path / "history.jsonl")]
    assert len(losses) < 60
    assert int(np.argmin(np.array(losses, dtype=float))) == len(losses) - 4
    # The weights are those of that epoch: they give its loss again.
    assert parts[1].positive is not None
    ones = parts[1].positive.bool()
    taught = parts[0].positive
    assert taught is not None
    logits = torch.tensor(logits_of(model, parts[1]))
    weight = (len(taught) - taught.sum()) / taught.sum()
    loss = torch.where(ones, -weight * torch.nn.functional.logsigmoid(logits), torch.nn.functional.softplus(logits))
    assert float(loss.mean()) == pytest.approx(losses[-4], abs=1e-5)


def test_the_history_tells_what_it_should(parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    spec = located(epochs=4, schedule="constant")
    model = fit(spec, *parts, tmp_path)
    lines = read_history(tmp_path / "history.jsonl")
    for line in lines:
        assert line.loss == pytest.approx(line.terms["bce"] + line.terms["dice_ce"], abs=1e-5)
        assert line.rate == spec.train.rate
        assert line.seconds > 0
    assert parts[1].positive is not None
    # Nothing is selected here: the tuning part is asked after every third epoch and the last.
    assert [line.tune_loss is not None for line in lines] == [False, False, True, True]
    area = roc_auc_score(parts[1].positive, np.array(logits_of(model, parts[1])))
    assert lines[-1].tune_auc == pytest.approx(area, abs=1e-6)


def test_every_supervised_depth_has_its_loss(parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    spec = registry.load("s3-pfnet", "small")
    document = spec.to_document()
    document["inputs"] = [{"modality": "DX", "view": "AP"}]
    document["preprocess"] = unet().to_document()["preprocess"]
    document["train"] |= {"epochs": 1, "augment": [], "batch": 8}
    spec = registry.checked(ModelSpec.from_document(document))
    fit(spec, parts[0].subset(range(16)), parts[1], tmp_path)
    (line,) = read_history(tmp_path / "history.jsonl")
    assert list(line.terms) == [*(f"structure {depth}" for depth in (1, 2, 3, 4)), "bce"]
    weighted = sum(weight * value for weight, value in zip((1, 1, 2, 4, 1.5), line.terms.values(), strict=True))
    assert line.loss == pytest.approx(weighted, abs=1e-4)


def rates(schedule: str, steps: int = 8) -> list[float]:
    spec = located(schedule=schedule, optimiser="sgd", rate=0.1, epochs=2)
    optimiser = optimiser_of(spec.train, registry.build(spec))
    plan = schedule_of(spec.train, optimiser, steps // 2)
    found = []
    for _ in range(steps):
        found.append(plan.get_last_lr()[0])
        optimiser.step()
        plan.step()
    return found


def test_schedules_follow_their_formulas() -> None:
    steps = np.arange(8)
    assert rates("constant") == pytest.approx(np.full(8, 0.1))
    assert rates("cosine") == pytest.approx(0.05 * (1 + np.cos(np.pi * steps / 8)))
    assert rates("poly") == pytest.approx(0.1 * (1 - steps / 8) ** 0.9)
    assert 0.09 < max(rates("one_cycle")) <= 0.1
    assert rates("one_cycle")[-1] < 1e-3


def test_balanced_sampling_draws_both_classes_alike(parts: tuple[Samples, Samples]) -> None:
    assert parts[0].positive is not None
    few = parts[0].subset([*np.flatnonzero(parts[0].positive)[:5], *np.flatnonzero(1 - parts[0].positive)])
    assert few.positive is not None
    drawn = [
        float(few.positive[torch.cat(batches(few, located(sampling=sampling).train, chance))].mean())
        for sampling in ("balanced", "shuffled")
        for chance in [torch.Generator().manual_seed(0)]
    ]
    assert drawn[0] == pytest.approx(0.5, abs=0.2)
    assert drawn[1] == pytest.approx(5 / len(few), abs=0.05)


def test_no_batch_of_one_case_is_taught() -> None:
    assert [steps_of(count, 16) for count in (1, 2, 16, 17, 18, 33)] == [1, 1, 1, 1, 2, 2]


def test_dice_by_hand() -> None:
    """Two of three marked pixels right, of four wanted: 2·2 / (3 + 4)."""
    wanted = torch.tensor([[[[1.0, 1, 1, 1, 0, 0]]], [[[0.0] * 6]]])
    logits = torch.tensor([[[[1.0, 1, -1, -1, 1, -1]]], [[[-1.0] * 6]]])
    found = dice_of(logits, wanted)
    assert float(found[0]) == pytest.approx(4 / 7)
    assert found[1].isnan()


def test_starting_weights_are_taken_up(parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    spec = blind(epochs=1, rate=1e-9)
    other = registry.build(replace(spec, train=replace(spec.train, seed=99)))
    save_file(dict(other.state_dict()), tmp_path / "start.safetensors")
    begun = replace(spec, train=replace(spec.train, weights=str(tmp_path / "start.safetensors")))
    model = fit(begun, *parts, tmp_path / "out")
    name = "network.place.weight"
    assert model.state_dict()[name] == pytest.approx(other.state_dict()[name], abs=1e-6)


def test_starting_weights_that_do_not_fit_are_told_by_tensor(parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    path = tmp_path / "start.safetensors"
    tensors = dict(registry.build(blind()).state_dict())
    tensors["network.place.weight"] = torch.zeros(1, 5, 1, 1)
    tensors["surplus"] = tensors.pop("network.place.bias")
    save_file(tensors, path)
    begun = replace(blind(), train=replace(blind().train, weights=str(path)))
    with pytest.raises(SpecError) as told:
        fit(begun, *parts, tmp_path / "out")
    for words in ("train.weights", "place.bias is missing", "(1, 5, 1, 1), not (1, 16, 1, 1)", "surplus is unknown"):
        assert words in str(told.value)
    path.write_bytes(b"\x80\x05 a pickle")
    with pytest.raises(SpecError, match="cannot be read"):
        fit(begun, *parts, tmp_path / "out")


def test_parts_that_cannot_teach_or_select_are_refused(parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    train, tune = parts
    assert train.positive is not None
    ones = train.subset(np.flatnonzero(train.positive))
    with pytest.raises(BadCohort, match="the same truth"):
        fit(blind(), ones, tune, tmp_path)
    with pytest.raises(BadCohort, match="lacks a class"):
        fit(blind(select="auc"), train, ones, tmp_path)
    with pytest.raises(BadCohort, match="truth of some cases"):
        fit(blind(), replace(train, positive=None), tune, tmp_path)
    with pytest.raises(BadCohort, match="needs a tuning part"):
        fit(blind(patience=3), train, None, tmp_path)
    with pytest.raises(BadCohort, match="no mask"):
        fit(unet(), train, tune.subset(np.flatnonzero(1 - given(tune.positive))), tmp_path)


def test_curves_hold_what_the_history_holds(parts: tuple[Samples, Samples], tmp_path: Path) -> None:
    fit(unet(epochs=3), *parts, tmp_path)
    lines = read_history(tmp_path / "history.jsonl")
    drawn = {trace.name: list(trace.y) for trace in curves([("one", lines)]).data}
    assert drawn["training loss"] == [line.loss for line in lines]
    assert drawn["Dice"] == [line.tune_dice for line in lines]
    assert drawn["level_ce"] == [line.terms["level_ce"] for line in lines]
    assert set(drawn) == {"training loss", "tuning loss", "dice_ce", "level_ce", "AUC", "Dice", "learning rate"}
    write_curves([tmp_path, tmp_path], tmp_path / "curves.html")
    page = (tmp_path / "curves.html").read_text()
    assert "Plotly.newPlot" in page
    assert "<script src" not in page


def test_a_history_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadHistory, match="no epoch"):
        curves([("empty", ())])
    (tmp_path / "history.jsonl").write_text(json.dumps({"epok": 1}) + "\n")
    with pytest.raises(BadHistory, match="epok"):
        read_history(tmp_path / "history.jsonl")


@pytest.mark.parametrize("make", [located, unet])
def test_bfloat16_gives_the_losses_of_full_precision_but_for_its_digits(
    make: Callable[[], ModelSpec], parts: tuple[Samples, Samples]
) -> None:
    """As on a GPU, by the processor's own bfloat16; weights and losses stay what they are."""
    found = []
    for mixed in (False, True):
        spec = make()
        run = Run(spec.train, registry.build(spec), parts[0], torch.device("cpu"))
        run.mixed = mixed
        found.append([run.step(torch.arange(16), torch.Generator().manual_seed(1)) for _ in range(3)])
        assert {weight.dtype for weight in run.model.parameters()} == {torch.float32}
    for (plain, terms), (rough, same_terms) in zip(*found, strict=True):
        assert rough == pytest.approx(plain, rel=0.03)
        assert [name for name, _ in terms] == [name for name, _ in same_terms]
