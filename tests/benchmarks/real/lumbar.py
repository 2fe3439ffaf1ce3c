"""Lumbar MR with discs graded and vertebrae drawn by experts: narrowing out of fold, masks of patients kept apart.

Some three minutes of one core.
"""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image as Picture
from scipy.ndimage import find_objects, label

from inference.imaging.images import read_labels
from inference.measures.evaluating import SEGMENTATION
from inference.reports import figures, report
from inference.reports.asked import ALONE, models_only
from inference.reports.contract import Figure, Report, Table
from inference.reports.statistics import Statistics
from tests.benchmarks.real.calling import as_csv, declared, once, source
from tests.benchmarks.real.page import About, Measured, Reached, at_least, interval, written

SET = "spider_lumbar_mri"
VERTEBRA, DISC = 1, 2
# Smaller parts of a mask are stray pixels.
SMALLEST = 40
# Every so manyth patient is kept apart for the masks.
APART = 5
LEAST_AUC, LEAST_DICE = 0.85, 0.85
HEAD = ("case", "patient", "role", "file", "truth", "slice", "row", "column", "height", "width", "mask")
RIGHTS = (
    "SPIDER: van der Graaf et al., Scientific Data 11:264 (2024), doi 10.1038/s41597-024-03090-w, CC BY 4.0; slices "
    "made smaller, masks with other numbers."
)
INPUT = """
[[inputs]]
modality = "MR"
sequence = "T2W"
[[preprocess]]
op = "percentile"
[[preprocess]]
op = "zscore"
[[preprocess]]
op = "resize_pad"
"""
# Discs at one scale for all, so that their height tells something.
DISCS = f"""
name = "discs"
family = "resnet"
architecture = {{ depth = 10, width = 0.25, stem_stride = 1 }}
roi = {{ kind = "vertebra_crop", mm = [60, 72] }}
{INPUT}size = [40, 48]
[[outputs]]
kind = "probability"
target = "narrowed disc"
negative = "no"
positive = "yes"
[train]
losses = [{{ kind = "bce" }}]
rate = 3e-3
epochs = 24
batch = 16
folds = 5
select = "auc"
augment = [
    {{ op = "rotate", degrees = 10 }}, {{ op = "scale", share = 0.1 }},
    {{ op = "shift", share = 0.05 }}, {{ op = "contrast", share = 0.15 }},
]
"""
VERTEBRAE = f"""
name = "vertebrae"
family = "unet"
architecture = {{ widths = [8, 16, 32, 64] }}
{INPUT}size = [192, 160]
[[outputs]]
kind = "mask"
target = "vertebrae"
[train]
losses = [{{ kind = "dice_ce" }}]
rate = 5e-3
epochs = 24
batch = 8
select = "dice"
augment = [
    {{ op = "rotate", degrees = 8 }}, {{ op = "scale", share = 0.1 }}, {{ op = "contrast", share = 0.15 }},
]
"""


class Part(NamedTuple):
    """A connected part of a mask: its middle and its box."""

    row: float
    column: float
    height: int
    width: int


def parts_of(path: Path, code: int) -> list[Part]:
    """From the lowest up."""
    numbers, _ = label(read_labels(path).values[0] == code)
    found = []
    for place, (rows, columns) in enumerate(find_objects(numbers), start=1):
        places = np.argwhere(numbers == place)
        if len(places) > SMALLEST:
            row, column = places.mean(axis=0)
            found.append(Part(float(row), float(column), rows.stop - rows.start, columns.stop - columns.start))
    return sorted(found, key=lambda part: -part.row)


def discs(folder: Path) -> Iterator[tuple[object, ...]]:
    """Discs of the slice with the widest canal; the lowest is graded under the number 1."""
    with (folder / "radiological_gradings.csv").open() as stream:
        graded = {(row["Patient"], int(row["IVD label"])): row["Disc narrowing"] for row in csv.DictReader(stream)}
    for slice_ in slices(folder):
        if slice_["rank_by_canal_area"] != "0":
            continue
        for place, part in enumerate(parts_of(folder / "t2space_mask" / slice_["file"], DISC), start=1):
            truth = graded.get((slice_["patient"], place))
            if truth is not None:
                image = folder / "t2space_img" / slice_["file"]
                yield f"{slice_['patient']}-{place}", slice_["patient"], "develop", image, truth, 0, *part, ""


def vertebrae(folder: Path, drawn: Path) -> Iterator[tuple[object, ...]]:
    """All slices; the masks of vertebrae alone are written to the folder ``drawn``."""
    patients = sorted({slice_["patient"] for slice_ in slices(folder)}, key=int)
    apart = set(patients[::APART])
    drawn.mkdir(parents=True, exist_ok=True)
    for slice_ in slices(folder):
        mask = drawn / slice_["file"]
        if not mask.is_file():
            inside = read_labels(folder / "t2space_mask" / slice_["file"]).values[0] == VERTEBRA
            Picture.fromarray(inside).save(mask)
        image, role = folder / "t2space_img" / slice_["file"], "control" if slice_["patient"] in apart else "develop"
        place = ("",) * 5
        yield Path(slice_["file"]).stem, slice_["patient"], role, image, "yes", *place, f"{drawn.name}/{mask.name}"


def slices(folder: Path) -> list[dict[str, str]]:
    with (folder / "t2space.csv").open() as stream:
        return list(csv.DictReader(stream))


def measure(out: Path) -> Measured:
    """Both models taught, asked and measured; the page."""
    folder, home = source(SET), out.resolve() / "lumbar"
    graded = answered_discs(folder, home / "discs")
    outlined = answered_vertebrae(folder, home / "vertebrae")
    statistics = Statistics(home / "lumbar_files" / "analysis")
    narrowing, areas = narrowing_section(graded, statistics)
    numbers = (narrowing, *dice_numbers(outlined))
    facts = {
        "patients": str(graded["patient"].nunique()), "discs": str(len(graded)),
        "narrowed": str(int(graded["truth"].sum())), "slices kept apart": str(len(outlined)),
    }  # fmt: skip
    about = About(
        "lumbar",
        "Lumbar MR: narrowed discs and outlines of vertebrae",
        "Discs that experts graded, each answered by a network that saw no slice of the patient, and vertebrae that "
        "experts drew, on slices of patients who were kept apart.",
        facts,
        RIGHTS,
    )
    return written(about, home, numbers, (areas, *mask_sections(home / "vertebrae", outlined)))


def answered_discs(folder: Path, home: Path) -> pd.DataFrame:
    """Out-of-fold answers with the score in [0, 1]."""
    manifest = declared(home / "manifest.csv", as_csv(HEAD, discs(folder)), home / "discs")
    spec = declared(home / "discs.toml", DISCS, home / "discs")
    answers = once(home / "discs" / "folds" / "oof.csv", "crossval", spec, manifest, "--out", home)
    rows = pd.read_csv(answers, dtype={"case": str, "patient": str})
    truth = rows["truth"].astype(str).isin(("1", "1.0", "True", "yes")).astype(int)
    return rows.assign(truth=truth, score=1 / (1 + np.exp(-rows["logit"])))


def answered_vertebrae(folder: Path, home: Path) -> pd.DataFrame:
    """Measures of the masks of patients kept apart, one row a slice."""
    answers = home / "answers"
    stale = (home / "vertebrae", answers)
    manifest = declared(home / "manifest.csv", as_csv(HEAD, vertebrae(folder, home / "drawn")), *stale)
    spec = declared(home / "vertebrae.toml", VERTEBRAE, *stale)
    version = home / "vertebrae" / "1"
    if not version.is_dir():
        once(home / "vertebrae" / "draft" / "card.json", "train", spec, manifest, "--out", home)
        once(version, "decide", home / "vertebrae")
    once(answers / "predictions.csv", "predict", manifest, "--model", version, "--out", answers)
    measured = once(answers / SEGMENTATION, "evaluate", home, "--cohort", manifest)
    return pd.read_csv(measured, dtype={"case": str, "patient": str})


def narrowing_section(graded: pd.DataFrame, statistics: Statistics) -> tuple[Reached, Report]:
    """Area with its interval, patients drawn together, and the curve."""
    table = graded[["patient", "case", "truth", "score"]].assign(model="network", set="out of fold", decision=np.nan)
    alone = models_only(statistics, "discs", "Narrowed discs", table).findings(ALONE)
    row = alone.tables["models"].iloc[0]
    said = interval(row["AUC"], row["AUC low"], row["AUC high"])
    known = "six features of the disc and a logistic regression .876, SOURCE.md of the set"
    number = at_least("narrowed discs, AUC out of fold", float(row["AUC"]), LEAST_AUC, said=said, known=known)
    curve = figures.roc_points(graded["truth"].tolist(), graded["score"].tolist())
    title = (
        "ROC curve of all discs, each answered by the network of its fold. Interval of the area Obuchowski's, since "
        "a patient has several discs."
    )
    plot = figures.roc({f"narrowed disc · AUC {said}": curve})
    plot.update_layout(height=500, legend={"orientation": "h", "y": -0.16, "x": 0})
    frame = pd.DataFrame({"1 − specificity": curve[0], "sensitivity": curve[1]})
    by_level = pd.DataFrame(by_disc(graded), columns=["disc", "graded", "narrowed"])
    return number, Report(
        "II", "Narrowing of discs, out of fold",
        tables=(Table("curve", "Points of the curve", frame, shown=False),
                Table("levels", "Discs by their place, 1 the lowest", by_level)),
        figures=(Figure("roc", title, plot, "curve"),),
    )  # fmt: skip


def by_disc(graded: pd.DataFrame) -> Iterator[tuple[str, int, int]]:
    """Place of the disc, how many were graded, how many of them as narrowed."""
    for place, part in graded.groupby(graded["case"].str.rpartition("-")[2].astype(int)):
        yield str(place), len(part), int(part["truth"].sum())


def dice_numbers(outlined: pd.DataFrame) -> Iterator[Reached]:
    of_patient = outlined.groupby("patient")["dice"].mean()
    spread = partial(interval, low=outlined["dice"].min(), high=outlined["dice"].max())
    what = f"vertebrae, mean Dice of {len(outlined)} slices of {len(of_patient)} patients kept apart"
    mean = float(outlined["dice"].mean())
    yield at_least(what, mean, LEAST_DICE, said=f"{spread(mean)}, lowest and highest slice in brackets")
    yield Reached("vertebrae, lowest mean Dice of a patient", f"{of_patient.min():.3f}")
    yield Reached("vertebrae, 95 % Hausdorff distance, median", f"{outlined['hd95'].median():.1f} pixels")


def mask_sections(home: Path, outlined: pd.DataFrame) -> tuple[Report, ...]:
    """Slices from the best to the worst with both outlines, and the measures of all of them."""
    looked = report("R15", home, "s3", home.parent / "lumbar_files")
    columns = ["case", "patient", "dice", "iou", "precision", "recall", "hd95"]
    frame = outlined[columns].sort_values("dice", ascending=False)
    note = "hd95 in pixels of the slice of 384 × 307, whose size in mm the set does not tell."
    measures = Report("IV", "Every slice kept apart", tables=(Table("slices", "Measures of the masks", frame, note),))
    text = "Green: as drawn. Orange: the network's mask from one half. Four slices from the best Dice to the worst."
    shown = Report("III", "Outlines of vertebrae", (text,), panels=looked.panels, missing=looked.missing)
    return shown, measures
