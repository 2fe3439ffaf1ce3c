"""Synthetic patients and their images. Every case is labelled synthetic; nothing here comes from a patient.

column, fractures   a patient: vertebral column, what is wrong with it, and the truth about both
features, ceilings  the signs of a fracture and how often each class shows them; what the best reader could reach
bones, tissue       what each bone, and everything else, adds to a ray; `implants` metal, cement and instruments
shapes              the soft-edged forms of all of them
views, truth        where a film lies; corners, masks and levels through the same view
exposure, film      Beer–Lambert, scatter, blur, noise and the look of a hospital; one film of a patient
markers             what is burnt in: SYNTHETIC, a side letter, the position
volume, contrast    the same patient on a grid; `ct` in HU, `mr` as T1W and T2W
plans, sets         the cohorts of the five studies; `build_set` writes one with its manifest and truth
show                contact sheets with the truth over the images
readers             simulated readers with a seniority

`build(folder, cases=…, seed=…)` writes 16-bit PNG films and a manifest that `manage.py import_cases` and
`python -m inference train` read.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from inference.phantoms.column import Patient, make_patient
from inference.phantoms.exposure import SITES
from inference.phantoms.film import Film, make_film
from inference.phantoms.fractures import Wanted
from inference.phantoms.views import Framing

MANIFEST = "manifest.csv"
COLUMNS = (
    "case",
    "patient",
    "role",
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
    "height",
    "width",
    "synthetic",
)
FULL = Framing(heights=(262.0, 292.0), slimness=0.66, scale=1.0)
MIXED = Wanted(several=0.0, implants=0.05, variants=0.04)


def build(
    folder: Path, *, cases: int, seed: int, prefix: str = "P", prevalence: float = 0.5, role: str = "develop"
) -> Path:
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
    role : {"develop", "control", "external"}
        Written into the manifest.

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
            patient = make_patient(seed, name, fractured=fractured, wanted=MIXED)
            site = sorted(SITES)[number // 2 % len(SITES)]
            film = make_film(patient, site, framing=FULL)
            write_film(film, films / f"{name}.png")
            rows.writerow(row_of(patient, film, name, site) | {"role": role, "file": f"films/{name}.png"})
    return manifest


def write_film(film: Film, path: Path) -> None:
    """16-bit PNG; 12 bits of it are used, as radiographs come."""
    Image.fromarray(film.pixels.astype(np.uint16)).save(path, compress_level=2)


def row_of(patient: Patient, film: Film, name: str, site: str) -> dict[str, object]:
    fracture = patient.fracture
    place: dict[str, object] = {}
    if fracture:
        one = next(one for one in film.truth.bodies if one.vertebra.level == fracture.level)
        (row, column), (height, width) = one.middle, one.box
        place = {"row": round(row), "column": round(column), "height": round(height), "width": round(width)}
    return {
        "case": name,
        "patient": f"synthetic-{name}",
        "series": "Lateral",
        "truth": int(fracture is not None),
        "site": site,
        "level": fracture.level if fracture else "",
        "grade": fracture.grade if fracture else 0,
        "shape": fracture.shape if fracture else "",
        "age": patient.age,
        "sex": patient.sex,
        "synthetic": "yes",
    } | place
