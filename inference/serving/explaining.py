"""Where a model looked in the cases of a cohort, as files, and what random weights leave of it, as a table.

One function each for a study, a command and whoever else asks; the cases are given as `load_samples` read them.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from inference.cards import CARD, Card, CardError
from inference.cohorts.cases import BadCohort, CohortCase, read_cohort
from inference.cohorts.samples import Samples, load_samples, refuse_seen, true_mask
from inference.explain.cam import BATCH, Of, heat_maps, over_input
from inference.explain.randomisation import Randomisation, sanity
from inference.measures.stored import stored_in
from inference.models.contract import Model
from inference.models.weights import load_declared
from inference.outputs import Heatmap, Probability
from inference.serving.answering import write_map
from inference.spec import ModelSpec

HEATMAPS, RANDOMISATION = "heatmaps", "randomisation.csv"
COLUMNS = ("model", "method", "layer", "down_to", "share", "hits", "cases", "chance", "correlation")
# A peak beside the finding is a miss.
TOLERANCE = 0.0


def write_heatmaps(
    spec: ModelSpec, model: Model, samples: Samples, out: Path, *, of: Of | None = None, method: str | None = None
) -> int:
    """``heatmaps/CASE.png``, of a volume ``CASE.nii.gz``, on the grid of its image: 255 is the strongest support.

    Parameters
    ----------
    spec, model, samples
        ``of`` and ``method`` as in `inference.explain.cam.heat_maps`.
    out : Path
        Folder, made if missing.

    Returns
    -------
    int
        How many were written.

    Raises
    ------
    CannotExplain
        Where the specification asks for no heat map, or the model gives no such logit.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tqdm(total=len(samples), desc="heat maps", unit="case", leave=False) as bar:
        for start in range(0, len(samples), BATCH):
            batch = samples.subset(range(start, min(start + BATCH, len(samples))))
            maps = over_input(heat_maps(model, spec, batch.inputs, of=of, method=method), spec.size)
            for case, geometry, plane in zip(batch.cases, batch.geometries, maps, strict=True):
                values = np.clip(geometry.back(plane) * 255, 0, 255).round().astype(np.uint8)
                write_map(out / HEATMAPS, case, values)
            bar.update(len(batch))
    return len(samples)


def outlined(cases: Sequence[CohortCase]) -> list[int]:
    """Places of the control cases whose finding is outlined; where there is none, of the external ones."""
    found: dict[str, list[int]] = {"control": [], "external": []}
    for place, case in enumerate(cases):
        if case.mask is not None and case.role in found:
            found[case.role].append(place)
    return found["control"] or found["external"]


def write_randomisation(card: Card, model: Model, samples: Samples, out: Path) -> int:
    """``randomisation.csv``: where the maps point as the weights are drawn anew from the head down. Its rows.

    Nothing is written where the model asks for no heat map, or no case of `outlined` has anything to point at.
    """
    spec, places = card.spec, outlined(samples.cases)
    wanted = spec.output(Heatmap)
    if wanted is None or not places:
        return 0
    chosen = samples.subset(places)
    masks = np.stack([true_mask(spec, case, lies) for case, lies in zip(chosen.cases, chosen.geometries, strict=True)])
    if not masks.any():
        return 0
    of: Of = "case" if spec.output(Probability) else "mask"
    rows = rows_of(card, sanity(model, chosen, masks, tolerance=TOLERANCE, method=wanted.method, of=of))
    out.mkdir(parents=True, exist_ok=True)
    partial = out / f"{RANDOMISATION}.partial"
    with partial.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows)
    partial.replace(out / RANDOMISATION)
    return len(rows)


def rows_of(card: Card, found: Randomisation) -> list[list[object]]:
    """The trained model first."""
    steps = [("", 0.0, found.trained, 1.0), *((s.down_to, s.share, s.pointing, s.correlation) for s in found.steps)]
    return [
        [card.name, found.method, found.layer, down_to, round(share, 4), pointing.hits, pointing.cases,
         round(pointing.chance, 6), round(correlation, 6)]
        for down_to, share, pointing, correlation in steps
    ]  # fmt: skip


def randomise(study: Path, manifest: Path | None = None, models: Path | None = None) -> dict[Path, int]:
    """Check by random weights every model whose predictions a study stores, on the cases that it answered.

    Parameters
    ----------
    study : Path
        As `inference.measures.evaluating.evaluate` takes it, with the cards and weights somewhere inside of it.
    manifest : Path, optional
    models : Path, optional
        Where cards and weights lie instead.

    Returns
    -------
    dict of Path to int
        ``randomisation.csv`` beside each ``predictions.csv``, with its rows; 0 where there is nothing to point at.

    Raises
    ------
    BadCohort
        Where there are no predictions or no manifest, or a case is one that the model was made with.
    CardError
        Where the model of some predictions is not found, or a byte of it was changed.
    """
    paths, where = stored_in(study, manifest)
    folders = [path.parent for path in sorted((models or study).rglob(CARD))]
    written = {}
    for path in tqdm(paths, desc="random weights", unit="model", leave=False):
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        maker = maker_of(rows, path, folders)
        card, model = load_declared(maker, draft=True)
        answered = {row["case"] for row in rows}
        cases = read_cohort(where, [one.name for one in card.spec.inputs])
        known = [case for case in cases if case.case in answered]
        chosen = [known[place] for place in outlined(known)]
        written[path.with_name(RANDOMISATION)] = 0
        if chosen:
            samples = load_samples(card.spec, chosen, taught=False)
            refuse_seen(samples, maker, card.data["seen_sha256"])
            written[path.with_name(RANDOMISATION)] = write_randomisation(card, model, samples, path.parent)
    return written


def maker_of(rows: Sequence[dict[str, str]], path: Path, folders: Sequence[Path]) -> Path:
    """Folder of the model that the rows of a table name by the digest of its card."""
    if not rows or not {"model", "version", "card_digest"} <= rows[0].keys():
        raise BadCohort(f"{path} has no rows with the columns model, version and card_digest.")
    for folder in folders:
        if Card.read(folder, draft=True).digest == rows[0]["card_digest"]:
            return folder
    name = f"{rows[0]['model']}, version {rows[0]['version']}"
    raise CardError(f"{path} was answered by {name}, whose card is not found; name its folder with --models.")
