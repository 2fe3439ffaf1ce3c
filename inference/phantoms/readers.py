"""Simulated readers: what a senior and a junior would answer, unaided and with a model's probability before them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.cohort import BadCohort
from inference.phantoms.column import chance_for

# Separation of the perceived evidence between fracture and none (d′), before and beside the model; seconds per case.
PERCEPTION = {"senior": 2.1, "intermediate": 1.7, "junior": 1.25}
TRUST = {"senior": 0.35, "intermediate": 0.5, "junior": 0.65}
SECONDS = {"senior": 21.0, "intermediate": 26.0, "junior": 32.0}
GRADE_EASE = {0: 0.0, 1: 0.55, 2: 1.0, 3: 1.35}


@dataclass(frozen=True)
class SimulatedAnswer:
    rating: int
    decision: int
    seconds: float


def answer(
    *, seed: int, reader: str, seniority: str, case: str, grade: int, probability: float | None
) -> SimulatedAnswer:
    """One answer. ``probability`` is the model's, in the aided arm; ``grade`` is Genant's, 0 without a fracture.

    The reader perceives evidence e ~ N(d′·ease/2 · ±1, 1); aided, the model's log-odds join with the weight that this
    seniority gives them. The rating is 100·Φ(e) in whole numbers, the decision positive from 50 on.
    """
    from scipy.special import ndtr

    chance = chance_for(seed, "reader", reader, case, probability is not None)
    stable = chance_for(seed, "case", case).normal()
    sign = GRADE_EASE[grade] if grade else -1.0
    evidence = PERCEPTION[seniority] / 2 * sign + 0.45 * stable + 0.85 * chance.normal()
    if probability is not None:
        odds = np.log(np.clip(probability, 0.01, 0.99) / (1 - np.clip(probability, 0.01, 0.99)))
        evidence += TRUST[seniority] * odds * 0.55
    rating = int(np.clip(round(100 * float(ndtr(evidence * 0.8))), 0, 100))
    haste = 0.88 if probability is not None else 1.0
    seconds = SECONDS[seniority] * haste * float(np.exp(chance.normal(0, 0.35)))
    return SimulatedAnswer(rating, int(rating >= 50), round(seconds, 1))


def write_answers(
    manifest: Path, probabilities: Mapping[str, float], out: Path, *, seed: int, per_group: int = 3
) -> int:
    """Answers of ``per_group`` senior and as many junior readers to all cases, unaided and aided, as CSV.

    Parameters
    ----------
    manifest : Path
        As ``build`` wrote it; the columns case and grade are read.
    probabilities : mapping of case to the model's probability
    out : Path
        CSV with the columns reader, seniority, arm, case, rating, decision, seconds.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    BadCohort
        Naming the cases without a prediction.
    """
    with manifest.open(newline="", encoding="utf-8") as stream:
        cases = list(csv.DictReader(stream))
    missing = [case["case"] for case in cases if case["case"] not in probabilities]
    if missing:
        raise BadCohort(f"There is no prediction of {', '.join(missing[:5])}; aided readers need one of every case.")
    group = [
        (f"{seniority[0].upper()}{i + 1}", seniority) for seniority in ("senior", "junior") for i in range(per_group)
    ]
    rows = 0
    with out.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["reader", "seniority", "arm", "case", "rating", "decision", "seconds"])
        for reader, seniority in group:
            for arm in ("unaided", "aided"):
                for case in cases:
                    name = case["case"]
                    given = answer(
                        seed=seed,
                        reader=reader,
                        seniority=seniority,
                        case=name,
                        grade=int(case["grade"]),
                        probability=probabilities[name] if arm == "aided" else None,
                    )
                    table.writerow([reader, seniority, arm, name, given.rating, given.decision, given.seconds])
                    rows += 1
    return rows
