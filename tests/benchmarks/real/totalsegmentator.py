"""The example CT of TotalSegmentator: heights of vertebrae beside those that its own programme wrote."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from inference.cohorts.levels import CODES
from inference.imaging.images import read_labels
from inference.measures.label_volumes import MeasuredBody, measure_file
from inference.reports import figures
from inference.reports.contract import Figure, Report, Table
from inference.reports.statistics import Statistics
from inference.reports.words import number
from inference.spec import Input
from tests.benchmarks.real import volumes
from tests.benchmarks.real.calling import source
from tests.benchmarks.real.page import About, Measured, Reached, at_most, written

SET = "totalsegmentator_example_ct"
LEVELS = ("L1", "L2", "L3", "L4", "L5")
# TotalSegmentator measures at these shares of the depth, from front to back.
PLACES = {"anterior": 0.15, "middle": 0.50, "posterior": 0.85}
BONE = (-150.0, 450.0)
# Half a voxel: more than that, and one of the two does not measure these bodies.
HALF_A_VOXEL = 1.5
RIGHTS = "TotalSegmentator's example CT, Apache-2.0; Wasserthal et al., Radiology: AI 2023, doi 10.1148/ryai.230024."


class Height(NamedTuple):
    """One height of one vertebra in mm: by the programme that wrote the report, and by this package."""

    level: str
    place: str
    theirs: float
    ours: float


def measure(out: Path) -> Measured:
    """Heights against the report, volumes, geometry; the page."""
    folder, home = source(SET), out.resolve() / "totalsegmentator"
    labels = folder / "totalseg_vertebrae_pp_refined.nii.gz"
    written_there = json.loads((folder / "spine_report.json").read_text())["results"]
    names = {CODES[level]: level for level in LEVELS}
    bodies = measure_file(labels, names)
    heights = heights_of(bodies, written_there)
    placed = volumes.placed(home, folder / "example_ct.nii.gz", labels, names, Input("CT"))
    limits = limits_of(heights, Statistics(home / "totalsegmentator_files" / "analysis"))
    numbers = (*height_numbers(heights), volume_number(labels, written_there), *geometry_numbers(placed))
    about = About(
        "totalsegmentator",
        "CT: heights of lumbar vertebrae beside TotalSegmentator's",
        "The same label volume measured by this package and by TotalSegmentator's own report: heights at 15, 50 and "
        "85 % of the depth of every body. Labels are that model's output, not an expert's truth.",
        {"vertebrae": str(len(bodies)), "heights": str(len(heights)), "voxel": "3 mm", "its steps": "1.5 mm"},
        RIGHTS,
    )
    geometry = Report(
        "IV", "Where labels lie", tables=(Table("placed", "Middles of the labels", volumes.table_of(placed)),)
    )
    return written(about, home, numbers, (picture(folder, bodies), agreement(heights, limits), geometry))


def heights_of(bodies: Sequence[MeasuredBody], there: dict[str, float]) -> tuple[Height, ...]:
    """At the shares of the depth where the other programme measures."""
    return tuple(
        Height(one.level, place, there[f"vertebrae_{one.level}_height_{place}_mm"], one.heights.at(share))
        for one in bodies
        for place, share in PLACES.items()
    )


def height_numbers(heights: Sequence[Height]) -> tuple[Reached, ...]:
    off = np.array([one.ours - one.theirs for one in heights])
    what = f"heights of {len(heights)} places, mean absolute difference"
    known = "the report counts in steps of 1.5 mm, voxels are 3 mm"
    ours, theirs = ((wedge(heights, whose)) for whose in ("ours", "theirs"))
    return (
        at_most(what, float(np.abs(off).mean()), HALF_A_VOXEL, "mm", known=known),
        Reached("largest absolute difference", f"{np.abs(off).max():.2f} mm"),
        Reached(
            "the body that is lowest in front, height there by height behind", f"{ours[0]}, {ours[1]:.2f}", theirs[0],
            ours[0] == theirs[0], f"{theirs[0]}, {theirs[1]:.2f} in the report",
        ),
    )  # fmt: skip


def wedge(heights: Sequence[Height], whose: str) -> tuple[str, float]:
    """The level whose front is lowest beside its back, and the ratio."""
    known = {(one.level, one.place): float(getattr(one, whose)) for one in heights}
    ratios = {level: known[level, "anterior"] / known[level, "posterior"] for level, _ in known}
    level = min(ratios, key=lambda name: ratios[name])
    return level, ratios[level]


def volume_number(labels: Path, there: dict[str, float]) -> Reached:
    read = read_labels(labels)
    millilitres = {level: float((read.values == CODES[level]).sum() * np.prod(read.spacing)) / 1000 for level in LEVELS}
    off = max(abs(value - there[f"vertebrae_{level}_volume_ml"]) for level, value in millilitres.items())
    return at_most("volumes of the vertebrae, largest difference", off, 0.006, "ml", known="its two decimals", digits=4)


def geometry_numbers(placed: Sequence[volumes.Placed]) -> tuple[Reached, ...]:
    read, cropped = max(one.read for one in placed), max(one.cropped for one in placed)
    return (
        at_most("middles of labels after reading, largest shift", read, 0.01, "mm", digits=3),
        at_most("after a crop of 72 mm and back, largest shift", cropped, 0.5, "mm"),
    )


def limits_of(heights: Sequence[Height], statistics: Statistics) -> dict[str, float]:
    """Mean difference and limits of agreement, here minus there, by the statistics' own command."""
    rows = [
        {"reader": who, "arm": "heights", "case": f"{one.level} {one.place}", "rating": getattr(one, field)}
        for one in heights
        for who, field in (("a report", "theirs"), ("here", "ours"))
    ]
    answer = statistics.answer("heights", "agreement", pd.DataFrame(rows), ["--kind", "bland-altman"])
    return {str(row["reader"]).rpartition(": ")[2]: float(row["estimate"]) for row in answer["estimates"]}


def picture(folder: Path, bodies: Sequence[MeasuredBody]) -> Report:
    """The middle plane of the CT with labels, corners and middles of end-plates."""
    ct, steps = volumes.laid_out(folder / "example_ct.nii.gz")
    labels, _ = volumes.laid_out(folder / "totalseg_vertebrae_pp_refined.nii.gz")
    at = round(float(np.median([one.plane for one in bodies])))
    plane = volumes.Plane(ct[at], steps[1:])
    outlines = [
        volumes.Drawn(labels[at] == CODES[one.level], "label", figures.COLOURS[5], "dot", one.level) for one in bodies
    ]
    plot = volumes.drawn(plane, outlines, BONE)
    for place, one in enumerate(bodies):
        points = np.array([*one.outline.points, one.outline.points[0]]) * one.spacing
        plot.add_scatter(
            x=points[:, 1], y=points[:, 0], mode="lines+markers", name="corners and middles", legendgroup="corners",
            showlegend=place == 0, line={"color": figures.COLOURS[4], "width": 1.6}, marker={"size": 6},
            hovertemplate=f"{one.level}: %{{x:.1f}}, %{{y:.1f}} mm<extra></extra>",
        )  # fmt: skip
    away = max(abs(one.plane - at) for one in bodies) * steps[0]
    title = (
        f"Sagittal plane in the middle of the bodies. Each outline is measured in the plane through the middle of its "
        f"own vertebra, at most {number(away, 1)} mm beside this one."
    )
    return Report("II", "What is measured", figures=(Figure("plane", title, plot),))


def agreement(heights: Sequence[Height], limits: dict[str, float]) -> Report:
    """Scatter of both, and differences against means with the limits of agreement."""
    frame = pd.DataFrame(heights).assign(difference=lambda table: table["ours"] - table["theirs"])
    scatter, bland = figures.blank(640, 420), figures.blank(640, 380)
    ends = [frame[["theirs", "ours"]].min().min() - 1, frame[["theirs", "ours"]].max().max() + 1]
    scatter.add_scatter(
        x=ends, y=ends, mode="lines", showlegend=False, line={"color": figures.GREY, "dash": "dot", "width": 1}
    )
    for style, place in enumerate(PLACES):
        part = frame[frame["place"] == place]
        marks = {"color": figures.COLOURS[style], "symbol": figures.SYMBOLS[style], "size": 9}
        scatter.add_scatter(
            x=part["theirs"], y=part["ours"], mode="markers+text", text=part["level"], textposition="middle right",
            name=place, marker=marks, textfont={"size": 11, "color": figures.SOFT},
        )  # fmt: skip
        bland.add_scatter(
            x=(part["ours"] + part["theirs"]) / 2, y=part["difference"], mode="markers", text=part["level"],
            name=place, marker=marks,
        )  # fmt: skip
    for what, value in limits.items():
        bland.add_hline(
            y=value, line={"color": figures.INK, "width": 1.2, "dash": "solid" if "mean" in what else "dash"},
            annotation_text=f"{what} {number(value, 2)}", annotation_position="top left",
        )  # fmt: skip
    scatter.update_xaxes(title_text="TotalSegmentator's report, mm", range=ends)
    scatter.update_yaxes(title_text="here, mm", range=ends, scaleanchor="x")
    bland.update_xaxes(title_text="mean of both, mm")
    bland.update_yaxes(
        title_text="here minus report, mm", range=[min(limits.values()) - 0.6, max(limits.values()) + 0.6]
    )
    by_place = ", ".join(
        f"{place} {number(float(part['difference'].mean()), 1)} mm"
        for place, part in frame.groupby("place", sort=False)
    )
    text = (
        f"Here minus report, on average: {by_place}. Here an end-plate is a parabola through all chords of the body; "
        "the report counts in steps of 1.5 mm and does not say how it finds an end.",
        "Differences of one vertebra are not independent, so the limits describe these 15 heights and no others.",
    )
    named = frame.rename(columns={"theirs": "report, mm", "ours": "here, mm", "difference": "here − report, mm"})
    return Report(
        "III", "Heights of both", text, (Table("heights", "Heights", named),),
        (Figure("scatter", "Each height by both; the line is equality.", scatter, "heights"),
         Figure("bland-altman", "Differences against means, with limits of agreement (Bland and Altman).", bland,
                "heights")),
    )  # fmt: skip
