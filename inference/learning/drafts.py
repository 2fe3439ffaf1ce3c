"""What a training leaves behind: weights, a card without a decision, marks of what was seen, curves."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from inference.cards import DRAFT, OUT_OF_FOLD, TUNING, Card, sha256_of
from inference.cohorts.cases import SEEN, seen
from inference.cohorts.samples import Samples
from inference.learning.training import forget, part_digest
from inference.models.contract import Model
from inference.models.weights import save_weights
from inference.spec import ModelSpec

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Notes:
    """What a person says of a model."""

    licence: str = "for research"
    intended_use: str = "Assistance in reader studies; not for the care of patients."
    limits: str = "Taught on one cohort; see data and metrics."


def write_draft(folder: Path, spec: ModelSpec, model: Model, parts: Mapping[str, Samples], notes: Notes) -> Card:
    """Weights, card and marks; a decision may be chosen on the predictions that lie in the folder already.

    Parameters
    ----------
    folder : Path
        Of the draft, with ``oof.csv`` or ``tune.csv``.
    spec : ModelSpec
        As the model was taught.
    parts : mapping of str to Samples
        Everything that had to do with its making, by the name of the part.
    """
    (folder / SEEN).write_text(json.dumps({name: marks_of(part) for name, part in parts.items()}), encoding="utf-8")
    chosen_on = folder / OUT_OF_FOLD
    card = Card(
        version=DRAFT,
        spec=spec,
        data={name: facts_of(part) for name, part in parts.items()} | {"seen_sha256": sha256_of(folder / SEEN)},
        metrics={},
        weights_sha256=save_weights(model, folder, spec),
        predictions_sha256=sha256_of(chosen_on if chosen_on.is_file() else folder / TUNING),
        parameters=sum(tensor.numel() for tensor in model.parameters()),
        macs=macs_of(spec, model),
        made_with=made_with(),
        licence=notes.licence,
        intended_use=notes.intended_use,
        limits=notes.limits,
    )
    card.save(folder)
    forget(folder)
    return card


def marks_of(part: Samples) -> dict[str, list[str]]:
    """Marks of all patients and of all images, also where a case has several."""
    pairs = [(case, digest) for case, own in zip(part.cases, part.image_digests, strict=True) for digest in own]
    return seen([case for case, _ in pairs], [digest for _, digest in pairs])


def facts_of(part: Samples) -> dict[str, int | str]:
    return {
        "cases": len(part.cases),
        "patients": len({case.patient for case in part.cases}),
        "positives": sum(bool(case.positive) for case in part.cases),
        "digest": part_digest(part),
    }


def macs_of(spec: ModelSpec, model: Model) -> int:
    """Multiplications with addition for one case, of convolutions and matrix products, as torch counts them."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model.eval()(blank_case(spec))
    return int(counter.get_total_flops()) // 2


def blank_case(spec: ModelSpec) -> dict[str, Tensor]:
    """An input of zeros: (1, slices, rows, columns), or (1, 1, slices, rows, columns) in three dimensions."""
    flat = len(spec.size) == 2
    return {one.name: torch.zeros(1, len(one.slices) if flat else 1, *spec.size) for one in spec.inputs}


def made_with() -> dict[str, str]:
    return {"code": source_digest(), "torch": torch.__version__, "monai": importlib.metadata.version("monai")}


@cache
def source_digest() -> str:
    """SHA-256 over the source of this package, so that a card tells which code made it, with or without git."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()
