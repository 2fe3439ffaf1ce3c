"""Marks on lesions and elsewhere: the weighted AFROC area of two arms, and FROC curves."""

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.figures import ForestRow
from analysis.localisation.curves import LocalisedCurve, localised_curve
from analysis.localisation.marks import Marks, read_marks
from analysis.localisation.rockette import localised_obuchowski_rockette
from analysis.plans.declared import Endpoint
from analysis.plans.drawings import Drawing, Series, forest_drawing, lines_drawing
from analysis.plans.endpoints.readers import arm_estimates, arms_of
from analysis.plans.families import claims_of
from analysis.plans.material import Material
from analysis.plans.outcomes import Findings, Table
from analysis.ratings import Floats
from analysis.rows import arm_difference_row


def localised(material: Material, endpoint: Endpoint) -> Findings:
    """Do readers locate better in the second arm? Weighted AFROC, Obuchowski-Rockette."""
    tables, plan = material.tables, material.plan
    if tables.marks is None or tables.lesions is None or tables.readings is None:
        raise CannotAnalyse("A localisation endpoint needs the tables [marks] file and [marks] lesions.")
    read = tables.readings[["reader", "arm", "case"]].drop_duplicates()
    readers = material.readers.readers
    kept = tables.marks[tables.marks["reader"].astype(str).isin(readers)]
    first, second = arms_of(material, endpoint)[:2]
    kept = kept[kept["arm"].astype(str).isin((first, second))]
    read = read[read["arm"].astype(str).isin((first, second))]
    marks = read_marks(kept, tables.lesions, read).restricted(arms=(first, second))
    found = localised_obuchowski_rockette(marks, "wafroc", plan.readers.sampling, plan.cases.sampling)
    row = arm_difference_row(found.differences[0], plan.level)
    rows = [
        (reader, float(found.figures[place, 0]), float(found.figures[place, 1]),
         float(found.figures[place, 1] - found.figures[place, 0]))
        for place, reader in enumerate(found.readers)
    ]  # fmt: skip
    mean = [ForestRow("mean over readers", row.estimate, row.low, row.high, True)]
    each = [ForestRow(reader, step, step, step) for reader, _, _, step in rows]
    drawings = (
        froc_drawing(marks, (first, second)),
        forest_drawing("forest", f"wAFROC area, {second} minus {first}", "Δ wAFROC", {"readers": each, "mean": mean}),
    )
    return Findings(
        f"Weighted AFROC area, Obuchowski-Rockette with jackknife covariance, {len(found.readers)} readers",
        claims_of(endpoint, f"wAFROC, {second} minus {first}", row),
        arm_estimates(found, "wafroc", plan.level),
        (Table("readers", "wAFROC area of each reader", ("reader", first, second, "difference"), tuple(rows)),),
        drawings,
        (*marks.warnings, *found.warnings),
    )


def froc_drawing(marks: Marks, arms: tuple[str, ...]) -> Drawing:
    """Lesions found against marks elsewhere per case: each reader thin, the mean of an arm thick."""
    lines = []
    for style, arm in enumerate(arms):
        curves = [localised_curve(marks, reader, arm, "froc") for reader in marks.readers]
        end = max(float(curve.x.max()) for curve in curves)
        grid = np.linspace(0.0, end or 1.0, 101)
        lines += [thin_line(curve, style) for curve in curves]
        mean = np.mean([steps(curve.x, curve.y, grid) for curve in curves], axis=0)
        lines.append(Series(f"mean of readers, {arm}", tuple(grid.tolist()), tuple(mean.tolist()), style=style))
    return lines_drawing("froc", "FROC", "Marks on no lesion per case", "Share of lesions found", lines)


def thin_line(curve: LocalisedCurve, style: int) -> Series:
    return Series("", tuple(curve.x.tolist()), tuple(curve.y.tolist()), style=style, thin=True, legend=False)


def steps(x: Floats, y: Floats, grid: Floats) -> Floats:
    """Height of a curve over the grid; beyond its last point it stays where it ended."""
    last = np.append(x[1:] != x[:-1], True)
    return np.asarray(np.interp(grid, x[last], y[last]))
