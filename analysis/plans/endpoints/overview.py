"""What every study with readers shows before any endpoint: readers and arms in numbers, and their ROC planes."""

from functools import partial

import numpy as np

from analysis.figures import PlanePoint, RocTrace
from analysis.interval import Refusal
from analysis.mean_roc import mean_curve
from analysis.per_reader import attempt
from analysis.plans.drawings import Drawing, Plane, roc_drawing
from analysis.plans.endpoints.models import METRICS
from analysis.plans.endpoints.pairs import WORDS, estimated
from analysis.plans.material import Material, ModelScores
from analysis.plans.outcomes import Cell, Estimate, Findings, Table
from analysis.ratings import Ratings
from analysis.roc import RocCurve, roc_curve


def described(material: Material) -> Findings:
    """Every reader in every arm, the model beside them."""
    table, found = reader_metrics(material)
    tables = [table, group_means(material, found)]
    return Findings(
        "Readers described", (), tuple(found), tuple(item for item in tables if item.rows), tuple(planes(material))
    )


def reader_metrics(material: Material) -> tuple[Table, list[Estimate]]:
    """A row per reader and arm, each metric with its interval."""
    data, plan = material.readers, material.plan
    columns = ["reader", "seniority", "arm", "cases"]
    for metric in METRICS:
        columns += [WORDS[metric], f"{WORDS[metric]} low", f"{WORDS[metric]} high"]
    rows, found = [], []
    for reader in data.readers:
        for arm in data.any_values.arms:
            read = data.any_values.cell(reader, arm)[0]
            cells: list[Cell] = [reader, data.seniority[reader], arm, len(read)]
            for metric in METRICS:
                estimate = attempt(partial(cell_estimate, material, metric, reader, arm))
                if isinstance(estimate, Refusal):
                    cells += [None, None, None]
                else:
                    cells += [estimate.estimate, estimate.low, estimate.high]
                    found.append(estimate)
            rows.append(tuple(cells))
    note = (
        f"Intervals at {plan.level:.0%} of single readers on the cases each read; they do not extend to other readers."
    )
    return Table("readers", "Readers in each arm", tuple(columns), tuple(rows), note), found


def cell_estimate(material: Material, metric: str, reader: str, arm: str) -> Estimate:
    data, plan = material.readers, material.plan
    values = data.ratings if metric == "auc" else data.decisions
    if values is None:
        return estimated(np.zeros(0, dtype=bool), np.zeros(0), metric, reader, arm, plan.level)
    row = values.values[values.readers.index(reader), values.arms.index(arm)]
    read = ~np.isnan(row)
    patients = None
    if plan.cases.nested:
        patients = [material.patients.get(values.cases[place], values.cases[place]) for place in np.flatnonzero(read)]
    return estimated(values.truth[read], row[read], metric, reader, arm, plan.level, patients, plan.seed)


def group_means(material: Material, found: list[Estimate]) -> Table:
    """Plain means over the readers of each seniority, in each arm."""
    data = material.readers
    rows = []
    for seniority in seniorities_of(material):
        members = [reader for reader in data.readers if data.seniority[reader] == seniority]
        for arm in data.any_values.arms:
            cells: list[Cell] = [seniority, arm, len(members)]
            for metric in METRICS:
                values = [x.estimate for x in found if x.label in members and x.group == arm and x.metric == metric]
                cells.append(float(np.mean(values)) if values else None)
            rows.append(tuple(cells))
    columns = ("seniority", "arm", "readers", *(WORDS[metric] for metric in METRICS))
    return Table("seniority", "Means by seniority", columns, tuple(rows), "Means over the readers; a description.")


def seniorities_of(material: Material) -> tuple[str, ...]:
    """In the order of the plan, else of the alphabet."""
    data = material.readers
    known = sorted({data.seniority[reader] for reader in data.readers} - {""})
    order = material.plan.readers.seniorities
    return tuple([name for name in order if name in known] + [name for name in known if name not in order])


def curves_of(values: Ratings | None, arm: str) -> list[tuple[str, RocCurve]]:
    if values is None:
        return []
    found = []
    for reader in values.readers:
        curve = attempt(partial(roc_curve, *values.cell(reader, arm)))
        if not isinstance(curve, Refusal):
            found.append((reader, curve))
    return found


def trace(label: str, curve: RocCurve) -> RocTrace:
    return RocTrace(label, curve.fpr.tolist(), curve.tpr.tolist(), curve.area)


def planes(material: Material) -> list[Drawing]:
    """One plane per arm with its readers, one with the mean curves of all arms, the model and the readers as points."""
    data, drawings, means = material.readers, [], []
    styles = styles_of(material)
    for place, arm in enumerate(data.any_values.arms):
        curves = curves_of(data.ratings, arm)
        if not curves:
            continue
        middle = mean_curve([curve for _, curve in curves], "vertical")
        label = "mean of readers" if len(curves) > 1 else curves[0][0]
        mean = RocTrace(label, middle.fpr.tolist(), middle.tpr.tolist(), middle.area)
        means.append(RocTrace(f"{'mean' if len(curves) > 1 else label}, {arm}", mean.fpr, mean.tpr, mean.auc))
        thin = [trace(reader, curve) for reader, curve in curves] if len(curves) > 1 else []
        drawings.append(
            roc_drawing(
                f"roc {arm}",
                f"Readers, {arm}",
                Plane(curves=[mean], thin=thin, points=points(material, arm), styles=styles, first=place),
            )
        )
    for item in own_scores(material):
        curve = attempt(partial(roc_curve, *item.scored))
        if not isinstance(curve, Refusal):
            means.append(trace(item.model, curve))
    every = [point for arm in data.any_values.arms for point in points(material, arm)]
    note = (
        "Mean curves: sensitivity averaged over readers at each specificity."
        if data.ratings is not None and len(data.readers) > 1
        else ""
    )
    if means or every:
        drawings.append(
            roc_drawing(
                "roc mean", "Arms and model, readers as points", Plane(curves=means, points=every, styles=styles), note
            )
        )
    return drawings


def styles_of(material: Material) -> dict[str, tuple[int, int]]:
    """Colour by arm as their mean curves have, symbol by seniority."""
    data = material.readers
    names = seniorities_of(material) or ("readers",)
    return {
        f"{name}, {arm}": (colour, symbol)
        for colour, arm in enumerate(data.any_values.arms)
        for symbol, name in enumerate(names)
    }


def own_scores(material: Material) -> list[ModelScores]:
    """Scores of the models on the cases that the readers read."""
    read = set(material.readers.any_values.cases)
    return [item for item in material.scores if item.set == material.own_set and read & set(item.cases)]


def points(material: Material, arm: str) -> list[PlanePoint]:
    """The readers' decisions as operating points, grouped by seniority where there are several."""
    decisions, data = material.readers.decisions, material.readers
    if decisions is None:
        return []
    found = []
    for reader in decisions.readers:
        truth, decision = decisions.cell(reader, arm)
        if truth.any() and not truth.all():
            group = f"{data.seniority[reader] or 'readers'}, {arm}"
            found.append(PlanePoint(reader, group, float(decision[~truth].mean()), float(decision[truth].mean())))
    return found
