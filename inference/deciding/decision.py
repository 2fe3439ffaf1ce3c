"""Calibration and operating point, chosen on tuning or out-of-fold logits alone, then frozen. Free of torch.

A model lies in ``NAME/``: ``NAME/draft`` is what a training left, ``NAME/1``, ``NAME/2`` … are its versions, each with
its own decision. What is frozen is never written again.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from inference.cards import DRAFT, HISTORY, OUT_OF_FOLD, TUNING, WEIGHTS, Card, CardError, sha256_of
from inference.cohorts.cases import SEEN, BadCohort, CohortCase
from inference.deciding import calibration as methods
from inference.deciding.logits import CaseLogit, read_logits
from inference.deciding.performance import Performance, measure
from inference.declared import SpecError
from inference.outputs import Decision, Isotonic, Platt, Probability, Temperature

Method = Literal["platt", "temperature", "isotonic"]
METHODS: tuple[Method, ...] = get_args(Method)
Vector = NDArray[np.float64]
Calibration = Platt | Temperature | Isotonic
FITS: dict[str, Callable[[Vector, NDArray[np.bool_]], Calibration]] = {
    "platt": methods.fit_platt,
    "temperature": methods.fit_temperature,
    "isotonic": methods.fit_isotonic,
}
KEPT = (WEIGHTS, HISTORY, SEEN, OUT_OF_FOLD, TUNING)


def choose(
    rows: Sequence[CaseLogit], digest: str, *, rule: str = "youden", method: Method = "platt", certain: float = 0.0
) -> Decision:
    """Calibrate, and find the threshold by its rule.

    Parameters
    ----------
    rows : sequence of CaseLogit
        Of tuning or out-of-fold cases.
    digest : str
        SHA-256 of the table that they stand in.
    rule : str
        ``youden``; ``sensitivity>=0.95``: the highest threshold that reaches it; ``specificity>=0.95``: the lowest.
    method : {"platt", "temperature", "isotonic"}
    certain : float
        Where above 0, the answer is "uncertain" between the threshold at which that share of the positives is found and
        the one at which that share of the negatives is left alone; no band where the two do not lie in this order.

    Raises
    ------
    BadCohort
        Where a case has no truth or no logit, or all have the same truth.
    SpecError
        Where there is no such rule.
    """
    logits, positive = arrays(rows)
    fitted = FITS[method](logits, positive)
    probability = np.round(methods.calibrated(fitted, logits), 6)
    threshold = threshold_by(rule, probability, positive)
    return Decision(
        calibration=fitted,
        threshold=threshold,
        rule=rule,
        fitted_on=digest,
        cases=len(rows),
        abstain=band(probability, positive, certain, threshold) if certain else None,
    )


def threshold_by(rule: str, probability: Vector, positive: NDArray[np.bool_]) -> float:
    if rule == "youden":
        return methods.youden_threshold(probability, positive)
    kind, _, share = rule.partition(">=")
    if kind not in {"sensitivity", "specificity"} or not re.fullmatch(r"0?\.\d+|1(\.0*)?", share):
        raise SpecError("decision.rule", f"{rule!r} is not youden, sensitivity>=0.95 or specificity>=0.95.")
    if kind == "sensitivity":
        return methods.threshold_at(probability, positive, sensitivity=float(share))
    return methods.threshold_with(probability, positive, specificity=float(share))


def band(
    probability: Vector, positive: NDArray[np.bool_], certain: float, threshold: float
) -> tuple[float, float] | None:
    low = methods.threshold_at(probability, positive, sensitivity=certain)
    high = methods.threshold_with(probability, positive, specificity=certain)
    return (min(low, threshold), max(high, threshold)) if low < high else None


def arrays(rows: Sequence[CaseLogit]) -> tuple[Vector, NDArray[np.bool_]]:
    """Logits and truths, both of shape (n,)."""
    for row in rows:
        if row.truth is None or row.logit is None:
            lacking = "truth" if row.truth is None else "logit"
            raise BadCohort(f"Case {row.case} has no {lacking}, so nothing can be decided on it.")
    positive = np.array([bool(row.truth) for row in rows])
    if positive.all() or not positive.any():
        raise BadCohort("All cases have the same truth; a decision needs both.")
    return np.array([float(row.logit or 0.0) for row in rows]), positive


def freeze(model: Path, *, rule: str = "youden", method: Method = "platt", certain: float = 0.0) -> Card:
    """The next version of a model: its draft with a decision, chosen on the predictions that the draft's card names.

    The same decision on the same weights is the version that holds it already.

    Parameters
    ----------
    model : Path
        Folder that holds ``draft``.
    rule, method, certain
        As `choose` wants them.

    Raises
    ------
    CardError
        Where there is no draft, a byte of it was changed, or its predictions are not the ones of its card.
    BadCohort
        Where nothing can be decided on them.
    """
    folder = model / DRAFT
    if not folder.is_dir():
        raise CardError(f"{model} holds no {DRAFT}: name the folder of a model that was taught by train or refit.")
    draft = Card.load(folder, draft=True)
    name, rows = predictions_of(draft, folder)
    spec, metrics = draft.spec, {}
    if spec.output(Probability) is not None:
        decision = choose(rows, draft.predictions_sha256, rule=rule, method=method, certain=certain)
        spec = spec.frozen(decision)
        metrics = {name: reached(rows, decision).to_document()}
    decided = replace(draft, spec=spec, metrics=metrics)
    for version in versions(model):
        card = Card.load(model / str(version))
        if card == replace(decided, version=card.version):
            return card
    card = replace(decided, version=str(max(versions(model), default=0) + 1))
    keep(card, folder, model / card.version)
    return card


def predictions_of(card: Card, folder: Path) -> tuple[str, tuple[CaseLogit, ...]]:
    """Which predictions a decision is chosen on, in words, and these; every byte is checked."""
    for name, words in ((OUT_OF_FOLD, "out-of-fold"), (TUNING, "tuning")):
        path = folder / name
        if path.is_file() and sha256_of(path) == card.predictions_sha256:
            return words, read_logits(path)
    raise CardError("The predictions beside the card are not the ones that it names: their SHA-256 differs.")


def reached(rows: Sequence[CaseLogit], decision: Decision) -> Performance:
    """On the cases that the decision was chosen on: sensitivity and specificity are a little too good."""
    logits, positive = arrays(rows)
    probability = np.round(methods.calibrated(decision.calibration, logits), 6)
    return measure(probability, positive, decision.threshold)


def keep(card: Card, draft: Path, folder: Path) -> None:
    """A version is there whole or not at all."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name in KEPT:
        if (draft / name).is_file():
            shutil.copy2(draft / name, partial / name)
    card.save(partial)
    partial.rename(folder)


def versions(model: Path) -> list[int]:
    """Numbers of the frozen versions in a model's folder, rising."""
    return sorted(int(path.name) for path in model.iterdir() if path.is_dir() and path.name.isdecimal())


def check_decided(card: Card, cases: Iterable[CohortCase]) -> None:
    """Refuse control and external cases while nothing is frozen.

    Raises
    ------
    CardError
        Naming the case.
    """
    if card.version != DRAFT:
        return
    for case in cases:
        if case.role != "develop":
            raise CardError(
                f"Nothing is decided in {card.name} yet, and case {case.case} is {case.role}: such cases are answered "
                "once the decision is frozen."
            )
