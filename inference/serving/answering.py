"""The answers of a frozen model to the cases of a cohort, as tidy tables and files that the statistics read."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from inference.cards import Card
from inference.cohorts.cases import CohortCase
from inference.cohorts.levels import CODES
from inference.cohorts.samples import Samples
from inference.deciding.calibration import calibrated
from inference.imaging.images import read_image
from inference.learning.predicting import Raw
from inference.learning.slices import answers_by_case, answers_by_slice
from inference.models.contract import Model
from inference.outputs import Level

PREDICTIONS, SLICES = "predictions.csv", "slice_predictions.csv"
COLUMNS = (
    *("case", "patient", "role", "site", "model", "version", "fold", "truth", "logit", "probability", "positive"),
    *("card_digest", "input_digest", "seconds", "uncertain"),
)
DIGITS = 6


@dataclass(frozen=True)
class Answered:
    """One case: what stands in a row of ``predictions.csv``.

    Attributes
    ----------
    case : CohortCase
    fold : int or None
        Where the answer is out of fold.
    slice : int or None
        Where it is the answer to one slice and its neighbours.
    logit, probability : float or None
        Rounded to six decimals; None where the model answers no probability.
    positive, uncertain : bool or None
        By the frozen threshold, and whether the probability lies in the band where the model abstains.
    input_digest : str
    seconds : float
        Of the forward pass; of a batch, its share.
    """

    case: CohortCase
    logit: float | None
    probability: float | None
    positive: bool | None
    uncertain: bool | None
    input_digest: str
    seconds: float
    fold: int | None = None
    slice: int | None = None


def answered(card: Card, case: CohortCase, raw: Raw, input_digest: str) -> Answered:
    """The answer to one case at the card's frozen decision; without one, the logit alone.

    The probability is rounded before it is compared, so that the composition of a batch leaves no trace.
    """
    logit = None if raw.logit is None else round(raw.logit, DIGITS)
    decision = card.spec.decision
    if raw.logit is None or decision is None:
        return Answered(case, logit, None, None, None, input_digest, raw.seconds)
    probability = round(float(calibrated(decision.calibration, np.array([raw.logit]))[0]), DIGITS)
    low, high = decision.abstain or (1.0, 0.0)
    return Answered(
        case=case,
        logit=logit,
        probability=probability,
        positive=probability >= decision.threshold,
        uncertain=low <= probability < high,
        input_digest=input_digest,
        seconds=raw.seconds,
    )


def answer(card: Card, model: Model, samples: Samples, out: Path) -> tuple[Answered, ...]:
    """Answer all cases; masks and levels are written to ``out`` as they come, the table at the end.

    ``masks/CASE.png`` holds the probability of every pixel of the image times 255; ``levels/CASE.png`` its
    level as a number (`inference.cohorts.levels.CODES`), 0 where there is none. Volumes are ``.nii.gz`` with the same
    numbers.

    Returns
    -------
    tuple of Answered
        In the order of the cases.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for place, raw in enumerate(answers_by_case(card.spec, model, samples)):
        rows.append(answered(card, samples.cases[place], raw, samples.digests[place]))
        write_maps(card, samples, place, raw, out)
    write_predictions(out / PREDICTIONS, card, rows)
    return tuple(rows)


def answer_slices(
    card: Card, model: Model, samples: Samples | None, out: Path, *, besides: Sequence[Answered] = ()
) -> tuple[Answered, ...]:
    """``slice_predictions.csv``: an answer for every slice that the model reads of a case, in the middle of its stack.

    Nothing is written where the model reads single images or volumes.

    Parameters
    ----------
    samples : Samples or None
        Cases to be asked.
    besides : sequence of Answered
        Rows that are known already, such as those out of fold; they stand first.
    """
    said: list[Answered] = []
    if samples is not None:
        digests = dict(zip((case.case for case in samples.cases), samples.digests, strict=True))
        for case, number, raw in answers_by_slice(card.spec, model, samples.cases):
            said.append(replace(answered(card, case, raw, digests[case.case]), slice=number))
    rows = (*besides, *said)
    if rows:
        out.mkdir(parents=True, exist_ok=True)
        write_predictions(out / SLICES, card, rows)
    return rows


def write_maps(card: Card, samples: Samples, place: int, raw: Raw, out: Path) -> None:
    case, geometry = samples.cases[place], samples.geometries[place]
    if raw.mask is not None:
        shown = np.clip(geometry.back(raw.mask) * 255, 0, 255).round().astype(np.uint8)
        write_map(out / "masks", case, shown)
    level = card.spec.output(Level)
    if raw.level is not None and level is not None:
        classes = np.stack([geometry.back(plane) for plane in raw.level[1:]])
        codes = np.array([CODES[name] for name in level.levels], np.uint8)
        # Outside the region all is 0, and so is the background's share.
        background = geometry.back(raw.level[0])
        found = np.where(classes.max(axis=0) > background, codes[classes.argmax(axis=0)], 0).astype(np.uint8)
        write_map(out / "levels", case, found)


def write_map(folder: Path, case: CohortCase, values: NDArray[np.uint8]) -> None:
    """A plane as PNG, a volume as NIfTI that is read as (slices, rows, columns) again."""
    folder.mkdir(exist_ok=True)
    if values.ndim == 2:
        Picture.fromarray(values).save(folder / f"{case.case}.png")
        return
    import nibabel as nib

    slices, rows, columns = read_image(next(iter(case.images.values()))).spacing
    affine = np.diag([-columns, -rows, slices, 1.0])
    nib.save(nib.Nifti1Image(values.transpose(2, 1, 0), affine), folder / f"{case.case}.nii.gz")


def write_predictions(path: Path, card: Card, rows: Sequence[Answered]) -> None:
    """``predictions.csv``: one row per case, or ``slice_predictions.csv``: one per slice, with its number.

    Empty where nothing is known; whole or not at all.
    """
    sliced = any(row.slice is not None for row in rows)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow([*COLUMNS, *(["slice"] if sliced else [])])
        for row in rows:
            case = row.case
            known = [case.case, case.patient, case.role, case.site, card.name, card.version, shown(row.fold)]
            said = [shown(case.positive), decimals(row.logit), decimals(row.probability), shown(row.positive)]
            made = [card.digest, row.input_digest, row.seconds, shown(row.uncertain)]
            table.writerow([*known, *said, *made, *([shown(row.slice)] if sliced else [])])
    partial.replace(path)


def shown(value: bool | int | None) -> str:
    return "" if value is None else str(int(value))


def decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.{DIGITS}f}"
