"""The job behind a run: from the locked files to results and figures. The only door to the package `analysis`."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from readerstudy.audit.actions import record
from readerstudy.audit.chain import digest_of
from readerstudy.datasets.models import Dataset
from readerstudy.datasets.queries import content_of, file_for

from .models import AnalysisRun

if TYPE_CHECKING:
    import pandas as pd

    from analysis.study import StudyResults

Phase = AnalysisRun.Phase
PATIENCE = timedelta(minutes=30)


def analyse(token: str) -> None:
    """Carry out a waiting run once; a run that a dead worker left is taken up again."""
    run = claim(token)
    if run is None:
        return
    from analysis.errors import CannotAnalyse

    try:
        outcome = compute(run)
    except CannotAnalyse as refusal:
        end(run, phase=Phase.FAILED, message=str(refusal))
    else:
        end(run, phase=Phase.DONE, results=outcome, results_digest=digest_of(outcome["results"]), message="")


@transaction.atomic
def claim(token: str) -> AnalysisRun | None:
    runs = AnalysisRun.objects.select_for_update(skip_locked=True, of=("self",)).select_related("dataset__study")
    run = runs.filter(token=token).first()
    if run is None or run.phase in (Phase.DONE, Phase.FAILED):
        return None
    if run.phase == Phase.RUNNING and run.claimed_at and timezone.now() - run.claimed_at < PATIENCE:
        return None
    AnalysisRun.objects.filter(pk=run.pk).update(phase=Phase.RUNNING, claimed_at=timezone.now())
    return run


@transaction.atomic
def end(run: AnalysisRun, **values: Any) -> None:
    from analysis.versions import versions

    changed = AnalysisRun.objects.filter(pk=run.pk, phase=Phase.RUNNING).update(
        finished_at=timezone.now(), versions=versions(), **values
    )
    if changed:
        facts = {"phase": values["phase"], "message": values["message"], "digest": values.get("results_digest", "")}
        record(actor=None, verb="results.run_ended", target=run, facts=facts, study=run.dataset.study)


def compute(run: AnalysisRun) -> dict[str, Any]:
    from analysis.plan import plan_from_dict
    from analysis.study import analyse_study

    found = analyse_study(readings_of(run.dataset), model_of(run.dataset), plan_from_dict(run.plan["analysis"]))
    return {"results": found.to_dict(), "figures": figures_of(found)}


def parquet(dataset: Dataset, name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(io.BytesIO(content_of(file_for(dataset, name))))


def readings_of(dataset: Dataset) -> pd.DataFrame:
    frame = parquet(dataset, "readings.parquet")
    for column in ("truth", "decision"):
        frame[column] = frame[column].astype("float64")
    return frame


def model_of(dataset: Dataset) -> pd.DataFrame | None:
    """The output that assisted the readers; where none did, the first algorithm's."""
    predictions = parquet(dataset, "predictions.parquet")
    if predictions.empty:
        return None
    chosen = predictions[predictions["assists"]] if predictions["assists"].any() else predictions
    chosen = chosen[chosen["digest"] == chosen["digest"].iloc[0]]
    renamed: pd.DataFrame = chosen.rename(columns={"probability": "score", "positive": "decision"})
    renamed["decision"] = renamed["decision"].astype("float64")
    return renamed


def figures_of(found: StudyResults) -> dict[str, Any]:
    import json

    from analysis.figures import forest_figure, roc_figure

    figures = {}
    for arm in found.arms:
        traces = roc_traces(found, arm)
        if traces:
            figures[f"roc-{arm}"] = roc_figure(f"ROC curves, {arm}", traces)
    plane = model_traces(found)
    points = reader_points(found)
    if plane or points:
        title = "The model's ROC curve and the readers" if plane else "The readers' sensitivity and specificity"
        figures["plane"] = roc_figure(title, plane, points)
    rows = forest_rows(found)
    if rows:
        figures["forest"] = forest_figure("Difference in AUC", f"{found.arms[-1]} − {found.arms[0]}", rows)
    return {name: json.loads(figure.to_json()) for name, figure in figures.items()}


def roc_traces(found: StudyResults, arm: str) -> list[Any]:
    from analysis.figures import RocTrace
    from analysis.interval import Refusal

    traces = []
    for reader in found.readers:
        for cell in reader.arms:
            shown = cell.discrimination
            if cell.arm == arm and not isinstance(shown.roc, Refusal) and not isinstance(shown.auc, Refusal):
                label = f"{reader.reader}, {reader.seniority}" if reader.seniority else reader.reader
                traces.append(RocTrace(label, list(shown.roc.fpr), list(shown.roc.tpr), shown.auc.estimate))
    return traces


def model_traces(found: StudyResults) -> list[Any]:
    from analysis.figures import RocTrace
    from analysis.interval import Refusal

    if isinstance(found.model, Refusal):
        return []
    shown = found.model.discrimination
    if isinstance(shown.roc, Refusal) or isinstance(shown.auc, Refusal):
        return []
    return [RocTrace("model alone", list(shown.roc.fpr), list(shown.roc.tpr), shown.auc.estimate)]


def reader_points(found: StudyResults) -> list[Any]:
    from analysis.figures import PlanePoint
    from analysis.interval import Refusal

    seniority = {reader.reader: reader.seniority for reader in found.readers}
    if not isinstance(found.model, Refusal):
        listed = [(point.reader, point.arm, point.fpr, point.tpr) for point in found.model.points]
    else:
        listed = [
            (reader.reader, cell.arm, 1 - cell.decisions.specificity.estimate, cell.decisions.sensitivity.estimate)
            for reader in found.readers
            for cell in reader.arms
            if not isinstance(cell.decisions.specificity, Refusal)
            and not isinstance(cell.decisions.sensitivity, Refusal)
        ]
    return [
        PlanePoint(f"{reader}, {arm}", ", ".join(filter(None, [seniority[reader], arm])), fpr, tpr)
        for reader, arm, fpr, tpr in listed
    ]


def forest_rows(found: StudyResults) -> list[Any]:
    from analysis.figures import ForestRow
    from analysis.interval import Refusal

    rows = []
    for reader in found.readers:
        for pair in reader.comparisons:
            if not isinstance(pair.delong, Refusal):
                label = reader.reader if len(found.arms) < 3 else f"{reader.reader}, {pair.second}"
                rows.append(ForestRow(label, pair.delong.estimate, pair.delong.low, pair.delong.high))
    if not isinstance(found.study.auc, Refusal) and len(found.arms) == 2:
        for mean in found.study.auc.differences:
            if mean.reader is None:
                rows.append(ForestRow("mean", mean.estimate, mean.low, mean.high, summary=True))
    return rows


def waiting() -> list[str]:
    """Runs that nobody has worked on for a while."""
    stale = timezone.now() - timedelta(seconds=20)
    queued = AnalysisRun.objects.filter(phase=Phase.QUEUED, started_at__lt=stale)
    left = AnalysisRun.objects.filter(phase=Phase.RUNNING, claimed_at__lt=timezone.now() - PATIENCE)
    return list(queued.union(left).values_list("token", flat=True))
