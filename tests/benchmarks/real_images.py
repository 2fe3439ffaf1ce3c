"""`python -m tests.benchmarks.real_images`: lumbar MR of the specification folder through manifest and commands.

Discs graded by experts, every patient in one fold (area under the curve of narrowing), and vertebrae drawn by experts
(Dice on patients that were kept apart). Some three minutes of one core; a run that was stopped goes on where it was.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.ndimage import find_objects, label
from sklearn.metrics import roc_auc_score

from inference.imaging.images import read_labels
from tests.shared_data import shared

VERTEBRA, DISC = 1, 2
# Smaller parts of a mask are stray pixels.
SMALLEST = 40
LEAST_AUC, LEAST_DICE = 0.85, 0.85
HEAD = ("case", "patient", "role", "file", "truth", "slice", "row", "column", "height", "width", "mask")

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
    for number, (rows, columns) in enumerate(find_objects(numbers), start=1):
        places = np.argwhere(numbers == number)
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
        for number, part in enumerate(parts_of(folder / "t2space_mask" / slice_["file"], DISC), start=1):
            truth = graded.get((slice_["patient"], number))
            if truth is not None:
                image = folder / "t2space_img" / slice_["file"]
                yield f"{slice_['patient']}-{number}", slice_["patient"], "develop", image, truth, 0, *part, ""


def vertebrae(folder: Path, out: Path) -> Iterator[tuple[object, ...]]:
    from PIL import Image as Picture

    for slice_ in slices(folder):
        drawn = read_labels(folder / "t2space_mask" / slice_["file"]).values[0] == VERTEBRA
        mask = out / f"vertebrae-{slice_['file']}"
        Picture.fromarray(drawn).save(mask)
        image = folder / "t2space_img" / slice_["file"]
        yield Path(slice_["file"]).stem, slice_["patient"], "develop", image, "yes", "", "", "", "", "", mask.name


def slices(folder: Path) -> list[dict[str, str]]:
    with (folder / "t2space.csv").open() as stream:
        return list(csv.DictReader(stream))


def run(command: str, name: str, spec: str, rows: Iterator[tuple[object, ...]], out: Path) -> Path:
    """Manifest and specification written, then the command itself; returns the folder of the model."""
    (out / f"{name}.toml").write_text(spec)
    with (out / f"{name}.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([HEAD, *rows])
    words = [command, str(out / f"{name}.toml"), str(out / f"{name}.csv"), "--out", str(out)]
    subprocess.run([sys.executable, "-m", "inference", *words], check=True)
    return out / name


def main() -> None:
    folder = shared("data/spider_lumbar_mri")
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "var/real_images")
    out.mkdir(parents=True, exist_ok=True)
    answers = run("crossval", "discs", DISCS, discs(folder), out) / "folds" / "oof.csv"
    with answers.open() as stream:
        rows = list(csv.DictReader(stream))
    area = roc_auc_score([row["truth"] in ("1", "True", "yes") for row in rows], [float(row["logit"]) for row in rows])
    history = run("train", "vertebrae", VERTEBRAE, vertebrae(folder, out), out) / "draft" / "history.jsonl"
    dice = json.loads(history.read_text().splitlines()[-1])["tune_dice"]
    for what, measured, least in (("narrowed discs, AUC", area, LEAST_AUC), ("vertebrae, Dice", dice, LEAST_DICE)):
        print(f"{what}: {measured:.3f}, wanted {least}: {'holds' if measured >= least else 'falls short'}")


if __name__ == "__main__":
    main()
