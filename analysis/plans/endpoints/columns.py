"""A measure per case, such as Dice or the share of levels named rightly: its mean with an interval by patient."""

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.figures import ForestRow
from analysis.plans.declared import Endpoint
from analysis.plans.drawings import forest_drawing
from analysis.plans.material import Material
from analysis.plans.outcomes import Estimate, Findings, Table
from analysis.ratings import Floats, check_columns, numbers
from analysis.resampling import REPLICATES


def means(material: Material, endpoint: Endpoint) -> Findings:
    """What is the mean of a column, for every model (or reader) and set (or arm)?"""
    frame = material.tables.scores if material.tables.readings is None else material.tables.readings
    if frame is None:
        raise CannotAnalyse("There is no table that the column could stand in.")
    check_columns(frame, (endpoint.column,))
    keys = ["model", "set"] if material.tables.readings is None else ["reader", "arm"]
    keys = [key for key in keys if key in frame.columns]
    found, rows = [], []
    for names, part in frame.groupby(keys, sort=False):
        labels = [str(name) for name in names] + [""] * (2 - len(keys))
        values, truth = numbers(part, endpoint.column), numbers(part, "truth") == 1
        wanted = {"diseased": truth, "non-diseased": ~truth}.get(endpoint.of, np.ones_like(truth))
        kept = wanted & ~np.isnan(values)
        if not kept.any():
            raise CannotAnalyse(f"The column {endpoint.column} is empty for {', '.join(labels).rstrip(', ')}.")
        owners = part["patient" if "patient" in part.columns else "case"].astype(str).to_numpy()[kept]
        item = mean_of(values[kept], owners, labels, endpoint, material)
        found.append(item)
        rows.append(
            (*labels, item.n, len(set(owners)), item.estimate, item.low, item.high, float(np.median(values[kept])))
        )
    columns = (keys[0], keys[1] if len(keys) > 1 else "", "cases", "patients", "mean", "low", "high", "median")
    groups: dict[str, list[ForestRow]] = {}
    for item in found:
        label = ", ".join(part for part in (item.label, item.group) if part)
        groups.setdefault(item.label, []).append(ForestRow(label, item.estimate, item.low or 0.0, item.high or 0.0))
    whose = "" if endpoint.of == "all" else f" of {endpoint.of} cases"
    return Findings(
        f"Mean of {endpoint.column}{whose}, interval by the bootstrap of patients (seed {material.plan.seed})",
        (), tuple(found), (Table("means", f"{endpoint.column}{whose}", columns, tuple(rows)),),
        (forest_drawing("means", endpoint.name, endpoint.column, groups, zero=None),),
    )  # fmt: skip


def mean_of(
    values: Floats, owners: "np.ndarray[tuple[int], np.dtype[np.str_]]", labels: list[str], endpoint: Endpoint,
    material: Material,
) -> Estimate:  # fmt: skip
    """Mean over the cases and its percentile interval, patients being drawn anew with all their cases."""
    places = np.unique(owners, return_inverse=True)[1]
    sizes, sums = np.bincount(places), np.bincount(places, weights=values)
    if len(sizes) < 2:
        raise CannotAnalyse(f"The mean of {endpoint.column} needs at least two patients.")
    generator = np.random.default_rng(material.plan.seed)
    drawn = generator.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=REPLICATES)
    found = (drawn @ sums) / (drawn @ sizes)
    level = material.plan.level
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(
        labels[0], labels[1], endpoint.column, float(values.mean()), float(found.std(ddof=1)), float(low), float(high),
        len(values),
    )  # fmt: skip
