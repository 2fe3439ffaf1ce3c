"""One model of a study: taught, decided, and its answers with masks, levels and heat maps. Each step is done once."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from inference.cards import DRAFT, OUT_OF_FOLD, Card
from inference.cohorts.cases import CohortCase, folds, read_cohort
from inference.cohorts.samples import Samples, load_samples, refuse_seen
from inference.deciding.decision import freeze
from inference.deciding.logits import read_logits
from inference.learning.curves import write_curves
from inference.learning.drafts import Notes, write_draft
from inference.learning.predicting import Raw
from inference.learning.validation import SLICES as FOLD_SLICES
from inference.learning.validation import TUNING_PARTS, crossval, refit, train
from inference.models import registry
from inference.models.contract import Model
from inference.models.weights import load_declared
from inference.outputs import Heatmap, Mask
from inference.serving.answering import (
    PREDICTIONS,
    Answered,
    answer,
    answer_slices,
    answered,
    write_predictions,
)
from inference.serving.explaining import write_heatmaps, write_randomisation
from inference.spec import ModelSpec
from inference.studies.plans import StudyPlan

COHORT, MODELS, ANSWERS, FOLDS = "cohort", "models", "answers", "folds"
SYNTHETIC = Notes(
    licence="CC0-1.0", limits="Taught on synthetic images only; worth nothing on images of patients."
)  # fmt: skip
UNSEEN = ("control", "external")


def model_of_study(plan: StudyPlan, name: str, folder: Path, *, preset: str, seed: int, epochs: int = 0) -> Card:
    """Teach, decide and ask one model; what is there already is not done again.

    Parameters
    ----------
    name : str
        Of a recipe.
    folder : Path
        Of the study, with its cohort; the model goes to ``models/NAME``, its answers to ``answers/NAME``.
    preset : str
        Of the recipe.
    seed : int
        Of the training.
    epochs : int
        Instead of those of the recipe; 0 for these.
    """
    spec = registry.load(name, preset)
    spec = replace(spec, train=replace(spec.train, seed=seed, epochs=epochs or spec.train.epochs))
    cases = read_cohort(folder / COHORT / "manifest.csv", [one.name for one in spec.inputs])
    develop = [case for case in cases if case.role == "develop"]
    home = folder / MODELS / name
    if not (home / "1").is_dir():
        samples = load_samples(spec, develop)
        (cross_taught if plan.crossvalidated else taught)(spec, samples, home)
        freeze(home)
    card, model = load_declared(home / "1")
    out = folder / ANSWERS / name
    if not (out / PREDICTIONS).is_file():
        ask(card, model, cases, home, out)
    return card


def taught(spec: ModelSpec, samples: Samples, home: Path) -> None:
    model, chosen, held = train(spec, samples, home / DRAFT)
    write_draft(home / DRAFT, spec, model, {"training": chosen, "tuning": held}, SYNTHETIC)
    write_curves([home / DRAFT], home / "curves.html")


def cross_taught(spec: ModelSpec, samples: Samples, home: Path) -> None:
    crossval(spec, samples, home / FOLDS)
    (home / DRAFT).mkdir(parents=True, exist_ok=True)
    final, model = refit(spec, samples, home / DRAFT, home / FOLDS)
    shutil.copy2(home / FOLDS / OUT_OF_FOLD, home / DRAFT / OUT_OF_FOLD)
    write_draft(home / DRAFT, final, model, {"training": samples}, SYNTHETIC)
    write_curves(sorted((home / FOLDS).glob("fold-*")), home / "curves.html")


def ask(card: Card, model: Model, cases: Sequence[CohortCase], home: Path, out: Path) -> None:
    """Answers to all cases that the model was not taught; those of development are out of fold, or tuning cases."""
    spec = card.spec
    unseen = [case for case in cases if case.role in UNSEEN]
    if (home / FOLDS / OUT_OF_FOLD).is_file():
        ask_folds(card, model, [case for case in cases if case.role == "develop"], unseen, home, out)
        return
    samples = load_samples(spec, [*tuning(spec, cases), *unseen] if spec.output(Mask) else unseen, taught=False)
    refuse_seen(samples, home / "1", card.data["seen_sha256"])
    explained(card, model, samples, out)
    answer_slices(card, model, samples, out)
    answer(card, model, samples, out)


def ask_folds(
    card: Card, model: Model, known: Sequence[CohortCase], unseen: Sequence[CohortCase], home: Path, out: Path
) -> None:
    """Cases of development as their folds answered them; the others, and all heat maps, by the final model."""
    develop = load_samples(card.spec, known, taught=False)
    rows = out_of_fold(card, develop, home / FOLDS / OUT_OF_FOLD)
    by_slice = home / FOLDS / FOLD_SLICES
    besides = out_of_fold(card, develop, by_slice) if by_slice.is_file() else ()
    others = load_samples(card.spec, unseen, taught=False) if unseen else None
    out.mkdir(parents=True, exist_ok=True)
    if others is not None:
        refuse_seen(others, home / "1", card.data["seen_sha256"])
        # The final model was taught all cases of development: a map of theirs would show what it remembers.
        explained(card, model, others, out)
    answer_slices(card, model, others, out, besides=besides)
    if others is not None:
        rows = (*rows, *answer(card, model, others, out))
    write_predictions(out / PREDICTIONS, card, rows)


def tuning(spec: ModelSpec, cases: Sequence[CohortCase]) -> list[CohortCase]:
    """The cases of development that were kept for tuning: thresholds of vertebrae are chosen on them."""
    develop = [case for case in cases if case.role == "develop"]
    _, held = folds(develop, TUNING_PARTS, spec.train.seed)[0]
    return [develop[place] for place in held]


def out_of_fold(card: Card, samples: Samples, logits: Path) -> tuple[Answered, ...]:
    """Rows of predictions from stored out-of-fold logits of cases or of their slices, at the frozen decision."""
    known = {case.case: (case, digest) for case, digest in zip(samples.cases, samples.digests, strict=True)}
    rows = []
    for row in read_logits(logits):
        case, digest = known[row.case]
        rows.append(replace(answered(card, case, Raw(logit=row.logit), digest), fold=row.fold, slice=row.slice))
    return tuple(rows)


def explained(card: Card, model: Model, samples: Samples, out: Path) -> None:
    """Heat maps of the positive cases, and what random weights leave of them."""
    positive = [place for place, case in enumerate(samples.cases) if case.positive]
    if card.spec.output(Heatmap) is not None and positive:
        write_heatmaps(card.spec, model, samples.subset(positive), out)
    write_randomisation(card, model, samples, out)
