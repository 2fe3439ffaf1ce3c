"""Models alone, against each other, on external sets, and in cross-validation."""

from collections.abc import Iterator
from functools import partial
from itertools import combinations

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.figures import ForestRow, PlanePoint, RocTrace
from analysis.interval import Refusal
from analysis.per_reader import attempt
from analysis.plans.declared import Endpoint
from analysis.plans.drawings import Drawing, Plane, forest_drawing, roc_drawing
from analysis.plans.endpoints.pairs import WORDS, Patients, compared, estimated
from analysis.plans.families import claims_of
from analysis.plans.material import Material, ModelScores
from analysis.plans.outcomes import Cell, Claim, Estimate, Findings, Table
from analysis.ratings import Bools, Floats
from analysis.roc import roc_curve

METRICS = ("auc", "sensitivity", "specificity", "ppv", "accuracy", "f1")
SHIFT = 0.10


def clusters(material: Material, item: ModelScores, known: Bools) -> Patients:
    """Patients of the units, where the plan says that units nest in patients."""
    if not material.plan.cases.nested:
        return None
    if not item.patients:
        raise CannotAnalyse("The cases nest in patients, and the table of scores has no column patient.")
    return [item.patients[place] for place in np.flatnonzero(known)]


def values_of(item: ModelScores, metric: str) -> Floats:
    return item.score if metric == "auc" else item.decision


def estimates_of(material: Material, item: ModelScores) -> Iterator[tuple[str, Estimate | Refusal]]:
    """Every metric of one model on one set."""
    for metric in METRICS:
        values = values_of(item, metric)
        known = ~np.isnan(values)

        def compute(metric: str = metric, values: Floats = values, known: Bools = known) -> Estimate:
            patients = clusters(material, item, known)
            return estimated(
                item.truth[known], values[known], metric, item.model, item.set, material.plan.level, patients,
                material.plan.seed,
            )  # fmt: skip

        yield metric, attempt(compute)


def metrics_table(
    material: Material, items: tuple[ModelScores, ...], name: str, title: str
) -> tuple[Table, list[Estimate]]:
    """A row per model and set: cases, diseased, and each metric with its interval."""
    columns = ["model", "set", "cases", "diseased"]
    for metric in METRICS:
        columns += [WORDS[metric], f"{WORDS[metric]} low", f"{WORDS[metric]} high"]
    rows, found, refused = [], [], []
    for item in items:
        cells: list[Cell] = [item.model, item.set, len(item.cases), int(item.truth.sum())]
        for metric, cell in estimates_of(material, item):
            if isinstance(cell, Refusal):
                cells += [None, None, None]
                refused.append(f"{item.model}, {item.set}, {WORDS[metric]}: {cell.sentence}")
            else:
                cells += [cell.estimate, cell.low, cell.high]
                found.append(cell)
        rows.append(tuple(cells))
    note = (
        "Intervals: AUC Obuchowski's for clustered units, the rest by drawing patients anew."
        if material.plan.cases.nested
        else "Intervals: AUC DeLong's, F1 by the bootstrap, the rest Wilson's."
    )
    note = " ".join([note, *refused])
    return Table(name, title, tuple(columns), tuple(rows), note), found


def rocs(items: tuple[ModelScores, ...], name: str, title: str) -> Drawing | None:
    """The curves of several models on one set, each with its own operating point."""
    curves, points = [], []
    for item in items:
        truth, score = item.scored
        curve = attempt(partial(roc_curve, truth, score))
        if not isinstance(curve, Refusal):
            curves.append(RocTrace(item.model, curve.fpr.tolist(), curve.tpr.tolist(), curve.area))
        truth, decision = item.decided
        if truth.any() and not truth.all():
            place = float(decision[~truth].mean()), float(decision[truth].mean())
            points.append(PlanePoint("", f"{item.model}, decisions", *place))
    return roc_drawing(name, title, Plane(curves=curves, points=points)) if curves or points else None


def alone(material: Material, endpoint: Endpoint) -> Findings:
    """How do the models do, on each set?"""
    table, found = metrics_table(material, material.scores, "models", "Models on each set")
    drawings = [
        rocs(tuple(item for item in material.scores if item.set == name), f"roc {name}", f"Models, {name}")
        for name in material.sets
    ]
    return Findings(
        f"{len(material.models)} models on {len(material.sets)} sets, described",
        (),
        tuple(found),
        (table,),
        tuple(item for item in drawings if item is not None),
        tuple(f"{item.label}, {item.group}: {text}" for item in found for text in item.warnings),
    )


def shared(one: ModelScores, two: ModelScores, metric: str) -> tuple[Bools, tuple[Floats, Floats], Bools]:
    """Truth and values of the cases that both models judged; the mask is over the cases of the first."""
    if one.cases != two.cases:
        place = {case: number for number, case in enumerate(two.cases)}
        order = np.array([place.get(case, -1) for case in one.cases])
        theirs = np.where(order >= 0, values_of(two, metric)[order], np.nan)
    else:
        theirs = values_of(two, metric)
    mine = values_of(one, metric)
    both = ~(np.isnan(mine) | np.isnan(theirs))
    return one.truth[both], (mine[both], theirs[both]), both


def between(material: Material, endpoint: Endpoint) -> Findings:
    """Do the models differ, pair by pair, on each set? Later minus earlier model."""
    if len(material.models) < 2:
        raise CannotAnalyse("There is only one model, so there is nothing to compare it with.")
    claims: list[Claim] = []
    rows, cells, refused = [], [], []
    word = WORDS[endpoint.metric]
    for name in material.sets:
        for first, second in combinations(material.models, 2):
            where = "" if len(material.sets) == 1 else f" on {name}"
            one, two = material.of_model(first, name), material.of_model(second, name)
            truth, values, both = shared(one, two, endpoint.metric)
            patients = clusters(material, one, both)
            pair = compared(truth, values, (first, second), None, endpoint, material.plan.level, patients)
            row = pair.row
            claims += claims_of(endpoint, f"{word}, {second} minus {first}{where}", row, table=pair.table)
            rows.append(ForestRow(f"{second} − {first}{where}", row.estimate, row.low, row.high))
            cells.append(
                (name, first, second, row.n, row.first_value, row.second_value, row.estimate, row.low, row.high, row.p)
            )
            refused += [f"{second} minus {first}{where}: {text}" for text in row.warnings]
    columns = ("set", "first", "second", "cases", "first value", "second value", "difference", "low", "high", "p")
    nested = material.plan.cases.nested
    test = ("Obuchowski's test of clustered AUCs" if nested else "DeLong's test") if endpoint.metric == "auc" else (
        "McNemar's test adjusted for clusters" if nested else f"McNemar's test ({endpoint.test})"
    )  # fmt: skip
    return Findings(
        f"{test} of {word} on the same cases, pair by pair",
        tuple(claims),
        (),
        (Table("pairs", f"{word} of the models compared", columns, tuple(cells)),),
        (forest_drawing("forest", f"Difference in {word} between models", f"Δ {word}", {"models": rows}),),
        tuple(refused),
    )


def external(material: Material, endpoint: Endpoint) -> Findings:
    """What happens outside the own set? Each set has its own table; a shift of specificity is flagged."""
    own = material.own_set
    tables, found, warnings, drawings = [], [], [], []
    for name in material.sets:
        items = tuple(item for item in material.scores if item.set == name)
        table, estimates = metrics_table(material, items, f"set {name}", f"Set {name}")
        tables.append(table)
        found += estimates
        drawing = rocs(items, f"roc {name}", f"Models, {name}")
        drawings += [] if drawing is None else [drawing]
    if len(material.sets) < 2:
        raise CannotAnalyse("There is only one set of cases; external sets need a column set with several.")
    for item in found:
        home = next((x for x in found if (x.label, x.metric, x.group) == (item.label, item.metric, own)), None)
        if item.metric == "specificity" and home is not None and abs(item.estimate - home.estimate) > SHIFT:
            warnings.append(
                f"The operating point of {item.label} shifted: at the frozen threshold its specificity is "
                f"{item.estimate:.3f} on {item.group} and {home.estimate:.3f} on {own}."
            )
    groups = {
        model: [
            ForestRow(f"{model}, {item.group}", item.estimate, item.low or 0.0, item.high or 0.0)
            for item in found
            if item.label == model and item.metric == "auc"
        ]
        for model in material.models
    }
    if any(groups.values()):
        drawings.insert(0, forest_drawing("sets", "AUC on each set", "AUC", groups, zero=None))
    return Findings(
        f"{len(material.sets)} sets, each analysed on its own; {own} is the set of the study itself",
        (), tuple(found), tuple(tables), tuple(drawings), tuple(warnings),
    )  # fmt: skip


def cross_validated(material: Material, endpoint: Endpoint) -> Findings:
    """How does the model do on cases it was not trained on, fold by fold and pooled?"""
    tables, found, curves, warnings = [], [], [], []
    for item in material.scores:
        if not item.folds:
            raise CannotAnalyse("The table of scores has no column fold, so there is no cross-validation to report.")
        warnings += torn_patients(material, item)
        pooled, estimates = metrics_table(material, (item,), "pooled", f"{item.model}, out-of-fold predictions pooled")
        found += estimates
        tables += [fold_table(item), pooled]
        curve = roc_curve(*item.scored)
        curves.append(RocTrace(f"{item.model}", curve.fpr.tolist(), curve.tpr.tolist(), curve.area))
    thin = [trace for item in material.scores for trace in fold_curves(item)] if len(material.scores) == 1 else []
    drawing = roc_drawing("roc folds", "Out-of-fold predictions", Plane(curves=curves, grey=thin))
    return Findings(
        "Out-of-fold predictions: every case once, by the model that had not seen its patient; folds are described, "
        "not tested, since their models share training data",
        (), tuple(found), tuple(tables), (drawing,), tuple(warnings),
    )  # fmt: skip


def torn_patients(material: Material, item: ModelScores) -> list[str]:
    """A patient in two folds has leaked from training to testing: refused."""
    if not item.patients:
        return [f"{item.model}: no column patient, so it cannot be proved that folds were split by patient."]
    where: dict[str, str] = {}
    for patient, fold in zip(item.patients, item.folds, strict=True):
        if where.setdefault(patient, fold) != fold:
            raise CannotAnalyse(f"Patient {patient} is in the folds {where[patient]} and {fold}; folds leak.")
    return []


def in_folds(item: ModelScores) -> Iterator[tuple[str, Bools]]:
    from analysis.ratings import natural

    labels = np.array(item.folds)
    for fold in sorted(set(item.folds), key=natural):
        yield fold, labels == fold


def fold_table(item: ModelScores) -> Table:
    """A row per fold: cases, diseased, AUC, sensitivity, specificity, accuracy; no intervals, as none is valid."""
    rows: list[tuple[Cell, ...]] = []
    for fold, chosen in in_folds(item):
        truth, score, decision = item.truth[chosen], item.score[chosen], item.decision[chosen]
        cells: list[Cell] = [fold, len(truth), int(truth.sum())]
        curve = attempt(partial(roc_curve, truth, score))
        cells.append(None if isinstance(curve, Refusal) else curve.area)
        right = np.where(truth, decision, 1 - decision)
        for part in (truth, ~truth, np.ones_like(truth)):
            known = right[part & ~np.isnan(right)]
            cells.append(float(known.mean()) if known.size else None)
        rows.append(tuple(cells))
    means = [[cell for row in rows if isinstance(cell := row[place], float)] for place in range(3, 7)]
    totals = (len(item.truth), int(item.truth.sum()))
    rows.append(("mean over folds", *totals, *(float(np.mean(values)) if values else None for values in means)))
    columns = ("fold", "cases", "diseased", "AUC", "sensitivity", "specificity", "accuracy")
    note = "Folds are described; the pooled curve takes the scores of all folds as one scale, their mean does not."
    return Table(f"folds {item.model}", f"{item.model}, fold by fold", columns, tuple(rows), note)


def fold_curves(item: ModelScores) -> list[RocTrace]:
    found = []
    for _, chosen in in_folds(item):
        curve = attempt(partial(roc_curve, item.truth[chosen], item.score[chosen]))
        if not isinstance(curve, Refusal):
            found.append(RocTrace("each fold", curve.fpr.tolist(), curve.tpr.tolist()))
    return found
