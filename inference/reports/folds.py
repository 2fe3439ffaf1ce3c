"""R09: cross-validation, fold by fold and pooled, per slice beside per patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inference.reports import figures
from inference.reports.asked import ALONE, models_only, scores
from inference.reports.contract import Figure, Report, Table, empty
from inference.reports.models import INTERVALS, alone, asked, best_sentence, footer, points_table
from inference.reports.statistics import Answer, NoStatistics, Statistics
from inference.reports.study import FOLDS, Study, systems, with_sets
from inference.reports.words import counted

if TYPE_CHECKING:
    import pandas as pd

FOLD_NOTE = "Folds are described and not tested: their models share training data."


def folds(study: Study, statistics: Statistics) -> Report:
    """R09: fold by fold, out-of-fold predictions pooled, per slice beside per patient."""
    id, title = "R09", "Cross-validation"
    frame = out_of_fold(study)
    if frame is None:
        return empty(id, title, "No out-of-fold predictions are stored (oof.csv, or predictions with a fold).")
    tables: list[Table] = []
    plots: list[Figure] = []
    traced = {}
    for model, part in frame.groupby("system", sort=False):
        tables.append(Table(f"folds-{len(tables)}", f"{model}, fold by fold", fold_table(part), FOLD_NOTE))
        if part["truth"].nunique() == 2:
            traced[str(model)] = figures.roc_points(part["truth"].tolist(), part["score"].tolist())
    text = [torn(frame)]
    answers: dict[str, Answer] = {}
    if study.predictions is not None and FOLDS in set(study.predictions["set"]):
        answers, refused = asked(study, statistics, [FOLDS])
        text += [f"! Not computed: {sentence}" for sentence in refused]
        if answers:
            pooled, note = alone(answers)
            tables.insert(0, Table("pooled", "Out-of-fold predictions pooled, per case", pooled, note))
            text.append(best_sentence(pooled, FOLDS))
    tables += slices(study, statistics, text)
    if traced:
        plots.append(Figure("oof", "Pooled out-of-fold ROC curves.", figures.roc(traced), "oof"))
        tables.append(Table("oof", "Points of the curves", points_table(traced), shown=False))
    return Report(
        id, title, tuple(text), tuple(tables), tuple(plots),
        footer=footer(study, answers, INTERVALS, "predictions.csv", "oof.csv", "slice_predictions.csv"),
    )  # fmt: skip


def out_of_fold(study: Study) -> pd.DataFrame | None:
    """Out-of-fold rows with ``system``, ``fold``, ``truth``, ``score`` and, where known, ``decision``."""
    import pandas as pd

    frame = study.predictions
    if frame is not None and (frame["set"] == FOLDS).any():
        part = frame[frame["set"] == FOLDS]
        decided = pd.to_numeric(part["positive"], errors="coerce") if "positive" in part.columns else np.nan
        return part.assign(score=part["probability"].astype(float), decision=decided)
    stored = study.table("oof.csv")
    if stored is None:
        return None
    # A draft, its folds and its versions hold the same rows.
    kept = stored.drop_duplicates(["case", "patient", "fold", "logit"])
    names = {str(one.folder): one.card.name for one in study.trained}
    system = kept["folder"].map(lambda folder: names.get(folder, "model"))
    return kept.assign(system=system, score=kept["logit"].astype(float), decision=np.nan)


def fold_table(part: pd.DataFrame) -> pd.DataFrame:
    """Counts and measures of each fold; numbers of the fold alone."""
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    rows = []
    for fold, one in sorted(part.groupby("fold"), key=lambda item: (len(str(item[0])), str(item[0]))):
        truth = one["truth"].astype(float) == 1
        right = np.where(truth, one["decision"], 1 - one["decision"])
        row: dict[str, object] = {
            "fold": fold, "cases": len(one), "patients": one["patient"].nunique(), "positives": int(truth.sum()),
            "AUC": float(roc_auc_score(truth, one["score"])) if truth.nunique() == 2 else None,
        }  # fmt: skip
        for name, chosen in (("sensitivity", truth), ("specificity", ~truth), ("accuracy", truth | True)):
            known = right[chosen & ~np.isnan(right)]
            row[name] = float(known.mean()) if known.size else None
        rows.append(row)
    return pd.DataFrame(rows)


def torn(frame: pd.DataFrame) -> str:
    """Whether a patient stands in more than one fold of a model."""
    folds_of = frame.groupby(["system", "patient"])["fold"].nunique()
    several = folds_of[folds_of > 1]
    if several.empty:
        return f"Each of {counted(int(frame['patient'].nunique()), 'patient')} is in one test fold only."
    return f"! Patient {several.index[0][1]} stands in {several.iloc[0]} folds: the folds leak."


def slices(study: Study, statistics: Statistics, text: list[str]) -> list[Table]:
    """Per slice, and by the highest of each case, beside per patient; where predictions of slices are stored."""
    stored = study.table("slice_predictions.csv")
    if stored is None:
        text.append("No prediction was stored per slice, so measures are per case.")
        return []
    frame = scores(with_sets(systems(stored)))
    single = frame.assign(case=frame["case"] + "#" + frame.groupby(["model", "case"]).cumcount().astype(str))
    text.append(
        f"{counted(len(frame), 'slice')} of {counted(int(frame['case'].nunique()), 'case')}, each in the middle of the "
        "stack that the model reads; beside them the highest of each case as the answer of its patient."
    )
    tables = []
    for id, title, part in (
        ("slices", "The same per slice", single),
        ("highest", "The same by the highest slice of each case", highest(frame)),
    ):
        try:
            answer = models_only(statistics, id, title, part)
        except NoStatistics as sentence:
            text.append(f"! Not computed, {title.lower()}: {sentence}")
            continue
        found = answer.findings(ALONE)
        tables.append(Table(id, title, found.tables["models"], found.notes["models"]))
    return tables


def highest(frame: pd.DataFrame) -> pd.DataFrame:
    """The highest slice of each case: positive where one of its slices is."""
    top = frame.groupby(["model", "set", "case"], sort=False)["score"].idxmax()
    return frame.loc[top].reset_index(drop=True)
