"""The figures of a study from its stored results (`StudyResults.to_dict()`), without computing anything anew."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.figures import ForestRow, PlanePoint, RocTrace, forest_figure, roc_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

Json = Mapping[str, Any]
FIGURE_WORDS = {"auc": "AUC", "sensitivity": "sensitivity", "specificity": "specificity"}


def figures_of(results: Json) -> "dict[str, go.Figure]":
    """Which figures can be drawn of these results?

    results: `StudyResults.to_dict()`, also after a round trip through JSON. Answer by name, in order of a page:
    `model` (its ROC curve, readers as points), `roc 1`, `roc 2` ... (readers' curves in each arm), `forest auc`,
    `forest sensitivity`, `forest specificity` (reader differences and their mean; of one arm, model minus reader). What
    was refused is left out.
    """
    figures = {}
    model = model_figure(results)
    if model is not None:
        figures["model"] = model
    for place, arm in enumerate(results["arms"], start=1):
        traces = arm_traces(results["readers"], arm)
        if traces:
            figures[f"roc {place}"] = roc_figure(f"Readers, {arm}", traces)
    for figure, word in FIGURE_WORDS.items():
        rows = forest_rows(results, figure)
        if rows:
            first, second = (*results["arms"], "")[:2]
            title = f"Difference in {word}, {f'{second} minus {first}' if second else f'model minus reader, {first}'}"
            figures[f"forest {figure}"] = forest_figure(title, f"Δ {word}", rows)
    return figures


def refused(cell: Json | None) -> bool:
    return cell is None or "refused" in cell


def trace(label: str, discrimination: Json) -> RocTrace | None:
    curve, area = discrimination["roc"], discrimination["auc"]
    if refused(curve):
        return None
    return RocTrace(label, curve["fpr"], curve["tpr"], None if refused(area) else area["estimate"])


def arm_traces(readers: Sequence[Json], arm: str) -> list[RocTrace]:
    """One curve per reader who has one in this arm."""
    found = []
    for reader in readers:
        for cell in reader["arms"]:
            curve = trace(named(reader), cell["discrimination"]) if cell["arm"] == arm else None
            if curve is not None:
                found.append(curve)
    return found


def named(reader: Json) -> str:
    return f"{reader['reader']} ({reader['seniority']})" if reader["seniority"] else str(reader["reader"])


def model_figure(results: Json) -> "go.Figure | None":
    """The model's ROC plane with the readers' operating points, grouped by arm."""
    model = results["model"]
    if refused(model):
        return None
    labels = {reader["reader"]: named(reader) for reader in results["readers"]}
    curve = trace("model", model["discrimination"])
    points = [
        PlanePoint(f"{labels[point['reader']]}, {point['arm']}", f"readers, {point['arm']}", point["fpr"], point["tpr"])
        for point in model["points"]
    ]
    own = model["decisions"]
    if not refused(own["sensitivity"]) and not refused(own["specificity"]):
        fpr = 1 - own["specificity"]["estimate"]
        points.append(
            PlanePoint("model at its threshold", "model at its threshold", fpr, own["sensitivity"]["estimate"])
        )
    if curve is None and not points:
        return None
    return roc_figure("Model alone, readers as points", [] if curve is None else [curve], points)


def forest_rows(results: Json, figure: str) -> list[ForestRow]:
    """Differences of the second arm minus the first, reader by reader, then their mean; of one arm the model's."""
    if len(results["arms"]) < 2:
        return model_rows(results, figure)
    names = (results["arms"][0], results["arms"][1])
    rows = []
    for reader in results["readers"]:
        for pair in reader["comparisons"]:
            if (pair["first"], pair["second"]) != names:
                continue
            cell = pair["delong"] if figure == "auc" else pair["mcnemar"][figure]
            if not refused(cell):
                rows.append(forest_row(named(reader), cell if figure == "auc" else cell["test"], False))
    whole = results["study"][figure]
    if not refused(whole):
        rows += [
            forest_row("all readers", row, True)
            for row in whole["differences"]
            if row["reader"] is None and (row["first"], row["second"]) == names
        ]
    return rows


def model_rows(results: Json, figure: str) -> list[ForestRow]:
    """Model minus each reader."""
    if refused(results["model"]):
        return []
    labels = {reader["reader"]: named(reader) for reader in results["readers"]}
    rows = []
    for pair in results["model"]["against_readers"]:
        cell = pair["delong"] if figure == "auc" else pair["mcnemar"][figure]
        if not refused(cell):
            rows.append(forest_row(labels[pair["reader"]], cell if figure == "auc" else cell["test"], False))
    return rows


def forest_row(label: str, row: Json, summary: bool) -> ForestRow:
    return ForestRow(label, row["estimate"], row["low"], row["high"], summary)
