"""Synthetic lateral spine radiographs. Every case is labelled synthetic; nothing here comes from a patient.

column    a patient: vertebral column with or without a compression fracture
bones     what each bone adds to a ray; tissue everything else; shapes the soft-edged forms of both
film      the radiograph of a patient at a site: Beer–Lambert, scatter, blur, noise
readers   simulated readers with a seniority

`build(folder, cases=…, seed=…)` writes 16-bit PNG films and a manifest that `manage.py import_cases` and
`python -m inference train` read.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from inference.phantoms.column import Patient, make_patient
from inference.phantoms.film import SITES, make_film, place_of

MANIFEST = "manifest.csv"
COLUMNS = [
    "case",
    "patient",
    "file",
    "series",
    "truth",
    "site",
    "level",
    "grade",
    "shape",
    "age",
    "sex",
    "row",
    "column",
    "synthetic",
]


def build(folder: Path, *, cases: int, seed: int, prefix: str = "P", prevalence: float = 0.5) -> Path:
    """Write ``cases`` films of as many patients, and their manifest.

    Parameters
    ----------
    folder : Path
        Made if missing.
    cases, seed : int
        The same seed gives the same bytes; a patient hangs only on seed and number.
    prefix : str
        Before the patients' numbers, so that two sets can be told apart.
    prevalence : float
        Share of cases with a fracture, spread evenly.

    Returns
    -------
    Path
        Of the manifest.
    """
    films = folder / "films"
    films.mkdir(parents=True, exist_ok=True)
    manifest = folder / MANIFEST
    with manifest.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.DictWriter(stream, COLUMNS)
        rows.writeheader()
        for number in range(cases):
            name = f"{prefix}{number + 1:03d}"
            fractured = int((number + 1) * prevalence) > int(number * prevalence)
            patient = make_patient(seed, name, fractured=fractured)
            site = sorted(SITES)[number // 2 % len(SITES)]
            film = make_film(patient, SITES[site])
            # Depth in the name of the format: 12 bits in 16, as radiographs come.
            Image.fromarray(film.astype(np.uint16)).save(films / f"{name}.png", optimize=False)
            rows.writerow(row_of(patient, name, f"films/{name}.png", site))
    return manifest


def row_of(patient: Patient, name: str, file: str, site: str) -> dict[str, object]:
    fracture = patient.fracture
    row, column = place_of(patient, fracture.level) if fracture else ("", "")
    return {
        "case": name,
        "patient": f"synthetic-{name}",
        "file": file,
        "series": "Lateral",
        "truth": int(fracture is not None),
        "site": site,
        "level": fracture.level if fracture else "",
        "grade": fracture.grade if fracture else 0,
        "shape": fracture.shape if fracture else "",
        "age": patient.age,
        "sex": patient.sex,
        "row": row,
        "column": column,
        "synthetic": "yes",
    }
