"""Cases of the studies on films: which patient, which exposure, and what is written of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from inference.phantoms.column import Patient, chance_for, make_patient
from inference.phantoms.film import Film, make_film
from inference.phantoms.oracle import best_logit, oracle_row
from inference.phantoms.plans import FilmPlan, FilmStudy, Group, Role, film_plan
from inference.phantoms.records import CORNERS, Made, Record, place_fields
from inference.phantoms.truth import BodyTruth


@dataclass(frozen=True)
class FilmOrder:
    """One film to be made; everything in it hangs on these fields."""

    study: FilmStudy
    preset: str
    seed: int
    case: str
    patient: str
    role: Role
    site: str
    number: int
    positive: bool
    broken: bool


def film_orders(study: FilmStudy, preset: str, seed: int) -> Iterator[FilmOrder]:
    """The films of a study in the order of its manifest."""
    plan = film_plan(study, preset)
    for group in plan.groups:
        yield from orders_of(group, plan, study, preset, seed)


def orders_of(group: Group, plan: FilmPlan, study: FilmStudy, preset: str, seed: int) -> Iterator[FilmOrder]:
    """Patients with and without the finding in turn; some come back for a second film."""
    chance = chance_for(seed, study, group.role, group.site)
    patients = round(group.count * (1 - group.repeats))
    films = np.ones(patients, dtype=int)
    for again in chance.integers(0, patients, group.count - patients):
        films[again] += 1
    mark = f"{study.upper()}{group.role[0].upper()}{group.site}"
    for place in range(patients):
        positive = int((place + 1) * plan.prevalence) > int(place * plan.prevalence)
        broken = bool(chance.random() < plan.broken)
        for number in range(1, int(films[place]) + 1):
            yield FilmOrder(
                study=study,
                preset=preset,
                seed=seed,
                case=f"{mark}{place + 1:04d}-{number}",
                patient=f"synthetic-{mark}{place + 1:04d}",
                role=group.role,
                site=group.site,
                number=number,
                positive=positive,
                broken=broken,
            )


def write_film_case(order: FilmOrder, folder: Path) -> Made:
    """Make the film and write it with its mask and levels; rows for manifest and vertebrae come back."""
    plan = film_plan(order.study, order.preset)
    wanted = plan.positives if order.positive else plan.negatives
    patient = make_patient(order.seed, order.patient, fractured=order.positive or order.broken, wanted=wanted)
    operation = bool(chance_for(order.seed, order.case, "operation").random() < plan.operation)
    film = make_film(patient, order.site, number=order.number, framing=plan.framing, operation=operation)
    found = film.truth.broken(plan.positive)
    files = {"file": f"images/{order.case}.png", "levels": f"levels/{order.case}.png"}
    save_grey(film.pixels.astype(np.uint16), folder / files["file"])
    save_grey(film.truth.levels, folder / files["levels"])
    if found:
        files["mask"] = f"masks/{order.case}.png"
        save_grey(film.truth.mask(plan.positive), folder / files["mask"])
    row = {
        "case": order.case,
        "patient": order.patient,
        "role": order.role,
        "site": order.site,
        "input": "",
        "truth": int(bool(found)),
        **files,
        **(place_fields(found[0].middle, found[0].box) if found else {}),
        **film_facts(patient, film, order, operation),
    }
    return Made(
        (row,),
        vertebrae=tuple(vertebra_row(order.case, one, plan) for one in film.truth.bodies),
        files=tuple(files.values()),
        oracle=oracle_of(order, film, plan, bool(found)),
    )


def oracle_of(order: FilmOrder, film: Film, plan: FilmPlan, found: bool) -> tuple[Record, ...]:
    """The best answer to whether a fracture on the film is fresh; none where every fracture counts."""
    if plan.positives.age is None:
        return ()
    shown = [one.fracture.freshness for one in film.truth.broken(lambda _: True) if one.fracture]
    logit = best_logit("age", shown, modality="DX", ambiguity=plan.positives.ambiguity_of_age)
    return (oracle_row(order.case, order.role, found, logit),)


def film_facts(patient: Patient, film: Film, order: FilmOrder, operation: bool) -> dict[str, object]:
    """Further columns of the manifest."""
    shown = film.truth.broken(lambda _: True)
    first = shown[0].fracture if shown else None
    main = patient.fracture if patient.fracture in [one.fracture for one in shown] else first
    return {
        "level": main.level if main else "",
        "grade": main.grade if main else 0,
        "shape": main.shape if main else "",
        "old_fracture": int(any(one.fracture and one.fracture.age == "old" for one in shown)),
        "acute_fracture": int(any(one.fracture and one.fracture.age == "acute" for one in shown)),
        "age": patient.age,
        "sex": patient.sex,
        "column_variant": patient.variant,
        "implant": "+".join(sorted({implant.kind for implant in patient.implants})),
        "scene": "operation" if operation else "film",
        "film": order.number,
        "pixel_mm": round(film.view.pixel, 4),
        "synthetic": "yes",
    }


def vertebra_row(case: str, one: BodyTruth, plan: FilmPlan) -> dict[str, object]:
    """One row of vertebrae.csv; corners in pixels, heights in mm."""
    broken = one.fracture is not None and plan.positive(one.fracture)
    corners = {
        f"{name}_{axis}": round(value, 2)
        for name, spot in zip(CORNERS, one.corners, strict=True)
        for axis, value in (("row", spot.row), ("column", spot.column))
    }
    ha, hm, hp = one.heights
    return {
        "case": case,
        "level": one.vertebra.level,
        "fractured": int(broken),
        "grade": one.fracture.grade if one.fracture else 0,
        "kind": f"{one.fracture.age} {one.fracture.kind}" if one.fracture else "",
        "visible": int(one.visible),
        **corners,
        "ha": round(ha, 2),
        "hm": round(hm, 2),
        "hp": round(hp, 2),
    }


def save_grey(pixels: np.ndarray, path: Path) -> None:
    """8- or 16-bit PNG after the type of the pixels."""
    Image.fromarray(pixels).save(path, compress_level=2)
