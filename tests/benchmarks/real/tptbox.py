"""The two crops of TPTBox, CT and MR: where labels lie, which body the measuring finds, its heights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from inference.measures.label_volumes import MeasuredBody, body_in_its_plane, measure_file
from inference.reports import figures
from inference.reports.contract import Figure, Report, Table
from inference.reports.words import number
from inference.spec import Input
from tests.benchmarks.real import volumes
from tests.benchmarks.real.calling import source
from tests.benchmarks.real.page import About, Measured, Reached, at_least, at_most, written

SET = "tptbox_samples"
# Of the masks of parts: the body's border and its inside.
CORPUS = (49, 50)
LEAST_DICE = 0.95
RIGHTS = "Samples of TPTBox (github.com/Hendrik-code/TPTBox), Apache-2.0."


@dataclass(frozen=True)
class Crop:
    """One crop: its files, the vertebra that is labelled in parts, the names of whole vertebrae, its grey window."""

    kind: Literal["ct", "mri"]
    modality: Input
    file: str
    label: int
    names: Mapping[int, str]
    window: tuple[float, float]

    @property
    def folder(self) -> Path:
        return source(SET) / "TPTBox" / "tests" / f"sample_{self.kind}"

    @property
    def image(self) -> Path:
        return self.folder / self.file

    def labels(self, which: Literal["vert", "subreg"]) -> Path:
        return self.folder / f"sub-{self.kind}_seg-{which}_label-{self.label}_msk.nii.gz"


# On MR the numbers count what was found; a body of 27 mm is no sixth cervical one.
CROPS = (
    Crop("ct", Input("CT"), "sub-ct_label-22_ct.nii.gz", 22, {21: "L2", 22: "L3", 23: "L4"}, (-200.0, 800.0)),
    Crop("mri", Input("MR", "T2W"), "sub-mri_label-6_T2w.nii.gz", 6, {5: "5", 6: "6", 7: "7"}, (0.0, 250.0)),
)


@dataclass(frozen=True)
class Found:
    """What was measured of a crop: shifts of labels, bodies from the head down, and how the one in parts is cut out."""

    crop: Crop
    placed: tuple[volumes.Placed, ...]
    bodies: tuple[MeasuredBody, ...]
    plane: int
    body: NDArray[np.bool_]
    dice: float


def measure(out: Path) -> Measured:
    """Both crops measured; the page."""
    source(SET)
    home = out.resolve() / "tptbox"
    found = [measured(crop, home / crop.kind) for crop in CROPS]
    numbers = [number for one in found for number in numbers_of(one)]
    about = About(
        "tptbox",
        "Crops of CT and MR with a vertebra in parts",
        "One vertebra of each crop is labelled part by part, so that the body that is cut out of the whole vertebra "
        "can be held against the labelled one. Its neighbours are cut by the crop.",
        {"crops": str(len(found)), "vertebrae": str(sum(len(one.placed) for one in found)), "voxel": "1.5 mm"},
        RIGHTS,
    )
    return written(about, home, numbers, (*pictures(found), tables(found)))


def measured(crop: Crop, home: Path) -> Found:
    placed = volumes.placed(home, crop.image, crop.labels("vert"), crop.names, crop.modality)
    bodies = measure_file(crop.labels("vert"), crop.names)
    whole, steps = volumes.laid_out(crop.labels("vert"))
    parts, _ = volumes.laid_out(crop.labels("subreg"))
    plane, body = body_in_its_plane(whole == crop.label, steps)
    corpus = (np.isin(parts, CORPUS) & (whole == crop.label))[round(plane)]
    dice = 2 * (body & corpus).sum() / (body.sum() + corpus.sum())
    return Found(crop, placed, bodies, round(plane), body, float(dice))


def numbers_of(found: Found) -> tuple[Reached, ...]:
    crop, name = found.crop, found.crop.kind.upper().removesuffix("I")
    read, cropped = max(one.read for one in found.placed), max(one.cropped for one in found.placed)
    codes = set(np.unique(volumes.laid_out(crop.labels("vert"))[0])) & set(crop.names)
    stored = f"stored {volumes.axes_of(crop.image)}"
    return (
        Reached(f"{name}: size of a voxel", volumes.spacing_of(crop.image), "1.5 mm", is_even(crop.image), stored),
        Reached(f"{name}: vertebrae in the label file", str(len(codes)), "3", len(codes) == 3),
        at_most(f"{name}: middles of labels after reading, largest shift", read, 0.01, "mm", digits=3),
        at_most(f"{name}: after a crop of 72 mm and back, largest shift", cropped, 0.5, "mm"),
        at_least(f"{name}: Dice of the body that is cut out and the labelled one", found.dice, LEAST_DICE),
    )


def is_even(image: Path) -> bool:
    return volumes.spacing_of(image) == "1.5 × 1.5 × 1.5 mm"


def pictures(found: Sequence[Found]) -> tuple[Report, ...]:
    """The plane through the middle of the vertebra in parts, with all that is outlined there."""
    reports = []
    for numeral, one in zip(("II", "III"), found, strict=True):
        crop, name = one.crop, "CT" if one.crop.kind == "ct" else "MR"
        values, steps = volumes.laid_out(crop.image)
        whole, _ = volumes.laid_out(crop.labels("vert"))
        parts, _ = volumes.laid_out(crop.labels("subreg"))
        inside = [
            volumes.Drawn(whole[one.plane] == code, "vertebra", figures.COLOURS[5], "dot", word)
            for code, word in crop.names.items()
        ]
        corpus = np.isin(parts[one.plane], CORPUS) & (whole[one.plane] == crop.label)
        inside.append(volumes.Drawn(corpus, "labelled body", figures.COLOURS[2]))
        inside.append(volumes.Drawn(one.body, "body cut out", figures.COLOURS[4], "dash"))
        plot = volumes.drawn(volumes.Plane(values[one.plane], steps[1:]), inside, crop.window)
        title = f"{name}, sagittal plane through the middle of label {crop.label}."
        reports.append(Report(numeral, f"The crop of {name}", figures=(Figure("plane", title, plot),)))
    return tuple(reports)


def tables(found: Sequence[Found]) -> Report:
    """Shifts of labels, and the heights of bodies that the crops hold whole."""
    placed = pd.concat([volumes.table_of(one.placed).assign(crop=one.crop.kind) for one in found], ignore_index=True)
    heights = pd.DataFrame(
        [
            {"crop": one.crop.kind, "label": body.level, "in front, mm": body.heights.ha,
             "in the middle, mm": body.heights.hm, "behind, mm": body.heights.hp, "cut by the crop": body.cut}
            for one in found
            for body in one.bodies
        ]
    )  # fmt: skip
    sixth = next(body for body in found[-1].bodies if body.level == "6")
    said = (
        f"The MR numbers its vertebrae 5, 6, 7. By the common numbering these would be C5 to C7, but number 6 is "
        f"{number(sixth.heights.hp, 0)} mm high behind, as a lumbar body is: the numbers there count what was found "
        "and are no levels."
    )
    return Report(
        "IV", "Where labels lie, and heights", (said,),
        (Table("placed", "Middles of the labels", placed[["crop", *placed.columns.drop("crop")]]),
         Table("heights", "Heights of the bodies", heights)),
    )  # fmt: skip
