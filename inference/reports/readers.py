"""R04, R05, R07: readers as points beside the models, each model against each reader, readers by experience."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.reports import asked, figures
from inference.reports.asked import DECIDED, arms_of, readers, scores, seniorities
from inference.reports.contract import Figure, Footer, Report, Table, empty, rows_of
from inference.reports.models import linked
from inference.reports.statistics import Answer, NoStatistics, Statistics
from inference.reports.study import Study
from inference.reports.words import counted, listed, number, p_value

if TYPE_CHECKING:
    import pandas as pd

Curve = NDArray[np.float64]
NO_READINGS = "The study holds no table readings.csv, so nothing can be said of readers."


def answered(study: Study, statistics: Statistics) -> Answer | str:
    """The answer on readers, or the sentence why there is none."""
    if study.readings is None:
        return NO_READINGS
    try:
        return readers(study, statistics)
    except NoStatistics as sentence:
        return f"The statistics refuse: {sentence}"


def footer(study: Study, answer: Answer, interval: str) -> Footer:
    frame = study.readings
    counts = {} if frame is None else {
        "readers": int(frame["reader"].nunique()), "cases": int(frame["case"].nunique()),
        "positives": int((frame.drop_duplicates("case")["truth"].astype(float) == 1).sum()), "readings": len(frame),
    }  # fmt: skip
    sources = study.sources("readings.csv", "predictions.csv")
    return Footer(answer.seed, counts, interval, sources, {"The statistics of readers": linked(answer)})


def points_of(table: pd.DataFrame) -> list[figures.Point]:
    """Readers' decisions with Wilson's limits, grouped by seniority."""
    return [
        figures.Point(
            str(row["reader"]), f"{row['seniority'] or ''} readers".strip(), row["sensitivity"], row["specificity"],
            (row["sensitivity low"], row["sensitivity high"]), (row["specificity low"], row["specificity high"]),
        )
        for row in rows_of(table.dropna(subset=["sensitivity", "specificity"]))
    ]  # fmt: skip


def as_points(study: Study, statistics: Statistics) -> Report:
    """R04: readers as points with 95 % crosses on the models' ROC plane, and the means of their groups."""
    id, title = "R04", "Readers beside the models' curves"
    answer = answered(study, statistics)
    if isinstance(answer, str):
        return empty(id, title, answer)
    arm = arms_of(study)[0]
    table = answer.overview["readers"]
    table = table[table["arm"] == arm]
    traced = {}
    if study.predictions is not None:
        part = scores(study.predictions[study.predictions["set"] == study.own_set])
        for model, rows in part.groupby("model", sort=False):
            if rows["truth"].nunique() == 2:
                traced[str(model)] = figures.roc_points(rows["truth"].tolist(), rows["score"].tolist())
    points = points_of(table)
    means = answer.overview.get("seniority")
    if means is not None:
        means = means[means["arm"] == arm]
        for row in rows_of(means[means["readers"] > 1].dropna(subset=["sensitivity", "specificity"])):
            group = f"{row['seniority']} readers"
            points.append(figures.Point(f"mean of {group}", group, row["sensitivity"], row["specificity"]))
    columns = ["reader", "seniority", "arm", "cases", *(f"{m}{e}" for m in ("sensitivity", "specificity", "accuracy")
                                                        for e in ("", " low", " high"))]  # fmt: skip
    tables = [Table("readers", "Readers at their own threshold", table[columns])]
    if means is not None:
        tables.append(Table("means", "Means of the groups of readers", means, "Means over readers; a description."))
    figure = Figure(
        "plane",
        f"Models' curves on {study.own_set or 'the cases read'}; readers, {arm}, as points with Wilson's 95 % limits.",
        figures.roc(traced, points), "readers",
    )  # fmt: skip
    return Report(
        id, title, tuple(above(points, traced)), tuple(tables), (figure,),
        footer=footer(study, answer, "Wilson's, of single readers on the cases that each read"),
    )  # fmt: skip


def above(points: list[figures.Point], traced: dict[str, tuple[Curve, Curve]]) -> list[str]:
    """How many readers lie above each curve at their own specificity."""
    single = [point for point in points if point.sensitivity_limits]
    said = []
    for model, (false, true) in traced.items():
        over = [p.label for p in single if p.sensitivity > np.interp(1 - p.specificity, false, true)]
        verb = "lies" if len(over) == 1 else "lie"
        named = f" ({listed(over)})" if over and len(over) < len(single) else ""
        said.append(f"{len(over)} of {counted(len(single), 'reader')}{named} {verb} above the curve of {model}.")
    return said


def against(study: Study, statistics: Statistics) -> Report:
    """R05: each model against each reader: accuracy, and McNemar's exact test in the diseased and in the others."""
    import pandas as pd

    id, title = "R05", "Models against each reader"
    answer = answered(study, statistics)
    if isinstance(answer, str):
        return empty(id, title, answer)
    rows, refused, answers = [], [], {}
    for model in asked.read_models(study):
        try:
            answers[model] = asked.against(study, statistics, model)
            rows += [claims_frame(answers[model].findings(metric).claims, metric) for metric in DECIDED]
        except NoStatistics as sentence:
            refused.append(f"{model}: {sentence}")
    if not rows:
        return empty(id, title, f"Nothing could be compared: {listed(list(dict.fromkeys(refused)))}")
    frame = pd.concat(rows, ignore_index=True)
    tables = tuple(
        Table(word, f"{heading}, model minus reader", frame[frame["measure"] == word].drop(columns="measure"))
        for word, heading in (("accuracy", "Accuracy in all cases"), ("sensitivity", "Sensitivity in the diseased"),
                              ("specificity", "Specificity in the others"))
        if (frame["measure"] == word).any()
    )  # fmt: skip
    clear = frame[frame["p (Holm)"].astype(float) < 0.05]
    arm = arms_of(study)[0]
    text = [f"Readers {arm}. {len(clear)} of {counted(len(frame), 'comparison')} differ after Holm's correction."]
    text += [
        f"{row['model']} against {row['reader']}: {row['measure']} {number(row['difference'], 3)} "
        f"(adjusted p {p_value(row['p (Holm)'])})."
        for row in rows_of(clear.head(6))
    ]
    text += [f"! {sentence}" for sentence in dict.fromkeys(refused)]
    note = ("McNemar's exact test (adjusted for patients where they have several cases), Newcombe's interval of the "
            "difference; Holm over the readers for accuracy, over readers and both classes for the others")  # fmt: skip
    return Report(id, title, tuple(text), tables, footer=footer(study, next(iter(answers.values())), note))


def claims_frame(found: pd.DataFrame, metric: str) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "measure": metric, "model": found["second"], "reader": found["first"], "cases": found["n"],
            "of the model": found["second_value"], "of the reader": found["first_value"],
            "difference": found["estimate"], "difference low": found["low"], "difference high": found["high"],
            "p": found["p"], "p (Holm)": found["p_adjusted"],
        }
    )  # fmt: skip


def experience(study: Study, statistics: Statistics) -> Report:
    """R07: every reader's measures by experience, and agreement beyond chance."""
    id, title = "R07", "Readers by experience"
    answer = answered(study, statistics)
    if isinstance(answer, str):
        return empty(id, title, answer)
    table = answer.overview["readers"]
    order = {name: place for place, name in enumerate(seniorities(study))}
    table = table.sort_values(
        "seniority", key=lambda column: column.map(lambda name: order.get(name, 99)), kind="stable"
    )
    tables = [Table("readers", "Every reader", table)]
    if (means := answer.overview.get("seniority")) is not None:
        tables.append(Table("seniority", "Means by experience", means, "Means over readers; a description."))
    text = []
    try:
        kappa = answer.findings("Agreement").tables["kappa"]
        tables.append(Table("kappa", "Agreement beyond chance on the decisions", kappa))
        for whole in rows_of(kappa[kappa["readers"].str.startswith("all ")]):
            text.append(f"Kappa of {whole['readers']}, {whole['arm']}, is {number(whole['kappa'], 3)}.")
    except NoStatistics as sentence:
        text.append(f"Agreement was not computed: {sentence}")
    return Report(
        id, title, tuple(text), tuple(tables),
        footer=footer(study, answer, "Wilson's, DeLong's for the AUC; kappa by its large-sample standard error"),
    )  # fmt: skip
