"""What stored predictions reach: measures of masks, vertebrae with their partners, heat maps pointing, as tidy tables.

Works from files alone, never from a live model: ``predictions.csv`` with the folders ``masks``, ``levels`` and
``heatmaps`` beside it, and the cohort's manifest with ``vertebrae.csv`` beside it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.cohorts.cases import BadCohort, CohortCase, read_cohort
from inference.cohorts.levels import CODES
from inference.deciding.calibration import calibrated
from inference.imaging.images import read_image, read_labels
from inference.measures.bodies import Side
from inference.measures.segmentation import MaskScores, score
from inference.measures.stored import Folder, decisions_in, stored_in, true_bodies, true_corners
from inference.measures.vertebrae import Matched, Vertebra, as_row, body_logit, body_probability, find, match

SEGMENTATION, VERTEBRAE, BODIES, POINTING = (
    "segmentation.csv", "vertebrae_predictions.csv", "bodies_predictions.csv", "pointing.csv",
)  # fmt: skip
# T13 stands between T12 and L1, though its code is the highest.
ORDER = tuple(sorted(CODES, key=lambda name: CODES["T12"] + 0.5 if name == "T13" else CODES[name]))
OF_THE_CASE = ("case", "patient", "role", "site", "model", "version")
Floats = NDArray[np.float32]


def evaluate(study: Path, manifest: Path | None = None) -> dict[Path, int]:
    """Measure every folder of predictions in a study and write the tables beside them.

    Parameters
    ----------
    study : Path
        Folder somewhere inside of which ``predictions.csv`` and, unless named, one ``manifest.csv`` lie.
    manifest : Path, optional

    Returns
    -------
    dict of Path to int
        Tables that were written with their rows.

    Raises
    ------
    BadCohort
        Where there are no predictions or no manifest.
    """
    paths, where = stored_in(study, manifest)
    cohort = {case.case: case for case in read_cohort(where)}
    truths = true_bodies(where.with_name("vertebrae.csv"))
    corners = true_corners(where.with_name("vertebrae.csv"))
    decisions = decisions_in(study)
    written: dict[Path, int] = {}
    for path in paths:
        folder = Folder(path.parent, cohort, truths, corners)
        names = {one.row["model"] for one in folder.predicted}
        decision = next((decisions[name] for name in sorted(names) if name in decisions), None)
        folder = Folder(path.parent, cohort, truths, corners, decision)
        makers: tuple[tuple[str, Callable[[Folder], Iterable[Mapping[str, object]]]], ...] = (
            (SEGMENTATION, mask_rows), (VERTEBRAE, vertebra_rows), (BODIES, body_rows), (POINTING, pointing_rows),
        )  # fmt: skip
        for name, rows_of in makers:
            rows = list(rows_of(folder))
            if rows:
                write(path.with_name(name), rows)
                written[path.with_name(name)] = len(rows)
    return written


def mask_rows(folder: Folder) -> Iterable[Mapping[str, object]]:
    """One row a case with a stored mask; negatives without a true mask have an empty one."""
    for row, case in folder.predicted:
        stored = map_of(folder.path / "masks", case.case)
        if stored is None or (case.mask is None and case.positive is not False):
            continue
        truth = np.zeros(stored.shape, bool)
        if case.mask is not None:
            truth = shown_slice(mask_of(case, case.mask), case, stored.ndim) != 0
        if truth.shape != stored.shape:
            raise BadCohort(f"{case.case}: the mask {truth.shape} and the prediction {stored.shape} differ in shape.")
        yield of_case(row) | columns_of(score(stored, truth, spacing=spacing_of(case, stored.ndim)))


def columns_of(found: MaskScores) -> dict[str, object]:
    """The measures of a mask as columns; pixel accuracy never without that of an empty mask."""
    values = {
        "dice": found.overlap.dice, "iou": found.overlap.iou, "precision": found.overlap.precision,
        "recall": found.overlap.recall, "hd95": found.hd95, "mae": found.mae, "s_measure": found.s_measure,
        "e_measure": found.e_measure, "weighted_f": found.weighted_f, "pixel_accuracy": found.pixel_accuracy.value,
        "background_accuracy": found.pixel_accuracy.all_background,
        "false_positive_pixels": found.false_area.pixels, "false_positive_area": found.false_area.share,
        "false_positive_mm": found.false_area.physical,
    }  # fmt: skip
    return {name: "" if value is None else value for name, value in values.items()}


def vertebra_rows(folder: Folder) -> Iterable[Mapping[str, object]]:
    """One row a vertebra, true or found, of every case with a stored level map and a known column."""
    pairs = [
        (row, case, pair)
        for row, case in folder.predicted
        if case.case in folder.truths
        for pair in vertebrae_of(folder, case)
    ]
    threshold = vertebra_threshold(folder, [(row, pair) for row, _, pair in pairs])
    for row, _, pair in pairs:
        yield {**of_case(row), **as_row(decided(folder, pair), threshold), "threshold": round(threshold, 6)}


def body_rows(folder: Folder) -> Iterable[Mapping[str, object]]:
    """One row a true body of every case with a stored mask: what the mask says inside of it, whoever names levels.

    So models with and without levels are held against each other on the same bodies; ``scored_in`` says so.
    """
    pairs = [
        (row, pair)
        for row, case in folder.predicted
        if case.case in folder.truths
        for pair in inside_bodies(folder, case.case)
    ]
    threshold = vertebra_threshold(folder, pairs)
    for row, pair in pairs:
        told = {**as_row(decided(folder, pair), threshold), "level": ""}
        kept = {name: told[name] for name in ("level", "truth", "probability", "positive", "true_level")}
        yield {**of_case(row), **kept, "threshold": round(threshold, 6), "scored_in": "true body"}


def inside_bodies(folder: Folder, case: str) -> Iterable[Matched]:
    """Every true body with the probability of the mask's pixels between its corners."""
    fracture = map_of(folder.path / "masks", case)
    if fracture is None or fracture.ndim != 2:
        return
    for truth, corners in zip(folder.truths[case], folder.corners[case], strict=True):
        part = fracture[between(corners, (fracture.shape[0], fracture.shape[1]))].astype(float)
        # Of a body off the image nothing is known.
        if part.size:
            probability = body_probability(part)
            yield Matched(truth, Vertebra(truth.level, probability, part.size, truth.middle, None, None))


def between(corners: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels whose middle lies within a convex quadrilateral, its corners (row, column) in turn around it."""
    inside = np.zeros(shape, bool)
    first = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, shape)
    last = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, 0, shape)
    # An image is hundreds of times as large as a body: nothing outside of its box is asked.
    rows, columns = np.ogrid[first[0] : last[0], first[1] : last[1]]
    sides = []
    for (row, column), (next_row, next_column) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        sides.append((next_row - row) * (columns - column) - (next_column - column) * (rows - row))
    whole = np.stack(sides)
    inside[first[0] : last[0], first[1] : last[1]] = (whole >= 0).all(axis=0) | (whole <= 0).all(axis=0)
    return inside


def vertebrae_of(folder: Folder, case: CohortCase) -> tuple[Matched, ...]:
    """Found vertebrae of a case beside the true ones."""
    codes = map_of(folder.path / "levels", case.case, scale=1.0)
    if codes is None or codes.ndim != 2:
        return ()
    levels = np.zeros(codes.shape, int)
    for place, name in enumerate(ORDER, start=1):
        levels[codes == CODES[name]] = place
    fracture = map_of(folder.path / "masks", case.case)
    spacing = spacing_of(case, 2) or (1.0, 1.0)
    truths = folder.truths[case.case]
    # How the film hangs is no finding: the corners of the truth say it, so that front is compared with front.
    fronts: list[Side] = [truth.front for truth in truths if truth.front is not None]
    found = find(
        levels,
        ORDER,
        None if fracture is None else fracture.astype(float),
        spacing=(spacing[0], spacing[1]),
        anterior=Counter(fronts).most_common(1)[0][0] if fronts else None,
    )
    return match(found.vertebrae, truths)


def decided(folder: Folder, pair: Matched) -> Matched:
    """With the card's calibration, as a case has it; both come from the same logits."""
    from dataclasses import replace

    if folder.decision is None or pair.found is None or pair.found.probability is None:
        return pair
    logit = np.array([body_logit(pair.found.probability)])
    probability = float(calibrated(folder.decision.calibration, logit)[0])
    return Matched(pair.truth, replace(pair.found, probability=probability))


def vertebra_threshold(folder: Folder, pairs: Sequence[tuple[Mapping[str, str], Matched]]) -> float:
    """Youden's on the vertebrae of development, where these were predicted; else the card's, else one half.

    A case's threshold is chosen on the highest places of a whole image and is no more than a stand-in for that of a
    body; no control or external case has a part in either.
    """
    from inference.deciding.calibration import youden_threshold

    taught = [decided(folder, pair) for row, pair in pairs if row.get("role") == "develop" and pair.truth is not None]
    truth = np.array([pair.truth is not None and pair.truth.fractured for pair in taught], bool)
    if truth.any() and not truth.all():
        known = [0.0 if pair.found is None else pair.found.probability or 0.0 for pair in taught]
        return youden_threshold(np.array(known), truth)
    return 0.5 if folder.decision is None else folder.decision.threshold


def pointing_rows(folder: Folder) -> Iterable[Mapping[str, object]]:
    """One row a positive case with a stored heat map: whether its highest place lies in the finding, and chance."""
    for row, case in folder.predicted:
        heat = map_of(folder.path / "heatmaps", case.case)
        if heat is None or not case.positive:
            continue
        inside = finding_of(case, heat.shape)
        if inside is None or not inside.any():
            continue
        peak = np.unravel_index(int(heat.argmax()), heat.shape)
        yield of_case(row) | {"hit": int(heat.max() > 0 and inside[peak]), "chance": float(inside.mean())}


def finding_of(case: CohortCase, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """The true mask on the grid of the map, else the box of the finding; None where neither is known."""
    from scipy.ndimage import zoom

    if case.mask is not None:
        mask = shown_slice(mask_of(case, case.mask), case, len(shape)) != 0
        if mask.shape == shape:
            return np.asarray(mask)
        scale = [new / old for new, old in zip(shape, mask.shape, strict=True)]
        return np.asarray(zoom(mask.astype(np.float32), scale, order=1, grid_mode=True, mode="nearest") >= 0.5)
    place = case.place
    if place is None or not (place.height and place.width) or len(shape) != 2:
        return None
    whole = shown_slice(read_image(next(iter(case.images.values()))).values, case, 2).shape
    rows, columns = (np.arange(new) * old / new for new, old in zip(shape, whole, strict=True))
    across = np.abs(columns - place.column) <= place.width / 2
    return np.asarray((np.abs(rows - place.row) <= place.height / 2)[:, None] & across[None])


def mask_of(case: CohortCase, path: Path) -> Floats:
    """A label image of a case, turned to lie as its image does: (slices, rows, columns)."""
    return read_labels(path, read_image(next(iter(case.images.values())))).values


def map_of(folder: Path, case: str, scale: float = 255.0) -> Floats | None:
    """A stored map, ``CASE.png`` or ``CASE.nii.gz``, divided by ``scale``; None where there is none."""
    for suffix in (".png", ".nii.gz"):
        path = folder / f"{case}{suffix}"
        if path.is_file():
            return np.asarray(plane(read_image(path).values) / scale, dtype=np.float32)
    return None


def plane(values: Floats) -> Floats:
    """(slices, rows, columns), or (rows, columns) where there is one slice."""
    return values[0] if values.shape[0] == 1 else values


def shown_slice(values: Floats, case: CohortCase, dimensions: int) -> Floats:
    """What a map of so many dimensions covers: all slices, or the one of the finding, else the middle one."""
    if dimensions == 3 or values.shape[0] == 1:
        return plane(values)
    chosen = values.shape[0] // 2 if case.place is None else round(case.place.slice)
    return np.asarray(values[min(max(chosen, 0), values.shape[0] - 1)])


def spacing_of(case: CohortCase, dimensions: int) -> tuple[float, ...] | None:
    """mm along each axis: of the column ``pixel_mm``, else of the image; None where neither knows."""
    told = case.facts.get("pixel_mm", "")
    if told and dimensions == 2:
        return (float(told), float(told))
    spacing = read_image(next(iter(case.images.values()))).spacing
    return None if spacing == (1.0, 1.0, 1.0) else spacing[-dimensions:]


def of_case(row: Mapping[str, str]) -> dict[str, object]:
    kept: dict[str, object] = {name: row.get(name, "") for name in OF_THE_CASE}
    return kept | {"truth": row.get("truth", "")}


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """A table, whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    partial.replace(path)
