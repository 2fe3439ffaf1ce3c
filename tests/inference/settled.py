"""Small models that answer differently to different images, a case of theirs, and folders as a training leaves them."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import torch

from inference.cards import Card
from inference.cohorts.cases import CohortCase, Place
from inference.models import registry
from inference.models.contract import Model
from inference.models.weights import save_weights
from inference.outputs import Decision, Platt, Probability
from inference.serving.trial import trials
from inference.spec import ModelSpec

DECISION = Decision(Platt(1.5, -0.2), 0.4, "youden", "0" * 64, 40)


def scanned(folder: Path) -> CohortCase:
    """A case of two sequences of six sagittal slices, the finding in the fourth."""
    chance = np.random.default_rng(0)
    images = {name: folder / f"{name}.nii.gz" for name in ("T1W", "T2W")}
    for path in images.values():
        values = chance.normal(500, 100, (6, 60, 50)).astype(np.int16)
        # Voxels of 4 mm across the sagittal slices, which run to the left.
        nib.save(nib.Nifti1Image(values, np.diag([-4.0, -0.8, 0.8, 1.0])), path)
    return CohortCase("c1", "p1", "control", "A", images, True, Place(3.0, 25.0, 30.0, 20.0, 20.0))


def settled(study: str) -> tuple[ModelSpec, Model]:
    """A small model whose normalisations have seen images: a fresh one hardly looks at its input."""
    torch.set_num_threads(1)
    spec = registry.load(study, "small")
    model = registry.build(spec)
    inputs = {name: torch.from_numpy(array) for name, array in trials(spec, 2, seed=5).items()}
    with torch.no_grad():
        for _ in range(8):
            model(inputs)
    return spec, model.eval()


def folder_with(folder: Path, spec: ModelSpec, model: Model, decision: Decision | None = DECISION) -> Path:
    """Card and weights."""
    folder.mkdir(parents=True, exist_ok=True)
    card = Card(
        version="1",
        weights_sha256=save_weights(model, folder, spec),
        data={},
        metrics={},
        licence="CC0-1.0",
        intended_use="tests",
        limits="none",
        spec=replace(spec, decision=decision if spec.output(Probability) is not None else None),
    )
    card.save(folder)
    return folder
