"""Cases of the studies on slices: MR of one broken segment (S1), CT around one broken vertebra (S4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inference.phantoms import ct, mr
from inference.phantoms.column import Patient, chance_for, corners_of, make_patient
from inference.phantoms.features import senior_marks, signs_of
from inference.phantoms.fractures import Fracture
from inference.phantoms.oracle import best_logit, oracle_row
from inference.phantoms.plans import Role, ScanPlan, ScanStudy, scan_plan
from inference.phantoms.records import Made, place_fields
from inference.phantoms.views import Spot
from inference.phantoms.volume import Scan, write

# What belongs to a segment besides the body, mm: discs above and below, canal and pedicles behind, tissue in front.
ROUND_ABOUT, BEHIND, BEFORE = 7.0, 20.0, 8.0


@dataclass(frozen=True)
class ScanOrder:
    """One case to be made; everything in it hangs on these fields. ``of_other_class``: so its fracture appears."""

    study: ScanStudy
    preset: str
    seed: int
    case: str
    role: Role
    site: str
    positive: bool
    of_other_class: bool = False

    @property
    def patient(self) -> str:
        """One case each."""
        return f"synthetic-{self.case}"


def scan_orders(study: ScanStudy, preset: str, seed: int) -> Iterator[ScanOrder]:
    """The cases of a study in the order of its manifest, those with the finding spread evenly.

    Of each class of each group exactly the share of ambiguity appears as the other class: drawn for each case alone,
    the best possible AUC of 190 cases would lie up to .03 beside the ceiling, by luck.
    """
    plan = scan_plan(study, preset)
    for group in plan.groups:
        mark = f"{study.upper()}{group.role[0].upper()}{group.site}"
        positives = [spread_evenly(place, plan.prevalence) for place in range(group.count)]
        swapped: set[int] = set()
        for positive, wanted in ((True, plan.positives), (False, plan.negatives)):
            members = [place for place, one in enumerate(positives) if one == positive]
            count = round(wanted.ambiguity_of_kind * len(members))
            chance = chance_for(seed, f"{study} {mark} {positive} of the other class")
            swapped |= {int(place) for place in chance.permutation(members)[:count]}
        for place, positive in enumerate(positives):
            case = f"{mark}{place + 1:04d}"
            yield ScanOrder(study, preset, seed, case, group.role, group.site, positive, place in swapped)


def spread_evenly(place: int, share: float) -> bool:
    return int((place + 1) * share + 1e-9) > int(place * share + 1e-9)


def write_scan_case(order: ScanOrder, folder: Path) -> Made:
    """Make the series of a case and write them; rows for manifest and features come back.

    The finding is a malignant fracture; every patient has a fracture, and its place is given in all of them.
    """
    plan = scan_plan(order.study, order.preset)
    wanted = plan.positives if order.positive else plan.negatives
    settled = replace(wanted, ambiguity_of_kind=float(order.of_other_class))
    patient = make_patient(order.seed, order.patient, fractured=True, wanted=settled)
    fracture = patient.fracture
    if fracture is None:
        raise ValueError(f"{order.patient} was asked for with a fracture.")
    series = series_of(patient, fracture, order, plan)
    scan = next(iter(series.values()))
    shared = {
        **place_in(scan, patient, fracture.level, whole_segment=order.study == "s1"),
        **labels(scan, order, fracture, folder),
    }
    rows, files = [], [str(name) for column, name in shared.items() if column in ("mask", "levels")]
    for name, one in series.items():
        file = f"images/{order.case}{'-' + name if name else ''}.nii.gz"
        write(folder / file, one.values, one)
        files.append(file)
        rows.append(row_of(order, patient, fracture, name, file) | shared)
    modality = "MR" if order.study == "s1" else "CT"
    logit = best_logit("kind", [fracture.signs], modality=modality, ambiguity=wanted.ambiguity_of_kind)
    return Made(
        tuple(rows),
        files=tuple(files),
        features=(features_of(order, fracture),) if plan.marked else (),
        oracle=(oracle_row(order.case, order.role, order.positive, logit),),
    )


def series_of(patient: Patient, fracture: Fracture, order: ScanOrder, plan: ScanPlan) -> Mapping[str, Scan]:
    """By the name of the input; "" where the model has only one."""
    if order.study == "s1":
        return mr.around(patient, order.site, fracture.level, slices=5, size=plan.size, pixel=plan.pixel)
    return {"": ct.around(patient, order.site, fracture.level, size=plan.size, pixel=plan.pixel, apart=plan.apart)}


def row_of(order: ScanOrder, patient: Patient, fracture: Fracture, name: str, file: str) -> dict[str, object]:
    return {
        "case": order.case,
        "patient": order.patient,
        "role": order.role,
        "site": order.site,
        "input": name,
        "file": file,
        "truth": int(order.positive),
        "level": fracture.level,
        "grade": fracture.grade,
        "shape": fracture.shape,
        "age": patient.age,
        "sex": patient.sex,
        "column_variant": patient.variant,
        "synthetic": "yes",
    }


def place_in(scan: Scan, patient: Patient, level: str, *, whole_segment: bool) -> dict[str, object]:
    """Centre and box of the broken body, or of its segment with what lies around it, in voxels."""
    one = patient.vertebra(level)
    points = np.array([scan.voxel(point) for point in corners_of(one)])
    low, high = points[:, 1:].min(axis=0), points[:, 1:].max(axis=0)
    if whole_segment:
        # Columns run backwards.
        _, up, forward = scan.spacing
        low -= (ROUND_ABOUT / up, BEFORE / forward)
        high += (ROUND_ABOUT / up, BEHIND / forward)
    row, column = (low + high) / 2
    piece = float(np.clip(round(float(points[:, 0].mean())), 0, scan.values.shape[0] - 1))
    tall, wide = high - low
    return place_fields(Spot(float(row), float(column)), (float(tall), float(wide)), piece)


def labels(scan: Scan, order: ScanOrder, fracture: Fracture, folder: Path) -> dict[str, object]:
    """Write the level labels of the bodies, and where marrow is replaced in a malignant one."""
    levels = f"levels/{order.case}.nii.gz"
    write(folder / levels, scan.bodies, scan)
    named: dict[str, object] = {"levels": levels}
    if fracture.kind == "malignant":
        named["mask"] = f"masks/{order.case}.nii.gz"
        write(folder / str(named["mask"]), scan.lesions, scan)
    return named


def features_of(order: ScanOrder, fracture: Fracture) -> dict[str, object]:
    """The fifteen binary signs as the senior marks them."""
    marks = senior_marks(chance_for(order.seed, order.case, "marks"), fracture.signs)
    names = [sign.name for sign in signs_of("kind")]
    truth = {"case": order.case, "patient": order.patient, "malignant": int(fracture.kind == "malignant")}
    return truth | {name: int(mark) for name, mark in zip(names, marks, strict=True)}
