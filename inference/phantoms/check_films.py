"""What the films promise, measured: Beer and Lambert, digests of whole sets, framing, and the best possible reader."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from inference.phantoms.check import Check
from inference.phantoms.column import make_patient
from inference.phantoms.exposure import water_cube
from inference.phantoms.film import make_film
from inference.phantoms.plans import AMBIGUITY, film_plan
from inference.phantoms.radiographs import film_orders
from inference.phantoms.sets import build_set

CUBES = (20.0, 60.0, 100.0, 200.0)
WITHIN = 0.01
FILMS = 60


def film_checks(seed: int = 7) -> tuple[Check, ...]:
    """All checks of films and sets; some thirty seconds."""
    return (*cube_checks(), *framing_checks(seed), same_twice(seed))


def cube_checks() -> Iterator[Check]:
    """A cube of water through the exposure of the films lets through exp(−μ·d)."""
    for side in CUBES:
        measured, expected = water_cube(side)
        yield Check(
            f"water cube of {side:.0f} mm",
            f"{measured:.5f}",
            f"{expected:.5f} ± {WITHIN:.0%}",
            abs(measured / expected - 1) <= WITHIN,
        )


def framing_checks(seed: int) -> Iterator[Check]:
    """Films of S2 cut off one to three levels and more at either end, and always show the fracture they are about."""
    plan = film_plan("s2", "small")
    shown, missed, variants = [], 0, set()
    for order in list(film_orders("s2", "small", seed))[:FILMS]:
        wanted = plan.positives if order.positive else plan.negatives
        patient = make_patient(seed, order.patient, fractured=order.positive, wanted=wanted)
        film = make_film(patient, order.site, framing=plan.framing)
        shown.append(sum(one.visible for one in film.truth.bodies))
        missed += order.positive and not film.truth.broken(plan.positive)
        variants.add(patient.variant)
    least, most = min(shown), max(shown)
    yield Check(
        f"whole bodies on {FILMS} films of S2",
        f"{least} to {most}",
        "from 5 or fewer to 7 or more",
        least <= 5 and most >= 7,
    )
    yield Check("films of S2 without the fracture they are about", str(missed), "0", missed == 0)
    yield Check("columns among them", ", ".join(sorted(variants)), "T13 and L6 too", {"T13", "L6"} <= variants)


def same_twice(seed: int) -> Check:
    """A whole set made twice, by one process and by two, has one digest."""
    with tempfile.TemporaryDirectory() as folder:
        first = build_set("s3", Path(folder) / "first", "tiny", seed)
        second = build_set("s3", Path(folder) / "second", "tiny", seed, workers=2)
    return Check("digest of a set made twice", first.digest[:12], second.digest[:12], first.digest == second.digest)


def best_reader(folder: Path) -> Iterator[Check]:
    """The best possible AUC on the cases of a set, by role, from its oracle.csv; it shows something and not all."""
    from sklearn.metrics import roc_auc_score

    with (folder / "oracle.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for role in dict.fromkeys(row["role"] for row in rows):
        own = [row for row in rows if row["role"] == role]
        truth = np.array([row["truth"] == "1" for row in own])
        auc = float(roc_auc_score(truth, [float(row["logit"]) for row in own]))
        yield Check(
            f"best possible AUC, {role}, {len(own)} cases",
            f"{auc:.3f}",
            f"0.85 to {1 - AMBIGUITY / 2:.2f}",
            0.85 <= auc <= 1 - AMBIGUITY / 2,
        )
