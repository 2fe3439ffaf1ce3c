"""R17, R18: reading without and with the model, and the aided reader against the model alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inference.reports import figures
from inference.reports.asked import aiding, arms_of, seniorities
from inference.reports.contract import Figure, Report, Table, empty, rows_of
from inference.reports.readers import answered, footer
from inference.reports.statistics import Answer, NoStatistics, Statistics
from inference.reports.study import Study
from inference.reports.words import number, p_value

if TYPE_CHECKING:
    import pandas as pd

ONE_ROUND = "Readers read once, so there is no round without and with the model."


def two_rounds(study: Study, statistics: Statistics) -> Answer | str:
    answer = answered(study, statistics)
    if isinstance(answer, str):
        return answer
    arms = arms_of(study)
    return answer if len(arms) == 2 else ONE_ROUND


def aided(study: Study, statistics: Statistics) -> Report:
    """R17: AUC, F1, sensitivity, specificity, time and confidence per reader and group, MRMC tests, changes of mind."""
    id, title = "R17", "Without and with the model"
    answer = two_rounds(study, statistics)
    if isinstance(answer, str):
        return empty(id, title, answer)
    arms = arms_of(study)
    text, tables = [], [Table("readers", "Every reader in both rounds", answer.overview["readers"])]
    if (means := answer.overview.get("seniority")) is not None:
        tables.append(Table("groups", "Means by experience", means, "Means over readers; a description."))
    tests, refused = mrmc(study, answer, arms)
    if tests is not None:
        tables.append(Table("mrmc", f"{arms[1]} minus {arms[0]}, over readers and cases", tests, MRMC))
        text += [mrmc_sentence(row) for row in rows_of(tests.head(3))]
    gains, reason = found_table(answer, "AUC of each reader", "readers")
    if gains is not None:
        tables.append(Table("each", "AUC of each reader", gains, "DeLong's test per reader; p not adjusted."))
    times, reason = found_table(answer, "Reading time", "times")
    if times is not None:
        tables.append(Table("times", "Geometric mean reading times", times))
    elif reason:
        refused.append(reason)
    if (sure := confidence(study, arms)) is not None:
        tables.append(Table("confidence", "Mean confidence of each reader", sure, "Means; a description."))
    for model in aiding(study)[:1]:
        changes, reason = found_table(answer, f"Reliance on {model}", "switches")
        if changes is not None:
            tables.append(Table("switches", f"Changes of mind by whether {model} was right", changes))
    text += [f"! Not computed: {sentence}" for sentence in dict.fromkeys(refused)]
    plots = () if gains is None else (gain_figure(gains, arms),)
    note = (
        "single readers Wilson's and DeLong's; over readers Obuchowski and Rockette's with Hillis's degrees of freedom"
    )
    return Report(id, title, tuple(text), tuple(tables), plots, footer=footer(study, answer, note))


MRMC = (
    "Obuchowski and Rockette's analysis: readers and cases random; the AUC of all readers is the primary claim, p of "
    "the other rows is adjusted by Holm over them."
)


def mrmc(study: Study, answer: Answer, arms: tuple[str, ...]) -> tuple[pd.DataFrame | None, list[str]]:
    """One row a metric or group of readers, and what was refused."""
    import pandas as pd

    rows, refused = [], []
    names = [("all", f"MRMC, {metric}", metric) for metric in ("auc", "sensitivity", "specificity")]
    names += [(group, f"MRMC, auc, {group}", "auc") for group in seniorities(study)]
    for group, name, metric in names:
        try:
            found = answer.findings(name).claims
        except NoStatistics as sentence:
            refused.append(f"{name}: {sentence}")
            continue
        for row in rows_of(found):
            rows.append(
                {"readers": group, "measure": "AUC" if metric == "auc" else metric, "difference": row["estimate"],
                 "difference low": row["low"], "difference high": row["high"], "p": row["p"],
                 "p (Holm)": row["p_adjusted"]}
            )  # fmt: skip
    return (pd.DataFrame(rows) if rows else None), refused


def mrmc_sentence(row: Mapping[str, Any]) -> str:
    limits = f"{number(row['difference low'], 3)} to {number(row['difference high'], 3)}"
    return (
        f"The {row['measure']} of {row['readers']} readers changes by {number(row['difference'], 3)} "
        f"({limits}, p {p_value(row['p'])})."
    )


def found_table(answer: Answer, endpoint: str, name: str) -> tuple[pd.DataFrame | None, str]:
    """A table of an endpoint, or None with the reason."""
    try:
        return answer.findings(endpoint).tables[name], ""
    except NoStatistics as sentence:
        return None, f"{endpoint}: {sentence}"


def confidence(study: Study, arms: tuple[str, ...]) -> pd.DataFrame | None:
    frame = study.readings
    if frame is None or "confidence" not in frame.columns or frame["confidence"].isna().all():
        return None
    means = frame.groupby(["seniority", "reader", "arm"])["confidence"].mean().unstack()[list(arms)]
    return means.reset_index().rename_axis(columns=None)


def gain_figure(gains: pd.DataFrame, arms: tuple[str, ...]) -> Figure:
    frame = gains.rename(columns={"low": "difference low", "high": "difference high"})
    label = frame["reader"] + " (" + frame["seniority"].fillna("") + ")"
    plot = figures.forest(frame.assign(label=label), "label", "difference", f"AUC, {arms[1]} − {arms[0]}", zero=0.0)
    return Figure("gains", "What the model changes in the AUC of each reader, DeLong's 95 % intervals.", plot, "each")


def against_alone(study: Study, statistics: Statistics) -> Report:
    """R18: aided readers, by experience, against the model alone; over- and under-reliance."""
    import pandas as pd

    id, title = "R18", "Aided readers against the model alone"
    answer = two_rounds(study, statistics)
    if isinstance(answer, str):
        return empty(id, title, answer)
    models = aiding(study)
    if not models:
        return empty(id, title, "The study holds no predictions on the cases that were read.")
    rows, text, tables = [], [], []
    for model in models:
        for group in ("all", *seniorities(study)):
            table, reason = found_table(answer, f"{model} against aided {group} readers", "model and readers")
            if table is None:
                text.append(f"! Not computed: {reason}")
                continue
            rows.append(table.assign(group=group))
    if rows:
        frame = pd.concat(rows, ignore_index=True).drop(columns="arm").rename(
            columns={"low": "difference low", "high": "difference high"}
        )  # fmt: skip
        kept = ["model", "group", "readers", "cases", "mean of readers", "model value", "difference",
                "difference low", "difference high", "p"]  # fmt: skip
        tables.append(Table("alone", "AUC, model minus mean of the aided readers", frame[kept]))
        text = alone_sentences(frame) + text
    for model in models:
        for name, heading in (("reliance", "Reliance on"), ("team", "Reader and model together, accuracy:")):
            table, _ = found_table(answer, f"Reliance on {model}", name)
            if table is not None:
                tables.append(
                    Table(f"{name}-{len(tables)}", f"{heading} {model}", table, RELIANCE * (name == "reliance"))
                )
    note = "one-treatment random-reader random-case analysis; reliance of single readers Wilson's, means Student's t"
    return Report(id, title, tuple(text), tuple(tables), footer=footer(study, answer, note))


RELIANCE = (
    "Over-reliance: right unaided, model wrong, then wrong. Under-reliance: wrong unaided, model right, still wrong "
    "(Schemmer et al. 2023)."
)


def alone_sentences(frame: pd.DataFrame) -> list[str]:
    """One a group where one model aided, else how often the model alone was the better."""
    if frame["model"].nunique() == 1:
        return [alone_sentence(row) for row in rows_of(frame)]
    below = frame[frame["mean of readers"] < frame["model value"]]
    return [
        "The readings do not say which model aided, so all are held against the readers. Aided readers stay below the "
        f"model alone in {len(below)} of {len(frame)} comparisons."
    ]


def alone_sentence(row: Mapping[str, Any]) -> str:
    readers, model = row["mean of readers"], row["model value"]
    word = "below" if readers < model else "above"
    return (
        f"Aided readers, {row['group']} ({number(readers, 3)}), stay {word} {row['model']} alone ({number(model, 3)}), "
        f"p {p_value(row['p'])}."
    )
