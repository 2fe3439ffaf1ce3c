"""R22: cases that the model was surest of and right, and those that it was surest of and wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.reports.contract import Footer, Panel, Picture, Report, Table, empty, rows_of
from inference.reports.models import NO_PREDICTIONS
from inference.reports.pictures import film, overlay, true_mask, which_slice
from inference.reports.statistics import Statistics
from inference.reports.study import SEEN, TUNED, Study
from inference.reports.words import counted, probability

if TYPE_CHECKING:
    import pandas as pd

KINDS = (("true positive", 1, 1, False), ("false positive", 0, 1, False), ("false negative", 1, 0, True))
SHOWN = 5


def gallery(study: Study, statistics: Statistics) -> Report:
    """R22: the surest true positives, false positives and false negatives of the best model on its own set."""
    id, title = "R22", "Right and wrong cases"
    if study.predictions is None or "positive" not in study.predictions.columns:
        return empty(id, title, NO_PREDICTIONS)
    frame = study.predictions[~study.predictions["set"].isin((SEEN, TUNED))]
    model = most_right(frame[frame["set"] == study.own_set])
    if model is None:
        return empty(id, title, "No model has decided on the study's own set.")
    part = frame[(frame["system"] == model) & (frame["set"] == study.own_set)]
    rows, listed = [], []
    for kind, truth, positive, lowest in KINDS:
        cases = part[(part["truth"].astype(float) == truth) & (part["positive"].astype(float) == positive)]
        cases = cases.sort_values("probability", ascending=lowest)
        listed.append(cases.assign(kind=kind)[["kind", "case", "probability"]])
        rows.append(pictured(study, cases, kind))
    import pandas as pd

    table = pd.concat(listed, ignore_index=True)
    counts = table["kind"].value_counts()
    text = (
        f"{model} on {study.own_set}: " + ", ".join(counted(int(counts.get(kind, 0)), kind) for kind, *_ in KINDS) + "."
    )
    panel = tuple(row for row in rows if row)
    missing = "" if panel else " No image of these cases lies in the study's folder, so they are listed only."
    footer = Footer(None, {"cases": len(part)}, "", study.sources("predictions.csv", "manifest.csv"))
    return Report(
        id, title, (text + missing,), (Table("cases", "The surest of each kind", first_of(table)),
                                       Table("all", "All of them", table, shown=False)),
        panels=(Panel("The surest of each kind, outline: truth", panel),) if panel else (), footer=footer,
    )  # fmt: skip


def most_right(frame: pd.DataFrame) -> str | None:
    """The model with the most right decisions."""
    known = frame.dropna(subset=["positive"])
    if known.empty:
        return None
    right = known["truth"].astype(float) == known["positive"].astype(float)
    return str(right.groupby(known["system"]).mean().idxmax())


def first_of(table: pd.DataFrame) -> pd.DataFrame:
    return table.groupby("kind", sort=False).head(SHOWN).reset_index(drop=True)


def pictured(study: Study, cases: pd.DataFrame, kind: str) -> tuple[Picture, ...]:
    found = []
    for row in rows_of(cases):
        image = film(study, row["case"])
        if image is not None:
            caption = f"{kind}: {row['case']}{which_slice(study, row['case'])}, {probability(row['probability'])}"
            found.append(Picture(overlay(image, true_mask(study, row["case"])), caption))
        if len(found) == SHOWN:
            break
    return tuple(found)
