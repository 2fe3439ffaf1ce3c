"""Label volumes as the package reads them: where labels lie by the file and after reading, cropping and going back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray
from plotly.graph_objects import Figure as Plot
from scipy.ndimage import label

from inference.cohorts.cases import read_cohort
from inference.cohorts.samples import load_samples
from inference.imaging.images import read_image, read_labels
from inference.reports import figures
from inference.spec import Input, VertebraCrop
from inference.steps import Percentile, ResizePad, ZScore
from tests.benchmarks.real.calling import as_csv, declared
from tests.inference.declaring import spec_of

# The head above, the patient's front to the left.
LAID_OUT = ("R", "I", "P")
CROP, SIZE = 72.0, 48
WIDTH, FRAME = 640, 86
# The share of a plane in front of an outline that a word needs.
ROOM = 0.12
HEAD = ("case", "patient", "role", "file", "levels", "slice", "row", "column")
# Left, posterior and superior, as DICOM counts, and right, anterior and superior, as NIfTI does.
TURNED = np.array([-1.0, -1.0, 1.0])


class Placed(NamedTuple):
    """A label: its voxels, and how far its middle lies from where the file has it, in mm.

    ``read`` is after reading; ``cropped`` after the way onto a network's input of 48³ around it and back.
    """

    name: str
    voxels: int
    read: float
    cropped: float


class Plane(NamedTuple):
    """A sagittal plane: values (rows from the head down, columns from front to back), mm a row and a column."""

    values: NDArray[np.float64]
    spacing: tuple[float, float]


class Drawn(NamedTuple):
    """An outline over a plane: what is inside, its name in the legend, its colour, its line, and a word in it."""

    inside: NDArray[np.bool_]
    name: str
    colour: str
    dash: str = "solid"
    word: str = ""


def placed(home: Path, file: Path, labels: Path, names: Mapping[int, str], kind: Input) -> tuple[Placed, ...]:
    """Every label through manifest, cohort and preparation, as a case of its own with the middle of it as place."""
    image = read_image(file)
    values = read_labels(labels, image).values
    middles = {code: np.argwhere(values == code).mean(axis=0) for code in names}
    rows = [(names[code], home.name, "control", file, labels, *middles[code]) for code in names]
    manifest = declared(home / f"{labels.name.partition('.')[0]}.csv", as_csv(HEAD, rows))
    spec = spec_of(Percentile(), ZScore(), ResizePad((SIZE,) * 3), inputs=(kind,), roi=VertebraCrop((CROP,) * 3))
    cases = read_cohort(manifest, [kind.name])
    samples = load_samples(spec, cases, taught=False)
    found = []
    for code, case, geometry in zip(names, cases, samples.geometries, strict=True):
        lying = read_labels(labels, read_image(case.images[""])) if case.levels else None
        assert lying is not None
        assert lying.affine is not None
        on = geometry.onto(lying.values)
        back = geometry.points_back(np.argwhere(on == code).mean(axis=0)[None])[0]
        inside = np.argwhere(lying.values == code)
        ours = (lying.affine @ [*inside.mean(axis=0), 1])[:3] * TURNED
        read = float(np.linalg.norm(ours - middle_by_file(labels, code)))
        # Of a label that is longer than the crop, what the crop holds.
        held = inside[((inside > geometry.low) & (inside < geometry.high)).all(axis=1)]
        cropped = float(np.linalg.norm((back - held.mean(axis=0)) * lying.spacing))
        found.append(Placed(names[code], len(inside), read, cropped))
    return tuple(found)


def middle_by_file(labels: Path, code: int) -> NDArray[np.float64]:
    """Middle of a label in mm by the file's own affine, without the package."""
    stored = nib.Nifti1Image.from_filename(labels)
    voxels = np.argwhere(np.asarray(stored.dataobj) == code)
    return np.asarray((stored.affine @ [*voxels.mean(axis=0), 1])[:3])


def axes_of(file: Path) -> str:
    """Towards where the stored axes run, such as PIR."""
    return "".join(str(axis) for axis in nib.aff2axcodes(nib.Nifti1Image.from_filename(file).affine))


def spacing_of(file: Path) -> str:
    """Of the volume as the package reads it: between slices, rows and columns."""
    return " × ".join(f"{mm:g}" for mm in np.round(read_image(file).spacing, 4)) + " mm"


def laid_out(file: Path) -> tuple[NDArray[np.float64], tuple[float, float, float]]:
    """The volume as (planes to the right, rows down, columns to the back), and its steps in mm."""
    stored = nib.Nifti1Image.from_filename(file)
    turned = stored.as_reoriented(ornt_transform(io_orientation(stored.affine), axcodes2ornt(LAID_OUT)))
    steps = [float(mm) for mm in turned.header.get_zooms()[:3]]
    return np.asarray(turned.dataobj, dtype=float), (steps[0], steps[1], steps[2])


def middle_plane(labels: NDArray[np.float64], codes: Sequence[int]) -> int:
    """The sagittal plane in the middle of these labels."""
    return round(float(np.median(np.nonzero(np.isin(labels, codes))[0])))


def drawn(plane: Plane, outlines: Sequence[Drawn], window: tuple[float, float]) -> Plot:
    """A plane in grey with outlines over it; axes in mm."""
    low, high = window
    grey = (np.clip((plane.values - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    down, across = (np.arange(count) * step for count, step in zip(grey.shape, plane.spacing, strict=True))
    legend = 150 if any(one.name for one in outlines) else 0
    height = FRAME + (WIDTH - FRAME - legend) * float(down[-1] / across[-1])
    figure = figures.blank(WIDTH, round(min(height, 760)))
    figure.add_heatmap(z=grey, x=across, y=down, colorscale="gray", zmin=0, zmax=255, showscale=False, hoverinfo="skip")
    named: set[str] = set()
    for one in outlines:
        # A frame of nothing closes outlines that reach the edge of the volume.
        figure.add_contour(
            z=np.pad(one.inside, 1).astype(np.uint8), x=padded(across), y=padded(down), showscale=False,
            contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"}, hoverinfo="skip",
            line={"color": one.colour, "width": 2, "dash": one.dash}, name=one.name, legendgroup=one.name,
            showlegend=bool(one.name) and one.name not in named,
        )  # fmt: skip
        named.add(one.name)
        if one.word and one.inside.any():
            add_word(figure, plane, one)
    figure.update_xaxes(title_text="from front to back, mm", constrain="domain", showgrid=False)
    figure.update_yaxes(
        title_text="from the head down, mm", autorange="reversed", scaleanchor="x", constrain="domain", showgrid=False
    )
    return figure


def add_word(figure: Plot, plane: Plane, one: Drawn) -> None:
    """The word of an outline in front of its largest part, or within it where there is no room."""
    parts, _ = label(one.inside)
    largest = np.argwhere(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]))
    row, column = float(largest[:, 0].mean()), float(largest[:, 1].min())
    room = column > ROOM * one.inside.shape[1]
    figure.add_annotation(
        x=column * plane.spacing[1], y=row * plane.spacing[0], text=one.word, showarrow=False,
        xanchor="right" if room else "left", xshift=-4 if room else 4, font={"color": "#fff", "size": 13},
        bgcolor="rgba(0,0,0,.6)", borderpad=2,
    )  # fmt: skip


def padded(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """With one place more at both ends."""
    step = places[1] - places[0]
    return np.concatenate([[places[0] - step], places, [places[-1] + step]])


def table_of(found: Sequence[Placed]) -> pd.DataFrame:
    """Labels as rows."""
    return pd.DataFrame(
        [
            {"label": one.name, "voxels": one.voxels, "middle after reading, mm off": round(one.read, 4),
             "after a crop and back, mm off": round(one.cropped, 4)}
            for one in found
        ]
    )  # fmt: skip
