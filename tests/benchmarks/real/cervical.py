"""Cervical MR of the Spinal Cord Toolbox: levels of the cord on T2, and the cord of T2 found again on T1."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from inference.imaging.images import Image, read_image, read_labels
from inference.imaging.regions import place_in
from inference.prediction import Place
from inference.reports import figures
from inference.reports.contract import Figure, Report, Table
from inference.reports.words import number
from inference.spec import Input
from tests.benchmarks.real import volumes
from tests.benchmarks.real.calling import source
from tests.benchmarks.real.page import About, Measured, Reached, at_most, written

SET = "sct_testing_cervical_mri"
SECTIONS = "t2_seg-manual_labeled.nii.gz"
POINTS = "t2_labeled_center_manual.nii.gz"
NAMES: Mapping[int, str] = {code: f"C{code}" for code in range(2, 6)}
# A voxel is 1 mm, and the two series were taken one after the other.
FARTHEST = 2.0
RIGHTS = "Testing data of the Spinal Cord Toolbox (github.com/spinalcordtoolbox/sct_testing_data), MIT licence."


def measure(out: Path) -> Measured:
    """Levels and geometry; the page."""
    folder, home = source(SET), out.resolve() / "cervical"
    placed = volumes.placed(home, folder / "t2.nii.gz", folder / SECTIONS, NAMES, Input("MR", "T2W"))
    apart, points = carried(folder), points_by_section(folder)
    numbers = (*level_numbers(folder, placed, points), *geometry_numbers(folder, placed, apart))
    about = About(
        "cervical",
        "Cervical MR: levels of the cord",
        "One person, T2 and T1: the cord that was outlined by hand, its sections named by vertebral level, and the "
        "same cord found on the other series through the patient.",
        {"volumes": "2", "sections of the cord": str(len(placed)), "points": str(len(points)), "voxel": "1 mm"},
        RIGHTS,
    )
    where = Report(
        "IV", "Where labels lie",
        tables=(Table("placed", "Middles of the sections", volumes.table_of(placed)),
                Table("points", "Points and the sections of the cord that they lie in", points, NUMBERING)),
    )  # fmt: skip
    return written(about, home, numbers, (picture(folder), cords(apart), where))


NUMBERING = (
    "The two label files of the set number levels differently by one: every point lies in the middle of the section "
    "with the number below its own. SOURCE.md names levels 1 to 5; the file of sections holds 2 to 5."
)


def points_by_section(folder: Path) -> pd.DataFrame:
    """Every point with the section that holds it, and how far along the cord the middle of a section is from it."""
    sections, points = read_labels(folder / SECTIONS), read_labels(folder / POINTS)
    rows = []
    for code in np.unique(points.values)[1:]:
        slice_ = int(np.argwhere(points.values == code)[0][0])
        inside = int(np.bincount(sections.values[slice_].astype(int).ravel())[1:].argmax()) + 1
        middle = float(np.argwhere(sections.values == inside)[:, 0].mean())
        rows.append(
            {"point": int(code), "lies in section": inside,
             "along the cord from its middle, mm": abs(middle - slice_) * sections.spacing[0]}
        )  # fmt: skip
    return pd.DataFrame(rows)


def level_numbers(folder: Path, placed: tuple[volumes.Placed, ...], points: pd.DataFrame) -> tuple[Reached, ...]:
    there = np.unique(read_labels(folder / SECTIONS).values)[1:].astype(int).tolist()
    rising = [float(np.argwhere(read_labels(folder / SECTIONS).values == code)[:, 0].mean()) for code in there]
    ordered = rising == sorted(rising, reverse=True)
    known = f"SOURCE.md: 1 to 5; the file holds {', '.join(map(str, there))}"
    whole = points["along the cord from its middle, mm"]
    return (
        Reached("sections of the cord, from the head down", str(len(placed)), str(len(there)), ordered, known),
        Reached(
            "points by hand from the middles of the sections they lie in, mean",
            f"{number(float(whole.mean()), 2)} mm", known="their numbers are by one higher than the sections'",
        ),
    )  # fmt: skip


def geometry_numbers(folder: Path, placed: tuple[volumes.Placed, ...], apart: pd.DataFrame) -> tuple[Reached, ...]:
    read, cropped = max(one.read for one in placed), max(one.cropped for one in placed)
    off = float(apart["apart"].median())
    spacing = volumes.spacing_of(folder / "t2.nii.gz")
    return (
        Reached("T2: size of a voxel", spacing, "1 mm", spacing == "1 × 1 × 1 mm",
                f"stored {volumes.axes_of(folder / 't2.nii.gz')}; T1 {volumes.axes_of(folder / 't1w.nii.gz')}"),
        at_most("T2: middles of sections after reading, largest shift", read, 0.01, "mm", digits=3),
        at_most("T2: after a crop of 72 mm and back, largest shift", cropped, 0.5, "mm"),
        at_most("cord of T2 carried to T1 and the cord drawn there, median distance", off, FARTHEST, "mm"),
    )  # fmt: skip


def carried(folder: Path) -> pd.DataFrame:
    """By height: the middle of the cord on T2 carried to T1 through the patient, and the cord drawn on T1."""
    t2, t1 = read_image(folder / "t2.nii.gz"), read_image(folder / "t1w.nii.gz")
    here, there = middles(folder / "t2_seg-manual.nii.gz", t2), middles(folder / "t1w_seg-manual.nii.gz", t1)
    rows = []
    for slice_, (row, column) in here.items():
        place = place_in(Place(slice_, row, column), t2, t1)
        found = there.get(round(place.slice))
        if found is not None:
            off = np.array([place.row - found[0], place.column - found[1]]) * t1.spacing[1:]
            rows.append({"slice of T2": slice_, "back": off[0], "left": off[1], "apart": float(np.hypot(*off))})
    return pd.DataFrame(rows)


def middles(labels: Path, image: Image) -> dict[int, NDArray[np.float64]]:
    """Middle of the cord, (row, column), on every axial slice that shows it."""
    values = read_labels(labels, image).values != 0
    return {int(at): np.argwhere(values[at]).mean(axis=0) for at in np.flatnonzero(values.any(axis=(1, 2)))}


def picture(folder: Path) -> Report:
    """The middle plane of T2 with the sections and the points."""
    values, steps = volumes.laid_out(folder / "t2.nii.gz")
    sections, _ = volumes.laid_out(folder / SECTIONS)
    points, _ = volumes.laid_out(folder / POINTS)
    at = volumes.middle_plane(sections, list(NAMES))
    inside = [
        volumes.Drawn(sections[at] == code, f"section {name}", figures.COLOURS[style], "solid", name)
        for style, (code, name) in enumerate(NAMES.items())
    ]
    window = float(np.percentile(values[at], 1)), float(np.percentile(values[at], 99))
    plot = volumes.drawn(volumes.Plane(values[at], steps[1:]), inside, window)
    places = np.argwhere(points > 0)
    plot.add_scatter(
        x=places[:, 2] * steps[2], y=places[:, 1] * steps[1], mode="markers+text", name="points by hand",
        text=[f"{points[tuple(place)]:.0f}" for place in places], textposition="middle right",
        textfont={"color": figures.COLOURS[4], "size": 14}, showlegend=True,
        marker={"color": figures.COLOURS[4], "size": 9, "symbol": "cross"},
    )  # fmt: skip
    title = "T2, sagittal plane in the middle of the cord: sections of the cord as named in their file, and the points."
    return Report("II", "Levels of the cord", figures=(Figure("plane", title, plot),))


def cords(apart: pd.DataFrame) -> Report:
    """By how much the cord of the one series misses that of the other, slice by slice."""
    series = [
        (name, apart["slice of T2"].tolist(), apart[column].tolist())
        for name, column in (("towards the back", "back"), ("towards the left", "left"))
    ]
    plot = figures.lines(series, "axial slice of T2, from below, 1 mm each", "T2's cord on T1 minus T1's own, mm")
    plot.add_hline(y=0, line={"color": figures.GREY, "dash": "dot", "width": 1})
    title = f"The cord of T2 on T1, on {len(apart)} axial slices that show it on both."
    right, back = -float(apart["left"].median()), float(apart["back"].median())
    text = (
        f"T2's cord lies {number(right, 1)} mm to the right and {number(back, 1)} mm behind T1's, by the median. The "
        "files' own affines say the same, so that the person moved between the series, or the outlines differ."
    )
    table = Table("cords", "Distances by slice", apart, shown=False)
    return Report(
        "III", "One cord on two series", (text,), tables=(table,), figures=(Figure("cords", title, plot, "cords"),)
    )
