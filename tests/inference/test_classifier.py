"""One loop: learns what can be learned, nothing from shuffled labels; the same from the same seed, also when killed."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.cards import WEIGHTS, Card
from inference.classifier import Training, load_part, train
from inference.cohort import BadCohort, Member, read_manifest
from inference.pixels import read_file
from inference.predict import model_in, predict
from inference.preprocess import Preprocessing


def area(folder: Path, strangers: Path) -> float:
    from sklearn.metrics import roc_auc_score

    members = read_manifest(strangers / "manifest.csv", strangers)
    card, model = model_in(folder)
    answers = predict(card, model, [read_file(m.path) for m in members], [m.case for m in members], heatmap=False)
    return float(roc_auc_score([m.positive for m in members], [answer.probability for answer in answers]))


def test_it_learns_what_can_be_learned(trained: tuple[Path, Card], strangers: Path) -> None:
    assert area(trained[0], strangers) > 0.95


def test_nothing_is_learned_from_shuffled_labels(
    tmp_path: Path, members: list[Member], plan: Training, strangers: Path
) -> None:
    """The mean of three shufflings, each by patients' films; .12 is two standard errors of it and more."""
    areas = []
    for seed in range(3):
        labels = np.random.default_rng(seed).permutation([member.positive for member in members])
        shuffled = [replace(member, positive=bool(label)) for member, label in zip(members, labels, strict=True)]
        train(shuffled, replace(plan, seed=seed), tmp_path / str(seed))
        areas.append(area(tmp_path / str(seed), strangers))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.12)


def test_the_same_seed_gives_the_same_model_byte_for_byte(
    tmp_path: Path, members: list[Member], plan: Training, trained: tuple[Path, Card]
) -> None:
    assert train(members, plan, tmp_path / "again") == trained[1]
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == (trained[0] / WEIGHTS).read_bytes()
    other = train(members, replace(plan, seed=4), tmp_path / "other")
    assert other.weights_sha256 != trained[1].weights_sha256


def test_a_killed_training_ends_with_the_same_model(
    tmp_path: Path, toy: Path, plan: Training, trained: tuple[Path, Card]
) -> None:
    words = ["classifier", str(toy / "manifest.csv"), "--images", str(toy), "--preset", plan.preset, "--seed", "3"]
    words += ["--name", "discs", "--version", "1", "--labels", "none", "disc", "--licence", "CC0-1.0"]
    command = [sys.executable, "-m", "inference", *words, "--out", str(tmp_path)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    history = tmp_path / "history.jsonl"
    while first.poll() is None and (not history.is_file() or len(history.read_text().splitlines()) < 3):
        time.sleep(0.005)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert not (tmp_path / "card.json").is_file()
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(ended.stdout)["digest"] == trained[1].digest
    assert [json.loads(line)["epoch"] for line in history.read_text().splitlines()] == list(range(1, 9))
    assert {path.name for path in tmp_path.iterdir()} == {"card.json", WEIGHTS, "history.jsonl", "seen.json"}


def test_a_checkpoint_of_another_cohort_is_not_taken_up(
    tmp_path: Path, members: list[Member], plan: Training, trained: tuple[Path, Card]
) -> None:
    train(members[:80], plan, tmp_path)
    assert train(members, plan, tmp_path) == trained[1]


def test_patience_ends_it_and_takes_the_best_epoch(
    tmp_path: Path, members: list[Member], toy: Path, plan: Training
) -> None:
    recipe = (
        (toy / "quick.toml").read_text().replace("epochs = 8", "epochs = 30").replace("patience = 0", "patience = 3")
    )
    (tmp_path / "patient.toml").write_text(recipe)
    train(members, replace(plan, preset=str(tmp_path / "patient.toml")), tmp_path / "model")
    lines = [json.loads(line) for line in (tmp_path / "model" / "history.jsonl").read_text().splitlines()]
    losses = [line["validation_loss"] for line in lines]
    assert len(losses) < 30
    assert int(np.argmin(losses)) == len(losses) - 4


def test_one_image_of_two_patients_is_refused_by_name(tmp_path: Path, members: list[Member], plan: Training) -> None:
    """Whichever part the copies fall into: with so many of them some fall apart."""
    copies = [replace(member, case=f"copy-{member.case}", patient=f"copy-{member.patient}") for member in members]
    with pytest.raises(BadCohort, match=r"the same image stands in two parts: .*copy-p"):
        train([*members, *copies], plan, tmp_path)
    assert not (tmp_path / "card.json").is_file()


def test_operating_point_and_calibration_come_from_the_validation_part(
    trained: tuple[Path, Card], members: list[Member], plan: Training
) -> None:
    """Recomputed here from the frozen weights on the validation part alone."""
    from sklearn.metrics import roc_auc_score, roc_curve

    from inference.cohort import split_by_patient

    folder, card = trained
    _, held = split_by_patient(members, seed=plan.seed)
    loaded, model = model_in(folder)
    answers = predict(loaded, model, [read_file(m.path) for m in held], [m.case for m in held], heatmap=False)
    probability = np.array([answer.probability for answer in answers])
    positive = np.array([member.positive for member in held])
    false, true, _ = roc_curve(positive, probability)
    decided = np.array([answer.positive for answer in answers])
    assert decided[positive].mean() - decided[~positive].mean() == pytest.approx((true - false).max())
    assert card.metrics["validation"]["auc"] == pytest.approx(roc_auc_score(positive, probability), abs=1e-6)
    assert card.operating_point["n"] == len(held)


def test_serving_prepares_films_as_training_did(members: list[Member], trained: tuple[Path, Card]) -> None:
    preprocessing = Preprocessing.from_recipe(trained[1].recipe["preprocessing"])
    part = load_part(members[:4], preprocessing, title="")
    for number, member in enumerate(members[:4]):
        assert np.array_equal(part.inputs[number, 0].numpy(), preprocessing(read_file(member.path)))
