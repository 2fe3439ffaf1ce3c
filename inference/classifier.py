"""One training loop for all families: patient-grouped, deterministic from its seed, resumable after a kill."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from inference.calibration import fit_calibration, youden_threshold
from inference.cards import Card, First, sha256_of
from inference.checkpoint import Checkpoint
from inference.cohort import SEEN, Member, check_no_leak, seen, split_by_patient
from inference.declared import canonical
from inference.evaluate import measure
from inference.models import build
from inference.part import Part, augmented, load_part
from inference.preprocess import Preprocessing
from inference.recipes import read_recipe
from inference.teaching import Teaching, teaching_for
from inference.weights import save_weights


@dataclass(frozen=True)
class Training:
    """Everything that decides the result, besides the data.

    Attributes
    ----------
    name, version : str
        Of the model.
    labels : tuple of str
        Negative, positive.
    preset : str
        A preset of ``inference.recipes``, or the path of a recipe.
    seed : int
    epochs : int or None
        Instead of the preset's number.
    """

    name: str
    version: str
    labels: tuple[str, str]
    preset: str = "wavelet"
    seed: int = 0
    epochs: int | None = None
    licence: str = "for research"
    intended_use: str = "Assistance in reader studies; not for the care of patients."
    limits: str = "Trained on one cohort; see data and metrics."

    def recipe(self) -> dict[str, Any]:
        chosen: dict[str, Any] = read_recipe(self.preset)
        chosen["training"]["seed"] = self.seed
        if self.epochs is not None:
            chosen["training"]["epochs"] = self.epochs
        return chosen


def train(members: Sequence[Member], plan: Training, out: Path) -> Card:
    """Train, calibrate and freeze one classifier; weights and card are written to ``out``.

    The cohort is split by patient; calibration and operating point (Youden) come from the validation part only.
    A run that was killed continues from its last epoch and ends with the same weights.

    Returns
    -------
    Card
        As written beside the weights.

    Raises
    ------
    BadCohort
        Where a patient or an image would stand in both parts, or a part lacks a class.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    recipe = plan.recipe()
    out.mkdir(parents=True, exist_ok=True)
    preprocessing = Preprocessing.from_recipe(recipe["preprocessing"])
    chosen, held = split_by_patient(members, seed=plan.seed)
    training = load_part(chosen, preprocessing, title="training images")
    validation = load_part(held, preprocessing, title="validation images")
    check_no_leak(
        {
            "training": zip(training.members, training.digests, strict=True),
            "validation": zip(validation.members, validation.digests, strict=True),
        }
    )
    model = fit(recipe, training, validation, out)
    card = freeze(model, plan, recipe, training, validation, out)
    Checkpoint(out, identity_of(recipe, training)).clear()
    return card


def identity_of(recipe: Mapping[str, Any], training: Part) -> str:
    return hashlib.sha256(canonical([recipe, training.digest()])).hexdigest()


def fit(recipe: Mapping[str, Any], training: Part, validation: Part, out: Path) -> nn.Module:
    """The loop: AdamW on a one-cycle schedule, binary cross-entropy with balanced classes and smoothed labels.

    With a ``patience``, the weights of the epoch with the lowest validation loss are taken, and that many epochs
    without a lower one end it; with 0 it runs to the end of its schedule and the last weights are taken.
    """
    settings = recipe["training"]
    torch.manual_seed(settings["seed"])
    model = build(recipe["family"], recipe["architecture"])
    optimiser = torch.optim.AdamW(model.parameters(), settings["rate"], weight_decay=settings["decay"])
    epochs, batch = settings["epochs"], settings["batch"]
    steps = math.ceil(len(training.labels) / batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings["rate"], total_steps=epochs * steps)
    checkpoint = Checkpoint(out, identity_of(recipe, training))
    first = checkpoint.resume(model, optimiser, schedule)
    teaching = teaching_for(recipe, model, training)
    balance = (len(training.labels) - training.labels.sum()) / training.labels.sum()
    progress = tqdm(range(first, epochs), desc="training", unit="epoch", initial=first, total=epochs)
    for epoch in progress:
        if settings["patience"] and epoch - checkpoint.best_epoch >= settings["patience"]:
            break
        chance = torch.Generator().manual_seed(settings["seed"] * 100_003 + epoch)
        loss = one_epoch(model, optimiser, schedule, training, settings, balance, chance, teaching)
        measured = loss_on(model, validation, balance)
        line = {"epoch": epoch + 1, "loss": round(loss, 6), "validation_loss": round(measured, 6)}
        checkpoint.note(epoch + 1, json.dumps(line) + "\n", measured, model)
        checkpoint.save(epoch + 1, model, optimiser, schedule)
        progress.set_postfix(loss=f"{loss:.3f}", best=checkpoint.best_epoch)
    if settings["patience"]:
        checkpoint.load_best(model)
    return model.eval()


def one_epoch(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    training: Part,
    settings: Mapping[str, Any],
    balance: Tensor,
    chance: torch.Generator,
    teaching: Teaching | None,
) -> float:
    model.train()
    torch.manual_seed(
        int(torch.randint(2**31, (1,), generator=chance))
    )  # dropout follows the epoch, also after a resume
    order = torch.randperm(len(training.labels), generator=chance)
    total = 0.0
    for chosen in order.split(settings["batch"]):
        smooth = settings["smoothing"]
        target = training.labels[chosen] * (1 - 2 * smooth) + smooth
        if teaching is None:
            images = augmented(training.inputs[chosen], chance, flip=settings["flip"])
            logits, placed = model(images), torch.zeros(())
        else:
            images, marks = teaching.augmented(training, chosen, chance, flip=settings["flip"])
            logits, placed = teaching.loss(model, images, marks, training.labels[chosen])
        loss = F.binary_cross_entropy_with_logits(logits, target, pos_weight=balance) + placed
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        total += loss.item() * len(chosen)
    return total / len(order)


def logits_of(model: nn.Module, inputs: Tensor, batch: int = 64) -> NDArray[np.float64]:
    """Logits of all inputs, shape (n,)."""
    model.eval()
    with torch.inference_mode():
        parts = [model(chunk) for chunk in inputs.split(batch)]
    result: NDArray[np.float64] = torch.cat(parts).numpy().astype(np.float64)
    return result


def loss_on(model: nn.Module, part: Part, balance: Tensor) -> float:
    logits = torch.from_numpy(logits_of(model, part.inputs)).float()
    return float(F.binary_cross_entropy_with_logits(logits, part.labels, pos_weight=balance))


def freeze(
    model: nn.Module, plan: Training, recipe: Mapping[str, Any], training: Part, validation: Part, out: Path
) -> Card:
    """Calibrate and decide on validation data, then write weights and card."""
    parts = {"training": training, "validation": validation}
    (out / SEEN).write_text(json.dumps({name: seen(part.members, part.digests) for name, part in parts.items()}))
    logits = logits_of(model, validation.inputs)
    calibration = fit_calibration(logits, validation.positive)
    probability = calibration.probability(logits)
    threshold = youden_threshold(probability, validation.positive)
    first = First(
        name=plan.name,
        family=recipe["family"],
        recipe=recipe,
        labels=plan.labels,
        calibration=calibration.to_document() | {"fitted_on": "validation"},
        operating_point={"threshold": threshold, "rule": "youden", "chosen_on": "validation", "n": len(logits)},
    )
    card = Card(
        version=plan.version,
        first=first,
        data={name: facts_of(part) for name, part in parts.items()} | {"seen_sha256": sha256_of(out / SEEN)},
        metrics={"validation": measure(probability, validation.positive, threshold).to_document()},
        weights_sha256=save_weights(model, out),
        licence=plan.licence,
        intended_use=plan.intended_use,
        limits=plan.limits,
    )
    card.save(out)
    return card


def facts_of(part: Part) -> dict[str, int | str]:
    return {
        "cases": len(part.members),
        "patients": len({member.patient for member in part.members}),
        "positives": int(part.positive.sum()),
        "digest": part.digest(),
    }
