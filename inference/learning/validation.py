"""Cross-validation by patient, and the model that is taught on all cases of development afterwards."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.cards import HISTORY, OUT_OF_FOLD, TUNING
from inference.cohorts.cases import BadCohort, CohortCase, assert_no_leak, folds
from inference.cohorts.samples import Samples
from inference.deciding.logits import CaseLogit, read_logits, write_logits
from inference.declared import canonical
from inference.learning.history import read_history
from inference.learning.slices import answers_by_case, answers_by_slice, reads_neighbours
from inference.learning.training import fit, forget, part_digest, score_of
from inference.models.contract import Model
from inference.spec import ModelSpec

# A fifth of the cases, or a tenth in a ten-fold cross-validation, is kept for tuning.
TUNING_PARTS = 5
DEFAULT_FOLDS = 5
LOGITS, SLICES, DONE = "logits.csv", "slices.csv", "done"
Plan = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


def fixed_split(spec: ModelSpec, samples: Samples, parts: int = TUNING_PARTS) -> tuple[Samples, Samples]:
    """A training and a tuning part, without a patient or an image in common.

    Raises
    ------
    BadCohort
        Where the same image belongs to patients of both, or a part would lack a class.
    """
    try:
        train, tune = folds(samples.cases, parts, spec.train.seed)[0]
    except BadCohort as error:
        raise BadCohort(f"One of {parts} parts cannot be kept for tuning: {error}") from error
    divided = samples.subset(train), samples.subset(tune)
    assert_no_leak({"training": divided[0], "tuning": divided[1]})
    return divided


def train(spec: ModelSpec, samples: Samples, out: Path) -> tuple[Model, Samples, Samples]:
    """One model on a fixed split; the logits of its tuning part are written to ``tune.csv``.

    Returns
    -------
    tuple of Model, Samples, Samples
        The model, its training and its tuning part.
    """
    chosen, held = fixed_split(spec, samples)
    model = fit(spec, chosen, held, out)
    write_logits(out / TUNING, case_logits(spec, model, held, fold=0))
    return model, chosen, held


def crossval(spec: ModelSpec, samples: Samples, out: Path, k: int = 0) -> tuple[CaseLogit, ...]:
    """Every case answered by a model that was taught without its patient.

    Each fold keeps a part of its training cases for tuning. A fold that is done is not done again when the command was
    killed; one that is under way goes on from its last epoch.

    Parameters
    ----------
    spec : ModelSpec
    samples : Samples
        Cases of development only.
    out : Path
        Folder; ``fold-1`` … hold their histories, ``oof.csv`` all logits in the order of the cases, ``slices.csv``
        those of single slices where the model reads a slice with its neighbours.
    k : int
        Instead of ``spec.train.folds``; 5 where both are 0.

    Raises
    ------
    BadCohort
        Where a patient or an image would stand in two parts, or a part lacks a class.
    """
    count = k or spec.train.folds or DEFAULT_FOLDS
    plan = folds(samples.cases, count, spec.train.seed)
    assert_tested_once(samples.cases, plan)
    rows: dict[str, CaseLogit] = {}
    for number, (rest, test) in enumerate(plan, start=1):
        parts = samples.subset(rest), samples.subset(test)
        assert_no_leak({"training": parts[0], "test": parts[1]})
        found = one_fold(spec, *parts, out / f"fold-{number}", number, count)
        rows |= {row.case: row for row in found}
    ordered = tuple(rows[case.case] for case in samples.cases)
    write_logits(out / OUT_OF_FOLD, ordered)
    by_fold = [out / f"fold-{number}" / SLICES for number in range(1, len(plan) + 1)]
    if all(path.is_file() for path in by_fold):
        write_logits(out / SLICES, (row for path in by_fold for row in read_logits(path)))
    return ordered


def one_fold(
    spec: ModelSpec, rest: Samples, test: Samples, folder: Path, number: int, count: int
) -> tuple[CaseLogit, ...]:
    parts = [part_digest(part) for part in (rest, test)]
    identity = hashlib.sha256(canonical([spec.digest, parts, number, count])).hexdigest()
    done = folder / DONE
    if not (done.is_file() and done.read_text() == identity):
        chosen, held = fixed_split(spec, rest, max(TUNING_PARTS, count))
        model = fit(spec, chosen, held, folder, title=f"fold {number} of {count}")
        write_logits(folder / LOGITS, case_logits(spec, model, test, fold=number))
        if reads_neighbours(spec):
            write_logits(folder / SLICES, slice_logits(spec, model, test.cases, fold=number))
        done.write_text(identity)
        forget(folder)
    return read_logits(folder / LOGITS)


def refit(spec: ModelSpec, samples: Samples, out: Path, crossvalidated: Path) -> tuple[ModelSpec, Model]:
    """The final model, on all cases of development.

    Nothing is left to tune on: where the specification has a patience, as many epochs are run as were best in the folds
    (their median), along a schedule of that length.

    Parameters
    ----------
    crossvalidated : Path
        Folder that `crossval` wrote to.

    Returns
    -------
    tuple of ModelSpec, Model
        The specification with the epochs that were run, and the model.
    """
    final = replace(spec, train=replace(spec.train, epochs=epochs_for(spec, crossvalidated), patience=0))
    return final, fit(final, samples, None, out, title="final model")


def epochs_for(spec: ModelSpec, crossvalidated: Path) -> int:
    """Median over folds of the epoch whose weights were taken."""
    if not spec.train.patience:
        return spec.train.epochs
    best = []
    for path in sorted(crossvalidated.glob(f"fold-*/{HISTORY}")):
        best.append(min(read_history(path), key=lambda line: score_of(line, spec.train)).epoch)
    if not best:
        raise BadCohort(f"{crossvalidated} holds no cross-validation that tells how many epochs are best.")
    return round(statistics.median(best))


def assert_tested_once(cases: Sequence[CohortCase], plan: Plan) -> None:
    """Every case in one test part, every patient in one alone, and none of his cases in the training beside it.

    Raises
    ------
    BadCohort
        Naming the patient.
    """
    tested: dict[str, int] = {}
    for number, (rest, test) in enumerate(plan):
        taught = {cases[place].patient for place in rest}
        for place in test:
            patient = cases[place].patient
            if tested.setdefault(patient, number) != number or patient in taught:
                raise BadCohort(f"Leak: patient {patient} stands in more than one test part.")
    if sorted(place for _, test in plan for place in test) != list(range(len(cases))):
        raise BadCohort("Some cases stand in no test part, or in two.")


def case_logits(spec: ModelSpec, model: Model, samples: Samples, fold: int) -> list[CaseLogit]:
    return [
        CaseLogit(case.case, case.patient, fold, case.positive, None if raw.logit is None else round(raw.logit, 6))
        for case, raw in zip(samples.cases, answers_by_case(spec, model, samples), strict=True)
    ]


def slice_logits(spec: ModelSpec, model: Model, cases: Sequence[CohortCase], fold: int) -> list[CaseLogit]:
    """One row a slice that the model reads of a case, that slice in the middle of its stack."""
    return [
        CaseLogit(case.case, case.patient, fold, case.positive, None if raw.logit is None else round(raw.logit, 6), at)
        for case, at, raw in answers_by_slice(spec, model, cases)
    ]


def pooled_area(rows: Sequence[CaseLogit]) -> float | None:
    """Area under the ROC curve of all out-of-fold logits together; None where a truth or a logit is not known."""
    from sklearn.metrics import roc_auc_score

    if any(row.truth is None or row.logit is None for row in rows) or len({row.truth for row in rows}) < 2:
        return None
    return float(roc_auc_score([row.truth for row in rows], [row.logit for row in rows]))


def check_predictions(path: Path, samples: Samples) -> None:
    """Refuse out-of-fold predictions of other cases than those of development.

    Raises
    ------
    BadCohort
        Naming a case that stands in one and not in the other.
    """
    if not path.is_file():
        raise BadCohort(f"{path} is missing: cross-validate first.")
    predicted, cases = {row.case for row in read_logits(path)}, {case.case for case in samples.cases}
    for case in sorted(predicted ^ cases):
        raise BadCohort(f"Case {case} stands in {'the predictions' if case in predicted else 'the manifest'} alone.")
